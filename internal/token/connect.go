package token

import (
	"context"
	"errors"
	"fmt"
	"time"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/secret"
	"selvedge/internal/store"
)

const (
	connectWait = 25 * time.Second // for the answer to whoever connects
	flowTime    = 60 * time.Second // for the connection itself
	leaseTime   = 5 * time.Second
)

// AuthRequest is what a provider sent the browser back with.
type AuthRequest struct {
	RedirectURI string // that of the authorize URL; the provider compares them
	Code        fabric.Secret
}

// Refusal is a provider's answer to a person: no.
type Refusal struct{ Reason string }

// Error gives the provider's words.
func (r *Refusal) Error() string { return r.Reason }

// Connect connects an authorization: by the code of req, by the key that the
// user gave, or by tokens that the client's credential is granted alone; the last
// two need no req, and ignore one. It answers with the authorization as it stands after at most 25
// seconds; what is undecided by then goes on. A nil req probes the grant in use,
// where there is one for the credentials of now. Faults of the request are
// *fabric.Error, everything that the provider says is in the status and reason.
func (m *Manager) Connect(ctx context.Context, a fabric.AppAuthorization, req *AuthRequest) (fabric.AppAuthorization, error) {
	app, err := m.app(a.App)
	if err != nil {
		return a, err
	}
	if err := Connectable(app); err != nil {
		return a, err
	}
	if _, err := place(app, a.Tenant.Identifier, app.Auth.Origin); err != nil {
		return a, fabric.InvalidField("tenant.tenantIdentifier", "%s", err)
	}
	switch {
	case app.Auth.Grant == connector.APIKey:
		return m.flow(ctx, a, m.takeKey)
	case app.Auth.Grant != connector.AuthorizationCode:
		return m.flow(ctx, a, m.takeMint)
	case req == nil:
		return m.flow(ctx, a, m.takeUp)
	}
	return m.flow(ctx, a, func(ctx context.Context, c store.Claim) error { return m.exchange(ctx, c, *req, 0) })
}

// Callback finishes a connection that a person made in a browser. The state is
// accepted once; a refusal of the provider, a *Refusal, and an application
// without a connector, ErrNoConnector, use up nothing. A page that is loaded
// again answers how things stand.
func (m *Manager) Callback(ctx context.Context, stateText, code, providerError, description string) (fabric.AppAuthorization, error) {
	s, mac, err := decodeState(stateText)
	if err != nil {
		return fabric.AppAuthorization{}, err
	}
	g, err := m.o.Store.LoadGrant(ctx, s.id)
	if errors.Is(err, store.ErrNotFound) {
		return fabric.AppAuthorization{}, ErrState
	}
	if err != nil {
		return fabric.AppAuthorization{}, err
	}
	a := g.Authorization
	if err := s.check(m.stateKey, mac, a, m.o.Now()); err != nil {
		return fabric.AppAuthorization{}, err
	}
	app, err := m.app(a.App)
	if err != nil {
		return a, err
	}
	if err := Connectable(app); err != nil {
		return a, err
	}
	switch {
	case code != "" && g.CodeKey == m.hash(a.ID, code):
		return a, nil
	case s.generation != a.Generation || s.verifierNo != g.VerifierNo:
		return a, ErrStateUsed
	case providerError != "":
		return a, &Refusal{Reason: words(0, providerError, description, nil)}
	case code == "":
		return a, &Refusal{Reason: "the provider sent neither a code nor an error"}
	}
	req := AuthRequest{RedirectURI: m.redirectURI(), Code: fabric.Secret(code)}
	return m.flow(ctx, a, func(ctx context.Context, c store.Claim) error { return m.exchange(ctx, c, req, s.verifierNo) })
}

