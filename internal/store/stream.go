package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"selvedge/internal/fabric"
)

// Stream is one feed of an ingestion, as its poll finds it.
type Stream struct {
	ID          string // <ingestion id>/<name>
	IngestionID string
	Name        string
	Cursor      string    // JSON; the store does not look inside
	ReadFrom    time.Time // where the poll under way began
	Watermark   time.Time // all before it is read
	Denied      int64     // version of the grant that was last not accepted; 0: none
	StuckSince  time.Time // since when the page at the cursor cannot be decoded
	BatchID     string    // the open batch; empty: none
	BatchBytes  int64     // of the open batch
}

// LoadStream returns a stream and the ingestion that it is of.
func (s *Store) LoadStream(ctx context.Context, id string) (Stream, fabric.Ingestion, error) {
	st := Stream{ID: id}
	var i fabric.Ingestion
	var readFrom, watermark, stuck, created, updated int64
	err := s.reader.QueryRowContext(ctx, `
		SELECT s.ingestion_id, s.name, s.cursor, s.read_from, s.watermark, s.denied, s.stuck_since,
		       s.batch_id, coalesce(b.bytes, 0),
		       i.id, i.bundle_id, i.account, i.region, i.app, i.tenant_id, i.type, i.state, i.created_at, i.updated_at
		FROM stream s JOIN ingestion i ON i.id = s.ingestion_id LEFT JOIN batch b ON b.id = s.batch_id
		WHERE s.id = ?`, id).Scan(
		&st.IngestionID, &st.Name, &st.Cursor, &readFrom, &watermark, &st.Denied, &stuck,
		&st.BatchID, &st.BatchBytes,
		&i.ID, &i.BundleID, &i.Account, &i.Region, &i.App, &i.TenantID, &i.Type, &i.State, &created, &updated)
	if err != nil {
		return Stream{}, fabric.Ingestion{}, fmt.Errorf("store: load stream: %w", notFound(err))
	}
	st.ReadFrom, st.Watermark, st.StuckSince = fromMillis(readFrom), fromMillis(watermark), fromMillis(stuck)
	i.CreatedAt, i.UpdatedAt = fromMillis(created), fromMillis(updated)
	return st, i, nil
}

// SeenID is a record that was taken in: a hash of what identifies it, filed
// under an hour since 1970.
type SeenID struct {
	ID   [16]byte
	Hour int64
}

// Unseen returns which of the ids the stream has not taken in yet. The answer
// holds for as long as the caller's claim on the stream does.
func (s *Store) Unseen(ctx context.Context, streamID string, ids []SeenID) (map[[16]byte]bool, error) {
	fresh := make(map[[16]byte]bool, len(ids))
	for _, id := range ids {
		fresh[id.ID] = true
	}
	const chunk = 500
	for at := 0; at < len(ids); at += chunk {
		part := ids[at:min(at+chunk, len(ids))]
		args := []any{streamID}
		for i := range part {
			args = append(args, part[i].ID[:])
		}
		rows, err := s.reader.QueryContext(ctx, `SELECT id FROM seen WHERE stream_id = ? AND id IN (?`+
			strings.Repeat(", ?", len(part)-1)+`)`, args...)
		if err != nil {
			return nil, fmt.Errorf("store: unseen: %w", err)
		}
		if err := dropSeen(rows, fresh); err != nil {
			return nil, fmt.Errorf("store: unseen: %w", err)
		}
	}
	return fresh, nil
}

