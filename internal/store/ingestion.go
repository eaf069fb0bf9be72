package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"selvedge/internal/fabric"
)

// ErrNotConnected refuses an ingestion whose authorization is not Connected.
var ErrNotConnected = errors.New("store: the authorization is not connected")

// ErrState refuses to start what is enabled and to stop what is disabled.
var ErrState = errors.New("store: in that state already")

const ingestionColumns = `id, bundle_id, account, region, app, tenant_id, type, state, created_at, updated_at`

func scanIngestion(row scanner) (fabric.Ingestion, error) {
	var i fabric.Ingestion
	var created, updated int64
	err := row.Scan(&i.ID, &i.BundleID, &i.Account, &i.Region, &i.App, &i.TenantID, &i.Type, &i.State, &created, &updated)
	i.CreatedAt, i.UpdatedAt = fromMillis(created), fromMillis(updated)
	return i, notFound(err)
}

func ingestion(ctx context.Context, q querier, c fabric.Caller, bundleID, id string) (fabric.Ingestion, error) {
	return scanIngestion(q.QueryRowContext(ctx, `SELECT `+ingestionColumns+` FROM ingestion
		WHERE id = ? AND bundle_id = ? AND account = ? AND region = ?`, id, bundleID, c.Account, c.Region))
}

// Start is where the streams of a new ingestion begin.
type Start struct {
	Streams  []string // names
	Cursor   string   // JSON, opaque to the store
	From     time.Time
	Requires string // another application whose authorization for the tenant must be Connected too; empty: none
}

