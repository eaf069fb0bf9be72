package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		lay  func(t *testing.T, path string)
		want string
	}{
		{"a second process", func(t *testing.T, path string) {
			t.Helper()
			storetest.Open(t, path, nil)
		}, "held by another selvedge process"},
		{"another program's database", func(t *testing.T, path string) {
			t.Helper()
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.ExecContext(t.Context(), `CREATE TABLE cats (name TEXT)`); err != nil {
				t.Fatal(err)
			}
		}, "database of another program"},
		{"no database", func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path, []byte(strings.Repeat("this is no database\n", 100)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "cannot be read as a SQLite database"},
		{"a folder that is not there", func(t *testing.T, path string) {
			t.Helper()
			if err := os.Remove(filepath.Dir(path)); err != nil {
				t.Fatal(err)
			}
		}, "no such file or directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "data", "selvedge.db")
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			tt.lay(t, path)
			s, err := store.Open(t.Context(), store.Options{Path: path, Now: time.Now})
			if err == nil {
				_ = s.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q does not say %q", err, tt.want)
			}
		})
	}
}

func TestOpenMakesAPrivateFileAndOpensItAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "selvedge.db")
	for range 2 {
		s, err := store.Open(t.Context(), store.Options{Path: path, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v; want 0600", info.Mode(), err)
	}
}

// TestDurability holds the settings that invariant 2 of the design names.
func TestDurability(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "selvedge.db")
	s := storetest.Open(t, path, nil)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "auto_vacuum": "2", "foreign_keys": "1"} {
		if got := s.Pragma(t, pragma); got != want {
			t.Errorf("PRAGMA %s = %s, want %s", pragma, got, want)
		}
	}
}
