package simulator

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	codeLife   = 60 * time.Second // Okta: https://developer.okta.com/docs/reference/api/oidc/#response-properties (checked 2026-11-22)
	ticketLife = 10 * time.Minute
)

// TokenRequest is one request that reached the token endpoint.
type TokenRequest struct {
	At         time.Time
	Grant      string // the grant_type sent
	Credential string // SHA-256 of the code or refresh token sent, in hexadecimal; empty if none was
	Error      string // OAuth error code; empty: tokens were issued
	Answered   bool   // the whole answer was sent
}

// grants is the authorization-code and refresh-token bookkeeping of one
// application. Its user holds the application's lock.
type grants struct {
	mint       *mint
	persistent bool          // the same refresh token for ever; else a new one at each use
	grace      time.Duration // a rotated token is still taken for this long
	accessLife time.Duration
	idleLife   time.Duration // a refresh token unused for longer is void; 0: never
	codeLife   time.Duration
	silent     bool     // a refresh is answered without the refresh token, which stays good
	own        []string // scopes of what the client is granted alone
	replaces   bool     // a refresh deletes both tokens before it: the old ones are as unknown

	accessPrefix, refreshPrefix string // of tokens

	tickets map[string]ticket
	codes   map[string]code
	access  map[string]access
	refresh map[string]*refresh
	log     []*TokenRequest
}

// ticket is a consent page shown and not yet answered.
type ticket struct {
	query   url.Values
	expires time.Time
}

type code struct {
	redirect, challenge, user string
	scopes                    []string
	refreshes                 bool
	expires                   time.Time
}

// family is all that came from one consent.
type family struct {
	user      string
	scopes    []string
	refreshes bool // a refresh token comes with it
	revoked   bool
	current   string // the refresh token to use next
}

type access struct {
	family  *family
	scopes  []string
	expires time.Time
}

type refresh struct {
	family   *family
	lastUsed time.Time
	rotated  time.Time // zero: this is the current one
}

// oauthError is an RFC 6749 error before a provider puts it into words.
type oauthError struct{ code, text string }

// tokenAnswer is the document of a successful token request.
type tokenAnswer struct {
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	AccessToken  string `json:"access_token"`
	Scope        string `json:"scope"`
	RefreshToken string `json:"refresh_token,omitempty"`

	user string // who consented
}

func newGrants(m *mint) grants {
	return grants{
		mint: m, tickets: map[string]ticket{}, codes: map[string]code{},
		access: map[string]access{}, refresh: map[string]*refresh{}, codeLife: codeLife, accessLife: time.Hour,
		accessPrefix: "eyJ",
	}
}

func (g *grants) newTicket(query url.Values, now time.Time) string {
	for id, t := range g.tickets {
		if now.After(t.expires) {
			delete(g.tickets, id)
		}
	}
	id := g.mint.secret()
	g.tickets[id] = ticket{query: query, expires: now.Add(ticketLife)}
	return id
}

// takeTicket ends a consent: a form can be sent once.
func (g *grants) takeTicket(id string, now time.Time) (url.Values, bool) {
	t, ok := g.tickets[id]
	delete(g.tickets, id)
	return t.query, ok && !now.After(t.expires)
}

// newCode is what an approval is worth.
func (g *grants) newCode(query url.Values, user string, scopes []string, refreshes bool, now time.Time) string {
	for id, c := range g.codes {
		if now.After(c.expires) {
			delete(g.codes, id)
		}
	}
	id := g.mint.secret()
	g.codes[id] = code{
		redirect: query.Get("redirect_uri"), challenge: query.Get("code_challenge"),
		user: user, scopes: scopes, refreshes: refreshes, expires: now.Add(g.codeLife),
	}
	return id
}

// redeem exchanges a code, once. RFC 6749 section 4.1.3 and RFC 7636 section 4.6:
// the redirect address must be the authorized one, and a verifier must hash to
// the challenge.
func (g *grants) redeem(form url.Values, now time.Time) (tokenAnswer, failure, bool) {
	id := form.Get("code")
	c, ok := g.codes[id]
	verifier := form.Get("code_verifier")
	switch {
	case !ok || now.After(c.expires):
		return tokenAnswer{}, badCode, false
	case form.Get("redirect_uri") != c.redirect:
		return tokenAnswer{}, badRedirect, false
	case c.challenge != "" && challengeOf(verifier) != c.challenge:
		return tokenAnswer{}, badVerifier, false
	}
	delete(g.codes, id)
	return g.issue(&family{user: c.user, scopes: c.scopes, refreshes: c.refreshes}, c.scopes, now), 0, true
}

