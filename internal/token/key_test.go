package token_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"selvedge/connector/okta"
	"selvedge/internal/fabric"
	"selvedge/internal/secret"
	"selvedge/internal/store"
	"selvedge/simulator"
)

const hsmKey = "arn:aws:kms:us-east-1:123456789012:key/12345678-90ab-cdef-1234-567890abcdef"

// hsm is a KMS in memory that fails as told.
type hsm struct {
	mu   sync.Mutex
	fail error
	held <-chan struct{} // what Unwrap waits for; nil: nothing
}

func (h *hsm) hang(until <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held = until
}

func (h *hsm) will(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fail = err
}

func (h *hsm) err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fail
}

func (h *hsm) Describe(_ context.Context, _, id string) (string, error) { return id, h.err() }

func (h *hsm) Generate(context.Context, string, string) (plain, wrapped []byte, err error) {
	return bytes.Repeat([]byte{7}, 32), bytes.Repeat([]byte{8}, 32), h.err()
}

func (h *hsm) Wrap(context.Context, string, string, []byte) ([]byte, error) { return nil, h.err() }

func (h *hsm) Unwrap(context.Context, string, string, []byte) ([]byte, error) {
	h.mu.Lock()
	held := h.held
	h.mu.Unlock()
	if held != nil {
		<-held
	}
	return bytes.Repeat([]byte{7}, 32), h.err()
}

func (h *hsm) Rewrap(context.Context, string, string, []byte) ([]byte, error) { return nil, h.err() }

func outage() error { return &secret.KeyError{Reason: "AWS KMS cannot be reached"} }

func revoked() error {
	return &secret.KeyError{Refused: true, Reason: "the KMS key " + hsmKey + " is disabled: enable it"}
}

// cacheTime is how long a data key is used after it was unwrapped.
const cacheTime = 5 * time.Minute

func hsmWorld(t *testing.T) *world {
	t.Helper()
	w := bare(t, okta.App())
	w.kms = &hsm{}
	w.sim = simulator.New(simulator.Options{Now: w.clock.Now})
	w.serve(w.sim, "https://acme.okta.com")
	w.authorize("OKTA", "acme.okta.com", w.oktaCredential())
	return w
}

// TestKeyAway: without the bundle's key nothing is sent and nothing changes; when
// it is back all goes on.
func TestKeyAway(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{"outage": outage(), "revoked": revoked()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := hsmWorld(t)
			w.connect()
			session, _, err := w.m.Session(t.Context(), w.a)
			if err != nil {
				t.Fatal(err)
			}
			w.kms.will(failure)
			if err := w.poll(); err != nil {
				t.Errorf("while the key is cached: %v", err)
			}
			w.clock.Add(30 * time.Minute)
			sent, before := len(w.sim.Okta().TokenRequests()), w.grant()
			for range 3 {
				err := w.refresh()
				if !errors.Is(err, failure) {
					t.Errorf("refresh: %v", err)
				}
				w.clock.Add(time.Minute)
			}
			if _, err := session.Connect(t.Context()); !errors.Is(err, failure) {
				t.Errorf("a call of a session that was open before: %v", err)
			}
			if err := w.poll(); !errors.Is(err, failure) {
				t.Errorf("a new session: %v", err)
			}
			if n := len(w.sim.Okta().TokenRequests()); n != sent {
				t.Errorf("%d requests were sent without the key", n-sent)
			}
			w.want(w.now(), fabric.Connected, "")
			if g := w.grant(); g.Version != before.Version || g.Intent.Kind != store.NoIntent {
				t.Errorf("the grant has changed: version %d, intent %q", g.Version, g.Intent.Kind)
			}
			w.kms.will(nil)
			w.clock.Add(time.Minute)
			w.mustRefresh()
			if err := w.poll(); err != nil {
				t.Error(err)
			}
			w.want(w.now(), fabric.Connected, "")
		})
	}
}

