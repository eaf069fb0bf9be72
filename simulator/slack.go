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
	slackAuthorizePath = "/oauth/v2/authorize"
	slackTokenPath     = "/api/oauth.v2.access"
	slackTestPath      = "/api/auth.test"
	slackLookupPath    = "/api/users.lookupByEmail"
	slackLogsPath      = "/audit/v1/logs"
)

// SlackOptions configures the simulated Slack organisation and the one app that
// is registered for it.
type SlackOptions struct {
	ClientID, ClientSecret string   // defaults: see [Slack.Client]
	RedirectURIs           []string // registered redirect addresses, compared whole; empty: any loopback address
	Users                  []User   // the first one signs in unless another is chosen; Admin: an owner of the organisation
	Domain                 string   // default: demo, of https://demo.enterprise.slack.com

	NoRotation bool          // the app has no token rotation: its tokens never end
	NoAudit    bool          // the plan is not Enterprise
	AccessLife time.Duration // default: 12 hours
	CursorLife time.Duration // age at which a page's cursor is refused; 0: never
	PerMinute  int           // requests to the audit log and for users per minute; 0: 50, as documented; negative: no limit
}

// Slack is a simulated Slack organisation on an Enterprise plan.
type Slack struct {
	*app
	signIn
	options SlackOptions
}

func newSlack(options Options) *Slack {
	s := &Slack{options: options.Slack}
	set := &s.options
	if set.ClientID == "" {
		set.ClientID, set.ClientSecret = "4711281169.4711281170", "simulated-slack-client-secret"
	}
	if set.Domain == "" {
		set.Domain = "demo"
	}
	if set.AccessLife == 0 {
		set.AccessLife = 12 * time.Hour
	}
	if set.PerMinute == 0 {
		set.PerMinute = 50
	}
	if len(set.Users) == 0 {
		set.Users = slackCompany()
	}
	// Tier 3; no answer but a 429 tells of limits.
	// https://docs.slack.dev/apis/web-api/rate-limits (checked 2026-11-22)
	s.app = newApp("SLACK", "slack.localhost", options, &limiter{limit: set.PerMinute, window: time.Minute})
	s.tell = slackTell
	s.compose = newSlackComposer(set.Users, set.Domain).record
	s.signIn = signIn{app: s.app, grants: newGrants(s.mint), provider: s.signInRules()}
	s.grants.accessPrefix, s.grants.refreshPrefix, s.grants.codeLife = "xoxe.xoxp-1-", "xoxe-1-", 10*time.Minute
	s.grants.accessLife = set.AccessLife
	if set.NoRotation {
		s.grants.accessPrefix, s.grants.accessLife = "xoxp-", 100*365*24*time.Hour
	}
	const web, audit = "slack.com", "api.slack.com"
	s.serve(s, []route{
		route{method: http.MethodGet, path: slackAuthorizePath, handle: s.authorize}.on(web),
		route{method: http.MethodPost, path: slackAuthorizePath, handle: s.consent}.on(web),
		route{method: http.MethodPost, path: slackTokenPath, handle: s.token}.on(web),
		route{method: http.MethodPost, path: slackTestPath, handle: s.authTest}.on(web),
		route{method: http.MethodGet, path: slackTestPath, handle: s.authTest}.on(web),
		route{method: http.MethodGet, path: slackLookupPath, limited: true, handle: s.lookupByEmail}.on(web),
		route{method: http.MethodGet, path: slackLogsPath, limited: true, handle: s.logs}.on(audit),
	})
	return s
}

// Account is the organisation with its registered app.
func (s *Slack) Account() Account {
	return Account{
		Tenant: s.options.Domain, Origins: []string{"https://slack.com", "https://api.slack.com"},
		ClientID: s.options.ClientID, ClientSecret: s.options.ClientSecret, Consent: true,
		User: s.options.Users[0].Login,
	}
}

// slackTell reads id and date_create, which counts seconds.
func slackTell(raw []byte) (Event, error) {
	var members struct {
		ID   string `json:"id"`
		Date int64  `json:"date_create"`
	}
	if err := json.Unmarshal(raw, &members); err != nil || members.ID == "" || members.Date == 0 {
		return Event{}, fmt.Errorf("record's id and date_create: %w", err)
	}
	return Event{ID: members.ID, Published: time.Unix(members.Date, 0)}, nil
}

// fail is the document of every refusal. The Web API sends it in a 200, the audit
// log under the status that fits.
// https://docs.slack.dev/apis/web-api/#responses,
// https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference (checked 2026-11-22)
func (s *Slack) fail(status int, code string, more ...string) answer {
	document := map[string]any{"ok": false, "error": code}
	for i := 0; i+1 < len(more); i += 2 {
		document[more[i]] = more[i+1]
	}
	return s.json(status, document)
}

