package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"selvedge/internal/fabric"
)

// Interval is a range of a stream, its end not included.
type Interval struct {
	From, To time.Time
}

// Covered is an interval of a stream's ledger.
type Covered struct {
	Interval
	Pages   int64
	Records int64
}

// cover writes an interval into the ledger, and makes one of it and those that it
// meets. A clock that went back gives an interval that ends before it begins:
// nothing more is covered by it than its beginning.
func cover(ctx context.Context, tx *sql.Tx, streamID string, c Covered) error {
	if c.To.Before(c.From) {
		c.To = c.From
	}
	var from, to sql.NullInt64
	var pages, records int64
	err := tx.QueryRowContext(ctx, `SELECT min(from_at), max(to_at), cast(coalesce(sum(pages), 0) AS bigint), cast(coalesce(sum(records), 0) AS bigint)
		FROM coverage WHERE stream_id = ? AND from_at <= ? AND to_at >= ?`, streamID, millis(c.To), millis(c.From)).
		Scan(&from, &to, &pages, &records)
	if err != nil {
		return err
	}
	if from.Valid {
		_, err := tx.ExecContext(ctx, `DELETE FROM coverage WHERE stream_id = ? AND from_at <= ? AND to_at >= ?`,
			streamID, millis(c.To), millis(c.From))
		if err != nil {
			return err
		}
		from.Int64, to.Int64 = min(from.Int64, millis(c.From)), max(to.Int64, millis(c.To))
	} else {
		from.Int64, to.Int64 = millis(c.From), millis(c.To)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO coverage (stream_id, from_at, to_at, pages, records) VALUES (?, ?, ?, ?, ?)`,
		streamID, from.Int64, to.Int64, pages+c.Pages, records+c.Records)
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
	Seq int64
	Interval
	Reason  string
	Body    []byte // sealed: what could not be decoded; empty where nothing came
	FoundAt time.Time
	TryAt   time.Time // when it is read again; zero: it is not, since it cannot be had or was tried for long
}

// never is the try_at of a gap that is not tried again.
const never = -1

// CommitGap names a gap of a stream and moves the cursor behind it, under the
// fence of the poll or backfill. One that cannot be had and that goes on where
// another ends is made one with it.
// Any other is also told. The claim goes on.
func (s *Store) CommitGap(ctx context.Context, c Claim, streamID string, g Gap, cursor string, readFrom time.Time) error {
	return s.update(ctx, "commit gap", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE `+string(c.Duty)+` SET cursor = ?, read_from = ?, stuck_since = 0
			WHERE id = ? AND fence = ?`, cursor, millis(readFrom), c.ID, c.Fence)
		if err := oneOr(res, err, ErrFenced); err != nil {
			return err
		}
		tryAt := int64(never)
		if !g.TryAt.IsZero() {
			tryAt = millis(g.TryAt)
		}
		body := g.Body
		if body == nil {
			body = []byte{}
		}
		res, err = tx.ExecContext(ctx, `UPDATE gap SET to_at = ? WHERE stream_id = ? AND reason = ? AND try_at = -1 AND cast(? AS bigint) = -1
			AND from_at <= ? AND to_at >= ? AND to_at <= ?`,
			millis(g.To), streamID, g.Reason, tryAt, millis(g.From), millis(g.From), millis(g.To))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		opened := g
		err = tx.QueryRowContext(ctx, `INSERT INTO gap (stream_id, from_at, to_at, reason, body, found_at, try_at)
			VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING seq`, streamID, millis(g.From), millis(g.To), g.Reason, body, millis(g.FoundAt), tryAt).
			Scan(&opened.Seq)
		if err != nil {
			return err
		}
		return s.tellGap(ctx, tx, fabric.GapOpened, streamID, opened)
	})
}

// Gaps returns the gaps of a stream in order of time.
func (s *Store) Gaps(ctx context.Context, streamID string) ([]Gap, error) {
	return s.gaps(ctx, `stream_id = ?`, streamID)
}

