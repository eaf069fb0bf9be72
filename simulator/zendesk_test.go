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

const zendeskScopes = "auditlogs:read users:read"

func (w *world) zendeskQuery() url.Values {
	id, _ := w.Zendesk().Client()
	return url.Values{
		"client_id": {id}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {zendeskScopes}, "state": {"state-1"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}, // of verifier, RFC 7636 appendix B
	}
}

func (w *world) zendeskBack(query url.Values) url.Values {
	w.t.Helper()
	back, err := w.Approve(w.t.Context(), "ZENDESK", w.http, w.url+"/oauth/authorizations/new?"+query.Encode())
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil {
		w.t.Fatal(err)
	}
	return u.Query()
}

func (w *world) zendeskForm(query url.Values) url.Values {
	id, secret := w.Zendesk().Client()
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {w.zendeskBack(query).Get("code")}, "redirect_uri": {callback},
		"scope": {zendeskScopes}, "client_id": {id}, "client_secret": {secret}, "code_verifier": {verifier},
	}
}

func (w *world) zendeskToken(form url.Values) reply {
	return w.do(http.MethodPost, "/oauth/tokens", "", form)
}

type zendeskTokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Type    string `json:"token_type"`
	Scope   string `json:"scope"`
	Expires int    `json:"expires_in"`
	Ends    int    `json:"refresh_token_expires_in"`
}

func (w *world) zendeskConnect(changes ...string) zendeskTokens {
	w.t.Helper()
	got := w.zendeskToken(with(w.zendeskForm(w.zendeskQuery()), changes...))
	if got.status != http.StatusOK {
		w.t.Fatalf("%d %s", got.status, got.body)
	}
	return parse[zendeskTokens](w.t, got.body)
}

func TestZendeskAuthorize(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	for name, c := range map[string]struct {
		query url.Values
		code  string
	}{
		"no response type":       {with(w.zendeskQuery(), "response_type", ""), "unsupported_response_type"},
		"scopes between commas":  {with(w.zendeskQuery(), "scope", "auditlogs:read,users:read"), "invalid_scope"},
		"no scope":               {with(w.zendeskQuery(), "scope", ""), "invalid_scope"},
		"a scope that is none":   {with(w.zendeskQuery(), "scope", "auditlogs"), "invalid_scope"},
		"a plain code challenge": {with(w.zendeskQuery(), "code_challenge_method", "plain"), "invalid_request"},
	} {
		if back := w.zendeskBack(c.query); back.Get("error") != c.code || back.Get("state") != "state-1" {
			t.Errorf("%s: %v", name, back)
		}
	}
}

