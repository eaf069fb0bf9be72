package store

import (
	"context"
	"database/sql"
	"time"

	"selvedge/internal/fabric"
)

const accessKeyColumns = `id, account, policy, created_at, revoked_at`

func scanAccessKey(row scanner) (fabric.AccessKey, error) {
	var k fabric.AccessKey
	var created, revoked int64
	err := row.Scan(&k.ID, &k.Account, &k.Policy, &created, &revoked)
	k.CreatedAt, k.RevokedAt = fromMillis(created), fromMillis(revoked)
	return k, notFound(err)
}

// CreateAccessKey inserts a key of the caller's account with its sealed secret.
func (s *Store) CreateAccessKey(ctx context.Context, c fabric.Caller, k fabric.AccessKey, secret []byte) error {
	return s.update(ctx, "create access key", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO access_key (id, account, secret, policy, created_at, revoked_at)
			VALUES (?, ?, ?, ?, ?, 0)`, k.ID, c.Account, secret, k.Policy, millis(k.CreatedAt))
		return err
	})
}

// AccessKey reads a key with its sealed secret, which is empty once the key is
// revoked. It is how the caller of a request is found, and names no account. It
// answers ErrNotFound.
func (s *Store) AccessKey(ctx context.Context, id string) (k fabric.AccessKey, secret []byte, err error) {
	var created, revoked int64
	err = s.reader.QueryRowContext(ctx, `SELECT `+accessKeyColumns+`, secret FROM access_key WHERE id = ?`, id).
		Scan(&k.ID, &k.Account, &k.Policy, &created, &revoked, &secret)
	k.CreatedAt, k.RevokedAt = fromMillis(created), fromMillis(revoked)
	return k, secret, wrap("read access key", notFound(err))
}

// ListAccessKeys reads up to n keys of the caller's account behind a place,
// revoked ones too.
func (s *Store) ListAccessKeys(ctx context.Context, c fabric.Caller, after Mark, n int) ([]fabric.AccessKey, error) {
	return list(ctx, s.reader, "list access keys", scanAccessKey, `SELECT `+accessKeyColumns+` FROM access_key
		WHERE account = ? AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?`,
		c.Account, millis(after.CreatedAt), after.ID, n)
}

// ListAllAccessKeys reads up to n keys of all accounts behind a place. It is for
// the holder of the root key alone, and names no account.
func (s *Store) ListAllAccessKeys(ctx context.Context, after Mark, n int) ([]fabric.AccessKey, error) {
	return list(ctx, s.reader, "list access keys", scanAccessKey, `SELECT `+accessKeyColumns+` FROM access_key
		WHERE (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?`, millis(after.CreatedAt), after.ID, n)
}

// RevokeAccessKey ends a key of the caller's account and erases its secret. A
// key that is revoked already stays as it is. It answers ErrNotFound.
func (s *Store) RevokeAccessKey(ctx context.Context, c fabric.Caller, id string) error {
	return s.update(ctx, "revoke access key", func(tx *sql.Tx) error {
		k, err := scanAccessKey(tx.QueryRowContext(ctx, `SELECT `+accessKeyColumns+` FROM access_key
			WHERE id = ? AND account = ?`, id, c.Account))
		if err != nil || !k.RevokedAt.IsZero() {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE access_key SET secret = ?, revoked_at = ? WHERE id = ?`,
			[]byte{}, millis(s.now()), id)
		return err
	})
}

// SweepAccessKeys ends the rows of keys that were revoked before the given time.
func (s *Store) SweepAccessKeys(ctx context.Context, before time.Time) (int64, error) {
	return s.sweep(ctx, "access keys", `DELETE FROM access_key WHERE id IN (
		SELECT id FROM access_key WHERE revoked_at > 0 AND revoked_at < ? LIMIT ?)`, millis(before), sweepRows)
}
