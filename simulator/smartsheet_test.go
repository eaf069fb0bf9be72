package simulator_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"selvedge/simulator"
)

func (w *world) smartsheetQuery() url.Values {
	id, _ := w.Smartsheet().Client()
	return url.Values{"client_id": {id}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"READ_EVENTS READ_USERS"}, "state": {"state-1"}}
}

func (w *world) smartsheetForm(query url.Values) url.Values {
	w.t.Helper()
	back, err := w.Smartsheet().Approve(w.t.Context(), w.http, w.url+"/b/authorize?"+query.Encode())
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil || u.Query().Get("code") == "" {
		w.t.Fatalf("approve ended at %q (%v)", back, err)
	}
	id, secret := w.Smartsheet().Client()
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {callback}, "client_id": {id}, "client_secret": {secret},
	}
}

func (w *world) smartsheetToken(scope string) tokens {
	w.t.Helper()
	got := w.do(http.MethodPost, "/2.0/token", "", w.smartsheetForm(with(w.smartsheetQuery(), "scope", scope)))
	if got.status != http.StatusOK {
		w.t.Fatalf("token request: %d %s %v", got.status, got.body, got.err)
	}
	return parse[tokens](w.t, got.body)
}

func TestSmartsheetAuthorizeRules(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	for name, c := range map[string]struct {
		change []string
		code   string // error in the redirect; empty: a page, no redirect
	}{
		"unknown client":           {[]string{"client_id", "x"}, ""},
		"redirect beyond loopback": {[]string{"redirect_uri", "https://evil.example/appfabric/oauth2"}, ""},
		"implicit flow":            {[]string{"response_type", "token"}, "unsupported_response_type"},
		"no scope":                 {[]string{"scope", ""}, "invalid_scope"},
		"unknown scope":            {[]string{"scope", "READ_EVENTS READ_ALL"}, "invalid_scope"},
		"scopes between commas":    {[]string{"scope", "READ_EVENTS,READ_USERS"}, "invalid_scope"},
	} {
		got := w.get("/b/authorize?"+with(w.smartsheetQuery(), c.change...).Encode(), "")
		location, err := url.Parse(got.header.Get("Location"))
		if err != nil || location.Query().Get("error") != c.code || (c.code == "") != (got.status == http.StatusBadRequest) {
			t.Errorf("%s: %d, sent to %v", name, got.status, location)
		}
	}
}

func TestSmartsheetTokenRules(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change []string
		status int
		code   string
	}{
		"wrong code":       {[]string{"code", "x"}, 400, "invalid_grant"},
		"wrong secret":     {[]string{"client_secret", "x"}, 400, "invalid_grant"},
		"unknown client":   {[]string{"client_id", "x"}, 401, "invalid_client"},
		"no secret":        {[]string{"client_secret", ""}, 400, "invalid_request"},
		"no grant type":    {[]string{"grant_type", ""}, 400, "invalid_request"},
		"other grant type": {[]string{"grant_type", "password"}, 400, "unsupported_grant_type"},
		"unknown refresh":  {[]string{"grant_type", "refresh_token", "refresh_token", "x"}, 400, "invalid_grant"},
	} {
		w := start(t, simulator.Options{})
		got := w.do(http.MethodPost, "/2.0/token", "", with(w.smartsheetForm(w.smartsheetQuery()), c.change...))
		answer := parse[map[string]string](t, got.body)
		if got.status != c.status || answer["error"] != c.code || answer["error_description"] == "" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	w := start(t, simulator.Options{})
	form := w.smartsheetForm(w.smartsheetQuery())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/2.0/token", strings.NewReader(with(form, "client_secret", "").Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(form.Get("client_id"), form.Get("client_secret"))
	if got := w.send(req); got.status != 400 || !strings.Contains(got.body, "invalid_request") {
		t.Errorf("secret in the header: %d %s", got.status, got.body)
	}
	w.clock.Advance(11 * time.Minute)
	if got := w.do(http.MethodPost, "/2.0/token", "", form); got.status != 400 {
		t.Errorf("a code of eleven minutes: %d %s", got.status, got.body)
	}
}

// TestSmartsheetRefresh: each refresh token is taken once.
func TestSmartsheetRefresh(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	first := w.smartsheetToken("READ_EVENTS READ_USERS")
	if first.Expires != 604799 || first.Type != "bearer" || first.Scope != "" {
		t.Errorf("got %+v", first)
	}
	id, secret := w.Smartsheet().Client()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.Refresh}, "client_id": {id}, "client_secret": {secret}}
	got := w.do(http.MethodPost, "/2.0/token", "", form)
	second := parse[tokens](t, got.body)
	if got.status != 200 || second.Refresh == "" || second.Refresh == first.Refresh {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	if got := w.do(http.MethodPost, "/2.0/token", "", form); got.status != 400 || !strings.Contains(got.body, "invalid_grant") {
		t.Errorf("used again: %d %s", got.status, got.body)
	}
	if got := w.get("/2.0/users/me", second.Access); got.status != 401 {
		t.Errorf("behind a reuse: %d %s", got.status, got.body)
	}
}

var refID = regexp.MustCompile(`"refId":"[0-9a-z]{12}",`)

