package simulator

import (
	"crypto/subtle"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Okta's org authorization server. https://developer.okta.com/docs/reference/api/oidc/
// and https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/OrgAS/
// (checked 2026-11-22). Error codes are documented; of the texts beside them, those
// for a client secret and an authorization code are, the others are unverified.

// oktaAuthorizeRule is one thing that an authorize request must fulfil once its
// client and redirect address are known to be right; a breach is reported to that
// address.
type oktaAuthorizeRule struct {
	broken func(q url.Values) bool
	oauthError
}

var (
	oktaState     = regexp.MustCompile(`^[A-Za-z0-9,._-]+$`)
	oktaChallenge = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
)

func oktaAuthorizeRules() []oktaAuthorizeRule {
	grantable := []string{oktaLogsRead, oktaUsersRead, offlineAccess}
	return []oktaAuthorizeRule{
		{func(q url.Values) bool {
			for _, values := range q {
				if len(values) > 1 {
					return true
				}
			}
			return false
		}, oauthError{"invalid_request", "A parameter is included more than once."}},
		{func(q url.Values) bool { return q.Get("response_type") != "code" },
			oauthError{"unsupported_response_type", "The response type is not supported by the authorization server."}},
		{func(q url.Values) bool { return q.Has("response_mode") && q.Get("response_mode") != "query" },
			oauthError{"unsupported_response_mode", "The response mode is not supported by the authorization server."}},
		// The state is required, and of letters, digits, comma, period, underscore and hyphen.
		{func(q url.Values) bool { return !oktaState.MatchString(q.Get("state")) },
			oauthError{"invalid_request", "The authentication request has an invalid 'state' parameter."}},
		{func(q url.Values) bool { return strings.TrimSpace(q.Get("scope")) == "" },
			oauthError{"invalid_scope", "The authentication request has an invalid 'scope' parameter."}},
		{func(q url.Values) bool { return !subset(strings.Fields(q.Get("scope")), grantable) },
			oauthError{"invalid_scope", "One or more scopes are not configured for the authorization server resource."}},
		// S256 is the only method that Okta takes; the challenge is 43 characters of base64url (RFC 7636).
		{func(q url.Values) bool {
			pkce := q.Has("code_challenge") || q.Has("code_challenge_method")
			return pkce && (q.Get("code_challenge_method") != "S256" || !oktaChallenge.MatchString(q.Get("code_challenge")))
		}, oauthError{"invalid_request", "The code challenge is invalid, or its method is not S256."}},
	}
}

// authorize shows the consent page, or refuses. A wrong client or redirect
// address must not be redirected to (RFC 6749 section 4.1.2.1).
func (o *Okta) authorize(r *http.Request) answer {
	q := r.URL.Query()
	if q.Get("client_id") != o.options.ClientID {
		return htmlAnswer(http.StatusBadRequest, "<h1>400 Bad Request</h1><p>Your request resulted in an error. Invalid value for 'client_id' parameter.</p>")
	}
	redirect := q.Get("redirect_uri")
	if !redirectAllowed(o.options.RedirectURIs, redirect) {
		return htmlAnswer(http.StatusBadRequest, "<h1>400 Bad Request</h1><p>Your request resulted in an error. "+
			"The 'redirect_uri' parameter must be a Login redirect URI in the client app settings.</p>")
	}
	for _, rule := range oktaAuthorizeRules() {
		if rule.broken(q) {
			return oktaRefuseAuthorize(q, rule.oauthError)
		}
	}
	view := consentView{
		App: "Okta", Client: q.Get("client_id"), Action: oktaAuthorizePath,
		Ticket: o.grants.newTicket(q, o.now()), Scopes: strings.Fields(q.Get("scope")),
	}
	for _, u := range o.options.Users {
		view.Users = append(view.Users, consentUser{u.ID, u.First + " " + u.Last})
	}
	return view.answer()
}

// consent takes the form of the consent page.
func (o *Okta) consent(r *http.Request) answer {
	q, ok := o.grants.takeTicket(r.PostForm.Get("ticket"), o.now())
	if !ok {
		return htmlAnswer(http.StatusBadRequest, "<h1>400 Bad Request</h1><p>This page was used already, or is too old. Start again.</p>")
	}
	if r.PostForm.Get("decision") != "approve" {
		return oktaRefuseAuthorize(q, oauthError{"access_denied", "The resource owner or authorization server denied the request."})
	}
	user := o.options.Users[0]
	if chosen, ok := o.lookupUser(r.PostForm.Get("user")); ok {
		user = chosen
	}
	back := url.Values{"code": {o.grants.newCode(q, user.ID, o.now())}, "state": {q.Get("state")}}
	return redirectAnswer(q.Get("redirect_uri"), back)
}

func oktaRefuseAuthorize(q url.Values, e oauthError) answer {
	back := url.Values{"error": {e.code}, "error_description": {e.text}}
	if q.Has("state") {
		back.Set("state", q.Get("state"))
	}
	return redirectAnswer(q.Get("redirect_uri"), back)
}

func oktaGrantErrors() grantErrors {
	return grantErrors{
		code:     "The authorization code is invalid or has expired.",
		redirect: "The 'redirect_uri' does not match the redirection URI used in the authorization request.",
		verifier: "PKCE verification failed.",
		refresh:  "The refresh token is invalid or expired.",
		scope:    "One or more scopes were not granted with the refresh token.",
	}
}

// token answers the documents of a token request; every answer forbids storing
// (RFC 6749 section 5.1).
func (o *Okta) token(r *http.Request) answer {
	entry := o.grants.record(r.PostForm, o.now())
	ans, code := o.exchange(r)
	entry.Error = code
	ans.header.Set("Cache-Control", "no-cache, no-store")
	ans.header.Set("Pragma", "no-cache")
	ans.sent = func() { entry.Answered = true }
	return ans
}

func (o *Okta) exchange(r *http.Request) (ans answer, code string) {
	if refusal, code := o.authenticate(r); refusal != nil {
		return *refusal, code
	}
	var tokens tokenAnswer
	var refused *oauthError
	switch form := r.PostForm; form.Get("grant_type") {
	case "authorization_code":
		tokens, refused = o.grants.redeem(form, o.now(), oktaGrantErrors())
	case "refresh_token":
		tokens, refused = o.grants.renew(form, o.now(), oktaGrantErrors())
	case "":
		refused = &oauthError{"invalid_request", "The token request must specify a 'grant_type'."}
	default:
		refused = &oauthError{"unsupported_grant_type", "The authorization grant type is not supported by the authorization server."}
	}
	if refused != nil {
		return oktaOAuthError(http.StatusBadRequest, *refused), refused.code
	}
	return o.json(http.StatusOK, tokens), ""
}

// authenticate is client_secret_basic or client_secret_post, never both. A client
// that is not known is refused in the management API's error object, unlike all
// other OAuth errors.
// https://developer.okta.com/docs/api/openapi/okta-oauth/guides/client-auth/ (checked 2026-11-22)
func (o *Okta) authenticate(r *http.Request) (refusal *answer, code string) {
	bad := func(ans answer, code string) (*answer, string) { return &ans, code }
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return bad(oktaOAuthError(http.StatusBadRequest, oauthError{"invalid_request",
			"The 'Content-Type' header must be 'application/x-www-form-urlencoded'."}), "invalid_request")
	}
	id, secret, basic := r.BasicAuth()
	post := r.PostForm.Has("client_id") && r.PostForm.Has("client_secret")
	switch {
	case basic && r.PostForm.Has("client_secret"):
		return bad(oktaOAuthError(http.StatusBadRequest, oauthError{"invalid_request",
			"Cannot supply multiple client credentials. Use one of the following: credentials in the Authorization header, credentials in the post body, or a client_assertion in the post body."}), "invalid_request")
	case basic:
		// Both halves are form-encoded before they are joined (RFC 6749 section 2.3.1).
		id, secret = unescaped(id), unescaped(secret)
	case post:
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	default:
		return bad(oktaOAuthError(http.StatusBadRequest, oauthError{"invalid_request",
			"Client authentication is required, in the Authorization header or in the body."}), "invalid_request")
	}
	if id != o.options.ClientID {
		return bad(o.json(http.StatusUnauthorized, oktaError{
			ErrorCode: "invalid_client", ErrorSummary: "Invalid value for 'client_id' parameter.",
			ErrorLink: "invalid_client", ErrorID: o.mint.id("oae", 22), ErrorCauses: []oktaReason{},
		}), "invalid_client")
	}
	if subtle.ConstantTimeCompare([]byte(secret), []byte(o.options.ClientSecret)) != 1 {
		return bad(oktaOAuthError(http.StatusUnauthorized, oauthError{"invalid_client",
			"The client secret supplied for a confidential client is invalid."}), "invalid_client")
	}
	return nil, ""
}

