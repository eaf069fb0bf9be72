package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"selvedge/internal/fabric"
)

// BackfillKind is why a closed window is read.
type BackfillKind string

// The kinds of a backfill.
const (
	BackfillAsked BackfillKind = "asked" // somebody asked for it
	BackfillLate  BackfillKind = "late"  // records may have shown late
	BackfillGap   BackfillKind = "gap"   // it could not be read before
)

// Backfill is a closed window of a stream that is read beside the live tail.
type Backfill struct {
	ID       string
	RunID    string // of what was asked for; empty: nobody asked
	StreamID string
	Kind     BackfillKind
	Interval
	Again     bool // read what was read before, and take it in again
	GapSeq    int64
	At        time.Time // all before it is done
	Cursor    string    // JSON; empty: no interval is being read
	Pages     int64
	Records   int64
	CreatedAt time.Time
	EndedAt   time.Time // zero: it goes on
	LastError string
}

const backfillColumns = `f.id, f.run_id, f.stream_id, f.kind, f.from_at, f.to_at, f.again, f.gap_seq, f.at, f.cursor,
	f.pages, f.records, f.created_at, f.ended_at, f.last_error`

func scanBackfill(row scanner) (Backfill, error) {
	var b Backfill
	var from, to, again, at, created, ended int64
	err := row.Scan(&b.ID, &b.RunID, &b.StreamID, &b.Kind, &from, &to, &again, &b.GapSeq, &at, &b.Cursor,
		&b.Pages, &b.Records, &created, &ended, &b.LastError)
	b.From, b.To, b.At, b.Again = fromMillis(from), fromMillis(to), fromMillis(at), again != 0
	b.CreatedAt, b.EndedAt = fromMillis(created), fromMillis(ended)
	return b, notFound(err)
}

// LoadBackfill returns a backfill, the stream as the backfill reads it (with its
// cursor, batch and troubles), and the ingestion.
func (s *Store) LoadBackfill(ctx context.Context, id string) (Backfill, Stream, fabric.Ingestion, error) {
	b, err := scanBackfill(s.reader.QueryRowContext(ctx, `SELECT `+backfillColumns+` FROM backfill f WHERE f.id = ?`, id))
	if err != nil {
		return b, Stream{}, fabric.Ingestion{}, fmt.Errorf("store: load backfill: %w", err)
	}
	st, ing, err := s.LoadStream(ctx, b.StreamID)
	if err != nil {
		return b, st, ing, err
	}
	var readFrom, stuck int64
	err = s.reader.QueryRowContext(ctx, `SELECT f.cursor, f.read_from, f.denied, f.stuck_since, f.batch_id, coalesce(t.bytes, 0)
		FROM backfill f LEFT JOIN batch t ON t.id = f.batch_id WHERE f.id = ?`, id).
		Scan(&st.Cursor, &readFrom, &st.Denied, &stuck, &st.BatchID, &st.BatchBytes)
	if err != nil {
		return b, st, ing, fmt.Errorf("store: load backfill: %w", notFound(err))
	}
	st.ReadFrom, st.StuckSince = fromMillis(readFrom), fromMillis(stuck)
	return b, st, ing, nil
}

