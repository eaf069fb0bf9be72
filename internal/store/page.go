package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// ErrRepeat refuses a page with a record that another reader of the same stream
// has taken in since Unseen was asked.
var ErrRepeat = errors.New("store: a record of the page was taken in meanwhile")

// PageCommit is what one page changes. All of it happens, or nothing.
type PageCommit struct {
	StreamID   string // the stream that the page is of; empty: the claim's own
	Cursor     string // where the next page is
	ReadFrom   time.Time
	Watermark  time.Time // of a stream
	Covered    Interval  // of a page that ends a walk; zero otherwise
	BatchID    string    // the batch that the page goes to
	Body       []byte    // sealed records; empty: the page had nothing new
	Records    int64     // in Body
	Bytes      int64     // of the records before compression
	Seen       []SeenID
	SeenAt     int64                     // what Unseen said of them
	Met        []Met                     // of records without an id: how often the walk has met each by now
	CloseBatch bool                      // deliver what the batch has, this page included
	ClosedAt   time.Time                 // of CloseBatch
	Finish     bool                      // the claim ends here
	Due        time.Time                 // of Finish: when to poll again; zero: not at all
	Learn      func(known string) string // what the stream has learned of lateness; nil: nothing new
	Look       Look                      // of a stream: what else is to be read
}

// Look is an old window to be read again, and when those before it were. The
// zero Look changes nothing.
type Look struct {
	ID     string // of the backfill that is made; empty: none
	Window Interval
	Looked string    // when each old window was last begun to be read; JSON, opaque to the store
	WideAt time.Time // the oldest of these times
}

// CommitPage takes a page in: its records, the ids seen, the cursor behind it
// and the ledger, under the fence of the poll or backfill. A batch that closes is
// owed to every destination of the ingestion in the same transaction. It answers
// ErrRepeat.
func (s *Store) CommitPage(ctx context.Context, c Claim, p PageCommit) error {
	if p.StreamID == "" {
		p.StreamID = c.ID
	}
	return s.update(ctx, "commit page", func(tx *sql.Tx) error {
		if p.CloseBatch {
			// A destination that is made meanwhile must see the batch closed, or
			// be seen. The ingestion comes before its stream, as everywhere.
			if err := lock(ctx, tx, s.dialect.lockIngestion, p.StreamID); err != nil {
				return err
			}
		}
		pages, records, err := move(ctx, tx, c, p)
		if err != nil {
			return err
		}
		if err := learn(ctx, tx, p); err != nil {
			return err
		}
		// The stream's row comes before its ids: its live tail holds that first.
		if err := hear(ctx, tx, c, p, s.now()); err != nil {
			return err
		}
		if err := insertPage(ctx, tx, p); err != nil {
			return err
		}
		if err := s.countVolume(ctx, tx, p); err != nil {
			return err
		}
		if err := meet(ctx, tx, c.ID, p.Met); err != nil {
			return err
		}
		if p.CloseBatch {
			if err := s.closeBatch(ctx, tx, p.StreamID, p.BatchID, p.ClosedAt); err != nil {
				return err
			}
		}
		if !p.Covered.To.IsZero() {
			if err := closeWalk(ctx, tx, c, p, pages, records); err != nil {
				return err
			}
		}
		if err := s.look(ctx, tx, p); err != nil {
			return err
		}
		if p.Finish {
			return s.finish(ctx, tx, c, p.Due)
		}
		return nil
	})
}