// revokeToken succeeds for tokens it does not know too.
// https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/orgas/revoke (checked 2026-11-22)
func (o *Okta) revokeToken(r *http.Request) answer {
	if refusal, _ := o.authenticate(r); refusal != nil {
		return *refusal
	}
	hints := []string{"", "access_token", "refresh_token", "device_secret"}
	switch {
	case !r.PostForm.Has("token"):
		return oktaOAuthError(http.StatusBadRequest, oauthError{"invalid_request", "The 'token' parameter is missing."})
	case !slices.Contains(hints, r.PostForm.Get("token_type_hint")):
		return oktaOAuthError(http.StatusBadRequest, oauthError{"unsupported_token_type", "The 'token_type_hint' is not supported."})
	}
	o.grants.revoke(r.PostForm.Get("token"))
	return newAnswer(http.StatusOK, "application/json", nil)
}

func oktaOAuthError(status int, e oauthError) answer {
	ans := jsonAnswer(status, "application/json", map[string]string{"error": e.code, "error_description": e.text})
	if status == http.StatusUnauthorized {
		ans.header.Set("WWW-Authenticate", "Basic")
	}
	return ans
}

func unescaped(s string) string {
	if out, err := url.QueryUnescape(s); err == nil {
		return out
	}
	return s
}
