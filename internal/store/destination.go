package store

import (
	"context"
	"database/sql"
	"errors"

	"selvedge/internal/fabric"
)

// ErrOwned refuses a bucket or stream that another account named first.
var ErrOwned = errors.New("store: owned by another account")

const destinationColumns = `id, bundle_id, ingestion_id, account, region, schema_name, format,
	bucket, prefix, stream, status, reason, created_at, updated_at`

func scanDestination(row scanner) (fabric.IngestionDestination, error) {
	var d fabric.IngestionDestination
	var created, updated int64
	err := row.Scan(&d.ID, &d.BundleID, &d.IngestionID, &d.Account, &d.Region, &d.Processing.Schema, &d.Processing.Format,
		&d.Place.Bucket, &d.Place.Prefix, &d.Place.Stream, &d.Status, &d.Reason, &created, &updated)
	d.CreatedAt, d.UpdatedAt = fromMillis(created), fromMillis(updated)
	return d, notFound(err)
}

func destination(ctx context.Context, q querier, c fabric.Caller, bundleID, ingestionID, id string) (fabric.IngestionDestination, error) {
	return scanDestination(q.QueryRowContext(ctx, `SELECT `+destinationColumns+` FROM ingestion_destination
		WHERE id = ? AND ingestion_id = ? AND bundle_id = ? AND account = ? AND region = ?`,
		id, ingestionID, bundleID, c.Account, c.Region))
}

// CreateIngestionDestination inserts a destination, owes it every closed batch
// of the ingestion that is kept, and wakes the streams that were waiting for a
// first destination. The errors beside those of the database: ErrNotFound (the
// ingestion), ErrQuota, ErrOwned, *MismatchError.
func (s *Store) CreateIngestionDestination(ctx context.Context, c fabric.Caller, d fabric.IngestionDestination, t Terms) (fabric.IngestionDestination, error) {
	err := s.change(ctx, c, "create ingestion destination", func(tx *sql.Tx) error {
		first, err := s.first(ctx, tx, c, t.Once)
		if err != nil {
			return err
		}
		if first != "" {
			d, err = destination(ctx, tx, c, d.BundleID, d.IngestionID, first)
			return err
		}
		if _, err := ingestion(ctx, tx, c, d.BundleID, d.IngestionID); err != nil {
			return err
		}
		err = quota(ctx, tx, t.Limit, `SELECT count(*) FROM ingestion_destination WHERE ingestion_id = ?`, d.IngestionID)
		if err != nil {
			return err
		}
		if err := own(ctx, tx, c, d.Place); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO ingestion_destination (`+destinationColumns+`)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			d.ID, d.BundleID, d.IngestionID, c.Account, c.Region, d.Processing.Schema, d.Processing.Format,
			d.Place.Bucket, d.Place.Prefix, d.Place.Stream, d.Status, d.Reason, millis(d.CreatedAt), millis(d.UpdatedAt))
		if err != nil {
			return err
		}
		if err := s.begin(ctx, tx, d); err != nil {
			return err
		}
		return s.keep(ctx, tx, c, d.ID, t)
	})
	return d, err
}

// begin gives a new destination its duties: what is kept is owed to it, and the
// ingestion's streams and backfills are read from now on.
func (s *Store) begin(ctx context.Context, tx *sql.Tx, d fabric.IngestionDestination) error {
	// This also makes batches that close, and the sweep of ingestions without
	// destinations, take turns with us.
	_, err := tx.ExecContext(ctx, `UPDATE ingestion SET bare_since = 0, destinations = destinations + 1 WHERE id = ?`, d.IngestionID)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO delivery (destination_id, batch_id, closed_at, bucket, object_key, done_at)
		SELECT ?, id, closed_at, '', '', 0 FROM batch WHERE ingestion_id = ? AND closed_at > 0`, d.ID, d.IngestionID)
	if err != nil {
		return err
	}
	if err := s.wakeOwed(ctx, tx, d.ID); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE stream SET due_at = `+s.stamp()+` WHERE ingestion_id = ? AND due_at IS NULL
		AND EXISTS (SELECT 1 FROM ingestion i WHERE i.id = stream.ingestion_id AND i.state = ?)`,
		s.in(0), d.IngestionID, fabric.Enabled)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE backfill SET due_at = `+s.stamp()+` WHERE due_at IS NULL AND ended_at = 0 AND last_error <> ?
		AND stream_id IN (SELECT s.id FROM stream s JOIN ingestion i ON i.id = s.ingestion_id WHERE i.id = ? AND i.state = ?)`,
		s.in(0), parked, d.IngestionID, fabric.Enabled)
	return err
}

// wakeOwed makes a destination due now if anything is owed to it.
func (s *Store) wakeOwed(ctx context.Context, tx *sql.Tx, id string) error {
	_, err := tx.ExecContext(ctx, `UPDATE ingestion_destination SET due_at = `+s.stamp()+` WHERE id = ?
		AND EXISTS (SELECT 1 FROM delivery WHERE destination_id = ? AND done_at = 0)`, s.in(0), id, id)
	return err
}

// own notes the first account to name a bucket or stream, and refuses every
// other.
func own(ctx context.Context, tx *sql.Tx, c fabric.Caller, p fabric.Place) error {
	kind, name := "bucket", p.Bucket
	if p.Stream != "" {
		kind, name = "stream", p.Stream
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO place_owner (kind, name, account) VALUES (?, ?, ?)
		ON CONFLICT (kind, name) DO NOTHING`, kind, name, c.Account)
	if err != nil {
		return err
	}
	var owner string
	err = tx.QueryRowContext(ctx, `SELECT account FROM place_owner WHERE kind = ? AND name = ?`, kind, name).Scan(&owner)
	if err == nil && owner != c.Account {
		return ErrOwned
	}
	return err
}

