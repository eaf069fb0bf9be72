package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"golang.org/x/sys/unix"
)

// Examine opens the database to look at, beside a server that works with it or not:
// nothing is locked, migrated or written. Only reading works with what it
// returns.
func Examine(ctx context.Context, o Options) (*Store, error) {
	s := &Store{now: time.Now, dialect: sqlite()}
	if o.URL != "" {
		s.dialect = postgres()
		if err := s.connect(o.URL, map[string]string{"default_transaction_read_only": "on"}); err != nil {
			return nil, err
		}
		if err := s.Ping(ctx); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		return s, nil
	}
	if _, err := os.Stat(o.Path); err != nil { // which opening it would make
		return nil, fmt.Errorf("store: look at the database: %w", err)
	}
	var err error
	if s.reader, err = openSQLite(o.Path, 1, true); err != nil {
		return nil, err
	}
	var id int64
	if err := s.reader.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&id); err != nil {
		return nil, errors.Join(fmt.Errorf("store: %s cannot be read as a SQLite database: %w", o.Path, err), s.Close())
	}
	if id != applicationID {
		return nil, errors.Join(fmt.Errorf("store: %s is a database of another program", o.Path), s.Close())
	}
	return s, nil
}

// Condition is what Examine's store can tell of the database.
type Condition struct {
	Has, Knows int64 // versions of the schema: the database's, and this program's
	Server     int64 // version of PostgreSQL, such as 150004; 0: it is SQLite

	// Skew is how far the clock of PostgreSQL's host is ahead of this one's, give
	// or take Within.
	Skew, Within time.Duration

	Unserved error // why no server works with it: a move has left it, or has not ended; nil: one does
}

// Condition looks at the database.
func (s *Store) Condition(ctx context.Context) (Condition, error) {
	var c Condition
	var err error
	if c.Knows, err = s.knows(); err != nil {
		return c, err
	}
	if err := s.reader.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version`).Scan(&c.Has); err != nil {
		return c, wrap("version of the database", err)
	}
	_, c.Unserved = s.unserved(ctx)
	if s.dialect.goose == goose.DialectSQLite3 {
		return c, nil
	}
	var ms int64
	begun := time.Now()
	err = s.reader.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::bigint,
		(extract(epoch FROM clock_timestamp()) * 1000)::bigint`).Scan(&c.Server, &ms)
	c.Within = time.Since(begun) / 2
	c.Skew = time.UnixMilli(ms).Sub(begun.Add(c.Within))
	return c, wrap("clock of the database", err)
}

// knows is the newest of the migrations.
func (s *Store) knows() (version int64, err error) {
	entries, err := fs.ReadDir(migrations, s.dialect.migrations)
	if err != nil {
		return 0, wrap("migrations", err)
	}
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, wrap("migrations", err)
		}
		version = max(version, n)
	}
	return version, nil
}

// IsServed says whether a server works with the database at the path, or with
// the folder of one on PostgreSQL.
func IsServed(path string) (bool, error) {
	f, err := os.Open(path + ".lock")
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("store: look at the lock: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	held := errors.Is(err, unix.EWOULDBLOCK)
	if held {
		err = nil
	}
	return held, wrap("look at the lock", errors.Join(err, f.Close()))
}

// UsedPlace is a bucket or a stream that destinations have.
type UsedPlace struct{ Region, Bucket, Stream string }

// UsedPlaces lists the places of all destinations, each once.
func (s *Store) UsedPlaces(ctx context.Context) ([]UsedPlace, error) {
	return list(ctx, s.reader, "list places", func(row scanner) (p UsedPlace, err error) {
		return p, row.Scan(&p.Region, &p.Bucket, &p.Stream)
	}, `SELECT DISTINCT region, bucket, stream FROM ingestion_destination ORDER BY region, bucket, stream`)
}

// UsedTenant is a tenant of an application that somebody has authorized.
type UsedTenant struct{ App, Tenant string }

// UsedTenants lists the tenants of all authorizations, each once.
func (s *Store) UsedTenants(ctx context.Context) ([]UsedTenant, error) {
	return list(ctx, s.reader, "list tenants", func(row scanner) (t UsedTenant, err error) {
		return t, row.Scan(&t.App, &t.Tenant)
	}, `SELECT DISTINCT app, tenant_id FROM app_authorization ORDER BY app, tenant_id`)
}

// UsedKey is a KMS key, with one of the bundles that name it.
type UsedKey struct{ KeyARN, BundleID string }

// UsedKeys lists the KMS keys of all bundles, each once.
func (s *Store) UsedKeys(ctx context.Context) ([]UsedKey, error) {
	return list(ctx, s.reader, "list KMS keys", func(row scanner) (k UsedKey, err error) {
		return k, row.Scan(&k.KeyARN, &k.BundleID)
	}, `SELECT key_arn, min(id) FROM app_bundle WHERE key_arn <> '' GROUP BY key_arn ORDER BY key_arn`)
}
