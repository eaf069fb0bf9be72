package simulator

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Atlassian's scopes that the simulated app may ask for.
// https://developer.atlassian.com/cloud/jira/platform/scopes-for-oauth-2-3LO-and-forge-apps/ (checked 2026-11-22)
const (
	jiraReadUser  = "read:jira-user"
	jiraReadAudit = "read:audit-log:jira"
	jiraReadUsers = "read:user:jira"
	jiraConfigure = "manage:jira-configuration"
)

const (
	jiraAuthHost  = "auth.atlassian.com"
	jiraAPIHost   = "api.atlassian.com"
	jiraAuthorize = "/authorize"
	jiraTokenPath = "/oauth/token"
	jiraSitesPath = "/oauth/token/accessible-resources"
	jiraSitePath  = "/ex/jira/{cloud}"
	jiraAuditPath = jiraSitePath + "/rest/api/3/auditing/record"
	jiraUsersPath = jiraSitePath + "/rest/api/3/user/search"
	jiraAPIPath   = "/ex/jira/"
)

// JiraOptions configures the simulated Jira Cloud site and the one app that is
// registered with Atlassian.
type JiraOptions struct {
	Site                   string   // default: example, of https://example.atlassian.net
	OtherSites             []string // further ones that a consent covers; each is listed, and none has records
	ClientID, ClientSecret string   // defaults: see [Jira.Client]
	RedirectURIs           []string // registered callbacks, compared whole; empty: any loopback address
	Users                  []User   // the first one signs in unless another is chosen; default: a small company
	Hidden                 []string // account ids of those who show their address to nobody

	AccessLife time.Duration // default: an hour
	PerSecond  int           // reads per second; 0: 100, as documented; negative: no limit
}

// Jira is a simulated Jira Cloud site, and Atlassian's authorization server.
type Jira struct {
	*app
	signIn
	options JiraOptions
	last    int // the number of the newest record; zero: none was made
}

func newJira(options Options) *Jira {
	j := &Jira{options: options.Jira}
	set := &j.options
	if set.Site == "" {
		set.Site = "example"
	}
	if set.ClientID == "" {
		set.ClientID, set.ClientSecret = "5im5elvedgeA2jiraapp0000000000001", "ATOA-simulated-jira-client-secret"
	}
	if set.AccessLife == 0 {
		set.AccessLife = time.Hour
	}
	if set.PerSecond == 0 {
		set.PerSecond = 100
	}
	if len(set.Users) == 0 {
		set.Users, set.Hidden = jiraCompany(), []string{"5b10ac8d82e05b22cc7d0003"}
	}
	// https://developer.atlassian.com/cloud/jira/platform/rate-limiting/ (checked 2026-11-22)
	j.app = newApp("JIRA", "jira.localhost", options, &limiter{
		limit: set.PerSecond, window: time.Second, prefix: "X-RateLimit-",
		reset: func(at, _ time.Time) string { return at.UTC().Format("2006-01-02T15:04Z") },
	})
	j.signIn = signIn{app: j.app, provider: j.signInRules(), grants: newGrants(j.mint)}
	j.grants.accessLife, j.grants.idleLife = set.AccessLife, jiraRefreshIdle
	j.tell = jiraTell
	j.compose = j.record
	j.serve(j, []route{
		route{method: http.MethodGet, path: jiraAuthorize, handle: j.authorize}.on(jiraAuthHost),
		route{method: http.MethodPost, path: jiraAuthorize, handle: j.consent}.on(jiraAuthHost),
		route{method: http.MethodPost, path: jiraTokenPath, handle: j.token}.on(jiraAuthHost),
		route{method: http.MethodGet, path: jiraSitesPath, limited: true, handle: j.sites}.on(jiraAPIHost),
		route{method: http.MethodGet, path: jiraAuditPath, limited: true, handle: j.audit}.on(jiraAPIHost),
		route{method: http.MethodGet, path: jiraUsersPath, limited: true, handle: j.searchUsers}.on(jiraAPIHost),
	})
	return j
}

// Account is the site with the registered app.
func (j *Jira) Account() Account {
	return Account{
		Tenant: j.options.Site, Origins: []string{"https://" + jiraAuthHost, "https://" + jiraAPIHost},
		ClientID: j.options.ClientID, ClientSecret: j.options.ClientSecret, Consent: true, User: j.options.Users[0].Login,
	}
}

// CloudID is the identifier of the site in the API's paths.
func (j *Jira) CloudID() string { return jiraCloudID(j.options.Site) }

