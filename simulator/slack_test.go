package simulator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/simulator"
)

const slackScopes = "auditlogs:read,users:read.email,users:read"

func (w *world) slackQuery() url.Values {
	id, _ := w.Slack().Client()
	return url.Values{"client_id": {id}, "redirect_uri": {callback}, "user_scope": {slackScopes}, "state": {"state-1"}}
}

// slackCode signs in and returns what the browser is sent back with.
func (w *world) slackBack(query url.Values) url.Values {
	w.t.Helper()
	back, err := w.Approve(w.t.Context(), "SLACK", w.http, w.url+"/oauth/v2/authorize?"+query.Encode())
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil {
		w.t.Fatal(err)
	}
	return u.Query()
}

func (w *world) slackCode() string { return w.slackBack(w.slackQuery()).Get("code") }

// slackToken sends a token request with the client's id and secret as Basic.
func (w *world) slackToken(form url.Values) reply {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/api/oauth.v2.access", strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !form.Has("client_id") {
		req.SetBasicAuth(w.Slack().Client())
	}
	return w.send(req)
}

type slackTokens struct {
	OK     bool   `json:"ok"`
	Error  string `json:"error"`
	Access string `json:"access_token"`
	Type   string `json:"token_type"`
	User   struct {
		ID      string `json:"id"`
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Scope   string `json:"scope"`
		Type    string `json:"token_type"`
		Expires int    `json:"expires_in"`
	} `json:"authed_user"`
	Refresh    string `json:"refresh_token"`
	Scope      string `json:"scope"`
	Enterprise struct {
		ID string `json:"id"`
	} `json:"enterprise"`
	Install bool `json:"is_enterprise_install"`
}

func (w *world) slackConnect() slackTokens {
	w.t.Helper()
	got := parse[slackTokens](w.t, w.slackToken(url.Values{"code": {w.slackCode()}, "redirect_uri": {callback}}).body)
	if !got.OK || got.User.Access == "" {
		w.t.Fatalf("%+v", got)
	}
	return got
}

func TestSlackAuthorize(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	for name, c := range map[string]struct {
		query url.Values
		code  string
	}{
		"scopes between spaces":       {with(w.slackQuery(), "user_scope", "auditlogs:read users:read"), "invalid_scope"},
		"scopes in scope":             {with(w.slackQuery(), "user_scope", "", "scope", slackScopes), "invalid_scope"},
		"no scopes":                   {with(w.slackQuery(), "user_scope", ""), "invalid_scope"},
		"a scope that the app lacks":  {with(w.slackQuery(), "user_scope", slackScopes+",admin"), "invalid_scope"},
		"PKCE for an app without it":  {with(w.slackQuery(), "code_challenge", "x", "code_challenge_method", "S256"), "pkce_not_allowed"},
		"an empty scope between many": {with(w.slackQuery(), "user_scope", "auditlogs:read,,users:read"), "invalid_scope"},
	} {
		if back := w.slackBack(c.query); back.Get("error") != c.code || back.Get("state") != "state-1" {
			t.Errorf("%s: %v", name, back)
		}
	}
	for _, query := range []url.Values{with(w.slackQuery(), "client_id", "x"), with(w.slackQuery(), "redirect_uri", "https://evil.example/")} {
		if got := w.get("/oauth/v2/authorize?"+query.Encode(), ""); got.status != http.StatusOK || !strings.Contains(got.body, "Something went wrong") {
			t.Errorf("%v: %d %s", query, got.status, got.body)
		}
	}
	back, err := w.Deny(t.Context(), "SLACK", w.http, w.url+"/oauth/v2/authorize?"+w.slackQuery().Encode())
	if err != nil || !strings.Contains(back, "error=access_denied") {
		t.Errorf("%s, %v", back, err)
	}
}

