package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

func TestTheFirstAccountOwnsAPlace(t *testing.T) {
	t.Parallel()
	s, c := storetest.New(t, nil), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{})
	d := storetest.Destination(t, s, r.Ingestion, rawJSON, time.Now())
	other := fabric.Caller{Account: "999999999999", Region: c.Region}
	theirs := foreign(t, s, other)
	at := func(p fabric.Place) error {
		d := theirs
		d.ID, d.Place = uuid.NewString(), p
		_, err := s.CreateIngestionDestination(t.Context(), other, d, store.Terms{})
		return err
	}
	if err := at(d.Place); !errors.Is(err, store.ErrOwned) {
		t.Errorf("another account's bucket: %v", err)
	}
	if err := at(fabric.Place{Stream: d.Place.Bucket}); err != nil {
		t.Errorf("a stream of the bucket's name: %v", err)
	}
	if err := at(fabric.Place{Bucket: "theirs"}); err != nil {
		t.Error(err)
	}
	_, err := s.UpdateIngestionDestination(t.Context(), c, d.BundleID, d.IngestionID, d.ID, fabric.Place{Bucket: "theirs"})
	if !errors.Is(err, store.ErrOwned) {
		t.Errorf("update to another account's bucket: %v", err)
	}
	got, err := s.GetIngestionDestination(t.Context(), c, d.BundleID, d.IngestionID, d.ID)
	if err != nil || got.Place != d.Place {
		t.Errorf("the refused update changed %+v, %v", got, err)
	}
}

// foreign is a destination, not yet made, of another account's ingestion.
func foreign(t *testing.T, s *store.Store, c fabric.Caller) fabric.IngestionDestination {
	t.Helper()
	b, err := s.CreateAppBundle(t.Context(), c, newBundle(c, time.Now()), []byte("key"), store.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	a := fabric.AppAuthorization{ID: uuid.NewString(), BundleID: b.ID, App: "OKTA", Status: fabric.Connected, Generation: 1}
	if _, err := s.CreateAppAuthorization(t.Context(), c, a, store.Given{}, store.Terms{}); err != nil {
		t.Fatal(err)
	}
	i := fabric.Ingestion{ID: uuid.NewString(), BundleID: b.ID, App: "OKTA", State: fabric.Enabled}
	if _, err := s.CreateIngestion(t.Context(), c, i, store.Start{}, store.Terms{}); err != nil {
		t.Fatal(err)
	}
	return fabric.IngestionDestination{BundleID: b.ID, IngestionID: i.ID, Processing: rawJSON, Status: fabric.Active}
}

func TestUpdateIngestionDestination(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s, c := storetest.New(t, clk.Now), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{Now: clk.Now(), Destinations: []fabric.Processing{rawJSON}})
	d := r.Destinations[0]
	update := func() fabric.IngestionDestination {
		t.Helper()
		got, err := s.UpdateIngestionDestination(t.Context(), c, d.BundleID, d.IngestionID, d.ID, fabric.Place{Bucket: "elsewhere", Prefix: "p"})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	clk.Add(time.Minute)
	want := d
	want.Place, want.UpdatedAt = fabric.Place{Bucket: "elsewhere", Prefix: "p"}, clk.Now()
	if diff := cmp.Diff(want, update()); diff != "" {
		t.Error(diff)
	}
	noClaim(t, s, store.DutyDeliver) // nothing is owed
	takePage(t, s, claimOne(t, s, store.DutyPoll), uuid.NewString(), 1, true, true, clk.Now())
	claim := claimOne(t, s, store.DutyDeliver)
	if err := s.Fail(t.Context(), claim, clk.Now().Add(time.Hour), "no such bucket"); err != nil {
		t.Fatal(err)
	}
	noClaim(t, s, store.DutyDeliver)
	update()
	if again := claimOne(t, s, store.DutyDeliver); again.Attempt != 1 {
		t.Errorf("attempt %d after the update, want 1", again.Attempt)
	}
}

func TestDestinationOfAnother(t *testing.T) {
	t.Parallel()
	s, c := storetest.New(t, nil), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}})
	d := r.Destinations[0]
	for name, stranger := range strangers() {
		_, get := s.GetIngestionDestination(t.Context(), stranger, d.BundleID, d.IngestionID, d.ID)
		_, put := s.UpdateIngestionDestination(t.Context(), stranger, d.BundleID, d.IngestionID, d.ID, fabric.Place{Bucket: "mine"})
		del := s.DeleteIngestionDestination(t.Context(), stranger, d.BundleID, d.IngestionID, d.ID)
		page, err := s.ListIngestionDestinations(t.Context(), stranger, d.BundleID, d.IngestionID, store.Mark{}, 10)
		for _, e := range []error{get, put, del} {
			if !errors.Is(e, store.ErrNotFound) {
				t.Errorf("%s: %v", name, e)
			}
		}
		if err != nil || len(page) != 0 {
			t.Errorf("%s: List %v, %v", name, page, err)
		}
	}
	page, err := s.ListIngestionDestinations(t.Context(), c, d.BundleID, d.IngestionID, store.Mark{}, 10)
	if diff := cmp.Diff(r.Destinations, page); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}