// renew takes a refresh token. With rotation a token is taken once: the same
// again, after the grace time, ends the whole family (RFC 9700 section 4.14.2).
func (g *grants) renew(form url.Values, now time.Time) (tokenAnswer, failure, bool) {
	r, ok := g.refresh[form.Get("refresh_token")]
	if !ok || r.family.revoked || g.idleLife > 0 && now.Sub(r.lastUsed) > g.idleLife {
		return tokenAnswer{}, badRefresh, false
	}
	reused := !r.rotated.IsZero()
	if reused && now.Sub(r.rotated) >= g.grace {
		r.family.revoked = true
		return tokenAnswer{}, badRefresh, false
	}
	scopes := r.family.scopes
	if asked := strings.Fields(form.Get("scope")); len(asked) > 0 {
		if !subset(asked, scopes) {
			return tokenAnswer{}, badScope, false
		}
		scopes = asked
	}
	r.lastUsed = now
	if !reused && !g.persistent {
		r.rotated = now
		r.family.current = ""
	}
	if g.replaces {
		delete(g.refresh, form.Get("refresh_token"))
		maps.DeleteFunc(g.access, func(_ string, a access) bool { return a.family == r.family })
	}
	out := g.issue(r.family, scopes, now)
	if g.persistent && g.silent {
		out.RefreshToken = ""
	}
	return out, 0, true
}

// mintFor grants the client alone what it may have.
func (g *grants) mintFor(now time.Time) tokenAnswer {
	return g.issue(&family{scopes: g.own}, g.own, now)
}

// issue makes an access token, and a refresh token where the family's scopes ask
// for one and it has none to use.
func (g *grants) issue(f *family, scopes []string, now time.Time) tokenAnswer {
	for id, a := range g.access {
		if now.After(a.expires) {
			delete(g.access, id)
		}
	}
	out := tokenAnswer{
		TokenType: "Bearer", ExpiresIn: int(g.accessLife / time.Second), Scope: strings.Join(scopes, " "),
		// Real ones are signed documents of some hundred characters.
		user:        f.user,
		AccessToken: g.accessPrefix + g.mint.secret() + g.mint.secret() + "." + g.mint.secret() + g.mint.secret() + "." + g.mint.secret(),
	}
	g.access[out.AccessToken] = access{family: f, scopes: scopes, expires: now.Add(g.accessLife)}
	if !f.refreshes {
		return out
	}
	if f.current == "" {
		f.current = g.refreshPrefix + g.mint.secret()
		g.refresh[f.current] = &refresh{family: f, lastUsed: now}
	}
	out.RefreshToken = f.current
	return out
}

// lookup is the access token's grant, if it is still good.
func (g *grants) lookup(token string, now time.Time) (access, bool) {
	a, ok := g.access[token]
	return a, ok && !a.family.revoked && now.Before(a.expires)
}

// revoke ends one access token, or a refresh token with all that came from it.
func (g *grants) revoke(token string) {
	delete(g.access, token)
	if r, ok := g.refresh[token]; ok {
		r.family.revoked = true
	}
}

func (g *grants) revokeAll() {
	clear(g.codes)
	clear(g.access)
	for _, r := range g.refresh {
		r.family.revoked = true
	}
}

// record logs a request of the token endpoint; the entry's Answered is set when
// the answer has been sent.
func (g *grants) record(form url.Values, now time.Time) *TokenRequest {
	entry := &TokenRequest{At: now, Grant: form.Get("grant_type")}
	if secret := form.Get("code") + form.Get("refresh_token"); secret != "" {
		sum := sha256.Sum256([]byte(secret))
		entry.Credential = hex.EncodeToString(sum[:])
	}
	g.log = append(g.log, entry)
	return entry
}

func (g *grants) requests() []TokenRequest {
	out := make([]TokenRequest, len(g.log))
	for i, entry := range g.log {
		out[i] = *entry
	}
	return out
}

// offlineAccess is the scope that asks for a refresh token (OpenID Connect Core
// 1.0 section 11).
const offlineAccess = "offline_access"

// challengeOf is the S256 transformation of RFC 7636 section 4.2.
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func subset(part, whole []string) bool {
	for _, s := range part {
		if !slices.Contains(whole, s) {
			return false
		}
	}
	return true
}
