package simulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	graphOrigin = "https://graph.microsoft.com"
	graphHost   = "graph.microsoft.com"

	graphAudits = "directory_audits"
	graphSignIn = "sign_ins"
)

// M365Options configures the simulated Microsoft 365 tenant and the one
// application that is registered there.
type M365Options struct {
	ClientID, ClientSecret string   // defaults: see [M365.Client]
	RedirectURIs           []string // registered redirect addresses, compared whole; empty: any loopback address
	Users                  []User   // the first one signs in unless another is chosen; default: a small company

	// Permissions of Microsoft Graph that were consented to; default: User.Read,
	// User.Read.All, AuditLog.Read.All and Directory.Read.All.
	Permissions []string
	Free        bool // the tenant has no premium licence: no sign-ins

	AccessLife    time.Duration // default: an hour
	PerTenSeconds int           // requests to the logs; 0: 5, as documented; negative: no limit

	Mail map[string]string // by the id of a user: a mail address that is not the principal name
}

// M365 is Microsoft Graph for a simulated tenant.
type M365 struct {
	*app
	entra
	options M365Options
}

func newM365(options Options) *M365 {
	m := &M365{options: options.M365}
	set := &m.options
	if set.ClientID == "" {
		set.ClientID, set.ClientSecret = "5e1f0c52-8f4d-4b6e-9d0e-0c6a4e1d2b33", "simulated~m365.client-secret"
	}
	if set.PerTenSeconds == 0 {
		set.PerTenSeconds = 5
	}
	if len(set.Users) == 0 {
		set.Users = entraCompany()
	}
	if len(set.Permissions) == 0 {
		set.Permissions = []string{"User.Read", "User.Read.All", "AuditLog.Read.All", "Directory.Read.All"}
	}
	// https://learn.microsoft.com/en-us/graph/throttling-limits#identity-and-access-reports-service-limits
	// (checked 2026-11-22): 5 requests per 10 seconds of one application and tenant.
	m.app = newApp("M365", "m365.localhost", options, &limiter{limit: set.PerTenSeconds, window: 10 * time.Second})
	c := newComposer(set.Users)
	m.composers = map[string]composeFunc{graphAudits: c.graphAudit, graphSignIn: c.graphSignIn}
	m.compose = func(rng *rand.Rand, at time.Time) []byte { return pick(rng, c.graphAudit, c.graphSignIn)(rng, at) }
	m.tell = tellGraph
	m.entra = entra{signIn: signIn{app: m.app, grants: newGrants(m.mint)}, resource: graphOrigin, registered: set.Permissions}
	m.provider = m.rules(set.ClientID, set.ClientSecret, set.RedirectURIs, set.Users)
	m.begin(set.AccessLife)
	m.serve(m, append(m.routes(),
		route{method: http.MethodGet, path: "/v1.0/auditLogs/directoryAudits", limited: true, handle: m.logs(graphAudits, "activityDateTime")}.on(graphHost),
		route{method: http.MethodGet, path: "/v1.0/auditLogs/signIns", limited: true, handle: m.logs(graphSignIn, "createdDateTime")}.on(graphHost),
		route{method: http.MethodGet, path: "/v1.0/organization", handle: m.organization}.on(graphHost),
		route{method: http.MethodGet, path: "/v1.0/users", handle: m.users}.on(graphHost),
	))
	return m
}

// Account is the tenant with its registered application.
func (m *M365) Account() Account {
	return Account{
		Tenant: entraTenant, Origins: []string{graphOrigin, "https://" + entraHost},
		ClientID: m.options.ClientID, ClientSecret: m.options.ClientSecret, Consent: true,
		User: m.options.Users[0].Login,
	}
}

// tellGraph reads either kind of record.
func tellGraph(raw []byte) (Event, error) {
	var record struct {
		ID       string     `json:"id"`
		Activity *time.Time `json:"activityDateTime"`
		Created  *time.Time `json:"createdDateTime"`
	}
	if err := json.Unmarshal(raw, &record); err != nil {
		return Event{}, fmt.Errorf("record of Microsoft Graph: %w", err)
	}
	switch {
	case record.Activity != nil:
		return Event{ID: record.ID, Published: *record.Activity, Stream: graphAudits}, nil
	case record.Created != nil:
		return Event{ID: record.ID, Published: *record.Created, Stream: graphSignIn}, nil
	}
	return Event{}, fmt.Errorf("record %s has no time", record.ID)
}

// fail is Microsoft Graph's error document.
// https://learn.microsoft.com/en-us/graph/errors (checked 2026-11-22)
func (m *M365) fail(status int, code, message string) answer {
	id := m.uuid()
	return m.json(status, map[string]any{"error": map[string]any{
		"code": code, "message": message,
		"innerError": map[string]string{"date": m.now().UTC().Format("2006-01-02T15:04:05"), "request-id": id, "client-request-id": id},
	}})
}

func (m *M365) json(status int, document any) answer {
	ans := jsonAnswer(status, "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8", document)
	ans.header.Set("request-id", m.uuid())
	return ans
}

// tooMany is told in Retry-After, in seconds.
// https://learn.microsoft.com/en-us/graph/throttling (checked 2026-11-22)
func (m *M365) tooMany(wait time.Duration) answer {
	ans := m.fail(http.StatusTooManyRequests, "TooManyRequests", "Too many requests. Please retry after the time given in Retry-After.")
	ans.header.Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	return ans
}

