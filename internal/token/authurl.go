package token

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

// AuthURL returns the address at which a person consents; empty for an
// application without one, and for a tenant identifier that no address can be
// made of. Nothing is written, and of two readings only the state differs: it
// carries its own expiry, a day ahead.
func (m *Manager) AuthURL(ctx context.Context, a fabric.AppAuthorization) (string, error) {
	app, err := m.app(a.App)
	if err != nil {
		return "", err
	}
	if app.Auth.Grant != connector.AuthorizationCode {
		return "", nil
	}
	g, err := m.o.Store.LoadGrant(ctx, a.ID)
	if err != nil {
		return "", err
	}
	u, err := place(app, g.Authorization.Tenant.Identifier, app.Auth.AuthorizeURL)
	if err != nil {
		return "", nil //nolint:nilerr // a wrong tenant identifier is said at connect, where AWS says it
	}
	c, verifier, err := m.given(ctx, g)
	if err != nil {
		return "", err
	}
	u.RawQuery = m.authorizeQuery(app, u.RawQuery, g, c.ClientID, verifier)
	raw, err := m.o.Transport.Rewrite(u.String())
	if err != nil {
		return "", fmt.Errorf("token: authorize URL: %w", err)
	}
	return raw, nil
}

// authorizeQuery puts redirect_uri before all that may vary and the state last:
// Terraform's provider compares what stands before the first "oauth2".
func (m *Manager) authorizeQuery(app connector.App, fixed string, g store.Grant, clientID, verifier string) string {
	pairs := [][2]string{
		{"redirect_uri", m.redirectURI()},
		{"response_type", "code"},
		{"client_id", clientID},
	}
	if name, scopes := scopeParam(app); scopes != "" {
		pairs = append(pairs, [2]string{name, scopes})
	}
	for _, name := range slices.Sorted(maps.Keys(app.Auth.Params)) {
		pairs = append(pairs, [2]string{name, app.Auth.Params[name]})
	}
	if verifier != "" {
		pairs = append(pairs,
			[2]string{"code_challenge_method", "S256"},
			[2]string{"code_challenge", oauth2.S256ChallengeFromVerifier(verifier)})
	}
	s := state{
		id: g.Authorization.ID, generation: g.Authorization.Generation,
		verifierNo: g.VerifierNo, expires: m.o.Now().Add(stateLife),
	}
	pairs = append(pairs, [2]string{"state", s.encode(m.stateKey, g.Authorization)})
	var query []string
	if fixed != "" {
		query = append(query, fixed)
	}
	for _, p := range pairs {
		// %20 is a space everywhere, + only where forms are understood.
		query = append(query, p[0]+"="+strings.ReplaceAll(url.QueryEscape(p[1]), "+", "%20"))
	}
	return strings.Join(query, "&")
}
