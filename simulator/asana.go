package simulator

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	asanaLogsPath  = "/api/1.0/workspaces/{workspace}/audit_log_events"
	asanaUsersPath = "/api/1.0/users/{user}"
)

// AsanaOptions configures the simulated Asana domain.
type AsanaOptions struct {
	Workspace string // default: 1201234567890123
	Token     string // of the service account; default: see [Asana.Token]
	Users     []User // default: a small company

	NoAudit    bool          // the domain's plan has no audit log
	CursorLife time.Duration // age at which an offset is refused; 0: never
	PerMinute  int           // requests per minute and token; 0: 1500, as of a paid domain; negative: no limit
}

// Asana is a simulated Asana domain with one service account.
type Asana struct {
	*app
	options AsanaOptions
	member  string // a member's personal access token: good, but not for the audit log
}

func newAsana(options Options) *Asana {
	a := &Asana{options: options.Asana}
	set := &a.options
	if set.Workspace == "" {
		set.Workspace = "1201234567890123"
	}
	if set.PerMinute == 0 {
		set.PerMinute = 1500
	}
	if len(set.Users) == 0 {
		set.Users = asanaCompany()
	}
	// No answer but a 429 tells of limits.
	// https://developers.asana.com/docs/rate-limits (checked 2026-11-22)
	a.app = newApp("ASANA", "asana.localhost", options, &limiter{limit: set.PerMinute, window: time.Minute})
	if set.Token == "" {
		set.Token = a.newToken()
	}
	a.member = a.newToken()
	a.idKey, a.timeKey = "gid", "created_at"
	a.compose = newAsanaComposer(set.Users).record
	const host = "app.asana.com"
	a.serve(a, []route{
		route{method: http.MethodGet, path: asanaLogsPath, limited: true, handle: a.logs}.on(host),
		route{method: http.MethodGet, path: asanaUsersPath, limited: true, handle: a.user}.on(host),
	})
	return a
}

func (a *Asana) newToken() string {
	return "2/" + strconv.FormatUint(a.mint.number()>>11, 10) + "/" + a.mint.id("", 32)
}

// Workspace is the domain's identifier.
func (a *Asana) Workspace() string { return a.options.Workspace }

// Token is the service account's token that is good now.
func (a *Asana) Token() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.options.Token
}

// MemberToken is a member's token: it can read users, but not the audit log.
func (a *Asana) MemberToken() string { return a.member }

// Account is the domain with its service account.
func (a *Asana) Account() Account {
	return Account{
		Tenant: a.options.Workspace, Origins: []string{"https://app.asana.com"},
		APIKey: a.Token(), User: a.options.Users[0].Login,
	}
}

// Revoke resets the service account's token.
func (a *Asana) Revoke() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.options.Token = a.newToken()
}

// fail is the document of every refusal.
// https://developers.asana.com/docs/errors (checked 2026-11-22)
func (a *Asana) fail(status int, message string) answer {
	return a.json(status, map[string]any{"errors": []any{map[string]string{
		"message": message,
		"help":    "For more information on API status codes and how to handle them, read the docs on errors: https://developers.asana.com/docs/errors",
	}}})
}

func (a *Asana) json(status int, document any) answer {
	return jsonAnswer(status, "application/json; charset=UTF-8", document)
}

// tooMany: https://developers.asana.com/docs/rate-limits (checked 2026-11-22) has the
// words, and whole seconds in Retry-After.
func (a *Asana) tooMany(wait time.Duration) answer {
	ans := a.json(http.StatusTooManyRequests, map[string]any{"errors": []any{map[string]string{
		"message": "You've made too many requests and hit a rate limit. Please retry after the given amount of time.",
	}}})
	ans.header.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	return ans
}

// broken has a phrase for those who ask for support.
// https://developers.asana.com/docs/errors (checked 2026-11-22)
func (a *Asana) broken() answer {
	return a.json(http.StatusInternalServerError, map[string]any{"errors": []any{map[string]string{
		"message": "Server Error", "phrase": "6 sad squid snuggle softly",
	}}})
}

func (a *Asana) unknown(*http.Request, bool) answer {
	return a.fail(http.StatusNotFound, "No matching route for request")
}

func (a *Asana) applies(kind Kind, r *http.Request) bool {
	switch kind {
	case InvalidGrant, SlowToken, ExpiredToken:
		return false // the token of a service account does not expire
	case ExpiredCursor:
		return strings.HasSuffix(r.URL.Path, "/audit_log_events") && r.URL.Query().Has("offset")
	}
	return true
}

func (a *Asana) refuse(kind Kind, _ *http.Request) (answer, bool) {
	switch kind {
	case ExpiredCursor:
		return a.expiredOffset(), true
	case RevokedGrant:
		a.options.Token = a.newToken()
	}
	return answer{}, false
}

// permit checks the token: absent or unknown is 401.
// https://developers.asana.com/docs/errors (checked 2026-11-22)
func (a *Asana) permit(r *http.Request, serviceOnly bool) *answer {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token != a.options.Token && token != a.member {
		ans := a.fail(http.StatusUnauthorized, "Not Authorized")
		ans.header.Set("WWW-Authenticate", `Bearer realm="Asana"`)
		return &ans
	}
	// That the log is for service accounts of Enterprise domains is documented,
	// the words are not (unverified).
	if serviceOnly && (token != a.options.Token || a.options.NoAudit) {
		ans := a.fail(http.StatusForbidden, "You must be a service account in an Enterprise domain to access audit log events.")
		return &ans
	}
	return nil
}

func asanaCompany() []User {
	return []User{
		{ID: "1200000000000001", Login: "ada.okafor@example.com", First: "Ada", Last: "Okafor", Admin: true},
		{ID: "1200000000000002", Login: "zoe.mueller@example.com", First: "Zoë", Last: "Müller"},
		{ID: "1200000000000003", Login: "taro.yamada@example.co.jp", First: "太郎", Last: "山田"},
		{ID: "1200000000000004", Login: "grainne.oneil@example.com", First: "Gráinne", Last: "O'Neil"},
		{ID: "1200000000000005", Login: "lukasz.zak@example.org", First: "Łukasz", Last: "Żak 🛠", Status: "elsewhere"},
	}
}