func TestSlackToken(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	id, secret := w.Slack().Client()
	code := func() url.Values { return url.Values{"code": {w.slackCode()}, "redirect_uri": {callback}} }
	for name, c := range map[string]struct {
		form url.Values
		code string
	}{
		"no secret":            {with(code(), "client_id", id), "bad_client_secret"},
		"wrong secret":         {with(code(), "client_id", id, "client_secret", "x"), "bad_client_secret"},
		"unknown client":       {with(code(), "client_id", "x", "client_secret", secret), "invalid_client_id"},
		"unknown code":         {with(code(), "code", "x"), "invalid_code"},
		"other redirect":       {with(code(), "redirect_uri", callback+"/"), "bad_redirect_uri"},
		"no redirect":          {with(code(), "redirect_uri", ""), "bad_redirect_uri"},
		"unknown grant":        {with(code(), "grant_type", "password"), "invalid_grant_type"},
		"nothing":              {url.Values{}, "invalid_code"},
		"unknown refresh":      {url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}}, "invalid_refresh_token"},
		"secret in the body":   {with(code(), "client_id", id, "client_secret", secret), ""},
		"secret as Basic":      {code(), ""},
		"with its grant type":  {with(code(), "grant_type", "authorization_code"), ""},
		"a bearer token alone": {with(code(), "client_id", id, "token", "x"), "bad_client_secret"},
	} {
		got := w.slackToken(c.form)
		if want := fmt.Sprintf(`{"error":%q,"ok":false}`, c.code); c.code != "" && (got.status != http.StatusOK || got.body != want) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		} else if c.code == "" && !parse[slackTokens](t, got.body).OK {
			t.Errorf("%s: %s", name, got.body)
		}
	}
	first := w.slackConnect()
	if first.Access != "" || first.User.ID != "W01ADA0K4F0R" || first.User.Scope != slackScopes || first.User.Type != "user" ||
		first.User.Expires != 43200 || !first.Install || first.Enterprise.ID == "" || !strings.HasPrefix(first.User.Access, "xoxe.xoxp-1-") {
		t.Errorf("%+v", first)
	}
	// A refresh answers at the top, and takes each token once.
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.User.Refresh}}
	second := parse[slackTokens](t, w.slackToken(refresh).body)
	if !second.OK || second.User.Access != "" || second.Type != "user" || second.Access == "" || second.Refresh == first.User.Refresh || second.Scope != slackScopes {
		t.Errorf("%+v", second)
	}
	if got := w.slackToken(refresh); got.body != `{"error":"invalid_refresh_token","ok":false}` {
		t.Errorf("used twice: %s", got.body)
	}
}

