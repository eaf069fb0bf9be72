package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"selvedge/internal/clocktest"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

func newClock() *clocktest.Clock { return clocktest.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)) }

var rawJSON = fabric.Processing{Schema: fabric.SchemaRaw, Format: fabric.FormatJSON} //nolint:gochecknoglobals // read-only

func claimOne(t *testing.T, s *store.Store, d store.Duty) store.Claim {
	t.Helper()
	claims, err := s.Claim(t.Context(), d, "me", 5*time.Second, 10)
	if err != nil || len(claims) != 1 {
		t.Fatalf("Claim(%s) = %v, %v; want one claim", d, claims, err)
	}
	return claims[0]
}

func noClaim(t *testing.T, s *store.Store, d store.Duty) {
	t.Helper()
	claims, err := s.Claim(t.Context(), d, "me", 5*time.Second, 10)
	if err != nil || len(claims) != 0 {
		t.Fatalf("Claim(%s) = %v, %v; want none", d, claims, err)
	}
}

func TestClaimIsExclusiveUntilItsLeaseEnds(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})

	first := claimOne(t, s, store.DutyPoll)
	noClaim(t, s, store.DutyPoll)
	if err := s.Renew(t.Context(), first, 5*time.Second); err != nil {
		t.Fatalf("Renew: %v", err)
	}
	clk.Add(5*time.Second - time.Millisecond)
	noClaim(t, s, store.DutyPoll)
	clk.Add(time.Millisecond)
	second := claimOne(t, s, store.DutyPoll)
	if second.Fence <= first.Fence || second.Attempt != first.Attempt+1 {
		t.Errorf("second claim %+v does not follow the first %+v", second, first)
	}
	for name, write := range map[string]func() error{
		"Renew":      func() error { return s.Renew(t.Context(), first, time.Second) },
		"Finish":     func() error { return s.Finish(t.Context(), first, clk.Now()) },
		"Fail":       func() error { return s.Fail(t.Context(), first, clk.Now(), "x") },
		"CommitPage": func() error { return s.CommitPage(t.Context(), first, store.PageCommit{Cursor: "{}"}) },
		"Restart":    func() error { return s.Restart(t.Context(), first, "{}", clk.Now()) },
		"Denied":     func() error { return s.Denied(t.Context(), first, 1) },
		"Stuck":      func() error { return s.Stuck(t.Context(), first, clk.Now()) },
		"CommitGap":  func() error { return s.CommitGap(t.Context(), first, first.ID, store.Gap{}, "{}", clk.Now()) },
	} {
		if err := write(); !errors.Is(err, store.ErrFenced) {
			t.Errorf("%s with an old claim: %v; want ErrFenced", name, err)
		}
	}
	if err := s.Finish(t.Context(), second, clk.Now().Add(time.Minute)); err != nil {
		t.Fatalf("Finish: %v", err)
	}
	noClaim(t, s, store.DutyPoll)
	next, ok, err := s.NextDue(t.Context(), store.DutyPoll)
	if err != nil || !ok || !next.Equal(clk.Now().Add(time.Minute)) {
		t.Errorf("NextDue = %v, %v, %v; want in a minute", next, ok, err)
	}
	clk.Add(time.Minute)
	if third := claimOne(t, s, store.DutyPoll); third.Attempt != 1 {
		t.Errorf("attempt after a success = %d, want 1", third.Attempt)
	}
}

func TestFailKeepsCountingAndShowsWhy(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	for attempt := int64(1); attempt <= 3; attempt++ {
		c := claimOne(t, s, store.DutyPoll)
		if c.Attempt != attempt {
			t.Errorf("attempt = %d, want %d", c.Attempt, attempt)
		}
		if err := s.Fail(t.Context(), c, clk.Now().Add(time.Second), "no luck"); err != nil {
			t.Fatalf("Fail: %v", err)
		}
		noClaim(t, s, store.DutyPoll)
		clk.Add(time.Second)
	}
}

func TestWorkThatNeverFinishesIsParked(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	claims := 0
	for range 40 {
		got, err := s.Claim(t.Context(), store.DutyPoll, "me", 5*time.Second, 10)
		if err != nil {
			t.Fatal(err)
		}
		claims += len(got)
		clk.Add(5 * time.Second)
	}
	if claims != 20 {
		t.Errorf("a row whose work never finishes was claimed %d times, want 20", claims)
	}
	st, err := s.DutyStats(t.Context(), store.DutyPoll)
	if err != nil || st.Parked != 1 || st.Scheduled != 0 {
		t.Errorf("DutyStats = %+v, %v; want one parked row", st, err)
	}
	if n, err := s.Rearm(t.Context()); err != nil || n != 0 {
		t.Errorf("Rearm = %d, %v; a parked row must stay so", n, err)
	}
	c := storetest.Caller()
	if err := errors.Join(s.StopIngestion(t.Context(), c, r.Bundle.ID, r.Ingestion.ID), s.StartIngestion(t.Context(), c, r.Bundle.ID, r.Ingestion.ID)); err != nil {
		t.Fatal(err)
	}
	claimOne(t, s, store.DutyPoll)
}

