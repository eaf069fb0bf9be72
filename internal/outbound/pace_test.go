package outbound_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/internal/clocktest"
	"selvedge/internal/outbound"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// replicas are servers of one installation that call one provider: on PostgreSQL
// two processes' worth, on SQLite, which has one, two pacers over one store.
type replicas struct {
	t        testing.TB
	clock    *clocktest.Clock
	stores   []*store.Store
	sessions []*outbound.Tenant
	calls    []*http.Client
	provider *counted

	mu    sync.Mutex
	waits map[outbound.Cause]int
}

// counted is a provider that answers as told, and notes when it was called.
type counted struct {
	clock  *clocktest.Clock
	mu     sync.Mutex
	at     []time.Time
	answer func(w http.ResponseWriter)
}

func (p *counted) RoundTrip(*http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = append(p.at, p.clock.Now())
	w := httptest.NewRecorder()
	if p.answer != nil {
		p.answer(w)
	}
	return w.Result(), nil
}

func (p *counted) called() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.at)
}

func newReplicas(t testing.TB, pace connector.Pace) *replicas {
	t.Helper()
	r := &replicas{t: t, clock: clocktest.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)), waits: map[outbound.Cause]int{}}
	r.provider = &counted{clock: r.clock}
	o := storetest.Options(t, r.clock.Now)
	for range 2 {
		if o.URL != "" || len(r.stores) == 0 {
			s, err := store.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			r.stores = append(r.stores, s)
		}
		r.join(r.stores[len(r.stores)-1], pace)
	}
	return r
}

// join starts a replica.
func (r *replicas) join(s *store.Store, pace connector.Pace) {
	pacer := outbound.NewPacer(outbound.PacerOptions{
		Store: s, Now: r.clock.Now, Log: slog.New(slog.DiscardHandler),
		Observe: func(_ string, why outbound.Cause) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.waits[why]++
		},
	})
	tenant := pacer.Tenant(connector.App{Name: "APP", Pace: pace}, "acme")
	r.sessions = append(r.sessions, tenant)
	r.calls = append(r.calls, &http.Client{Transport: tenant.Transport(r.provider)})
}

// call makes a call from a replica and returns what it comes to for a session.
func (r *replicas) call(ctx context.Context, replica int) error {
	r.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.example.com/", http.NoBody)
	if err != nil {
		r.t.Fatal(err)
	}
	resp, err := r.calls[replica].Do(req)
	if err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		err = resp.Body.Close()
	}
	return err
}

// paced is the error of a call that was not made; nil if it was made.
func (r *replicas) paced(ctx context.Context, replica int) *connector.Error {
	r.t.Helper()
	before := r.provider.called()
	err := r.call(ctx, replica)
	if err == nil {
		if r.provider.called() == before {
			r.t.Fatal("the call did not reach the provider")
		}
		return nil
	}
	e, ok := errors.AsType[*connector.Error](err)
	if !ok || e.Kind != connector.Throttled || !errors.Is(err, outbound.ErrPaced) || r.provider.called() != before {
		r.t.Fatalf("a call failed with %v, and %d calls reached the provider; want ErrPaced and none", err, r.provider.called()-before)
	}
	return e
}

func (r *replicas) until(d time.Duration) time.Time { return r.clock.Now().Add(d) }

func TestTwoReplicasShareALimit(t *testing.T) {
	t.Parallel()
	r := newReplicas(t, connector.Pace{PerSecond: 5})
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	start := r.clock.Now()
	var made [2]int
	var again [2]time.Time // when a replica may call again, as its duty would
	for r.clock.Now().Sub(start) < 30*time.Second {
		i := random.IntN(2)
		if !r.clock.Now().Before(again[i]) {
			if e := r.paced(t.Context(), i); e == nil {
				made[i]++
			} else {
				again[i] = e.Until
			}
		}
		r.clock.Add(time.Duration(random.IntN(60)) * time.Millisecond)
	}
	r.provider.mu.Lock()
	defer r.provider.mu.Unlock()
	for i, first := range r.provider.at {
		n := 0
		for _, at := range r.provider.at[i:] {
			if at.Sub(first) < time.Second {
				n++
			}
		}
		if n > 5+5 {
			t.Fatalf("%d calls in the second from %v, want 10 at the most", n, first.Sub(start))
		}
	}
	if all := made[0] + made[1]; all < 90 || all > 155 {
		t.Errorf("%d calls in 30 seconds at 5 a second, with a burst of 5", all)
	}
	for i, n := range made {
		if n < 30 {
			t.Errorf("replica %d made %d of %d calls", i, n, made[0]+made[1])
		}
	}
	if r.waits[outbound.Spent] == 0 {
		t.Errorf("waits: %v", r.waits)
	}
}

