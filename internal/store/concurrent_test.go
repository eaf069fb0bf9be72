package store_test

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// atOnce runs f for 0 to n-1 at the same time and counts the calls that
// returned nil; every other must have returned want.
func atOnce(t *testing.T, n int, want error, f func(i int) error) int {
	t.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	done := 0
	for _, err := range errs {
		switch {
		case err == nil:
			done++
		case !errors.Is(err, want):
			t.Errorf("%v; want success or %v", err, want)
		}
	}
	return done
}

func TestQuotasHoldAtOnce(t *testing.T) {
	t.Parallel()
	s, c := storetest.New(t, nil), storetest.Caller()
	n := atOnce(t, 12, store.ErrQuota, func(int) error {
		_, err := s.CreateAppBundle(t.Context(), c, newBundle(c, time.Now()), []byte("key"), store.Terms{Limit: 3})
		return err
	})
	if n != 3 {
		t.Errorf("%d bundles under a limit of 3", n)
	}
}

func TestATenantIsAuthorizedOnceAtOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, nil)
	r := storetest.Make(t, s, storetest.Spec{})
	if n := atOnce(t, 8, store.ErrExists, func(int) error { return create(t, s, another(r, "two")) }); n != 1 {
		t.Errorf("%d authorizations of one tenant", n)
	}
}

func TestTagsAreBoundedAtOnce(t *testing.T) {
	t.Parallel()
	s, c := storetest.New(t, nil), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{})
	n := atOnce(t, 8, store.ErrTooManyTags, func(i int) error {
		var tags []fabric.Tag
		for k := range 10 {
			tags = append(tags, fabric.Tag{Key: strconv.Itoa(10*i + k)})
		}
		return s.Tag(t.Context(), c, r.Bundle.ARN(), tags)
	})
	if n != fabric.MaxTags/10 {
		t.Errorf("%d times ten tags, with a limit of %d", n, fabric.MaxTags)
	}
}

func TestABucketHasOneOwnerAtOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, nil)
	r := storetest.Make(t, s, storetest.Spec{})
	other := storetest.Caller()
	other.Account = "999999999999"
	b, err := s.CreateAppBundle(t.Context(), other, newBundle(other, time.Now()), []byte("key"), store.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	a := another(r, "acme.okta.com")
	a.BundleID, a.Account, a.Status = b.ID, other.Account, fabric.Connected
	if _, err := s.CreateAppAuthorization(t.Context(), other, a, store.Given{}, store.Terms{}); err != nil {
		t.Fatal(err)
	}
	theirs := r.Ingestion
	theirs.ID, theirs.BundleID, theirs.Account = uuid.NewString(), b.ID, other.Account
	if _, err := s.CreateIngestion(t.Context(), other, theirs, store.Start{Cursor: "{}"}, store.Terms{}); err != nil {
		t.Fatal(err)
	}
	callers := []fabric.Caller{storetest.Caller(), other}
	for round := range 10 {
		n := atOnce(t, 2, store.ErrOwned, func(i int) error {
			in := []fabric.Ingestion{r.Ingestion, theirs}[i]
			_, err := s.CreateIngestionDestination(t.Context(), callers[i], fabric.IngestionDestination{
				ID: uuid.NewString(), BundleID: in.BundleID, IngestionID: in.ID,
				Place: fabric.Place{Bucket: "bucket-" + strconv.Itoa(round)},
			}, store.Terms{})
			return err
		})
		if n != 1 {
			t.Fatalf("%d accounts own one bucket", n)
		}
	}
}

// TestABundleIsNotDeletedUnderItsAuthorization: what was answered with success
// stays.
func TestABundleIsNotDeletedUnderItsAuthorization(t *testing.T) {
	t.Parallel()
	s, c := storetest.New(t, nil), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{})
	for range 10 {
		b, err := s.CreateAppBundle(t.Context(), c, newBundle(c, time.Now()), []byte("key"), store.Terms{})
		if err != nil {
			t.Fatal(err)
		}
		a := another(r, "two")
		a.BundleID = b.ID
		var created, deleted error
		var wg sync.WaitGroup
		wg.Go(func() { created = create(t, s, a) })
		wg.Go(func() { deleted = s.DeleteAppBundle(t.Context(), c, b.ID) })
		wg.Wait()
		if (created == nil) == (deleted == nil) {
			t.Fatalf("create: %v, delete of its bundle: %v; want one of them done", created, deleted)
		}
		if _, err := s.GetAppAuthorization(t.Context(), c, b.ID, a.ID); (err == nil) != (created == nil) {
			t.Fatalf("create: %v, get: %v", created, err)
		}
	}
}

// TestEveryDestinationIsOwedEveryBatch makes destinations while batches close.
func TestEveryDestinationIsOwedEveryBatch(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, nil)
	streams := []string{"a", "b", "c"}
	r := storetest.Make(t, s, storetest.Spec{Streams: streams, Destinations: []fabric.Processing{rawJSON}})
	claims, err := s.Claim(t.Context(), store.DutyPoll, "me", time.Minute, 3)
	if err != nil || len(claims) != 3 {
		t.Fatalf("Claim = %v, %v", claims, err)
	}
	const batches, destinations = 20, 20
	made := make([]string, destinations)
	var wg sync.WaitGroup
	for _, c := range claims {
		wg.Go(func() {
			for range batches {
				takePage(t, s, c, uuid.NewString(), 1, true, false, time.Now())
			}
		})
	}
	wg.Go(func() {
		for i := range made {
			made[i] = storetest.Destination(t, s, r.Ingestion, rawJSON, time.Now()).ID
		}
	})
	wg.Wait()
	for _, id := range made {
		c, ok, err := s.ClaimRow(t.Context(), store.DutyDeliver, id, "me", time.Minute)
		if err != nil || !ok {
			t.Fatalf("ClaimRow = %v, %v", ok, err)
		}
		if n := deliverAll(t, s, c); n != batches*len(streams) {
			t.Fatalf("a destination got %d of %d batches", n, batches*len(streams))
		}
	}
}

// deliverAll marks what is owed as delivered and counts it.
func deliverAll(t *testing.T, s *store.Store, c store.Claim) int {
	t.Helper()
	for n := 0; ; n++ {
		dv, ok, err := s.NextDelivery(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return n
		}
		if err := s.Delivered(t.Context(), c, dv.BatchID, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNoWakeIsLost finishes the claim of a destination while a batch closes: it
// is owed, so the destination must be due.
func TestNoWakeIsLost(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, nil)
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}})
	poll := claimOne(t, s, store.DutyPoll)
	for range 40 {
		c, ok, err := s.ClaimRow(t.Context(), store.DutyDeliver, r.Destinations[0].ID, "me", time.Minute)
		if err != nil || !ok {
			t.Fatalf("ClaimRow = %v, %v", ok, err)
		}
		deliverAll(t, s, c)
		var wg sync.WaitGroup
		wg.Go(func() { takePage(t, s, poll, uuid.NewString(), 1, true, false, time.Now()) })
		wg.Go(func() {
			if err := s.FinishDeliver(t.Context(), c); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		if _, ok, err := s.NextDue(t.Context(), store.DutyDeliver); err != nil || !ok {
			t.Fatalf("NextDue = %v, %v; a batch is owed", ok, err)
		}
	}
}
