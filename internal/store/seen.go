package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// SeenID is a record that was taken in: a hash of what identifies it, filed
// under the record's own hour since 1970. Where that cannot say when to forget
// it, Odd is the hour under which it is filed instead.
type SeenID struct {
	ID   [16]byte
	Hour int64
	Odd  int64 // 0: filed under Hour
}

// The most of each that one statement asks for. Ids of a page come from few
// hours; a quiet stream's from many.
const (
	seenChunk = 500
	seenHours = 24
)

// Unseen returns which of the ids the stream has not taken in yet. Each is looked
// for under its own hour, and among the odd ones.
func (s *Store) Unseen(ctx context.Context, streamID string, ids []SeenID) (map[[16]byte]bool, error) {
	fresh := make(map[[16]byte]bool, len(ids))
	for _, id := range ids {
		fresh[id.ID] = true
	}
	ordered := slices.Clone(ids)
	slices.SortFunc(ordered, func(a, b SeenID) int { return int(a.Hour - b.Hour) })
	for len(ordered) > 0 {
		n, hours := chunkOf(ordered)
		args, own := []any{streamID}, []any{streamID}
		for _, h := range hours {
			own = append(own, h)
		}
		for i := range n {
			args = append(args, ordered[i].ID[:])
		}
		in := `id IN (?` + strings.Repeat(", ?", n-1) + `)`
		own = append(own, args[1:]...)
		err := errors.Join(
			s.dropSeen(ctx, fresh, `SELECT id FROM seen WHERE stream_no = (SELECT no FROM stream_number WHERE stream_id = ?)
				AND hour IN (?`+strings.Repeat(", ?", len(hours)-1)+`) AND `+in, own),
			s.dropSeen(ctx, fresh, `SELECT id FROM seen_odd WHERE stream_id = ? AND `+in, args),
		)
		if err != nil {
			return nil, fmt.Errorf("store: unseen: %w", err)
		}
		ordered = ordered[n:]
	}
	return fresh, nil
}

// chunkOf is how many ids, in the order of their hours, are asked for at once.
func chunkOf(ids []SeenID) (n int, hours []int64) {
	for n < len(ids) && n < seenChunk {
		if len(hours) == 0 || hours[len(hours)-1] != ids[n].Hour {
			if len(hours) == seenHours {
				break
			}
			hours = append(hours, ids[n].Hour)
		}
		n++
	}
	return n, hours
}

func (s *Store) dropSeen(ctx context.Context, fresh map[[16]byte]bool, query string, args []any) error {
	rows, err := s.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id []byte
		if err := rows.Scan(&id); err != nil {
			return err
		}
		delete(fresh, [16]byte(id))
	}
	return rows.Err()
}

// insertSeen files ids. One that is there already was taken in by another reader.
func insertSeen(ctx context.Context, tx *sql.Tx, streamID string, ids []SeenID) error {
	if len(ids) == 0 {
		return nil
	}
	var no int64
	if err := tx.QueryRowContext(ctx, `SELECT no FROM stream_number WHERE stream_id = ?`, streamID).Scan(&no); err != nil {
		return err
	}
	var own, odd []any
	for i := range ids {
		if ids[i].Odd != 0 {
			odd = append(odd, streamID, ids[i].Odd, ids[i].ID[:])
		} else {
			own = append(own, no, ids[i].Hour, ids[i].ID[:])
		}
	}
	if err := insertIDs(ctx, tx, `INSERT INTO seen (stream_no, hour, id) VALUES `, own); err != nil {
		return err
	}
	return insertIDs(ctx, tx, `INSERT INTO seen_odd (stream_id, hour, id) VALUES `, odd)
}

func insertIDs(ctx context.Context, tx *sql.Tx, into string, args []any) error {
	const width, chunk = 3, 300
	for len(args) > 0 {
		n := min(len(args)/width, chunk)
		res, err := tx.ExecContext(ctx, into+`(?, ?, ?)`+strings.Repeat(", (?, ?, ?)", n-1)+` ON CONFLICT DO NOTHING`, args[:n*width]...)
		if err != nil {
			return err
		}
		made, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if made != int64(n) {
			return ErrRepeat
		}
		args = args[n*width:]
	}
	return nil
}

// Met is how often a walk has met a record that has no id of its provider's.
type Met struct {
	ID    [16]byte // a hash of its content
	Times int64
}

