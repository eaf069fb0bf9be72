package pipeline_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"selvedge/connector"
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
