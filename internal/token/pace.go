package token

import (
	"context"
	"maps"
	"slices"
	"strings"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/outbound"
)

// paceOf is the pace of the tenant of an authorization, whose tenant identifier
// is given as it was typed.
func (m *Manager) paceOf(app connector.App, a fabric.AppAuthorization, identifier string, vars map[string]string) *outbound.Tenant {
	return m.o.Pacer.Tenant(app, tenantName(app, a, identifier, vars))
}

// tenantName is the same for all spellings of a tenant identifier: the tenant's
// own origin, where it has one, which all accounts share; else what the
// identifier tells, in the authorization's own account and Region. There it may
// be any text that somebody typed, and no account is to hold up the calls of
// another by typing the same.
func tenantName(app connector.App, a fabric.AppAuthorization, identifier string, vars map[string]string) string {
	if origin := connector.Expand(app.Auth.Origin, vars); origin != app.Auth.Origin {
		return origin
	}
	told := []string{a.Account, a.Region}
	if len(vars) == 0 {
		told = append(told, identifier)
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		told = append(told, name+"="+vars[name])
	}
	return strings.Join(told, " ")
}

// paced is a session whose throttled calls stop those of all sessions with its
// tenant.
type paced struct {
	connector.Session
	tenant *outbound.Tenant
}

// pacedFinder is one whose application can look users up.
type pacedFinder struct {
	paced
	finder connector.UserFinder
}

// newPaced wraps a session. It can look users up exactly if the session can.
func newPaced(s connector.Session, tenant *outbound.Tenant) connector.Session {
	p := paced{Session: s, tenant: tenant}
	if f, ok := s.(connector.UserFinder); ok {
		return pacedFinder{paced: p, finder: f}
	}
	return p
}

// Connect is the session's.
func (p paced) Connect(ctx context.Context) (map[string]string, error) {
	facts, err := p.Session.Connect(ctx)
	return facts, p.tenant.Ended(ctx, err)
}

// Poll is the session's.
func (p paced) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	page, err := p.Session.Poll(ctx, stream, at)
	return page, p.tenant.Ended(ctx, err)
}

// FindUser is the session's, after the polls.
func (p pacedFinder) FindUser(ctx context.Context, email string) (connector.User, error) {
	u, err := p.finder.FindUser(outbound.WithPriority(ctx, outbound.Lookup), email)
	return u, p.tenant.Ended(ctx, err)
}