// TestKeyAwayWhileTheProviderAnswers: the answer is durable all the same.
func TestKeyAwayWhileTheProviderAnswers(t *testing.T) {
	t.Parallel()
	w := hsmWorld(t)
	w.connect()
	w.clock.Add(30 * time.Minute)
	w.onStepDo("answered", func() error {
		w.kms.will(outage())
		w.clock.Add(cacheTime)
		return nil
	})
	if err := w.refresh(); !errors.Is(err, secret.ErrKeyUnavailable) {
		t.Fatalf("refresh: %v", err)
	}
	if g := w.grant(); len(g.Intent.Answer) == 0 {
		t.Fatal("the provider's answer is lost")
	}
	w.want(w.now(), fabric.Connected, "")
	w.kms.will(nil)
	w.clock.Add(time.Minute)
	w.mustRefresh()
	if n := w.sentTwice(); n != 0 {
		t.Errorf("%d tokens were sent twice", n)
	}
	if err := w.poll(); err != nil {
		t.Error(err)
	}
	w.want(w.now(), fabric.Connected, "")
}

// TestKeyAwayInAConnection: a code that was exchanged is not given up, however
// long the key is away.
func TestKeyAwayInAConnection(t *testing.T) {
	t.Parallel()
	w := hsmWorld(t)
	q := w.consent(w.authURL())
	w.onStepDo("stored", func() error {
		w.kms.will(outage())
		w.clock.Add(cacheTime)
		return nil
	})
	if a, err := w.callback(q); !errors.Is(err, secret.ErrKeyUnavailable) {
		t.Fatalf("%s, %v", a.Status, err)
	}
	w.want(w.now(), fabric.PendingConnect, "")
	w.clock.Add(time.Hour)
	if err := w.refresh(); !errors.Is(err, secret.ErrKeyUnavailable) {
		t.Fatalf("the duty: %v", err)
	}
	w.want(w.now(), fabric.PendingConnect, "")
	w.kms.will(nil)
	w.clock.Add(time.Minute)
	for range 3 { // takes the answer in, renews, probes
		w.mustRefresh()
	}
	w.want(w.now(), fabric.Connected, "")
	if n := w.sentTwice(); n != 0 {
		t.Errorf("%d codes or tokens were sent twice", n)
	}
}

// TestConnectWithARevokedKey tells whoever connects what to do about it.
func TestConnectWithARevokedKey(t *testing.T) {
	t.Parallel()
	w := hsmWorld(t)
	address := w.authURL()
	w.kms.will(revoked())
	w.clock.Add(cacheTime)
	q := w.consent(address)
	_, err := w.callback(q)
	if e, ok := errors.AsType[*fabric.Error](err); !ok || e.Kind != fabric.Validation || !strings.Contains(e.Message, hsmKey+" is disabled: enable it") {
		t.Errorf("connect: %v", err)
	}
	w.want(w.now(), fabric.PendingConnect, "")
	if len(w.sim.Okta().TokenRequests()) != 0 {
		t.Error("the code was sent")
	}
	if stats, err := w.store.DutyStats(t.Context(), store.DutyRefresh); err != nil || stats.Failing != 1 {
		t.Errorf("the row does not show that a key is missing: %+v, %v", stats, err)
	}
	w.kms.will(nil)
	w.clock.Add(10 * time.Second)
	a, err := w.callback(q)
	if err != nil {
		t.Fatal(err)
	}
	w.want(a, fabric.Connected, "")
}

// TestRevokeWithoutAKey: whoever deletes an authorization does not wait for a KMS
// that hangs.
func TestRevokeWithoutAKey(t *testing.T) {
	t.Parallel()
	w := hsmWorld(t)
	w.connect()
	w.clock.Add(cacheTime)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	w.kms.hang(release)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.m.Revoke(t.Context(), w.a)(t.Context())
	}()
	select {
	case <-ended:
	case <-time.After(4 * time.Second):
		t.Error("a deletion waits for the KMS")
	}
	if !strings.Contains(w.log.String(), "the grant is not revoked") {
		t.Error("the log does not say that the grant is not revoked")
	}
}
