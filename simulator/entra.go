package simulator

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// entraTenant is the one simulated tenant, which both of Microsoft's
// applications have in common.
const entraTenant = "9f1c3b7e-52d4-4c1a-8a0b-6d2e4f70a915"

const (
	entraHost      = "login.microsoftonline.com"
	entraAuthorize = "/" + entraTenant + "/oauth2/v2.0/authorize"
	entraToken     = "/" + entraTenant + "/oauth2/v2.0/token"
)

// entra is Microsoft's sign-in server for one resource. A code and the tokens
// that come of it are of one resource; whose a request is, claims tells.
//
//   - sign-in: https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow
//   - scopes: https://learn.microsoft.com/en-us/entra/identity-platform/scopes-oidc
//   - error codes: https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes
//
// (checked 2026-11-22). Which HTTP status and OAuth code goes with an AADSTS
// code is documented for few of them, and otherwise unverified.
type entra struct {
	signIn
	resource   string   // "https://graph.microsoft.com"
	registered []string // permissions of the resource that were consented to, without the resource
}

// oidcScopes are of no resource: they stand beside those of any.
func oidcScopes() []string { return []string{"openid", "profile", "email", offlineAccess} }

// rules is the server as data.
func (e *entra) rules(client, secret string, redirects []string, people []User) provider {
	const bad, denied = http.StatusBadRequest, http.StatusUnauthorized
	return provider{
		title: "Microsoft Entra ID", client: client, secret: secret, redirects: redirects, people: people,
		authorizePath: entraAuthorize, rules: e.authorizeRules(), basic: true, post: true,
		gives: e.gives,
		refreshes: func(q url.Values, _ []string) bool {
			return slices.Contains(strings.Fields(q.Get("scope")), offlineAccess)
		},
		check: e.checkScope,
		words: map[failure]refusal{
			badMedia:       {bad, "invalid_request", "AADSTS900144: The request body must contain the following parameter: 'grant_type'."},
			manySecrets:    {bad, "invalid_request", "AADSTS70002: The request must have one client credential."},
			noSecret:       {denied, "invalid_client", "AADSTS7000218: The request body must contain the following parameter: 'client_assertion' or 'client_secret'."},
			unknownClient:  {bad, "unauthorized_client", "AADSTS700016: Application with identifier was not found in the directory '" + entraTenant + "'."},
			wrongSecret:    {denied, "invalid_client", "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID."},
			noGrantType:    {bad, "invalid_request", "AADSTS900144: The request body must contain the following parameter: 'grant_type'."},
			otherGrantType: {bad, "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type."},
			badCode:        {bad, "invalid_grant", "AADSTS54005: OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token."},
			badRedirect:    {bad, "invalid_grant", "AADSTS500112: The reply address does not match the reply address provided when requesting Authorization code."},
			badVerifier:    {bad, "invalid_grant", "AADSTS501481: The Code_Verifier does not match the code_challenge supplied in the authorization request."},
			badRefresh:     {bad, "invalid_grant", "AADSTS700082: The refresh token has expired due to inactivity."},
			badScope:       {bad, "invalid_scope", "AADSTS70011: The provided value for the input parameter 'scope' is not valid."},
		},
		fail:     e.refuseTokens,
		document: e.tokens,
		page: func(text string) answer {
			if strings.Contains(text, "redirect_uri") {
				return htmlAnswer(bad, "<h1>Sorry, but we're having trouble signing you in.</h1><p>AADSTS50011: The redirect URI specified in the request does not match the redirect URIs configured for the application.</p>")
			}
			return htmlAnswer(bad, "<h1>Sorry, but we're having trouble signing you in.</h1><p>AADSTS700016: Application with identifier was not found in the directory.</p>")
		},
	}
}

var entraChallenge = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

func (e *entra) authorizeRules() []authorizeRule {
	return []authorizeRule{
		{func(q url.Values) bool { return q.Get("response_type") != "code" },
			oauthError{"unsupported_response_type", "AADSTS700054: response_type is not enabled for the application."}},
		{func(q url.Values) bool {
			return q.Has("response_mode") && !slices.Contains([]string{"query", "form_post", "fragment"}, q.Get("response_mode"))
		}, oauthError{"invalid_request", "AADSTS90014: The value of response_mode is not valid."}},
		{func(q url.Values) bool { return q.Get("scope") == "" },
			oauthError{"invalid_request", "AADSTS900144: The request body must contain the following parameter: 'scope'."}},
		{func(q url.Values) bool { return e.scopeFault(q.Get("scope")) != "" },
			oauthError{"invalid_scope", "AADSTS70011: The provided value for the input parameter 'scope' is not valid."}},
		{func(q url.Values) bool {
			pkce := q.Has("code_challenge") || q.Has("code_challenge_method")
			return pkce && (q.Get("code_challenge_method") != "S256" || !entraChallenge.MatchString(q.Get("code_challenge")))
		}, oauthError{"invalid_request", "AADSTS501491: The code challenge is invalid, or its method is not S256."}},
	}
}

// scopeFault says what is wrong with a scope parameter; empty: nothing. Scopes
// are separated by spaces, of one resource, and .default stands beside none but
// OpenID Connect's.
func (e *entra) scopeFault(scope string) string {
	whole, single := 0, 0
	for _, s := range strings.Split(scope, " ") {
		switch name, own := strings.CutPrefix(s, e.resource+"/"); {
		case slices.Contains(oidcScopes(), s):
		case !own:
			return "AADSTS28000: Provided value for the input parameter scope is not valid because it contains more than one resource. Scope " + scope + " is not valid."
		case name == ".default":
			whole++
		case !slices.Contains(e.registered, name):
			return "AADSTS650053: The application asked for scope '" + name + "' that doesn't exist on the resource."
		default:
			single++
		}
	}
	switch {
	case whole > 0 && single > 0:
		return "AADSTS70011: The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope " +
			scope + " is not valid. .default scope can't be combined with resource-specific scopes."
	case whole+single == 0:
		return "AADSTS70011: The scope " + scope + " names no resource of this server."
	}
	return ""
}

