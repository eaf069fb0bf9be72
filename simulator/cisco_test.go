package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/simulator"
)

const (
	webexScopes = "spark-compliance:events_read audit:events_read spark-admin:people_read"
	webexOrgID  = "Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi82YjBlMmM5NC0zMWY3LTRkNTgtOWMxZS01YTdkOGYyMDRiMzY"
)

func (w *world) webexQuery(scope string) url.Values {
	id, _ := w.Cisco().Client()
	return url.Values{"client_id": {id}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {scope}, "state": {"s"}}
}

// webexForm consents and returns a good request for tokens.
func (w *world) webexForm(scope string) url.Values {
	w.t.Helper()
	back, err := w.Cisco().Approve(w.t.Context(), w.http, w.url+"/v1/authorize?"+w.webexQuery(scope).Encode())
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil || u.Query().Get("code") == "" {
		w.t.Fatalf("came back to %s: %v", back, err)
	}
	id, secret := w.Cisco().Client()
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {callback},
		"client_id": {id}, "client_secret": {secret},
	}
}

func (w *world) webexToken(scope string) string {
	w.t.Helper()
	got := w.do(http.MethodPost, "/v1/access_token", "", w.webexForm(scope))
	if got.status != http.StatusOK {
		w.t.Fatalf("token request: %d %s", got.status, got.body)
	}
	return parse[tokens](w.t, got.body).Access
}

