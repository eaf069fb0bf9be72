package control_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"selvedge/internal/control"
	"selvedge/internal/fabric"
	"selvedge/internal/secret"
	"selvedge/internal/sigv4"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// keyed is a database with real keys, and as many servers over it as a test
// likes.
type keyed struct {
	store *store.Store
	root  fabric.Caller
	now   func() time.Time
}

// server is a Control with its keyring.
type server struct {
	*control.Control
	keys *secret.Keyring
	log  *bytes.Buffer
}

func newKeyed(t *testing.T, first secret.Master) *keyed {
	t.Helper()
	d := &keyed{root: storetest.Caller(), now: time.Now}
	d.root.AccessKeyID = "ROOT"
	d.store = storetest.New(t, nil)
	k := secret.NewKeyring(first, nil, time.Now)
	if _, _, err := d.store.InitMeta(t.Context(), store.MetaMasterCheck, first.Check(), store.MetaSeed, k.NewSeed(nil)); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *keyed) serve(t *testing.T, kek secret.KEK, masters ...secret.Master) server {
	t.Helper()
	s := server{log: &bytes.Buffer{}}
	s.keys = secret.New(secret.Options{
		Masters: masters, Load: d.store.DataKey, Now: d.now, KMS: kek,
		InUse: func(ctx context.Context) ([]byte, error) { return d.store.Meta(ctx, store.MetaMasterCheck) },
	})
	var err error
	s.Control, err = control.New(control.Options{
		Store: d.store, Keys: s.keys, Secrets: s.keys, Rewrap: s.keys,
		Derive: func(label string) []byte { sum := sha256.Sum256([]byte(label)); return sum[:] },
		Now:    d.now, Log: slog.New(slog.NewTextHandler(s.log, nil)),
		Root: sigv4.Key{ID: d.root.AccessKeyID, Secret: "x", Account: d.root.Account},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newMaster(t *testing.T) secret.Master {
	t.Helper()
	m, err := secret.CreateMaster(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// finish rewraps from the beginning to the end.
func (s server) finish(t *testing.T, caller fabric.Caller) (last control.RewrapState, failed []control.RewrapFailure) {
	t.Helper()
	for range 100 {
		var err error
		if last, err = s.Rewrap(t.Context(), caller, last.Next); err != nil {
			t.Fatal(err)
		}
		failed = append(failed, last.Failed...)
		if last.Next == "" {
			return last, failed
		}
	}
	t.Fatal("a rewrap without an end")
	return last, nil
}

func (s server) bundles(t *testing.T, caller fabric.Caller, n int, key string) []fabric.AppBundle {
	t.Helper()
	var all []fabric.AppBundle
	for range n {
		b, err := s.CreateAppBundle(t.Context(), caller, control.CreateAppBundleInput{KeyIdentifier: key})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

// opens says whether the data key of a bundle opens what was sealed under it.
func (s server) opens(t *testing.T, b fabric.AppBundle, sealed []byte) error {
	t.Helper()
	got, err := s.keys.Open(t.Context(), secret.Context{Bundle: b.ID, Owner: "o", Field: "f"}, sealed)
	if err == nil && string(got) != "a token" {
		t.Errorf("%s opens as %q", b.ID, got)
	}
	return err
}

func TestRewrap(t *testing.T) {
	t.Parallel()
	older, newer := newMaster(t), newMaster(t)
	d := newKeyed(t, older)
	old := d.serve(t, nil, older)
	all := old.bundles(t, d.root, 43, "")
	all = append(all, old.bundles(t, d.root, 2, "12345678-90ab-cdef-1234-567890abcdef")...)
	sealed := map[string][]byte{}
	for _, b := range all {
		var err error
		if sealed[b.ID], err = old.keys.Seal(t.Context(), secret.Context{Bundle: b.ID, Owner: "o", Field: "f"}, []byte("a token")); err != nil {
			t.Fatal(err)
		}
	}
	secrets := map[string]string{}
	for range 25 {
		k, hidden, err := old.CreateKey(t.Context(), d.root, control.CreateKeyInput{Account: d.root.Account, Policy: "AWSAppFabricFullAccess"})
		if err != nil {
			t.Fatal(err)
		}
		secrets[k.ID] = hidden.Reveal()
	}
	seed := deriving(t, d, old)

	// Replicas get the two-key file one after the other.
	both := d.serve(t, nil, newer, older)
	early := both.bundles(t, d.root, 1, "")[0]
	if _, err := old.keys.Seal(t.Context(), secret.Context{Bundle: early.ID}, nil); err != nil {
		t.Errorf("before the rewrap, a replica with the old key alone: %v", err)
	}

	first, err := both.Rewrap(t.Context(), d.root, "")
	if err != nil || first.Total != 71 || first.Left != 51 || first.Next == "" {
		t.Fatalf("the first step: %+v, %v", first, err)
	}
	// Here the command and the server are killed. What is made now needs nothing.
	both = d.serve(t, nil, newer, older)
	both.bundles(t, d.root, 1, "")
	if n := left(t, d, both); n != 51 {
		t.Errorf("%d are left after a bundle was made", n)
	}
	if err := both.DeleteAppBundle(t.Context(), d.root, all[0].ID); err != nil {
		t.Fatal(err)
	}
	for _, b := range all[1:] { // half-way everything opens
		if err := both.opens(t, b, sealed[b.ID]); err != nil {
			t.Error(err)
		}
	}
	last, failed := both.finish(t, d.root)
	if last.Left != 0 || last.Total != 71 || len(failed) != 0 {
		t.Errorf("the end: %+v, %v", last, failed)
	}
	if _, err := d.store.Meta(t.Context(), store.MetaRewrap); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a rewrap is still under way: %v", err)
	}

	d.oldLineRemoved(t, newer, older, all[1:], sealed, secrets)
	if !bytes.Equal(deriving(t, d, d.serve(t, nil, newer)), seed) {
		t.Error("the seed has changed")
	}
}

// oldLineRemoved sees that the new key alone does, and the old one alone does not.
func (d *keyed) oldLineRemoved(t *testing.T, newer, older secret.Master, all []fabric.AppBundle, sealed map[string][]byte, secrets map[string]string) {
	t.Helper()
	alone, old := d.serve(t, nil, newer), d.serve(t, nil, older)
	for _, b := range all {
		if err := alone.opens(t, b, sealed[b.ID]); err != nil {
			t.Error(err)
		}
		if err := old.opens(t, b, sealed[b.ID]); !errors.Is(err, secret.ErrKeyUnavailable) {
			t.Errorf("the old key alone: %v", err)
		}
	}
	for id, want := range secrets {
		if got, ok, err := alone.LookupKey(t.Context(), id); err != nil || !ok || got.Secret != want {
			t.Errorf("access key %s: %v, %v", id, ok, err)
		}
	}
	check, err := d.store.Meta(t.Context(), store.MetaMasterCheck)
	if err != nil || newer.Verify(check) != nil || older.Verify(check) == nil {
		t.Errorf("the check value is not the new key's (%v)", err)
	}
	marks, err := d.store.KeyMarks(t.Context())
	if err != nil || len(marks) == 0 {
		t.Fatalf("%d marks, %v", len(marks), err)
	}
	for _, m := range marks {
		if alone.keys.MissingMaster(m) || !old.keys.MissingMaster(m) {
			t.Errorf("mark %x", m)
		}
	}
}

// deriving is a key that comes of the seed.
func deriving(t *testing.T, d *keyed, s server) []byte {
	t.Helper()
	sealed, err := d.store.Meta(t.Context(), store.MetaSeed)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := s.keys.OpenSeed(sealed)
	if err != nil {
		t.Fatal(err)
	}
	return seed.Derive("token hash")
}

func left(t *testing.T, d *keyed, s server) int64 {
	t.Helper()
	n, err := d.store.CountRewrapped(t.Context(), s.keys.Fresh(time.Now().Add(-time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	return n.Left
}

// TestRewrapsAtOnce: commands at once harm nothing, neither each other nor work.
func TestRewrapsAtOnce(t *testing.T) {
	t.Parallel()
	older, newer := newMaster(t), newMaster(t)
	d := newKeyed(t, older)
	all := d.serve(t, nil, older).bundles(t, d.root, 30, "")
	var group sync.WaitGroup
	for range 3 {
		s := d.serve(t, nil, newer, older)
		group.Go(func() { s.finish(t, d.root) })
	}
	group.Go(func() { // refreshes and polls go on, whatever they find in a cache
		for i := range 200 {
			b := all[i%len(all)]
			if _, err := d.serve(t, nil, newer, older).keys.Seal(t.Context(), secret.Context{Bundle: b.ID}, nil); err != nil {
				t.Error(err)
			}
		}
	})
	group.Wait()
	alone := d.serve(t, nil, newer)
	if n := left(t, d, alone); n != 0 {
		t.Errorf("%d are left", n)
	}
	for _, b := range all {
		if _, err := alone.keys.Seal(t.Context(), secret.Context{Bundle: b.ID}, nil); err != nil {
			t.Error(err)
		}
	}
}

// TestRewrapByAReplicaWithoutTheNewKey: one that was not restarted does not put
// the old key back in use, neither after a rewrap nor in the midst of one.
func TestRewrapByAReplicaWithoutTheNewKey(t *testing.T) {
	t.Parallel()
	older, newer := newMaster(t), newMaster(t)
	d := newKeyed(t, older)
	old, both := d.serve(t, nil, older), d.serve(t, nil, newer, older)
	old.bundles(t, d.root, 30, "")
	first, err := both.Rewrap(t.Context(), d.root, "")
	if err != nil || first.Next == "" {
		t.Fatalf("the first step: %+v, %v", first, err)
	}
	for _, after := range []string{first.Next, ""} {
		state, err := old.Rewrap(t.Context(), d.root, after)
		if e := fault(t, err); e.Kind != fabric.Validation || !strings.Contains(e.Message, "has not got the new master key file yet") {
			t.Errorf("the replica with the old key alone: %+v, %v", state, err)
		}
		if check, err := d.store.Meta(t.Context(), store.MetaMasterCheck); err != nil || newer.Verify(check) != nil {
			t.Fatalf("the new key is no longer in use (%v)", err)
		}
		both.finish(t, d.root)
	}
	if _, err := d.store.Meta(t.Context(), store.MetaRewrap); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a refused step began a rewrap: %v", err)
	}
	if n := left(t, d, d.serve(t, nil, newer)); n != 0 {
		t.Errorf("%d are left", n)
	}
}

func TestRewrapIsTheRootKeys(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	d := newKeyed(t, m)
	caller := d.root
	caller.AccessKeyID = "AKIA2"
	_, err := d.serve(t, nil, m).Rewrap(t.Context(), caller, "")
	if e := fault(t, err); e.Kind != fabric.AccessDenied {
		t.Error(err)
	}
}

// hsm is a KMS in memory.
type hsm struct {
	mu     sync.Mutex
	refuse string // ARN of a bundle
	down   bool
	calls  int
}

func (h *hsm) call(bundle string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls++
	switch {
	case h.down:
		return &secret.KeyError{Reason: "AWS KMS cannot be reached"}
	case h.refuse != "" && h.refuse == bundle:
		return &secret.KeyError{Refused: true, Reason: "the KMS key is disabled: enable it"}
	}
	return nil
}

func (h *hsm) Describe(_ context.Context, region, id string) (string, error) {
	return "arn:aws:kms:" + region + ":999999999999:key/" + id, h.call("")
}

func (h *hsm) Generate(_ context.Context, _, bundle string) (plain, wrapped []byte, err error) {
	return bytes.Repeat([]byte{7}, 32), append([]byte("w"), bytes.Repeat([]byte{7}, 32)...), h.call(bundle)
}

func (h *hsm) Wrap(_ context.Context, _, bundle string, plain []byte) ([]byte, error) {
	return append([]byte("w"), plain...), h.call(bundle)
}

func (h *hsm) Unwrap(_ context.Context, _, bundle string, wrapped []byte) ([]byte, error) {
	return bytes.Clone(wrapped[1:]), h.call(bundle)
}

func (h *hsm) Rewrap(_ context.Context, _, bundle string, wrapped []byte) ([]byte, error) {
	return wrapped, h.call(bundle)
}

// TestRewrapInKMS: what KMS refuses is shown and is tried again by the next
// command, which leaves alone what is done.
func TestRewrapInKMS(t *testing.T) {
	t.Parallel()
	m, kms := newMaster(t), &hsm{}
	d := newKeyed(t, m)
	now := time.Now().UTC().Truncate(time.Millisecond)
	d.now = func() time.Time { return now }
	s := d.serve(t, kms, m)
	all := s.bundles(t, d.root, 3, "12345678-90ab-cdef-1234-567890abcdef")
	all = append(all, d.serve(t, nil, m).bundles(t, d.root, 1, "12345678-90ab-cdef-1234-567890abcdef")...)
	if all[0].KeyARN != "arn:aws:kms:us-east-1:999999999999:key/12345678-90ab-cdef-1234-567890abcdef" {
		t.Errorf("the bundle's key is %s, not what KMS says", all[0].KeyARN)
	}
	now = now.Add(time.Second)
	kms.refuse = all[1].ARN().String()
	last, failed := s.finish(t, d.root)
	if last.Left != 1 || len(failed) != 1 || failed[0].ARN != kms.refuse || !strings.Contains(failed[0].Reason, "enable it") {
		t.Errorf("with a disabled key: %+v, %v", last, failed)
	}
	now = now.Add(time.Second)
	kms.refuse, kms.calls = "", 0
	if last, failed := s.finish(t, d.root); last.Left != 0 || len(failed) != 0 || kms.calls != 1 {
		t.Errorf("run again: %+v, %v, %d calls", last, failed, kms.calls)
	}
	now = now.Add(time.Second)
	kms.calls = 0
	if last, _ := s.finish(t, d.root); last.Left != 0 || kms.calls != 4 {
		t.Errorf("after the next rotation: %+v, %d calls; want all 4", last, kms.calls)
	}
	for _, b := range all {
		if _, err := s.keys.Seal(t.Context(), secret.Context{Bundle: b.ID}, nil); err != nil {
			t.Error(err)
		}
	}
	kms.down = true // begun, and left with nothing done
	now = now.Add(time.Second)
	s.finish(t, d.root)
	kms.down, now = false, now.Add(25*time.Hour)
	if last, _ := s.finish(t, d.root); last.Left != 0 {
		t.Errorf("a day later: %+v", last)
	}
}

// TestCreateWithoutKMS: nothing is made when the key cannot be used or asked for.
func TestCreateWithoutKMS(t *testing.T) {
	t.Parallel()
	m, kms := newMaster(t), &hsm{}
	d := newKeyed(t, m)
	s := d.serve(t, kms, m)
	const id = "12345678-90ab-cdef-1234-567890abcdef"
	kms.down = true
	_, err := s.CreateAppBundle(t.Context(), d.root, control.CreateAppBundleInput{KeyIdentifier: id})
	if e, ok := errors.AsType[*fabric.Error](err); ok || !errors.Is(err, secret.ErrKeyUnavailable) {
		t.Errorf("KMS is down: %v, %v", e, err)
	}
	refusing := d.serve(t, refusal{kms}, m)
	_, err = refusing.CreateAppBundle(t.Context(), d.root, control.CreateAppBundleInput{KeyIdentifier: id})
	if e := fault(t, err); e.Kind != fabric.Validation || len(e.Fields) != 1 || e.Fields[0].Name != "customerManagedKeyIdentifier" || !strings.Contains(e.Message, "enable it") {
		t.Errorf("a disabled key: %v", err)
	}
	page, err := s.ListAppBundles(t.Context(), d.root, control.Paging{})
	if err != nil || len(page.Items) != 0 {
		t.Errorf("%d bundles were made (%v)", len(page.Items), err)
	}
}

// refusal is a KMS whose keys are all disabled.
type refusal struct{ *hsm }

func (refusal) Describe(context.Context, string, string) (string, error) {
	return "", &secret.KeyError{Refused: true, Reason: "the KMS key is disabled: enable it"}
}
