package token

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"sync/atomic"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/outbound"
	"selvedge/internal/store"
)

// Grant says what a session was opened with.
type Grant struct {
	Version    int64             // of the tokens
	Generation int64             // of the credentials that the tokens came from
	Facts      map[string]string // kept of the provider's answers
}

// Session opens a session with the grant in use. Each of its calls is signed
// with the tokens that are in use then, and fails as Unauthorized once they have
// ended. It answers ErrNoGrant while there is nothing to sign with.
func (m *Manager) Session(ctx context.Context, a fabric.AppAuthorization) (connector.Session, Grant, error) {
	g, err := m.o.Store.LoadGrant(ctx, a.ID)
	if err != nil {
		return nil, Grant{}, err
	}
	t, ok, err := m.inUse(ctx, g)
	if err != nil {
		return nil, Grant{}, err
	}
	if !ok || !t.usable(m.o.Now()) {
		return nil, Grant{}, ErrNoGrant
	}
	s, err := m.session(g, t, g.Facts)
	return s, Grant{Version: g.Version, Generation: g.Generation, Facts: maps.Clone(g.Facts)}, err
}

func (m *Manager) session(g store.Grant, t tokens, facts map[string]string) (connector.Session, error) {
	app, err := m.app(g.Authorization.App)
	if err != nil {
		return nil, err
	}
	if err := Connectable(app); err != nil {
		return nil, fmt.Errorf("token: open session: %w", err)
	}
	vars, err := app.Auth.Tenant.Vars(t.Tenant)
	if err != nil {
		return nil, fmt.Errorf("token: open session: %w", err)
	}
	base, err := place(app, t.Tenant, app.Auth.Origin)
	if err != nil {
		return nil, fmt.Errorf("token: open session: %w", err)
	}
	signer, err := outbound.SignerByName(app.Auth.Signing, app.Auth.Header, func(ctx context.Context) (fabric.Secret, error) {
		return m.credentialInUse(ctx, g.Authorization.ID)
	})
	if err != nil {
		return nil, fmt.Errorf("token: open session: %w", err)
	}
	client := m.o.Transport.Client(signer, base, func(origin string) bool { return app.Auth.Allows(origin, vars) })
	if len(g.Previous) > 0 && !undecided(g) {
		client.Transport = &witness{next: client.Transport, worked: func(ctx context.Context) {
			if err := m.o.Store.DropPrevious(ctx, g.Authorization.ID, g.Version); err != nil {
				m.logger(g.Authorization).ErrorContext(ctx, "drop the tokens before", "error", err)
			}
		}}
	}
	pace := m.paceOf(app, g.Authorization, t.Tenant, vars)
	client.Transport = pace.Transport(client.Transport)
	opened := newPaced(app.Open(connector.Env{
		Tenant: t.Tenant, HTTP: client, Facts: maps.Clone(facts), Now: m.o.Now, Log: m.logger(g.Authorization),
	}), pace)
	return newDiscreet(opened, func(ctx context.Context) []string {
		// A refresh since has brought another token than t has.
		now, err := m.credentialInUse(ctx, g.Authorization.ID)
		if err != nil {
			return t.secrets()
		}
		return append(t.secrets(), now.Reveal())
	}), nil
}

// credentialInUse is what a call is signed with. It is asked before each call,
// however long the session has waited.
func (m *Manager) credentialInUse(ctx context.Context, authorizationID string) (fabric.Secret, error) {
	g, err := m.o.Store.LoadGrant(ctx, authorizationID)
	if err != nil {
		return "", err
	}
	t, ok, err := m.inUse(ctx, g)
	switch {
	case err != nil:
		return "", err
	case !ok:
		return "", &connector.Error{Kind: connector.Unauthorized, Op: "token: sign", Reason: "the authorization is not connected"}
	case t.APIKey != "":
		return fabric.Secret(t.APIKey), nil
	case t.ended(m.o.Now()):
		return "", &connector.Error{Kind: connector.Unauthorized, Op: "token: sign", Reason: "the access token has ended"}
	}
	return fabric.Secret(t.Access), nil
}

// witness notes that tokens have worked.
type witness struct {
	next   http.RoundTripper
	worked func(context.Context)
	done   atomic.Bool
}

// RoundTrip passes the call on.
func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(r)
	if err == nil && resp.StatusCode < 300 && !w.done.Swap(true) {
		w.worked(r.Context())
	}
	return resp, err
}

// CloseIdleConnections is what http.Client's method of that name calls.
func (w *witness) CloseIdleConnections() {
	if c, ok := w.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// Rejected makes known that a provider does not take the key of an
// authorization. Reason is the provider's own word.
func (m *Manager) Rejected(ctx context.Context, a fabric.AppAuthorization, reason string) error {
	c, ok, err := m.o.Store.ClaimRow(ctx, store.DutyRefresh, a.ID, m.o.Owner, leaseTime)
	if err != nil || !ok {
		return err // whoever holds the grant is about to find out
	}
	g, err := m.o.Store.LoadGrant(ctx, a.ID)
	if err != nil {
		return err
	}
	change := store.GrantChange{Due: g.Due, Finish: true}
	if g.Authorization.Status == fabric.Connected {
		reason = clean(reason, nil)
		change.Verdict = &store.Verdict{Generation: a.Generation, Status: fabric.ConnectionValidationFailed, Reason: reason}
		change.Event = &store.GrantEvent{
			Generation: a.Generation, Version: g.Version, Replica: m.o.Owner, Kind: store.EventRefused, Detail: reason,
		}
	}
	return m.change(ctx, g, c, change)
}
