package token

import (
	"context"
	"net/url"

	"selvedge/connector"
	"selvedge/internal/store"
)

// mintCall asks for an access token that the client is granted alone: by RFC
// 6749, section 4.4, or with nothing but what the application's own parameters
// and the query of its TokenURL say.
func mintCall(app connector.App, tenant string, client credentials) call {
	form := url.Values{}
	if app.Auth.Grant == connector.ClientCredentials {
		form.Set("grant_type", "client_credentials")
		if name, scopes := scopeParam(app); scopes != "" {
			form.Set(name, scopes)
		}
	}
	return tokenCall(app, tenant, client, form)
}

// takeMint connects with the client's credential: it brings an access token,
// which is probed. Of what a crash has left nothing is worth ending first, since
// no request for a token uses anything up.
func (m *Manager) takeMint(ctx context.Context, c store.Claim) error {
	g, err := m.o.Store.LoadGrant(ctx, c.ID)
	if err != nil {
		return err
	}
	given, _, err := m.given(ctx, g)
	if err != nil {
		return err
	}
	doc := exchange{
		credentials: given, Tenant: g.Authorization.Tenant.Identifier, Generation: g.Authorization.Generation, Began: m.o.Now(),
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
