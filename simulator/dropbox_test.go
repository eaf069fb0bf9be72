package simulator_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/simulator"
)

const dropboxScopes = "account_info.read team_data.member events.read members.read team_info.read"

func (w *world) dropboxQuery() url.Values {
	id, _ := w.Dropbox().Client()
	return url.Values{
		"client_id": {id}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {dropboxScopes}, "state": {"state-1"},
		"token_access_type": {"offline"},
	}
}

// dropboxCode signs in as somebody, the first person if it is nobody.
func (w *world) dropboxCode(query url.Values) string {
	w.t.Helper()
	back, err := w.Dropbox().Approve(w.t.Context(), w.http, w.url+"/oauth2/authorize?"+query.Encode())
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil || u.Query().Get("code") == "" {
		w.t.Fatalf("approve ended at %q (%v)", back, err)
	}
	return u.Query().Get("code")
}

func (w *world) dropboxForm(code string) url.Values {
	id, secret := w.Dropbox().Client()
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "client_id": {id}, "client_secret": {secret}}
}

func (w *world) dropboxToken(query url.Values) tokens {
	w.t.Helper()
	got := w.do(http.MethodPost, "/oauth2/token", "", w.dropboxForm(w.dropboxCode(query)))
	if got.status != http.StatusOK {
		w.t.Fatalf("token request: %d %s %v", got.status, got.body, got.err)
	}
	return parse[tokens](w.t, got.body)
}

// rpc is a call of Dropbox's API.
func (w *world) rpc(path, bearer, body string, header ...string) reply {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return w.send(req)
}

func TestDropboxAuthorizeRules(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	for name, c := range map[string]struct {
		change []string
		code   string // error in the redirect; empty: a page, no redirect
	}{
		"unknown client":           {[]string{"client_id", "x"}, ""},
		"redirect beyond loopback": {[]string{"redirect_uri", "https://evil.example/appfabric/oauth2"}, ""},
		"implicit flow":            {[]string{"response_type", "token"}, "unsupported_response_type"},
		"long state":               {[]string{"state", strings.Repeat("x", 2001)}, "invalid_request"},
		"legacy tokens":            {[]string{"token_access_type", "legacy"}, "invalid_request"},
		"scope without permission": {[]string{"scope", "events.read files.content.read"}, "invalid_scope"},
		"scopes between commas":    {[]string{"scope", "events.read,members.read"}, "invalid_scope"},
		"plain challenge":          {[]string{"code_challenge", verifier, "code_challenge_method", "plain"}, "invalid_request"},
	} {
		got := w.get("/oauth2/authorize?"+with(w.dropboxQuery(), c.change...).Encode(), "")
		location, err := url.Parse(got.header.Get("Location"))
		if err != nil || location.Query().Get("error") != c.code || (c.code == "") != (got.status == http.StatusBadRequest) {
			t.Errorf("%s: %d, sent to %v", name, got.status, location)
		}
	}
}

