package store

import (
	"io/fs"
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
