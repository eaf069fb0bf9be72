package simulator

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The scopes that the simulated client may ask for.
// https://developers.google.com/identity/protocols/oauth2/scopes (checked 2026-11-22)
const (
	googleReports   = "https://www.googleapis.com/auth/admin.reports.audit.readonly"
	googleUsers     = "https://www.googleapis.com/auth/admin.directory.user.readonly"
	googleUsersFull = "https://www.googleapis.com/auth/admin.directory.user"
)

const (
	googleAccountsHost = "accounts.google.com"
	googleTokenHost    = "oauth2.googleapis.com"
	googleAPIHost      = "admin.googleapis.com"
	googleAuthorize    = "/o/oauth2/v2/auth"
	googleTokenPath    = "/token"
	googleRevokePath   = "/revoke"
	googleAPI          = "/admin/"
	googleActivityPath = "/admin/reports/v1/activity/users/{user}/applications/{application}"
	googleUsersPath    = "/admin/directory/v1/users"
)

// GoogleOptions configures the simulated Google Workspace and the one OAuth
// client of a project of its own.
type GoogleOptions struct {
	ClientID, ClientSecret string   // defaults: see [Google.Client]
	RedirectURIs           []string // registered, compared whole; empty: any loopback address
	Users                  []User   // the first one signs in unless another is chosen; default: a small company
	Refused                []string // scopes that the person unticks on the consent page

	AccessLife time.Duration // default: 3599 s
	PerMinute  int           // calls per minute; 0: 2400, as documented; negative: no limit
}

// Google is a simulated Google Workspace, and Google's authorization server.
type Google struct {
	*app
	signIn
	options   GoogleOptions
	consented bool // a refresh token was given once
}

func newGoogle(options Options) *Google {
	g := &Google{options: options.Google}
	set := &g.options
	if set.ClientID == "" {
		set.ClientID, set.ClientSecret = "123456789012-5imelvedge.apps.googleusercontent.com", "GOCSPX-simulated-google-secret"
	}
	if set.AccessLife == 0 {
		set.AccessLife = 3599 * time.Second
	}
	if set.PerMinute == 0 {
		set.PerMinute = 2400
	}
	if len(set.Users) == 0 {
		set.Users = googleCompany()
	}
	// https://developers.google.com/workspace/admin/reports/v1/limits (checked 2026-11-22)
	g.app = newApp("GOOGLE", "google.localhost", options, &limiter{limit: set.PerMinute, window: time.Minute})
	g.signIn = signIn{app: g.app, provider: g.signInRules(), grants: newGrants(g.mint)}
	g.grants.accessLife, g.grants.persistent, g.grants.silent = set.AccessLife, true, true
	g.grants.accessPrefix, g.grants.refreshPrefix = "ya29.", "1//"
	g.composers = map[string]composeFunc{}
	for name := range strings.FieldsSeq(googleApplications) {
		g.composers[name] = func(rng *rand.Rand, at time.Time) []byte { return g.activity(rng, name, at) }
	}
	g.compose = func(rng *rand.Rand, at time.Time) []byte {
		return g.activity(rng, pick(rng, "login", "login", "admin", "drive", "drive", "token", "saml", "groups", "calendar", "user_accounts"), at)
	}
	g.tell = googleTell
	g.serve(g, []route{
		route{method: http.MethodGet, path: googleAuthorize, handle: g.authorize}.on(googleAccountsHost),
		route{method: http.MethodPost, path: googleAuthorize, handle: g.consent}.on(googleAccountsHost),
		route{method: http.MethodPost, path: googleTokenPath, handle: g.token}.on(googleTokenHost),
		route{method: http.MethodPost, path: googleRevokePath, handle: g.revokeToken}.on(googleTokenHost),
		route{method: http.MethodGet, path: googleActivityPath, limited: true, handle: g.activities}.on(googleAPIHost),
		route{method: http.MethodGet, path: googleUsersPath, limited: true, handle: g.searchUsers}.on(googleAPIHost),
	})
	return g
}

// Account is the Workspace with its project's client.
func (g *Google) Account() Account {
	return Account{
		Tenant:   "simulated-project-1",
		Origins:  []string{"https://" + googleAccountsHost, "https://" + googleTokenHost, "https://" + googleAPIHost},
		ClientID: g.options.ClientID, ClientSecret: g.options.ClientSecret, Consent: true, User: g.options.Users[0].Login,
	}
}

