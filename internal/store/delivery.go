package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/secret"
)

// Delivery is a closed batch that is owed to a destination.
type Delivery struct {
	Destination fabric.IngestionDestination
	App         string
	BatchID     string
	Stream      string
	ClosedAt    time.Time
	Records     int64
	Bytes       int64  // of the records together
	At          Spot   // frozen before the first attempt
	Pending     string // of the records, those that a stream has not taken; empty: all. The store does not look inside
}

// Spot is where exactly a batch goes: a key of a bucket, or a stream. The zero
// Spot: the delivery has not begun.
type Spot struct {
	Bucket string
	Key    string
	Stream string
}

// NextDelivery returns the oldest batch that a destination is owed; false when
// it has them all.
func (s *Store) NextDelivery(ctx context.Context, destinationID string) (Delivery, bool, error) {
	var d Delivery
	var closed, created, updated int64
	t := &d.Destination
	err := s.reader.QueryRowContext(ctx, `
		SELECT t.id, t.bundle_id, t.ingestion_id, t.account, t.region, t.schema_name, t.format, t.bucket, t.prefix, t.stream,
		       t.status, t.reason, t.created_at, t.updated_at,
		       i.app, b.id, b.stream, b.closed_at, b.records, b.bytes, d.bucket, d.object_key, d.stream, d.pending
		FROM delivery d
		JOIN ingestion_destination t ON t.id = d.destination_id
		JOIN ingestion i ON i.id = t.ingestion_id
		JOIN batch b ON b.id = d.batch_id
		WHERE d.destination_id = ? AND d.done_at = 0
		ORDER BY d.closed_at, d.batch_id LIMIT 1`, destinationID).Scan(
		&t.ID, &t.BundleID, &t.IngestionID, &t.Account, &t.Region, &t.Processing.Schema, &t.Processing.Format,
		&t.Place.Bucket, &t.Place.Prefix, &t.Place.Stream, &t.Status, &t.Reason, &created, &updated,
		&d.App, &d.BatchID, &d.Stream, &closed, &d.Records, &d.Bytes, &d.At.Bucket, &d.At.Key, &d.At.Stream, &d.Pending)
	if errors.Is(err, sql.ErrNoRows) {
		return Delivery{}, false, nil
	}
	if err != nil {
		return Delivery{}, false, fmt.Errorf("store: next delivery: %w", err)
	}
	d.ClosedAt = fromMillis(closed)
	t.CreatedAt, t.UpdatedAt = fromMillis(created), fromMillis(updated)
	return d, true, nil
}

// Page is a sealed page of a batch.
type Page struct {
	Records int64
	Body    []byte
}

// PagePlace is what the body of a page is sealed for.
func PagePlace(bundleID, batchID string) secret.Context {
	return secret.Context{Bundle: bundleID, Owner: batchID, Field: "page", Version: 1}
}

// Pages returns the pages of a batch in the order in which they were read.
func (s *Store) Pages(ctx context.Context, batchID string) ([]Page, error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT records, body FROM page WHERE batch_id = ? ORDER BY seq`, batchID)
	if err != nil {
		return nil, fmt.Errorf("store: pages: %w", err)
	}
	defer rows.Close()
	var all []Page
	for rows.Next() {
		var p Page
		if err := rows.Scan(&p.Records, &p.Body); err != nil {
			return nil, fmt.Errorf("store: pages: %w", err)
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// Freeze writes down where a batch goes before the first attempt to put it
// there. Later changes of the destination leave it alone.
func (s *Store) Freeze(ctx context.Context, c Claim, batchID string, at Spot) error {
	return s.update(ctx, "freeze delivery", func(tx *sql.Tx) error {
		if err := fenced(ctx, tx, c); err != nil {
			return err
		}
		return one(tx.ExecContext(ctx, `UPDATE delivery SET bucket = ?, object_key = ?, stream = ?
			WHERE destination_id = ? AND batch_id = ? AND bucket = '' AND stream = ''`, at.Bucket, at.Key, at.Stream, c.ID, batchID))
	})
}

// Unfreeze takes back where a batch goes, after a place that refused it. An
// update of the destination then counts for it too. What a stream has taken of
// it before stays taken.
func (s *Store) Unfreeze(ctx context.Context, c Claim, batchID string) error {
	return s.update(ctx, "unfreeze delivery", func(tx *sql.Tx) error {
		if err := fenced(ctx, tx, c); err != nil {
			return err
		}
		return one(tx.ExecContext(ctx, `UPDATE delivery SET bucket = '', object_key = '', stream = ''
			WHERE destination_id = ? AND batch_id = ? AND done_at = 0`, c.ID, batchID))
	})
}

// DeliveredPart writes down which records of a batch a stream has not taken,
// after it took others: it is Active, and the attempts that follow are counted
// anew.
func (s *Store) DeliveredPart(ctx context.Context, c Claim, batchID, pending string) error {
	return s.update(ctx, "mark delivered in part", func(tx *sql.Tx) error {
		if err := fenced(ctx, tx, c); err != nil {
			return err
		}
		err := one(tx.ExecContext(ctx, `UPDATE delivery SET pending = ?
			WHERE destination_id = ? AND batch_id = ? AND done_at = 0`, pending, c.ID, batchID))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE ingestion_destination SET attempt = 1, crashes = 0 WHERE id = ?`, c.ID)
		if err != nil {
			return err
		}
		return s.destinationStatus(ctx, tx, c.ID, fabric.Active, "")
	})
}

