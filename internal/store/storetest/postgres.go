package storetest

import (
	"bytes"
	"context"
	"database/sql"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"selvedge/internal/store"
)

// The environment of tests.
const (
	envServer = "SELVEDGE_TEST_DATABASE_URL" // of the PostgreSQL server; each test has a schema of its own there
	envRerun  = "SELVEDGE_TEST_ON_POSTGRESQL"
)

const defaultServer = "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"

// Options are those of an empty store of the test's own, which can be opened
// over and over: see New.
func Options(tb testing.TB, now func() time.Time) store.Options {
	tb.Helper()
	o := Nothing(tb, now)
	if o.Path != "" {
		Lay(tb, o.Path)
	}
	return o
}

// Nothing are the options of a store of the test's own that is not there yet.
func Nothing(tb testing.TB, now func() time.Time) store.Options {
	tb.Helper()
	if os.Getenv(envRerun) == "" {
		return store.Options{Path: filepath.Join(tb.TempDir(), "selvedge.db"), Now: now}
	}
	return store.Options{URL: PostgreSQL(tb), Now: now}
}

// OnPostgreSQL runs the tests of the calling test's package once more, with New
// on PostgreSQL, but for those whose names match the pattern skip. It is to be
// called by a test that does nothing else.
func OnPostgreSQL(t *testing.T, skip string) {
	t.Helper()
	if os.Getenv(envRerun) != "" {
		return
	}
	PostgreSQL(t) // or the test is skipped
	args := []string{"-test.run=^Test", "-test.timeout=15m"}
	if skip != "" {
		args = append(args, "-test.skip="+skip)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), envRerun+"=yes")
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("PASS")) {
		t.Errorf("the tests on PostgreSQL: %v\n%s", err, out)
	}
}

// PostgreSQL returns the URL of an empty database, which is removed when the
// test ends. Where there is no server the test is skipped; in CI it fails.
func PostgreSQL(tb testing.TB) string {
	tb.Helper()
	server := os.Getenv(envServer)
	if server == "" {
		server = defaultServer
	}
	db, err := sql.Open("pgx", server)
	if err != nil {
		tb.Fatalf("%s: %v", envServer, err)
	}
	schema := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if _, err := db.ExecContext(tb.Context(), `CREATE SCHEMA `+schema); err != nil {
		_ = db.Close()
		if os.Getenv("CI") != "" {
			tb.Fatalf("PostgreSQL is required in CI, at %s: %v", envServer, err)
		}
		tb.Skipf("this machine has no PostgreSQL server: %v", err)
	}
	tb.Cleanup(func() {
		if _, err := db.ExecContext(context.Background(), `DROP SCHEMA `+schema+` CASCADE`); err != nil {
			tb.Errorf("drop the test's schema: %v", err)
		}
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	u, err := url.Parse(server)
	if err != nil {
		tb.Fatalf("%s: %v", envServer, err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}

// Dump returns all rows of a PostgreSQL database as text, bytes in hexadecimal.
func Dump(tb testing.TB, url string) string {
	tb.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	var dump string
	err = db.QueryRowContext(context.WithoutCancel(tb.Context()), `SELECT string_agg(query_to_xml(format('SELECT t::text FROM %I t', table_name),
		false, false, '')::text, '') FROM information_schema.tables WHERE table_schema = current_schema()`).Scan(&dump)
	if err != nil {
		tb.Fatalf("dump: %v", err)
	}
	return dump
}
