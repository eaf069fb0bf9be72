package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/pipeline"
	"selvedge/internal/secret"
	"selvedge/internal/store"
	"selvedge/internal/token"
)

// away is a KMS whose key can be away.
type away struct{ fail error }

func (a *away) Describe(_ context.Context, _, id string) (string, error) { return id, a.fail }

func (a *away) Generate(context.Context, string, string) (plain, wrapped []byte, err error) {
	return bytes.Repeat([]byte{7}, 32), []byte{1}, a.fail
}

func (a *away) Wrap(context.Context, string, string, []byte) ([]byte, error) { return nil, a.fail }

func (a *away) Unwrap(context.Context, string, string, []byte) ([]byte, error) {
	return bytes.Repeat([]byte{7}, 32), a.fail
}

func (a *away) Rewrap(context.Context, string, string, []byte) ([]byte, error) { return nil, a.fail }

// underKMS puts the rig's bundle under a KMS key.
func (r *rig) underKMS() *away {
	r.t.Helper()
	kms := &away{}
	keys := secret.New(secret.Options{Masters: secret.Masters{{}}, Load: r.store.DataKey, Now: r.clock, KMS: kms})
	b := r.made.Bundle
	b.KeyARN = "arn:aws:kms:us-east-1:123456789012:key/12345678-90ab-cdef-1234-567890abcdef"
	next, err := keys.NewDataKey(r.t.Context(), b)
	if err != nil {
		r.t.Fatal(err)
	}
	old, _, err := r.store.DataKey(r.t.Context(), b.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	if ok, err := r.store.SwapDataKey(r.t.Context(), b.ID, old, next); err != nil || !ok {
		r.t.Fatalf("swap: %v, %v", ok, err)
	}
	r.build(keys)
	return kms
}

// waits runs a due duty, which must wait for the key.
func (r *rig) waits(d store.Duty, run func(context.Context, store.Claim) error, why error) {
	r.t.Helper()
	c := r.claim(d)
	err := run(r.t.Context(), c)
	if !errors.Is(err, why) {
		r.t.Errorf("%s: %v", d, err)
	}
	if err := r.store.Fail(r.t.Context(), c, r.clock().Add(time.Minute), "waits"); err != nil {
		r.t.Fatal(err)
	}
	r.pass(time.Minute)
}

// TestKeyAway: while the bundle's key is away nothing is Failed and nothing is
// lost, however long that lasts.
func TestKeyAway(t *testing.T) {
	t.Parallel()
	for name, why := range map[string]error{
		"outage":  &secret.KeyError{Reason: "AWS KMS cannot be reached"},
		"revoked": &secret.KeyError{Refused: true, Reason: "the KMS key is disabled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			kms := r.underKMS()
			r.collected(records(1, 2))
			kms.fail = why
			r.pass(5 * time.Minute)
			before := r.stream()
			for range 5 {
				r.waits(store.DutyDeliver, r.deliver.Run, why)
			}
			if d := r.destination(0); d.Status != fabric.Active || d.Reason != "" {
				t.Errorf("the destination is %s: %q", d.Status, d.Reason)
			}
			page := connector.Page{Records: records(3), Next: behind("next"), Done: true}
			r.script.will(page, nil)
			r.waits(store.DutyPoll, r.poller.Run, why)
			// Calls cannot be signed either: what the session makes of that is no
			// answer of the provider's.
			r.script.will(connector.Page{}, &connector.Error{Kind: connector.Unauthorized, Op: "okta: list", Err: why})
			r.waits(store.DutyPoll, r.poller.Run, why)
			if r.script.expedited != 0 {
				t.Error("a refresh was asked for")
			}
			if now := r.stream(); now.Cursor != before.Cursor || now.Denied != 0 {
				t.Errorf("the stream has moved: %+v", now)
			}
			kms.fail = nil
			r.pass(time.Minute)
			r.script.will(page, nil)
			r.poll()
			r.deliverAll()
			if diff := cmp.Diff(lines(1, 2, 3), r.lines(r.made.Destinations[0])); diff != "" {
				t.Errorf("delivered (-want +got):\n%s", diff)
			}
		})
	}
}

// unsigned gives sessions whose calls cannot be signed.
type unsigned struct {
	pipeline.Grants
	why error
}

func (u unsigned) Session(context.Context, fabric.AppAuthorization) (connector.Session, token.Grant, error) {
	return unsignedFinder{u.why}, token.Grant{Version: 1, Generation: 1}, nil
}

type unsignedFinder struct{ why error }

func (unsignedFinder) Connect(context.Context) (map[string]string, error) {
	return map[string]string{}, nil
}

func (unsignedFinder) Poll(context.Context, string, connector.Cursor) (connector.Page, error) {
	return connector.Page{}, nil
}

func (f unsignedFinder) FindUser(context.Context, string) (connector.User, error) {
	return connector.User{}, &connector.Error{Kind: connector.Unauthorized, Op: "okta: find user", Err: f.why}
}

// TestASearchWithoutAKey: the task is neither ended nor marked.
func TestASearchWithoutAKey(t *testing.T) {
	t.Parallel()
	h := newHunt(t)
	id := h.start(h.authorize("OKTA"), known)
	why := &secret.KeyError{Refused: true, Reason: "the KMS key is disabled"}
	if err := h.dutyWith(unsigned{Grants: h.tokens, why: why}).Run(t.Context(), h.claim()); !errors.Is(err, why) {
		t.Errorf("the search: %v", err)
	}
	h.want(id, fabric.InProgress, "")
	h.clock.Add(6 * time.Second) // the lease ends
	h.run()
	h.want(id, fabric.Completed, "")
}
