package outbound

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"selvedge/connector"
)

// Transport returns a transport that asks before each call and reads the rate
// headers of each answer.
func (t *Tenant) Transport(next http.RoundTripper) http.RoundTripper {
	if t == nil {
		return next
	}
	return &pacedTransport{tenant: t, next: next}
}

type pacedTransport struct {
	tenant *Tenant
	next   http.RoundTripper
}

// RoundTrip makes the call if it is its turn.
func (p *pacedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := p.tenant.admit(r.Context()); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // nothing of it was sent
		}
		return nil, err
	}
	resp, err := p.next.RoundTrip(r)
	if err == nil {
		p.tenant.heed(r.Context(), resp.Header)
	}
	return resp, err
}

// CloseIdleConnections is what http.Client's method of that name calls.
func (p *pacedTransport) CloseIdleConnections() {
	if c, ok := p.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// heed has nothing more called where an answer, good or bad, says that it was
// the last for now. The answer is good all the same when that cannot be written.
func (t *Tenant) heed(ctx context.Context, h http.Header) {
	if t.pace.Remaining == "" || strings.TrimSpace(h.Get(t.pace.Remaining)) != "0" {
		return
	}
	if until, ok := t.pace.Reset.Until(h, t.pacer.o.Now()); ok {
		if err := t.pacer.o.Store.Block(ctx, t.key, until); err != nil {
			t.pacer.o.Log.WarnContext(ctx, "what a provider asked for was not kept", "app", t.key.App, "error", err)
		}
	}
}

// Ended is told how a session's call ended, and returns the error to go on with.
// A refusal that the session has classified as Throttled, by whatever the
// application says it with, stops the calls of all replicas: until the time that
// the provider named, or else for a time that grows from refusal to refusal.
func (t *Tenant) Ended(ctx context.Context, err error) error {
	if t == nil {
		return err
	}
	if err == nil {
		t.forgive(ctx)
		return nil
	}
	e, ok := errors.AsType[*connector.Error](err)
	if !ok || e.Kind != connector.Throttled || errors.Is(err, ErrPaced) {
		return err
	}
	t.pacer.o.Observe(t.key.App, Refused)
	told := *e
	words := asksUntil(e.Until)
	var failed error
	if e.Until.After(t.pacer.o.Now()) {
		failed = t.pacer.o.Store.Block(ctx, t.key, e.Until)
	} else {
		told.Until, failed = t.pacer.o.Store.Strike(ctx, t.key)
		words = "the next call is made at " + clock(told.Until)
	}
	if failed != nil {
		t.pacer.o.Log.WarnContext(ctx, "what a provider asked for was not kept", "app", t.key.App, "error", failed)
		return err
	}
	if told.Reason != "" {
		words = told.Reason + "; " + words
	}
	told.Reason = words
	return &told
}

// forgive ends the strikes that were on record when the call was let through.
func (t *Tenant) forgive(ctx context.Context) {
	if !t.struck.Swap(false) {
		return
	}
	if err := t.pacer.o.Store.ClearStrikes(ctx, t.key); err != nil {
		t.pacer.o.Log.WarnContext(ctx, "the end of a provider's refusals was not kept", "app", t.key.App, "error", err)
	}
}
