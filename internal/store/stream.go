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
	Lateness    string    // JSON; the store does not look inside
	Looked      string    // when each old window was last begun to be read; JSON, likewise
	WideAt      time.Time // the oldest of these times
	Walked      int64     // pages of the walk under way
}

// LoadStream returns a stream and the ingestion that it is of.
func (s *Store) LoadStream(ctx context.Context, id string) (Stream, fabric.Ingestion, error) {
	st := Stream{ID: id}
	var i fabric.Ingestion
	var readFrom, watermark, stuck, created, updated, wide int64
	err := s.reader.QueryRowContext(ctx, `
		SELECT s.ingestion_id, s.name, s.cursor, s.read_from, s.watermark, s.denied, s.stuck_since,
		       s.batch_id, coalesce(b.bytes, 0), s.lateness, s.looked, s.wide_at, s.walk_pages,
		       i.id, i.bundle_id, i.account, i.region, i.app, i.tenant_id, i.type, i.state, i.created_at, i.updated_at
		FROM stream s JOIN ingestion i ON i.id = s.ingestion_id LEFT JOIN batch b ON b.id = s.batch_id
		WHERE s.id = ?`, id).Scan(
		&st.IngestionID, &st.Name, &st.Cursor, &readFrom, &watermark, &st.Denied, &stuck,
		&st.BatchID, &st.BatchBytes, &st.Lateness, &st.Looked, &wide, &st.Walked,
		&i.ID, &i.BundleID, &i.Account, &i.Region, &i.App, &i.TenantID, &i.Type, &i.State, &created, &updated)
	if err != nil {
		return Stream{}, fabric.Ingestion{}, fmt.Errorf("store: load stream: %w", notFound(err))
	}
	st.ReadFrom, st.Watermark, st.StuckSince = fromMillis(readFrom), fromMillis(watermark), fromMillis(stuck)
	st.WideAt = fromMillis(wide)
	i.CreatedAt, i.UpdatedAt = fromMillis(created), fromMillis(updated)
	return st, i, nil
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
		{`UPDATE stream SET batch_id = '' WHERE id = ? AND batch_id = ?`, []any{streamID, batchID}},
		{`UPDATE backfill SET batch_id = '' WHERE stream_id = ? AND batch_id = ?`, []any{streamID, batchID}},
	})
}

// CloseBatch closes an open batch of the stream where a poll ends early: what was
// read is delivered, whatever keeps the poll from going on. The claim goes on.
func (s *Store) CloseBatch(ctx context.Context, c Claim, streamID, batchID string, at time.Time) error {
	return s.update(ctx, "close batch", func(tx *sql.Tx) error {
		if err := lock(ctx, tx, s.dialect.lockIngestion, streamID); err != nil {
			return err
		}
		if err := fenced(ctx, tx, c); err != nil {
			return err
		}
		return s.closeBatch(ctx, tx, streamID, batchID, at)
	})
}

// closeBatches closes the open batches of an ingestion that is stopped.
func (s *Store) closeBatches(ctx context.Context, tx *sql.Tx, ingestionID string) error {
	rows, err := tx.QueryContext(ctx, `SELECT id || ' ' || batch_id FROM stream WHERE ingestion_id = ? AND batch_id <> ''
		UNION ALL SELECT f.stream_id || ' ' || f.batch_id FROM backfill f JOIN stream s ON s.id = f.stream_id
		WHERE s.ingestion_id = ? AND f.batch_id <> ''`, ingestionID, ingestionID)
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

// Restart puts the cursor of a stream or backfill elsewhere, because the provider
// no longer knows it. The claim goes on.
func (s *Store) Restart(ctx context.Context, c Claim, cursor string, readFrom time.Time) error {
	return s.update(ctx, "restart stream", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE `+string(c.Duty)+` SET cursor = ?, read_from = ?, walk_pages = 0, walk_records = 0
			WHERE id = ? AND fence = ?`, cursor, millis(readFrom), c.ID, c.Fence)
		if err := oneOr(res, err, ErrFenced); err != nil {
			return err
		}
		return endWalk(ctx, tx, c.ID)
	})
}

// Denied remembers the version of the grant that the provider did not accept.
// The claim goes on.
func (s *Store) Denied(ctx context.Context, c Claim, version int64) error {
	return s.update(ctx, "deny stream", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE `+string(c.Duty)+` SET denied = ? WHERE id = ? AND fence = ?`, version, c.ID, c.Fence)
		return oneOr(res, err, ErrFenced)
	})
}

// Stuck remembers since when the page at the cursor cannot be decoded. The
// claim goes on.
func (s *Store) Stuck(ctx context.Context, c Claim, since time.Time) error {
	return s.update(ctx, "stuck stream", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE `+string(c.Duty)+` SET stuck_since = ? WHERE id = ? AND fence = ?`,
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