func TestSlackWithoutRotation(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Slack: simulator.SlackOptions{NoRotation: true}})
	got := w.slackConnect()
	if got.User.Refresh != "" || got.User.Expires != 0 {
		t.Errorf("%+v", got.User)
	}
	w.clock.Advance(365 * 24 * time.Hour)
	if got := w.get("/audit/v1/logs", got.User.Access); got.status != http.StatusOK {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestSlackPermission(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	good := w.slackConnect().User.Access
	code := w.slackBack(with(w.slackQuery(), "user_scope", "users:read")).Get("code")
	few := parse[slackTokens](t, w.slackToken(url.Values{"code": {code}, "redirect_uri": {callback}}).body).User.Access
	const logs, test, lookup = "/audit/v1/logs", "/api/auth.test", "/api/users.lookupByEmail?email=Zoe.Mueller@example.com"
	check := func(path, token string, status int, body string) {
		t.Helper()
		got := w.get(path, token)
		if got.status != status || !strings.Contains(got.body, body) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	check(logs, "", 401, `{"error":"missing_authentication","ok":false}`)
	check(logs, "x", 401, `{"error":"invalid_authentication","ok":false}`)
	check(test, "", 200, `{"error":"not_authed","ok":false}`)
	check(logs, few, 403, `{"error":"missing_scope","needed":"auditlogs:read","ok":false,"provided":"users:read"}`)
	check(logs, good, 200, `{"entries":[],"response_metadata":{"next_cursor":""}}`)
	check(test, "x", 200, `{"error":"invalid_auth","ok":false}`)
	check(test, few, 200, `"url":"https://demo.enterprise.slack.com/"`)
	check(lookup, few, 200, `{"error":"missing_scope","needed":"users:read.email","ok":false,"provided":"users:read"}`)
	check(lookup, good, 200, `"id":"W02Z0EMUELLER"`)
	check("/api/users.lookupByEmail?email=me", good, 200, `{"error":"users_not_found","ok":false}`)
	check("/api/users.lookupByEmail", good, 200, `{"error":"invalid_arguments","ok":false}`)
	w.clock.Advance(12 * time.Hour)
	check(logs, good, 401, `{"error":"invalid_authentication","ok":false}`)
	check(test, good, 200, `{"error":"token_expired","ok":false}`)
	good = w.slackConnect().User.Access
	w.Slack().Revoke()
	check(test, good, 200, `{"error":"invalid_auth","ok":false}`)

	w = start(t, simulator.Options{Slack: simulator.SlackOptions{NoAudit: true}})
	check(logs, w.slackConnect().User.Access, 403, `{"error":"feature_not_enabled","ok":false}`)
	w = start(t, simulator.Options{Slack: simulator.SlackOptions{Users: []simulator.User{{ID: "W1", Login: "a@example.com"}}}})
	check(logs, w.slackConnect().User.Access, 403, `{"error":"user_not_authorized","ok":false}`)
}

func TestSlackLogs(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Slack: simulator.SlackOptions{CursorLife: time.Hour}})
	token := w.slackConnect().User.Access
	put := func(id string, published time.Duration) {
		raw := fmt.Appendf(nil, `{"id":%q, "date_create":%d}`, id, w.clock.Now().Add(published).Unix())
		if err := w.Slack().Add(simulator.Event{Raw: raw}); err != nil {
			t.Fatal(err)
		}
	}
	read := func(query string) ([]string, string) {
		t.Helper()
		got := w.get("/audit/v1/logs?"+query, token)
		if got.status != http.StatusOK {
			t.Fatalf("%s: %d %s", query, got.status, got.body)
		}
		page := parse[struct {
			Entries []struct{ ID string }
			Meta    struct {
				Next string `json:"next_cursor"`
			} `json:"response_metadata"`
		}](t, got.body)
		found := []string{}
		for _, e := range page.Entries {
			found = append(found, e.ID)
		}
		return found, page.Meta.Next
	}
	put("a", -3*time.Second)
	put("b", -2*time.Second)
	put("c", -time.Second)
	at := func(d time.Duration) string { return strconv.FormatInt(w.clock.Now().Add(d).Unix(), 10) }
	bounds := "&oldest=" + at(-3*time.Second) + "&latest=" + at(-time.Second)
	got, cursor := read("limit=2" + bounds)
	if diff := cmp.Diff([]string{"c", "b"}, got); diff != "" || cursor == "" {
		t.Errorf("newest first, bounds taken in: %s %q", diff, cursor)
	}
	put("late", -2*time.Second)
	if got, next := read("limit=9&cursor=" + url.QueryEscape(cursor) + bounds); !cmp.Equal([]string{"a"}, got) || next != "" {
		t.Errorf("a cursor is a place: %v %q", got, next)
	}
	if got, _ := read("oldest=" + at(-2*time.Second)); !cmp.Equal([]string{"c", "late", "b"}, got) {
		t.Errorf("oldest: %v", got)
	}
	if got, _ := read("latest=" + at(-3*time.Second)); !cmp.Equal([]string{"a"}, got) {
		t.Errorf("latest: %v", got)
	}
	for query, code := range map[string]string{
		"oldest=1519862399": "invalid_range", "oldest=" + at(time.Hour): "invalid_range", "limit=10000": "invalid_arguments", "limit=0": "invalid_arguments", "limit=x": "invalid_arguments", "oldest=2026-11-22": "invalid_arguments",
		"action=user_login": "invalid_arguments", "cursor=x": "invalid_cursor",
		"limit=2&cursor=" + url.QueryEscape(cursor): "invalid_cursor", // other filters
	} {
		if got := w.get("/audit/v1/logs?"+query, token); got.status != http.StatusBadRequest || got.body != fmt.Sprintf(`{"error":%q,"ok":false}`, code) {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
	w.clock.Advance(time.Hour)
	if got := w.get("/audit/v1/logs?limit=2&cursor="+url.QueryEscape(cursor)+bounds, token); got.status != http.StatusBadRequest {
		t.Errorf("an old cursor: %d %s", got.status, got.body)
	}
}

func TestSlackLimitsAndHosts(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	token := w.slackConnect().User.Access
	for range 50 {
		if got := w.get("/audit/v1/logs", token); got.status != http.StatusOK || got.header.Get("X-RateLimit-Limit") != "" {
			t.Fatalf("%d %v", got.status, got.header)
		}
	}
	w.clock.Advance(30 * time.Second)
	got := w.get("/audit/v1/logs", token)
	if got.status != http.StatusTooManyRequests || got.body != `{"error":"rate_limited","ok":false}` || got.header.Get("Retry-After") != "30" {
		t.Errorf("%d %s %v", got.status, got.body, got.header)
	}
	if got := w.get("/api/auth.test", token); got.status != http.StatusOK || !strings.Contains(got.body, `"ok":true`) {
		t.Errorf("auth.test is not limited: %s", got.body)
	}
	w.clock.Advance(30 * time.Second)
	inject(t, w, "SLACK", simulator.Fault{Kind: simulator.Status500, Times: 1})
	if got := w.get("/audit/v1/logs", token); got.status != http.StatusInternalServerError || got.body != `{"error":"internal_error","ok":false}` {
		t.Errorf("%d %s", got.status, got.body)
	}
	for _, c := range []struct{ method, path, host, body string }{
		{http.MethodGet, "/audit/v1/logs", "slack.com", `"bad_endpoint"`},
		{http.MethodPost, "/audit/v1/logs", "api.slack.com", `"method_not_allowed"`},
		{http.MethodPost, "/api/auth.test", "api.slack.com", `"unknown_method"`},
		{http.MethodGet, "/api/users.list", "slack.com", `"unknown_method"`},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, w.url+c.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "slack.localhost"
		req.Header.Set("X-Forwarded-Host", c.host)
		if got := w.send(req); !strings.Contains(got.body, c.body) {
			t.Errorf("%+v: %d %s", c, got.status, got.body)
		}
	}
	inject(t, w, "SLACK", simulator.Fault{Kind: simulator.InvalidGrant, Times: 1})
	if got := w.slackToken(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}}); got.body != `{"error":"invalid_refresh_token","ok":false}` {
		t.Errorf("%s", got.body)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/api/oauth.v2.access", io.NopCloser(strings.NewReader("{}")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if got := w.send(req); got.body != `{"error":"invalid_post_type","ok":false}` {
		t.Errorf("%s", got.body)
	}
}
