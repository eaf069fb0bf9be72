package secret_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/secret"
)

const (
	ownKey = "arn:aws:kms:us-east-1:123456789012:key/12345678-90ab-cdef-1234-567890abcdef"
)

// hsm is a KEK in memory: what it wraps is the key beside the context.
type hsm struct {
	mu    sync.Mutex
	fail  error
	calls int
	hold  chan struct{} // not nil: Unwrap waits for it
	began chan struct{}
}

func (h *hsm) call() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls++
	return h.fail
}

func (h *hsm) set(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fail = err
}

func (h *hsm) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls
}

func (h *hsm) Describe(_ context.Context, region, id string) (string, error) {
	if fabric.IsUUID(id) {
		id = "arn:aws:kms:" + region + ":999999999999:key/" + id
	}
	return id, h.call()
}

func (h *hsm) Generate(_ context.Context, key, bundle string) (plain, wrapped []byte, err error) {
	plain = bytes.Repeat([]byte{7}, 32)
	return plain, []byte(key + "|" + bundle + "|" + string(plain)), h.call()
}

func (h *hsm) Wrap(_ context.Context, key, bundle string, plain []byte) ([]byte, error) {
	return []byte(key + "|" + bundle + "|" + string(plain)), h.call()
}

func (h *hsm) Unwrap(_ context.Context, key, bundle string, wrapped []byte) ([]byte, error) {
	if h.hold != nil {
		h.began <- struct{}{}
		<-h.hold
	}
	plain, ok := bytes.CutPrefix(wrapped, []byte(key+"|"+bundle+"|"))
	if !ok {
		return nil, &secret.KeyError{Refused: true, Reason: "not of this key and bundle"}
	}
	return bytes.Clone(plain), h.call()
}

func (h *hsm) Rewrap(_ context.Context, key, bundle string, wrapped []byte) ([]byte, error) {
	if !bytes.HasPrefix(wrapped, []byte(key+"|"+bundle+"|")) {
		return nil, errors.New("not of this key and bundle")
	}
	return wrapped, h.call()
}

var (
	errOutage  = &secret.KeyError{Reason: "AWS KMS cannot be reached"}
	errRevoked = &secret.KeyError{Refused: true, Reason: "the KMS key is disabled"}
)

type kmsRig struct {
	*secret.Keyring
	*vault
	hsm *hsm

	mu  sync.Mutex
	now time.Time
}

