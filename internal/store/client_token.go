package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"selvedge/internal/fabric"
)

// tokenLife is how long a client token counts.
const tokenLife = 24 * time.Hour

// ErrQuota refuses a create that would go over its limit.
var ErrQuota = errors.New("store: quota exceeded")

// Once makes a create idempotent: the same token with the same request key
// gives the first resource again.
type Once struct {
	Operation  string
	Token      string // empty: none, every call makes a resource
	RequestKey string // keyed hash of all that the request asks for
}

// Terms are what a create keeps and heeds beside the resource itself.
type Terms struct {
	Tags  []fabric.Tag
	Once  Once
	Limit int // how many resources of the kind there may be; 0: any number
}

// MismatchError refuses a client token that was used for another request.
type MismatchError struct {
	ResourceID string // UUID of what the first request made
}

// Error says what was wrong.
func (e *MismatchError) Error() string {
	return "store: the client token was used with other parameters for " + e.ResourceID
}

// ExistsError names the resource that would be there twice. It is ErrExists.
type ExistsError struct {
	ResourceID string // UUID
}

// Error says what was wrong.
func (e *ExistsError) Error() string { return ErrExists.Error() + ": " + e.ResourceID }

// Is makes it ErrExists.
func (e *ExistsError) Is(target error) bool { return target == ErrExists }

// first returns the UUID of what an earlier request with the same token made;
// empty when there was none in the last 24 hours.
func (s *Store) first(ctx context.Context, tx *sql.Tx, c fabric.Caller, o Once) (string, error) {
	if o.Token == "" {
		return "", nil
	}
	var id, key string
	err := tx.QueryRowContext(ctx, `SELECT resource_id, request_key FROM client_token
		WHERE account = ? AND region = ? AND operation = ? AND token = ? AND created_at > ?`,
		c.Account, c.Region, o.Operation, o.Token, millis(s.now().Add(-tokenLife))).Scan(&id, &key)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", nil
	case err != nil:
		return "", err
	case key != o.RequestKey:
		return "", &MismatchError{ResourceID: id}
	}
	return id, nil
}

// keep stores the tags of a new resource and the client token that made it.
func (s *Store) keep(ctx context.Context, tx *sql.Tx, c fabric.Caller, id string, t Terms) error {
	if err := putTags(ctx, tx, id, t.Tags); err != nil {
		return err
	}
	if t.Once.Token == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO client_token
		(account, region, operation, token, request_key, resource_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, operation, token) DO UPDATE
		SET request_key = excluded.request_key, resource_id = excluded.resource_id, created_at = excluded.created_at`,
		c.Account, c.Region, t.Once.Operation, t.Once.Token, t.Once.RequestKey, id, millis(s.now()))
	return err
}

// forget removes what keep stored: the client token of a deleted resource is
// free again.
func forget(ctx context.Context, tx *sql.Tx, id string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM tag WHERE resource_id = ?`, id); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM client_token WHERE resource_id = ?`, id)
	return err
}

// SweepClientTokens removes the client tokens made before the given time and
// returns how many there were.
func (s *Store) SweepClientTokens(ctx context.Context, before time.Time) (int64, error) {
	var n int64
	err := s.update(ctx, "sweep client tokens", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM client_token WHERE created_at < ?`, millis(before))
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}

// quota refuses when the query counts limit rows or more.
func quota(ctx context.Context, tx *sql.Tx, limit int, query string, args ...any) error {
	if limit == 0 {
		return nil
	}
	n, err := count(ctx, tx, query, args...)
	if err == nil && n >= int64(limit) {
		return fmt.Errorf("%w: %d of %d", ErrQuota, n, limit)
	}
	return err
}

func count(ctx context.Context, tx *sql.Tx, query string, args ...any) (int64, error) {
	var n int64
	err := tx.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}