// tooMany has Retry-After, and says which limit was met.
// https://developer.atlassian.com/cloud/jira/platform/rate-limiting/ (checked 2026-11-22)
func (j *Jira) tooMany(wait time.Duration) answer {
	ans := j.gateway(http.StatusTooManyRequests, "Rate limit exceeded")
	j.limiter.exhausted(ans.header, wait, j.now())
	ans.header.Set("Retry-After", secondsUp(wait))
	ans.header.Set("RateLimit-Reason", "jira-burst-based")
	return ans
}

func (j *Jira) broken() answer {
	return j.refused(http.StatusInternalServerError, "Internal server error")
}

func (j *Jira) unknown(_ *http.Request, method bool) answer {
	if method {
		return j.gateway(http.StatusMethodNotAllowed, "Method Not Allowed")
	}
	return j.gateway(http.StatusNotFound, "Not Found")
}

func jiraAPI(path string) bool { return strings.HasPrefix(path, jiraAPIPath) || path == jiraSitesPath }

func (j *Jira) applies(kind Kind, r *http.Request) bool {
	switch kind {
	case InvalidGrant, SlowToken:
		return r.URL.Path == jiraTokenPath
	case ExpiredCursor:
		return false // offsets do not expire
	case ExpiredToken:
		return jiraAPI(r.URL.Path)
	case RevokedGrant:
		return jiraAPI(r.URL.Path) || r.URL.Path == jiraTokenPath
	}
	return true
}

func (j *Jira) refuse(kind Kind, r *http.Request) (answer, bool) {
	switch kind {
	case InvalidGrant:
		form, _ := j.form(r)
		j.grants.record(form, j.now()).Error = "invalid_grant"
		ans, _ := j.no(badRefresh)
		return ans, true
	case ExpiredToken:
		clear(j.grants.access)
	case RevokedGrant:
		j.grants.revokeAll()
	}
	return answer{}, false
}

// gateway is how Atlassian's API gateway refuses. That its body has code and
// message is as seen in the field
// (https://community.atlassian.com/forums/Jira-Service-Management/Having-problems-with-Jira-scope-for-rule-management-API/qaq-p/3135618,
// checked 2026-11-22).
func (j *Jira) gateway(status int, message string) answer {
	return jsonAnswer(status, "application/json", struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{status, message})
}

// refused is Jira's ErrorCollection. Its words are not documented.
// https://developer.atlassian.com/cloud/jira/platform/rest/v3/intro/#status-codes (checked 2026-11-22)
func (j *Jira) refused(status int, message string) answer {
	return jsonAnswer(status, "application/json;charset=UTF-8", struct {
		Messages []string          `json:"errorMessages"`
		Errors   map[string]string `json:"errors"`
	}{[]string{message}, map[string]string{}})
}

// permit checks the token, then that it has all scopes of one of the sets, then
// the site. A token without the scope is refused as unauthorized, with words of
// its own. Without the site among what the grant covers, nothing is there.
func (j *Jira) permit(r *http.Request, sets ...[]string) (User, *answer) {
	refuse := func(ans answer) (User, *answer) { return User{}, &ans }
	granted, _, good := j.bearer(r)
	if !good {
		return refuse(j.gateway(http.StatusUnauthorized, "Unauthorized"))
	}
	if !slices.ContainsFunc(sets, func(set []string) bool { return subset(set, granted.scopes) }) {
		return refuse(j.gateway(http.StatusUnauthorized, "Unauthorized; scope does not match"))
	}
	if cloud := r.PathValue("cloud"); cloud != "" && cloud != j.CloudID() {
		return refuse(j.gateway(http.StatusNotFound, "Not Found"))
	}
	return j.person(granted.family.user), nil
}

// jiraCompany is the default site: names beyond ASCII, and people who may not
// read the log.
func jiraCompany() []User {
	return []User{
		{ID: "5b10ac8d82e05b22cc7d0001", Login: "ada.okafor@example.com", First: "Ada", Last: "Okafor", Status: "active", Admin: true},
		{ID: "5b10ac8d82e05b22cc7d0002", Login: "zoe.mueller@example.com", First: "Zoë", Last: "Müller", Status: "active"},
		{ID: "5b10ac8d82e05b22cc7d0003", Login: "taro.yamada@example.co.jp", First: "太郎", Last: "山田", Status: "active"},
		{ID: "557058:f58131cb-b67d-43c7-b30d-6b58d40bd077", Login: "grainne.oneil@example.com", First: "Gráinne", Last: "O'Neil", Status: "inactive"},
	}
}
