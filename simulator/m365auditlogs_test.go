package simulator_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"selvedge/simulator"
)

const (
	manageFeed    = "/api/v1.0/9f1c3b7e-52d4-4c1a-8a0b-6d2e4f70a915/activity/feed"
	manageDefault = "https://manage.office.com/.default offline_access"
)

// TestEntraShared: one sign-in server for two applications; a request is whose
// its scope, its code or its refresh token is.
func TestEntraShared(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	graph, manage := w.entraTokens("M365", graphDefault), w.entraTokens("M365AUDITLOGS", manageDefault)
	if want := "https://manage.office.com/ActivityFeed.Read https://manage.office.com/ActivityFeed.ReadDlp https://manage.office.com/ServiceHealth.Read"; manage.Scope != want {
		t.Errorf("scope %q", manage.Scope)
	}
	for path, want := range map[string][2]int{
		"/v1.0/organization":               {200, 401},
		manageFeed + "/subscriptions/list": {401, 200},
	} {
		if got := w.get(path, graph.Access); got.status != want[0] {
			t.Errorf("%s with Graph's token: %d %s", path, got.status, got.body)
		}
		if got := w.get(path, manage.Access); got.status != want[1] {
			t.Errorf("%s with the activity API's token: %d %s", path, got.status, got.body)
		}
	}
	// The server may be known by the name of either.
	form := with(w.refreshForm(manage.Refresh), "client_id", "5e1f0c52-8f4d-4b6e-9d0e-0c6a4e1d2b33", "client_secret", "simulated~m365.client-secret")
	for _, host := range []string{"m365.localhost", "m365auditlogs.localhost", "login.microsoftonline.localhost"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/9f1c3b7e-52d4-4c1a-8a0b-6d2e4f70a915/oauth2/v2.0/token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if got := w.send(req); got.status != http.StatusOK || !strings.Contains(got.body, "manage.office.com") {
			t.Errorf("%s: %d %s", host, got.status, got.body)
		}
	}
	for name, want := range map[string]int{"M365": 1, "M365AUDITLOGS": 4} {
		if got, err := w.TokenRequests(name); err != nil || len(got) != want || !got[0].Answered {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if err := w.Revoke("M365AUDITLOGS"); err != nil {
		t.Fatal(err)
	}
	account, err := w.Account("M365AUDITLOGS")
	if err != nil {
		t.Fatal(err)
	}
	if got := w.do(http.MethodPost, "/"+account.Tenant+"/oauth2/v2.0/token", "", form); got.status != http.StatusBadRequest || !strings.Contains(got.body, "AADSTS700082") {
		t.Errorf("revoked: %d %s", got.status, got.body)
	}
	form.Set("refresh_token", graph.Refresh)
	if got := w.do(http.MethodPost, "/"+account.Tenant+"/oauth2/v2.0/token", "", form); got.status != http.StatusOK {
		t.Errorf("the other's: %d %s", got.status, got.body)
	}
}

func TestManageRules(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{M365AuditLogs: simulator.M365AuditLogsOptions{
		Permissions: []string{"ActivityFeed.Read"}, Enabled: []string{"Audit.Exchange"},
	}})
	token := w.entraTokens("M365AUDITLOGS", manageDefault).Access
	day := w.clock.Now()
	content := manageFeed + "/subscriptions/content?contentType=Audit.Exchange"
	between := func(from, to time.Time) string {
		return content + "&startTime=" + from.Format("2006-01-02T15:04:05") + "&endTime=" + to.Format("2006-01-02T15:04:05")
	}
	for name, c := range map[string]struct {
		method, path string
		status       int
		code         string // empty: success
	}{
		"list":                {"GET", manageFeed + "/subscriptions/list", 200, ""},
		"other tenant":        {"GET", strings.Replace(manageFeed, "9f1c", "0000", 1) + "/subscriptions/list", 401, "AF20010"},
		"no tenant":           {"GET", "/api/v1.0/contoso/activity/feed/subscriptions/list", 400, "AF20013"},
		"publisher":           {"GET", manageFeed + "/subscriptions/list?PublisherIdentifier=x", 400, "AF20002"},
		"on already":          {"POST", manageFeed + "/subscriptions/start?contentType=Audit.Exchange", 400, "AF20024"},
		"start without DLP":   {"POST", manageFeed + "/subscriptions/start?contentType=DLP.All", 401, "AF10001"},
		"start of nothing":    {"POST", manageFeed + "/subscriptions/start", 400, "AF20001"},
		"start of what?":      {"POST", manageFeed + "/subscriptions/start?contentType=Audit.Nope", 400, "AF20020"},
		"not subscribed":      {"GET", manageFeed + "/subscriptions/content?contentType=Audit.General", 400, "AF20022"},
		"default interval":    {"GET", content, 200, ""},
		"a day":               {"GET", between(day.Add(-24*time.Hour), day), 200, ""},
		"more than a day":     {"GET", between(day.Add(-25*time.Hour), day), 400, "AF20055"},
		"backwards":           {"GET", between(day, day.Add(-time.Hour)), 400, "AF20030"},
		"over seven days ago": {"GET", between(day.Add(-170*time.Hour), day.Add(-169*time.Hour)), 400, "AF20055"},
		"start alone":         {"GET", content + "&startTime=2026-11-22", 400, "AF20030"},
		"zones":               {"GET", content + "&startTime=2026-11-21T10:00:00Z&endTime=2026-11-21T11:00:00Z", 400, "AF20030"},
		"dates":               {"GET", content + "&startTime=2026-11-21&endTime=2026-11-22", 200, ""},
		"minutes":             {"GET", content + "&startTime=2026-11-21T10:00&endTime=2026-11-21T11:00", 200, ""},
		"next page":           {"GET", content + "&nextPage=1", 400, "AF20031"},
		"content id":          {"GET", manageFeed + "/audit/x", 400, "AF20052"},
		"no such content":     {"GET", manageFeed + "/audit/1795377600000000000$1$1$Audit_Exchange", 404, "AF20050"},
		"expired content":     {"GET", manageFeed + "/audit/1$1$1$Audit_Exchange", 400, "AF20051"},
		"DLP content":         {"GET", manageFeed + "/audit/1$1$1$DLP_All", 401, "AF10001"},
	} {
		got := w.do(c.method, c.path, token, nil)
		if got.status != c.status || c.code != "" && !strings.Contains(got.body, `{"error":{"code":"`+c.code+`","message":"`) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := w.get(content, ""); got.status != http.StatusUnauthorized {
		t.Errorf("without a token: %d", got.status)
	}
}

type content struct{ ContentURI, ContentCreated, ContentExpiration string }

// TestManageContent: blobs in the order in which they were made, from the start of
// the subscription on, by pages.
func TestManageContent(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{M365AuditLogs: simulator.M365AuditLogsOptions{Enabled: []string{"Audit.Exchange"}, ListMax: 2}})
	token := w.entraTokens("M365AUDITLOGS", manageDefault).Access
	emit := func(stream string, n int, late time.Duration) {
		if _, err := w.M365AuditLogs().EmitTo(stream, n, late); err != nil {
			t.Fatal(err)
		}
	}
	emit("Audit.General", 1, 0)
	w.clock.Advance(time.Minute)
	if got := w.do(http.MethodPost, manageFeed+"/subscriptions/start?contentType=Audit.General", token, nil); got.body != `{"contentType":"Audit.General","status":"enabled","webhook":null}` {
		t.Fatalf("%d %s", got.status, got.body)
	}
	emit("Audit.General", 501, 30*time.Minute)
	w.clock.Advance(time.Second)
	emit("Audit.Exchange", 3, 0)
	emit("Audit.General", 1, 0)
	w.clock.Advance(time.Second)
	got := w.get(manageFeed+"/subscriptions/content?contentType=Audit.General", token)
	first, next := parse[[]content](t, got.body), strings.TrimPrefix(got.header.Get("NextPageUri"), w.url)
	if len(first) != 2 || !strings.HasPrefix(next, "/api/v1/") {
		t.Fatalf("%s, next %s", got.body, next)
	}
	got = w.get(strings.Replace(next, "/api/v1/", "/api/v1.0/", 1), token)
	second := parse[[]content](t, got.body)
	if len(second) != 1 || got.header.Get("NextPageUri") != "" {
		t.Fatalf("%s, next %s", got.body, got.header.Get("NextPageUri"))
	}
	for i, want := range []int{500, 1, 1} {
		c := append(first, second...)[i]
		page := w.get(strings.TrimPrefix(c.ContentURI, w.url), token)
		if n := len(elements(t, page.body)); n != want {
			t.Errorf("content %d: %d records, want %d", i, n, want)
		}
	}
	if got := second[0]; got.ContentCreated != "2026-11-22T10:01:01.000Z" || got.ContentExpiration != "2026-11-29T10:01:01.000Z" {
		t.Errorf("%+v", got)
	}
	if shown, all := len(w.M365AuditLogs().Shown()), len(w.M365AuditLogs().All()); shown != 502 || all != 506 {
		t.Errorf("%d of %d records shown", shown, all)
	}
	w.M365AuditLogs().Stop("Audit.General")
	if got := w.get(manageFeed+"/subscriptions/content?contentType=Audit.General", token); !strings.Contains(got.body, "AF20022") {
		t.Errorf("stopped: %s", got.body)
	}
}

func TestManageRateLimit(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{M365AuditLogs: simulator.M365AuditLogsOptions{PerMinute: 2}})
	token := w.entraTokens("M365AUDITLOGS", manageDefault).Access
	for i, want := range []int{200, 200, 429} {
		got := w.get(manageFeed+"/subscriptions/list", token)
		if got.status != want || want == 429 && !strings.Contains(got.body, `"code":"AF429"`) {
			t.Errorf("call %d: %d %s", i, got.status, got.body)
		}
	}
}
