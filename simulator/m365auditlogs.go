package simulator

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	manageOrigin = "https://manage.office.com"
	manageHost   = "manage.office.com"
	managePath   = "/api/v1.0/{tenant}/activity/feed"
)

// M365AuditLogsOptions configures the Office 365 Management Activity API of the
// simulated tenant.
type M365AuditLogsOptions struct {
	ClientID, ClientSecret string   // defaults: those of [M365Options]
	RedirectURIs           []string // registered redirect addresses, compared whole; empty: any loopback address
	Users                  []User   // the first one signs in unless another is chosen; default: a small company

	// Permissions of the API that were consented to; default: the three that it
	// has.
	Permissions []string
	// Enabled are the content types whose subscription is on from the start;
	// nil: all but DLP.All.
	Enabled []string

	AccessLife time.Duration // default: an hour
	PerMinute  int           // requests per minute; 0: 2000, as documented; negative: no limit
	ListMax    int           // blobs that one answer of the list has; 0: 200
}

// M365AuditLogs is the Office 365 Management Activity API of a simulated tenant.
type M365AuditLogs struct {
	*app
	entra
	options       M365AuditLogsOptions
	subscriptions map[string]time.Time // on since
	disabled      map[string]bool      // had one that somebody disabled
}

func manageTypes() []string {
	return []string{"Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All"}
}

func newM365AuditLogs(options Options) *M365AuditLogs {
	m := &M365AuditLogs{options: options.M365AuditLogs, subscriptions: map[string]time.Time{}, disabled: map[string]bool{}}
	set := &m.options
	if set.ClientID == "" {
		set.ClientID, set.ClientSecret = "5e1f0c52-8f4d-4b6e-9d0e-0c6a4e1d2b33", "simulated~m365.client-secret"
	}
	if set.PerMinute == 0 {
		set.PerMinute = 2000
	}
	if set.ListMax == 0 {
		set.ListMax = 200
	}
	if len(set.Users) == 0 {
		set.Users = entraCompany()
	}
	if len(set.Permissions) == 0 {
		set.Permissions = []string{"ActivityFeed.Read", "ActivityFeed.ReadDlp", "ServiceHealth.Read"}
	}
	if set.Enabled == nil {
		set.Enabled = manageTypes()[:4]
	}
	for _, kind := range set.Enabled {
		m.subscriptions[kind] = time.Time{}
	}
	// https://learn.microsoft.com/en-us/office/office-365-management-api/office-365-management-activity-api-reference#api-throttling
	// (checked 2026-11-22): 2,000 requests per minute for each tenant.
	m.app = newApp("M365AUDITLOGS", "m365auditlogs.localhost", options, &limiter{limit: set.PerMinute, window: time.Minute})
	c := newComposer(set.Users)
	m.composers = c.manageComposers()
	m.compose = func(rng *rand.Rand, at time.Time) []byte { return m.composers[pick(rng, manageTypes()...)](rng, at) }
	m.tell = tellManage
	m.entra = entra{signIn: signIn{app: m.app, grants: newGrants(m.mint)}, resource: manageOrigin, registered: set.Permissions}
	m.provider = m.rules(set.ClientID, set.ClientSecret, set.RedirectURIs, set.Users)
	m.begin(set.AccessLife)
	m.serve(m, append(m.routes(),
		route{method: http.MethodPost, path: managePath + "/subscriptions/start", limited: true, handle: m.startSubscription}.on(manageHost),
		route{method: http.MethodPost, path: managePath + "/subscriptions/stop", limited: true, handle: m.stopSubscription}.on(manageHost),
		route{method: http.MethodGet, path: managePath + "/subscriptions/list", limited: true, handle: m.listSubscriptions}.on(manageHost),
		route{method: http.MethodGet, path: managePath + "/subscriptions/content", limited: true, handle: m.listContent}.on(manageHost),
		route{method: http.MethodGet, path: managePath + "/audit/{content}", limited: true, handle: m.content}.on(manageHost),
	))
	return m
}

// Account is the tenant with its registered application.
func (m *M365AuditLogs) Account() Account {
	return Account{
		Tenant: entraTenant, Origins: []string{manageOrigin, "https://" + entraHost},
		ClientID: m.options.ClientID, ClientSecret: m.options.ClientSecret, Consent: true,
	}
}

// fail is the API's error document. Which HTTP status goes with which code is
// documented for none of them.
// https://learn.microsoft.com/en-us/office/office-365-management-api/office-365-management-activity-api-reference#errors (checked 2026-11-22)
func (m *M365AuditLogs) fail(status int, code, message string) answer {
	return m.json(status, map[string]any{"error": map[string]string{"code": code, "message": message}})
}

func (m *M365AuditLogs) json(status int, document any) answer {
	return jsonAnswer(status, "application/json; charset=utf-8", document)
}

// tooMany has code AF429; that it says how long to wait is unverified.
func (m *M365AuditLogs) tooMany(wait time.Duration) answer {
	ans := m.fail(http.StatusTooManyRequests, "AF429", "Too many requests. Method=GetBlob, PublisherId="+entraTenant)
	ans.header.Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	return ans
}

func (m *M365AuditLogs) broken() answer {
	return m.fail(http.StatusInternalServerError, "AF50000", "An internal error occurred. Retry the request.")
}

func (m *M365AuditLogs) unknown(*http.Request, bool) answer {
	return m.json(http.StatusNotFound, map[string]string{"Message": "No HTTP resource was found that matches the request URI."})
}

