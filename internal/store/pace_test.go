package store_test

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

func acme() store.PaceKey { return store.PaceKey{App: "OKTA", Tenant: "https://acme.okta.com"} }

// fivePerSecond is a bucket of five.
func fivePerSecond() store.Bucket { return store.Bucket{Every: 200 * time.Millisecond, Burst: 5} }

func take(t *testing.T, s *store.Store, r store.PermitRequest) store.Permits {
	t.Helper()
	got, err := s.TakePermits(t.Context(), acme(), r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestPermitsComeBackOneByOne(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	all := store.PermitRequest{Bucket: fivePerSecond(), Want: 5}
	for _, step := range []struct {
		pass time.Duration
		ask  store.PermitRequest
		want store.Permits
	}{
		{0, store.PermitRequest{Bucket: fivePerSecond(), Want: 3}, store.Permits{Granted: 3}},
		{0, all, store.Permits{Granted: 2}},
		{0, all, store.Permits{Wait: 200 * time.Millisecond}},
		{199 * time.Millisecond, all, store.Permits{Wait: time.Millisecond}},
		{time.Millisecond, all, store.Permits{Granted: 1}},
		{500 * time.Millisecond, all, store.Permits{Granted: 2}},
		{0, store.PermitRequest{Bucket: fivePerSecond(), Want: 5, Leave: 2}, store.Permits{Wait: 500 * time.Millisecond}},
		{500 * time.Millisecond, store.PermitRequest{Bucket: fivePerSecond(), Want: 5, Leave: 2}, store.Permits{Granted: 1}},
		{0, all, store.Permits{Granted: 2}},
		{time.Hour, all, store.Permits{Granted: 5}}, // never more than the burst
	} {
		clk.Add(step.pass)
		if diff := cmp.Diff(step.want, take(t, s, step.ask)); diff != "" {
			t.Fatalf("%+v: (-want +got)\n%s", step, diff)
		}
	}
}

func TestABucketWithAnotherSizeOrClock(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	take(t, s, store.PermitRequest{Bucket: store.Bucket{Every: time.Minute, Burst: 100}, Want: 100}) // spent for 100 minutes
	if got := take(t, s, store.PermitRequest{Bucket: fivePerSecond(), Want: 1}); got.Wait != 200*time.Millisecond {
		t.Errorf("in a smaller bucket: %+v, want a wait of 200ms", got)
	}
	clk.Add(-24 * time.Hour)
	if got := take(t, s, store.PermitRequest{Bucket: fivePerSecond(), Want: 1}); got.Wait != 200*time.Millisecond {
		t.Errorf("after the clock went back: %+v, want a wait of 200ms", got)
	}
}

// TestPermitsOfConcurrentReplicas: at one moment there is no more than the burst,
// whoever asks.
func TestPermitsOfConcurrentReplicas(t *testing.T) {
	t.Parallel()
	clk := newClock()
	o := storetest.Options(t, clk.Now)
	stores := []*store.Store{openWith(t, o)}
	if o.URL != "" {
		stores = append(stores, openWith(t, o))
	}
	var wg sync.WaitGroup
	granted := make(chan int64, 40)
	for i := range cap(granted) {
		wg.Go(func() {
			got, err := stores[i%len(stores)].TakePermits(t.Context(), acme(), store.PermitRequest{
				Bucket: store.Bucket{Every: time.Second, Burst: 17}, Want: 1 + int64(i%3),
			})
			if err != nil {
				t.Error(err)
			}
			granted <- got.Granted
		})
	}
	wg.Wait()
	close(granted)
	var sum int64
	for n := range granted {
		sum += n
	}
	if sum != 17 {
		t.Errorf("%d permits of a bucket of 17 were granted", sum)
	}
}

func openWith(t *testing.T, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), o)
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

// TestNoSecondHasTooMany: whatever is asked for and left, in any second there are
// at most a burst and a second's worth.
func TestNoSecondHasTooMany(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	var at []time.Time
	for range 300 {
		got := take(t, s, store.PermitRequest{
			Bucket: fivePerSecond(), Want: 1 + random.Int64N(5), Leave: random.Int64N(4),
			Holds: random.IntN(2) == 0, Yields: random.IntN(4) == 0,
		})
		for range got.Granted {
			at = append(at, clk.Now())
		}
		clk.Add(time.Duration(random.IntN(250)) * time.Millisecond)
	}
	if most := busiestSecond(at); most > 10 {
		t.Errorf("%d permits in one second, want 10 at the most", most)
	}
	if len(at) < 80 {
		t.Errorf("%d permits in about 37 seconds", len(at))
	}
}

// busiestSecond is the most times within one second.
func busiestSecond(at []time.Time) int {
	most := 0
	for i, first := range at {
		n := 0
		for _, other := range at[i:] {
			if other.Sub(first) < time.Second {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func TestWhoeverWaitsHoldsOthersBack(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	one := store.Bucket{Every: 10 * time.Second, Burst: 1}
	live := store.PermitRequest{Bucket: one, Want: 1, Holds: true}
	old := store.PermitRequest{Bucket: one, Want: 1, Yields: true}
	if got := take(t, s, old); got.Granted != 1 {
		t.Fatalf("the first: %+v", got)
	}
	if got := take(t, s, live); got.Wait != 10*time.Second {
		t.Fatalf("live: %+v, want a wait of 10s", got)
	}
	clk.Add(10 * time.Second) // there is a permit, and it is not for those who yield
	if got := take(t, s, old); got.Granted != 0 || got.Wait != time.Second {
		t.Errorf("while somebody waits: %+v, want a wait of 1s", got)
	}
	if got := take(t, s, live); got.Granted != 1 {
		t.Errorf("live: %+v", got)
	}
	clk.Add(10 * time.Second) // nobody waits any more
	if got := take(t, s, old); got.Granted != 1 {
		t.Errorf("when nobody waits: %+v", got)
	}
}

func TestABlockOnlyGrowsAndEnds(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	start := clk.Now()
	for _, step := range []struct{ until, want time.Duration }{
		{time.Minute, time.Minute},
		{time.Second, time.Minute},
		{-time.Second, time.Minute},
		{2*time.Minute + time.Microsecond, 2*time.Minute + time.Millisecond},
		{240 * time.Hour, time.Hour},
		{2 * time.Hour, time.Hour},
	} {
		if err := s.Block(t.Context(), acme(), start.Add(step.until)); err != nil {
			t.Fatal(err)
		}
		got, err := s.LoadPace(t.Context(), acme())
		if err != nil || !got.Blocked.Equal(start.Add(step.want)) {
			t.Errorf("blocked for %v: %v, %v; want %v", step.until, got.Blocked.Sub(start), err, step.want)
		}
	}
	if got := take(t, s, store.PermitRequest{Bucket: fivePerSecond(), Want: 1}); got.Granted != 0 || got.Wait != time.Hour || !got.Blocked.Equal(start.Add(time.Hour)) {
		t.Errorf("permits while blocked: %+v", got)
	}
	clk.Add(-3 * time.Hour)
	if got, err := s.LoadPace(t.Context(), acme()); err != nil || !got.Blocked.IsZero() {
		t.Errorf("after the clock went back: %+v, %v; want no block", got, err)
	}
	clk.Add(4 * time.Hour)
	if got, err := s.LoadPace(t.Context(), acme()); err != nil || !got.Blocked.Equal(clk.Now()) {
		t.Errorf("at its end: %+v, %v", got, err)
	}
	for late, want := range map[time.Duration]store.Permits{0: {Granted: 1}, time.Minute: {Wait: time.Minute, Blocked: clk.Now()}} {
		if diff := cmp.Diff(want, take(t, s, store.PermitRequest{Bucket: fivePerSecond(), Want: 1, Late: late})); diff != "" {
			t.Errorf("permits at its end, %v late: (-want +got)\n%s", late, diff)
		}
	}
	if got, err := s.LoadPace(t.Context(), store.PaceKey{App: "OKTA", Tenant: "another"}); err != nil || got != (store.Pace{}) {
		t.Errorf("of another tenant: %+v, %v", got, err)
	}
}

func TestStrikesGrow(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	strike := func(want time.Duration) {
		t.Helper()
		for range 3 { // calls that were under way together
			until, err := s.Strike(t.Context(), acme())
			if err != nil || until.Sub(clk.Now()) != want {
				t.Fatalf("Strike = %v, %v; want %v", until.Sub(clk.Now()), err, want)
			}
		}
		if err := s.ClearStrikes(t.Context(), acme()); err != nil { // a good answer that was under way too
			t.Fatal(err)
		}
		clk.Add(want)
	}
	for _, seconds := range []int{1, 2, 4, 8, 16, 32, 32, 32} {
		strike(time.Duration(seconds) * time.Second)
	}
	if got, err := s.LoadPace(t.Context(), acme()); err != nil || got.Strikes == 0 {
		t.Errorf("LoadPace = %+v, %v; want strikes", got, err)
	}
	if err := s.ClearStrikes(t.Context(), acme()); err != nil {
		t.Fatal(err)
	}
	strike(time.Second)
}

func TestPacesAreSwept(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	long := store.PaceKey{App: "OKTA", Tenant: strings.Repeat("ä", 4000)}
	for _, k := range []store.PaceKey{acme(), long} {
		if err := s.Block(t.Context(), k, clk.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		clk.Add(12 * time.Hour)
	}
	for _, want := range []int64{1, 0} {
		if n, err := s.SweepPaces(t.Context(), 24*time.Hour); err != nil || n != want {
			t.Errorf("SweepPaces = %d, %v; want %d", n, err, want)
		}
	}
}

// TestPaceByTheDatabasesClock is for PostgreSQL: times go through it and come
// back as times of this host.
func TestPaceByTheDatabasesClock(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, nil)
	near := func(what string, got, want time.Duration) {
		t.Helper()
		if d := got - want; d > time.Second || d < -30*time.Second {
			t.Errorf("%s: %v, want about %v", what, got, want)
		}
	}
	hourly := store.PermitRequest{Bucket: store.Bucket{Every: time.Hour, Burst: 2}, Want: 5}
	if got := take(t, s, hourly); got.Granted != 2 {
		t.Errorf("permits: %+v, want 2", got)
	}
	near("the next permit", take(t, s, hourly).Wait, time.Hour)
	if err := s.Block(t.Context(), acme(), time.Now().Add(10*time.Minute)); err != nil {
		t.Fatal(err)
	}
	got, err := s.LoadPace(t.Context(), acme())
	if err != nil {
		t.Fatal(err)
	}
	near("the block", time.Until(got.Blocked), 10*time.Minute)
	blocked := take(t, s, hourly)
	near("the block, by permits", time.Until(blocked.Blocked), 10*time.Minute)
	near("its wait", blocked.Wait, 10*time.Minute)
	until, err := s.Strike(t.Context(), store.PaceKey{App: "OKTA", Tenant: "another"})
	if err != nil {
		t.Fatal(err)
	}
	near("a strike", time.Until(until), time.Second)
	for _, c := range []struct {
		idle time.Duration
		want int64
	}{{24 * time.Hour, 0}, {-time.Hour, 2}} {
		if n, err := s.SweepPaces(t.Context(), c.idle); err != nil || n != c.want {
			t.Errorf("SweepPaces(%v) = %d, %v; want %d", c.idle, n, err, c.want)
		}
	}
}
