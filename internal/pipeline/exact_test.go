package pipeline_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/internal/store/storetest"
	"selvedge/sink"
)

// TestAnyScheduleDeliversWhatIsShown runs random schedules of pages, crashes,
// outages and changes of destinations. In the end every destination holds exactly
// what was shown, each once, and no object has changed. Half of the feeds have no
// ids, and equal records.
func TestAnyScheduleDeliversWhatIsShown(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			schedule(t, seed)
		})
	}
}

func schedule(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 2))
	f := &feed{spec: connector.Stream{PageMax: 1 + rng.IntN(40), Overlap: time.Hour}, bare: seed%2 == 1}
	r := newRig(t, onFeed(f), func(_ *storetest.Spec, r *rig) { r.interval = 40 * time.Minute })
	r.options.KeepRaw = 1000 * time.Hour
	const span = 30 * time.Hour
	f.events = trace(seed, 200, r.clock(), span)
	got := newTally(t, r.clock)
	r.buckets.to = got
	r.rebuild()
	down, away := false, false
	f.fault = func() error {
		switch p := rng.Float64(); {
		case down:
			return failure(connector.Unavailable)
		case p > 0.97:
			panic(errKilled)
		case p < 0.02:
			return failure(connector.CursorExpired)
		case p < 0.04:
			return failure(connector.Malformed)
		case p < 0.08:
			return failure(connector.Throttled)
		}
		return nil
	}
	got.fail = func() error {
		if away || rng.Float64() < 0.1 {
			return &sink.Error{Kind: sink.Unavailable, Reason: "away"}
		}
		return nil
	}
	crash := func() bool { return rng.Float64() < 0.05 }
	for end := r.clock().Add(span + 76*time.Hour); r.clock().Before(end); r.pass(r.interval + time.Duration(rng.IntN(60))*time.Second) {
		down, away = toggle(rng, down), toggle(rng, away)
		if rng.Float64() < 0.02 && len(r.made.Destinations) < 4 {
			r.made.Destinations = append(r.made.Destinations, storetest.Destination(t, r.store, r.made.Ingestion, rawJSON(), r.clock()))
		}
		r.work(crash)
	}
	f.fault, got.fail = nil, nil
	for range 60 { // long enough for every wait, and the widest window, to come round
		r.pass(r.interval)
		r.work(nil)
	}
	for n, d := range r.made.Destinations {
		counts := got.got[d.ID]
		for i := range f.events {
			if counts[i] != 1 {
				t.Errorf("destination %d has event %d (%v late) %d times", n, i, f.events[i].shown.Sub(f.events[i].at), counts[i])
			}
		}
	}
}

func toggle(rng *rand.Rand, on bool) bool {
	if on {
		return rng.Float64() > 0.3
	}
	return rng.Float64() < 0.02
}

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

// TestAMonthLeavesTheTablesFlat: what is kept does not grow with time.
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
		r.work(nil)
		r.pass(every)
		switch r.clock().Sub(start) {
		case 8 * day:
			early = r.sizes()
		case 30 * day:
			late = r.sizes()
		}
	}
	for table, n := range late {
		if was := early[table]; n > was+was/3+20 {
			t.Errorf("%s: %d rows after 8 days, %d after 30", table, was, n)
		}
	}
	if late["seen"] == 0 || late["coverage"] != 1 {
		t.Errorf("rows after a month: %v; want ids, and one interval", late)
	}
}

// sizes counts the rows of the tables that collecting fills.
func (r *rig) sizes() map[string]int64 {
	r.t.Helper()
	n, err := r.store.Sizes(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}