func TestAnIdlePermitLapses(t *testing.T) {
	t.Parallel()
	r := newReplicas(t, connector.Pace{PerSecond: 4, Burst: 8})
	for range 4 { // takes 1, then 2, then 4, of which 3 are held
		if e := r.paced(t.Context(), 0); e != nil {
			t.Fatal(e)
		}
	}
	for _, step := range []struct {
		pass  time.Duration
		first bool // of the two replicas
		made  bool
	}{
		{0, false, true}, // the last of the burst
		{0, false, false},
		{250 * time.Millisecond, false, true}, // one is back, the one that was used
		{0, false, false},
		{250 * time.Millisecond, true, true}, // of the four two have lapsed
		{0, true, true},                      // the last of them
		{0, true, true},                      // one that is back
		{0, true, false},
		{250 * time.Millisecond, false, true},
		{0, false, false},
	} {
		r.clock.Add(step.pass)
		replica := 1
		if step.first {
			replica = 0
		}
		if e := r.paced(t.Context(), replica); (e == nil) != step.made {
			t.Errorf("%+v: %v", step, e)
		}
	}
}

func TestARefusalStopsAllReplicas(t *testing.T) {
	t.Parallel()
	for name, pace := range map[string]connector.Pace{"unlimited": {}, "limited": {PerSecond: 100}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReplicas(t, pace)
			for i := range 4 { // so that both hold permits: of the second call there is one left
				if e := r.paced(t.Context(), i%2); e != nil {
					t.Fatal(e)
				}
			}
			until := r.until(63 * time.Second)
			refused := &connector.Error{Kind: connector.Throttled, Op: "app: list", Status: 429, Reason: "slow down", Until: until}
			err := r.sessions[0].Ended(t.Context(), fmt.Errorf("poll: %w", refused))
			if want := "app: list: throttled (HTTP 429): slow down; the provider asks to wait until 12:01:03Z"; err == nil || err.Error() != want {
				t.Errorf("Ended = %v, want %s", err, want)
			}
			for i := range 2 {
				e := r.paced(t.Context(), i)
				if e == nil || !e.Until.Equal(until) || e.Reason != "paced: the provider asks to wait until 12:01:03Z" {
					t.Errorf("replica %d: %v", i, e)
				}
			}
			r.clock.Add(63 * time.Second)
			for i := range 2 {
				if e := r.paced(t.Context(), i); e != nil {
					t.Errorf("replica %d at the end: %v", i, e)
				}
			}
			if r.waits[outbound.Refused] != 1 || r.waits[outbound.Blocked] != 2 || len(r.waits) != 2 {
				t.Errorf("waits: %v", r.waits)
			}
		})
	}
}

func TestOnlyThrottlingBlocks(t *testing.T) {
	t.Parallel()
	r := newReplicas(t, connector.Pace{})
	for _, err := range []error{
		nil, io.EOF, connector.ErrNoUser,
		&connector.Error{Kind: connector.Unavailable, Status: 503},
		&connector.Error{Kind: connector.Throttled, Until: r.until(time.Hour), Err: outbound.ErrPaced},
	} {
		if got := r.sessions[0].Ended(t.Context(), err); got != err { //nolint:errorlint // the very same
			t.Errorf("Ended(%v) = %v", err, got)
		}
	}
	if e := r.paced(t.Context(), 1); e != nil {
		t.Error(e)
	}
	var none *outbound.Tenant
	if got := none.Ended(t.Context(), io.EOF); !errors.Is(got, io.EOF) || none.Transport(r.provider) != http.RoundTripper(r.provider) {
		t.Error("no pace at all is no pass-through")
	}
}