func dropSeen(rows *sql.Rows, fresh map[[16]byte]bool) error {
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

// Interval is a range of a stream that was read to its end.
type Interval struct {
	From, To time.Time
}

// PageCommit is what one page changes. All of it happens, or nothing.
type PageCommit struct {
	Cursor     string // where the next page is
	ReadFrom   time.Time
	Watermark  time.Time
	Covered    Interval // of a page that ends a poll; zero otherwise
	BatchID    string   // the batch that the page goes to
	Body       []byte   // sealed records; empty: the page had nothing new
	Records    int64    // in Body
	Bytes      int64    // of the records before compression
	Seen       []SeenID
	CloseBatch bool      // deliver what the batch has, this page included
	ClosedAt   time.Time // of CloseBatch
	Finish     bool      // the poll's claim ends here
	Due        time.Time // of Finish: when to poll again
}

// CommitPage takes a page in: its records, the ids seen, the cursor behind it
// and the ledger, under the poll's fence. A batch that closes is owed to every
// destination of the ingestion in the same transaction.
func (s *Store) CommitPage(ctx context.Context, c Claim, p PageCommit) error {
	return s.update(ctx, "commit page", func(tx *sql.Tx) error {
		if p.CloseBatch {
			// A destination that is made meanwhile must see the batch closed, or
			// be seen. The ingestion comes before its stream, as everywhere.
			if err := lock(ctx, tx, s.dialect.lockIngestion, c.ID); err != nil {
				return err
			}
		}
		res, err := tx.ExecContext(ctx, `UPDATE stream
			SET cursor = ?, read_from = ?, watermark = ?, denied = 0, stuck_since = 0, attempt = 1, crashes = 0, batch_id = ?
			WHERE id = ? AND fence = ?`,
			p.Cursor, millis(p.ReadFrom), millis(p.Watermark), p.BatchID, c.ID, c.Fence)
		if err := oneOr(res, err, ErrFenced); err != nil {
			return err
		}
		if err := insertPage(ctx, tx, c.ID, p); err != nil {
			return err
		}
		if p.CloseBatch {
			if err := s.closeBatch(ctx, tx, c.ID, p.BatchID, p.ClosedAt); err != nil {
				return err
			}
		}
		if !p.Covered.To.IsZero() {
			if err := cover(ctx, tx, c.ID, p.Covered, p.Records); err != nil {
				return err
			}
		}
		if p.Finish {
			return s.finish(ctx, tx, c, p.Due)
		}
		return nil
	})
}

func insertPage(ctx context.Context, tx *sql.Tx, streamID string, p PageCommit) error {
	if len(p.Body) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO batch (id, ingestion_id, stream, closed_at, records, bytes)
		SELECT ?, ingestion_id, name, 0, ?, ? FROM stream WHERE id = ?
		ON CONFLICT (id) DO UPDATE SET records = batch.records + excluded.records, bytes = batch.bytes + excluded.bytes`,
		p.BatchID, p.Records, p.Bytes, streamID)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO page (batch_id, records, body) VALUES (?, ?, ?)`, p.BatchID, p.Records, p.Body)
	if err != nil {
		return err
	}
	const chunk = 300
	for at := 0; at < len(p.Seen); at += chunk {
		part := p.Seen[at:min(at+chunk, len(p.Seen))]
		var args []any
		for i := range part {
			args = append(args, streamID, part[i].Hour, part[i].ID[:])
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO seen (stream_id, hour, id) VALUES (?, ?, ?)`+
			strings.Repeat(", (?, ?, ?)", len(part)-1), args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// closeBatch closes the stream's batch, owes it to the destinations and wakes
// those that are at rest. A destination that waits after a failure keeps its
// time, and one that was parked stays so. Without an open batch there is nothing
// to close.
func (s *Store) closeBatch(ctx context.Context, tx *sql.Tx, streamID, batchID string, at time.Time) error {
	if batchID == "" {
		return nil
	}
	// A destination whose claim finishes meanwhile must see the delivery, or be
	// seen at rest.
	if err := lock(ctx, tx, s.dialect.lockDestinations, streamID); err != nil {
		return err
	}
	return execAll(ctx, tx, []statement{
		{`UPDATE batch SET closed_at = ? WHERE id = ?`, []any{millis(at), batchID}},
		{`INSERT INTO delivery (destination_id, batch_id, closed_at, bucket, object_key, done_at)
			SELECT d.id, b.id, b.closed_at, '', '', 0
			FROM batch b JOIN ingestion_destination d ON d.ingestion_id = b.ingestion_id WHERE b.id = ?`, []any{batchID}},
		{`UPDATE ingestion_destination SET due_at = ` + s.stamp() + `
			WHERE due_at IS NULL AND last_error <> ? AND ingestion_id = (SELECT ingestion_id FROM batch WHERE id = ?)`,
			[]any{s.in(0), parked, batchID}},
		{`UPDATE stream SET batch_id = '' WHERE id = ?`, []any{streamID}},
	})
}

// CloseBatch closes the stream's open batch where a poll ends early: what was
// read is delivered, whatever keeps the poll from going on. The claim goes on.
func (s *Store) CloseBatch(ctx context.Context, c Claim, batchID string, at time.Time) error {
	return s.update(ctx, "close batch", func(tx *sql.Tx) error {
		if err := lock(ctx, tx, s.dialect.lockIngestion, c.ID); err != nil {
			return err
		}
		if err := fenced(ctx, tx, c); err != nil {
			return err
		}
		return s.closeBatch(ctx, tx, c.ID, batchID, at)
	})
}

// closeBatches closes the open batches of an ingestion that is stopped.
func (s *Store) closeBatches(ctx context.Context, tx *sql.Tx, ingestionID string) error {
	rows, err := tx.QueryContext(ctx, `SELECT id || ' ' || batch_id FROM stream WHERE ingestion_id = ? AND batch_id <> ''`, ingestionID)
	if err != nil {
		return err
	}
	open, err := texts(rows)
	if err != nil {
		return err
	}
	for _, o := range open {
		streamID, batchID, _ := strings.Cut(o, " ")
		if err := s.closeBatch(ctx, tx, streamID, batchID, s.now()); err != nil {
			return err
		}
	}
	return nil
}

// Restart puts a stream's cursor elsewhere, because the provider no longer
// knows it. The claim goes on.
func (s *Store) Restart(ctx context.Context, c Claim, cursor string, readFrom time.Time) error {
	return s.update(ctx, "restart stream", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE stream SET cursor = ?, read_from = ? WHERE id = ? AND fence = ?`,
			cursor, millis(readFrom), c.ID, c.Fence)
		return oneOr(res, err, ErrFenced)
	})
}

// Denied remembers the version of the grant that the provider did not accept.
// The claim goes on.
func (s *Store) Denied(ctx context.Context, c Claim, version int64) error {
	return s.update(ctx, "deny stream", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE stream SET denied = ? WHERE id = ? AND fence = ?`, version, c.ID, c.Fence)
		return oneOr(res, err, ErrFenced)
	})
}

// Stuck remembers since when the page at the cursor cannot be decoded. The
// claim goes on.
func (s *Store) Stuck(ctx context.Context, c Claim, since time.Time) error {
	return s.update(ctx, "stuck stream", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE stream SET stuck_since = ? WHERE id = ? AND fence = ?`,
			millis(since), c.ID, c.Fence)
		return oneOr(res, err, ErrFenced)
	})
}

// AuthorizationFor returns the authorization that an ingestion reads with: that
// of its bundle, application and tenant.
func (s *Store) AuthorizationFor(ctx context.Context, i fabric.Ingestion) (fabric.AppAuthorization, error) {
	a, err := scanAuthorization(s.reader.QueryRowContext(ctx, `SELECT `+authorizationColumns+` FROM app_authorization
		WHERE bundle_id = ? AND app = ? AND tenant_id = ?`, i.BundleID, i.App, i.TenantID))
	return a, wrap("authorization for ingestion", err)
}