// gives: .default is every permission of the resource that was consented to;
// otherwise it is what was asked for.
func (e *entra) gives(asked []string) []string {
	var out []string
	for _, s := range asked {
		name, own := strings.CutPrefix(s, e.resource+"/")
		switch {
		case name == ".default":
			out = append(out, e.registered...)
		case own:
			out = append(out, name)
		}
	}
	return out
}

// checkScope takes the scope of a request for tokens, which may be named again
// and must be of the same resource.
func (e *entra) checkScope(form url.Values) (refusal, bool) {
	if scope := form.Get("scope"); scope != "" {
		if fault := e.scopeFault(scope); fault != "" {
			return refusal{http.StatusBadRequest, "invalid_scope", fault}, true
		}
	}
	form.Del("scope") // it narrows nothing
	return refusal{}, false
}

// refuseTokens is the error document.
// https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow#error-response-1 (checked 2026-11-22)
func (e *entra) refuseTokens(_ failure, r refusal) answer {
	trace, correlation := e.app.uuid(), e.app.uuid()
	at := e.app.now().UTC().Format("2006-01-02 15:04:05Z")
	number, _, _ := strings.Cut(strings.TrimPrefix(r.text, "AADSTS"), ":")
	code, err := strconv.Atoi(number)
	if err != nil {
		code = 0 // the text has no code
	}
	return jsonAnswer(r.status, "application/json; charset=utf-8", map[string]any{
		"error":             r.code,
		"error_description": r.text + " Trace ID: " + trace + " Correlation ID: " + correlation + " Timestamp: " + at,
		"error_codes":       []int{code}, "timestamp": at, "trace_id": trace, "correlation_id": correlation,
		"error_uri": "https://login.microsoftonline.com/error?code=" + number,
	})
}

// tokens tells scopes of Microsoft Graph without their resource, others with.
func (e *entra) tokens(_ url.Values, t tokenAnswer, _ User) any {
	var scopes []string
	for _, s := range strings.Fields(t.Scope) {
		if e.resource != graphOrigin {
			s = e.resource + "/" + s
		}
		scopes = append(scopes, s)
	}
	document := map[string]any{
		"token_type": t.TokenType, "scope": strings.Join(scopes, " "), "expires_in": t.ExpiresIn, "ext_expires_in": t.ExpiresIn,
		"access_token": t.AccessToken,
	}
	if t.RefreshToken != "" {
		document["refresh_token"] = t.RefreshToken
	}
	return document
}

// routes are those of the sign-in server.
func (e *entra) routes() []route {
	return []route{
		route{method: http.MethodGet, path: entraAuthorize, handle: e.authorize}.on(entraHost),
		route{method: http.MethodPost, path: entraAuthorize, handle: e.consent}.on(entraHost),
		route{method: http.MethodPost, path: entraToken, handle: e.token}.on(entraHost),
	}
}

// claims tells whose a request to the sign-in server is: an authorize request
// names the resource, and what follows it belongs where it began.
func (e *entra) claims(r *http.Request) bool {
	switch {
	case r.URL.Path == entraAuthorize && r.Method == http.MethodGet:
		return strings.Contains(r.URL.Query().Get("scope"), e.resource+"/")
	case r.URL.Path != entraAuthorize && r.URL.Path != entraToken:
		return true
	}
	e.app.mu.Lock()
	defer e.app.mu.Unlock()
	_, ticket := e.grants.tickets[r.PostForm.Get("ticket")]
	_, code := e.grants.codes[r.PostForm.Get("code")]
	_, refresh := e.grants.refresh[r.PostForm.Get("refresh_token")]
	return ticket || code || refresh
}

// begin sets lifetimes: an hour for access tokens, 90 days for refresh tokens
// that are not used. Each use of a refresh token gives a new one, and the old one
// is not revoked.
// https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens (checked 2026-11-22)
func (e *entra) begin(access time.Duration) {
	if access == 0 {
		access = time.Hour
	}
	const unused = 90 * 24 * time.Hour
	e.grants.accessLife, e.grants.idleLife, e.grants.grace = access, unused, unused
	e.grants.codeLife = 10 * time.Minute
}

// uuid is the next identifier of an answer.
func (a *app) uuid() string { return newUUID(a.rand) }

// entraCompany is the default tenant.
func entraCompany() []User {
	return []User{
		{ID: "1c0a4c9e-0b7d-4e6f-9a51-3f2b8d7c6e01", Login: "ada.okafor@contoso.example", First: "Ada", Last: "Okafor", Status: "true", Admin: true},
		{ID: "1c0a4c9e-0b7d-4e6f-9a51-3f2b8d7c6e02", Login: "zoe.mueller@contoso.example", First: "Zoë", Last: "Müller", Status: "true"},
		{ID: "1c0a4c9e-0b7d-4e6f-9a51-3f2b8d7c6e03", Login: "taro.yamada@contoso.example", First: "太郎", Last: "山田", Status: "false"},
		{ID: "1c0a4c9e-0b7d-4e6f-9a51-3f2b8d7c6e04", Login: "grainne.o'neil@contoso.example", First: "Gráinne", Last: "O'Neil", Status: "true"},
	}
}
