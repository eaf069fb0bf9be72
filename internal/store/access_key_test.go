package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

func newKey(id string, c fabric.Caller, at time.Time) fabric.AccessKey {
	return fabric.AccessKey{ID: id, Account: c.Account, Policy: `{"Id":"` + id + `"}`, CreatedAt: at.UTC().Truncate(time.Millisecond)}
}

func TestAccessKeys(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s, c := storetest.New(t, clk.Now), storetest.Caller()
	other := fabric.Caller{Account: "999999999999", Region: c.Region}
	elsewhere := fabric.Caller{Account: c.Account, Region: "eu-west-1"} // keys have no Region
	one, two, foreign := newKey("AKIA1", c, clk.Now()), newKey("AKIA2", c, clk.Now()), newKey("AKIA0", other, clk.Now())
	for k, who := range map[fabric.AccessKey]fabric.Caller{one: c, two: elsewhere, foreign: other} {
		if err := s.CreateAccessKey(t.Context(), who, k, []byte("sealed "+k.ID)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.CreateAccessKey(t.Context(), c, foreign, []byte("mine")); err == nil {
		t.Error("an id was taken twice")
	}
	k, sealed, err := s.AccessKey(t.Context(), one.ID)
	if d := cmp.Diff(one, k); d != "" || err != nil || string(sealed) != "sealed AKIA1" {
		t.Errorf("%q, %v\n%s", sealed, err, d)
	}
	if _, _, err := s.AccessKey(t.Context(), "AKIA"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an unknown key: %v", err)
	}
	list := func(want []fabric.AccessKey, got []fabric.AccessKey, err error) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%v\n%s", err, d)
		}
	}
	mine, err := s.ListAccessKeys(t.Context(), c, store.Mark{}, 10)
	list([]fabric.AccessKey{one, two}, mine, err)
	mine, err = s.ListAccessKeys(t.Context(), c, store.Mark{CreatedAt: one.CreatedAt, ID: one.ID}, 10)
	list([]fabric.AccessKey{two}, mine, err)
	all, err := s.ListAllAccessKeys(t.Context(), store.Mark{}, 2)
	list([]fabric.AccessKey{foreign, one}, all, err)
}

func TestRevokedKeysLoseTheirSecret(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s, c := storetest.New(t, clk.Now), storetest.Caller()
	key := newKey("AKIA1", c, clk.Now())
	if err := s.CreateAccessKey(t.Context(), c, key, []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	stranger := fabric.Caller{Account: "999999999999"}
	if err := s.RevokeAccessKey(t.Context(), stranger, key.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of another account: %v", err)
	}
	if k, sealed, err := s.AccessKey(t.Context(), key.ID); err != nil || !k.RevokedAt.IsZero() || len(sealed) == 0 {
		t.Errorf("revoked by another account: %v, %q, %v", k, sealed, err)
	}
	clk.Add(time.Minute)
	first := clk.Now().UTC().Truncate(time.Millisecond)
	for range 2 {
		if err := s.RevokeAccessKey(t.Context(), c, key.ID); err != nil {
			t.Fatal(err)
		}
		k, sealed, err := s.AccessKey(t.Context(), key.ID)
		if err != nil || !k.RevokedAt.Equal(first) || len(sealed) != 0 {
			t.Errorf("revoked: %v, %q, %v, want the time %v", k, sealed, err, first)
		}
		clk.Add(time.Minute)
	}
	if n, err := s.SweepAccessKeys(t.Context(), first); n != 0 || err != nil {
		t.Errorf("swept %d too early: %v", n, err)
	}
	if n, err := s.SweepAccessKeys(t.Context(), first.Add(time.Millisecond)); n != 1 || err != nil {
		t.Errorf("swept %d, want the revoked one: %v", n, err)
	}
	if _, _, err := s.AccessKey(t.Context(), key.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after the sweep: %v", err)
	}
}

func TestSweepLeavesKeysInUse(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s, c := storetest.New(t, clk.Now), storetest.Caller()
	if err := s.CreateAccessKey(t.Context(), c, newKey("AKIA1", c, clk.Now()), []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	if n, err := s.SweepAccessKeys(t.Context(), clk.Now().Add(time.Hour)); n != 0 || err != nil {
		t.Errorf("swept %d: %v", n, err)
	}
}
