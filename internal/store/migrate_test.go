package store_test

import (
	"database/sql"
	"io/fs"
	"slices"
	"testing"

	"github.com/pressly/goose/v3"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// TestIDsArePacked: what a database of version 7 has taken in is known after its
// migration.
func TestIDsArePacked(t *testing.T) {
	t.Parallel()
	o := storetest.Nothing(t, nil)
	driver, source, dialect, folder := "sqlite", o.Path, goose.DialectSQLite3, "sqlite"
	insert := `INSERT INTO seen (stream_no, hour, id) VALUES (?, ?, ?)`
	if o.URL != "" {
		driver, source, dialect, folder = "pgx", o.URL, goose.DialectPostgres, "postgres"
		insert = store.Rebind(insert)
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Sub(store.Migrations(), "migrations/"+folder)
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(dialect, db, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	if o.URL == "" { // what says whose the file is
		mark := storetest.New(t, nil).Pragma(t, "application_id")
		if _, err := db.ExecContext(t.Context(), `PRAGMA application_id = `+mark); err != nil {
			t.Fatal(err)
		}
	}
	var ids []store.SeenID
	for i := range 500 {
		id := store.SeenID{ID: [16]byte{byte(i), byte(i >> 8)}, Hour: int64(i % 3)} // 167 an hour, zero bytes among them
		ids = append(ids, id)
		if _, err := db.ExecContext(t.Context(), insert, 1, id.Hour, id.ID[:]); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}}) // its stream is the first
	other := store.SeenID{ID: [16]byte{3: 1}, Hour: 2}
	fresh, _, err := s.Unseen(t.Context(), r.StreamIDs[0], append(slices.Clone(ids), other))
	if err != nil || len(fresh) != 1 || !fresh[other.ID] {
		t.Errorf("%d ids are not known (%v), want the one that was never there", len(fresh), err)
	}
	if n, err := s.CountSeen(t.Context(), r.StreamIDs[0], 0, 3, 1<<40); err != nil || n != 500 {
		t.Errorf("CountSeen = %d, %v; want 500", n, err)
	}
	if sizes, err := s.Sizes(t.Context()); err != nil || sizes["seen"] != 6 {
		t.Errorf("%d rows (%v), want two for each hour", sizes["seen"], err)
	}
}
