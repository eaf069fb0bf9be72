package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"selvedge/internal/clocktest"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// batchOf closes a batch of one record and returns its id.
func batchOf(t *testing.T, s *store.Store, clk *clocktest.Clock) string {
	t.Helper()
	c, id := claimOne(t, s, store.DutyPoll), uuid.NewString()
	takePage(t, s, c, id, 1, true, true, clk.Now())
	clk.Add(time.Minute)
	return id
}

func TestDeliveriesGoOldestFirstAndOnce(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	batches := []string{batchOf(t, s, clk), batchOf(t, s, clk)}
	c := claimOne(t, s, store.DutyDeliver)
	for _, want := range batches {
		dv, ok, err := s.NextDelivery(t.Context(), r.Destinations[0].ID)
		if err != nil || !ok || dv.BatchID != want || dv.App != "OKTA" || dv.Stream != "system_log" {
			t.Fatalf("NextDelivery = %+v, %v, %v; want batch %s", dv, ok, err, want)
		}
		if err := s.Freeze(t.Context(), c, want, store.Spot{Bucket: "audit-logs", Key: "k/" + want}); err != nil {
			t.Fatal(err)
		}
		if err := s.Freeze(t.Context(), c, want, store.Spot{Bucket: "elsewhere", Key: "k"}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a frozen place was changed: %v", err)
		}
		if dv, _, _ = s.NextDelivery(t.Context(), r.Destinations[0].ID); dv.At.Key != "k/"+want {
			t.Errorf("Key = %q after Freeze", dv.At.Key)
		}
		if err := s.Delivered(t.Context(), c, want, 0); err != nil {
			t.Fatal(err)
		}
		if err := s.Delivered(t.Context(), c, want, 0); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a batch was delivered twice: %v", err)
		}
	}
	if _, ok, err := s.NextDelivery(t.Context(), r.Destinations[0].ID); ok || err != nil {
		t.Errorf("something is still owed: %v, %v", ok, err)
	}
}