// TestAskingAgainWakesWhatWasParked: who asks for the same once more gets the backfill
// that was put away, and it begins anew.
func TestAskingAgainWakesWhatWasParked(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	window := store.Interval{From: clk.Now().Add(-time.Hour), To: clk.Now()}
	ask := func() string {
		run, err := s.StartBackfill(t.Context(), storetest.Caller(), r.Bundle.ID, r.Ingestion.ID, []store.Backfill{{
			ID: uuid.NewString(), RunID: uuid.NewString(), StreamID: r.StreamIDs[0], Kind: store.BackfillAsked, Interval: window, CreatedAt: clk.Now(),
		}})
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	run := ask()
	for n := range int64(21) {
		got, err := s.Claim(t.Context(), store.DutyBackfill, "me", 5*time.Second, 10)
		if err != nil || n < 20 && (len(got) != 1 || got[0].Crashes != n) || n == 20 && len(got) > 0 {
			t.Fatalf("claim %d: %+v, %v; want %d crashes before it, and the last one to park it", n, got, err, n)
		}
		clk.Add(5 * time.Second)
	}
	if again := ask(); again != run {
		t.Errorf("asked for again, it is another: %s, %s", again, run)
	}
	if c := claimOne(t, s, store.DutyBackfill); c.Crashes != 0 {
		t.Errorf("it begins with %d crashes", c.Crashes)
	}
}

func TestReleaseGivesUpOnlyTheOwnersLeases(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	storetest.Make(t, s, storetest.Spec{Streams: []string{"a", "b"}, Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	mine, err := s.Claim(t.Context(), store.DutyPoll, "me", time.Hour, 1)
	if err != nil {
		t.Fatal(err)
	}
	yours, err := s.Claim(t.Context(), store.DutyPoll, "you", time.Hour, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Release(t.Context(), store.DutyPoll, "me"); err != nil {
		t.Fatal(err)
	}
	if err := s.Renew(t.Context(), yours[0], time.Hour); err != nil {
		t.Errorf("the other owner's lease was given up: %v", err)
	}
	if err := s.Finish(t.Context(), mine[0], clk.Now()); !errors.Is(err, store.ErrFenced) {
		t.Errorf("a released claim still writes: %v", err)
	}
	if again := claimOne(t, s, store.DutyPoll); again.ID != mine[0].ID || again.Attempt != 1 {
		t.Errorf("claimed %+v, want the first attempt at the released %s", again, mine[0].ID)
	}
}

func TestLeasesAreVoidAfterRestart(t *testing.T) {
	t.Parallel()
	clk := newClock()
	path := filepath.Join(t.TempDir(), "selvedge.db")
	s, err := store.Open(t.Context(), store.Options{Path: path, Now: clk.Now})
	if err != nil {
		t.Fatal(err)
	}
	storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	old := claimOne(t, s, store.DutyPoll)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = storetest.Open(t, path, clk.Now)
	claimOne(t, s, store.DutyPoll)
	if err := s.Finish(t.Context(), old, clk.Now()); !errors.Is(err, store.ErrFenced) {
		t.Errorf("a claim from before the restart still writes: %v", err)
	}
}

func TestClaimRow(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := storetest.Make(t, s, storetest.Spec{Now: clk.Now()})
	id := r.Authorization.ID
	c, ok, err := s.ClaimRow(t.Context(), store.DutyRefresh, id, "me", time.Minute)
	if err != nil || !ok {
		t.Fatalf("ClaimRow of a row at rest = %v, %v", ok, err)
	}
	if _, ok, err = s.ClaimRow(t.Context(), store.DutyRefresh, id, "you", time.Minute); err != nil || ok {
		t.Fatalf("ClaimRow of a held row = %v, %v; want false", ok, err)
	}
	if err := s.Finish(t.Context(), c, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, ok, err = s.ClaimRow(t.Context(), store.DutyRefresh, id, "you", time.Minute); err != nil || !ok {
		t.Fatalf("ClaimRow after Finish = %v, %v", ok, err)
	}
}

func TestConcurrentClaimsNeverShareARow(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, nil)
	streams := make([]string, 40)
	for i := range streams {
		streams[i] = string(rune('a'+i%26)) + string(rune('a'+i/26))
	}
	storetest.Make(t, s, storetest.Spec{Streams: streams, Destinations: []fabric.Processing{rawJSON}})
	var mu sync.Mutex
	got := map[string]int{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				claims, err := s.Claim(context.Background(), store.DutyPoll, "me", time.Hour, 3)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				for _, c := range claims {
					got[c.ID]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	want := map[string]int{}
	for id := range got {
		want[id] = 1
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != len(streams) {
		t.Errorf("%d rows claimed, want %d, each once (-want +got):\n%s", len(got), len(streams), diff)
	}
}
