package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"selvedge/internal/fabric"
)

// notificationSpace is the name space of the ids of notifications.
const notificationSpace = "1d2c3a52-6c5e-5d0b-9a41-0f6f1c8f4b7e"

// maxReason bounds the reason in a notification, in bytes.
const maxReason = 2000

// notify makes a notification in the transaction of the change that it tells of.
// Key names the change, so that the same change has the same id. It is due at
// once, or as soon as those before it of the same subject are gone.
func (s *Store) notify(ctx context.Context, tx *sql.Tx, key string, t fabric.NotificationType, d fabric.NotificationData) error {
	if len(d.Reason) > maxReason {
		d.Reason = strings.ToValidUTF8(d.Reason[:maxReason], "") + "..."
	}
	data, err := json.Marshal(d)
	if err != nil {
		return err
	}
	if err := lock(ctx, tx, s.dialect.lockSubject, d.ARN); err != nil {
		return err
	}
	id := "msg_" + uuid.NewSHA1(uuid.MustParse(notificationSpace), []byte(string(t)+" "+d.ARN+" "+key)).String()
	_, err = tx.ExecContext(ctx, `INSERT INTO notification (id, subject, type, data, created_at, due_at)
		VALUES (?, ?, ?, ?, ?, CASE WHEN EXISTS (SELECT 1 FROM notification WHERE subject = ?) THEN NULL ELSE `+s.stamp()+` END)
		ON CONFLICT (id) DO NOTHING`, id, d.ARN, string(t), string(data), millis(s.now()), d.ARN, s.in(0))
	return err
}

// LoadNotification returns a notification, and whether an attempt at it has failed.
// It answers ErrNotFound.
func (s *Store) LoadNotification(ctx context.Context, id string) (n fabric.Notification, tried bool, err error) {
	n.ID = id
	var data []byte
	var created int64
	err = s.reader.QueryRowContext(ctx, `SELECT type, data, created_at, last_error <> '' FROM notification WHERE id = ?`, id).
		Scan(&n.Type, &data, &created, &tried)
	if err != nil {
		return n, false, wrap("load notification", notFound(err))
	}
	n.CreatedAt = fromMillis(created)
	return n, tried, wrap("load notification", json.Unmarshal(data, &n.Data))
}

// EndNotification ends a notification and its claim, and makes the next of its
// subject due.
func (s *Store) EndNotification(ctx context.Context, c Claim) error {
	return s.update(ctx, "end notification", func(tx *sql.Tx) error {
		var subject string
		err := tx.QueryRowContext(ctx, `SELECT subject FROM notification WHERE id = ?`, c.ID).Scan(&subject)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrFenced
		}
		if err != nil {
			return err
		}
		// One that is made meanwhile must see this gone, or be seen.
		if err := lock(ctx, tx, s.dialect.lockSubject, subject); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `DELETE FROM notification WHERE id = ? AND fence = ?`, c.ID, c.Fence)
		if err := oneOr(res, err, ErrFenced); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, wakeFirst(s)+` AND subject = ?`, s.in(0), parked, subject)
		return err
	})
}

// wakeFirst is a statement that makes those notifications due that are the
// oldest of their subject and have no time; its condition can be added to.
func wakeFirst(s *Store) string {
	return `UPDATE notification SET due_at = ` + s.stamp() + ` WHERE due_at IS NULL AND lease_owner = '' AND last_error <> ?
		AND NOT EXISTS (SELECT 1 FROM notification o WHERE o.subject = notification.subject AND o.seq < notification.seq)`
}

// SweepNotifications gives up those notifications that were made before the given
// time and could not be delivered since.
func (s *Store) SweepNotifications(ctx context.Context, before time.Time) (int64, error) {
	var n int64
	err := s.update(ctx, "sweep notifications", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM notification WHERE id IN (
			SELECT id FROM notification WHERE created_at < ? LIMIT ?)`, millis(before), sweepRows)
		if err != nil {
			return err
		}
		if n, err = res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, wakeFirst(s), s.in(0), parked)
		return err
	})
	return n, err
}

// more scans a row's further columns besides those that a scan function takes.
type more struct {
	scanner

	dest []any
}

// Scan scans all of them.
func (m more) Scan(dest ...any) error { return m.scanner.Scan(append(dest, m.dest...)...) }

// turnKey names a change of a status: by its number, and by its time, since a database
// that was restored counts on from an earlier number.
func turnKey(no string, at time.Time) string { return fmt.Sprintf("%s %d", no, millis(at)) }

// tellAuthorization makes the notification of an authorization whose status this
// transaction has changed.
func (s *Store) tellAuthorization(ctx context.Context, tx *sql.Tx, id string) error {
	var no string
	a, err := scanAuthorization(more{tx.QueryRowContext(ctx, `SELECT `+authorizationColumns+`, status_no
		FROM app_authorization WHERE id = ?`, id), []any{&no}})
	if err != nil {
		return err
	}
	return s.notify(ctx, tx, turnKey(no, a.UpdatedAt), fabric.AuthorizationTurned, fabric.NotificationData{
		ARN: a.ARN().String(), App: a.App, Tenant: a.Tenant.Identifier, Status: string(a.Status), Reason: a.Reason,
	})
}

// tellDestination is tellAuthorization for a destination.
func (s *Store) tellDestination(ctx context.Context, tx *sql.Tx, id string) error {
	var no, app, tenant string
	d, err := scanDestination(more{tx.QueryRowContext(ctx, `SELECT `+destinationColumns+`, status_no,
		(SELECT app FROM ingestion i WHERE i.id = ingestion_id), (SELECT tenant_id FROM ingestion i WHERE i.id = ingestion_id)
		FROM ingestion_destination WHERE id = ?`, id), []any{&no, &app, &tenant}})
	if err != nil {
		return err
	}
	return s.notify(ctx, tx, turnKey(no, d.UpdatedAt), fabric.DestinationTurned, fabric.NotificationData{
		ARN: d.ARN().String(), App: app, Tenant: tenant, Status: string(d.Status), Reason: d.Reason,
	})
}

// tellGap makes the notification of a gap of a stream that this transaction
// opens or heals.
func (s *Store) tellGap(ctx context.Context, tx *sql.Tx, t fabric.NotificationType, streamID string, g Gap) error {
	var stream string
	i, err := scanIngestion(more{tx.QueryRowContext(ctx, `SELECT `+ingestionColumns+`, (SELECT name FROM stream WHERE id = ?)
		FROM ingestion WHERE id = (SELECT ingestion_id FROM stream WHERE id = ?)`, streamID, streamID), []any{&stream}})
	if err != nil {
		return err
	}
	key, err := json.Marshal([]any{g.Seq, millis(g.FoundAt)})
	if err != nil {
		return err
	}
	return s.notify(ctx, tx, string(key), t, fabric.NotificationData{
		ARN: i.ARN().String(), App: i.App, Tenant: i.TenantID, Stream: stream, From: g.From, To: g.To, Reason: g.Reason,
		ForGood: t == fabric.GapOpened && g.TryAt.IsZero(),
	})
}