// DueGaps returns gaps of any stream that are to be read again by now and that no
// backfill reads yet.
func (s *Store) DueGaps(ctx context.Context, now time.Time) ([]Gap, []string, error) {
	due, err := s.gaps(ctx, `try_at BETWEEN 0 AND ? AND NOT EXISTS (SELECT 1 FROM backfill f WHERE f.gap_seq = gap.seq)`, millis(now))
	if err != nil {
		return nil, nil, err
	}
	streams := make([]string, len(due))
	for i, g := range due {
		if err := s.reader.QueryRowContext(ctx, `SELECT stream_id FROM gap WHERE seq = ?`, g.Seq).Scan(&streams[i]); err != nil {
			return nil, nil, wrap("due gaps", notFound(err))
		}
	}
	return due, streams, nil
}

func (s *Store) gaps(ctx context.Context, where string, args ...any) ([]Gap, error) {
	return list(ctx, s.reader, "gaps", func(row scanner) (Gap, error) {
		var g Gap
		var from, to, found, try int64
		err := row.Scan(&g.Seq, &from, &to, &g.Reason, &g.Body, &found, &try)
		g.From, g.To, g.FoundAt = fromMillis(from), fromMillis(to), fromMillis(found)
		if try >= 0 {
			g.TryAt = fromMillis(max(try, 1))
		}
		return g, err
	}, `SELECT seq, from_at, to_at, reason, body, found_at, try_at FROM gap WHERE `+where+` ORDER BY from_at, seq`, args...)
}

// PutGapOff says when a gap is tried again; the zero time says that it is not.
func (s *Store) PutGapOff(ctx context.Context, seq int64, until time.Time) error {
	at := int64(never)
	if !until.IsZero() {
		at = millis(until)
	}
	return s.update(ctx, "put gap off", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE gap SET try_at = ? WHERE seq = ?`, at, seq)
		return err
	})
}

// GapStat is how many gaps the streams of an application have, and how long they
// are together.
type GapStat struct {
	App    string
	Count  int64
	Length time.Duration
}

// GapStats counts the gaps that are known.
func (s *Store) GapStats(ctx context.Context) ([]GapStat, error) {
	return list(ctx, s.reader, "gap stats", func(row scanner) (GapStat, error) {
		var g GapStat
		var ms int64
		err := row.Scan(&g.App, &g.Count, &ms)
		g.Length = time.Duration(ms) * time.Millisecond
		return g, err
	}, `SELECT i.app, count(*), cast(sum(g.to_at - g.from_at) AS bigint) FROM gap g
		JOIN stream s ON s.id = g.stream_id JOIN ingestion i ON i.id = s.ingestion_id GROUP BY i.app ORDER BY i.app`)
}

// Holes returns what of a window the ledger does not show as read to the end, in
// order of time: what lies between its intervals, and the gaps that are still to
// be tried.
func (s *Store) Holes(ctx context.Context, streamID string, within Interval) ([]Interval, error) {
	covered, err := s.Coverage(ctx, streamID)
	if err != nil {
		return nil, err
	}
	gaps, err := s.Gaps(ctx, streamID)
	if err != nil {
		return nil, err
	}
	var holes []Interval
	add := func(from, to time.Time) {
		from, to = later(from, within.From), earlier(to, within.To)
		if from.Before(to) {
			holes = append(holes, Interval{from, to})
		}
	}
	at := within.From
	for _, c := range covered {
		add(at, c.From)
		at = later(at, c.To)
	}
	add(at, within.To)
	for _, g := range gaps {
		if !g.TryAt.IsZero() {
			add(g.From, g.To)
		}
	}
	return united(holes), nil
}

// united puts intervals in order and makes one of those that meet.
func united(all []Interval) []Interval {
	slices.SortFunc(all, func(a, b Interval) int { return a.From.Compare(b.From) })
	var out []Interval
	for _, i := range all {
		if n := len(out); n > 0 && !out[n-1].To.Before(i.From) {
			out[n-1].To = later(out[n-1].To, i.To)
			continue
		}
		out = append(out, i)
	}
	return out
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
