package simulator

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	zendeskAuthorizePath = "/oauth/authorizations/new"
	zendeskTokenPath     = "/oauth/tokens"
	zendeskLogsPath      = "/api/v2/audit_logs"
	zendeskSearchPath    = "/api/v2/users/search"

	zendeskAuditScope = "auditlogs:read"
	zendeskUsersScope = "users:read"
	zendeskReadScope  = "read" // all of them
)

// ZendeskOptions configures the simulated Zendesk account and the one OAuth
// client that is registered there.
type ZendeskOptions struct {
	ClientID, ClientSecret string   // defaults: see [Zendesk.Client]
	RedirectURIs           []string // registered redirect addresses, compared whole; empty: any loopback address
	Users                  []User   // the first one signs in unless another is chosen; Admin: may read the audit log
	Subdomain              string   // default: demo

	NoAudit    bool          // the plan is not Enterprise
	CursorLife time.Duration // age at which a page's cursor is refused; 0: never
	PerMinute  int           // requests to the API per minute; 0: 700, as of an Enterprise plan; negative: no limit
}

// Zendesk is a simulated Zendesk account.
type Zendesk struct {
	*app
	signIn
	options ZendeskOptions
}

func newZendesk(options Options) *Zendesk {
	z := &Zendesk{options: options.Zendesk}
	set := &z.options
	if set.ClientID == "" {
		set.ClientID, set.ClientSecret = "selvedge_simulated", "simulated-zendesk-client-secret"
	}
	if set.Subdomain == "" {
		set.Subdomain = "demo"
	}
	if set.PerMinute == 0 {
		set.PerMinute = 700
	}
	if len(set.Users) == 0 {
		set.Users = zendeskCompany()
	}
	// ratelimit-reset is seconds to wait.
	// https://developer.zendesk.com/documentation/ticketing/using-the-zendesk-api/best-practices-for-avoiding-rate-limiting/ (checked 2026-11-22)
	z.app = newApp("ZENDESK", "zendesk.localhost", options, &limiter{
		limit: set.PerMinute, window: time.Minute, prefix: "Ratelimit-",
		reset: func(at, now time.Time) string { return strconv.Itoa(int(math.Ceil(at.Sub(now).Seconds()))) },
	})
	z.tell = zendeskTell
	z.compose = newZendeskComposer(set.Users, set.Subdomain).record
	z.signIn = signIn{app: z.app, grants: newGrants(z.mint), provider: z.signInRules()}
	z.grants.accessPrefix, z.grants.replaces, z.grants.codeLife = "", true, 2*time.Minute
	host := set.Subdomain + ".zendesk.com"
	z.serve(z, []route{
		route{method: http.MethodGet, path: zendeskAuthorizePath, handle: z.authorize}.on(host),
		route{method: http.MethodPost, path: zendeskAuthorizePath, handle: z.consent}.on(host),
		route{method: http.MethodPost, path: zendeskTokenPath, limited: true, handle: z.token}.on(host),
		route{method: http.MethodGet, path: zendeskLogsPath, limited: true, handle: z.logs}.on(host),
		route{method: http.MethodGet, path: zendeskLogsPath + ".json", limited: true, handle: z.logs}.on(host),
		route{method: http.MethodGet, path: zendeskSearchPath, limited: true, handle: z.searchUsers}.on(host),
		route{method: http.MethodGet, path: zendeskSearchPath + ".json", limited: true, handle: z.searchUsers}.on(host),
	})
	return z
}

// Account is the account with its registered client.
func (z *Zendesk) Account() Account {
	return Account{
		Tenant: z.options.Subdomain, Origins: []string{"https://" + z.options.Subdomain + ".zendesk.com"},
		ClientID: z.options.ClientID, ClientSecret: z.options.ClientSecret, Consent: true,
		User: z.options.Users[0].Login,
	}
}

// zendeskTell reads id, a number, and created_at.
func zendeskTell(raw []byte) (Event, error) {
	var members struct {
		ID      json.Number `json:"id"`
		Created time.Time   `json:"created_at"`
	}
	if err := json.Unmarshal(raw, &members); err != nil || members.ID == "" {
		return Event{}, fmt.Errorf("record's id and created_at: %w", err)
	}
	return Event{ID: members.ID.String(), Published: members.Created}, nil
}

// fail is an error of the API: a code with its description.
// https://developer.zendesk.com/api-reference/introduction/requests/#response-format (checked 2026-11-22)
func (z *Zendesk) fail(status int, code, description string) answer {
	return z.json(status, map[string]string{"error": code, "description": description})
}