func (r *kmsRig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *kmsRig) advance(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

// newKMSRig has bundles 0 and 1 under the KMS key.
func newKMSRig(t *testing.T) *kmsRig {
	t.Helper()
	r := &kmsRig{vault: &vault{rows: map[string]row{}}, hsm: &hsm{}, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	r.Keyring = secret.New(secret.Options{Masters: secret.Masters{newMaster(t)}, Load: r.load, Now: r.clock, KMS: r.hsm})
	for n := range 2 {
		b := bundle(n)
		b.KeyARN = ownKey
		wrapped, err := r.NewDataKey(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		r.rows[b.ID] = row{wrapped, b.ARN().String()}
	}
	r.hsm.calls = 0
	return r
}

func (r *kmsRig) use(t *testing.T, n int) error {
	t.Helper()
	_, err := r.Seal(t.Context(), secret.Context{Bundle: bundle(n).ID, Owner: "o", Field: "f"}, []byte("x"))
	return err
}

// TestOutage: what is cached goes on for five minutes, then work waits, and goes
// on when KMS is back.
func TestOutage(t *testing.T) {
	t.Parallel()
	r := newKMSRig(t)
	if err := r.use(t, 0); err != nil {
		t.Fatal(err)
	}
	r.hsm.set(errOutage)
	r.advance(5*time.Minute - time.Millisecond)
	if err := r.use(t, 0); err != nil {
		t.Errorf("a cached key is not used: %v", err)
	}
	if err := r.use(t, 1); !errors.Is(err, secret.ErrKeyUnavailable) || errors.Is(err, secret.ErrKeyRefused) {
		t.Errorf("a key that is not cached: %v", err)
	}
	r.advance(time.Millisecond)
	for range 3 {
		if err := r.use(t, 0); !errors.Is(err, secret.ErrKeyUnavailable) {
			t.Errorf("after five minutes: %v", err)
		}
	}
	if n := r.hsm.count(); n != 3 {
		t.Errorf("KMS was asked %d times, want 3: its answers hold for some seconds", n)
	}
	if e, ok := errors.AsType[*fabric.Error](r.use(t, 0)); ok {
		t.Errorf("an outage is the caller's fault: %v", e)
	}
	r.hsm.set(nil)
	r.advance(5 * time.Second)
	if err := r.use(t, 0); err != nil {
		t.Errorf("KMS is back: %v", err)
	}
}

// TestRevoked: a key that is taken away stops the bundle within five minutes.
func TestRevoked(t *testing.T) {
	t.Parallel()
	r := newKMSRig(t)
	if err := r.use(t, 0); err != nil {
		t.Fatal(err)
	}
	r.hsm.set(errRevoked)
	r.advance(5 * time.Minute)
	err := r.use(t, 0)
	key, ok := errors.AsType[*secret.KeyError](err)
	if !errors.Is(err, secret.ErrKeyRefused) || errors.Is(err, secret.ErrKeyUnavailable) || !ok || key.Reason != errRevoked.Reason {
		t.Errorf("a revoked key: %v", err)
	}
	if e, ok := errors.AsType[*fabric.Error](err); !ok || e.Kind != fabric.Validation || !strings.Contains(e.Message, errRevoked.Reason) {
		t.Errorf("what the caller is told: %v", e)
	}
}

// TestOneUnwrapsForAll: a slow KMS is asked once, and keeps nobody else waiting.
func TestOneUnwrapsForAll(t *testing.T) {
	t.Parallel()
	r := newKMSRig(t)
	if err := r.use(t, 1); err != nil {
		t.Fatal(err)
	}
	r.hsm.hold, r.hsm.began = make(chan struct{}), make(chan struct{}, 64)
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			if err := r.use(t, 0); err != nil {
				t.Error(err)
			}
		})
	}
	<-r.hsm.began
	if err := r.use(t, 1); err != nil { // cached: it does not wait
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Seal(ctx, secret.Context{Bundle: bundle(0).ID}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that gives up: %v", err)
	}
	close(r.hsm.hold)
	group.Wait()
	if n := r.hsm.count(); n != 2 {
		t.Errorf("KMS was asked %d times for two bundles", n)
	}
}

func TestHold(t *testing.T) {
	t.Parallel()
	r := newKMSRig(t)
	place := secret.Context{Bundle: bundle(0).ID, Owner: "o", Field: "answer"}
	held, err := r.Hold(t.Context(), place.Bundle)
	if err != nil {
		t.Fatal(err)
	}
	r.hsm.set(errOutage)
	r.advance(time.Hour)
	sealed, err := held.Seal(place, []byte("the answer"))
	if err != nil {
		t.Fatal(err)
	}
	r.hsm.set(nil)
	if got, err := r.Open(t.Context(), place, sealed); err != nil || string(got) != "the answer" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := held.Seal(secret.Context{Bundle: bundle(1).ID}, nil); err == nil {
		t.Error("sealed for another bundle")
	}
	if _, err := (secret.Held{}).Seal(secret.Context{}, nil); err == nil {
		t.Error("sealed with no key")
	}
}

func TestResolveKey(t *testing.T) {
	t.Parallel()
	r := newKMSRig(t)
	const id = "12345678-90ab-cdef-1234-567890abcdef"
	if got, err := r.ResolveKey(t.Context(), bundle(0), id); err != nil || got != "arn:aws:kms:us-east-1:999999999999:key/"+id {
		t.Errorf("%s, %v: want what KMS says", got, err)
	}
	r.hsm.set(errRevoked)
	if _, err := r.ResolveKey(t.Context(), bundle(0), ownKey); !errors.Is(err, secret.ErrKeyRefused) {
		t.Errorf("a disabled key: %v", err)
	}
	r.hsm.set(nil)
	calls := r.hsm.count()
	for _, bad := range []string{"arn:aws:kms:eu-west-1:123456789012:key/" + id, "arn:aws-cn:kms:us-east-1:123456789012:key/" + id} {
		_, err := r.ResolveKey(t.Context(), bundle(0), bad)
		if e, ok := errors.AsType[*fabric.Error](err); !ok || e.Kind != fabric.Validation {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if r.hsm.count() != calls {
		t.Error("KMS was asked for a key that cannot be")
	}
}

// TestLocalKeys: without KMS each key ARN has a key of its own.
func TestLocalKeys(t *testing.T) {
	t.Parallel()
	b := bundle(0)
	b.KeyARN = ownKey
	v := &vault{rows: map[string]row{}}
	m := newMaster(t)
	k := secret.NewKeyring(m, v.load, time.Now)
	wrapped, err := k.NewDataKey(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	place := secret.Context{Bundle: b.ID, Field: "f"}
	v.rows[b.ID] = row{wrapped, b.ARN().String()}
	if _, err := k.Seal(t.Context(), place, nil); err != nil {
		t.Error(err)
	}
	for i := range wrapped {
		damaged := bytes.Clone(wrapped)
		damaged[i] ^= 1
		v.rows[b.ID] = row{damaged, b.ARN().String()}
		if _, err := secret.NewKeyring(m, v.load, time.Now).Seal(t.Context(), place, nil); err == nil {
			t.Errorf("byte %d changed, and it opens", i)
		}
	}
}

// TestKMSIsOff: a server without KMS says what it lacks.
func TestKMSIsOff(t *testing.T) {
	t.Parallel()
	r := newKMSRig(t)
	off := secret.NewKeyring(newMaster(t), r.load, r.clock)
	_, err := off.Seal(t.Context(), secret.Context{Bundle: bundle(0).ID}, nil)
	if !errors.Is(err, secret.ErrKeyUnavailable) || !strings.Contains(err.Error(), "--kms-url aws://") {
		t.Error(err)
	}
}

// TestFromBefore opens what was sealed before wrapped keys said what they are
// under.
func TestFromBefore(t *testing.T) {
	t.Parallel()
	old := fixed(t, "42")
	b := bundle(7)
	v := &vault{rows: map[string]row{b.ID: {
		unbase64(t, "AQAAAAFMcwxMCjIjh8wpCpAl3EitfbCoaEcabl3qSEd5yUn16ffHOkUTt/y5dqrjf4086fETdTHMM0El7M+4clY="), b.ARN().String(),
	}}}
	sealed := unbase64(t, "AQAAAAGX0lICCB3leVxycJUklyrQrsAHd3ypYIhOk1EYRaA9w3qWSesL334=")
	server := unbase64(t, "AQAAAAFIeVeqo9yv+wWj/vebRjNuekMhJlBJn1iQJvV2mWhYk8GKVT8oC1B1A1Twh1Ca")
	place := secret.Context{Bundle: b.ID, Owner: "o", Field: "f", Version: 3}
	for name, masters := range map[string]secret.Masters{"alone": {old}, "below a newer one": {newMaster(t), old}} {
		k := secret.New(secret.Options{Masters: masters, Load: v.load, Now: time.Now})
		if got, err := k.Open(t.Context(), place, sealed); err != nil || string(got) != "from before" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if got, err := k.OpenServer("o", "f", server); err != nil || string(got) != "server from before" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		again, err := k.Rewrap(t.Context(), b, v.rows[b.ID].wrapped, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		newer := secret.New(secret.Options{
			Masters: masters[:1], Now: time.Now,
			Load: func(context.Context, string) ([]byte, string, error) { return again, b.ARN().String(), nil },
		})
		if got, err := newer.Open(t.Context(), place, sealed); err != nil || string(got) != "from before" {
			t.Errorf("%s, rewrapped: %q, %v", name, got, err)
		}
	}
}

func fixed(t *testing.T, pair string) secret.Master {
	t.Helper()
	path := filepath.Join(t.TempDir(), "k")
	if err := os.WriteFile(path, []byte(strings.Repeat(pair, 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := load(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func unbase64(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTwoMasters: what is made goes under the key that the database names, and
// what is rewrapped under the newest.
func TestTwoMasters(t *testing.T) {
	t.Parallel()
	newer, older := newMaster(t), newMaster(t)
	v, inUse := &vault{rows: map[string]row{}}, older
	with := func(masters ...secret.Master) *secret.Keyring {
		return secret.New(secret.Options{
			Masters: masters, Load: v.load, Now: time.Now,
			InUse: func(context.Context) ([]byte, error) { return inUse.Check(), nil },
		})
	}
	both, b := with(newer, older), bundle(0)
	wrapped, err := both.NewDataKey(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	v.rows[b.ID] = row{wrapped, b.ARN().String()}
	sealed, err := both.SealServer(t.Context(), "o", "f", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	place := secret.Context{Bundle: b.ID, Field: "f"}
	if _, err := with(older).Seal(t.Context(), place, nil); err != nil {
		t.Errorf("a replica that has the old key alone: %v", err)
	}
	if _, err := with(older).OpenServer("o", "f", sealed); err != nil {
		t.Errorf("a replica that has the old key alone: %v", err)
	}
	if !with(newer).MissingMaster(wrapped[:secret.HeadSize]) || both.MissingMaster(wrapped[:secret.HeadSize]) {
		t.Error("MissingMaster does not know the old key")
	}
	inUse = newer
	again, err := both.Rewrap(t.Context(), b, wrapped, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	resealed, err := both.Reseal("o", "f", sealed)
	if err != nil {
		t.Fatal(err)
	}
	fresh := both.Fresh(time.Now())
	if !bytes.HasPrefix(again, fresh.DataKey) || !bytes.HasPrefix(resealed, fresh.Server) || bytes.HasPrefix(wrapped, fresh.DataKey) {
		t.Error("what is rewrapped does not begin as what is fresh")
	}
	v.rows[b.ID] = row{again, b.ARN().String()}
	if _, err := with(newer).Seal(t.Context(), place, nil); err != nil {
		t.Errorf("the new key alone: %v", err)
	}
	if got, err := with(newer).OpenServer("o", "f", resealed); err != nil || string(got) != "x" {
		t.Errorf("the new key alone: %q, %v", got, err)
	}
	if _, err := with(older).Seal(t.Context(), place, nil); !errors.Is(err, secret.ErrKeyUnavailable) {
		t.Errorf("the old key alone: %v", err)
	}
	if _, err := with(older).NewDataKey(t.Context(), b); !errors.Is(err, secret.ErrKeyUnavailable) {
		t.Errorf("a new data key where the key in use is missing: %v", err)
	}
}

// TestRewrapToKMS moves what was made without KMS.
func TestRewrapToKMS(t *testing.T) {
	t.Parallel()
	r := newKMSRig(t)
	b := bundle(5)
	b.KeyARN = ownKey
	m := newMaster(t)
	wrapped, err := secret.NewKeyring(m, nil, r.clock).NewDataKey(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	k := secret.New(secret.Options{Masters: secret.Masters{m}, Load: r.load, Now: r.clock, KMS: r.hsm})
	since := r.clock().Add(time.Minute) // by another replica's clock
	again, err := k.Rewrap(t.Context(), b, wrapped, since)
	if err != nil {
		t.Fatal(err)
	}
	fresh := k.Fresh(since)
	if !bytes.HasPrefix(again, append(fresh.KMS, fresh.Since...)) {
		t.Error("it is not marked as wrapped since")
	}
	third, err := k.Rewrap(t.Context(), b, again, since.Add(time.Hour))
	if err != nil || bytes.Equal(third, again) {
		t.Errorf("within KMS: %v", err)
	}
	r.rows[b.ID] = row{third, b.ARN().String()}
	if err := r.use(t, 5); err != nil {
		t.Error(err)
	}
}

// FuzzUnwrap: any bytes in the place of a wrapped data key give an error.
func FuzzUnwrap(f *testing.F) {
	m, err := secret.CreateMaster(filepath.Join(f.TempDir(), "k"))
	if err != nil {
		f.Fatal(err)
	}
	b, own := bundle(0), bundle(0)
	own.KeyARN = ownKey
	k := secret.NewKeyring(m, nil, time.Now)
	for _, b := range []fabric.AppBundle{b, own} {
		wrapped, err := k.NewDataKey(f.Context(), b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wrapped[:len(wrapped)-1])
	}
	f.Add([]byte{2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})
	f.Add([]byte{2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, foreign []byte) {
		k := secret.New(secret.Options{
			Masters: secret.Masters{m}, Now: time.Now, KMS: &hsm{},
			Load: func(context.Context, string) ([]byte, string, error) { return foreign, b.ARN().String(), nil },
		})
		if _, err := k.Seal(t.Context(), secret.Context{Bundle: b.ID}, nil); err == nil && !bytes.Contains(foreign, []byte("|"+b.ARN().String()+"|")) {
			t.Errorf("%x is a data key", foreign)
		}
	})
}

func TestSeed(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	k := secret.NewKeyring(m, nil, time.Now)
	before, err := k.OpenSeed(k.NewSeed(&m))
	if err != nil || !bytes.Equal(before.Derive("a"), m.Derive("a")) {
		t.Errorf("of a database from before: other keys than its master key's (%v)", err)
	}
	sealed := k.NewSeed(nil)
	seed, err := k.OpenSeed(sealed)
	if err != nil || bytes.Equal(seed.Derive("a"), m.Derive("a")) {
		t.Errorf("of a new database: the master key's (%v)", err)
	}
	newer := newMaster(t)
	both := secret.New(secret.Options{Masters: secret.Masters{newer, m}, Now: time.Now})
	again, err := both.Reseal(secret.SeedOwner, secret.SeedField, sealed)
	if err != nil {
		t.Fatal(err)
	}
	after, err := secret.NewKeyring(newer, nil, time.Now).OpenSeed(again)
	if err != nil || !bytes.Equal(after.Derive("a"), seed.Derive("a")) {
		t.Errorf("under the new key: %v", err)
	}
	if _, err := k.OpenSeed(again); err == nil {
		t.Error("the old key opens it")
	}
}