// move puts the cursor of a stream or backfill behind the page. It returns what
// the walk has read by now.
func move(ctx context.Context, tx *sql.Tx, c Claim, p PageCommit) (pages, records int64, err error) {
	set, args := `, watermark = ?`,
		[]any{p.Cursor, millis(p.ReadFrom), p.BatchID, p.Records, millis(p.Watermark), c.ID, c.Fence}
	if c.Duty == DutyBackfill {
		set, args = `, pages = pages + 1, records = records + ?`,
			[]any{p.Cursor, millis(p.ReadFrom), p.BatchID, p.Records, p.Records, c.ID, c.Fence}
	}
	err = tx.QueryRowContext(ctx, `UPDATE `+string(c.Duty)+`
		SET cursor = ?, read_from = ?, batch_id = ?, denied = 0, stuck_since = 0, attempt = 1, crashes = 0,
		    walk_pages = walk_pages + 1, walk_records = walk_records + ?`+set+`
		WHERE id = ? AND fence = ? RETURNING walk_pages, walk_records`, args...).Scan(&pages, &records)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrFenced
	}
	return pages, records, err
}

// learn keeps what a stream has learned. Its readers take turns by its row.
func learn(ctx context.Context, tx *sql.Tx, p PageCommit) error {
	if p.Learn == nil {
		return nil
	}
	var known string
	err := tx.QueryRowContext(ctx, `UPDATE stream SET lateness = lateness WHERE id = ? RETURNING lateness`, p.StreamID).Scan(&known)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE stream SET lateness = ? WHERE id = ?`, p.Learn(known), p.StreamID)
	return err
}

// closeWalk enters a walk that has ended into the ledger.
func closeWalk(ctx context.Context, tx *sql.Tx, c Claim, p PageCommit, pages, records int64) error {
	if err := cover(ctx, tx, p.StreamID, Covered{p.Covered, pages, records}); err != nil {
		return err
	}
	set, args := ``, []any{c.ID}
	if c.Duty == DutyBackfill {
		set, args = `, cursor = '', at = ?`, []any{millis(p.Covered.To), c.ID}
	}
	_, err := tx.ExecContext(ctx, `UPDATE `+string(c.Duty)+` SET walk_pages = 0, walk_records = 0`+set+` WHERE id = ?`, args...)
	if err != nil {
		return err
	}
	return endWalk(ctx, tx, c.ID)
}

// endWalk forgets which records without an id a walk has met.
func endWalk(ctx context.Context, tx *sql.Tx, walkID string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM walk WHERE walk_id = ?`, walkID)
	return err
}

func insertPage(ctx context.Context, tx *sql.Tx, p PageCommit) error {
	if len(p.Body) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO batch (id, ingestion_id, stream, closed_at, records, bytes)
		SELECT ?, ingestion_id, name, 0, ?, ? FROM stream WHERE id = ?
		ON CONFLICT (id) DO UPDATE SET records = batch.records + excluded.records, bytes = batch.bytes + excluded.bytes`,
		p.BatchID, p.Records, p.Bytes, p.StreamID)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO page (batch_id, records, body) VALUES (?, ?, ?)`, p.BatchID, p.Records, p.Body)
	if err != nil {
		return err
	}
	return insertSeen(ctx, tx, p)
}

// hear notes when the stream had a record that came by itself: with the live tail,
// or late.
func hear(ctx context.Context, tx *sql.Tx, c Claim, p PageCommit, now time.Time) error {
	if p.Records == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE stream SET heard_at = ? WHERE id = ?
		AND NOT EXISTS (SELECT 1 FROM backfill f WHERE f.id = ? AND f.kind <> ?)`, millis(now), p.StreamID, c.ID, string(BackfillLate))
	return err
}

// look makes the backfill of a Look due, unless the stream has one of the kind.
func (s *Store) look(ctx context.Context, tx *sql.Tx, p PageCommit) error {
	l := p.Look
	if l == (Look{}) {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE stream SET looked = ?, wide_at = ? WHERE id = ?`,
		l.Looked, millis(l.WideAt), p.StreamID)
	if err != nil || l.ID == "" {
		return err
	}
	return s.insertBackfill(ctx, tx, Backfill{
		ID: l.ID, StreamID: p.StreamID, Kind: BackfillLate, Interval: l.Window, CreatedAt: p.ClosedAt,
	}, s.in(0))
}
