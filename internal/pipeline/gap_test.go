package pipeline_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"selvedge/connector"
	"selvedge/internal/outbound"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

func (r *rig) sweep() {
	r.t.Helper()
	c := r.claim(store.DutySweep)
	if err := r.sweeper.Run(r.t.Context(), c); err != nil {
		r.t.Fatal(err)
	}
}

// TestAGapHealsByItself: a page that could not be decoded for a day is a gap; when
// the provider gives it after all, what was missing is delivered and the gap gone.
func TestAGapHealsByItself(t *testing.T) {
	t.Parallel()
	f := &feed{spec: connector.Stream{PageMax: 10, Overlap: time.Hour}}
	r := newRig(t, onFeed(f))
	start := r.clock()
	got := newTally(t, r.clock)
	r.buckets.to = got
	for h := range 30 {
		at := start.Add(time.Duration(h) * time.Hour)
		f.events = append(f.events, event{at, at})
	}
	f.fault = func() error {
		if r.clock().Sub(start) < 36*time.Hour {
			bad := failure(connector.Malformed)
			bad.Body = []byte("<html>")
			return bad
		}
		return nil
	}
	for r.clock().Sub(start) < 34*time.Hour {
		r.work(nil)
		r.pass(10 * time.Minute)
	}
	gaps, err := r.store.Gaps(t.Context(), r.made.StreamIDs[0])
	if err != nil || len(gaps) == 0 {
		t.Fatalf("gaps = %v, %v; want one after a day", gaps, err)
	}
	for r.clock().Sub(start) < 80*time.Hour {
		r.work(nil)
		r.pass(10 * time.Minute)
	}
	if gaps, err = r.store.Gaps(t.Context(), r.made.StreamIDs[0]); err != nil || len(gaps) != 0 {
		t.Errorf("gaps = %+v, %v; want none", gaps, err)
	}
	for i := range f.events {
		if n := got.got[r.made.Destinations[0].ID][i]; n != 1 {
			t.Errorf("event %d was delivered %d times", i, n)
		}
	}
	if r.seen.told["gap found"] == 0 || r.seen.told["gap healed"] == 0 {
		t.Errorf("told %v", r.seen.told)
	}
}

// TestWhatTheProviderNoLongerHasIsAGap: an outage longer than the provider keeps
// records leaves a gap with a name, once, and reading goes on behind it.
func TestWhatTheProviderNoLongerHasIsAGap(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	f := &feed{spec: connector.Stream{PageMax: 10, Overlap: time.Hour, Retention: 7 * day}}
	r := newRig(t, onFeed(f))
	r.work(nil)
	read := r.stream().Watermark
	r.pass(10 * day)
	f.fault = func() error { return failure(connector.Unavailable) }
	for range 3 {
		r.work(nil)
		r.pass(10 * time.Minute)
	}
	first := r.clock().Add(-7 * day)
	f.fault = nil
	r.work(nil)
	gaps, err := r.store.Gaps(t.Context(), r.made.StreamIDs[0])
	if err != nil || len(gaps) != 1 || !gaps[0].From.Equal(read) || !gaps[0].To.Equal(first) || !gaps[0].TryAt.IsZero() {
		t.Errorf("gaps = %+v, %v; want one from %v to %v", gaps, err, read, first)
	}
	covered, err := r.store.Coverage(t.Context(), r.made.StreamIDs[0])
	if err != nil || len(covered) != 2 {
		t.Errorf("coverage = %+v, %v; want two intervals", covered, err)
	}
}

// TestAnArrivalCursorThatIsLost: with an expired cursor too, what the provider no
// longer has is named; of a feed that is quiet but polled nothing is.
func TestAnArrivalCursorThatIsLost(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, quiet := range []bool{true, false} {
		r := newRig(t, func(_ *storetest.Spec, r *rig) { r.script.retention = 7 * day })
		old := r.clock()
		r.script.will(connector.Page{Next: connector.Cursor{From: old, Token: "a"}, Done: true}, nil)
		r.poll()
		read := r.stream().Watermark
		r.pass(10 * day)
		if quiet {
			r.script.will(connector.Page{Next: connector.Cursor{From: old}, Done: true}, nil)
			r.poll()
			r.pass(time.Minute)
		}
		r.script.will(connector.Page{}, failure(connector.CursorExpired))
		r.script.will(connector.Page{Next: behind("b"), Done: true}, nil)
		r.poll()
		gaps, err := r.store.Gaps(t.Context(), r.made.StreamIDs[0])
		if quiet && len(gaps) != 0 || err != nil {
			t.Errorf("a quiet feed has gaps: %+v, %v", gaps, err)
		}
		if !quiet && (len(gaps) != 1 || !gaps[0].From.Equal(read) || !gaps[0].To.Equal(r.clock().Add(-7*day))) {
			t.Errorf("gaps = %+v, want one from %v", gaps, read)
		}
	}
}