// flow does the work of a connection under a claim on the grant, and outlives
// its caller. While somebody else holds the grant, the answer is how things
// stand.
func (m *Manager) flow(ctx context.Context, a fabric.AppAuthorization, work func(context.Context, store.Claim) error) (fabric.AppAuthorization, error) {
	claim, ok, err := m.o.Store.ClaimRow(ctx, store.DutyRefresh, a.ID, m.o.Owner, leaseTime)
	if err != nil {
		return a, err
	}
	if !ok {
		return m.present(ctx, a.ID)
	}
	ended := make(chan error, 1)
	m.flows.Go(func() { ended <- m.underLease(claim, a, work) })
	patience := time.NewTimer(connectWait)
	defer patience.Stop()
	select {
	case err = <-ended:
	case <-patience.C:
	case <-ctx.Done():
		return a, fmt.Errorf("token: connect: %w", ctx.Err())
	}
	if err != nil {
		return a, err
	}
	return m.present(ctx, a.ID)
}

// underLease runs work while it renews the lease, and ends the claim where work
// has not. A *job.Retry is no error to the caller: the duty goes on.
func (m *Manager) underLease(c store.Claim, a fabric.AppAuthorization, work func(context.Context, store.Claim) error) error {
	ctx, cancel := context.WithTimeout(m.alive, flowTime)
	defer cancel()
	renewing := make(chan struct{})
	go func() {
		defer close(renewing)
		m.renew(ctx, cancel, c)
	}()
	err := guarded(ctx, c, work)
	cancel()
	<-renewing
	if err == nil {
		m.o.Wake()
		return nil
	}
	ctx, cancel = settling(ctx)
	defer cancel()
	return m.end(ctx, c, a, err)
}

// guarded turns a panic into an error: the process has more to do than this
// connection.
func guarded(ctx context.Context, c store.Claim, work func(context.Context, store.Claim) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("token: connect: panic: %v", p)
		}
	}()
	return work(ctx, c)
}

func (m *Manager) renew(ctx context.Context, lost context.CancelFunc, c store.Claim) {
	ticker := time.NewTicker(leaseTime / 4)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := m.o.Store.Renew(ctx, c, leaseTime)
		switch {
		case errors.Is(err, store.ErrFenced):
			lost()
			return
		case err != nil && ctx.Err() == nil:
			m.o.Log.ErrorContext(ctx, "renew a lease", "authorization", c.ID, "error", err)
		}
	}
}

// end gives up a claim whose work failed.
func (m *Manager) end(ctx context.Context, c store.Claim, a fabric.AppAuthorization, err error) error {
	log := m.logger(a)
	retry, again := errors.AsType[*job.Retry](err)
	key, waits := errors.AsType[*secret.KeyError](err)
	_, isFault := errors.AsType[*fabric.Error](err)
	switch {
	case errors.Is(err, store.ErrFenced):
		log.WarnContext(ctx, "a connection lost its lease; what it did last was dropped", "error", err)
		return nil
	case again:
		log.InfoContext(ctx, "a connection is undecided and goes on", "reason", retry.Reason, "error", retry.Err)
		if err := m.explain(ctx, c, retry.Reason); err != nil {
			return err
		}
		if err := m.o.Store.Fail(ctx, c, m.o.Now().Add(retry.After), retry.Reason); err != nil {
			return err
		}
		m.o.Wake()
		return nil
	case waits:
		return errors.Join(err, m.o.Store.Fail(ctx, c, m.o.Now().Add(job.Backoff(c.Attempt)), key.Reason))
	case isFault, errors.Is(err, ErrStateUsed):
		return errors.Join(err, m.release(ctx, c))
	}
	return errors.Join(err, m.o.Store.Fail(ctx, c, m.o.Now().Add(job.Backoff(c.Attempt)), "internal error: the server's log has it"))
}

// release ends a claim that changed nothing.
func (m *Manager) release(ctx context.Context, c store.Claim) error {
	g, err := m.o.Store.LoadGrant(ctx, c.ID)
	if err != nil {
		return err
	}
	return m.o.Store.Finish(ctx, c, g.Due)
}
