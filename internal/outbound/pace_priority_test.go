package outbound_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/internal/outbound"
)

// worker calls as a duty does: again after a second where it was refused, or
// later if it was told so.
type worker struct {
	replica  int
	priority outbound.Priority
	every    time.Duration // between the calls that it has to make; 0: as many as it can

	due, next time.Time
	made      int
	slowest   time.Duration // from when a call was due to when it was made
}

func (w *worker) step(r *replicas) {
	r.t.Helper()
	now := r.clock.Now()
	if now.Before(w.next) {
		return
	}
	e := r.paced(outbound.WithPriority(r.t.Context(), w.priority), w.replica)
	if e != nil {
		w.next = now.Add(max(e.Until.Sub(now), time.Second))
		return
	}
	w.made++
	w.slowest = max(w.slowest, now.Sub(w.due))
	if w.every > 0 {
		w.due = w.due.Add(w.every)
		w.next = w.due
	}
}

// TestLiveComesFirst: whatever is backfilled and looked up, what is live has its
// turn, and what is left over is used.
func TestLiveComesFirst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pace     connector.Pace
		every    time.Duration // of the live polls
		patience time.Duration // theirs
	}{
		{connector.Pace{PerSecond: 1}, 5 * time.Second, 2 * time.Second},
		{connector.Pace{PerSecond: 5}, 2 * time.Second, 1100 * time.Millisecond},
		{connector.Pace{PerSecond: 0.1, Burst: 2}, time.Minute, 12 * time.Second},
	} {
		t.Run(fmt.Sprint(c.pace.PerSecond), func(t *testing.T) {
			t.Parallel()
			r := newReplicas(t, c.pace)
			start := r.clock.Now()
			live := &worker{replica: 0, every: c.every}
			lookup := &worker{replica: 1, priority: outbound.Lookup, every: 3 * c.every}
			old := []*worker{{replica: 0, priority: outbound.Backfill}, {replica: 1, priority: outbound.Backfill}}
			for _, w := range append(old, live, lookup) {
				w.due, w.next = start, start
			}
			length := 60 * c.every
			// Whoever waits is back within the second that its permit is kept for it.
			for tick := min(length/1500, 700*time.Millisecond); r.clock.Now().Sub(start) < length; r.clock.Add(tick) {
				old[0], old[1] = old[1], old[0]
				for _, w := range append(old, lookup, live) { // the others are always a little earlier
					w.step(r)
				}
			}
			if live.made < 59 || live.slowest > c.patience {
				t.Errorf("%d of 60 live calls were made, the slowest after %v; want all, and %v", live.made, live.slowest, c.patience)
			}
			if lookup.made < 19 || lookup.slowest > c.every {
				t.Errorf("%d of 20 look-ups were made, the slowest after %v", lookup.made, lookup.slowest)
			}
			most := c.pace.PerSecond*length.Seconds() - 80
			if n := old[0].made + old[1].made; float64(n) < most/3 || old[0].made == 0 || old[1].made == 0 {
				t.Errorf("%d and %d calls of backfills, of about %.0f that were left over", old[0].made, old[1].made, most)
			}
		})
	}
}

// TestFewPermitsAreSharedToo: whoever looks users up or backfills leaves a call to
// what is live, however few there are at once.
func TestFewPermitsAreSharedToo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ burst, lookups, backfills int }{
		{1, 1, 1}, {2, 1, 1}, {3, 2, 1}, {4, 3, 2}, {5, 4, 3}, {10, 8, 5},
	} {
		for priority, want := range map[outbound.Priority]int{outbound.Lookup: c.lookups, outbound.Backfill: c.backfills} {
			t.Run(fmt.Sprintf("%d of priority %d", c.burst, priority), func(t *testing.T) {
				t.Parallel()
				r := newReplicas(t, connector.Pace{PerSecond: 0.45, Burst: c.burst})
				made := 0
				for r.paced(outbound.WithPriority(t.Context(), priority), 0) == nil {
					made++
				}
				if made != want {
					t.Errorf("%d calls were made, want %d", made, want)
				}
				if e := r.paced(t.Context(), 1); (e == nil) != (c.burst > 1) {
					t.Errorf("then a live call: %v", e)
				}
			})
		}
	}
}

// TestBackfillWaitsALittleLonger: when the provider has asked to wait, what is
// live has a second to go first.
func TestBackfillWaitsALittleLonger(t *testing.T) {
	t.Parallel()
	for name, pace := range map[string]connector.Pace{"unlimited": {}, "limited": {PerSecond: 50}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReplicas(t, pace)
			old := outbound.WithPriority(t.Context(), outbound.Backfill)
			_ = r.sessions[0].Ended(t.Context(), &connector.Error{Kind: connector.Throttled, Until: r.until(10 * time.Second)})
			want := r.until(11 * time.Second)
			for _, pass := range []time.Duration{0, 10 * time.Second, 999 * time.Millisecond} {
				r.clock.Add(pass)
				if e := r.paced(old, 0); e == nil || !e.Until.Equal(want) {
					t.Errorf("a backfill: %v, want it to wait until %v", e, want)
				}
				if pass == 0 {
					continue
				}
				for _, p := range []outbound.Priority{outbound.Live, outbound.Lookup} {
					if e := r.paced(outbound.WithPriority(t.Context(), p), 1); e != nil {
						t.Error(e)
					}
				}
			}
			r.clock.Add(time.Millisecond)
			if e := r.paced(old, 0); e != nil {
				t.Error(e)
			}
		})
	}
}

// TestConcurrentCalls is for the race detector, and for what many goroutines get
// at one moment.
func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	r := newReplicas(t, connector.Pace{PerSecond: 20})
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			ctx := outbound.WithPriority(context.WithoutCancel(t.Context()), outbound.Priority(i%2))
			_ = r.call(ctx, i%2)
			_ = r.sessions[i%2].Ended(ctx, nil)
		})
	}
	wg.Wait()
	if n := r.provider.called(); n > 20 || n < 16 {
		t.Errorf("%d of 60 calls were made at one moment, with a burst of 20", n)
	}
}

// BenchmarkPaced is what pacing adds to a call.
func BenchmarkPaced(b *testing.B) {
	for _, c := range []struct {
		name  string
		pace  connector.Pace
		every time.Duration // between calls
	}{
		{"unlimited", connector.Pace{}, 0},
		{"limited, many calls a second", connector.Pace{PerSecond: 1e6}, time.Microsecond},
		{"limited, one call a second", connector.Pace{PerSecond: 5}, time.Second},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := newReplicas(b, c.pace)
			transport := r.sessions[0].Transport(idle{})
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "https://api.example.com/", http.NoBody)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := transport.RoundTrip(req); err != nil {
					b.Fatal(err)
				}
				r.clock.Add(c.every)
			}
		})
	}
}

type idle struct{}

func (idle) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200}, nil
}
