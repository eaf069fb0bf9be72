package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math"
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

// The ids of an hour are kept in rows of up to seenRow: two of them fill a page of
// SQLite and four a page of PostgreSQL, without a row's content being kept apart
// from it. All rows of an hour but the last are full.
const seenRow = 120

// The most of each that one statement asks for. Ids of a page come from few
// hours; a quiet stream's from many.
const (
	seenChunk = 500
	seenHours = 24
)

// Unseen returns which of the ids the stream has not taken in yet, and how far
// that is known: for PageCommit.SeenAt. Each is looked for under its own hour, and
// among the odd ones.
func (s *Store) Unseen(ctx context.Context, streamID string, ids []SeenID) (map[[16]byte]bool, int64, error) {
	fresh := make(map[[16]byte]bool, len(ids))
	for _, id := range ids {
		fresh[id.ID] = true
	}
	var taken int64
	in := seenScope{streamID: streamID, since: -1}
	// What is added after this is read is known to whoever adds next.
	err := s.reader.QueryRowContext(ctx, `SELECT no, taken, EXISTS (SELECT 1 FROM seen_odd o WHERE o.stream_id = n.stream_id)
		FROM stream_number n WHERE n.stream_id = ?`, streamID).Scan(&in.no, &taken, &in.odd)
	if errors.Is(err, sql.ErrNoRows) {
		return fresh, 0, nil
	}
	if err == nil {
		err = dropSeen(ctx, s.reader, fresh, in, ids)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("store: unseen: %w", err)
	}
	return fresh, taken, nil
}

// seenScope is where ids are looked for: the rows of a stream that were added to
// after its number of additions was so many, and, where there are any, its odd
// ones.
type seenScope struct {
	streamID string
	no       int64
	since    int64
	odd      bool
}

// dropSeen removes from fresh the ids that are known. Of what is known under their
// hours no more than a row is held at once.
func dropSeen(ctx context.Context, q querier, fresh map[[16]byte]bool, in seenScope, ids []SeenID) error {
	for hours := range slices.Chunk(hoursOf(ids), seenHours) {
		args := []any{in.no, in.since}
		for _, h := range hours {
			args = append(args, h)
		}
		err := dropRows(ctx, q, fresh, `SELECT ids FROM seen WHERE stream_no = ? AND changed > ?
			AND hour IN (?`+strings.Repeat(", ?", len(hours)-1)+`)`, args)
		if err != nil {
			return err
		}
	}
	if !in.odd {
		return nil // as nearly always
	}
	for part := range slices.Chunk(ids, seenChunk) {
		args := []any{in.streamID}
		for i := range part {
			args = append(args, part[i].ID[:])
		}
		err := dropRows(ctx, q, fresh, `SELECT id FROM seen_odd WHERE stream_id = ? AND id IN (?`+
			strings.Repeat(", ?", len(part)-1)+`)`, args)
		if err != nil {
			return err
		}
	}
	return nil
}

// hoursOf are the hours of the ids, each once, in order.
func hoursOf(ids []SeenID) []int64 {
	hours := make([]int64, len(ids))
	for i := range ids {
		hours[i] = ids[i].Hour
	}
	slices.Sort(hours)
	return slices.Compact(hours)
}

func dropRows(ctx context.Context, q querier, fresh map[[16]byte]bool, query string, args []any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var known sql.RawBytes
		if err := rows.Scan(&known); err != nil {
			return err
		}
		for id := range slices.Chunk(known, len(SeenID{}.ID)) {
			delete(fresh, [16]byte(id))
		}
	}
	return rows.Err()
}

// insertSeen files ids. Where another reader of the stream has added some since
// Unseen was asked, none of them may be among these.
func insertSeen(ctx context.Context, tx *sql.Tx, p PageCommit) error {
	if len(p.Seen) == 0 {
		return nil
	}
	var no, taken int64
	err := tx.QueryRowContext(ctx, `UPDATE stream_number SET taken = taken + 1 WHERE stream_id = ? RETURNING no, taken`, p.StreamID).
		Scan(&no, &taken)
	if err != nil {
		return err
	}
	if taken != p.SeenAt+1 {
		fresh := make(map[[16]byte]bool, len(p.Seen))
		for i := range p.Seen {
			fresh[p.Seen[i].ID] = true
		}
		if err := dropSeen(ctx, tx, fresh, seenScope{p.StreamID, no, p.SeenAt, true}, p.Seen); err != nil {
			return err
		}
		if len(fresh) < len(p.Seen) {
			return ErrRepeat
		}
	}
	own := map[int64][]byte{}
	var odd []any
	for i := range p.Seen {
		id := &p.Seen[i]
		if id.Odd != 0 {
			odd = append(odd, p.StreamID, id.Odd, id.ID[:])
		} else {
			own[id.Hour] = append(own[id.Hour], id.ID[:]...)
		}
	}
	if err := insertOwn(ctx, tx, no, taken, own); err != nil {
		return err
	}
	return insertMany(ctx, tx, `INSERT INTO seen_odd (stream_id, hour, id) VALUES `, 3, odd, ``)
}

