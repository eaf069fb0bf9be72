package simulator

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// signIn is the OAuth 2.0 server of one provider. What it takes is data, in
// provider; how it words its answers is the provider's own.
type signIn struct {
	app      *app
	provider provider
	grants   grants
}

// provider describes an OAuth 2.0 server.
type provider struct {
	title               string // on the consent page
	client, secret      string
	redirects           []string // registered, compared whole; none: any loopback address
	people              []User   // the first one signs in unless another is chosen
	authorizePath       string   // of the consent page; empty: nobody consents
	rules               []authorizeRule
	scopeParam, between string // of the authorize request; empty: "scope", white space

	basic, post bool   // the ways in which a client may show its secret
	json        bool   // the body of a token request may be a JSON object too
	bareCode    bool   // a token request without grant_type brings a code
	mints       string // a grant_type by which the client alone is granted tokens; empty: none

	// values are the parameters of a token request; nil: those of its body.
	values func(r *http.Request) url.Values
	// check refuses what is the provider's own to refuse, once the client is
	// known to be right; nil: nothing is.
	check func(form url.Values) (refusal, bool)
	// gives turns the scopes asked for into those that an approval grants; nil:
	// they are the same.
	gives func(asked []string) []string
	// refresh tells whether a consent gives a refresh token; nil: always.
	refreshes func(consent url.Values, scopes []string) bool

	words map[failure]refusal
	// fail puts a refusal into the provider's document.
	fail func(f failure, r refusal) answer
	// document is a grant as the provider tells it; nil: RFC 6749 section 5.1.
	document func(form url.Values, t tokenAnswer, user User) any
	// page answers an authorize request that must not be redirected; nil: a plain one.
	page func(text string) answer
}

// authorizeRule is one thing that an authorize request must fulfil once its
// client and redirect address are known to be right; a breach is reported to that
// address (RFC 6749 section 4.1.2.1).
type authorizeRule struct {
	broken func(q url.Values) bool
	oauthError
}

// failure is a reason to refuse a request for tokens.
type failure int

const (
	badMedia       failure = iota // a body of a type that is not read
	manySecrets                   // more than one way of client authentication
	noSecret                      // none, or one that is not taken
	unknownClient                 //
	wrongSecret                   //
	noGrantType                   //
	otherGrantType                //
	badCode                       // unknown, used or too old
	badRedirect                   // not that of the authorize request
	badVerifier                   // of PKCE
	badRefresh                    // unknown, used, revoked or too old
	badScope                      // more than was granted
	ownRule                       // the provider's own; see provider.check
)

// refusal is how a provider says no.
type refusal struct {
	status     int
	code, text string
}

// authorize shows the consent page, or refuses. A wrong client or redirect
// address must not be redirected to (RFC 6749 section 4.1.2.1).
func (s *signIn) authorize(r *http.Request) answer {
	q := r.URL.Query()
	if q.Get("client_id") != s.provider.client {
		return s.badPage("Invalid value for 'client_id' parameter.")
	}
	if !redirectAllowed(s.provider.redirects, q.Get("redirect_uri")) {
		return s.badPage("The 'redirect_uri' parameter must be a Login redirect URI in the client app settings.")
	}
	for _, rule := range s.provider.rules {
		if rule.broken(q) {
			return refuseAuthorize(q, rule.oauthError)
		}
	}
	view := consentView{
		App: s.provider.title, Client: q.Get("client_id"), Action: s.provider.authorizePath,
		Ticket: s.grants.newTicket(q, s.app.now()), Scopes: s.asked(q),
	}
	for _, u := range s.provider.people {
		view.Users = append(view.Users, consentUser{u.ID, u.First + " " + u.Last})
	}
	return view.answer()
}

func (s *signIn) badPage(text string) answer {
	if s.provider.page != nil {
		return s.provider.page(text)
	}
	return htmlAnswer(http.StatusBadRequest, "<h1>400 Bad Request</h1><p>Your request resulted in an error. "+text+"</p>")
}

// asked is the scopes of an authorize request.
func (s *signIn) asked(q url.Values) []string {
	name := s.provider.scopeParam
	if name == "" {
		name = "scope"
	}
	if s.provider.between == "" {
		return strings.Fields(q.Get(name))
	}
	return slices.DeleteFunc(strings.Split(q.Get(name), s.provider.between), func(s string) bool { return s == "" })
}

// consent takes the form of the consent page.
func (s *signIn) consent(r *http.Request) answer {
	q, ok := s.grants.takeTicket(r.PostForm.Get("ticket"), s.app.now())
	if !ok {
		return htmlAnswer(http.StatusBadRequest, "<h1>400 Bad Request</h1><p>This page was used already, or is too old. Start again.</p>")
	}
	if r.PostForm.Get("decision") != "approve" {
		return refuseAuthorize(q, oauthError{"access_denied", "The resource owner or authorization server denied the request."})
	}
	user := s.person(r.PostForm.Get("user"))
	scopes := s.asked(q)
	if s.provider.gives != nil {
		scopes = s.provider.gives(scopes)
	}
	refreshes := s.provider.refreshes == nil || s.provider.refreshes(q, scopes)
	back := url.Values{"code": {s.grants.newCode(q, user.ID, scopes, refreshes, s.app.now())}}
	if q.Has("state") {
		back.Set("state", q.Get("state"))
	}
	return redirectAnswer(q.Get("redirect_uri"), back)
}

// person is the user of that id or login, or the first one.
func (s *signIn) person(key string) User {
	for _, u := range s.provider.people {
		if u.ID == key || u.Login == key {
			return u
		}
	}
	return s.provider.people[0] // who signs in unless another is chosen
}