func (m *M365AuditLogs) applies(kind Kind, r *http.Request) bool {
	api := strings.HasPrefix(r.URL.Path, "/api/")
	switch kind {
	case InvalidGrant, SlowToken:
		return r.URL.Path == entraToken
	case ExpiredCursor:
		return api && (strings.HasSuffix(r.URL.Path, "/content") || strings.Contains(r.URL.Path, "/audit/"))
	case ExpiredToken:
		return api
	case RevokedGrant:
		return api || r.URL.Path == entraToken
	}
	return true
}

func (m *M365AuditLogs) refuse(kind Kind, r *http.Request) (answer, bool) {
	switch kind {
	case InvalidGrant:
		m.grants.record(r.PostForm, m.now()).Error = "invalid_grant"
		ans, _ := m.no(badRefresh)
		return ans, true
	case ExpiredCursor:
		if q := r.URL.Query(); q.Has("nextPage") {
			return m.badNextPage(q.Get("nextPage")), true
		} else if q.Has("contentType") {
			return m.badInterval("AF20055"), true
		}
		return m.expiredContent(r.PathValue("content")), true
	case ExpiredToken:
		clear(m.grants.access)
	case RevokedGrant:
		m.grants.revokeAll()
	}
	return answer{}, false
}

var manageGUID = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// permit checks the bearer token, its permission, the tenant of the path and the
// publisher. Without a good token the answer is the web server's, not the API's
// (its wording is unverified).
func (m *M365AuditLogs) permit(r *http.Request, permission string) *answer {
	refuse := func(status int, code, message string) *answer {
		ans := m.fail(status, code, message)
		return &ans
	}
	granted, _, good := m.bearer(r)
	tenant := r.PathValue("tenant")
	publisher := r.URL.Query().Get("PublisherIdentifier")
	switch {
	case !good:
		ans := m.json(http.StatusUnauthorized, map[string]string{"Message": "Authorization has been denied for this request."})
		ans.header.Set("WWW-Authenticate", "Bearer")
		return &ans
	case !manageGUID.MatchString(tenant):
		return refuse(http.StatusBadRequest, "AF20013", "The tenant ID passed in the URL ("+tenant+") is not a valid GUID.")
	case !strings.EqualFold(tenant, entraTenant):
		return refuse(http.StatusUnauthorized, "AF20010", "The tenant ID passed in the URL ("+tenant+") does not match the tenant ID passed in the access token ("+entraTenant+").")
	case !slices.Contains(granted.scopes, permission):
		return refuse(http.StatusUnauthorized, "AF10001", "The permission set ("+strings.Join(granted.scopes, " ")+") sent in the request does not include the expected permission.")
	case publisher != "" && !manageGUID.MatchString(publisher):
		return refuse(http.StatusBadRequest, "AF20002", "Invalid parameter type: PublisherIdentifier. Expected type: guid")
	}
	return nil
}

// typed checks the request and its content type, which needs a permission of its
// own for data loss prevention.
func (m *M365AuditLogs) typed(r *http.Request) (string, *answer) {
	kind, permission := r.URL.Query().Get("contentType"), "ActivityFeed.Read"
	if kind == "DLP.All" {
		permission = "ActivityFeed.ReadDlp"
	}
	if refusal := m.permit(r, permission); refusal != nil {
		return "", refusal
	}
	var ans answer
	switch {
	case kind == "":
		ans = m.fail(http.StatusBadRequest, "AF20001", "Missing parameter: contentType.")
	case !slices.Contains(manageTypes(), kind):
		ans = m.fail(http.StatusBadRequest, "AF20020", "The specified content type is not valid.")
	default:
		return kind, nil
	}
	return "", &ans
}

func (m *M365AuditLogs) startSubscription(r *http.Request) answer {
	kind, refusal := m.typed(r)
	if refusal != nil {
		return *refusal
	}
	if _, on := m.subscriptions[kind]; on {
		return m.fail(http.StatusBadRequest, "AF20024", "The subscription is already enabled. No property change.")
	}
	m.subscriptions[kind] = m.now()
	delete(m.disabled, kind)
	return m.json(http.StatusOK, map[string]any{"contentType": kind, "status": "enabled", "webhook": nil})
}

func (m *M365AuditLogs) stopSubscription(r *http.Request) answer {
	kind, refusal := m.typed(r)
	if refusal != nil {
		return *refusal
	}
	delete(m.subscriptions, kind)
	return newAnswer(http.StatusOK, "application/json; charset=utf-8", nil)
}

func (m *M365AuditLogs) listSubscriptions(r *http.Request) answer {
	if refusal := m.permit(r, "ActivityFeed.Read"); refusal != nil {
		return *refusal
	}
	list := []any{}
	for _, kind := range manageTypes() {
		status := "enabled"
		if m.disabled[kind] {
			status = "disabled"
		} else if _, on := m.subscriptions[kind]; !on {
			continue
		}
		list = append(list, map[string]any{"contentType": kind, "status": status, "webhook": nil})
	}
	return m.json(http.StatusOK, list)
}

// Stop ends the subscription of a content type, as somebody else might.
func (m *M365AuditLogs) Stop(contentType string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.subscriptions, contentType)
}

// Disable ends the subscription of a content type as an administrator does:
// it stays in the list, and starting it takes it up again (unverified).
func (m *M365AuditLogs) Disable(contentType string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.subscriptions, contentType)
	m.disabled[contentType] = true
}

// next is the query of the next page.
func (m *M365AuditLogs) nextPage(kind string, from, to time.Time, skip int) string {
	form := url.Values{
		"contentType": {kind}, "startTime": {from.Format(manageSeconds)}, "endTime": {to.Format(manageSeconds)},
		"nextPage": {m.sealPage(skip)},
	}
	return form.Encode()
}
