package store_test

import (
	"testing"
	"time"

	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// TestInitMeta: of two servers that begin at once one makes both values.
func TestInitMeta(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, time.Now)
	init := func(check, seed, wantCheck, wantSeed string) {
		t.Helper()
		kept, with, err := s.InitMeta(t.Context(), store.MetaMasterCheck, []byte(check), store.MetaSeed, []byte(seed))
		if err != nil || string(kept) != wantCheck || string(with) != wantSeed {
			t.Errorf("InitMeta(%s, %s) = %s, %s, %v", check, seed, kept, with, err)
		}
	}
	if _, err := s.SetMetaOnce(t.Context(), store.MetaMasterCheck, []byte("one")); err != nil {
		t.Fatal(err)
	}
	init("two", "of two", "one", "")        // another key, beside a database from before seeds
	init("one", "of one", "one", "of one")  // from before seeds
	init("one", "another", "one", "of one") // a replica
	init("two", "of two", "one", "of one")  // a replica with another key
}

func TestSwapMeta(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, time.Now)
	if _, err := s.SetMetaOnce(t.Context(), "x", []byte("a")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		old, next string
		want      bool
	}{{"b", "c", false}, {"a", "b", true}, {"a", "c", false}, {"a", "", false}, {"b", "", true}, {"b", "", false}} {
		if ok, err := s.SwapMeta(t.Context(), "x", []byte(tt.old), []byte(tt.next)); err != nil || ok != tt.want {
			t.Errorf("%q to %q: %v, %v", tt.old, tt.next, ok, err)
		}
	}
}
