package store_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// TestOnPostgreSQL runs this package's tests on the second database.
func TestOnPostgreSQL(t *testing.T) {
	t.Parallel()
	storetest.OnPostgreSQL(t, "")
}

func openURL(t *testing.T, url string, now func() time.Time) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: url, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestMigrationsAreTwins(t *testing.T) {
	t.Parallel()
	names := map[string][]string{}
	for _, dir := range []string{"sqlite", "postgres"} {
		entries, err := fs.ReadDir(store.Migrations(), "migrations/"+dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names[dir] = append(names[dir], e.Name())
		}
	}
	if diff := cmp.Diff(names["sqlite"], names["postgres"]); diff != "" {
		t.Errorf("migrations (-sqlite +postgres):\n%s", diff)
	}
}

func TestRebind(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		`SELECT 1`:                              `SELECT 1`,
		`a = ? AND b IN (?, ?)`:                 `a = $1 AND b IN ($2, $3)`,
		`a = '?' AND b = ? AND c = 'it''s ?'`:   `a = '?' AND b = $1 AND c = 'it''s ?'`,
		`SET a = x'', b = ? WHERE c = '' OR ?`:  `SET a = ''::bytea, b = $1 WHERE c = '' OR $2`,
		strings.Repeat("?", 11):                 `$1$2$3$4$5$6$7$8$9$10$11`,
		`UPDATE t SET a = '' WHERE max(a) <> ?`: `UPDATE t SET a = '' WHERE max(a) <> $1`,
	} {
		if got := store.Rebind(query); got != want {
			t.Errorf("rebind(%s) = %s, want %s", query, got, want)
		}
	}
}

func TestReplicasStartTogether(t *testing.T) {
	t.Parallel()
	url := storetest.PostgreSQL(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { openURL(t, url, nil) })
	}
	wg.Wait()
}

func TestPostgreSQLRefuses(t *testing.T) {
	t.Parallel()
	url := storetest.PostgreSQL(t)
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE cats (name TEXT)`); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ url, want string }{
		{url, "tables of another program"},
		{"postgres://selvedge:hunter22@127.0.0.1:1/selvedge", "connect to PostgreSQL"},
		{"postgres://selvedge:hunter22@127.0.0.1:port/selvedge", "store: "},
	} {
		s, err := store.Open(t.Context(), store.Options{URL: tt.url})
		if err == nil {
			_ = s.Close()
			t.Fatalf("opened %s", tt.url)
		}
		if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter22") {
			t.Errorf("error %q, want one that says %q and no password", err, tt.want)
		}
	}
}

func TestACommitWaitsForTheDisk(t *testing.T) {
	t.Parallel()
	url := storetest.PostgreSQL(t)
	for setting, want := range map[string]string{"off": "on", "on": "on", "remote_apply": "remote_apply"} {
		s := openURL(t, url+"&synchronous_commit="+setting, nil)
		if got := s.Setting(t, "synchronous_commit"); got != want {
			t.Errorf("with a default of %s: synchronous_commit = %s, want %s", setting, got, want)
		}
	}
}

// TestLeasesRunByTheClockOfTheDatabase has two replicas whose clocks are an hour
// apart, either way.
func TestLeasesRunByTheClockOfTheDatabase(t *testing.T) {
	t.Parallel()
	url := storetest.PostgreSQL(t)
	right := openURL(t, url, nil)
	storetest.Make(t, right, storetest.Spec{Destinations: []fabric.Processing{rawJSON}})
	for _, skew := range []time.Duration{-time.Hour, time.Hour} {
		wrong := openURL(t, url, nil)
		wrong.Skew(skew)
		held := claimOne(t, right, store.DutyPoll)
		noClaim(t, wrong, store.DutyPoll)
		if err := right.Finish(t.Context(), held, time.Now().Add(-time.Second)); err != nil {
			t.Fatal(err)
		}
		held = claimOne(t, wrong, store.DutyPoll)
		if late := time.Now().Add(skew).Sub(held.Due); late < 0 || late > time.Minute {
			t.Errorf("with a clock %v off, a row that fell due a second ago is %v late", skew, late)
		}
		noClaim(t, right, store.DutyPoll)
		if err := wrong.Renew(t.Context(), held, 5*time.Second); err != nil {
			t.Fatal(err)
		}
		noClaim(t, right, store.DutyPoll)
		if err := wrong.Finish(t.Context(), held, time.Now().Add(skew+10*time.Minute)); err != nil {
			t.Fatal(err)
		}
		for s, now := range map[*store.Store]time.Time{right: time.Now(), wrong: time.Now().Add(skew)} {
			next, ok, err := s.NextDue(t.Context(), store.DutyPoll)
			if wait := next.Sub(now); err != nil || !ok || wait < 9*time.Minute || wait > 11*time.Minute {
				t.Errorf("with a clock %v off, the next row is due in %v, %v, %v; want ten minutes", skew, wait, ok, err)
			}
		}
		if err := right.Wake(t.Context(), store.DutyPoll, held.ID); err != nil {
			t.Fatal(err)
		}
		second := claimOne(t, right, store.DutyPoll)
		if err := wrong.Finish(t.Context(), held, time.Now()); !errors.Is(err, store.ErrFenced) {
			t.Errorf("an old claim still writes: %v", err)
		}
		if err := right.Finish(t.Context(), second, time.Now().Add(-time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTextThatCannotBeStored: it is taken, not answered with an error.
func TestTextThatCannotBeStored(t *testing.T) {
	t.Parallel()
	s, c := openURL(t, storetest.PostgreSQL(t), nil), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{})
	a := another(r, "two")
	a.Tenant.DisplayName = "a\x00b\xffc"
	if err := create(t, s, a); err != nil {
		t.Fatal(err)
	}
	got, err := s.GetAppAuthorization(t.Context(), c, a.BundleID, a.ID)
	if err != nil || got.Tenant.DisplayName != "a\uFFFDb\uFFFDc" {
		t.Errorf("stored %q, %v", got.Tenant.DisplayName, err)
	}
}
