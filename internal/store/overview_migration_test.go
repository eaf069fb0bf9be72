package store_test

import (
	"database/sql"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// What the overview goes by is filled in for what an older version has written.
func TestTheOverviewOfAnOlderDatabase(t *testing.T) {
	t.Parallel()
	path, now := filepath.Join(t.TempDir(), "selvedge.db"), time.Now().UTC().Truncate(time.Hour).Add(time.Minute)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := fs.Sub(store.Migrations(), "migrations/sqlite")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	c, ms := storetest.Caller(), now.UnixMilli()
	for _, q := range []struct {
		sql  string
		args []any
	}{
		{`PRAGMA application_id = 1399155830`, nil},
		{`INSERT INTO app_bundle VALUES ('b', ?, ?, '', x'00', ?)`, []any{c.Account, c.Region, ms}},
		{`INSERT INTO app_authorization (id, bundle_id, account, region, app, tenant_id, tenant_name, auth_type, status, reason,
			generation, credential, verifier, verifier_no, created_at, updated_at)
			SELECT id, 'b', ?, ?, 'OKTA', tenant, tenant, 'oauth2', 'Connected', '', 1, x'', x'', 1, ?, ?
			FROM (SELECT 'a1' AS id, 'one' AS tenant UNION SELECT 'a2', 'two')`, []any{c.Account, c.Region, ms, ms}},
		{`INSERT INTO ingestion (id, bundle_id, account, region, app, tenant_id, type, state, created_at, updated_at)
			VALUES ('i1', 'b', ?, ?, 'OKTA', 'one', 'auditLog', 'enabled', ?, ?)`, []any{c.Account, c.Region, ms, ms}},
		{`INSERT INTO ingestion_destination (id, bundle_id, ingestion_id, account, region, schema_name, format, bucket, prefix, stream,
			status, reason, created_at, updated_at) VALUES ('d1', 'b', 'i1', ?, ?, 'raw', 'json', 'logs', '', '', 'Active', '', ?, ?)`,
			[]any{c.Account, c.Region, ms, ms}},
		{`INSERT INTO batch (id, ingestion_id, stream, closed_at, records, bytes) VALUES ('x', 'i1', 's', ?, 3, 3), ('y', 'i1', 's', ?, 4, 4), ('z', 'i1', 's', 0, 9, 9)`,
			[]any{ms, ms + 1}},
	} {
		if _, err := db.ExecContext(t.Context(), q.sql, q.args...); err != nil {
			t.Fatalf("%s: %v", q.sql, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	o, err := storetest.Open(t, path, nil).Overview(t.Context(), c, overviewInput(now))
	if err != nil || len(o.Connections) != 2 {
		t.Fatal(o, err)
	}
	first, second := o.Connections[0], o.Connections[1]
	if first.Authorization.ID != "a2" || first.Standing != fabric.StandingWaiting || first.Ingestion.ID != "" {
		t.Errorf("the one without an ingestion: %+v", first)
	}
	if second.Ingestion.ID != "i1" || second.Standing != fabric.StandingCollecting || second.Destinations != 1 {
		t.Errorf("the one with an ingestion: %+v", second)
	}
	want := []store.Volume{{Hour: now.Truncate(time.Hour), Records: 7}}
	if d := cmp.Diff(want, second.Volumes); d != "" {
		t.Errorf("volume (-want +got):\n%s", d)
	}
}
