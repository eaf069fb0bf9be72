package store_test

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/store/storetest"
)

// TestStatementWithinItself runs a statement while rows of the same one are
// being read over the same connection.
func TestStatementWithinItself(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, nil)
	if !s.IsSQLite() {
		return
	}
	tx, err := s.Writer().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	var got [][]int
	for range 2 {
		each(t, tx, 3, func(outer int) {
			each(t, tx, 2, func(inner int) { got = append(got, []int{outer, inner}) })
		})
	}
	once := [][]int{{1, 1}, {1, 2}, {2, 1}, {2, 2}, {3, 1}, {3, 2}}
	if diff := cmp.Diff(append(once, once...), got); diff != "" {
		t.Error(diff)
	}
}

// each calls f with 1 to n, one row after the other.
func each(t *testing.T, tx *sql.Tx, n int, f func(int)) {
	t.Helper()
	rows, err := tx.QueryContext(t.Context(), `SELECT column1 FROM (VALUES (1), (2), (3)) WHERE column1 <= ?`, n)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var i int
		if err := rows.Scan(&i); err != nil {
			t.Fatal(err)
		}
		f(i)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// TestStatementOfAnotherSchema runs a statement before and after its table is
// another.
func TestStatementOfAnotherSchema(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, nil)
	if !s.IsSQLite() {
		return
	}
	var got []int
	for _, change := range []string{`CREATE TABLE other (a)`, `ALTER TABLE other ADD COLUMN b`, `DROP TABLE other`, `CREATE TABLE other (c)`} {
		if _, err := s.Writer().ExecContext(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		got = append(got, columns(t, s.Writer()))
	}
	if diff := cmp.Diff([]int{1, 2, 0, 1}, got); diff != "" {
		t.Error(diff)
	}
}

// columns counts those of the table; 0: there is no table.
func columns(t *testing.T, db *sql.DB) int {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT * FROM other`)
	if err != nil {
		return 0
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err := errors.Join(err, rows.Err()); err != nil {
		t.Fatal(err)
	}
	return len(names)
}
