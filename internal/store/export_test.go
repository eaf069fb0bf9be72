package store

import (
	"context"
	"database/sql"
	"io/fs"
	"runtime"
	"testing"
	"time"
)

// Pragma reads a setting of the writer's connection.
func (s *Store) Pragma(t *testing.T, name string) string {
	t.Helper()
	return s.read(t, `PRAGMA `+name)
}

// Setting reads a setting of PostgreSQL.
func (s *Store) Setting(t *testing.T, name string) string {
	t.Helper()
	return s.read(t, `SELECT current_setting(?)`, name)
}

func (s *Store) read(t *testing.T, query string, args ...any) string {
	t.Helper()
	var v string
	if err := s.writer.QueryRowContext(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// Skew makes the host's clock wrong.
func (s *Store) Skew(d time.Duration) { s.now = func() time.Time { return time.Now().Add(d) } }

// Migrations are the files of both databases.
func Migrations() fs.FS { return migrations }

// Rebind rewrites a statement for PostgreSQL.
func Rebind(query string) string { return rebind(query) }

// IsSQLite says which of the two databases it is.
func (s *Store) IsSQLite() bool { return s.lock != nil }

// Writer is what writes.
func (s *Store) Writer() *sql.DB { return s.writer }

// Break makes every statement of a kind on a table fail, as a crash at that
// point would, until Mend.
func (s *Store) Break(t *testing.T, statement, table string) {
	t.Helper()
	fails := []string{`CREATE TRIGGER broken BEFORE ` + statement + ` ON ` + table + ` BEGIN SELECT RAISE(ABORT, 'broken'); END`}
	if s.lock == nil { // PostgreSQL
		fails = []string{
			`CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$`,
			`CREATE TRIGGER broken BEFORE ` + statement + ` ON ` + table + ` EXECUTE FUNCTION broken()`,
		}
	}
	for _, q := range fails {
		if _, err := s.writer.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
}

// Mend ends Break.
func (s *Store) Mend(t *testing.T) {
	t.Helper()
	q := `DROP TRIGGER broken`
	if s.lock == nil {
		q = `DROP FUNCTION broken CASCADE`
	}
	if _, err := s.writer.ExecContext(t.Context(), q); err != nil {
		t.Fatal(err)
	}
}

// Update runs a transaction.
func (s *Store) Update(ctx context.Context, op string, f func(*sql.Tx) error) error {
	return s.update(ctx, op, f)
}

// AwaitWaiting returns when so many transactions wait for SQLite's writer.
func (s *Store) AwaitWaiting(n int) {
	for {
		s.group.mu.Lock()
		waiting := len(s.group.waiting)
		s.group.mu.Unlock()
		if waiting >= n {
			return
		}
		runtime.Gosched()
	}
}

// Commits counts what was committed to SQLite so far.
func (s *Store) Commits(t *testing.T) int64 {
	t.Helper()
	return s.group.commits.Load()
}

// Bytes is what the table of ids takes with its indexes.
func (s *Store) Bytes(t *testing.T) int64 {
	t.Helper()
	query := `SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_schema WHERE tbl_name = 'seen')`
	if s.lock == nil { // PostgreSQL
		query = `SELECT pg_total_relation_size('seen')`
	}
	var n int64
	if err := s.writer.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// HoldBackup is a backup under way, until the function is called.
func (s *Store) HoldBackup() (release func()) {
	s.backing.Lock()
	return s.backing.Unlock
}

// Vacuum does what autovacuum does with the table of ids; SQLite has no need of it.
func (s *Store) Vacuum(t *testing.T) {
	t.Helper()
	if s.lock != nil {
		return
	}
	if _, err := s.writer.ExecContext(t.Context(), `VACUUM seen`); err != nil {
		t.Fatal(err)
	}
}
