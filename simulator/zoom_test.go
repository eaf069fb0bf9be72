package simulator_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/simulator"
)

const zoomAccount = "5iMuLaTeDaCcOuNtZoOm_1"

func (w *world) zoom(path, bearer string) reply {
	return w.at("zoom.localhost", http.MethodGet, path, bearer, "")
}

// zoomToken asks for a token, with the client's secret in the header if it is not
// empty.
func zoomToken(w *world, id, secret string, form url.Values, query string) reply {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/oauth/token"+query, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Host = "zoom.localhost"
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if secret != "" {
		req.SetBasicAuth(id, secret)
	}
	return w.send(req)
}

func zoomSignIn(w *world) string {
	w.t.Helper()
	id, secret := w.Zoom().Client()
	got := zoomToken(w, id, secret, url.Values{"grant_type": {"account_credentials"}, "account_id": {zoomAccount}}, "")
	if got.status != http.StatusOK {
		w.t.Fatalf("%d %s", got.status, got.body)
	}
	return parse[tokens](w.t, got.body).Access
}

func TestZoomTokens(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	id, secret := w.Zoom().Client()
	good := url.Values{"grant_type": {"account_credentials"}, "account_id": {zoomAccount}}
	const client, request = `{"error":"invalid_client","reason":"Invalid client_id or client_secret"}`, `{"error":"invalid_request","reason":"Bad Request"}`
	for name, c := range map[string]struct {
		id, secret string
		form       url.Values
		query      string
		body       string
	}{
		"wrong secret":          {id, "wrong", good, "", client},
		"unknown client":        {"x", secret, good, "", client},
		"secret in the body":    {"", "", with(good, "client_id", id, "client_secret", secret), "", `{"error":"invalid_client","reason":"Client ID or client secret is missing."}`},
		"another account":       {id, secret, with(good, "account_id", "other"), "", request},
		"no account":            {id, secret, with(good, "account_id", ""), "", request},
		"account in the query":  {id, secret, url.Values{"grant_type": {"account_credentials"}}, "?account_id=" + zoomAccount, request},
		"client credentials":    {id, secret, url.Values{"grant_type": {"client_credentials"}}, "", `{"error":"unsupported_grant_type","reason":"unsupported grant type"}`},
		"without a grant type":  {id, secret, with(good, "grant_type", ""), "", `{"error":"invalid_request","reason":"Missing grant type."}`},
		"a refresh token":       {id, secret, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}}, "", `{"error":"invalid_grant","reason":"Invalid grant"}`},
		"an authorization code": {id, secret, url.Values{"grant_type": {"authorization_code"}, "code": {"x"}}, "", `{"error":"invalid_grant","reason":"Invalid grant"}`},
	} {
		if got := zoomToken(w, c.id, c.secret, c.form, c.query); got.status != http.StatusBadRequest || got.body != c.body {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	got := parse[map[string]any](t, zoomToken(w, id, secret, good, "").body)
	delete(got, "access_token")
	want := map[string]any{
		"token_type": "bearer", "expires_in": 3600.0, "api_url": "https://api.zoom.us",
		"scope": "report:read:user_activities:admin report:read:operation_logs:admin user:read:email:admin user:read:user:admin",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestZoomPermission(t *testing.T) {
	t.Parallel()
	const activities, operations = "/v2/report/activities?from=2026-11-22&to=2026-11-22", "/v2/report/operationlogs?from=2026-11-22&to=2026-11-22"
	w := start(t, simulator.Options{Zoom: simulator.ZoomOptions{Scopes: []string{"report:read:user_activities:admin"}, PerSecond: -1}})
	token := zoomSignIn(w)
	const empty = `{"from":"2026-11-22","to":"2026-11-22","page_size":30,"next_page_token":"","activity_logs":[]}`
	for name, c := range map[string]struct {
		path, token string
		status      int
		body        string
	}{
		"no token":         {activities, "", 401, `{"code":124,"message":"Invalid access token."}`},
		"an unknown token": {activities, "x", 401, `{"code":124,"message":"Invalid access token."}`},
		"empty":            {activities, token, 200, empty},
		"without scope":    {operations, token, 400, `{"code":4711,"message":"Invalid access token, does not contain scopes:[report:read:operation_logs:admin]."}`},
		"users":            {"/v2/users/me", token, 400, `{"code":4711,"message":"Invalid access token, does not contain scopes:[user:read:user:admin]."}`},
		"without days":     {"/v2/report/activities", token, 400, ""},
		"a time as a day":  {"/v2/report/activities?from=2026-11-22T00:00:00Z&to=2026-11-22", token, 400, ""},
		"turned round":     {"/v2/report/activities?from=2026-11-22&to=2026-11-21", token, 400, ""},
		"over a month":     {"/v2/report/activities?from=2026-10-21&to=2026-11-22", token, 400, ""},
		"too long ago":     {"/v2/report/activities?from=2026-04-01&to=2026-04-02", token, 400, ""},
		"too large a page": {activities + "&page_size=301", token, 400, `{"code":300,"errors":[{"field":"page_size","message":"Invalid field."}],"message":"Validation Failed."}`},
		"a made up page":   {activities + "&next_page_token=x", token, 400, `{"code":300,"message":"The next page token is invalid or expired."}`},
	} {
		if got := w.zoom(c.path, c.token); got.status != c.status || c.body != "" && got.body != c.body {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	w.clock.Advance(time.Hour + time.Second)
	if got := w.zoom(activities, token); got.status != http.StatusUnauthorized {
		t.Errorf("an hour later: %d", got.status)
	}
	w = start(t, simulator.Options{Zoom: simulator.ZoomOptions{NoReports: true}})
	if got := w.zoom(activities, zoomSignIn(w)); got.status != http.StatusBadRequest || got.body != `{"code":200,"message":"No permission."}` {
		t.Errorf("a small plan: %d %s", got.status, got.body)
	}
}

type zoomPage struct {
	Next string                   `json:"next_page_token"`
	Logs []struct{ Email string } `json:"activity_logs"`
}

func TestZoomPages(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Zoom: simulator.ZoomOptions{PerSecond: -1}})
	token := zoomSignIn(w)
	put := func(email string, back time.Duration) {
		at := w.clock.Now().Add(-back).Format("2006-01-02T15:04:05Z")
		err := w.Zoom().Add(simulator.Event{Raw: fmt.Appendf(nil, `{"email":%q,"time":%q,"client_type":"Mac"}`, email, at)})
		if err != nil {
			t.Fatal(err)
		}
	}
	read := func(query string) (string, string) {
		got := w.zoom("/v2/report/activities?"+query, token)
		page := parse[zoomPage](t, got.body)
		var emails []string
		for _, l := range page.Logs {
			emails = append(emails, l.Email)
		}
		return strings.Join(emails, " "), page.Next
	}
	put("b", 2*time.Minute)
	put("c", time.Minute)
	put("a", 3*time.Minute)
	put("yesterday", 24*time.Hour)
	const today = "from=2026-11-22&to=2026-11-22&page_size=2"
	first, next := read(today)
	put("d", 0)
	second, last := read(today + "&next_page_token=" + next)
	if first != "c b" || second != "a" || last != "" {
		t.Errorf("pages %q and %q, then %q", first, second, last)
	}
	if all, _ := read("from=2026-11-21&to=2026-11-22"); all != "d c b a yesterday" {
		t.Errorf("two days: %q", all)
	}
	const refused = `{"code":300,"message":"The next page token is invalid or expired."}`
	if got := w.zoom("/v2/report/activities?from=2026-11-21&to=2026-11-22&next_page_token="+next, token); got.body != refused {
		t.Errorf("a page of other days: %s", got.body)
	}
	w.clock.Advance(15 * time.Minute)
	if got := w.zoom("/v2/report/activities?"+today+"&next_page_token="+next, token); got.status != http.StatusBadRequest || got.body != refused {
		t.Errorf("after 15 minutes: %d %s", got.status, got.body)
	}
}

func TestZoomUsersAndLimit(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Zoom: simulator.ZoomOptions{PerSecond: 2}})
	token := zoomSignIn(w)
	if got := w.zoom("/v2/users/Zoe.Mueller@example.com", token); got.status != http.StatusOK || !strings.Contains(got.body, `"id":"KDcuGIm1QgePTO8WbOqwIQ"`) {
		t.Errorf("by address: %d %s", got.status, got.body)
	}
	if got := w.zoom("/v2/users/nobody@example.com", token); got.status != http.StatusNotFound || got.body != `{"code":1001,"message":"User does not exist: nobody@example.com."}` {
		t.Errorf("nobody: %d %s", got.status, got.body)
	}
	got := w.zoom("/v2/users/me", token)
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "2026-11-22T10:00:01Z" || got.header.Get("X-RateLimit-Type") != "QPS" ||
		got.body != `{"code":429,"message":"You have reached the maximum per-second rate limit for this API. Try again later."}` {
		t.Errorf("%d %v %s", got.status, got.header, got.body)
	}
}