// CreateIngestion inserts an ingestion and its streams, which rest until the
// first destination. The errors beside those of the database: ErrNotFound (the
// bundle), ErrNotConnected, ErrQuota, *ExistsError (app and tenant),
// *MismatchError.
func (s *Store) CreateIngestion(ctx context.Context, c fabric.Caller, i fabric.Ingestion, start Start, t Terms) (fabric.Ingestion, error) {
	err := s.change(ctx, c, "create ingestion", func(tx *sql.Tx) error {
		first, err := s.first(ctx, tx, c, t.Once)
		if err != nil {
			return err
		}
		if first != "" {
			i, err = ingestion(ctx, tx, c, i.BundleID, first)
			return err
		}
		if err := s.mayIngest(ctx, tx, c, i, start.Requires, t.Limit); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO ingestion (`+ingestionColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			i.ID, i.BundleID, c.Account, c.Region, i.App, i.TenantID, i.Type, i.State, millis(i.CreatedAt), millis(i.UpdatedAt))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE app_authorization SET ingestion_id = ? WHERE bundle_id = ? AND app = ? AND tenant_id = ?`,
			i.ID, i.BundleID, i.App, i.TenantID)
		if err != nil {
			return err
		}
		for _, name := range start.Streams {
			_, err := tx.ExecContext(ctx, `INSERT INTO stream
				(id, ingestion_id, name, cursor, read_from, watermark, denied, stuck_since, batch_id)
				VALUES (?, ?, ?, ?, ?, ?, 0, 0, '')`,
				i.ID+"/"+name, i.ID, name, start.Cursor, millis(start.From), millis(start.From))
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO stream_number (stream_id) VALUES (?)`, i.ID+"/"+name); err != nil {
				return err
			}
		}
		return s.keep(ctx, tx, c, i.ID, t)
	})
	return i, err
}

func (s *Store) mayIngest(ctx context.Context, tx *sql.Tx, c fabric.Caller, i fabric.Ingestion, requires string, limit int) error {
	if _, err := bundle(ctx, tx, c, i.BundleID); err != nil {
		return err
	}
	for _, app := range []string{i.App, requires} {
		if app == "" {
			continue
		}
		n, err := count(ctx, tx, `SELECT count(*) FROM app_authorization
			WHERE bundle_id = ? AND app = ? AND tenant_id = ? AND status = ?`, i.BundleID, app, i.TenantID, fabric.Connected)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrNotConnected
		}
	}
	err := quota(ctx, tx, limit, `SELECT count(*) FROM ingestion WHERE account = ? AND region = ?`, c.Account, c.Region)
	if err != nil {
		return err
	}
	return unique(ctx, tx, `SELECT id FROM ingestion WHERE bundle_id = ? AND app = ? AND tenant_id = ?`,
		i.BundleID, i.App, i.TenantID)
}

// GetIngestion reads one ingestion. It answers ErrNotFound.
func (s *Store) GetIngestion(ctx context.Context, c fabric.Caller, bundleID, id string) (fabric.Ingestion, error) {
	i, err := ingestion(ctx, s.reader, c, bundleID, id)
	return i, wrap("get ingestion", err)
}

// ListIngestions reads up to n ingestions of a bundle behind a place.
func (s *Store) ListIngestions(ctx context.Context, c fabric.Caller, bundleID string, after Mark, n int) ([]fabric.Ingestion, error) {
	return list(ctx, s.reader, "list ingestions", scanIngestion, `SELECT `+ingestionColumns+` FROM ingestion
		WHERE bundle_id = ? AND account = ? AND region = ? AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?`,
		bundleID, c.Account, c.Region, millis(after.CreatedAt), after.ID, n)
}

// DeleteIngestion deletes an ingestion with all that it collected and did not
// deliver. It answers ErrNotFound, and ErrInUse while it has a destination.
func (s *Store) DeleteIngestion(ctx context.Context, c fabric.Caller, bundleID, id string) error {
	return s.change(ctx, c, "delete ingestion", func(tx *sql.Tx) error {
		i, err := ingestion(ctx, tx, c, bundleID, id)
		if err != nil {
			return err
		}
		n, err := count(ctx, tx, `SELECT count(*) FROM ingestion_destination WHERE ingestion_id = ?`, id)
		if err != nil {
			return err
		}
		if n > 0 {
			return ErrInUse
		}
		const streams = `(SELECT id FROM stream WHERE ingestion_id = ?)`
		err = execAll(ctx, tx, []statement{
			{`DELETE FROM seen WHERE stream_no IN (SELECT no FROM stream_number WHERE stream_id IN ` + streams + `)`, []any{id}},
			{`DELETE FROM seen_odd WHERE stream_id IN ` + streams, []any{id}},
			{`DELETE FROM walk WHERE walk_id IN ` + streams, []any{id}},
			{`DELETE FROM walk WHERE walk_id IN (SELECT id FROM backfill WHERE stream_id IN ` + streams + `)`, []any{id}},
			{`UPDATE app_authorization SET ingestion_id = '' WHERE bundle_id = ? AND app = ? AND tenant_id = ?`, []any{i.BundleID, i.App, i.TenantID}},
			{`DELETE FROM ingestion WHERE id = ?`, []any{id}},
		})
		if err != nil {
			return err
		}
		return forget(ctx, tx, id)
	})
}

// StartIngestion enables an ingestion; its streams are due now if it has a
// destination. It answers ErrNotFound and ErrState.
func (s *Store) StartIngestion(ctx context.Context, c fabric.Caller, bundleID, id string) error {
	return s.change(ctx, c, "start ingestion", func(tx *sql.Tx) error {
		if err := s.turn(ctx, tx, c, bundleID, id, fabric.Enabled); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE stream SET crashes = 0, attempt = 0, stuck_since = 0, last_error = '',
			due_at = CASE WHEN EXISTS (SELECT 1 FROM ingestion_destination d WHERE d.ingestion_id = stream.ingestion_id)
			THEN `+s.stamp()+` ELSE due_at END WHERE ingestion_id = ?`, s.in(0), id)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE backfill SET crashes = 0, attempt = 0, last_error = '', due_at = `+s.stamp()+`
			WHERE ended_at = 0 AND stream_id IN (SELECT id FROM stream WHERE ingestion_id = ? AND due_at IS NOT NULL)`, s.in(0), id)
		return err
	})
}

// StopIngestion disables an ingestion. A poll under way is fenced off, so that
// nothing is collected once StopIngestion has returned; its lease is left to
// run out, so that the next poll does not begin beside it. What was collected
// is delivered still. It answers
// ErrNotFound and ErrState.
func (s *Store) StopIngestion(ctx context.Context, c fabric.Caller, bundleID, id string) error {
	return s.change(ctx, c, "stop ingestion", func(tx *sql.Tx) error {
		if err := s.turn(ctx, tx, c, bundleID, id, fabric.Disabled); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE stream SET due_at = NULL, fence = fence + 1 WHERE ingestion_id = ?`, id)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE backfill SET due_at = NULL, fence = fence + 1
			WHERE stream_id IN (SELECT id FROM stream WHERE ingestion_id = ?)`, id)
		if err != nil {
			return err
		}
		return s.closeBatches(ctx, tx, id)
	})
}

func (s *Store) turn(ctx context.Context, tx *sql.Tx, c fabric.Caller, bundleID, id string, to fabric.IngestionState) error {
	i, err := ingestion(ctx, tx, c, bundleID, id)
	if err != nil {
		return err
	}
	if i.State == to {
		return ErrState
	}
	_, err = tx.ExecContext(ctx, `UPDATE ingestion SET state = ?, updated_at = ? WHERE id = ?`, to, millis(s.now()), id)
	return err
}