// ask asks for a backfill of the only stream.
func (r *rig) ask(from, to time.Time, again bool) string {
	r.t.Helper()
	run, err := r.store.StartBackfill(r.t.Context(), storetest.Caller(), r.made.Bundle.ID, r.made.Ingestion.ID, []store.Backfill{{
		ID: uuid.NewString(), RunID: uuid.NewString(), StreamID: r.made.StreamIDs[0], Kind: store.BackfillAsked,
		Interval: store.Interval{From: from, To: to}, Again: again, CreatedAt: r.clock(),
	}})
	if err != nil {
		r.t.Fatal(err)
	}
	return run
}

func (r *rig) ran(run string) store.Backfill {
	r.t.Helper()
	rows, err := r.store.BackfillRun(r.t.Context(), storetest.Caller(), r.made.Ingestion.ID, run)
	if err != nil || len(rows) != 1 {
		r.t.Fatalf("BackfillRun = %v, %v", rows, err)
	}
	return rows[0]
}

// TestBackfill reads what the ledger does not show, survives being killed at any
// page, and delivers twice only what is asked for again.
func TestBackfill(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	f := &feed{spec: connector.Stream{PageMax: 3, Overlap: time.Hour, Retention: 90 * day}}
	r := newRig(t, onFeed(f))
	start := r.clock()
	got := newTally(t, r.clock)
	r.buckets.to = got
	for h := range 12 * 24 {
		at := start.Add(-10*day + time.Duration(h)*time.Hour)
		f.events = append(f.events, event{at, at})
	}
	r.work(nil)
	r.pass(time.Minute)
	run := r.ask(start.Add(-5*day), start, false)
	if again := r.ask(start.Add(-5*day), start, false); again != run {
		t.Errorf("the same once more is another backfill: %s, %s", run, again)
	}
	calls := 0
	f.fault = func() error {
		if calls++; calls%5 == 0 {
			panic(errKilled)
		}
		return nil
	}
	for n := 0; r.ran(run).EndedAt.IsZero(); n++ {
		if n > 200 {
			t.Fatalf("it does not end: %+v", r.ran(run))
		}
		r.work(nil)
		r.pass(2 * time.Minute)
	}
	f.fault = nil
	r.work(nil)
	if b := r.ran(run); b.Pages != 38 { // of 114 events, a day at a time, three a page
		t.Errorf("%d pages were read, want those of the hole alone: 38", b.Pages)
	}
	mine := got.got[r.made.Destinations[0].ID]
	for i, e := range f.events {
		want := 0
		if !e.at.Before(start.Add(-5*day)) && !e.at.After(r.clock().Add(-3*time.Minute)) {
			want = 1
		}
		if mine[i] != want {
			t.Errorf("event of %v before the start: delivered %d times, want %d", start.Sub(e.at), mine[i], want)
		}
	}
	covered, err := r.store.Coverage(t.Context(), r.made.StreamIDs[0])
	if err != nil || len(covered) != 1 || !covered[0].From.Equal(start.Add(-5*day)) {
		t.Errorf("coverage = %+v, %v; want one interval", covered, err)
	}

	live := f.calls
	second := r.ask(start.Add(-5*day), start, false)
	r.backfillAll()
	if b := r.ran(second); b.Pages != 0 || f.calls != live {
		t.Errorf("what is covered was read again: %+v", b)
	}
	third := r.ask(start.Add(-2*day), start.Add(-day), true)
	r.backfillAll()
	r.work(nil)
	if b := r.ran(third); b.Records != 24 {
		t.Errorf("again: %+v, want 24 records", b)
	}
	twice := 0
	for _, n := range mine {
		if n == 2 {
			twice++
		}
	}
	if twice != 24 {
		t.Errorf("%d events were delivered twice, want 24", twice)
	}
}

// TestABackfillRestsWithItsIngestion: nothing is read while the ingestion is
// stopped, and it goes on by itself.
func TestABackfillRestsWithItsIngestion(t *testing.T) {
	t.Parallel()
	f := &feed{spec: connector.Stream{PageMax: 3, Overlap: time.Hour}}
	r := newRig(t, onFeed(f))
	r.work(nil)
	run := r.ask(r.clock().Add(-48*time.Hour), r.clock(), false)
	c, b, i := storetest.Caller(), r.made.Bundle.ID, r.made.Ingestion.ID
	if err := r.store.StopIngestion(t.Context(), c, b, i); err != nil {
		t.Fatal(err)
	}
	before := f.calls
	r.pass(time.Hour)
	r.work(nil)
	if f.calls != before || !r.ran(run).EndedAt.IsZero() {
		t.Error("a stopped ingestion was read")
	}
	if err := r.store.StartIngestion(t.Context(), c, b, i); err != nil {
		t.Fatal(err)
	}
	r.backfillAll()
	if r.ran(run).EndedAt.IsZero() {
		t.Errorf("it did not go on: %+v", r.ran(run))
	}
}

