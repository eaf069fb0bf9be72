package simulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	webexHost       = "webexapis.com"
	webexOrg        = "6b0e2c94-31f7-4d58-9c1e-5a7d8f204b36"
	webexOther      = "d41c7a06-92be-4f30-8b15-0e6f3a9c8d72" // an organization whose people share spaces with ours
	webexAuthorize  = "/v1/authorize"
	webexToken      = "/v1/access_token"
	webexAdmin      = "admin_audit"
	webexSecurity   = "security_audit"
	webexMembership = "memberships"
)

// The scopes that the simulated integration is registered with.
// https://developer.webex.com/docs/integrations#scopes (checked 2026-11-22)
func webexScopes() []string {
	return []string{"spark-compliance:events_read", "audit:events_read", "spark-admin:people_read"}
}

// CiscoOptions configures the simulated Webex organization and the one
// integration that is registered there.
type CiscoOptions struct {
	ClientID, ClientSecret string   // defaults: see [Cisco.Client]
	RedirectURIs           []string // registered redirect addresses, compared whole; empty: any loopback address
	Users                  []User   // the first one signs in unless another is chosen; default: a small company

	NoOfficer bool // who signs in is no compliance officer
	NoLogins  bool // the organization does not allow user authentication data

	AccessLife time.Duration // default: 14 days
	PerMinute  int           // requests per minute; 0: 300, negative: no limit
}

// Cisco is a simulated Webex organization.
type Cisco struct {
	*app
	signIn
	options CiscoOptions
}

func newCisco(options Options) *Cisco {
	c := &Cisco{options: options.Cisco}
	set := &c.options
	if set.ClientID == "" {
		set.ClientID, set.ClientSecret = "C5im0lated1ntegrat10nf0rselvedge", "simulated-webex-client-secret"
	}
	if set.AccessLife == 0 {
		set.AccessLife = 14 * 24 * time.Hour
	}
	if set.PerMinute == 0 {
		set.PerMinute = 300
	}
	if len(set.Users) == 0 {
		set.Users = webexCompany()
	}
	c.app = newApp("CISCO", "cisco.localhost", options, &limiter{limit: set.PerMinute, window: time.Minute})
	w := newComposer(set.Users)
	c.composers = map[string]composeFunc{webexAdmin: w.webexAdmin, webexSecurity: w.webexSecurity, webexMembership: w.webexMembership}
	c.compose = func(rng *rand.Rand, at time.Time) []byte {
		return pick(rng, w.webexAdmin, w.webexAdmin, w.webexSecurity, w.webexMembership)(rng, at)
	}
	c.tell = tellWebex
	c.signIn = signIn{app: c.app, grants: newGrants(c.mint), provider: c.rules()}
	// A refresh token lives 90 days, and begins anew with each use (unverified).
	c.grants.persistent = true
	c.grants.accessLife, c.grants.idleLife = set.AccessLife, 90*24*time.Hour
	c.serve(c, []route{
		route{method: http.MethodGet, path: webexAuthorize, handle: c.authorize}.on(webexHost),
		route{method: http.MethodPost, path: webexAuthorize, handle: c.consent}.on(webexHost),
		route{method: http.MethodPost, path: webexToken, limited: true, handle: c.token}.on(webexHost),
		route{method: http.MethodGet, path: "/v1/people/me", limited: true, handle: c.me}.on(webexHost),
		route{method: http.MethodGet, path: "/v1/people", limited: true, handle: c.people}.on(webexHost),
		route{method: http.MethodGet, path: "/v1/adminAudit/events", limited: true, handle: c.adminAudit}.on(webexHost),
		route{method: http.MethodGet, path: "/v1/admin/securityAudit/events", limited: true, handle: c.securityAudit}.on(webexHost),
		route{method: http.MethodGet, path: "/v1/events", limited: true, handle: c.events}.on(webexHost),
	})
	return c
}

// webexID is the API's spelling of an identifier.
func webexID(kind, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte("ciscospark://us/" + kind + "/" + id))
}

// Account is the organization with its registered integration.
func (c *Cisco) Account() Account {
	return Account{
		Tenant: webexOrg, Origins: []string{"https://" + webexHost},
		ClientID: c.options.ClientID, ClientSecret: c.options.ClientSecret, Consent: true,
		User: c.options.Users[0].Login,
	}
}

