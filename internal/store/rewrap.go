package store

import (
	"context"
	"database/sql"
	"errors"

	"selvedge/internal/fabric"
	"selvedge/internal/secret"
)

// The names of the values that belong to the whole database.
const (
	MetaMasterCheck = "master key check" // of the master key in use
	MetaSeed        = "derivation seed"  // sealed; see secret.Seed
	MetaRewrap      = "rewrap"           // when the rewrap under way began
)

// Rewrapped counts what is under keys: bundles' data keys and the secrets of
// access keys.
type Rewrapped struct {
	Total int64
	Left  int64 // under older keys than the newest
}

// stale makes the condition on a data key that is not fresh.
func stale(f secret.Fresh) (string, []any) {
	return ` NOT ((substr(data_key, 1, ?) = ? AND (key_arn = '' OR ?))
			OR (substr(data_key, 1, ?) = ? AND substr(data_key, ?, ?) >= ?))`,
		[]any{len(f.DataKey), f.DataKey, f.Local, len(f.KMS), f.KMS, len(f.KMS) + 1, len(f.Since), f.Since}
}

// CountRewrapped counts what is there, and what is not fresh.
func (s *Store) CountRewrapped(ctx context.Context, f secret.Fresh) (Rewrapped, error) {
	var r Rewrapped
	where, args := stale(f)
	err := s.reader.QueryRowContext(ctx, `SELECT
			(SELECT count(*) FROM app_bundle) + (SELECT count(*) FROM access_key WHERE revoked_at = 0),
			(SELECT count(*) FROM app_bundle WHERE`+where+`)
			+ (SELECT count(*) FROM access_key WHERE revoked_at = 0 AND substr(secret, 1, ?) <> ?)`,
		append(args, len(f.Server), f.Server)...).Scan(&r.Total, &r.Left)
	return r, wrap("count what is rewrapped", err)
}

// WrappedKey is a bundle with its data key.
type WrappedKey struct {
	Bundle  fabric.AppBundle
	Wrapped []byte
}

// StaleDataKeys reads up to n bundles behind an id whose data keys are not
// fresh, in the order of their ids. It is for the holder of the root key alone,
// and names no account.
func (s *Store) StaleDataKeys(ctx context.Context, f secret.Fresh, after string, n int) ([]WrappedKey, error) {
	where, args := stale(f)
	return list(ctx, s.reader, "list data keys", func(row scanner) (WrappedKey, error) {
		var w WrappedKey
		b := &w.Bundle
		return w, row.Scan(&b.ID, &b.Account, &b.Region, &b.KeyARN, &w.Wrapped)
	}, `SELECT id, account, region, key_arn, data_key FROM app_bundle WHERE`+where+` AND id > ? ORDER BY id LIMIT ?`,
		append(args, after, n)...)
}

// SwapDataKey puts a wrapped data key in the place of another. It answers false
// when the other is not there any more.
func (s *Store) SwapDataKey(ctx context.Context, bundleID string, old, next []byte) (bool, error) {
	return s.swap(ctx, "swap data key", `UPDATE app_bundle SET data_key = ? WHERE id = ? AND data_key = ?`, next, bundleID, old)
}

// SealedKey is an access key with its secret.
type SealedKey struct {
	Key    fabric.AccessKey // id and account alone
	Sealed []byte
}

// StaleSecrets is StaleDataKeys for the secrets of access keys.
func (s *Store) StaleSecrets(ctx context.Context, f secret.Fresh, after string, n int) ([]SealedKey, error) {
	return list(ctx, s.reader, "list secrets", func(row scanner) (SealedKey, error) {
		var k SealedKey
		return k, row.Scan(&k.Key.ID, &k.Key.Account, &k.Sealed)
	}, `SELECT id, account, secret FROM access_key WHERE revoked_at = 0 AND substr(secret, 1, ?) <> ?
		AND id > ? ORDER BY id LIMIT ?`, len(f.Server), f.Server, after, n)
}

// SwapSecret is SwapDataKey for the secret of an access key.
func (s *Store) SwapSecret(ctx context.Context, id string, old, next []byte) (bool, error) {
	return s.swap(ctx, "swap secret", `UPDATE access_key SET secret = ? WHERE id = ? AND secret = ?`, next, id, old)
}

// SwapMeta is SwapDataKey for a value of the whole database. An empty next
// deletes it.
func (s *Store) SwapMeta(ctx context.Context, name string, old, next []byte) (bool, error) {
	if len(next) == 0 {
		return s.swap(ctx, "delete meta "+name, `DELETE FROM meta WHERE name = ? AND value = ?`, name, old)
	}
	return s.swap(ctx, "swap meta "+name, `UPDATE meta SET value = ? WHERE name = ? AND value = ?`, next, name, old)
}

func (s *Store) swap(ctx context.Context, op, statement string, args ...any) (bool, error) {
	err := s.update(ctx, op, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, statement, args...)
		return one(res, err)
	})
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// InitMeta keeps two values, unless another is in the place of the first: then
// neither. It returns those that are there afterwards.
func (s *Store) InitMeta(ctx context.Context, name string, value []byte, with string, withValue []byte) (kept, keptWith []byte, err error) {
	const insert = `INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`
	const read = `SELECT value FROM meta WHERE name = ?`
	err = s.update(ctx, "set meta "+name, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, insert, name, blob(value)); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, read, name).Scan(&kept); err != nil {
			return err
		}
		if string(kept) == string(value) {
			if _, err := tx.ExecContext(ctx, insert, with, blob(withValue)); err != nil {
				return err
			}
		}
		if err := tx.QueryRowContext(ctx, read, with).Scan(&keptWith); !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return nil
	})
	return kept, keptWith, err
}

// KeyMarks returns how data keys and secrets begin, each beginning once.
func (s *Store) KeyMarks(ctx context.Context) ([][]byte, error) {
	return list(ctx, s.reader, "list key marks", func(row scanner) (mark []byte, err error) {
		return mark, row.Scan(&mark)
	}, `SELECT DISTINCT substr(data_key, 1, ?) FROM app_bundle WHERE substr(data_key, 1, 1) <> ?
		UNION SELECT DISTINCT substr(secret, 1, ?) FROM access_key WHERE revoked_at = 0 AND substr(secret, 1, 1) <> ?`,
		secret.HeadSize, secret.OldFormat(), secret.HeadSize, secret.OldFormat())
}