func (s *Slack) json(status int, document any) answer {
	ans := jsonAnswer(status, "application/json; charset=utf-8", document)
	ans.header.Set("Cache-Control", "private, no-cache, no-store, must-revalidate")
	return ans
}

// tooMany is a 429 with whole seconds in Retry-After, and nothing else to go by; the
// code is the audit log's.
// https://docs.slack.dev/apis/web-api/rate-limits (checked 2026-11-22)
func (s *Slack) tooMany(wait time.Duration) answer {
	ans := s.fail(http.StatusTooManyRequests, "rate_limited")
	ans.header.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	return ans
}

func (s *Slack) broken() answer { return s.fail(http.StatusInternalServerError, "internal_error") }

// unknown answers as the Web API does; the audit log has statuses.
func (s *Slack) unknown(r *http.Request, method bool) answer {
	switch {
	case strings.HasPrefix(r.URL.Path, "/audit/") && method:
		return s.fail(http.StatusMethodNotAllowed, "method_not_allowed")
	case strings.HasPrefix(r.URL.Path, "/audit/"):
		return s.fail(http.StatusNotFound, "bad_endpoint")
	}
	return s.fail(http.StatusOK, "unknown_method", "req_method", strings.TrimPrefix(r.URL.Path, "/api/"))
}

func (s *Slack) applies(kind Kind, r *http.Request) bool {
	calls := r.URL.Path != slackTokenPath && r.URL.Path != slackAuthorizePath
	switch kind {
	case InvalidGrant, SlowToken:
		return r.URL.Path == slackTokenPath
	case ExpiredCursor:
		return r.URL.Path == slackLogsPath && r.URL.Query().Has("cursor")
	case ExpiredToken:
		return calls
	case RevokedGrant:
		return calls || r.URL.Path == slackTokenPath
	}
	return true
}

func (s *Slack) refuse(kind Kind, r *http.Request) (answer, bool) {
	switch kind {
	case InvalidGrant:
		s.grants.record(r.PostForm, s.now()).Error = "invalid_refresh_token"
		ans, _ := s.no(badRefresh)
		return ans, true
	case ExpiredCursor:
		return s.fail(http.StatusBadRequest, "invalid_cursor"), true
	case ExpiredToken:
		clear(s.grants.access)
	case RevokedGrant:
		s.grants.revokeAll()
	}
	return answer{}, false
}

// permit is the person whose token it is, if the token has the scope. Audit log
// and Web API have codes of their own for a token; that the log says missing_scope,
// and with which status it refuses beyond "standard HTTP status codes", is unverified.
func (s *Slack) permit(r *http.Request, scope string, audit bool) (User, *answer) {
	say := func(status int, log, web string, more ...string) (User, *answer) {
		code := log
		if !audit {
			status, code = http.StatusOK, web
		}
		ans := s.fail(status, code, more...)
		return User{}, &ans
	}
	granted, sent, good := s.bearer(r)
	known := granted.family != nil
	switch {
	case !sent:
		return say(http.StatusUnauthorized, "missing_authentication", "not_authed")
	case !good && known && !granted.family.revoked:
		return say(http.StatusUnauthorized, "invalid_authentication", "token_expired")
	case !good && known:
		return say(http.StatusUnauthorized, "invalid_authentication", "token_revoked")
	case !good:
		return say(http.StatusUnauthorized, "invalid_authentication", "invalid_auth")
	case scope != "" && !slices.Contains(granted.scopes, scope):
		return say(http.StatusForbidden, "missing_scope", "missing_scope", "needed", scope, "provided", strings.Join(granted.scopes, ","))
	}
	return s.person(granted.family.user), nil
}

func slackCompany() []User {
	return []User{
		{ID: "W01ADA0K4F0R", Login: "ada.okafor@example.com", First: "Ada", Last: "Okafor", Status: "active", Admin: true},
		{ID: "W02Z0EMUELLER", Login: "zoe.mueller@example.com", First: "Zoë", Last: "Müller", Status: "active"},
		{ID: "W03TAR0YAMADA", Login: "taro.yamada@example.co.jp", First: "太郎", Last: "山田", Status: "active"},
		{ID: "W04GRA1NNE0NE", Login: "grainne.oneil@example.com", First: "Gráinne", Last: "O'Neil", Status: "deleted"},
		{ID: "W05LUKASZZAK", Login: "lukasz.zak@example.com", First: "Łukasz", Last: "Żak 🛠", Status: "active"},
	}
}