// GetIngestionDestination reads one destination. It answers ErrNotFound.
func (s *Store) GetIngestionDestination(ctx context.Context, c fabric.Caller, bundleID, ingestionID, id string) (fabric.IngestionDestination, error) {
	d, err := destination(ctx, s.reader, c, bundleID, ingestionID, id)
	return d, wrap("get ingestion destination", err)
}

// ListIngestionDestinations reads up to n destinations of an ingestion behind a
// place.
func (s *Store) ListIngestionDestinations(ctx context.Context, c fabric.Caller, bundleID, ingestionID string, after Mark, n int) ([]fabric.IngestionDestination, error) {
	return list(ctx, s.reader, "list ingestion destinations", scanDestination, `SELECT `+destinationColumns+` FROM ingestion_destination
		WHERE ingestion_id = ? AND bundle_id = ? AND account = ? AND region = ? AND (created_at, id) > (?, ?)
		ORDER BY created_at, id LIMIT ?`,
		ingestionID, bundleID, c.Account, c.Region, millis(after.CreatedAt), after.ID, n)
}

// UpdateIngestionDestination gives a destination another place, which counts
// for the deliveries that have not begun, and lets it try again: it is Active,
// and due now if anything is owed to it. It returns the destination as it is
// then, and answers ErrNotFound and ErrOwned.
func (s *Store) UpdateIngestionDestination(ctx context.Context, c fabric.Caller, bundleID, ingestionID, id string, p fabric.Place) (fabric.IngestionDestination, error) {
	var d fabric.IngestionDestination
	err := s.change(ctx, c, "update ingestion destination", func(tx *sql.Tx) error {
		if _, err := destination(ctx, tx, c, bundleID, ingestionID, id); err != nil {
			return err
		}
		if err := own(ctx, tx, c, p); err != nil {
			return err
		}
		turned, err := touched(tx.ExecContext(ctx, `UPDATE ingestion_destination SET status = ?, status_no = status_no + 1
			WHERE id = ? AND status <> ?`, fabric.Active, id, fabric.Active))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE ingestion_destination SET bucket = ?, prefix = ?, stream = ?,
			reason = '', updated_at = ?, attempt = 0, crashes = 0, last_error = '' WHERE id = ?`,
			p.Bucket, p.Prefix, p.Stream, millis(s.now()), id)
		if err == nil && turned {
			err = s.tellDestination(ctx, tx, id)
		}
		if err != nil {
			return err
		}
		if err := s.wakeOwed(ctx, tx, id); err != nil {
			return err
		}
		d, err = destination(ctx, tx, c, bundleID, ingestionID, id)
		return err
	})
	return d, err
}

// DeleteIngestionDestination deletes a destination and what is owed to it. It
// answers ErrNotFound.
func (s *Store) DeleteIngestionDestination(ctx context.Context, c fabric.Caller, bundleID, ingestionID, id string) error {
	return s.change(ctx, c, "delete ingestion destination", func(tx *sql.Tx) error {
		if _, err := destination(ctx, tx, c, bundleID, ingestionID, id); err != nil {
			return err
		}
		err := execAll(ctx, tx, []statement{
			{`UPDATE ingestion SET destinations = destinations - 1 WHERE id = ?`, []any{ingestionID}},
			{`DELETE FROM ingestion_destination WHERE id = ?`, []any{id}},
		})
		if err != nil {
			return err
		}
		// Without a destination nothing is read: what was read would be owed to
		// nobody, and swept. Cursors wait for the next.
		_, err = tx.ExecContext(ctx, `UPDATE stream SET due_at = NULL, fence = fence + 1 WHERE ingestion_id = ?
			AND NOT EXISTS (SELECT 1 FROM ingestion_destination d WHERE d.ingestion_id = stream.ingestion_id)`, ingestionID)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE backfill SET due_at = NULL, fence = fence + 1 WHERE ended_at = 0
			AND stream_id IN (SELECT s.id FROM stream s WHERE s.ingestion_id = ?
				AND NOT EXISTS (SELECT 1 FROM ingestion_destination d WHERE d.ingestion_id = s.ingestion_id))`, ingestionID)
		if err != nil {
			return err
		}
		return forget(ctx, tx, id)
	})
}
