package secret_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/secret"
)

// vault keeps wrapped keys as a database does.
type vault struct {
	mu    sync.Mutex
	rows  map[string]row
	loads int
	fail  error
}

type row struct {
	wrapped []byte
	arn     string
}

func (v *vault) load(_ context.Context, id string) ([]byte, string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.loads++
	if v.fail != nil {
		return nil, "", v.fail
	}
	r, ok := v.rows[id]
	if !ok {
		return nil, "", errors.New("no such bundle")
	}
	return r.wrapped, r.arn, nil
}

func bundle(n int) fabric.AppBundle {
	return fabric.AppBundle{ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", n), Account: "123456789012", Region: "us-east-1"}
}

func newKeyring(t *testing.T, bundles int) (*secret.Keyring, *vault, *time.Time) {
	t.Helper()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	v := &vault{rows: map[string]row{}}
	k := secret.NewKeyring(newMaster(t), v.load, func() time.Time { return now })
	for i := range bundles {
		b := bundle(i)
		wrapped, err := k.NewDataKey(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		v.rows[b.ID] = row{wrapped, b.ARN().String()}
	}
	return k, v, &now
}

func TestSealOpensOnlyInItsPlace(t *testing.T) {
	t.Parallel()
	k, _, _ := newKeyring(t, 2)
	place := secret.Context{Bundle: bundle(0).ID, Owner: "owner", Field: "tokens", Version: 7}
	plaintext := []byte("canary-plaintext")
	sealed, err := k.Seal(t.Context(), place, plaintext)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, plaintext) {
		t.Fatal("the plaintext is in the sealed bytes")
	}
	if got, err := k.Open(t.Context(), place, sealed); err != nil || !bytes.Equal(got, plaintext) {
		t.Fatalf("Open = %q, %v", got, err)
	}
	elsewhere := map[string]func(c *secret.Context){
		"bundle":           func(c *secret.Context) { c.Bundle = bundle(1).ID },
		"owner":            func(c *secret.Context) { c.Owner = "other" },
		"field":            func(c *secret.Context) { c.Field = "previous" },
		"version":          func(c *secret.Context) { c.Version = 8 },
		"owner runs over":  func(c *secret.Context) { c.Owner, c.Field = "ownerto", "kens" },
		"field is version": func(c *secret.Context) { c.Field, c.Version = "tokens7", 0 },
	}
	for name, change := range elsewhere {
		moved := place
		change(&moved)
		if got, err := k.Open(t.Context(), moved, sealed); !errors.Is(err, secret.ErrNotOpened) {
			t.Errorf("another %s: %q, %v", name, got, err)
		}
	}
	for i := range sealed {
		damaged := slices.Clone(sealed)
		damaged[i] ^= 1
		if _, err := k.Open(t.Context(), place, damaged); !errors.Is(err, secret.ErrNotOpened) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		if _, err := k.Open(t.Context(), place, sealed[:i]); !errors.Is(err, secret.ErrNotOpened) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
}

func TestDataKeyBelongsToItsBundle(t *testing.T) {
	t.Parallel()
	k, v, now := newKeyring(t, 2)
	place := secret.Context{Bundle: bundle(0).ID, Owner: "o", Field: "f"}
	if _, err := k.Seal(t.Context(), place, nil); err != nil {
		t.Fatal(err)
	}
	*now = now.Add(time.Hour)
	v.rows[bundle(0).ID] = row{v.rows[bundle(1).ID].wrapped, v.rows[bundle(0).ID].arn}
	if _, err := k.Seal(t.Context(), place, nil); !errors.Is(err, secret.ErrNotOpened) {
		t.Errorf("the key of another bundle opened: %v", err)
	}
	other := secret.NewKeyring(newMaster(t), v.load, func() time.Time { return *now })
	if _, err := other.Seal(t.Context(), secret.Context{Bundle: bundle(1).ID}, nil); !errors.Is(err, secret.ErrNotOpened) {
		t.Errorf("a key opened under another master key: %v", err)
	}
	if _, err := k.NewDataKey(t.Context(), fabric.AppBundle{ID: "x"}); err == nil {
		t.Error("a data key for a bundle without an ARN")
	}
}

func TestKeysAreCached(t *testing.T) {
	t.Parallel()
	k, v, now := newKeyring(t, 1001)
	use := func(n int) error {
		_, err := k.Seal(t.Context(), secret.Context{Bundle: bundle(n).ID}, nil)
		return err
	}
	check := func(what string, loads int) {
		t.Helper()
		if v.loads != loads {
			t.Errorf("%s: %d loads, want %d", what, v.loads, loads)
		}
	}
	for range 3 {
		if err := use(0); err != nil {
			t.Fatal(err)
		}
	}
	check("one bundle three times", 1)
	v.fail = errors.New("the database is away")
	*now = now.Add(5*time.Minute - time.Second)
	if err := use(0); err != nil {
		t.Errorf("a cached key needs no database: %v", err)
	}
	*now = now.Add(time.Second)
	if err := use(0); !errors.Is(err, v.fail) {
		t.Errorf("after 5 minutes: %v, want the loader's error", err)
	}
	v.fail, v.loads = nil, 0
	for n := range 1001 {
		if err := use(n); err != nil {
			t.Fatal(err)
		}
	}
	check("1,001 bundles", 1001)
	if err := use(1000); err != nil {
		t.Fatal(err)
	}
	check("the newest is kept", 1001)
	if err := use(0); err != nil {
		t.Fatal(err)
	}
	check("the oldest was dropped", 1002)
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	k, _, _ := newKeyring(t, 4)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 50 {
				c := secret.Context{Bundle: bundle((i + j) % 4).ID, Owner: "o", Field: "f", Version: int64(j)}
				sealed, err := k.Seal(t.Context(), c, []byte("x"))
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := k.Open(t.Context(), c, sealed); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

func FuzzOpen(f *testing.F) {
	v := &vault{rows: map[string]row{}}
	m, err := secret.CreateMaster(f.TempDir() + "/k")
	if err != nil {
		f.Fatal(err)
	}
	k := secret.NewKeyring(m, v.load, time.Now)
	wrapped, err := k.NewDataKey(f.Context(), bundle(0))
	if err != nil {
		f.Fatal(err)
	}
	v.rows[bundle(0).ID] = row{wrapped, bundle(0).ARN().String()}
	place := secret.Context{Bundle: bundle(0).ID, Owner: "o", Field: "f"}
	sealed, err := k.Seal(f.Context(), place, []byte("plain"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte{1, 0, 0, 0, 1})
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, foreign []byte) {
		got, err := k.Open(t.Context(), place, foreign)
		if err == nil && !bytes.Equal(foreign, sealed) {
			t.Errorf("bytes that were never sealed open as %q", got)
		}
	})
}

func BenchmarkSealOpen(b *testing.B) {
	v := &vault{rows: map[string]row{}}
	m, err := secret.CreateMaster(b.TempDir() + "/k")
	if err != nil {
		b.Fatal(err)
	}
	k := secret.NewKeyring(m, v.load, time.Now)
	wrapped, err := k.NewDataKey(b.Context(), bundle(0))
	if err != nil {
		b.Fatal(err)
	}
	v.rows[bundle(0).ID] = row{wrapped, bundle(0).ARN().String()}
	place := secret.Context{Bundle: bundle(0).ID, Owner: "o", Field: "f"}
	plaintext := make([]byte, 512)
	b.ReportAllocs()
	for b.Loop() {
		sealed, err := k.Seal(b.Context(), place, plaintext)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := k.Open(b.Context(), place, sealed); err != nil {
			b.Fatal(err)
		}
	}
}
