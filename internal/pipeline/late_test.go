package pipeline_test

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/internal/pipeline"
	"selvedge/internal/store/storetest"
)

// trace makes events over some days, with lateness as it is measured of Google
// Workspace (https://github.com/elastic/integrations/issues/13081, checked
// 2026-11-22: about one in a hundred was lost to it): most show within a minute,
// one in a hundred later than half an hour, up to three days.
func trace(seed uint64, n int, from time.Time, span time.Duration) []event {
	rng := rand.New(rand.NewPCG(seed, 1))
	events := make([]event, n)
	for i := range events {
		at := from.Add(time.Duration(rng.Int64N(int64(span)))).Truncate(time.Millisecond)
		late := time.Duration(rng.Int64N(int64(time.Minute)))
		switch p := rng.Float64(); {
		case p < 0.01:
			late = time.Duration(float64(30*time.Minute) * math.Pow(143, rng.Float64())) // to 71.5 hours
		case p < 0.10:
			late = time.Duration(rng.Int64N(int64(30 * time.Minute)))
		}
		events[i] = event{at, at.Add(late).Truncate(time.Millisecond)}
	}
	slices.SortFunc(events, func(a, b event) int { return a.at.Compare(b.at) })
	return events
}

// TestNothingIsLostToLateness is the promise on a long trace: all of it, none of
// it twice, and most of it within a poll. What the two usual algorithms make of
// the same trace is printed beside it.
func TestNothingIsLostToLateness(t *testing.T) {
	t.Parallel()
	n, span, every := 5_000, 2*24*time.Hour, 30*time.Minute
	if os.Getenv("SOAK") != "" {
		n, span, every = 1_000_000, 7*24*time.Hour, 5*time.Minute
	}
	f := &feed{spec: connector.Stream{PageMax: 1000, Overlap: time.Hour, Retention: 30 * 24 * time.Hour}}
	r := newRig(t, onFeed(f), func(_ *storetest.Spec, r *rig) { r.interval = every })
	start := r.clock()
	f.events = trace(1, n, start, span)
	got := newTally(t, r.clock)
	r.buckets.to = got
	for end := start.Add(span + 72*time.Hour + 7*time.Hour); r.clock().Before(end); r.pass(every) {
		r.work(nil)
		r.backfillAll() // which goes on at once where a claim has had its pages
		r.deliverAll()
	}
	counts := got.got[r.made.Destinations[0].ID]
	twice := 0
	for _, times := range counts {
		if times > 1 {
			twice++
		}
	}
	if len(counts) != n || twice > 0 {
		t.Errorf("%d of %d delivered, %d twice", len(counts), n, twice)
	}
	delays, learned := make([]time.Duration, 0, n), time.Duration(0)
	for i, at := range got.first {
		delays = append(delays, at.Sub(f.events[i].shown))
		if f.events[i].shown.After(start.Add(96 * time.Hour)) { // some of all kinds have shown before
			learned = max(learned, at.Sub(f.events[i].shown))
		}
	}
	slices.Sort(delays)
	median, worst := delays[len(delays)/2], delays[len(delays)-1]
	if median > every || worst > 7*time.Hour {
		t.Errorf("delays from showing to delivery: median %v, worst %v; want less than a poll (%v), and 7h", median, worst, every)
	}
	polls := int(span+79*time.Hour) / int(every)
	t.Logf("%d events: all delivered, none twice; median %v, 99%% %v, 99.9%% %v, worst %v after showing (of the fifth day and later %v), with %d calls in %d polls",
		n, median, delays[n*99/100], delays[n*999/1000], worst, learned, f.calls, polls)
	t.Logf("newest-timestamp cursor: %d lost; fixed lag of 30 minutes: %d lost", lostToNewest(f.events, start, every), lostToLag(f.events, start, every))
}

// lostToNewest counts what a collector loses that asks for what is newer than the
// newest that it has.
func lostToNewest(events []event, start time.Time, every time.Duration) int {
	taken := make([]bool, len(events))
	newest := start.Add(-pipeline.FirstReach)
	for now := start; now.Before(events[len(events)-1].at.Add(80 * time.Hour)); now = now.Add(every) {
		next := newest
		for i := from(events, newest); i < len(events) && !events[i].at.After(now); i++ {
			if !events[i].shown.After(now) {
				taken[i], next = true, events[i].at
			}
		}
		newest = next
	}
	return missing(taken)
}

// lostToLag counts what a collector loses that reads each range once, half an hour
// after its end.
func lostToLag(events []event, start time.Time, every time.Duration) int {
	const lag = 30 * time.Minute
	taken := make([]bool, len(events))
	for now := start; now.Before(events[len(events)-1].at.Add(80 * time.Hour)); now = now.Add(every) {
		for i := from(events, now.Add(-lag-every)); i < len(events) && events[i].at.Before(now.Add(-lag)); i++ {
			taken[i] = taken[i] || !events[i].shown.After(now)
		}
	}
	return missing(taken)
}

func from(events []event, at time.Time) int {
	i, _ := slices.BinarySearchFunc(events, at, func(e event, t time.Time) int { return e.at.Compare(t) })
	return i
}

func missing(taken []bool) int {
	n := 0
	for _, ok := range taken {
		if !ok {
			n++
		}
	}
	return n
}

// TestWhereRecordsShowLateIsReadHourly: once some have shown thirty hours late,
// the next ones go out within an hour and a poll, for calls that the age which
// they have asks for, and no more.
func TestWhereRecordsShowLateIsReadHourly(t *testing.T) {
	t.Parallel()
	const every, late, days = 20 * time.Minute, 30 * time.Hour, 4
	delays := func(t *testing.T, late time.Duration) (worst time.Duration, again int) {
		f := &feed{spec: connector.Stream{PageMax: 20, Overlap: time.Hour}}
		r := newRig(t, onFeed(f), func(_ *storetest.Spec, r *rig) { r.interval = every })
		got, start := newTally(t, r.clock), r.clock()
		r.buckets.to = got
		for i := range days * 24 * 8 { // 576 are 72 hours
			at := start.Add(time.Duration(i) * time.Hour / 8)
			f.events = append(f.events, event{at, at})
			if i%60 == 0 {
				f.events[i].shown = at.Add(late)
			}
		}
		for r.clock().Before(start.Add(days * 24 * time.Hour)) {
			if r.clock().Equal(start.Add((days - 1) * 24 * time.Hour)) {
				again = -r.seen.told["backfilled late"]
			}
			r.work(nil)
			r.pass(every)
		}
		for i, e := range f.events {
			if e.shown.After(start.Add((days*24-36)*time.Hour)) && e.shown.Before(start.Add(days*24*time.Hour-2*time.Hour)) {
				at, ok := got.first[i]
				if !ok {
					t.Errorf("event %d is missing", i)
				}
				worst = max(worst, at.Sub(e.shown))
			}
		}
		return worst, again + r.seen.told["backfilled late"]
	}
	worst, again := delays(t, late)
	_, idle := delays(t, 0)
	t.Logf("worst delay %v; pages of old windows a day: %d, and %d where nothing shows late", worst, again, idle)
	if worst > time.Hour+every {
		t.Errorf("an event that showed %v late went out %v after it showed", late, worst)
	}
	// The 24 hours about it have 10 pages, the others 20: those are read each six hours.
	if idle == 0 || idle > 200 || again < 200 || again > 420 {
		t.Errorf("%d pages of old windows were read in a day, and %d where nothing shows late", again, idle)
	}
}
