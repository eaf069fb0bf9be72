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

// strangers are callers that must not see what storetest.Caller makes.
func strangers() map[string]fabric.Caller {
	account, region := storetest.Caller(), storetest.Caller()
	account.Account, region.Region = "999999999999", "eu-west-1"
	return map[string]fabric.Caller{"another account": account, "another Region": region}
}

func newBundle(c fabric.Caller, at time.Time) fabric.AppBundle {
	return fabric.AppBundle{ID: uuid.NewString(), Account: c.Account, Region: c.Region, CreatedAt: at}
}

func TestBundlesAreListedInTheOrderOfCreation(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s, c := storetest.New(t, clk.Now), storetest.Caller()
	var made []fabric.AppBundle
	for range 3 { // in one millisecond, and the next
		for range 2 {
			b, err := s.CreateAppBundle(t.Context(), c, newBundle(c, clk.Now()), []byte("key"), store.Terms{})
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, b)
		}
		clk.Add(time.Millisecond)
	}
	var got []fabric.AppBundle
	var after store.Mark
	for {
		page, err := s.ListAppBundles(t.Context(), c, after, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		after = store.Mark{CreatedAt: page[0].CreatedAt, ID: page[0].ID}
	}
	for i := 0; i < len(made); i += 2 {
		if made[i].ID > made[i+1].ID {
			made[i], made[i+1] = made[i+1], made[i]
		}
	}
	if d := cmp.Diff(made, got); d != "" {
		t.Error(d)
	}
}

func TestBundleOfAnother(t *testing.T) {
	t.Parallel()
	s, c := storetest.New(t, nil), storetest.Caller()
	b, err := s.CreateAppBundle(t.Context(), c, newBundle(c, time.Now()), []byte("key"), store.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	for name, stranger := range strangers() {
		_, got := s.GetAppBundle(t.Context(), stranger, b.ID)
		page, err := s.ListAppBundles(t.Context(), stranger, store.Mark{}, 10)
		if !errors.Is(got, store.ErrNotFound) || err != nil || len(page) != 0 {
			t.Errorf("%s: Get %v; List %v, %v", name, got, page, err)
		}
		if err := s.DeleteAppBundle(t.Context(), stranger, b.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: Delete %v", name, err)
		}
	}
	if _, err := s.GetAppBundle(t.Context(), c, b.ID); err != nil {
		t.Error(err)
	}
}

func TestDeleteAppBundle(t *testing.T) {
	t.Parallel()
	s, c := storetest.New(t, nil), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{})
	if err := s.DeleteAppBundle(t.Context(), c, r.Bundle.ID); !errors.Is(err, store.ErrInUse) {
		t.Errorf("with an ingestion: %v", err)
	}
	if err := s.DeleteIngestion(t.Context(), c, r.Bundle.ID, r.Ingestion.ID); err != nil {
		t.Error(err)
	}
	if err := s.DeleteAppBundle(t.Context(), c, r.Bundle.ID); !errors.Is(err, store.ErrInUse) {
		t.Errorf("with an authorization: %v", err)
	}
	if err := s.DeleteAppAuthorization(t.Context(), c, r.Bundle.ID, r.Authorization.ID); err != nil {
		t.Error(err)
	}
	if err := s.DeleteAppBundle(t.Context(), c, r.Bundle.ID); err != nil {
		t.Error(err)
	}
	if _, _, err := s.DataKey(t.Context(), r.Bundle.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the data key is still there: %v", err)
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	s, c := storetest.New(t, nil), storetest.Caller()
	limit := store.Terms{Limit: 1}
	create := func(c fabric.Caller) error {
		_, err := s.CreateAppBundle(t.Context(), c, newBundle(c, time.Now()), []byte("key"), limit)
		return err
	}
	if err := create(c); err != nil {
		t.Error(err)
	}
	if err := create(c); !errors.Is(err, store.ErrQuota) {
		t.Errorf("the second: %v", err)
	}
	for name, stranger := range strangers() {
		if err := create(stranger); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