// insertBackfill makes a backfill, due at an offset if its ingestion has a
// destination; else the next destination wakes it. Of the kind late a stream has
// one at a time.
func (s *Store) insertBackfill(ctx context.Context, tx *sql.Tx, b Backfill, due int64) error {
	// A destination that is made or deleted meanwhile must see this, or be seen.
	if err := lock(ctx, tx, s.dialect.lockIngestion, b.StreamID); err != nil {
		return err
	}
	again := 0
	if b.Again {
		again = 1
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO backfill
		(id, run_id, stream_id, kind, from_at, to_at, again, gap_seq, at, created_at, due_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, CASE WHEN EXISTS (SELECT 1 FROM ingestion_destination d
			JOIN stream s ON s.ingestion_id = d.ingestion_id WHERE s.id = ?) THEN `+s.stamp()+` END)`,
		b.ID, b.RunID, b.StreamID, string(b.Kind), millis(b.From), millis(b.To), again, b.GapSeq, millis(b.From), millis(b.CreatedAt), b.StreamID, due)
	return err
}

// HasLate says whether an old window of the stream is being read again.
func (s *Store) HasLate(ctx context.Context, streamID string) (bool, error) {
	var n int64
	err := s.reader.QueryRowContext(ctx, `SELECT count(*) FROM backfill WHERE stream_id = ? AND kind = ?`,
		streamID, string(BackfillLate)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("store: has late: %w", err)
	}
	return n > 0, nil
}

// HealGap makes the backfill of a gap, which is due at once.
func (s *Store) HealGap(ctx context.Context, b Backfill) error {
	return s.update(ctx, "heal gap", func(tx *sql.Tx) error {
		n, err := count(ctx, tx, `SELECT count(*) FROM backfill WHERE gap_seq = ?`, b.GapSeq)
		if err != nil || n > 0 {
			return err
		}
		return s.insertBackfill(ctx, tx, b, s.in(0))
	})
}

// StartBackfill makes what was asked for: one backfill for each stream of the
// ingestion. The same that is asked for again while it goes on is the one that
// goes on: its id is returned, and what was parked of it begins anew. It answers ErrNotFound and ErrState (the ingestion
// is disabled).
func (s *Store) StartBackfill(ctx context.Context, c fabric.Caller, bundleID, ingestionID string, all []Backfill) (string, error) {
	run := all[0].RunID
	err := s.change(ctx, c, "start backfill", func(tx *sql.Tx) error {
		i, err := ingestion(ctx, tx, c, bundleID, ingestionID)
		if err != nil {
			return err
		}
		if i.State != fabric.Enabled {
			return ErrState
		}
		again := 0
		if all[0].Again {
			again = 1
		}
		rows, err := tx.QueryContext(ctx, `SELECT f.run_id FROM backfill f JOIN stream s ON s.id = f.stream_id
			WHERE s.ingestion_id = ? AND f.kind = ? AND f.ended_at = 0 AND f.from_at = ? AND f.to_at = ? AND f.again = ?
			ORDER BY f.created_at, f.run_id LIMIT 1`,
			ingestionID, string(BackfillAsked), millis(all[0].From), millis(all[0].To), again)
		if err != nil {
			return err
		}
		found, err := texts(rows)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			run = found[0]
			_, err := tx.ExecContext(ctx, `UPDATE backfill SET due_at = `+s.stamp()+`, attempt = 0, crashes = 0, last_error = ''
				WHERE run_id = ? AND last_error = ?`, s.in(0), run, parked)
			return err
		}
		for _, b := range all {
			if err := s.insertBackfill(ctx, tx, b, s.in(0)); err != nil {
				return err
			}
		}
		return nil
	})
	return run, err
}

// BackfillRun reads what was asked for by its id, in the order of the streams'
// names. Of what there is not it returns nothing.
func (s *Store) BackfillRun(ctx context.Context, c fabric.Caller, ingestionID, runID string) ([]Backfill, error) {
	return list(ctx, s.reader, "read backfill", scanBackfill, `SELECT `+backfillColumns+` FROM backfill f
		JOIN stream s ON s.id = f.stream_id JOIN ingestion i ON i.id = s.ingestion_id
		WHERE i.id = ? AND i.account = ? AND i.region = ? AND f.run_id = ? AND f.kind = ? ORDER BY s.name`,
		ingestionID, c.Account, c.Region, runID, string(BackfillAsked))
}

// Backfills reads what was asked for of an ingestion and is still known, oldest
// first.
func (s *Store) Backfills(ctx context.Context, c fabric.Caller, ingestionID string) ([]Backfill, error) {
	return list(ctx, s.reader, "read backfills", scanBackfill, `SELECT `+backfillColumns+` FROM backfill f
		JOIN stream s ON s.id = f.stream_id JOIN ingestion i ON i.id = s.ingestion_id
		WHERE i.id = ? AND i.account = ? AND i.region = ? AND f.kind = ? ORDER BY f.created_at, s.name`,
		ingestionID, c.Account, c.Region, string(BackfillAsked))
}

// BeginInterval says which part of its window a backfill reads next. The claim
// goes on.
func (s *Store) BeginInterval(ctx context.Context, c Claim, cursor string, from time.Time) error {
	return s.update(ctx, "begin interval", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE backfill SET cursor = ?, read_from = ?, at = ? WHERE id = ? AND fence = ?`,
			cursor, millis(from), millis(from), c.ID, c.Fence)
		return oneOr(res, err, ErrFenced)
	})
}

// EndBackfill ends a backfill and its claim. What was asked for is kept for a
// while, to be shown; nothing of the others is. A gap that it healed is none any
// more.
func (s *Store) EndBackfill(ctx context.Context, c Claim, b Backfill, now time.Time, healed bool) error {
	return s.update(ctx, "end backfill", func(tx *sql.Tx) error {
		if err := fenced(ctx, tx, c); err != nil {
			return err
		}
		if err := endWalk(ctx, tx, c.ID); err != nil {
			return err
		}
		if b.Kind == BackfillAsked {
			_, err := tx.ExecContext(ctx, `UPDATE backfill SET ended_at = ?, at = to_at WHERE id = ?`, millis(now), c.ID)
			if err != nil {
				return err
			}
			return s.finish(ctx, tx, c, time.Time{})
		}
		if healed && b.GapSeq != 0 {
			if err := s.heal(ctx, tx, b.StreamID, b.GapSeq); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM backfill WHERE id = ?`, c.ID)
		return err
	})
}

// heal ends a gap, and has it told. One that is not there any more is left alone.
func (s *Store) heal(ctx context.Context, tx *sql.Tx, streamID string, seq int64) error {
	g := Gap{Seq: seq}
	var from, to, found int64
	err := tx.QueryRowContext(ctx, `DELETE FROM gap WHERE seq = ? RETURNING from_at, to_at, found_at, reason`, seq).
		Scan(&from, &to, &found, &g.Reason)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	g.From, g.To, g.FoundAt = fromMillis(from), fromMillis(to), fromMillis(found)
	return s.tellGap(ctx, tx, fabric.GapHealed, streamID, g)
}

// RawBytes is how many bytes of records are kept of an ingestion, before their
// compression.
func (s *Store) RawBytes(ctx context.Context, ingestionID string) (int64, error) {
	var n int64
	err := s.reader.QueryRowContext(ctx, `SELECT cast(coalesce(sum(bytes), 0) AS bigint) FROM batch WHERE ingestion_id = ?`, ingestionID).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("store: raw bytes: %w", err)
	}
	return n, nil
}
