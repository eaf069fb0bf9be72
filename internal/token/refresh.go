package token

import (
	"context"
	"errors"
	"strconv"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/store"
)

// Tokens are refreshed at half of their life, and those that live long or for
// ever at least daily: some providers end grants that nobody uses.
const (
	longestRest = 21 * time.Hour // with the jitter still below a day
	jitter      = 0.1
)

// Refresh is the duty over one grant. It ends what a crash has left, then
// decides on a connection that is undecided, then refreshes. On nil it has
// finished the claim; a *job.Retry says when to try again. A status changes by
// the provider's word only.
func (m *Manager) Refresh(ctx context.Context, c store.Claim) error {
	g, err := m.o.Store.LoadGrant(ctx, c.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil // deleted, and the claim with it
	}
	if err != nil {
		return err
	}
	err = m.refresh(ctx, c, g)
	if retry, ok := errors.AsType[*job.Retry](err); ok {
		err = errors.Join(err, m.explain(ctx, c, retry.Reason))
	}
	return err
}

// explain shows why a connection is still undecided.
func (m *Manager) explain(ctx context.Context, c store.Claim, reason string) error {
	ctx, cancel := settling(ctx)
	defer cancel()
	a, err := m.present(ctx, c.ID)
	if err != nil || a.Status != fabric.PendingConnect {
		return err
	}
	return m.o.Store.SetAuthorizationStatus(ctx, c, c.ID,
		store.Verdict{Generation: a.Generation, Status: fabric.PendingConnect, Reason: reason})
}

func (m *Manager) refresh(ctx context.Context, c store.Claim, g store.Grant) error {
	if g.Intent.Kind != store.NoIntent {
		return m.resume(ctx, c, g, false)
	}
	t, ok, err := m.inUse(ctx, g)
	switch {
	case err != nil:
		return err
	case !ok:
		return m.o.Store.Finish(ctx, c, time.Time{})
	case undecided(g) && !m.late(t):
		return m.probe(ctx, c)
	case t.renewable():
		return m.renewTokens(ctx, c, g, t)
	case t.Access != "" && t.ended(m.o.Now()) && g.Authorization.Status == fabric.Connected:
		e := errand{grant: g, claim: c}
		return m.refuse(ctx, e, t, reply{reason: "the access token has ended, and the provider gave no refresh token"})
	}
	return m.o.Store.Finish(ctx, c, m.due(t))
}

// undecided says whether a probe of the tokens in use is owed.
func undecided(g store.Grant) bool {
	return g.Authorization.Status == fabric.PendingConnect && g.Generation == g.Authorization.Generation
}

// late says whether a refresh is owed, whatever else is.
func (m *Manager) late(t tokens) bool {
	return t.renewable() && !t.Ends.IsZero() && !m.o.Now().Before(t.Obtained.Add(t.Ends.Sub(t.Obtained)/2))
}

// Expedite makes the refresh of a grant due now, after a 401. One that has failed
// keeps the time that it was put off to: the token endpoint may have asked for it.
func (m *Manager) Expedite(ctx context.Context, authorizationID string) error {
	if err := m.o.Store.Expedite(ctx, authorizationID); err != nil {
		return err
	}
	m.o.Wake()
	return nil
}

func (m *Manager) refreshErrand(c store.Claim, g store.Grant, t tokens) (errand, error) {
	app, err := m.app(g.Authorization.App)
	e := errand{grant: g, claim: c, kind: store.IntentRefresh, secrets: t.secrets()}
	if t.Minted {
		e.key, e.call, e.free = m.hash(c.ID, "mint "+strconv.FormatInt(g.Version, 10)), mintCall(app, t.Tenant, t.credentials), true
		return e, err
	}
	e.key, e.call, e.free = m.hash(c.ID, t.Refresh), refreshCall(app, t), !app.Auth.Rotating
	return e, err
}

func (m *Manager) renewTokens(ctx context.Context, c store.Claim, g store.Grant, t tokens) error {
	e, err := m.refreshErrand(c, g, t)
	if err != nil {
		return err
	}
	a, err := m.run(ctx, &e)
	if err != nil {
		return err
	}
	return m.takeRefresh(ctx, e, t, a)
}

func (m *Manager) resumeRefresh(ctx context.Context, c store.Claim, g store.Grant, stay bool) error {
	t, _, err := m.inUse(ctx, g)
	if err != nil {
		return err
	}
	e, err := m.refreshErrand(c, g, t)
	if err != nil {
		return err
	}
	e.stay = stay
	if e.key != g.Intent.Key {
		// The intent is about a token that is no longer in use: its answer
		// can be of no use either.
		return m.change(ctx, g, c, store.GrantChange{EndIntent: true, Due: m.due(t), Finish: !stay})
	}
	a, err := m.answerOf(ctx, &e)
	if err != nil {
		return err
	}
	return m.takeRefresh(ctx, e, t, a)
}