// signInRules is Google's server as data.
// https://developers.google.com/identity/protocols/oauth2/web-server (checked 2026-11-22).
// Of the refusals' words, those for a token that has ended are documented; the
// others are unverified.
func (g *Google) signInRules() provider {
	const bad, denied = http.StatusBadRequest, http.StatusUnauthorized
	return provider{
		title: "Google", client: g.options.ClientID, secret: g.options.ClientSecret,
		redirects: g.options.RedirectURIs, people: g.options.Users,
		authorizePath: googleAuthorize, rules: googleAuthorizeRules(), basic: true, post: true,
		// People choose which of the scopes they allow.
		gives: func(asked []string) []string {
			return slices.DeleteFunc(slices.Clone(asked), func(s string) bool { return slices.Contains(g.options.Refused, s) })
		},
		refreshes: g.refreshes,
		words: map[failure]refusal{
			badMedia:       {bad, "invalid_request", "Bad Request"},
			manySecrets:    {bad, "invalid_request", "Multiple client credentials."},
			noSecret:       {bad, "invalid_request", "client_secret is missing."},
			unknownClient:  {denied, "invalid_client", "The OAuth client was not found."},
			wrongSecret:    {denied, "invalid_client", "Unauthorized"},
			noGrantType:    {bad, "invalid_request", "Missing required parameter: grant_type"},
			otherGrantType: {bad, "unsupported_grant_type", "Invalid grant_type"},
			badCode:        {bad, "invalid_grant", "Bad Request"},
			badRedirect:    {bad, "redirect_uri_mismatch", "Bad Request"},
			badVerifier:    {bad, "invalid_grant", "Missing code verifier."},
			badRefresh:     {bad, "invalid_grant", "Token has been expired or revoked."},
			badScope:       {bad, "invalid_scope", "Bad Request"},
		},
		fail: func(_ failure, r refusal) answer {
			return jsonAnswer(r.status, "application/json; charset=utf-8", map[string]string{"error": r.code, "error_description": r.text})
		},
	}
}

// refreshes is for access_type=offline: at the first consent, and
// with prompt=consent at each.
func (g *Google) refreshes(q url.Values, scopes []string) bool {
	if q.Get("access_type") != "offline" || len(scopes) == 0 {
		return false
	}
	first := !g.consented
	g.consented = true
	return first || slices.Contains(strings.Fields(q.Get("prompt")), "consent")
}

func googleAuthorizeRules() []authorizeRule {
	grantable := []string{googleReports, googleUsers, googleUsersFull}
	invalid := func(broken func(url.Values) bool, text string) authorizeRule {
		return authorizeRule{broken, oauthError{"invalid_request", text}}
	}
	return []authorizeRule{
		invalid(func(q url.Values) bool { return q.Get("response_type") != "code" }, "Invalid response_type"),
		invalid(func(q url.Values) bool {
			return q.Has("access_type") && q.Get("access_type") != "online" && q.Get("access_type") != "offline"
		}, "Invalid access_type"),
		invalid(func(q url.Values) bool {
			return !subset(strings.Fields(q.Get("prompt")), []string{"none", "consent", "select_account"})
		}, "Invalid prompt"),
		invalid(func(q url.Values) bool { return q.Get("scope") == "" }, "Missing required parameter: scope"),
		{func(q url.Values) bool { return !subset(strings.Fields(q.Get("scope")), grantable) },
			oauthError{"invalid_scope", "Some requested scopes were invalid."}},
		invalid(func(q url.Values) bool {
			method := q.Get("code_challenge_method")
			return q.Has("code_challenge") && method != "S256" && method != "plain" && method != ""
		}, "Invalid code_challenge_method"),
	}
}

// revokeToken takes a refresh token or an access token, without the client.
// https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke (checked 2026-11-22)
func (g *Google) revokeToken(r *http.Request) answer {
	token := r.Form.Get("token")
	_, isAccess := g.grants.access[token]
	known, isRefresh := g.grants.refresh[token]
	if !isAccess && (!isRefresh || known.family.revoked) {
		return jsonAnswer(http.StatusBadRequest, "application/json; charset=utf-8",
			map[string]string{"error": "invalid_token", "error_description": "Token expired or revoked"})
	}
	g.grants.revoke(token)
	return jsonAnswer(http.StatusOK, "application/json; charset=utf-8", struct{}{})
}

// tooMany is 503, as documented, and without a time to wait.
// https://developers.google.com/workspace/admin/reports/v1/limits (checked 2026-11-22)
func (g *Google) tooMany(time.Duration) answer {
	return g.fail(http.StatusServiceUnavailable, "userRateLimitExceeded", "User Rate Limit Exceeded", "usageLimits", "UNAVAILABLE")
}