func TestZendeskToken(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	const grant = `{"error":"invalid_grant","error_description":"The provided access grant is invalid, expired, or revoked (e.g. invalid assertion, expired authorization token, bad end-user password credentials, or mismatching authorization code and redirection URI)."}`
	good := func() url.Values { return w.zendeskForm(w.zendeskQuery()) }
	for name, c := range map[string]struct {
		form   url.Values
		status int
		body   string // part of it
	}{
		"no secret":             {with(good(), "client_secret", ""), 401, `"invalid_client"`},
		"wrong secret":          {with(good(), "client_secret", "x"), 401, `"invalid_client"`},
		"unknown client":        {with(good(), "client_id", "x"), 401, `"invalid_client"`},
		"no grant type":         {with(good(), "grant_type", ""), 400, `"invalid_request"`},
		"unknown grant type":    {with(good(), "grant_type", "password"), 400, `"unsupported_grant_type"`},
		"no scope":              {with(good(), "scope", ""), 400, `"invalid_request"`},
		"no redirect":           {with(good(), "redirect_uri", ""), 400, grant},
		"unknown code":          {with(good(), "code", "x"), 400, grant},
		"wrong verifier":        {with(good(), "code_verifier", "x"), 400, grant},
		"no verifier":           {with(good(), "code_verifier", ""), 400, grant},
		"a life too short":      {with(good(), "expires_in", "299"), 400, `"invalid_request"`},
		"a life too long":       {with(good(), "expires_in", "172801"), 400, `"invalid_request"`},
		"a refresh too short":   {with(good(), "refresh_token_expires_in", "604799"), 400, `"invalid_request"`},
		"a refresh too long":    {with(good(), "refresh_token_expires_in", "7776001"), 400, `"invalid_request"`},
		"unknown refresh token": {with(good(), "grant_type", "refresh_token", "refresh_token", "x"), 400, grant},
		"good":                  {good(), 200, `"token_type":"bearer"`},
	} {
		if got := w.zendeskToken(c.form); got.status != c.status || !strings.Contains(got.body, c.body) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	id, secret := w.Zendesk().Client()
	form := good()
	form.Del("client_secret")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/oauth/tokens", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(id, secret)
	if got := w.send(req); got.status != http.StatusUnauthorized {
		t.Errorf("a secret by Basic: %d %s", got.status, got.body)
	}
}

func TestZendeskLives(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	id, secret := w.Zendesk().Client()
	check := func(token string, status int) {
		t.Helper()
		if got := w.get("/api/v2/audit_logs", token); got.status != status {
			t.Errorf("%d %s, want %d", got.status, got.body, status)
		}
	}
	first := w.zendeskConnect()
	if first.Expires != 1800 || first.Ends != 30*24*3600 || first.Scope != zendeskScopes {
		t.Errorf("%+v", first)
	}
	check(first.Access, 200)
	w.clock.Advance(30 * time.Minute)
	check(first.Access, 401)
	asked := w.zendeskConnect("expires_in", "172800", "refresh_token_expires_in", "604800")
	if asked.Expires != 172800 || asked.Ends != 604800 {
		t.Errorf("%+v", asked)
	}
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {asked.Refresh}, "client_id": {id}, "client_secret": {secret}}
	second := parse[zendeskTokens](t, w.zendeskToken(refresh).body)
	if second.Access == "" || second.Refresh == asked.Refresh {
		t.Errorf("%+v", second)
	}
	check(asked.Access, 401) // deleted with its refresh token
	check(second.Access, 200)
	if got := w.zendeskToken(refresh); got.status != http.StatusBadRequest {
		t.Errorf("used twice: %d %s", got.status, got.body)
	}
	check(second.Access, 200) // a deleted token is unknown; it ends nothing
	w.clock.Advance(30*24*time.Hour + time.Second)
	if got := w.zendeskToken(with(refresh, "refresh_token", second.Refresh)); got.status != http.StatusBadRequest {
		t.Errorf("too old: %d %s", got.status, got.body)
	}
}

