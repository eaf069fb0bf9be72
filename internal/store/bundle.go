package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"selvedge/internal/fabric"
)

// ErrInUse refuses to delete or change what other resources depend on.
var ErrInUse = errors.New("store: in use")

// Mark is a place in a list, which is in the order of creation: reading goes on
// behind it. The zero Mark is the beginning. It stays good when its row is
// deleted.
type Mark struct {
	CreatedAt time.Time
	ID        string
}

// querier is what *sql.DB and *sql.Tx have in common.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// scanner is what *sql.Row and *sql.Rows have in common.
type scanner interface {
	Scan(dest ...any) error
}

const bundleColumns = `id, account, region, key_arn, created_at`

func scanBundle(row scanner) (fabric.AppBundle, error) {
	var b fabric.AppBundle
	var created int64
	err := row.Scan(&b.ID, &b.Account, &b.Region, &b.KeyARN, &created)
	b.CreatedAt = fromMillis(created)
	return b, notFound(err)
}

func bundle(ctx context.Context, q querier, c fabric.Caller, id string) (fabric.AppBundle, error) {
	return scanBundle(q.QueryRowContext(ctx, `SELECT `+bundleColumns+` FROM app_bundle
		WHERE id = ? AND account = ? AND region = ?`, id, c.Account, c.Region))
}

// CreateAppBundle inserts a bundle with its wrapped data key. The errors beside
// those of the database: *MismatchError, ErrQuota.
func (s *Store) CreateAppBundle(ctx context.Context, c fabric.Caller, b fabric.AppBundle, dataKey []byte, t Terms) (fabric.AppBundle, error) {
	err := s.change(ctx, c, "create app bundle", func(tx *sql.Tx) error {
		first, err := s.first(ctx, tx, c, t.Once)
		if err != nil {
			return err
		}
		if first != "" {
			b, err = bundle(ctx, tx, c, first)
			return err
		}
		err = quota(ctx, tx, t.Limit, `SELECT count(*) FROM app_bundle WHERE account = ? AND region = ?`, c.Account, c.Region)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO app_bundle (id, account, region, key_arn, data_key, created_at)
			VALUES (?, ?, ?, ?, ?, ?)`, b.ID, c.Account, c.Region, b.KeyARN, dataKey, millis(b.CreatedAt))
		if err != nil {
			return err
		}
		return s.keep(ctx, tx, c, b.ID, t)
	})
	return b, err
}

// GetAppBundle reads one bundle. It answers ErrNotFound.
func (s *Store) GetAppBundle(ctx context.Context, c fabric.Caller, id string) (fabric.AppBundle, error) {
	b, err := bundle(ctx, s.reader, c, id)
	return b, wrap("get app bundle", err)
}

// ListAppBundles reads up to n bundles behind a place.
func (s *Store) ListAppBundles(ctx context.Context, c fabric.Caller, after Mark, n int) ([]fabric.AppBundle, error) {
	return list(ctx, s.reader, "list app bundles", scanBundle, `SELECT `+bundleColumns+` FROM app_bundle
		WHERE account = ? AND region = ? AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?`,
		c.Account, c.Region, millis(after.CreatedAt), after.ID, n)
}

// DeleteAppBundle deletes a bundle and with it its data key. It answers
// ErrNotFound, and ErrInUse while it holds an authorization or an ingestion.
func (s *Store) DeleteAppBundle(ctx context.Context, c fabric.Caller, id string) error {
	return s.change(ctx, c, "delete app bundle", func(tx *sql.Tx) error {
		n, err := count(ctx, tx, `SELECT (SELECT count(*) FROM app_authorization WHERE bundle_id = b.id)
			+ (SELECT count(*) FROM ingestion WHERE bundle_id = b.id)
			FROM app_bundle b WHERE id = ? AND account = ? AND region = ?`, id, c.Account, c.Region)
		if err != nil {
			return notFound(err)
		}
		if n > 0 {
			return ErrInUse
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM app_bundle WHERE id = ?`, id); err != nil {
			return err
		}
		return forget(ctx, tx, id)
	})
}

// list reads the rows of a query, one noun from each.
func list[T any](ctx context.Context, db *sql.DB, op string, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, wrap(op, err)
		}
		all = append(all, one)
	}
	return all, wrap(op, rows.Err())
}

// wrap names the operation of a read that failed.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store: %s: %w", op, err)
}