func TestWebexSignIn(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	for name, change := range map[string][]string{
		"scopes by comma": {"scope", strings.ReplaceAll(webexScopes, " ", ",")},
		"other scope":     {"scope", webexScopes + " spark:all"},
		"no scope":        {"scope", ""},
		"implicit":        {"response_type", "token"},
	} {
		got := w.get("/v1/authorize?"+with(w.webexQuery(webexScopes), change...).Encode(), "")
		if !strings.Contains(got.header.Get("Location"), "error=") {
			t.Errorf("%s: %d %s", name, got.status, got.header.Get("Location"))
		}
	}
	for name, c := range map[string]struct {
		change []string
		status int
		code   string
	}{
		"good":            {nil, 200, ""},
		"wrong secret":    {[]string{"client_secret", "x"}, 401, "invalid_client"},
		"no secret":       {[]string{"client_secret", ""}, 400, "invalid_request"},
		"unknown client":  {[]string{"client_id", "x"}, 401, "invalid_client"},
		"unknown code":    {[]string{"code", "x"}, 400, "invalid_grant"},
		"other redirect":  {[]string{"redirect_uri", callback + "/"}, 400, "invalid_grant"},
		"no grant type":   {[]string{"grant_type", ""}, 400, "invalid_request"},
		"unknown refresh": {[]string{"grant_type", "refresh_token", "refresh_token", "x"}, 400, "invalid_grant"},
	} {
		got := w.do(http.MethodPost, "/v1/access_token", "", with(w.webexForm(webexScopes), c.change...))
		if got.status != c.status || c.code != "" && !strings.Contains(got.body, `"error":"`+c.code+`"`) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	form := w.webexForm(webexScopes)
	first := w.do(http.MethodPost, "/v1/access_token", "", form)
	granted := parse[tokens](t, first.body)
	if granted.Expires != 1209600 || !strings.Contains(first.body, `"refresh_token_expires_in":7776000`) {
		t.Errorf("%s", first.body)
	}
	if got := w.do(http.MethodPost, "/v1/access_token", "", form); got.status != http.StatusBadRequest {
		t.Errorf("the code again: %d", got.status)
	}
	refresh := with(form, "grant_type", "refresh_token", "refresh_token", granted.Refresh, "code", "")
	for range 2 {
		got := w.do(http.MethodPost, "/v1/access_token", "", refresh)
		if got.status != http.StatusOK || parse[tokens](t, got.body).Refresh != granted.Refresh {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	w.clock.Advance(91 * 24 * time.Hour)
	if got := w.do(http.MethodPost, "/v1/access_token", "", refresh); got.status != http.StatusBadRequest {
		t.Errorf("after 91 days: %d", got.status)
	}
}

func TestWebexRules(t *testing.T) {
	t.Parallel()
	const bounds = "&from=2026-11-21T10:00:00.000Z&to=2026-11-22T11:00:00.000Z"
	const admin, security = "/v1/adminAudit/events?orgId=" + webexOrgID, "/v1/admin/securityAudit/events?orgId=" + webexOrgID
	for name, c := range map[string]struct {
		options      simulator.CiscoOptions
		scopes, path string
		status       int
		message      string
	}{
		"admin":              {simulator.CiscoOptions{}, "audit:events_read", admin + bounds, 200, ""},
		"no organization":    {simulator.CiscoOptions{}, webexScopes, "/v1/adminAudit/events?x=1" + bounds, 400, "Required request parameter 'orgId'"},
		"other organization": {simulator.CiscoOptions{}, webexScopes, "/v1/adminAudit/events?orgId=x" + bounds, 403, "may not manage"},
		"no upper bound":     {simulator.CiscoOptions{}, webexScopes, admin + "&from=2026-11-21T10:00:00.000Z", 400, "Required request parameter 'to'"},
		"other names":        {simulator.CiscoOptions{}, webexScopes, security + bounds, 400, "Required request parameter 'startTime'"},
		"no milliseconds":    {simulator.CiscoOptions{}, webexScopes, admin + "&from=2026-11-21&to=2026-11-22", 400, "must be a date and time"},
		"over a year":        {simulator.CiscoOptions{}, webexScopes, admin + "&from=2024-11-21T10:00:00.000Z&to=2026-11-22T11:00:00.000Z", 400, "longer than a year"},
		"large page":         {simulator.CiscoOptions{}, webexScopes, admin + bounds + "&max=201", 400, "max parameter"},
		"cursor of others":   {simulator.CiscoOptions{}, webexScopes, "/v1/events?resource=memberships&cursor=x", 400, "cursor is invalid"},
		"until tomorrow":     {simulator.CiscoOptions{}, webexScopes, "/v1/events?resource=memberships&from=2026-11-21T11:00:00.000Z&to=2026-11-23T11:00:00.000Z", 400, "must not be in the future"},
		"until now":          {simulator.CiscoOptions{}, webexScopes, "/v1/events?resource=memberships&to=2026-11-22T10:00:00.000Z", 200, ""},
		"missing scope":      {simulator.CiscoOptions{}, "spark-admin:people_read", admin + bounds, 403, "Missing required scopes"},
		"compliance scope":   {simulator.CiscoOptions{}, "audit:events_read", "/v1/events?resource=memberships", 403, "Missing required scopes"},
		"no officer":         {simulator.CiscoOptions{NoOfficer: true}, webexScopes, "/v1/events?resource=memberships", 403, "compliance officer"},
		"no sign-ins":        {simulator.CiscoOptions{NoLogins: true}, webexScopes, security, 403, "not allowed"},
		"people":             {simulator.CiscoOptions{}, webexScopes, "/v1/people?email=zoe.mueller%40example.com", 200, ""},
		"no address":         {simulator.CiscoOptions{}, webexScopes, "/v1/people?email=x", 400, "Invalid email address"},
		"me without scope":   {simulator.CiscoOptions{}, "audit:events_read", "/v1/people/me", 403, "Missing required scopes"},
	} {
		w := start(t, simulator.Options{Cisco: c.options})
		got := w.get(c.path, w.webexToken(c.scopes))
		var document struct {
			Message  string
			Tracking string `json:"trackingId"`
			Errors   []struct{ Description string }
		}
		if c.status != http.StatusOK {
			document = parse[struct {
				Message  string
				Tracking string `json:"trackingId"`
				Errors   []struct{ Description string }
			}](t, got.body)
		}
		if got.status != c.status || !strings.Contains(document.Message, c.message) || c.message != "" && (document.Tracking == "" || len(document.Errors) != 1) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	w := start(t, simulator.Options{})
	if got := w.get(admin+bounds, "x"); got.status != http.StatusUnauthorized || !strings.Contains(got.body, "requires a valid access token") {
		t.Errorf("unknown token: %d %s", got.status, got.body)
	}
}

func TestWebexPages(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	token := w.webexToken(webexScopes)
	for i := range 3 {
		at := w.clock.Now().Add(-time.Duration(3-i) * time.Minute).Format("2006-01-02T15:04:05.000Z")
		err := w.Cisco().Add(simulator.Event{Raw: fmt.Appendf(nil, `{"id":"%d","created":%q,"data":{}}`, i, at)},
			simulator.Event{Raw: fmt.Appendf(nil, `{"id":"a%d","created":%q,"data":{"targetType":"ORG"}}`, i, at)})
		if err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string][]string{
		"/v1/adminAudit/events?orgId=" + webexOrgID + "&from=2026-11-22T09:57:00.000Z&to=2026-11-22T10:00:00.000Z&max=1":                    {"a2", "a1"},
		"/v1/admin/securityAudit/events?orgId=" + webexOrgID + "&startTime=2026-11-22T09:56:59.999Z&endTime=2026-11-22T09:59:00.000Z&max=1": {"1", "0"},
	} {
		var got []string
		for path != "" {
			page := w.get(path, token)
			for _, raw := range parse[struct{ Items []json.RawMessage }](t, page.body).Items {
				got = append(got, parse[struct{ ID string }](t, string(raw)).ID)
			}
			path = strings.TrimPrefix(next(page.header), w.url)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestWebexRateLimit(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Cisco: simulator.CiscoOptions{PerMinute: 3}})
	token := w.webexToken(webexScopes)
	w.clock.Advance(15 * time.Second)
	for i, want := range []int{200, 200, 429} {
		got := w.get("/v1/people/me", token)
		if got.status != want || want == 429 && got.header.Get("Retry-After") != "45" {
			t.Errorf("call %d: %d %v", i, got.status, got.header)
		}
	}
}
