package token

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/secret"
	"selvedge/internal/store"
)

const probeTime = 20 * time.Second

// takeKey connects with an API key.
func (m *Manager) takeKey(ctx context.Context, c store.Claim) error {
	g, err := m.ready(ctx, c)
	if err != nil {
		return err
	}
	given, _, err := m.given(ctx, g)
	if err != nil {
		return err
	}
	err = m.swapIn(ctx, c, g, tokens{
		credentials: given, Tenant: g.Authorization.Tenant.Identifier,
		Generation: g.Authorization.Generation, Obtained: m.o.Now(),
	}, store.GrantChange{})
	if err != nil {
		return err
	}
	return m.probe(ctx, c)
}

// takeUp probes the grant in use: for credentials that were updated without
// being changed, and for whoever connects again without a code.
func (m *Manager) takeUp(ctx context.Context, c store.Claim) error {
	g, err := m.ready(ctx, c)
	if err != nil {
		return err
	}
	same, err := m.sameCredentials(ctx, g)
	if err != nil {
		return err
	}
	if !same {
		return fabric.InvalidField("authRequest",
			"is required to connect %s: the redirectUri and the code that come of consenting at the authUrl", g.Authorization.App)
	}
	err = m.change(ctx, g, c, store.GrantChange{Generation: g.Authorization.Generation, Due: m.o.Now()})
	if err != nil {
		return err
	}
	return m.probe(ctx, c)
}

// sameCredentials says whether the tokens in use are good, and came of the
// credentials and the tenant that the authorization has now.
func (m *Manager) sameCredentials(ctx context.Context, g store.Grant) (bool, error) {
	t, ok, err := m.inUse(ctx, g)
	if err != nil || !ok {
		return false, err
	}
	given, _, err := m.given(ctx, g)
	return err == nil && t.usable(m.o.Now()) && t.credentials == given &&
		t.Tenant == g.Authorization.Tenant.Identifier, err
}

// swapIn puts newly obtained tokens in the place of those in use, which stay
// readable until the probe has decided.
func (m *Manager) swapIn(ctx context.Context, c store.Claim, g store.Grant, t tokens, change store.GrantChange) error {
	t.Origin = g.Version + 1
	sealed, err := m.seal(ctx, g.Authorization, fieldTokens, g.Version+1, t)
	if err != nil {
		return err
	}
	change.Swap = &store.TokenSet{
		Version: g.Version + 1, Generation: t.Generation, Sealed: sealed, ExpiresAt: t.Ends, KeepOld: true,
	}
	change.Event = &store.GrantEvent{
		Generation: t.Generation, Version: g.Version + 1, Replica: m.o.Owner, Kind: store.EventExchanged,
	}
	if t.Minted {
		change.Event.Detail = "by the client's credential"
	}
	if g.Authorization.Status != fabric.Connected {
		change.Verdict = &store.Verdict{Generation: t.Generation, Status: fabric.PendingConnect}
	}
	change.Due = m.o.Now()
	ctx, cancel := settling(ctx)
	defer cancel()
	if err := m.change(ctx, g, c, change); err != nil {
		return err
	}
	return m.o.step("swapped")
}

// probe asks the application whether the tokens in use reach its audit log, and
// ends the claim with the verdict. An application that cannot say is asked again
// by the duty.
func (m *Manager) probe(ctx context.Context, c store.Claim) error {
	g, err := m.o.Store.LoadGrant(ctx, c.ID)
	if err != nil {
		return err
	}
	t, ok, err := m.inUse(ctx, g)
	if err != nil {
		return err
	}
	if !ok {
		return m.o.Store.Finish(ctx, c, time.Time{})
	}
	facts := t.Facts
	if t.Proven {
		facts = g.Facts
	}
	auth := m.apps[g.Authorization.App].Auth
	if lacks := missing(facts, auth.Scopes); auth.ScopesTold && len(lacks) > 0 {
		return m.disproved(ctx, c, g, t, "the grant lacks "+ScopeNames(lacks)+": connect again when the client has what it lacks")
	}
	session, err := m.session(g, t, facts)
	if err != nil {
		return err
	}
	askCtx, answered := context.WithTimeout(ctx, probeTime)
	found, err := session.Connect(askCtx)
	answered()
	ctx, cancel := settling(ctx)
	defer cancel()
	if key, ok := errors.AsType[*secret.KeyError](err); ok {
		return key // the call could not be signed; the application was not asked
	}
	if err == nil {
		return m.connected(ctx, c, g, t, merged(facts, found))
	}
	reason := m.reason(err, t)
	switch connector.KindOf(err) {
	case connector.Unavailable, connector.Throttled:
		return &job.Retry{After: m.wait(c, err), Reason: reason, Err: err}
	}
	return m.disproved(ctx, c, g, t, reason)
}