func TestABatchClosedDuringADeliveryIsNotForgotten(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	first := batchOf(t, s, clk)
	c := claimOne(t, s, store.DutyDeliver)
	if err := errors.Join(s.Freeze(t.Context(), c, first, store.Spot{Bucket: "b", Key: "k"}), s.Delivered(t.Context(), c, first, 0)); err != nil {
		t.Fatal(err)
	}
	if err := s.Renew(t.Context(), c, time.Hour); err != nil {
		t.Fatal(err)
	}
	batchOf(t, s, clk)
	if err := s.FinishDeliver(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	c = claimOne(t, s, store.DutyDeliver)
	dv, _, err := s.NextDelivery(t.Context(), c.ID)
	if err := errors.Join(err, s.Freeze(t.Context(), c, dv.BatchID, store.Spot{Bucket: "b", Key: "k2"}), s.Delivered(t.Context(), c, dv.BatchID, 0), s.FinishDeliver(t.Context(), c)); err != nil {
		t.Fatal(err)
	}
	noClaim(t, s, store.DutyDeliver)
}

func TestANewDestinationGetsWhatIsKept(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	batch := batchOf(t, s, clk)
	late := storetest.Destination(t, s, r.Ingestion, rawJSON, clk.Now())
	if dv, ok, err := s.NextDelivery(t.Context(), late.ID); err != nil || !ok || dv.BatchID != batch {
		t.Errorf("NextDelivery of a new destination = %+v, %v, %v; want %s", dv, ok, err, batch)
	}
}

func TestDestinationStatus(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	batch := batchOf(t, s, clk)
	c := claimOne(t, s, store.DutyDeliver)
	get := func() fabric.IngestionDestination {
		d, err := s.GetIngestionDestination(t.Context(), storetest.Caller(), r.Bundle.ID, r.Ingestion.ID, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	before := get()
	if err := s.DestinationFailed(t.Context(), c, "the disk is full"); err != nil {
		t.Fatal(err)
	}
	failed := get()
	if failed.Status != fabric.Failed || failed.Reason != "the disk is full" || !failed.UpdatedAt.After(before.UpdatedAt) {
		t.Errorf("after a refusal: %+v", failed)
	}
	clk.Add(time.Second)
	if err := s.DestinationFailed(t.Context(), c, "the disk is full"); err != nil {
		t.Fatal(err)
	}
	if again := get(); !again.UpdatedAt.Equal(failed.UpdatedAt) {
		t.Error("the same failure changed updatedAt")
	}
	if err := errors.Join(s.Freeze(t.Context(), c, batch, store.Spot{Bucket: "b", Key: "k"}), s.Delivered(t.Context(), c, batch, 0)); err != nil {
		t.Fatal(err)
	}
	if d := get(); d.Status != fabric.Active || d.Reason != "" {
		t.Errorf("after a delivery: %+v", d)
	}
}

func TestSweepBatches(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	delivered, owed := batchOf(t, s, clk), batchOf(t, s, clk)
	c := claimOne(t, s, store.DutyDeliver)
	if err := errors.Join(s.Freeze(t.Context(), c, delivered, store.Spot{Bucket: "b", Key: "k"}), s.Delivered(t.Context(), c, delivered, 0)); err != nil {
		t.Fatal(err)
	}
	deliveredAt := clk.Now()
	if n, err := s.SweepBatches(t.Context(), deliveredAt.Add(-time.Millisecond)); err != nil || n != 0 {
		t.Errorf("swept %d batches that are kept, %v", n, err)
	}
	if n, err := s.SweepBatches(t.Context(), deliveredAt.Add(24*time.Hour)); err != nil || n != 1 {
		t.Errorf("swept %d batches, want the delivered one, %v", n, err)
	}
	for id, want := range map[string]int{delivered: 0, owed: 1} {
		if pages, err := s.Pages(t.Context(), id); err != nil || len(pages) != want {
			t.Errorf("batch has %d pages, want %d, %v", len(pages), want, err)
		}
	}
	if err := s.Shrink(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRearmAndDisableBare(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	c := claimOne(t, s, store.DutyPoll)
	if err := s.Finish(t.Context(), c, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Rearm(t.Context()); err != nil || n != 1 {
		t.Errorf("Rearm = %d, %v; want the stream that lost its time", n, err)
	}
	step := func(after time.Duration, want int) {
		t.Helper()
		clk.Add(after)
		if ids, err := s.DisableBare(t.Context(), 24*time.Hour); err != nil || len(ids) != want {
			t.Errorf("DisableBare = %v, %v; want %d", ids, err, want)
		}
	}
	step(48*time.Hour, 0)
	err := s.DeleteIngestionDestination(t.Context(), storetest.Caller(), r.Bundle.ID, r.Ingestion.ID, r.Destinations[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	step(time.Minute, 0)
	step(24*time.Hour-time.Second, 0)
	step(time.Second, 1)
	noClaim(t, s, store.DutyPoll)
	i, err := s.GetIngestion(t.Context(), storetest.Caller(), r.Bundle.ID, r.Ingestion.ID)
	if err != nil || i.State != fabric.Disabled {
		t.Errorf("ingestion = %+v, %v; want disabled", i, err)
	}
}

// TestADeliveryInPart: what a stream has not taken is kept with the delivery,
// whatever becomes of its place, until all is delivered.
func TestADeliveryInPart(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	batch := batchOf(t, s, clk)
	c := claimOne(t, s, store.DutyDeliver)
	next := func() store.Delivery {
		t.Helper()
		dv, ok, err := s.NextDelivery(t.Context(), c.ID)
		if err != nil || !ok {
			t.Fatalf("NextDelivery = %v, %v", ok, err)
		}
		return dv
	}
	if err := s.Freeze(t.Context(), c, batch, store.Spot{Stream: "events"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Freeze(t.Context(), c, batch, store.Spot{Bucket: "b", Key: "k"}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a frozen stream was changed: %v", err)
	}
	if dv := next(); dv.At != (store.Spot{Stream: "events"}) || dv.Pending != "" {
		t.Errorf("after Freeze: %+v", dv)
	}
	if err := errors.Join(s.DestinationFailed(t.Context(), c, "throttled"), s.DeliveredPart(t.Context(), c, batch, "1-3,7")); err != nil {
		t.Fatal(err)
	}
	d, err := s.GetIngestionDestination(t.Context(), storetest.Caller(), r.Bundle.ID, r.Ingestion.ID, c.ID)
	if err != nil || d.Status != fabric.Active {
		t.Errorf("it took a part and is %s, %v", d.Status, err)
	}
	if err := s.Unfreeze(t.Context(), c, batch); err != nil {
		t.Fatal(err)
	}
	if dv := next(); dv.At != (store.Spot{}) || dv.Pending != "1-3,7" {
		t.Errorf("after Unfreeze: %+v", dv)
	}
	stale := c
	stale.Fence--
	if err := s.DeliveredPart(t.Context(), stale, batch, "9"); !errors.Is(err, store.ErrFenced) {
		t.Errorf("a stale claim: %v", err)
	}
	if err := s.Delivered(t.Context(), c, batch, 2); err != nil {
		t.Fatal(err)
	}
	if err := s.DeliveredPart(t.Context(), c, batch, "9"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a part of what is delivered: %v", err)
	}
	backlogs, err := s.Backlogs(t.Context(), storetest.Caller(), r.Ingestion.ID)
	if err != nil || len(backlogs) != 1 || backlogs[0].Undelivered != 2 {
		t.Errorf("Backlogs = %+v, %v", backlogs, err)
	}
}