func (g *Google) broken() answer {
	return g.fail(http.StatusInternalServerError, "backendError", "Internal error encountered.", "global", "INTERNAL")
}

func (g *Google) unknown(*http.Request, bool) answer {
	return g.fail(http.StatusNotFound, "notFound", "Not Found", "global", "NOT_FOUND")
}

func (g *Google) applies(kind Kind, r *http.Request) bool {
	switch kind {
	case InvalidGrant, SlowToken:
		return r.URL.Path == googleTokenPath
	case ExpiredCursor:
		return r.URL.Query().Has("pageToken")
	case ExpiredToken:
		return strings.HasPrefix(r.URL.Path, googleAPI)
	case RevokedGrant:
		return strings.HasPrefix(r.URL.Path, googleAPI) || r.URL.Path == googleTokenPath
	}
	return true
}

func (g *Google) refuse(kind Kind, r *http.Request) (answer, bool) {
	switch kind {
	case InvalidGrant:
		g.grants.record(r.PostForm, g.now()).Error = "invalid_grant"
		ans, _ := g.no(badRefresh)
		return ans, true
	case ExpiredCursor:
		return g.invalid("pageToken"), true
	case ExpiredToken:
		clear(g.grants.access)
	case RevokedGrant:
		g.grants.revokeAll()
	}
	return answer{}, false
}

// fail is the error document of Google's APIs.
// https://developers.google.com/workspace/admin/directory/v1/limits and
// https://cloud.google.com/apis/design/errors (checked 2026-11-22)
func (g *Google) fail(status int, reason, message, domain, code string) answer {
	return jsonAnswer(status, "application/json; charset=UTF-8", map[string]any{"error": map[string]any{
		"code": status, "message": message, "status": code,
		"errors": []any{map[string]string{"message": message, "domain": domain, "reason": reason}},
	}})
}

func (g *Google) invalid(parameter string) answer {
	return g.fail(http.StatusBadRequest, "invalid", "Invalid value for "+parameter, "global", "INVALID_ARGUMENT")
}

// permit checks the token, then that it has one of the scopes, then that who
// consented is an administrator. How the last is refused is unverified.
func (g *Google) permit(r *http.Request, scopes ...string) *answer {
	refuse := func(ans answer) *answer { return &ans }
	granted, _, good := g.bearer(r)
	if !good {
		return refuse(g.fail(http.StatusUnauthorized, "authError", "Request had invalid authentication credentials. Expected OAuth 2 access token, "+
			"login cookie or other valid authentication credential.", "global", "UNAUTHENTICATED"))
	}
	if !slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(granted.scopes, s) }) {
		return refuse(g.fail(http.StatusForbidden, "insufficientPermissions", "Request had insufficient authentication scopes.", "global", "PERMISSION_DENIED"))
	}
	if !g.person(granted.family.user).Admin {
		return refuse(g.fail(http.StatusUnauthorized, "authError", "Access denied. You are not authorized to read activity records.", "global", "UNAUTHENTICATED"))
	}
	return nil
}

// googleTell reads what tells an activity from others: its time and qualifier.
func googleTell(raw []byte) (Event, error) {
	var record struct {
		ID struct {
			Time        string `json:"time"`
			Qualifier   string `json:"uniqueQualifier"`
			Application string `json:"applicationName"`
		} `json:"id"`
	}
	if err := json.Unmarshal(raw, &record); err != nil {
		return Event{}, fmt.Errorf("activity: %w", err)
	}
	at, err := time.Parse(time.RFC3339, record.ID.Time)
	if err != nil {
		return Event{}, fmt.Errorf("activity's time: %w", err)
	}
	return Event{ID: record.ID.Time + "/" + record.ID.Qualifier, Published: at, Stream: record.ID.Application}, nil
}

func googleCompany() []User {
	return []User{
		{ID: "110000000000000000001", Login: "ada.okafor@example.com", First: "Ada", Last: "Okafor", Status: "active", Admin: true},
		{ID: "110000000000000000002", Login: "zoe.mueller@example.com", First: "Zoë", Last: "Müller", Status: "active"},
		{ID: "110000000000000000003", Login: "taro.yamada@example.co.jp", First: "太郎", Last: "山田", Status: "suspended"},
		{ID: "110000000000000000004", Login: "grainne.oneil@example.com", First: "Gráinne", Last: "O'Neil", Status: "archived"},
	}
}