func TestZendeskPermission(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	good := w.zendeskConnect().Access
	few := parse[zendeskTokens](t, w.zendeskToken(w.zendeskForm(with(w.zendeskQuery(), "scope", "users:read"))).body).Access
	const logs, search = "/api/v2/audit_logs.json", "/api/v2/users/search?query="
	const forbidden = `{"error":{"message":"You do not have access to this page. Please contact the account owner of this help desk for further help.","title":"Forbidden"}}`
	check := func(path, token string, status int, body string) {
		t.Helper()
		if got := w.get(path, token); got.status != status || !strings.Contains(got.body, body) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	check(logs, "", 401, `{"error":"Couldn't authenticate you"}`)
	check(logs, "x", 401, `{"error":"invalid_token","error_description":"The access token provided is expired, revoked, malformed or invalid for other reasons."}`)
	check(logs, few, 403, `"insufficient_scope"`)
	check(logs, good, 200, `{"audit_logs":[],"links":{"next":null,"prev":null},"meta":{"after_cursor":null,"before_cursor":null,"has_more":false}}`)
	check(search+"email:zoe.mueller@example.com", few, 200, `"count":1`)
	check(search+"email%3A%22ZOE.mueller@example.com%22", good, 200, `"id":35437`)
	check(search+"email:zoe", good, 200, `"count":0`)
	check(search+"example.com", good, 200, `"count":4`) // parts of values
	check(search, good, 400, `"BadRequest"`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/api/v2/tickets.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "zendesk.localhost"
	if got := w.send(req); got.status != http.StatusNotFound || got.body != `{"description":"Not found","error":"InvalidEndpoint"}` {
		t.Errorf("an unknown endpoint: %d %s", got.status, got.body)
	}
	w.Zendesk().Revoke()
	check(logs, good, 401, `"invalid_token"`)

	w = start(t, simulator.Options{Zendesk: simulator.ZendeskOptions{NoAudit: true}})
	check(logs, w.zendeskConnect().Access, 403, forbidden)
	w = start(t, simulator.Options{Zendesk: simulator.ZendeskOptions{Users: []simulator.User{{ID: "7", Login: "a@example.com"}}}})
	check(logs, w.zendeskConnect().Access, 403, forbidden)
}

func TestZendeskLogs(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Zendesk: simulator.ZendeskOptions{CursorLife: time.Hour}})
	token := w.zendeskConnect("expires_in", "172800").Access
	at := func(d time.Duration) string { return w.clock.Now().Add(d).Format(time.RFC3339) }
	put := func(id string, published time.Duration) {
		if err := w.Zendesk().Add(simulator.Event{Raw: fmt.Appendf(nil, `{"id":%s,"created_at":%q}`, id, at(published))}); err != nil {
			t.Fatal(err)
		}
	}
	read := func(query url.Values) (found []string, more bool, after string) {
		t.Helper()
		got := w.get("/api/v2/audit_logs?"+query.Encode(), token)
		if got.status != http.StatusOK {
			t.Fatalf("%v: %d %s", query, got.status, got.body)
		}
		page := parse[struct {
			Logs []struct{ ID int } `json:"audit_logs"`
			Meta struct {
				More  bool   `json:"has_more"`
				After string `json:"after_cursor"`
			}
		}](t, got.body)
		for _, e := range page.Logs {
			found = append(found, fmt.Sprint(e.ID))
		}
		return found, page.Meta.More, page.Meta.After
	}
	put("1", -3*time.Second)
	put("2", -2*time.Second)
	put("3", -time.Second)
	if got, more, _ := read(url.Values{}); !cmp.Equal([]string{"3", "2", "1"}, got) || more {
		t.Errorf("newest first: %v", got)
	}
	query := url.Values{"sort": {"created_at"}, "page[size]": {"2"}, "filter[created_at][]": {at(-3 * time.Second), at(0)}}
	got, more, after := read(query)
	if !cmp.Equal([]string{"1", "2"}, got) || !more {
		t.Errorf("oldest first: %v %t", got, more)
	}
	put("4", -2*time.Second)
	if got, more, _ := read(with(query, "page[after]", after)); !cmp.Equal([]string{"4", "3"}, got) || more {
		t.Errorf("by cursor: %v %t", got, more)
	}
	for name, query := range map[string]url.Values{
		"one time":         {"filter[created_at][]": {at(0)}},
		"no time":          {"filter[created_at][]": {"yesterday", "today"}},
		"too many":         {"page[size]": {"101"}},
		"none":             {"page[size]": {"0"}},
		"another order":    {"sort": {"id"}},
		"by offset":        {"page": {"2"}},
		"a cursor of none": {"page[after]": {"x"}},
		"other filters":    {"page[after]": {after}},
	} {
		if got := w.get("/api/v2/audit_logs?"+query.Encode(), token); got.status != http.StatusBadRequest || !strings.Contains(got.body, `{"errors":[{"code":"InvalidPaginationParameter"`) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	w.clock.Advance(time.Hour)
	if got := w.get("/api/v2/audit_logs?"+with(query, "page[after]", after).Encode(), token); got.status != http.StatusBadRequest {
		t.Errorf("an old cursor: %d %s", got.status, got.body)
	}
}

func TestZendeskLimits(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Zendesk: simulator.ZendeskOptions{PerMinute: 3}})
	token := w.zendeskConnect().Access
	got := w.get("/api/v2/audit_logs", token)
	if got.status != http.StatusOK || got.header.Get("Ratelimit-Limit") != "3" || got.header.Get("Ratelimit-Remaining") != "1" || got.header.Get("Ratelimit-Reset") != "60" {
		t.Errorf("%d %v", got.status, got.header)
	}
	w.get("/api/v2/audit_logs", token)
	w.clock.Advance(30 * time.Second)
	got = w.get("/api/v2/audit_logs", token)
	want := `{"description":"Number of allowed API requests per minute exceeded","error":"APIRateLimitExceeded"}`
	if got.status != http.StatusTooManyRequests || got.body != want || got.header.Get("Retry-After") != "30" || got.header.Get("Ratelimit-Remaining") != "0" {
		t.Errorf("%d %s %v", got.status, got.body, got.header)
	}
	w.clock.Advance(30 * time.Second)
	inject(t, w, "ZENDESK", simulator.Fault{Kind: simulator.Status500, Times: 1})
	if got := w.get("/api/v2/audit_logs", token); got.status != http.StatusInternalServerError || !strings.Contains(got.body, "InternalError") {
		t.Errorf("%d %s", got.status, got.body)
	}
	inject(t, w, "ZENDESK", simulator.Fault{Kind: simulator.InvalidGrant, Times: 1})
	if got := w.zendeskToken(url.Values{"grant_type": {"refresh_token"}}); got.status != http.StatusBadRequest || !strings.Contains(got.body, `"invalid_grant"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
}