// TestRefusalsWithoutATime: the wait grows over both replicas, and ends with a
// good answer.
func TestRefusalsWithoutATime(t *testing.T) {
	t.Parallel()
	for name, pace := range map[string]connector.Pace{"unlimited": {}, "limited": {PerSecond: 1000}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReplicas(t, pace)
			refuse := func(want time.Duration) {
				t.Helper()
				if e := r.paced(t.Context(), 0); e != nil {
					t.Fatal(e)
				}
				for i := range 2 {
					err := r.sessions[i].Ended(t.Context(), &connector.Error{Kind: connector.Throttled, Op: "app: list", Status: 403})
					e, ok := errors.AsType[*connector.Error](err)
					if !ok || !e.Until.Equal(r.until(want)) || !strings.HasPrefix(e.Reason, "the next call is made at 12:0") {
						t.Fatalf("replica %d: %v, until %v; want %v", i, err, e.Until.Sub(r.clock.Now()), want)
					}
					if e := r.paced(t.Context(), 1-i); e == nil || !e.Until.Equal(r.until(want)) {
						t.Fatalf("the other replica: %v", e)
					}
				}
				r.clock.Add(want)
			}
			for _, seconds := range []int{1, 2, 4, 8, 16, 32, 32} {
				refuse(time.Duration(seconds) * time.Second)
			}
			if e := r.paced(t.Context(), 1); e != nil {
				t.Fatal(e)
			}
			if err := r.sessions[1].Ended(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			refuse(time.Second)
		})
	}
}

func TestTheLastCallIsHeeded(t *testing.T) {
	t.Parallel()
	epoch := connector.Wait{Header: "X-Rate-Limit-Reset", Unit: connector.Epoch}
	seconds := connector.Wait{Header: "X-RateLimit-Reset", Unit: connector.Seconds}
	for name, c := range map[string]struct {
		pace    connector.Pace
		headers []string
		want    time.Duration
	}{
		"calls are left":  {connector.Pace{Remaining: "Left", Reset: epoch}, []string{"Left: 1", "X-Rate-Limit-Reset: 1772366460"}, 0},
		"none is":         {connector.Pace{Remaining: "Left", Reset: epoch}, []string{"Left: 0", "X-Rate-Limit-Reset: 1772366460"}, time.Minute},
		"a day ahead":     {connector.Pace{Remaining: "Left", Reset: epoch}, []string{"Left: 0", "X-Rate-Limit-Reset: 1772452860", "Date: Mon, 02 Mar 2026 12:00:00 GMT"}, time.Minute},
		"an hour at most": {connector.Pace{Remaining: "Left", Reset: epoch}, []string{"Left: 0", "X-Rate-Limit-Reset: 1872366460"}, time.Hour},
		"no time":         {connector.Pace{Remaining: "Left", Reset: epoch}, []string{"Left: 0"}, 0},
		"decimal seconds": {connector.Pace{Remaining: "Left", Reset: seconds}, []string{"Left: 0", "X-RateLimit-Reset: 0.25"}, 250 * time.Millisecond},
		"a date":          {connector.Pace{Remaining: "Left", Reset: seconds}, []string{"Left: 0", "X-RateLimit-Reset: Sun, 01 Mar 2026 12:00:10 GMT"}, 10 * time.Second},
		"not asked for":   {connector.Pace{}, []string{"Left: 0", "X-Rate-Limit-Reset: 1772366460"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReplicas(t, c.pace)
			r.provider.answer = func(w http.ResponseWriter) {
				for _, h := range c.headers {
					name, value, _ := strings.Cut(h, ": ")
					w.Header().Set(name, value)
				}
			}
			if e := r.paced(t.Context(), 0); e != nil {
				t.Fatal(e)
			}
			r.provider.answer = nil
			e := r.paced(t.Context(), 1)
			switch {
			case c.want == 0 && e != nil:
				t.Error(e)
			case c.want > 0 && (e == nil || !e.Until.Equal(r.until(c.want))):
				t.Errorf("%v, want a wait of %v", e, c.want)
			}
		})
	}
}
