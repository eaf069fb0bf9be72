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

// ready loads a grant for work that changes it. What a crash has left of it is
// ended first.
func (m *Manager) ready(ctx context.Context, c store.Claim) (store.Grant, error) {
	g, err := m.o.Store.LoadGrant(ctx, c.ID)
	if err != nil || g.Intent.Kind == store.NoIntent {
		return g, err
	}
	if err := m.resume(ctx, c, g, true); err != nil {
		return g, err
	}
	return m.o.Store.LoadGrant(ctx, c.ID)
}

// exchange turns a code into tokens and probes them. A verifierNo other than
// zero is that of the state that came with the code.
func (m *Manager) exchange(ctx context.Context, c store.Claim, req AuthRequest, verifierNo int64) error {
	g, err := m.o.Store.LoadGrant(ctx, c.ID)
	if err != nil {
		return err
	}
	key := m.hash(c.ID, req.Code.Reveal())
	if g.Intent.Kind == store.IntentExchange && g.Intent.Key == key {
		return m.resume(ctx, c, g, false)
	}
	if g, err = m.ready(ctx, c); err != nil {
		return err
	}
	switch {
	case g.CodeKey == key:
		return m.release(ctx, c)
	case verifierNo != 0 && verifierNo != g.VerifierNo:
		return ErrStateUsed
	}
	given, verifier, err := m.given(ctx, g)
	if err != nil {
		return err
	}
	doc := exchange{
		credentials: given, Tenant: g.Authorization.Tenant.Identifier, Generation: g.Authorization.Generation,
		VerifierNo: g.VerifierNo, Code: req.Code.Reveal(), RedirectURI: req.RedirectURI, Verifier: verifier,
		Began: m.o.Now(),
	}
	request, err := m.seal(ctx, g.Authorization, fieldRequest, g.Version, doc)
	if err != nil {
		return err
	}
	e, err := m.exchangeErrand(c, g, doc, request)
	if err != nil {
		return err
	}
	a, err := m.run(ctx, &e)
	if err != nil {
		return err
	}
	return m.takeCode(ctx, e, doc, a)
}

// codeTime is for how long a code is tried: RFC 6749, section 4.1.2, has codes
// end within ten minutes.
const codeTime = 15 * time.Minute

// giveUp ends an exchange that is put off once more when its code is too old.
func (m *Manager) giveUp(ctx context.Context, e errand, doc exchange, err error) error {
	retry, ok := errors.AsType[*job.Retry](err)
	if !ok || doc.Code == "" || errors.Is(err, errDeferred) || m.o.Now().Sub(doc.Began) < codeTime {
		return err
	}
	return m.refuseCode(ctx, e, doc, reply{reason: retry.Reason})
}

func (m *Manager) exchangeErrand(c store.Claim, g store.Grant, doc exchange, request []byte) (errand, error) {
	app, err := m.app(g.Authorization.App)
	e := errand{grant: g, claim: c, kind: store.IntentExchange, request: request, began: doc.Began, secrets: doc.secrets()}
	if doc.Code == "" {
		e.key, e.call, e.free = m.hash(c.ID, "mint "+strconv.FormatInt(doc.Began.UnixNano(), 10)), mintCall(app, doc.Tenant, doc.credentials), true
		return e, err
	}
	e.key, e.call = m.hash(c.ID, doc.Code), codeCall(app, doc)
	return e, err
}

// takeCode takes the answer to an exchange in.
func (m *Manager) takeCode(ctx context.Context, e errand, doc exchange, a answer) error {
	r := read(e.call.app.Auth, a, e.secrets)
	if r.outcome != granted {
		if err := m.settled(ctx, e, a, r); err != nil {
			return m.giveUp(ctx, e, doc, err)
		}
		return m.refuseCode(ctx, e, doc, r)
	}
	t := tokens{
		credentials: doc.credentials, Tenant: doc.Tenant, Generation: doc.Generation,
		Access: r.access, Refresh: r.refresh, Obtained: a.At, Ends: ends(a, r), Facts: r.facts,
	}
	change := store.GrantChange{}
	if doc.Code == "" {
		t.Refresh, t.Minted = "", true
	} else {
		verifier, err := m.newVerifier(ctx, e.call.app, e.grant.Authorization)
		if err != nil {
			return err
		}
		change = store.GrantChange{CodeKey: e.key, Verifier: verifier, VerifierNo: doc.VerifierNo}
	}
	err := m.swapIn(ctx, e.claim, e.grant, t, change)
	if err != nil || e.stay {
		return err
	}
	if m.late(t) { // it took long to get here: the duty refreshes before it probes
		return m.o.Store.Finish(ctx, e.claim, m.o.Now())
	}
	return m.probe(ctx, e.claim)
}

// refuseCode ends an exchange that the provider refused. A grant that is in use
// stays so.
func (m *Manager) refuseCode(ctx context.Context, e errand, doc exchange, r reply) error {
	due, err := m.dueAsIs(ctx, e.grant)
	if err != nil {
		return err
	}
	reason, kind := e.lostReason(r)
	m.logger(e.grant.Authorization).WarnContext(ctx, "the provider refused to grant tokens", "reason", reason)
	ctx, cancel := settling(ctx)
	defer cancel()
	return m.change(ctx, e.grant, e.claim, store.GrantChange{
		EndIntent: true,
		Verdict:   &store.Verdict{Generation: doc.Generation, Status: fabric.ConnectionValidationFailed, Reason: reason},
		Event: &store.GrantEvent{
			Generation: doc.Generation, Version: e.grant.Version, Replica: m.o.Owner, Kind: kind, Detail: reason,
		},
		Due: due, Finish: !e.stay,
	})
}

// resume ends what a crash or a missing answer has left: an answer is taken in,
// a request without one is sent once more. With stay the claim goes on and no
// probe is made; otherwise the claim has ended when it returns nil.
func (m *Manager) resume(ctx context.Context, c store.Claim, g store.Grant, stay bool) error {
	if len(g.Intent.Answer) == 0 {
		took, err := m.adopt(ctx, c.ID)
		if err != nil {
			return err
		}
		if took {
			if g, err = m.o.Store.LoadGrant(ctx, c.ID); err != nil {
				return err
			}
		}
	}
	if g.Intent.Kind == store.IntentRefresh {
		return m.resumeRefresh(ctx, c, g, stay)
	}
	var doc exchange
	if err := m.open(ctx, g.Authorization, fieldRequest, g.Version, g.Intent.Request, &doc); err != nil {
		return err
	}
	e, err := m.exchangeErrand(c, g, doc, g.Intent.Request)
	if err != nil {
		return err
	}
	e.stay = stay
	a, err := m.answerOf(ctx, &e)
	if err != nil {
		return m.giveUp(ctx, e, doc, err)
	}
	return m.takeCode(ctx, e, doc, a)
}

// answerOf returns the journalled answer of an errand, or sends it once more.
func (m *Manager) answerOf(ctx context.Context, e *errand) (answer, error) {
	if len(e.grant.Intent.Answer) == 0 && !e.free {
		if err := m.deferred(ctx, e); err != nil {
			return answer{}, err
		}
	}
	if len(e.grant.Intent.Answer) > 0 {
		return m.journalled(ctx, e)
	}
	e.lost = !e.free && !e.grant.Intent.At.IsZero()
	return m.run(ctx, e)
}
