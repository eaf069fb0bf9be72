package metric_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"selvedge/internal/metric"
)

// value is what a scrape says of one of our metrics; empty: nothing.
func value(t *testing.T, m *metric.Metrics, name string) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	if w.Code != 200 {
		t.Errorf("scrape: %d %s", w.Code, w.Body)
	}
	for line := range strings.Lines(w.Body.String()) {
		if rest, ok := strings.CutPrefix(line, "selvedge_"+name+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

const (
	gaps = `gaps{app="OKTA"}`
	age  = `state_age_seconds{kind="gaps"}`
)

// pass lets time pass in a bubble.
func pass(d time.Duration) { <-time.After(d) }

// TestADatabaseThatIsAway: what was read before is answered for a while, with its
// age, and the metrics that need no database always.
func TestADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := metric.New()
		away := true
		m.WatchGaps(func(context.Context) ([]metric.GapState, error) {
			if away {
				return nil, errors.New("no database")
			}
			return []metric.GapState{{App: "OKTA", Count: 2}}, nil
		})
		m.Polled("OKTA", "done")
		for _, step := range []struct {
			pass      time.Duration
			away      bool
			gaps, age string
		}{
			{0, true, "", "0"},
			{time.Minute, true, "", "60"},
			{0, false, "2", "0"},
			{90 * time.Second, true, "2", "90"},
			{31 * time.Second, true, "", "121"},
			{time.Hour, true, "", "3721"},
			{0, false, "2", "0"},
		} {
			pass(step.pass)
			away = step.away
			if got, old := value(t, m, gaps), value(t, m, age); got != step.gaps || old != step.age {
				t.Errorf("gaps %q, %q old; want %q and %q", got, old, step.gaps, step.age)
			}
			if got := value(t, m, `polls_total{app="OKTA",outcome="done"}`); got != "1" {
				t.Errorf("what was counted: %q", got)
			}
		}
	})
}

// TestADatabaseThatHangs holds no scrape up for longer than 2 s, however many there
// are, and is read once at a time; the next scrape has what came late.
func TestADatabaseThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := metric.New()
		var reads, most, now atomic.Int64
		hang := func(ctx context.Context, d int64) error {
			reads.Add(1)
			for n := now.Add(1); n > most.Load(); {
				most.Store(n)
			}
			defer now.Add(-1)
			select {
			case <-time.After(time.Duration(d)):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		var takes atomic.Int64 // nanoseconds
		takes.Store(int64(10 * time.Second))
		m.WatchGaps(func(ctx context.Context) ([]metric.GapState, error) {
			return []metric.GapState{{App: "OKTA", Count: 2}}, hang(ctx, takes.Load())
		})
		m.WatchDuties(func(ctx context.Context) ([]metric.DutyState, error) { return nil, hang(ctx, takes.Load()) })
		m.WatchAuthorizations(func(ctx context.Context) ([]metric.Tally, error) { return nil, hang(ctx, takes.Load()) })
		begun := time.Now()
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if got := value(t, m, gaps); got != "" {
					t.Errorf("gaps %q before they were read", got)
				}
			})
		}
		wg.Wait()
		if took := time.Since(begun); took != 2*time.Second {
			t.Errorf("five scrapes took %v, want 2s", took)
		}
		pass(30 * time.Second)
		if n := reads.Load(); n != 3 || most.Load() != 2 {
			t.Errorf("%d readings for five scrapes of three kinds, %d of them at once; want 3 and 2", n, most.Load())
		}
		if got := value(t, m, gaps); got != "2" {
			t.Errorf("gaps %q after they were read", got)
		}
		takes.Store(int64(time.Hour))
		pass(5 * time.Minute) // longer than the reading under way may take
		if got := value(t, m, gaps); got != "" {
			t.Errorf("gaps %q when they are long out of date", got)
		}
		pass(5 * time.Minute)
		if n := now.Load(); n != 0 {
			t.Errorf("%d readings hang for longer than they may", n)
		}
	})
}
