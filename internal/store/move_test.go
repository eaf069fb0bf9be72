package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// used opens a database that the test closes itself.
func used(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// everything makes a SQLite database with rows in all tables that there are,
// whatever they are: n of each that nothing refers to, made from the declarations of their columns.
func everything(t *testing.T, path string, n int) (tables []string) {
	t.Helper()
	s := used(t, path)
	if _, _, err := s.InitMeta(t.Context(), store.MetaMasterCheck, []byte("check"), store.MetaSeed, []byte("seed")); err != nil {
		t.Fatal(err)
	}
	db := s.Writer()
	if _, err := db.ExecContext(t.Context(), `PRAGMA foreign_keys = OFF`); err != nil {
		t.Fatal(err)
	}
	type column struct{ name, kind string }
	columns := map[string][]column{}
	rows, err := db.QueryContext(t.Context(), `SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name <> 'goose_db_version' ORDER BY m.name, c.cid`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table string
		var c column
		if err := rows.Scan(&table, &c.name, &c.kind); err != nil {
			t.Fatal(err)
		}
		if columns[table] == nil {
			tables = append(tables, table)
		}
		columns[table] = append(columns[table], c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	_ = rows.Close()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	for _, table := range tables {
		for i := range n {
			var names, marks []string
			var values []any
			for _, c := range columns[table] {
				names, marks = append(names, c.name), append(marks, "?")
				switch {
				case c.kind == "TEXT": // what refers to another row refers to one that is there
					values = append(values, fmt.Sprintf("row %d é \"%s\"", i, strings.Repeat("x", i%7)))
				case c.kind == "BLOB" && i == 0:
					values = append(values, []byte{})
				case c.kind == "BLOB":
					values = append(values, fmt.Appendf([]byte{0, 255, 1}, "%d", i))
				case c.name == "due_at" && i%2 == 0:
					values = append(values, nil)
				default:
					values = append(values, int64(i)*1_000_003+1)
				}
			}
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO "`+table+`" (`+strings.Join(names, ", ")+`) VALUES (`+strings.Join(marks, ", ")+`)`, values...); err != nil {
				t.Fatalf("%s: %v", table, err)
			}
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return tables
}

// contents reads all rows of some tables, each as text. They are sorted.
func contents(t *testing.T, driver, url string, tables []string) map[string][]string {
	t.Helper()
	db, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all := map[string][]string{}
	for _, table := range tables {
		q := `SELECT * FROM "` + table + `"`
		if table == "meta" {
			q += ` WHERE name <> 'move'`
		}
		rows, err := db.QueryContext(t.Context(), q+` ORDER BY 1, 2, 3`)
		if table == "meta" || table == "stream_number" || err != nil {
			rows, err = db.QueryContext(t.Context(), q+` ORDER BY 1, 2`)
		}
		if err != nil {
			t.Fatal(err)
		}
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values, into := make([]any, len(names)), make([]any, len(names))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			row := map[string]any{}
			for i, v := range values {
				if b, ok := v.([]byte); ok {
					v = fmt.Sprintf("bytes %x", b)
				}
				row[names[i]] = v
			}
			all[table] = append(all[table], fmt.Sprint(row))
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestMove moves a database with rows in every table that the migrations make,
// cut off again and again.
func TestMove(t *testing.T) {
	t.Parallel()
	path, url := filepath.Join(t.TempDir(), "selvedge.db"), storetest.PostgreSQL(t)
	tables := everything(t, path, 15)
	cut, seen := 0, map[string]bool{}
	for {
		ctx, cancel := context.WithCancel(t.Context())
		err := store.Move(ctx, store.MoveOptions{Path: path, URL: url, Progress: func(table string, done, total int64) {
			if done == total && !seen[table] {
				seen[table] = true
				cancel()
			}
		}})
		cancel()
		if err == nil {
			break
		}
		if cut++; cut > len(tables) || !errors.Is(err, context.Canceled) {
			t.Fatalf("after %d tables: %v", len(seen), err)
		}
		if _, err := store.Open(t.Context(), store.Options{URL: url}); err == nil || !strings.Contains(err.Error(), "has not ended") {
			t.Fatalf("a server works with half of a database: %v", err)
		}
	}
	if cut != len(tables) || len(tables) < 20 {
		t.Errorf("%d tables were moved, in %d runs", len(tables), cut)
	}
	if diff := cmp.Diff(contents(t, "sqlite", path, tables), contents(t, "pgx", url, tables)); diff != "" {
		t.Errorf("rows (-SQLite +PostgreSQL):\n%s", diff)
	}
	if _, err := store.Open(t.Context(), store.Options{Path: path}); err == nil || !strings.Contains(err.Error(), "was moved to the database") {
		t.Errorf("a server works with what was moved: %v", err)
	}
	if err := store.Move(t.Context(), store.MoveOptions{Path: path, URL: url}); err == nil || !strings.Contains(err.Error(), "moved already") {
		t.Errorf("a second move = %v", err)
	}
	openURL(t, url, nil)
	numbersGoOn(t, url)
}

// numbersGoOn sees that no number comes again that the source had given.
func numbersGoOn(t *testing.T, url string) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, column := range []string{"page.seq", "gap.seq", "grant_event.seq", "stream_number.no"} {
		table, name, _ := strings.Cut(column, ".")
		var highest, next int64
		err := db.QueryRowContext(t.Context(), `SELECT (SELECT max(`+name+`) FROM `+table+`), nextval(pg_get_serial_sequence('`+table+`', '`+name+`'))`).Scan(&highest, &next)
		if err != nil || next <= highest {
			t.Errorf("%s: the highest is %d and the next %d, %v", column, highest, next, err)
		}
	}
}

// TestMoveOfManyRows goes on within a table.
func TestMoveOfManyRows(t *testing.T) {
	t.Parallel()
	path, url := filepath.Join(t.TempDir(), "selvedge.db"), storetest.PostgreSQL(t)
	s := used(t, path)
	if _, _, err := s.InitMeta(t.Context(), store.MetaMasterCheck, []byte("check"), store.MetaSeed, []byte("seed")); err != nil {
		t.Fatal(err)
	}
	const n = 25_000
	if _, err := s.Writer().ExecContext(t.Context(), `WITH RECURSIVE k (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < ?)
		INSERT INTO seen (stream_no, hour, seq, changed, ids) SELECT 1, i % 24, i, 0, cast(printf('%016d', i * 7919 % 1000000) AS BLOB) FROM k`, n); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var from []int64
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		from = append(from, math.MaxInt64)
		err := store.Move(ctx, store.MoveOptions{Path: path, URL: url, Progress: func(table string, done, _ int64) {
			if table == "seen" {
				from[len(from)-1] = min(from[len(from)-1], done)
				if done >= 10_000 && len(from) == 1 {
					cancel()
				}
			}
		}})
		cancel()
		if (err != nil) != (len(from) == 1) {
			t.Fatalf("run %d: %v", len(from), err)
		}
	}
	if from[0] != 0 || from[1] < 10_000 || from[1] >= n {
		t.Errorf("the runs began at %v", from)
	}
	if diff := cmp.Diff(contents(t, "sqlite", path, []string{"seen"}), contents(t, "pgx", url, []string{"seen"})); diff != "" {
		t.Errorf("rows (-SQLite +PostgreSQL):\n%s", diff)
	}
}

// TestMoveBeginsAnew: a server that has worked with the source in between makes
// of what was copied something old.
func TestMoveBeginsAnew(t *testing.T) {
	t.Parallel()
	path, url := filepath.Join(t.TempDir(), "selvedge.db"), storetest.PostgreSQL(t)
	tables := everything(t, path, 3)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := store.Move(ctx, store.MoveOptions{Path: path, URL: url, Progress: func(table string, done, total int64) {
		if table == "tag" && done == total {
			cancel()
		}
	}})
	if err == nil {
		t.Fatal("it was not cut off")
	}
	s := used(t, path)
	if _, err := s.Writer().ExecContext(t.Context(), `UPDATE tag SET tag_value = 'new' WHERE tag_value LIKE 'row 1%'`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := store.Move(t.Context(), store.MoveOptions{Path: path, URL: url}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(contents(t, "sqlite", path, tables), contents(t, "pgx", url, tables)); diff != "" {
		t.Errorf("rows (-SQLite +PostgreSQL):\n%s", diff)
	}
}

// TestMoveEndsAtLast: killed between the marks of the end, it ends when it is run
// again.
func TestMoveEndsAtLast(t *testing.T) {
	t.Parallel()
	path, url := filepath.Join(t.TempDir(), "selvedge.db"), storetest.PostgreSQL(t)
	everything(t, path, 2)
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	// A view on the table keeps it from being dropped.
	err = store.Move(t.Context(), store.MoveOptions{Path: path, URL: url, Progress: func(string, int64, int64) {
		if _, err := db.ExecContext(t.Context(), `CREATE OR REPLACE VIEW holds AS SELECT * FROM selvedge_move`); err != nil {
			t.Error(err)
		}
	}})
	if err == nil {
		t.Fatal("it has ended")
	}
	for _, o := range []store.Options{{Path: path}, {URL: url}} {
		if s, err := store.Open(t.Context(), o); err == nil {
			t.Errorf("a server works with a database of a move at its end: %+v", o)
			_ = s.Close()
		}
	}
	if _, err := db.ExecContext(t.Context(), `DROP VIEW holds`); err != nil {
		t.Fatal(err)
	}
	if err := store.Move(t.Context(), store.MoveOptions{Path: path, URL: url}); err != nil {
		t.Fatal(err)
	}
	openURL(t, url, nil)
}

func TestMoveRefuses(t *testing.T) {
	t.Parallel()
	made := func(t *testing.T) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "selvedge.db")
		everything(t, path, 1)
		return path
	}
	tests := []struct {
		name string
		lay  func(t *testing.T) store.MoveOptions
		want string
	}{
		{"no source", func(t *testing.T) store.MoveOptions {
			return store.MoveOptions{Path: filepath.Join(t.TempDir(), "selvedge.db"), URL: storetest.PostgreSQL(t)}
		}, "there is no SQLite database"},
		{"a source in use", func(t *testing.T) store.MoveOptions {
			path := filepath.Join(t.TempDir(), "selvedge.db")
			storetest.Open(t, path, nil)
			return store.MoveOptions{Path: path, URL: storetest.PostgreSQL(t)}
		}, "held by another selvedge process"},
		{"a source without anything", func(t *testing.T) store.MoveOptions {
			path := filepath.Join(t.TempDir(), "selvedge.db")
			_ = used(t, path).Close()
			return store.MoveOptions{Path: path, URL: storetest.PostgreSQL(t)}
		}, "nothing to move"},
		{"a target in use", func(t *testing.T) store.MoveOptions {
			url := storetest.PostgreSQL(t)
			if _, err := openURL(t, url, nil).SetMetaOnce(t.Context(), "x", []byte("y")); err != nil {
				t.Fatal(err)
			}
			return store.MoveOptions{Path: made(t), URL: url}
		}, "not empty"},
		{"a target of another program", func(t *testing.T) store.MoveOptions {
			url := storetest.PostgreSQL(t)
			db, err := sql.Open("pgx", url)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.ExecContext(t.Context(), `CREATE TABLE cats (name TEXT)`); err != nil {
				t.Fatal(err)
			}
			return store.MoveOptions{Path: made(t), URL: url}
		}, "tables of another program"},
		{"the beginning of another's move", func(t *testing.T) store.MoveOptions {
			url := storetest.PostgreSQL(t)
			ctx, cancel := context.WithCancel(t.Context())
			path := made(t)
			s := used(t, path)
			if _, err := s.SwapMeta(t.Context(), store.MetaSeed, []byte("seed"), []byte("another")); err != nil {
				t.Fatal(err)
			}
			_ = s.Close()
			_ = store.Move(ctx, store.MoveOptions{Path: path, URL: url, Progress: func(string, int64, int64) { cancel() }})
			return store.MoveOptions{Path: made(t), URL: url}
		}, "another installation"},
		{"no target", func(t *testing.T) store.MoveOptions {
			return store.MoveOptions{Path: made(t), URL: "postgres://u:hunter22@127.0.0.1:1/d"}
		}, "connect to PostgreSQL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := store.Move(t.Context(), tt.lay(t))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter22") {
				t.Errorf("Move = %v, want %q", err, tt.want)
			}
		})
	}
}

// TestMoveCompares: a row that is not what it was in the source is found.
func TestMoveCompares(t *testing.T) {
	t.Parallel()
	path, url := filepath.Join(t.TempDir(), "selvedge.db"), storetest.PostgreSQL(t)
	everything(t, path, 3)
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = store.Move(t.Context(), store.MoveOptions{Path: path, URL: url, Progress: func(table string, done, total int64) {
		if table == "tag" && done == total {
			if _, err := db.ExecContext(t.Context(), `UPDATE tag SET tag_value = tag_value || 'x' WHERE tag_key LIKE 'row 1%'`); err != nil {
				t.Error(err)
			}
		}
	}})
	if err == nil || !strings.Contains(err.Error(), "tag: SQLite has 3 rows and PostgreSQL 3, or others") {
		t.Errorf("Move = %v", err)
	}
	if s, err := store.Open(t.Context(), store.Options{URL: url}); err == nil {
		_ = s.Close()
		t.Error("a server works with it")
	}
}
