package token

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/oauth2"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/secret"
	"selvedge/internal/store"
)

// The sealed fields of an authorization. Tokens, and the answer that brings the
// next ones, are bound to the version of the tokens in use; the rest stays
// readable when an update raises the generation without a new credential, and
// is bound to version 0.
const (
	fieldCredential = "credential"
	fieldVerifier   = "verifier"
	fieldTokens     = "tokens"
	fieldRequest    = "request"
	fieldAnswer     = "answer"
)

// credentials is what a user gave, as it is sealed.
type credentials struct {
	ClientID     string `json:"client_id,omitempty"`
	ClientSecret string `json:"client_secret,omitempty"`
	APIKey       string `json:"api_key,omitempty"`
}

// tokens is one set of tokens, as it is sealed. The credentials and the tenant
// that it was obtained with are in it: after an update the old grant is still
// refreshed the way it was obtained.
type tokens struct {
	credentials
	Tenant     string            `json:"tenant"`
	Generation int64             `json:"generation"` // of the credentials, when it was obtained
	Origin     int64             `json:"origin"`     // version of the set that all refreshes of this one began with
	Proven     bool              `json:"proven"`     // a probe has accepted this set or one that it was refreshed from
	Access     string            `json:"access,omitempty"`
	Refresh    string            `json:"refresh,omitempty"`
	Minted     bool              `json:"minted,omitempty"` // the client's credential brings the next access token
	Obtained   time.Time         `json:"obtained"`
	Ends       time.Time         `json:"ends,omitzero"` // of Access; zero: it does not end
	Facts      map[string]string `json:"facts,omitempty"`
}

// exchange is what the journal keeps of a code exchange: all that is needed to
// send it once more.
type exchange struct {
	credentials
	Tenant      string `json:"tenant"`
	Generation  int64  `json:"generation"`
	VerifierNo  int64  `json:"verifier_no"`
	Code        string `json:"code,omitempty"` // empty: the credentials alone are what is exchanged
	RedirectURI string `json:"redirect_uri,omitempty"`
	Verifier    string `json:"verifier,omitempty"`

	Began time.Time `json:"began"`
}

const hidden = "[redacted]"

// Format redacts every verb.
func (credentials) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue redacts in logs.
func (credentials) LogValue() slog.Value { return slog.StringValue(hidden) }

// Format redacts every verb.
func (tokens) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue redacts in logs.
func (tokens) LogValue() slog.Value { return slog.StringValue(hidden) }

// Format redacts every verb.
func (exchange) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue redacts in logs.
func (exchange) LogValue() slog.Value { return slog.StringValue(hidden) }

// Sealed is what an authorization's row keeps of a credential.
type Sealed struct {
	Credential []byte // nil: the credential that Seal was given is empty
	Verifier   []byte // nil: the application does not use PKCE
}

// Seal seals a user's credential for the authorization a, whose identifiers are
// set, and makes the PKCE verifier that goes with it. Of an empty credential
// only the verifier is made: the one that the row has is to be kept.
func (m *Manager) Seal(ctx context.Context, a fabric.AppAuthorization, c fabric.Credential) (Sealed, error) {
	app, err := m.app(a.App)
	if err != nil {
		return Sealed{}, err
	}
	var out Sealed
	if c != (fabric.Credential{}) {
		doc := credentials{ClientID: c.ClientID, ClientSecret: c.ClientSecret.Reveal(), APIKey: c.APIKey.Reveal()}
		if out.Credential, err = m.seal(ctx, a, fieldCredential, 0, doc); err != nil {
			return Sealed{}, err
		}
	}
	if out.Verifier, err = m.newVerifier(ctx, app, a); err != nil {
		return Sealed{}, err
	}
	return out, nil
}

func (m *Manager) newVerifier(ctx context.Context, app connector.App, a fabric.AppAuthorization) ([]byte, error) {
	if !app.Auth.PKCE {
		return nil, nil
	}
	return m.seal(ctx, a, fieldVerifier, 0, oauth2.GenerateVerifier())
}

func (m *Manager) seal(ctx context.Context, a fabric.AppAuthorization, field string, version int64, doc any) ([]byte, error) {
	plaintext, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("token: seal %s: %w", field, err)
	}
	sealed, err := m.o.Keys.Seal(ctx, sealedAt(a, field, version), plaintext)
	if err != nil {
		return nil, fmt.Errorf("token: %w", err)
	}
	return sealed, nil
}

// open reads what seal made; doc stays as it is when there is nothing.
func (m *Manager) open(ctx context.Context, a fabric.AppAuthorization, field string, version int64, sealed []byte, doc any) error {
	if len(sealed) == 0 {
		return nil
	}
	plaintext, err := m.o.Keys.Open(ctx, sealedAt(a, field, version), sealed)
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	if err := json.Unmarshal(plaintext, doc); err != nil {
		return fmt.Errorf("token: open %s: its form is not known", field)
	}
	return nil
}

func sealedAt(a fabric.AppAuthorization, field string, version int64) secret.Context {
	return secret.Context{Bundle: a.BundleID, Owner: a.ID, Field: field, Version: version}
}

// given opens the credential of the authorization, and its PKCE verifier.
func (m *Manager) given(ctx context.Context, g store.Grant) (c credentials, verifier string, err error) {
	if err := m.open(ctx, g.Authorization, fieldCredential, 0, g.Credential, &c); err != nil {
		return c, "", err
	}
	err = m.open(ctx, g.Authorization, fieldVerifier, 0, g.Verifier, &verifier)
	return c, verifier, err
}

// inUse opens the tokens in use; false when there are none.
func (m *Manager) inUse(ctx context.Context, g store.Grant) (t tokens, ok bool, err error) {
	err = m.open(ctx, g.Authorization, fieldTokens, g.Version, g.Tokens, &t)
	return t, err == nil && len(g.Tokens) > 0, err
}

// before opens the set of tokens that those in use took the place of.
func (m *Manager) before(ctx context.Context, g store.Grant) (t tokens, ok bool, err error) {
	err = m.open(ctx, g.Authorization, fieldTokens, g.Version-1, g.Previous, &t)
	return t, err == nil && len(g.Previous) > 0, err
}

// usable says whether anything can still be done with the tokens.
func (t tokens) usable(now time.Time) bool {
	return t.APIKey != "" || t.renewable() || t.Access != "" && !t.ended(now)
}

// renewable says whether the provider gives another access token without a
// person.
func (t tokens) renewable() bool { return t.Refresh != "" || t.Minted }

func (t tokens) ended(now time.Time) bool { return !t.Ends.IsZero() && !now.Before(t.Ends) }

// secrets lists what must not be seen in what a provider says.
func (c credentials) secrets() []string { return []string{c.ClientSecret, c.APIKey} }

func (t tokens) secrets() []string { return append(t.credentials.secrets(), t.Access, t.Refresh) }

func (e exchange) secrets() []string { return append(e.credentials.secrets(), e.Code, e.Verifier) }