// tellWebex reads a record of any of the three feeds.
func tellWebex(raw []byte) (Event, error) {
	var record struct {
		ID, Resource string
		Created      time.Time
		Data         struct{ TargetType *string }
	}
	if err := json.Unmarshal(raw, &record); err != nil {
		return Event{}, fmt.Errorf("record of Webex: %w", err)
	}
	stream := webexSecurity
	if record.Resource != "" {
		stream = webexMembership
	} else if record.Data.TargetType != nil {
		stream = webexAdmin
	}
	return Event{ID: record.ID, Published: record.Created, Stream: stream}, nil
}

// rules is the sign-in server as data. How it words refusals is unverified.
// https://developer.webex.com/docs/integrations (checked 2026-11-22)
func (c *Cisco) rules() provider {
	const bad, denied = http.StatusBadRequest, http.StatusUnauthorized
	return provider{
		title: "Webex", client: c.options.ClientID, secret: c.options.ClientSecret,
		redirects: c.options.RedirectURIs, people: c.options.Users, authorizePath: webexAuthorize,
		rules: []authorizeRule{
			{func(q url.Values) bool { return q.Get("response_type") != "code" }, oauthError{"unsupported_response_type", "The response type is not supported."}},
			{func(q url.Values) bool { return strings.TrimSpace(q.Get("scope")) == "" }, oauthError{"invalid_scope", "The scope is missing."}},
			{func(q url.Values) bool { return !subset(strings.Fields(q.Get("scope")), webexScopes()) },
				oauthError{"invalid_scope", "The requested scope is invalid."}},
		},
		post: true,
		words: map[failure]refusal{
			badMedia:       {bad, "invalid_request", "The body must be application/x-www-form-urlencoded."},
			manySecrets:    {bad, "invalid_request", "More than one way of client authentication."},
			noSecret:       {bad, "invalid_request", "client_id and client_secret are required in the body."},
			unknownClient:  {denied, "invalid_client", "Client authentication failed."},
			wrongSecret:    {denied, "invalid_client", "Client authentication failed."},
			noGrantType:    {bad, "invalid_request", "grant_type is required."},
			otherGrantType: {bad, "unsupported_grant_type", "The grant type is not supported."},
			badCode:        {bad, "invalid_grant", "The authorization code is invalid."},
			badRedirect:    {bad, "invalid_grant", "The redirect_uri does not match."},
			badVerifier:    {bad, "invalid_grant", "The code_verifier does not match."},
			badRefresh:     {bad, "invalid_grant", "The refresh token is invalid."},
			badScope:       {bad, "invalid_scope", "The requested scope is invalid."},
		},
		fail: func(_ failure, r refusal) answer {
			return jsonAnswer(r.status, "application/json;charset=UTF-8", map[string]string{
				"error": r.code, "error_description": r.text, "message": r.text, "trackingId": c.tracking(),
			})
		},
		document: func(_ url.Values, t tokenAnswer, _ User) any {
			return map[string]any{
				"access_token": t.AccessToken, "expires_in": t.ExpiresIn, "refresh_token": t.RefreshToken,
				"refresh_token_expires_in": int(c.grants.idleLife / time.Second), "token_type": t.TokenType, "scope": t.Scope,
			}
		},
	}
}

func (c *Cisco) tracking() string { return "ROUTERGW_" + c.uuid() }

// fail is the error document.
// https://developer.webex.com/docs/basics#api-errors (checked 2026-11-22)
func (c *Cisco) fail(status int, message string) answer {
	return c.json(status, map[string]any{
		"message": message, "errors": []any{map[string]string{"description": message}}, "trackingId": c.tracking(),
	})
}

func (c *Cisco) json(status int, document any) answer {
	ans := jsonAnswer(status, "application/json;charset=UTF-8", document)
	ans.header.Set("trackingId", c.tracking())
	return ans
}

// tooMany says in Retry-After how long to wait.
// https://developer.webex.com/docs/basics#rate-limiting (checked 2026-11-22)
func (c *Cisco) tooMany(wait time.Duration) answer {
	ans := c.fail(http.StatusTooManyRequests, "API rate limit exceeded.")
	ans.header.Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	return ans
}

func (c *Cisco) broken() answer {
	return c.fail(http.StatusInternalServerError, "Something went wrong on the server.")
}

func (c *Cisco) unknown(_ *http.Request, method bool) answer {
	if method {
		return c.fail(http.StatusMethodNotAllowed, "The request was made to a resource using an HTTP request method that is not supported.")
	}
	return c.fail(http.StatusNotFound, "The requested resource could not be found.")
}