func refuseAuthorize(q url.Values, e oauthError) answer {
	back := url.Values{"error": {e.code}, "error_description": {e.text}}
	if q.Has("state") {
		back.Set("state", q.Get("state"))
	}
	return redirectAnswer(q.Get("redirect_uri"), back)
}

// token answers the documents of a token request; every answer forbids storing
// (RFC 6749 section 5.1).
func (s *signIn) token(r *http.Request) answer {
	form, readable := s.form(r)
	entry := s.grants.record(form, s.app.now())
	ans, code := s.exchange(r, form, readable)
	entry.Error = code
	ans.header.Set("Cache-Control", "no-cache, no-store")
	ans.header.Set("Pragma", "no-cache")
	ans.sent = func() { entry.Answered = true }
	return ans
}

// form is the parameters of a request for tokens.
func (s *signIn) form(r *http.Request) (url.Values, bool) {
	if s.provider.values != nil {
		return s.provider.values(r), true
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case media == "application/x-www-form-urlencoded":
		return r.PostForm, true
	case media == "application/json" && s.provider.json:
		body, err := io.ReadAll(r.Body)
		var members map[string]any
		if err != nil || json.Unmarshal(body, &members) != nil {
			return url.Values{}, false
		}
		form := url.Values{}
		for name, value := range members {
			form.Set(name, fmt.Sprint(value))
		}
		return form, true
	}
	return url.Values{}, false
}

func (s *signIn) exchange(r *http.Request, form url.Values, readable bool) (ans answer, code string) {
	if !readable {
		return s.no(badMedia)
	}
	if f, ok := s.authenticate(r, form); !ok {
		return s.no(f)
	}
	if s.provider.check != nil {
		if why, refused := s.provider.check(form); refused {
			return s.provider.fail(ownRule, why), why.code
		}
	}
	var tokens tokenAnswer
	var f failure
	ok := false
	grantType := form.Get("grant_type")
	switch {
	case grantType == "authorization_code", grantType == "" && s.provider.bareCode && form.Has("code"):
		tokens, f, ok = s.grants.redeem(form, s.app.now())
	case grantType == "refresh_token":
		tokens, f, ok = s.grants.renew(form, s.app.now())
	case grantType == "":
		f = noGrantType
	case grantType == s.provider.mints:
		tokens, ok = s.grants.mintFor(s.app.now()), true
	default:
		f = otherGrantType
	}
	if !ok {
		return s.no(f)
	}
	var document any = tokens
	if s.provider.document != nil {
		document = s.provider.document(form, tokens, s.person(tokens.user))
	}
	return jsonAnswer(http.StatusOK, "application/json", document), ""
}

func (s *signIn) no(f failure) (answer, string) {
	why, ok := s.provider.words[f]
	if !ok {
		panic(fmt.Sprintf("simulator: %s has no words for failure %d", s.provider.title, f)) //nolint:forbidigo // the first test that fails so sees it: the words are a table
	}
	return s.provider.fail(f, why), why.code
}

// authenticate is client_secret_basic or client_secret_post, never both (RFC
// 6749 section 2.3.1).
func (s *signIn) authenticate(r *http.Request, form url.Values) (failure, bool) {
	id, secret, basic := r.BasicAuth()
	post := form.Has("client_id") && form.Has("client_secret")
	switch {
	case basic && form.Has("client_secret"):
		return manySecrets, false
	case basic && s.provider.basic:
		// Both halves are form-encoded before they are joined.
		id, secret = unescaped(id), unescaped(secret)
	case post && s.provider.post:
		id, secret = form.Get("client_id"), form.Get("client_secret")
	default:
		return noSecret, false
	}
	if id != s.provider.client {
		return unknownClient, false
	}
	return wrongSecret, subtle.ConstantTimeCompare([]byte(secret), []byte(s.provider.secret)) == 1
}

func unescaped(s string) string {
	if out, err := url.QueryUnescape(s); err == nil {
		return out
	}
	return s
}

// bearer is the grant of the request's bearer token, if it is still good; sent
// says whether there is a token at all.
func (s *signIn) bearer(r *http.Request) (granted access, sent, good bool) {
	header := r.Header.Get("Authorization")
	scheme, token, _ := strings.Cut(header, " ")
	granted, good = s.grants.lookup(token, s.app.now())
	return granted, header != "", good && strings.EqualFold(scheme, "Bearer")
}

// Client is the id and secret of the registered client.
func (s *signIn) Client() (id, secret string) { return s.provider.client, s.provider.secret }

// Approve signs in and allows access at authorizeURL, as a person with a browser
// does, and returns the address that the browser is sent back to, which it does
// not visit. A request that is refused by redirect ends there as well.
func (s *signIn) Approve(ctx context.Context, client *http.Client, authorizeURL string) (redirectURL string, err error) {
	return decide(ctx, client, authorizeURL, "approve")
}

// Deny is Approve with the other button.
func (s *signIn) Deny(ctx context.Context, client *http.Client, authorizeURL string) (redirectURL string, err error) {
	return decide(ctx, client, authorizeURL, "deny")
}

// TokenRequests is every request that reached the token endpoint, oldest first.
func (s *signIn) TokenRequests() []TokenRequest {
	s.app.mu.Lock()
	defer s.app.mu.Unlock()
	return s.grants.requests()
}

// Revoke withdraws every grant, as an administrator of the customer can.
func (s *signIn) Revoke() {
	s.app.mu.Lock()
	defer s.app.mu.Unlock()
	s.grants.revokeAll()
}

// ExpireAccessTokens ends every access token; refresh tokens stay good.
func (s *signIn) ExpireAccessTokens() {
	s.app.mu.Lock()
	defer s.app.mu.Unlock()
	clear(s.grants.access)
}