// insertOwn adds ids to the last row of each hour, and makes rows of the rest.
func insertOwn(ctx context.Context, tx *sql.Tx, no, taken int64, own map[int64][]byte) error {
	const full = seenRow * len(SeenID{}.ID)
	var rows []any
	for hours := range slices.Chunk(slices.Sorted(maps.Keys(own)), seenHours) {
		last, err := lastRows(ctx, tx, no, hours)
		if err != nil {
			return err
		}
		for _, hour := range hours {
			at, add := last[hour], own[hour]
			if len(at.ids) == full {
				at = seenTail{at.seq + 1, nil}
			}
			add = append(at.ids, add...)
			for ids := range slices.Chunk(add, full) {
				rows = append(rows, no, hour, at.seq, taken, ids)
				at.seq++
			}
		}
	}
	return insertMany(ctx, tx, `INSERT INTO seen (stream_no, hour, seq, changed, ids) VALUES `, 5, rows,
		` ON CONFLICT (stream_no, hour, seq) DO UPDATE SET changed = excluded.changed, ids = excluded.ids`)
}

// seenTail is the last row of an hour; of none, the first to be.
type seenTail struct {
	seq int64
	ids []byte
}

func lastRows(ctx context.Context, tx *sql.Tx, no int64, hours []int64) (map[int64]seenTail, error) {
	args := []any{no, no}
	for _, h := range hours {
		args = append(args, h)
	}
	rows, err := tx.QueryContext(ctx, `SELECT hour, seq, ids FROM seen WHERE stream_no = ? AND (hour, seq) IN (
		SELECT hour, max(seq) FROM seen WHERE stream_no = ? AND hour IN (?`+strings.Repeat(", ?", len(hours)-1)+`) GROUP BY hour)`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	last := make(map[int64]seenTail, len(hours))
	for rows.Next() {
		var hour int64
		var t seenTail
		if err := rows.Scan(&hour, &t.seq, &t.ids); err != nil {
			return nil, err
		}
		last[hour] = t
	}
	return last, rows.Err()
}

// insertMany inserts rows of so many columns, some at once.
func insertMany(ctx context.Context, tx *sql.Tx, into string, width int, args []any, then string) error {
	row := `(?` + strings.Repeat(", ?", width-1) + `)`
	for part := range slices.Chunk(args, width*100) {
		if _, err := tx.ExecContext(ctx, into+row+strings.Repeat(", "+row, len(part)/width-1)+then, part...); err != nil {
			return err
		}
	}
	return nil
}

// CountSeen counts what a stream has taken in of the hours from the first given
// one to before the second. It stops counting once there are more than most.
func (s *Store) CountSeen(ctx context.Context, streamID string, from, to, most int64) (int64, error) {
	n, _, err := s.newest(ctx, streamID, from, to, most+1)
	if err != nil {
		return 0, fmt.Errorf("store: count seen: %w", err)
	}
	return n, nil
}

// HourOfSeen is the hour of the n-th newest record that a stream has taken in;
// false when it knows of fewer.
func (s *Store) HourOfSeen(ctx context.Context, streamID string, n int64) (int64, bool, error) {
	found, hour, err := s.newest(ctx, streamID, 0, math.MaxInt64, n)
	if err != nil {
		return 0, false, fmt.Errorf("store: hour of seen: %w", err)
	}
	return hour, found >= n, nil
}

// newest goes back through the ids of some hours until there are so many, and
// returns how many there were, and the hour that it has come to.
func (s *Store) newest(ctx context.Context, streamID string, from, to, enough int64) (n, hour int64, err error) {
	const unfilled = 300 // rows that are not full, at the most: one an hour
	rows, err := s.reader.QueryContext(ctx, `SELECT hour, length(ids) / 16 FROM seen
		WHERE stream_no = (SELECT no FROM stream_number WHERE stream_id = ?) AND hour >= ? AND hour < ?
		ORDER BY hour DESC, seq DESC LIMIT ?`, streamID, from, to, enough/seenRow+unfilled)
	if err != nil {
		return 0, 0, err
	}
	defer rows.Close()
	for n < enough && rows.Next() {
		var ids int64
		if err := rows.Scan(&hour, &ids); err != nil {
			return 0, 0, err
		}
		n += ids
	}
	return n, hour, rows.Err()
}

// SweepSeen forgets the ids that a stream took in under hours before the given
// one.
func (s *Store) SweepSeen(ctx context.Context, streamID string, hour int64) (int64, error) {
	own, err := s.sweep(ctx, "seen ids", `DELETE FROM seen WHERE (stream_no, hour, seq) IN (
		SELECT stream_no, hour, seq FROM seen WHERE stream_no = (SELECT no FROM stream_number WHERE stream_id = ?) AND hour < ? LIMIT ?)`,
		streamID, hour, sweepRows/4) // each is as large as many others
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
			m.Watermark = fromMillis(wide) // old windows go by it
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