// Delivered marks a batch as delivered, and the destination as taking what it
// is given. Of the batch, so many records can never be delivered there.
func (s *Store) Delivered(ctx context.Context, c Claim, batchID string, undelivered int) error {
	return s.update(ctx, "mark delivered", func(tx *sql.Tx) error {
		if err := fenced(ctx, tx, c); err != nil {
			return err
		}
		err := one(tx.ExecContext(ctx, `UPDATE delivery SET done_at = ?, pending = ''
			WHERE destination_id = ? AND batch_id = ? AND done_at = 0`, millis(s.now()), c.ID, batchID))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE ingestion_destination SET attempt = 1, crashes = 0, undelivered = undelivered + ?
			WHERE id = ?`, undelivered, c.ID)
		if err != nil {
			return err
		}
		return s.destinationStatus(ctx, tx, c.ID, fabric.Active, "")
	})
}

// FinishDeliver ends a claim whose destination was owed nothing more when it
// last looked. A batch that was closed since makes the row due at once.
func (s *Store) FinishDeliver(ctx context.Context, c Claim) error {
	return s.update(ctx, "finish delivering", func(tx *sql.Tx) error {
		if err := s.finish(ctx, tx, c, time.Time{}); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE ingestion_destination SET due_at = `+s.stamp()+` WHERE id = ?
			AND EXISTS (SELECT 1 FROM delivery WHERE destination_id = ? AND done_at = 0)`, s.in(0), c.ID, c.ID)
		return err
	})
}

// DestinationFailed says that a destination does not take what it is given,
// and why, in words that tell its owner what to do. The claim goes on.
func (s *Store) DestinationFailed(ctx context.Context, c Claim, reason string) error {
	return s.update(ctx, "fail destination", func(tx *sql.Tx) error {
		if err := fenced(ctx, tx, c); err != nil {
			return err
		}
		return s.destinationStatus(ctx, tx, c.ID, fabric.Failed, reason)
	})
}

// destinationStatus changes what a user sees of a destination, and when it was
// changed only where it was. Another status is also told. The claim of the
// destination has been seen to be the newest, so that nobody else is at the row.
func (s *Store) destinationStatus(ctx context.Context, tx *sql.Tx, id string, status fabric.DestinationStatus, reason string) error {
	var old, oldReason string
	err := tx.QueryRowContext(ctx, `SELECT status, reason FROM ingestion_destination WHERE id = ?`, id).Scan(&old, &oldReason)
	if err != nil || old == string(status) && oldReason == reason {
		return err
	}
	turns := 0
	if old != string(status) {
		turns = 1
	}
	_, err = tx.ExecContext(ctx, `UPDATE ingestion_destination SET status = ?, reason = ?, updated_at = ?, status_no = status_no + ?
		WHERE id = ?`, string(status), reason, millis(s.now()), turns, id)
	if err != nil || turns == 0 {
		return err
	}
	return s.tellDestination(ctx, tx, id)
}