func TestSmartsheetCalls(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	old := w.smartsheetToken("READ_EVENTS").Access
	w.Smartsheet().ExpireAccessTokens()
	good, poor := w.smartsheetToken("READ_EVENTS READ_USERS").Access, w.smartsheetToken("READ_USERS").Access
	const since = "/2.0/events?since=2026-11-22T09:00:00Z"
	for name, c := range map[string]struct {
		path, token string
		status      int
		answer      string
	}{
		"no token":       {since, "", 401, `{"errorCode":1001,"message":"An Access Token is required."}`},
		"unknown token":  {since, old, 401, `{"errorCode":1002,"message":"Your Access Token is invalid."}`},
		"missing scope":  {since, poor, 403, `{"errorCode":1004,"message":"You are not authorized to perform this action."}`},
		"neither":        {"/2.0/events", good, 400, `{"errorCode":1009,"message":"A required parameter is missing from your request: since or streamPosition."}`},
		"both":           {since + "&streamPosition=x", good, 400, `{"errorCode":1008,"message":"Unable to parse request. The following error occurred: since and streamPosition exclude each other"}`},
		"to alone":       {"/2.0/events?streamPosition=x&to=2026-11-22T09:00:00Z", good, 400, `{"errorCode":1009,"message":"A required parameter is missing from your request: since."}`},
		"to before":      {since + "&to=2026-11-22T08:00:00Z", good, 400, `{"errorCode":1018,"message":"The value 2026-11-22T08:00:00Z was not valid for the parameter to."}`},
		"no date":        {"/2.0/events?since=yesterday", good, 400, `{"errorCode":1018,"message":"The value yesterday was not valid for the parameter since."}`},
		"maxCount 0":     {since + "&maxCount=0", good, 400, `{"errorCode":1018,"message":"The value 0 was not valid for the parameter maxCount."}`},
		"maxCount 10001": {since + "&maxCount=10001", good, 400, `{"errorCode":1018,"message":"The value 10001 was not valid for the parameter maxCount."}`},
		"no position":    {"/2.0/events?streamPosition=x", good, 400, `{"errorCode":1018,"message":"The value x was not valid for the parameter streamPosition."}`},
		"nobody":         {"/2.0/users?email=no@example.com", good, 200, `{"data":[],"pageNumber":1,"pageSize":100,"totalCount":0,"totalPages":1}`},
	} {
		got := w.get(c.path, c.token)
		if body := refID.ReplaceAllString(got.body, ""); got.status != c.status || body != c.answer {
			t.Errorf("%s: %d %s", name, got.status, body)
		}
	}
	if got := w.do(http.MethodPost, "/2.0/users", good, url.Values{}); got.status != 405 || !strings.Contains(got.body, `"errorCode":1010`) {
		t.Errorf("POST: %d %s", got.status, got.body)
	}
	if got := w.get("/2.0/users?email=Zoe.Mueller@example.com,ada.okafor@example.com", good); !strings.Contains(got.body, `"totalCount":2`) {
		t.Errorf("two addresses: %s", got.body)
	}
	w.clock.Advance(8 * 24 * time.Hour)
	if got := w.get(since, good); got.status != 401 || !strings.Contains(got.body, `"errorCode":1003`) {
		t.Errorf("expired: %d %s", got.status, got.body)
	}
}

type smartsheetPage struct {
	Next string            `json:"nextStreamPosition"`
	More bool              `json:"moreAvailable"`
	Data []json.RawMessage `json:"data"`
}

func TestSmartsheetStream(t *testing.T) {
	t.Parallel()
	for _, open := range []bool{false, true} {
		w := start(t, simulator.Options{Smartsheet: simulator.SmartsheetOptions{OpenPositions: open, PositionLife: 24 * time.Hour}})
		token := w.smartsheetToken("READ_EVENTS READ_USERS").Access
		page := func(query string) smartsheetPage {
			got := w.get("/2.0/events?"+query, token)
			if got.status != http.StatusOK {
				t.Fatalf("%s: %d %s", query, got.status, got.body)
			}
			return parse[smartsheetPage](t, got.body)
		}
		for _, late := range []time.Duration{3 * time.Hour, 90 * time.Minute, 0} {
			if _, err := w.Smartsheet().Emit(2, late); err != nil {
				t.Fatal(err)
			}
		}
		// 08:31 counts as nine o'clock: what happened at 08:30 is left out.
		first := page("since=2026-11-22T08:31:00Z&maxCount=1")
		if len(first.Data) != 1 || !first.More {
			t.Errorf("%d events, more %v", len(first.Data), first.More)
		}
		rest := page("streamPosition=" + first.Next)
		if len(rest.Data) != 1 || rest.More {
			t.Errorf("%d events behind it, more %v", len(rest.Data), rest.More)
		}
		w.clock.Advance(time.Minute)
		if _, err := w.Smartsheet().Emit(1, 30*time.Minute); err != nil {
			t.Fatal(err)
		}
		if late := page("streamPosition=" + rest.Next); len(late.Data) != 1 {
			t.Errorf("%d late events", len(late.Data))
		}
		window := page("since=2026-11-22T07:00:00Z&to=2026-11-22T09:00:00Z")
		behind := page("streamPosition=" + window.Next)
		if len(window.Data) != 3 || window.More != open || (len(behind.Data) > 0) != open {
			t.Errorf("open %v: %d events, more %v, then %d", open, len(window.Data), window.More, len(behind.Data))
		}
		w.clock.Advance(25 * time.Hour)
		if got := w.get("/2.0/events?streamPosition="+rest.Next, token); got.status != 400 {
			t.Errorf("an old position: %d %s", got.status, got.body)
		}
	}
}

func TestSmartsheetTooMany(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Smartsheet: simulator.SmartsheetOptions{PerMinute: 1}})
	token := w.smartsheetToken("READ_USERS").Access
	w.get("/2.0/users/me", token)
	got := w.get("/2.0/users/me", token)
	if got.status != 429 || !strings.Contains(got.body, `"errorCode":4003,"message":"Rate limit exceeded."`) || got.header.Get("X-RateLimit-Remaining") != "0" {
		t.Errorf("got %d %v %s", got.status, got.header, got.body)
	}
}
