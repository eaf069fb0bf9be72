package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Covered is an interval of a stream's ledger.
type Covered struct {
	Interval
	Pages   int64
	Records int64
}

// cover writes an interval into the ledger. One that begins within an interval
// that is there makes it longer. A clock that went back gives an interval that
// ends before it begins: nothing more is covered by it than its beginning.
func cover(ctx context.Context, tx *sql.Tx, streamID string, i Interval, records int64) error {
	if i.To.Before(i.From) {
		i.To = i.From
	}
	res, err := tx.ExecContext(ctx, `UPDATE coverage
		SET to_at = CASE WHEN to_at > ? THEN to_at ELSE ? END, pages = pages + 1, records = records + ?
		WHERE stream_id = ? AND from_at = (SELECT max(from_at) FROM coverage WHERE stream_id = ? AND from_at <= ?) AND to_at >= ?`,
		millis(i.To), millis(i.To), records, streamID, streamID, millis(i.From), millis(i.From))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO coverage (stream_id, from_at, to_at, pages, records) VALUES (?, ?, ?, 1, ?)
		ON CONFLICT (stream_id, from_at) DO UPDATE SET
			to_at = CASE WHEN coverage.to_at > excluded.to_at THEN coverage.to_at ELSE excluded.to_at END,
			pages = coverage.pages + 1, records = coverage.records + excluded.records`,
		streamID, millis(i.From), millis(i.To), records)
	return err
}

// Coverage returns a stream's ledger in order of time.
func (s *Store) Coverage(ctx context.Context, streamID string) ([]Covered, error) {
	rows, err := s.reader.QueryContext(ctx,
		`SELECT from_at, to_at, pages, records FROM coverage WHERE stream_id = ? ORDER BY from_at`, streamID)
	if err != nil {
		return nil, fmt.Errorf("store: coverage: %w", err)
	}
	defer rows.Close()
	var all []Covered
	for rows.Next() {
		var c Covered
		var from, to int64
		if err := rows.Scan(&from, &to, &c.Pages, &c.Records); err != nil {
			return nil, fmt.Errorf("store: coverage: %w", err)
		}
		c.From, c.To = fromMillis(from), fromMillis(to)
		all = append(all, c)
	}
	return all, rows.Err()
}

// Gap is a range of a stream that could not be read.
type Gap struct {
	Interval
	Reason  string
	Body    []byte // sealed: what could not be decoded; empty where nothing came
	FoundAt time.Time
}

// CommitGap names a gap and moves the cursor behind it, under the poll's fence.
// The claim goes on.
func (s *Store) CommitGap(ctx context.Context, c Claim, g Gap, cursor string, readFrom time.Time) error {
	return s.update(ctx, "commit gap", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE stream SET cursor = ?, read_from = ?, stuck_since = 0
			WHERE id = ? AND fence = ?`, cursor, millis(readFrom), c.ID, c.Fence)
		if err := oneOr(res, err, ErrFenced); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO gap (stream_id, from_at, to_at, reason, body, found_at)
			VALUES (?, ?, ?, ?, ?, ?)`, c.ID, millis(g.From), millis(g.To), g.Reason, g.Body, millis(g.FoundAt))
		return err
	})
}

// Gaps returns the gaps of a stream in order of time.
func (s *Store) Gaps(ctx context.Context, streamID string) ([]Gap, error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT from_at, to_at, reason, body, found_at
		FROM gap WHERE stream_id = ? ORDER BY from_at, seq`, streamID)
	if err != nil {
		return nil, fmt.Errorf("store: gaps: %w", err)
	}
	defer rows.Close()
	var all []Gap
	for rows.Next() {
		var g Gap
		var from, to, found int64
		if err := rows.Scan(&from, &to, &g.Reason, &g.Body, &found); err != nil {
			return nil, fmt.Errorf("store: gaps: %w", err)
		}
		g.From, g.To, g.FoundAt = fromMillis(from), fromMillis(to), fromMillis(found)
		all = append(all, g)
	}
	return all, rows.Err()
}