func TestDropboxTokenRules(t *testing.T) {
	t.Parallel()
	const (
		badClient = `{"error":"invalid_client","error_description":"Invalid client_id or client_secret"}`
		badCode   = `{"error":"invalid_grant","error_description":"code doesn't exist or has expired"}`
	)
	for name, c := range map[string]struct {
		change []string
		body   string // whole, or the error code if it has no brace
	}{
		"wrong code":       {[]string{"code", "x"}, badCode},
		"other redirect":   {[]string{"redirect_uri", callback + "?x"}, "invalid_grant"},
		"wrong secret":     {[]string{"client_secret", "x"}, badClient},
		"unknown client":   {[]string{"client_id", "x"}, badClient},
		"no client":        {[]string{"client_id", "", "client_secret", ""}, "invalid_request"},
		"no grant type":    {[]string{"grant_type", ""}, "unsupported_grant_type"},
		"other grant type": {[]string{"grant_type", "password"}, "unsupported_grant_type"},
		"unknown refresh":  {[]string{"grant_type", "refresh_token", "refresh_token", "x"}, `{"error":"invalid_grant","error_description":"refresh token is malformed"}`},
	} {
		w := start(t, simulator.Options{})
		good := w.dropboxForm(w.dropboxCode(w.dropboxQuery()))
		got := w.do(http.MethodPost, "/oauth2/token", "", with(good, c.change...))
		code := parse[struct{ Error string }](t, got.body).Error
		if got.status != http.StatusBadRequest || got.body != c.body && code != c.body {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

// TestDropboxRefresh: a refresh tells the access token only, the refresh token
// stays good, and without offline access there is none.
func TestDropboxRefresh(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	first := w.dropboxToken(w.dropboxQuery())
	if first.Refresh == "" || first.Expires != 14400 || first.Type != "bearer" || first.Scope != dropboxScopes {
		t.Fatalf("got %+v", first)
	}
	form := with(w.dropboxForm(""), "grant_type", "refresh_token", "refresh_token", first.Refresh, "code", "", "redirect_uri", "")
	for range 2 {
		got := w.do(http.MethodPost, "/oauth2/token", "", form)
		members := parse[map[string]any](t, got.body)
		if got.status != http.StatusOK || len(members) != 3 || members["access_token"] == "" {
			t.Errorf("got %d %s", got.status, got.body)
		}
	}
	if online := w.dropboxToken(with(w.dropboxQuery(), "token_access_type", "online")); online.Refresh != "" {
		t.Error("an online grant has a refresh token")
	}
	w.clock.Advance(5 * time.Hour)
	if got := w.rpc("/2/team/get_info", first.Access, "null"); got.status != 401 || got.body != `{"error":{".tag":"expired_access_token"},"error_summary":"expired_access_token/..."}` {
		t.Errorf("after five hours: %d %s", got.status, got.body)
	}
	w.Dropbox().Revoke()
	if got := w.do(http.MethodPost, "/oauth2/token", "", form); got.status != http.StatusBadRequest {
		t.Errorf("a revoked refresh token: %d %s", got.status, got.body)
	}
}

func TestDropboxCalls(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	good := w.dropboxToken(w.dropboxQuery()).Access
	poor := w.dropboxToken(with(w.dropboxQuery(), "scope", "members.read")).Access
	const events = "/2/team_log/get_events"
	const intro = `Error in call to API function "team_log/get_events": `
	for name, c := range map[string]struct {
		path, token, body string
		header            []string
		status            int
		answer            string
	}{
		"no credential":   {events, "", `{}`, nil, 400, intro + `Must provide HTTP header "Authorization" or URL parameter "authorization".`},
		"unknown token":   {events, "x", `{}`, nil, 401, `{"error":{".tag":"invalid_access_token"},"error_summary":"invalid_access_token/..."}`},
		"missing scope":   {events, poor, `{}`, nil, 401, `{"error":{".tag":"missing_scope","required_scope":"events.read"},"error_summary":"missing_scope/..."}`},
		"type of a form":  {events, good, `{}`, []string{"Content-Type", "text/json"}, 400, intro + `Bad HTTP "Content-Type" header: "text/json".  Expecting one of "application/json", "application/json; charset=utf-8", "text/plain; charset=dropbox-cors-hack".`},
		"no JSON":         {events, good, ``, nil, 400, intro + `request body: could not decode input as JSON: EOF`},
		"two documents":   {events, good, `{}{}`, nil, 400, intro + `request body: could not decode input as JSON: extra data`},
		"unknown member":  {events, good, `{"since":1}`, nil, 400, intro + `request body: could not decode input as JSON: json: unknown field "since"`},
		"limit 0":         {events, good, `{"limit":0}`, nil, 400, intro + `request body: limit: 0 is not within 1 and 1000`},
		"limit 1001":      {events, good, `{"limit":1001}`, nil, 400, intro + `request body: limit: 1001 is not within 1 and 1000`},
		"milliseconds":    {events, good, `{"time":{"start_time":"2026-11-22T09:00:00.000Z"}}`, nil, 400, intro + `request body: time: time data "2026-11-22T09:00:00.000Z" does not match format '%Y-%m-%dT%H:%M:%SZ'`},
		"end before":      {events, good, `{"time":{"start_time":"2026-11-22T09:00:00Z","end_time":"2026-11-22T08:00:00Z"}}`, nil, 409, `{"error":{".tag":"invalid_time_range"},"error_summary":"invalid_time_range/..."}`},
		"foreign cursor":  {events + "/continue", good, `{"cursor":"x"}`, nil, 409, `{"error":{".tag":"bad_cursor"},"error_summary":"bad_cursor/..."}`},
		"no function":     {"/2/team_log/get", good, `{}`, []string{"Host", "x"}, 404, "404 page not found\n"},
		"team, argument":  {"/2/team/get_info", good, `{}`, nil, 400, `Error in call to API function "team/get_info": request body: expected null`},
		"no such member":  {"/2/team/members/get_info_v2", good, `{"members":[{".tag":"email","email":"no@example.com"}]}`, nil, 200, `{"members_info":[{".tag":"id_not_found","id_not_found":"no@example.com"}]}`},
		"no such address": {"/2/team/members/get_info_v2", good, `{"members":[{".tag":"email","email":"no"}]}`, nil, 400, `Error in call to API function "team/members/get_info:2": request body: members[0].email: 'no' did not match pattern`},
	} {
		got := w.rpc(c.path, c.token, c.body, c.header...)
		if got.status != c.status || got.body != c.answer {
			t.Errorf("%s: %d %s", name, got.status, cmp.Diff(c.answer, got.body))
		}
	}
	if got := w.get(events, good); got.status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", got.status)
	}
}

// TestDropboxMember: endpoints of a team are for its administrators.
func TestDropboxMember(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Dropbox: simulator.DropboxOptions{Users: []simulator.User{{ID: "dbmid:1", Login: "a@example.com", Status: "active"}}}})
	got := w.rpc("/2/team_log/get_events", w.dropboxToken(w.dropboxQuery()).Access, `{}`)
	if got.status != 403 || !strings.Contains(got.body, `"invalid_account_type":{".tag":"endpoint"}`) {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

type dropboxPage struct {
	Events []json.RawMessage
	Cursor string
	More   bool `json:"has_more"`
}

func (w *world) dropboxEvents(token, path, body string) dropboxPage {
	w.t.Helper()
	got := w.rpc("/2/team_log/get_events"+path, token, body)
	if got.status != http.StatusOK {
		w.t.Fatalf("%s: %d %s", body, got.status, got.body)
	}
	return parse[dropboxPage](w.t, got.body)
}

// TestDropboxCursor: what comes late is shown by a cursor without an end, and by
// one with an end only what happened before it; a cursor ends by its age.
func TestDropboxCursor(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Dropbox: simulator.DropboxOptions{CursorLife: time.Hour, Hollow: 4}})
	token, team := w.dropboxToken(w.dropboxQuery()).Access, w.Dropbox()
	emit := func(n int, late time.Duration) {
		if _, err := team.Emit(n, late); err != nil {
			t.Fatal(err)
		}
	}
	emit(5, 0)
	emit(2, 2*time.Hour)
	first := w.dropboxEvents(token, "", `{"limit":4,"time":{"start_time":"2026-11-22T09:00:00Z"}}`)
	next := w.dropboxEvents(token, "/continue", `{"cursor":`+strconv.Quote(first.Cursor)+`}`)
	if len(first.Events) != 4 || !first.More || len(next.Events) != 1 || next.More {
		t.Fatalf("pages of %d and %d, more %v and %v", len(first.Events), len(next.Events), first.More, next.More)
	}
	w.clock.Advance(time.Minute)
	emit(3, 30*time.Minute)
	late := w.dropboxEvents(token, "/continue", `{"cursor":`+strconv.Quote(next.Cursor)+`}`)
	if len(late.Events) != 3 || late.More {
		t.Errorf("late ones: %d, more %v", len(late.Events), late.More)
	}
	hollow := w.dropboxEvents(token, "", `{"time":{"start_time":"2026-11-22T07:00:00Z","end_time":"2026-11-22T09:00:00Z"}}`)
	if len(hollow.Events) != 0 || !hollow.More {
		t.Errorf("hollow: %d events, more %v", len(hollow.Events), hollow.More)
	}
	window := w.dropboxEvents(token, "/continue", `{"cursor":`+strconv.Quote(hollow.Cursor)+`}`)
	if len(window.Events) != 2 || window.More {
		t.Errorf("window: %d events, more %v", len(window.Events), window.More)
	}
	w.clock.Advance(time.Hour)
	got := w.rpc("/2/team_log/get_events/continue", token, `{"cursor":`+strconv.Quote(late.Cursor)+`}`)
	if got.status != 409 || got.body != `{"error":{".tag":"reset","reset":"2026-11-22T10:01:00Z"},"error_summary":"reset/..."}` {
		t.Errorf("old cursor: %d %s", got.status, got.body)
	}
}

func TestDropboxTooMany(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Dropbox: simulator.DropboxOptions{PerMinute: 1}})
	token := w.dropboxToken(w.dropboxQuery()).Access
	w.rpc("/2/team/get_info", token, "null")
	w.clock.Advance(1500 * time.Millisecond)
	got := w.rpc("/2/team/get_info", token, "null")
	const want = `{"error":{"reason":{".tag":"too_many_requests"},"retry_after":59},"error_summary":"too_many_requests/.."}`
	if got.status != 429 || got.header.Get("Retry-After") != "59" || got.body != want {
		t.Errorf("got %d %q %s", got.status, got.header.Get("Retry-After"), got.body)
	}
}