// disproved ends a probe that has shown that the tokens do not reach the audit
// log.
func (m *Manager) disproved(ctx context.Context, c store.Claim, g store.Grant, t tokens, reason string) error {
	ctx, cancel := settling(ctx)
	defer cancel()
	m.logger(g.Authorization).WarnContext(ctx, "the application does not accept the connection", "reason", reason)
	if t.Proven {
		return m.stillPending(ctx, c, g, t, reason)
	}
	return m.failed(ctx, c, g, t, reason)
}

func merged(a, b map[string]string) map[string]string {
	out := map[string]string{}
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}

// reason is the provider's own words about a failed call, or what is known.
func (m *Manager) reason(err error, t tokens) string {
	e, ok := errors.AsType[*connector.Error](err)
	switch {
	case ok && e.Reason != "":
		return clean(e.Reason, t.secrets())
	case ok && e.Status != 0:
		return fmt.Sprintf("the application answered HTTP %d (%s)", e.Status, e.Kind)
	}
	return "the application did not answer"
}

func (m *Manager) wait(c store.Claim, err error) time.Duration {
	wait := job.Backoff(c.Attempt)
	if e, ok := errors.AsType[*connector.Error](err); ok {
		wait = max(wait, min(e.Until.Sub(m.o.Now()), time.Hour))
	}
	return wait
}

func (m *Manager) connected(ctx context.Context, c store.Claim, g store.Grant, t tokens, facts map[string]string) error {
	change := store.GrantChange{
		Facts: facts, DropPrevious: true, Due: m.due(t), Finish: true,
		Verdict: &store.Verdict{Generation: g.Generation, Status: fabric.Connected},
	}
	if !t.Proven {
		t.Proven = true
		sealed, err := m.seal(ctx, g.Authorization, fieldTokens, g.Version+1, t)
		if err != nil {
			return err
		}
		change.Swap = &store.TokenSet{Version: g.Version + 1, Generation: g.Generation, Sealed: sealed, ExpiresAt: t.Ends}
	}
	return m.change(ctx, g, c, change)
}

// stillPending ends the probe of a grant that worked before, such as after an
// update of the display name. It is not ours to take away.
func (m *Manager) stillPending(ctx context.Context, c store.Claim, g store.Grant, t tokens, reason string) error {
	return m.change(ctx, g, c, store.GrantChange{
		Due: m.due(t), Finish: true,
		Verdict: &store.Verdict{Generation: g.Generation, Status: fabric.PendingConnect, Reason: reason},
	})
}

// failed ends a connection whose tokens do not reach the audit log. The set
// before comes back where there is one: collection goes on with it.
func (m *Manager) failed(ctx context.Context, c store.Claim, g store.Grant, t tokens, reason string) error {
	old, ok, err := m.before(ctx, g)
	if err != nil {
		return err
	}
	swap := &store.TokenSet{Version: g.Version + 1, Generation: g.Generation}
	var due time.Time
	if ok && old.Origin != t.Origin && old.usable(m.o.Now()) {
		if swap.Sealed, err = m.seal(ctx, g.Authorization, fieldTokens, swap.Version, old); err != nil {
			return err
		}
		swap.Generation, swap.ExpiresAt, due = old.Generation, old.Ends, m.due(old)
	}
	return m.change(ctx, g, c, store.GrantChange{
		Swap: swap, Due: due, Finish: true,
		Verdict: &store.Verdict{Generation: g.Generation, Status: fabric.ConnectionValidationFailed, Reason: reason},
		Event: &store.GrantEvent{
			Generation: t.Generation, Version: g.Version, Replica: m.o.Owner, Kind: store.EventRefused, Detail: reason,
		},
	})
}
