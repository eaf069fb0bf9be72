package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

func TestOnce(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s, c := storetest.New(t, clk.Now), storetest.Caller()
	send := func(key string) (string, error) {
		b, err := s.CreateAppBundle(t.Context(), c, newBundle(c, clk.Now()), []byte("key"), store.Terms{
			Limit: 2, Once: store.Once{Operation: "CreateAppBundle", Token: "token", RequestKey: key},
		})
		return b.ID, err
	}
	first, err := send("a")
	if err != nil {
		t.Fatal(err)
	}
	clk.Add(24*time.Hour - time.Millisecond)
	if again, err := send("a"); err != nil || again != first {
		t.Errorf("again: %s, %v; want %s", again, err, first)
	}
	_, err = send("b")
	if mismatch, ok := errors.AsType[*store.MismatchError](err); !ok || mismatch.ResourceID != first {
		t.Errorf("another request: %v", err)
	}
	clk.Add(time.Millisecond)
	second, err := send("b")
	if err != nil || second == first {
		t.Errorf("after a day: %s, %v", second, err)
	}
	if again, err := send("b"); err != nil || again != second {
		t.Errorf("at the quota: %s, %v", again, err)
	}
	if err := s.DeleteAppBundle(t.Context(), c, second); err != nil {
		t.Fatal(err)
	}
	if third, err := send("a"); err != nil || third == first || third == second {
		t.Errorf("after the deletion: %s, %v", third, err)
	}
	if n, err := s.SweepClientTokens(t.Context(), clk.Now()); err != nil || n != 0 {
		t.Errorf("swept %d, %v; want none", n, err)
	}
	if n, err := s.SweepClientTokens(t.Context(), clk.Now().Add(time.Millisecond)); err != nil || n != 1 {
		t.Errorf("swept %d, %v; want 1", n, err)
	}
}

func TestTwinsMakeOne(t *testing.T) {
	t.Parallel()
	s, c := storetest.New(t, nil), storetest.Caller()
	ids := make([]string, 10)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			b, err := s.CreateAppBundle(t.Context(), c, newBundle(c, time.Now()), []byte("key"), store.Terms{
				Once: store.Once{Operation: "CreateAppBundle", Token: "token", RequestKey: "key"},
			})
			if err != nil {
				t.Error(err)
			}
			ids[i] = b.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("two resources: %s and %s", id, ids[0])
		}
	}
	if all, err := s.ListAppBundles(t.Context(), c, store.Mark{}, 100); err != nil || len(all) != 1 {
		t.Errorf("%d bundles, %v", len(all), err)
	}
}