func (z *Zendesk) json(status int, document any) answer {
	ans := jsonAnswer(status, "application/json; charset=utf-8", document)
	ans.header.Set("X-Request-Id", z.mint.id("", 32))
	ans.header.Set("Cache-Control", "max-age=0, private, must-revalidate")
	return ans
}

// tooMany: https://developer.zendesk.com/api-reference/introduction/rate-limits/ (checked
// 2026-11-22) has whole seconds in Retry-After.
func (z *Zendesk) tooMany(wait time.Duration) answer {
	ans := z.fail(http.StatusTooManyRequests, "APIRateLimitExceeded", "Number of allowed API requests per minute exceeded")
	ans.header.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	z.limiter.exhausted(ans.header, wait, z.now())
	return ans
}

func (z *Zendesk) broken() answer {
	return z.fail(http.StatusInternalServerError, "InternalError", "Sorry, something went wrong.")
}

func (z *Zendesk) unknown(*http.Request, bool) answer {
	return z.fail(http.StatusNotFound, "InvalidEndpoint", "Not found")
}

func (z *Zendesk) applies(kind Kind, r *http.Request) bool {
	api := strings.HasPrefix(r.URL.Path, "/api/")
	switch kind {
	case InvalidGrant, SlowToken:
		return r.URL.Path == zendeskTokenPath
	case ExpiredCursor:
		return strings.HasPrefix(r.URL.Path, zendeskLogsPath) && r.URL.Query().Has("page[after]")
	case ExpiredToken:
		return api
	case RevokedGrant:
		return api || r.URL.Path == zendeskTokenPath
	}
	return true
}

func (z *Zendesk) refuse(kind Kind, r *http.Request) (answer, bool) {
	switch kind {
	case InvalidGrant:
		z.grants.record(r.PostForm, z.now()).Error = "invalid_grant"
		ans, _ := z.no(badRefresh)
		return ans, true
	case ExpiredCursor:
		return z.badPaging("page[after] is not valid"), true
	case ExpiredToken:
		clear(z.grants.access)
	case RevokedGrant:
		z.grants.revokeAll()
	}
	return answer{}, false
}

// permit checks the bearer token. The wording for a missing credential and for a
// bad token is seen in the field; that for a missing scope is unverified.
func (z *Zendesk) permit(r *http.Request, scope string) (User, *answer) {
	granted, sent, good := z.bearer(r)
	var ans answer
	switch {
	case !sent:
		ans = z.json(http.StatusUnauthorized, map[string]string{"error": "Couldn't authenticate you"})
	case !good:
		ans = z.json(http.StatusUnauthorized, map[string]string{
			"error": "invalid_token", "error_description": "The access token provided is expired, revoked, malformed or invalid for other reasons.",
		})
	case !slices.Contains(granted.scopes, scope) && !slices.Contains(granted.scopes, zendeskReadScope):
		ans = z.json(http.StatusForbidden, map[string]string{
			"error": "insufficient_scope", "error_description": "The token does not have the scope that the request needs.",
		})
	default:
		return z.person(granted.family.user), nil
	}
	if ans.status == http.StatusUnauthorized {
		ans.header.Set("WWW-Authenticate", `Bearer realm="Zendesk"`)
	}
	return User{}, &ans
}

// forbidden is for who may not see a page, and for accounts whose plan lacks it.
func (z *Zendesk) forbidden() answer {
	return z.json(http.StatusForbidden, map[string]any{"error": map[string]string{
		"title": "Forbidden", "message": "You do not have access to this page. Please contact the account owner of this help desk for further help.",
	}})
}

func zendeskCompany() []User {
	return []User{
		{ID: "35436", Login: "ada.okafor@example.com", First: "Ada", Last: "Okafor", Status: "active", Admin: true},
		{ID: "35437", Login: "zoe.mueller@example.com", First: "Zoë", Last: "Müller", Status: "active"},
		{ID: "35438", Login: "taro.yamada@example.co.jp", First: "太郎", Last: "山田", Status: "suspended"},
		{ID: "35439", Login: "grainne.oneil@example.com", First: "Gráinne", Last: "O'Neil", Status: "deleted"},
		{ID: "35440", Login: "lukasz.zak@example.com", First: "Łukasz", Last: "Żak 🛠", Status: "active"},
	}
}
