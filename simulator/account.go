package simulator

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Account is how one simulated application is connected to.
type Account struct {
	App     string   // AppFabric's identifier
	Tenant  string   // tenant identifier
	Origins []string // the provider's own origins, all to be led to this server

	ClientID, ClientSecret string // of OAuth 2.0
	APIKey                 string // of the others
	Consent                bool   // somebody has to consent in a browser: see [Server.Approve]

	User string // e-mail address of somebody that the tenant knows
}

// Names are the simulated applications, in order.
func (s *Server) Names() []string {
	names := make([]string, len(s.apps))
	for i, a := range s.apps {
		names[i] = a.core().name
	}
	slices.Sort(names)
	return names
}

// Account is how the application called name is connected to.
func (s *Server) Account(name string) (Account, error) {
	a, err := s.find(name)
	if err != nil {
		return Account{}, err
	}
	account := a.Account()
	account.App = name
	return account, nil
}

// Host is the name below localhost by which the server knows the application.
func (s *Server) Host(name string) (string, error) {
	a, err := s.find(name)
	if err != nil {
		return "", err
	}
	return a.core().host, nil
}

// Approve signs in to the application called name and allows access, as a person
// with a browser does; it returns the address that the browser is sent back to.
func (s *Server) Approve(ctx context.Context, name string, client *http.Client, authorizeURL string) (redirectURL string, err error) {
	return s.visit(ctx, name, client, authorizeURL, "approve")
}

// Deny is Approve with the other button.
func (s *Server) Deny(ctx context.Context, name string, client *http.Client, authorizeURL string) (redirectURL string, err error) {
	return s.visit(ctx, name, client, authorizeURL, "deny")
}

func (s *Server) visit(ctx context.Context, name string, client *http.Client, authorizeURL, decision string) (string, error) {
	account, err := s.Account(name)
	if err != nil {
		return "", err
	}
	if !account.Consent {
		return "", fmt.Errorf("simulator: nobody consents for %s", name)
	}
	return decide(ctx, client, authorizeURL, decision)
}

// Revoke withdraws every credential that the application called name has given
// out, as the customer's administrator would.
func (s *Server) Revoke(name string) error {
	a, err := s.find(name)
	if err != nil {
		return err
	}
	a.Revoke()
	return nil
}

// grantor is an application with a token endpoint.
type grantor interface {
	TokenRequests() []TokenRequest
	ExpireAccessTokens()
}

// TokenRequests is every request that reached the token endpoint of the
// application called name, oldest first.
func (s *Server) TokenRequests(name string) ([]TokenRequest, error) {
	g, err := s.grantor(name)
	if err != nil {
		return nil, err
	}
	return g.TokenRequests(), nil
}

// ExpireAccessTokens ends every access token of the application called name;
// refresh tokens stay good.
func (s *Server) ExpireAccessTokens(name string) error {
	g, err := s.grantor(name)
	if err != nil {
		return err
	}
	g.ExpireAccessTokens()
	return nil
}

func (s *Server) grantor(name string) (grantor, error) {
	a, err := s.find(name)
	if err != nil {
		return nil, err
	}
	g, ok := a.(grantor)
	if !ok {
		return nil, fmt.Errorf("simulator: %s has no token endpoint", name)
	}
	return g, nil
}

// Emit adds n generated records to the log of the application called name; they
// arrive now and were published late before that. It returns their ids.
func (s *Server) Emit(name string, n int, late time.Duration) ([]string, error) {
	a, err := s.find(name)
	if err != nil {
		return nil, err
	}
	return a.core().Emit(n, late)
}

// Trickle lets one generated record happen every so often from now on in the
// application called name; zero ends it.
func (s *Server) Trickle(name string, every time.Duration) error {
	a, err := s.find(name)
	if err != nil {
		return err
	}
	a.core().Trickle(every)
	return nil
}