func (c *Cisco) applies(kind Kind, r *http.Request) bool {
	token := r.URL.Path == webexToken
	api := !token && r.URL.Path != webexAuthorize
	switch kind {
	case InvalidGrant, SlowToken:
		return token
	case ExpiredCursor:
		return r.URL.Query().Has("cursor")
	case ExpiredToken:
		return api
	case RevokedGrant:
		return api || token
	}
	return true
}

func (c *Cisco) refuse(kind Kind, r *http.Request) (answer, bool) {
	switch kind {
	case InvalidGrant:
		c.grants.record(r.PostForm, c.now()).Error = "invalid_grant"
		ans, _ := c.no(badRefresh)
		return ans, true
	case ExpiredCursor:
		return c.fail(http.StatusBadRequest, "The cursor is invalid."), true
	case ExpiredToken:
		clear(c.grants.access)
	case RevokedGrant:
		c.grants.revokeAll()
	}
	return answer{}, false
}

// permit checks the bearer token and one of its scopes.
func (c *Cisco) permit(r *http.Request, scope string) (User, *answer) {
	granted, _, good := c.bearer(r)
	if !good {
		ans := c.fail(http.StatusUnauthorized, "The request requires a valid access token set in the Authorization request header.")
		return User{}, &ans
	}
	user := c.person(granted.family.user)
	if !slices.Contains(granted.scopes, scope) || !user.Admin {
		ans := c.fail(http.StatusForbidden, "Missing required scopes or roles for the requested resource.")
		return User{}, &ans
	}
	return user, nil
}

// me is the person who consented.
// https://developer.webex.com/docs/api/v1/people/get-my-own-details (checked 2026-11-22)
func (c *Cisco) me(r *http.Request) answer {
	user, refusal := c.permit(r, "spark-admin:people_read")
	if refusal != nil {
		return *refusal
	}
	return c.json(http.StatusOK, webexPerson(user, webexOrg))
}

// people answers the list of those who have an address, a person of another
// organization among them.
// https://developer.webex.com/docs/api/v1/people/list-people (checked 2026-11-22)
func (c *Cisco) people(r *http.Request) answer {
	if _, refusal := c.permit(r, "spark-admin:people_read"); refusal != nil {
		return *refusal
	}
	email := r.URL.Query().Get("email")
	if !strings.Contains(email, "@") || strings.ContainsAny(email, " /\"%") {
		return c.fail(http.StatusBadRequest, "Invalid email address.")
	}
	items := []any{}
	for _, u := range c.options.Users {
		if strings.EqualFold(u.Login, email) {
			items = append(items, webexPerson(u, webexOrg))
		}
	}
	if guest := webexGuest(); strings.EqualFold(guest.Login, email) {
		items = append(items, webexPerson(guest, webexOther))
	}
	return c.json(http.StatusOK, map[string]any{"notFoundIds": nil, "items": items})
}

func webexPerson(u User, org string) any {
	return map[string]any{
		"id": webexID("PEOPLE", u.ID), "emails": []string{u.Login}, "displayName": u.First + " " + u.Last,
		"firstName": u.First, "lastName": u.Last, "orgId": webexID("ORGANIZATION", org),
		"created": "2024-02-29T08:15:00.000Z", "status": u.Status, "type": "person", "invitePending": false, "loginEnabled": u.Status != "",
	}
}

func webexGuest() User {
	return User{ID: "8c3d5e10-7a21-4b6f-9d48-1f2e3a4b5c05", Login: "guest@partner.example", First: "Gaspard", Last: "Invité", Status: "active"}
}

func webexCompany() []User {
	return []User{
		{ID: "2f6a1b90-0c3d-4e5f-8a7b-9c0d1e2f3a01", Login: "ada.okafor@example.com", First: "Ada", Last: "Okafor", Status: "active", Admin: true},
		{ID: "2f6a1b90-0c3d-4e5f-8a7b-9c0d1e2f3a02", Login: "zoe.mueller@example.com", First: "Zoë", Last: "Müller", Status: "inactive"},
		{ID: "2f6a1b90-0c3d-4e5f-8a7b-9c0d1e2f3a03", Login: "taro.yamada@example.co.jp", First: "太郎", Last: "山田", Status: "unknown"},
		{ID: "2f6a1b90-0c3d-4e5f-8a7b-9c0d1e2f3a04", Login: "grainne.o'neil@example.com", First: "Gráinne", Last: "O'Neil", Status: "active"},
	}
}