// Met returns how often the walk of a stream or backfill has met each of the
// records so far.
func (s *Store) Met(ctx context.Context, walkID string, ids [][16]byte) (map[[16]byte]int64, error) {
	met := make(map[[16]byte]int64, len(ids))
	for part := range slices.Chunk(ids, seenChunk) {
		args := []any{walkID}
		for i := range part {
			args = append(args, part[i][:])
		}
		rows, err := s.reader.QueryContext(ctx, `SELECT id, times FROM walk WHERE walk_id = ? AND id IN (?`+
			strings.Repeat(", ?", len(part)-1)+`)`, args...)
		if err != nil {
			return nil, fmt.Errorf("store: met: %w", err)
		}
		if err := readMet(rows, met); err != nil {
			return nil, fmt.Errorf("store: met: %w", err)
		}
	}
	return met, nil
}

func readMet(rows *sql.Rows, met map[[16]byte]int64) error {
	defer rows.Close()
	for rows.Next() {
		var id []byte
		var times int64
		if err := rows.Scan(&id, &times); err != nil {
			return err
		}
		met[[16]byte(id)] = times
	}
	return rows.Err()
}

func meet(ctx context.Context, tx *sql.Tx, walkID string, met []Met) error {
	for part := range slices.Chunk(met, seenChunk/2) {
		var args []any
		for i := range part {
			args = append(args, walkID, part[i].ID[:], part[i].Times)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO walk (walk_id, id, times) VALUES (?, ?, ?)`+strings.Repeat(", (?, ?, ?)", len(part)-1)+`
			ON CONFLICT (walk_id, id) DO UPDATE SET times = excluded.times`, args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// CountSeen counts what a stream has taken in of the hours from the given one, up
// to most.
func (s *Store) CountSeen(ctx context.Context, streamID string, hour, most int64) (int64, error) {
	var n int64
	err := s.reader.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM seen
		WHERE stream_no = (SELECT no FROM stream_number WHERE stream_id = ?) AND hour >= ? LIMIT ?) AS counted`,
		streamID, hour, most).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("store: count seen: %w", err)
	}
	return n, nil
}

// HourOfSeen is the hour of the n-th newest record that a stream has taken in;
// false when it knows of fewer.
func (s *Store) HourOfSeen(ctx context.Context, streamID string, n int64) (int64, bool, error) {
	var hour int64
	err := s.reader.QueryRowContext(ctx, `SELECT hour FROM seen
		WHERE stream_no = (SELECT no FROM stream_number WHERE stream_id = ?) ORDER BY hour DESC LIMIT 1 OFFSET ?`,
		streamID, n-1).Scan(&hour)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("store: hour of seen: %w", err)
	}
	return hour, true, nil
}

// SweepSeen forgets the ids that a stream took in under hours before the given
// one.
func (s *Store) SweepSeen(ctx context.Context, streamID string, hour int64) (int64, error) {
	// The rows come first in their table: no index besides is needed.
	own, err := s.sweep(ctx, "seen ids", `DELETE FROM seen WHERE (stream_no, hour, id) IN (
		SELECT stream_no, hour, id FROM seen WHERE stream_no = (SELECT no FROM stream_number WHERE stream_id = ?) AND hour < ? LIMIT ?)`,
		streamID, hour, sweepRows)
	if err != nil {
		return 0, err
	}
	odd, err := s.sweep(ctx, "seen ids", `DELETE FROM seen_odd WHERE stream_id = ? AND id IN (
		SELECT id FROM seen_odd WHERE stream_id = ? AND hour < ? LIMIT ?)`, streamID, streamID, hour, sweepRows)
	return own + odd, err
}

// StreamMark is a stream and how far it is read.
type StreamMark struct {
	ID        string
	App       string
	Name      string
	Watermark time.Time
	Oldest    time.Time // where the oldest window begins that is still to be read beside the live tail; zero: none is
}

// StreamMarks returns all streams.
func (s *Store) StreamMarks(ctx context.Context) ([]StreamMark, error) {
	return list(ctx, s.reader, "stream marks", func(row scanner) (StreamMark, error) {
		var m StreamMark
		var watermark, wide, backfill, gap int64
		err := row.Scan(&m.ID, &m.App, &m.Name, &watermark, &wide, &backfill, &gap)
		m.Watermark = fromMillis(watermark)
		if wide > 0 && wide < watermark {
			m.Watermark = fromMillis(wide) // the widest window goes by it
		}
		for _, ms := range []int64{backfill, gap} {
			if at := fromMillis(ms); ms != 0 && (m.Oldest.IsZero() || at.Before(m.Oldest)) {
				m.Oldest = at
			}
		}
		return m, err
	}, `SELECT s.id, i.app, s.name, s.watermark, s.wide_at,
		coalesce((SELECT min(from_at) FROM backfill f WHERE f.stream_id = s.id AND f.ended_at = 0), 0),
		coalesce((SELECT min(from_at) FROM gap g WHERE g.stream_id = s.id AND g.try_at >= 0), 0)
		FROM stream s JOIN ingestion i ON i.id = s.ingestion_id`)
}