// takeRefresh takes the answer to a refresh in.
func (m *Manager) takeRefresh(ctx context.Context, e errand, t tokens, a answer) error {
	ctx, cancel := settling(ctx)
	defer cancel()
	r := read(e.call.app.Auth, a, e.secrets)
	if r.outcome != granted {
		if err := m.settled(ctx, e, a, r); err != nil {
			return err
		}
		return m.refuse(ctx, e, t, r)
	}
	t.Access, t.Obtained, t.Ends = r.access, a.At, ends(a, r)
	t.Facts = merged(t.Facts, r.facts)
	if r.refresh != "" && !t.Minted {
		t.Refresh = r.refresh
	}
	g := e.grant
	swap, err := m.nextSet(ctx, g, t)
	if err != nil {
		return err
	}
	due := m.due(t)
	if undecided(g) {
		due = m.o.Now()
	}
	err = m.change(ctx, g, e.claim, store.GrantChange{
		Swap:  swap,
		Facts: merged(g.Facts, r.facts),
		Event: &store.GrantEvent{
			Generation: g.Generation, Version: g.Version + 1, Replica: m.o.Owner, Kind: store.EventRefreshed,
		},
		Due: due, Finish: !e.stay,
	})
	if err != nil {
		return err
	}
	m.logger(g.Authorization).DebugContext(ctx, "tokens refreshed", "version", g.Version+1)
	return m.o.step("swapped")
}

// nextSet seals refreshed tokens for the place of those in use, which become
// the previous set. While the tokens are undecided the previous set is the
// grant that comes back if they fail: it stays.
func (m *Manager) nextSet(ctx context.Context, g store.Grant, t tokens) (*store.TokenSet, error) {
	swap := &store.TokenSet{Version: g.Version + 1, Generation: g.Generation, ExpiresAt: t.Ends, KeepOld: true}
	var err error
	if swap.Sealed, err = m.seal(ctx, g.Authorization, fieldTokens, swap.Version, t); err != nil {
		return nil, err
	}
	if !undecided(g) {
		return swap, nil
	}
	old, ok, err := m.before(ctx, g)
	if err != nil || !ok || old.Origin == t.Origin {
		return swap, err
	}
	swap.KeepOld = false
	swap.Old, err = m.seal(ctx, g.Authorization, fieldTokens, g.Version, old)
	return swap, err
}

// refuse ends a grant that the provider no longer renews. What is left of the
// access token's life is still used; the refresh token is forgotten, so that
// nothing can send it again, and a credential is not sent again until somebody
// connects.
func (m *Manager) refuse(ctx context.Context, e errand, t tokens, r reply) error {
	g := e.grant
	reason, kind := e.lostReason(r)
	t.Refresh, t.Minted = "", false
	sealed, err := m.seal(ctx, g.Authorization, fieldTokens, g.Version+1, t)
	if err != nil {
		return err
	}
	status := fabric.TokenAutoRotationFailed
	if undecided(g) {
		status = fabric.ConnectionValidationFailed
	}
	m.logger(g.Authorization).WarnContext(ctx, "the provider refused to refresh a grant: connect the authorization again", "reason", reason)
	ctx, cancel := settling(ctx)
	defer cancel()
	return m.change(ctx, g, e.claim, store.GrantChange{
		Swap: &store.TokenSet{
			Version: g.Version + 1, Generation: g.Generation, Sealed: sealed, ExpiresAt: t.Ends,
		},
		Verdict: &store.Verdict{Generation: g.Generation, Status: status, Reason: reason},
		Event: &store.GrantEvent{
			Generation: g.Generation, Version: g.Version, Replica: m.o.Owner, Kind: kind, Detail: reason,
		},
		Finish: !e.stay,
	})
}

// due is when a set of tokens is to be refreshed next; the zero time: never.
func (m *Manager) due(t tokens) time.Time {
	if !t.renewable() {
		if t.Access != "" {
			return t.Ends // somebody has to be told then
		}
		return time.Time{}
	}
	rest := longestRest
	if !t.Ends.IsZero() {
		rest = min(rest, t.Ends.Sub(t.Obtained)/2)
	}
	rest += time.Duration(float64(rest) * jitter * (2*m.o.Rand() - 1))
	return t.Obtained.Add(rest)
}

// dueAsIs is due of the tokens in use.
func (m *Manager) dueAsIs(ctx context.Context, g store.Grant) (time.Time, error) {
	t, ok, err := m.inUse(ctx, g)
	if err != nil || !ok {
		return time.Time{}, err
	}
	return m.due(t), nil
}

// ends is when the access token of a reply ends: counted from the moment before
// the request was sent, which is early rather than late.
func ends(a answer, r reply) time.Time {
	if r.life == 0 {
		return time.Time{}
	}
	return a.At.Add(r.life)
}
