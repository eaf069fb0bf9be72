package pipeline_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// TestEqualRecordsWithoutAnID: two equal records that are both shown are both
// delivered, on one page or on two, and reading them again delivers neither.
func TestEqualRecordsWithoutAnID(t *testing.T) {
	t.Parallel()
	r := newRig(t, onStream(byTime))
	same := connector.Record{Time: r.clock().Add(-time.Minute), Raw: []byte(`{"no":"id"}`)}
	done := connector.Cursor{From: r.clock()}
	twice := []connector.Record{same, same}
	r.script.will(connector.Page{Records: twice, Next: behind("a")}, nil)
	r.script.will(connector.Page{}, failure(connector.Unavailable)) // and the process may have gone
	r.script.will(connector.Page{Records: twice[:1], Next: done, Done: true}, nil)
	retry := r.poll()
	r.pass(retry.After)
	r.poll()
	r.deliverAll()
	if got := r.lines(r.made.Destinations[0]); len(got) != 3 {
		t.Errorf("%d lines after the first walk, want 3: %v", len(got), got)
	}
	r.pass(time.Minute)
	r.script.will(connector.Page{Records: []connector.Record{same, same, same}, Next: done, Done: true}, nil)
	r.poll()
	r.deliverAll()
	if got := r.lines(r.made.Destinations[0]); len(got) != 3 {
		t.Errorf("%d lines, want 3: %v", len(got), got)
	}
}

// TestAMonthLeavesTheTablesFlat: what is kept does not grow with time, in any table
// but the two whose rows are kept for 90 days (grant_event and access_key).
func TestAMonthLeavesTheTablesFlat(t *testing.T) {
	t.Parallel()
	f := &feed{spec: connector.Stream{PageMax: 100, Overlap: time.Hour}}
	const every = 4 * time.Hour
	r := newRig(t, onFeed(f), func(_ *storetest.Spec, r *rig) { r.interval = every })
	start, day := r.clock(), 24*time.Hour
	f.events = trace(7, 1500, start, 30*day)
	got := newTally(t, r.clock)
	r.buckets.to = got
	var early, late map[string]int64
	for r.clock().Before(start.Add(30 * day)) {
		if since := r.clock().Sub(start); since%day == 0 {
			r.everyDay(int(since / day))
		}
		r.work(nil)
		r.pass(every)
		switch r.clock().Sub(start) {
		case 10 * day:
			early = r.sizes()
		case 30 * day:
			late = r.sizes()
		}
	}
	for table, n := range late {
		if was := early[table]; n > was+was/3+5 {
			t.Errorf("%s: %d rows after 10 days, %d after 30", table, was, n)
		}
	}
	for _, table := range []string{"seen", "client_token", "tag", "user_access_task", "pace", "backfill", "delivery"} {
		if late[table] == 0 {
			t.Errorf("%s is empty: the month has not used it", table)
		}
	}
	if late["coverage"] != 1 {
		t.Errorf("%d intervals after a month, want one", late["coverage"])
	}
}

// everyDay does what users do of a day: a destination is made and the one of the
// day before deleted, a user is searched for, a backfill asked for, another tenant
// called.
func (r *rig) everyDay(n int) {
	r.t.Helper()
	ctx, c, now := r.t.Context(), storetest.Caller(), r.clock()
	ing, bundle := r.made.Ingestion, r.made.Bundle.ID
	must := func(err error) {
		r.t.Helper()
		if err != nil {
			r.t.Fatal(err)
		}
	}
	if n > 0 {
		must(r.store.DeleteIngestionDestination(ctx, c, bundle, ing.ID, r.extra.ID))
	}
	var err error
	r.extra, err = r.store.CreateIngestionDestination(ctx, c, fabric.IngestionDestination{
		ID: uuid.NewString(), BundleID: bundle, IngestionID: ing.ID, Account: ing.Account, Region: ing.Region,
		Processing: rawJSON(), Place: fabric.Place{Bucket: "audit-logs"}, Status: fabric.Active, CreatedAt: now, UpdatedAt: now,
	}, store.Terms{
		Tags: []fabric.Tag{{Key: "day", Value: strconv.Itoa(n)}},
		Once: store.Once{Operation: "CreateIngestionDestination", Token: uuid.NewString(), RequestKey: "k"},
	})
	must(err)
	task := fabric.UserAccessTask{ID: uuid.NewString(), BundleID: bundle, AuthorizationID: r.made.Authorization.ID, CreatedAt: now}
	_, err = r.store.CreateUserAccessTasks(ctx, c, bundle, []store.UserAccess{{UserAccessTask: task, SealedEmail: []byte("sealed")}})
	must(err)
	_, err = r.store.StartBackfill(ctx, c, bundle, ing.ID, []store.Backfill{{
		ID: uuid.NewString(), RunID: uuid.NewString(), StreamID: r.made.StreamIDs[0], Kind: store.BackfillAsked,
		Interval: store.Interval{From: now.Add(-2 * time.Hour), To: now}, CreatedAt: now,
	}})
	must(err)
	_, err = r.store.TakePermits(ctx, store.PaceKey{App: "SCRIPT", Tenant: strconv.Itoa(n)}, store.PermitRequest{
		Bucket: store.Bucket{Burst: 2, Every: time.Second}, Want: 1,
	})
	must(err)
}

// sizes counts the rows of all tables.
func (r *rig) sizes() map[string]int64 {
	r.t.Helper()
	n, err := r.store.Sizes(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}
