package token

import (
	"context"
	"net/url"
	"time"

	"selvedge/internal/fabric"
)

// openTime is for the key of a grant that is to be revoked.
const openTime = 2 * time.Second

// Revoke takes what is needed to give a grant back to the provider, to be called
// while the authorization is there, and returns what gives it back, to be called
// when it is not. Giving back is tried once; what comes of it is logged.
func (m *Manager) Revoke(ctx context.Context, a fabric.AppAuthorization) func(context.Context) {
	log := m.logger(a)
	nothing := func(context.Context) {}
	app, err := m.app(a.App)
	if err != nil || app.Auth.RevokeURL == "" {
		return nothing
	}
	g, err := m.o.Store.LoadGrant(ctx, a.ID)
	if err != nil {
		log.WarnContext(ctx, "the grant is not revoked", "error", err)
		return nothing
	}
	// Whoever deletes an authorization does not wait for a KMS that is away.
	bounded, cancel := context.WithTimeout(ctx, openTime)
	t, ok, err := m.inUse(bounded, g)
	cancel()
	if err != nil {
		log.WarnContext(ctx, "the grant is not revoked", "error", err)
		return nothing
	}
	token, hint := t.Refresh, "refresh_token"
	if token == "" {
		token, hint = t.Access, "access_token"
	}
	if !ok || token == "" {
		return nothing
	}
	revocation := call{
		app: app, tenant: t.Tenant, url: app.Auth.RevokeURL, client: t.credentials,
		form: url.Values{"token": {token}, "token_type_hint": {hint}}, // RFC 7009, section 2.1
	}
	return func(ctx context.Context) {
		answer, err := m.post(ctx, revocation)
		if err != nil {
			log.WarnContext(ctx, "the grant is not revoked", "error", err)
			return
		}
		if answer.Status >= 300 {
			log.WarnContext(ctx, "the provider did not revoke the grant", "status", answer.Status)
			return
		}
		log.InfoContext(ctx, "the grant is revoked")
	}
}