func (m *M365) broken() answer {
	return m.fail(http.StatusInternalServerError, "generalException", "An unspecified error has occurred.")
}

func (m *M365) unknown(r *http.Request, method bool) answer {
	if method {
		return m.fail(http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
	}
	return m.fail(http.StatusBadRequest, "BadRequest", "Resource not found for the segment '"+r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]+"'.")
}

func (m *M365) applies(kind Kind, r *http.Request) bool {
	switch kind {
	case InvalidGrant, SlowToken:
		return r.URL.Path == entraToken
	case ExpiredCursor:
		return r.URL.Query().Has("$skiptoken")
	case ExpiredToken:
		return strings.HasPrefix(r.URL.Path, "/v1.0/")
	case RevokedGrant:
		return strings.HasPrefix(r.URL.Path, "/v1.0/") || r.URL.Path == entraToken
	}
	return true
}

func (m *M365) refuse(kind Kind, r *http.Request) (answer, bool) {
	switch kind {
	case InvalidGrant:
		m.grants.record(r.PostForm, m.now()).Error = "invalid_grant"
		ans, _ := m.no(badRefresh)
		return ans, true
	case ExpiredCursor:
		return m.badSkipToken(), true
	case ExpiredToken:
		clear(m.grants.access)
	case RevokedGrant:
		m.grants.revokeAll()
	}
	return answer{}, false
}

// permit checks the bearer token, and that its permissions hold one of each
// group: "AuditLog.Read.All", "User.Read|User.ReadBasic.All".
func (m *M365) permit(r *http.Request, code string, groups ...string) *answer {
	granted, sent, good := m.bearer(r)
	if !good {
		text := "Lifetime validation failed, the token is expired."
		if !sent {
			text = "Access token is empty."
		}
		ans := m.fail(http.StatusUnauthorized, "InvalidAuthenticationToken", text)
		ans.header.Set("WWW-Authenticate", `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`)
		return &ans
	}
	for _, group := range groups {
		if !slices.ContainsFunc(strings.Split(group, "|"), func(p string) bool { return slices.Contains(granted.scopes, p) }) {
			text := "Insufficient privileges to complete the operation."
			if code != "Authorization_RequestDenied" {
				text = "The principal does not have required Microsoft Graph permission(s): " + group + " to call this API. For more information about Microsoft Graph permissions, please visit https://learn.microsoft.com/graph/permissions-overview."
			}
			ans := m.fail(http.StatusForbidden, code, text)
			return &ans
		}
	}
	return nil
}

// organization is the token's own, whatever the caller had in mind.
// https://learn.microsoft.com/en-us/graph/api/organization-list (checked 2026-11-22)
func (m *M365) organization(r *http.Request) answer {
	if refusal := m.permit(r, "Authorization_RequestDenied", "User.Read|Organization.Read.All|Directory.Read.All"); refusal != nil {
		return *refusal
	}
	return m.json(http.StatusOK, map[string]any{
		"@odata.context": graphOrigin + "/v1.0/$metadata#organization", "value": []any{map[string]any{"id": entraTenant, "displayName": "Contoso – Köln"}},
	})
}

var graphByAddress = regexp.MustCompile(`^mail eq '((?:[^']|'')*)' or userPrincipalName eq '((?:[^']|'')*)'$`)

// graphBasic is what User.ReadBasic.All shows of others.
// https://learn.microsoft.com/en-us/graph/permissions-reference#userreadbasicall (checked 2026-11-22)
func graphBasic() []string {
	return []string{"id", "displayName", "givenName", "surname", "mail", "userPrincipalName"}
}

// users answers the one filter that a look-up by address needs; every other is
// refused. Members that the permission does not reach are refused as a whole.
// https://learn.microsoft.com/en-us/graph/api/user-list (checked 2026-11-22)
func (m *M365) users(r *http.Request) answer {
	const denied = "Authorization_RequestDenied"
	if refusal := m.permit(r, denied, "User.ReadBasic.All|User.Read.All|Directory.Read.All"); refusal != nil {
		return *refusal
	}
	q := r.URL.Query()
	selected := strings.Split(q.Get("$select"), ",")
	if slices.ContainsFunc(selected, func(name string) bool { return !slices.Contains(graphBasic(), name) }) {
		if refusal := m.permit(r, denied, "User.Read.All|Directory.Read.All"); refusal != nil {
			return *refusal
		}
	}
	terms := graphByAddress.FindStringSubmatch(q.Get("$filter"))
	if terms == nil || terms[1] != terms[2] {
		return m.fail(http.StatusBadRequest, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified for property of resource 'User'.")
	}
	found := []any{}
	for _, u := range m.options.Users {
		mail, address := cmp.Or(m.options.Mail[u.ID], u.Login), strings.ReplaceAll(terms[1], "''", "'")
		if strings.EqualFold(u.Login, address) || strings.EqualFold(mail, address) {
			all := map[string]any{
				"id": u.ID, "displayName": u.First + " " + u.Last, "givenName": u.First, "surname": u.Last,
				"mail": mail, "userPrincipalName": u.Login, "accountEnabled": u.Status == "true",
			}
			member := map[string]any{}
			for _, name := range selected {
				member[name] = all[name]
			}
			found = append(found, member)
		}
	}
	return m.json(http.StatusOK, map[string]any{"@odata.context": graphOrigin + "/v1.0/$metadata#users", "value": found})
}