// TestAnOldWindowThatCannotBeReadIsAGap: while the live tail is well, what is read
// beside it and fails for ever is named within days, and holds nothing up: other
// windows have their turn, and ids are forgotten.
func TestAnOldWindowThatCannotBeReadIsAGap(t *testing.T) {
	t.Parallel()
	f := &feed{spec: connector.Stream{PageMax: 100, Overlap: time.Hour}}
	r := newRig(t, onFeed(f), func(_ *storetest.Spec, r *rig) { r.interval = time.Hour })
	r.buckets.to = newTally(t, r.clock)
	const days = 20
	for n := range days * 24 * 2 {
		at := r.clock().Add(time.Duration(n) * 30 * time.Minute)
		f.events = append(f.events, event{at, at})
	}
	late := map[time.Time]bool{} // the ends of the old windows that were given up
	for h := range days * 24 {
		f.fault = nil
		r.run(store.DutyPoll, r.poller.Run)
		f.fault = func() error { return failure(connector.Unavailable) }
		r.run(store.DutyBackfill, r.backfill.Run)
		r.deliverAll()
		r.run(store.DutySweep, r.sweeper.Run)
		r.pass(time.Hour)
		gaps, err := r.store.Gaps(t.Context(), r.made.StreamIDs[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range gaps {
			late[g.To] = true
		}
		if h == 60 && len(gaps) == 0 {
			t.Error("after two days and a half no gap is named")
		}
	}
	// Ids are known for three days and a window that may be tried again for eight.
	n, err := r.store.CountSeen(t.Context(), r.made.StreamIDs[0], 0, math.MaxInt64, 100_000)
	if err != nil || n > 14*48 {
		t.Errorf("%d ids are known of %d, %v; want those of 14 days at the most", n, len(f.events), err)
	}
	if len(late) < days/3 {
		t.Errorf("%d old windows had their turn in %d days", len(late), days)
	}
}

// TestAnOldWindowThatEndsTheServerIsAGap: what nobody asked for and ends its process
// each time is named and left alone, so that the windows behind it have their turn. A
// gap that does so stays one.
func TestAnOldWindowThatEndsTheServerIsAGap(t *testing.T) {
	t.Parallel()
	f := &feed{spec: connector.Stream{PageMax: 100, Overlap: time.Hour}}
	r := newRig(t, onFeed(f), func(_ *storetest.Spec, r *rig) { r.interval = time.Hour })
	r.buckets.to = newTally(t, r.clock)
	for n := range 4 * 24 {
		at := r.clock().Add(time.Duration(n) * 30 * time.Minute)
		f.events = append(f.events, event{at, at})
	}
	deaths := 0
	hours := func(n int) []store.Gap {
		for range n * 6 {
			f.fault = nil
			r.run(store.DutyPoll, r.poller.Run)
			f.fault = func() error {
				deaths++
				panic(errKilled)
			}
			r.run(store.DutyBackfill, r.backfill.Run)
			r.deliverAll()
			r.run(store.DutySweep, r.sweeper.Run)
			r.pass(10 * time.Minute)
		}
		gaps, err := r.store.Gaps(t.Context(), r.made.StreamIDs[0])
		if err != nil || len(gaps) == 0 {
			t.Fatalf("gaps = %+v, %v", gaps, err)
		}
		for _, g := range gaps {
			if !g.TryAt.IsZero() || !strings.Contains(g.Reason, "ended the server 10 times") {
				t.Errorf("%+v is tried again", g)
			}
		}
		return gaps
	}
	start := r.clock()
	gaps := hours(40)
	if end := gaps[len(gaps)-1].To; deaths < 20 || end.Before(start.Add(24*time.Hour)) {
		t.Errorf("the server ended %d times, the last gap at %v: no window after the first had its turn", deaths, end)
	}
	if deaths > 100 {
		t.Errorf("the server ended %d times in 40 hours, want 10 for each window of 6 hours", deaths)
	}
	deaths = 0
	if err := r.store.PutGapOff(t.Context(), gaps[0].Seq, r.clock()); err != nil {
		t.Fatal(err)
	}
	if after := hours(3); deaths < 10 || after[0].Seq != gaps[0].Seq {
		t.Errorf("the gap that was tried again ended the server %d times; first gap %+v", deaths, after[0])
	}
}

// TestWhatABackfillReadIsDeliveredThoughItCannotGoOn: a backfill that was paced leaves
// its batch open, which closes when the next claim cannot begin.
func TestWhatABackfillReadIsDeliveredThoughItCannotGoOn(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(r *rig){
		"no grant": func(r *rig) { r.script.noGrant = true },
		"no room": func(r *rig) {
			r.options.RawLimit = 1
			r.rebuild()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, onStream(byTime))
			r.poll()
			r.ask(r.clock().Add(-24*time.Hour), r.clock().Add(-12*time.Hour), false)
			old := records(1)
			old[0].Time = r.clock().Add(-13 * time.Hour)
			r.script.will(connector.Page{Records: old, Next: connector.Cursor{
				From: r.clock().Add(-24 * time.Hour), To: r.clock().Add(-12 * time.Hour), Token: "2",
			}}, nil)
			r.script.will(connector.Page{}, &connector.Error{
				Kind: connector.Throttled, Op: "app: list", Until: r.clock().Add(200 * time.Millisecond), Err: outbound.ErrPaced,
			})
			r.backfillAll()
			r.deliverAll()
			if got := r.lines(r.made.Destinations[0]); len(got) != 0 {
				t.Fatalf("a backfill that is paced has closed its batch: %v", got)
			}
			r.pass(time.Minute)
			stop(r)
			r.backfillAll()
			r.deliverAll()
			if diff := cmp.Diff(lines(1), r.lines(r.made.Destinations[0])); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

// TestABackfillWaitsForADestination: without one nothing is read, whether it was asked
// for before or after; the next destination gets all of it.
func TestABackfillWaitsForADestination(t *testing.T) {
	t.Parallel()
	f := &feed{spec: connector.Stream{PageMax: 3, Overlap: time.Hour}}
	r := newRig(t, onFeed(f))
	got := newTally(t, r.clock)
	r.buckets.to = got
	for h := range 40 {
		at := r.clock().Add(-time.Duration(48-h) * time.Hour)
		f.events = append(f.events, event{at, at})
	}
	r.work(nil)
	before := r.ask(r.clock().Add(-49*time.Hour), r.clock().Add(-24*time.Hour), false)
	d := r.made.Destinations[0]
	if err := r.store.DeleteIngestionDestination(t.Context(), storetest.Caller(), d.BundleID, d.IngestionID, d.ID); err != nil {
		t.Fatal(err)
	}
	after := r.ask(r.clock().Add(-24*time.Hour), r.clock(), false)
	calls := f.calls
	r.backfillAll()
	r.work(nil) // the sweep wakes none
	r.backfillAll()
	if f.calls != calls {
		t.Errorf("%d calls without a destination", f.calls-calls)
	}
	next := storetest.Destination(t, r.store, r.made.Ingestion, rawJSON(), r.clock())
	r.backfillAll()
	r.deliverAll()
	if r.ran(before).EndedAt.IsZero() || r.ran(after).EndedAt.IsZero() {
		t.Errorf("they did not end: %+v, %+v", r.ran(before), r.ran(after))
	}
	if n := len(got.got[next.ID]); n != len(f.events) {
		t.Errorf("the new destination got %d of %d", n, len(f.events))
	}
}

// TestOnlyAnIngestionWithoutRoomRests: with too much kept, or too little disk, the
// poll is not made, says why, and goes on by itself.
func TestOnlyAnIngestionWithoutRoomRests(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	free := int64(1 << 30)
	r.options.RawLimit, r.options.FreeFloor = 40, 1<<20
	r.options.Free = func() (int64, error) { return free, nil }
	r.rebuild()
	r.script.will(connector.Page{Records: records(1, 2), Next: behind("a"), Done: true}, nil)
	if retry := r.poll(); retry != nil {
		t.Fatal(retry)
	}
	r.pass(time.Minute)
	retry := r.poll()
	if retry == nil || len(r.script.asked) != 1 {
		t.Fatalf("polled beyond the limit: %v", r.script.asked)
	}
	if diff := cmp.Diff(1, r.seen.told["held raw-limit"]); diff != "" {
		t.Error(diff)
	}
	r.deliverAll()
	r.pass(7 * time.Hour) // the batch is swept
	r.sweep()
	free = 1
	if retry := r.poll(); retry == nil || r.seen.told["held disk"] != 1 {
		t.Errorf("polled on a full disk: %v", retry)
	}
	free = 1 << 30
	r.pass(time.Minute)
	if retry := r.poll(); retry != nil || len(r.script.asked) != 2 {
		t.Errorf("it does not go on: %v", retry)
	}
	states, err := r.store.StreamStates(t.Context(), storetest.Caller(), r.made.Ingestion.ID)
	if err != nil || slices.ContainsFunc(states, func(s store.StreamState) bool { return s.LastError != "" }) {
		t.Errorf("states = %+v, %v", states, err)
	}
}
