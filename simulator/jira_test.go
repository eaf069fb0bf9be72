package simulator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/simulator"
)

// at sends a request to one application's host; body is a form, or JSON if it
// begins with a brace.
func (w *world) at(host, method, path, bearer, body string) reply {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Host = host
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if strings.HasPrefix(body, "{") {
		req.Header.Set("Content-Type", "application/json")
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	return w.send(req)
}

func (w *world) jira(path, bearer string) reply {
	return w.at("jira.localhost", http.MethodGet, path, bearer, "")
}

func jiraAsk(w *world) url.Values {
	id, _ := w.Jira().Client()
	return url.Values{
		"audience": {"api.atlassian.com"}, "client_id": {id}, "redirect_uri": {callback}, "response_type": {"code"}, "prompt": {"consent"},
		"scope": {"read:jira-user read:audit-log:jira read:user:jira offline_access"}, "state": {"state-1"},
	}
}

// jiraCode consents and returns the code.
func jiraCode(w *world, ask url.Values) string {
	w.t.Helper()
	back, err := w.Jira().Approve(w.t.Context(), hosted(w, "jira.localhost"), w.url+"/authorize?"+ask.Encode())
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil || u.Query().Get("code") == "" {
		w.t.Fatalf("sent back to %s: %v", back, err)
	}
	return u.Query().Get("code")
}

// hosted is a client whose requests are all for one application.
func hosted(w *world, host string) *http.Client {
	client := *w.http
	client.Transport = toHost{w.http.Transport, host}
	return &client
}

type toHost struct {
	next http.RoundTripper
	host string
}

func (h toHost) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host = h.host
	return h.next.RoundTrip(r)
}

func jiraToken(w *world, body string) reply {
	return w.at("jira.localhost", http.MethodPost, "/oauth/token", "", body)
}

func jiraSignIn(w *world, scopes string) tokens {
	w.t.Helper()
	id, secret := w.Jira().Client()
	code := jiraCode(w, with(jiraAsk(w), "scope", scopes))
	got := jiraToken(w, fmt.Sprintf(`{"grant_type":"authorization_code","client_id":%q,"client_secret":%q,"code":%q,"redirect_uri":%q}`, id, secret, code, callback))
	if got.status != http.StatusOK {
		w.t.Fatalf("%d %s", got.status, got.body)
	}
	return parse[tokens](w.t, got.body)
}

const jiraScopes = "read:jira-user read:audit-log:jira read:user:jira offline_access"

func TestJiraAuthorize(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	for name, c := range map[string]struct {
		change []string
		code   string
	}{
		"another audience":  {[]string{"audience", "api.example.com"}, "invalid_request"},
		"no prompt":         {[]string{"prompt", ""}, "invalid_request"},
		"no state":          {[]string{"state", ""}, "invalid_request"},
		"an implicit grant": {[]string{"response_type", "token"}, "invalid_request"},
		"commas in scopes":  {[]string{"scope", "read:jira-user,read:audit-log:jira"}, "invalid_scope"},
		"no scopes":         {[]string{"scope", ""}, "invalid_scope"},
	} {
		got := w.jira("/authorize?"+with(jiraAsk(w), c.change...).Encode(), "")
		back, err := url.Parse(got.header.Get("Location"))
		if err != nil || got.status != http.StatusFound || back.Query().Get("error") != c.code {
			t.Errorf("%s: %d %v", name, got.status, got.header)
		}
	}
	for name, change := range map[string][]string{"another client": {"client_id", "x"}, "another redirect": {"redirect_uri", "https://evil.example"}} {
		if got := w.jira("/authorize?"+with(jiraAsk(w), change...).Encode(), ""); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %v", name, got.status, got.header)
		}
	}
}

func TestJiraTokens(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	id, secret := w.Jira().Client()
	const unknown = `{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}`
	first := jiraSignIn(w, jiraScopes)
	if first.Scope != jiraScopes || first.Expires != 3600 || first.Refresh == "" {
		t.Errorf("got %+v", first)
	}
	renew := func(token string) reply {
		return jiraToken(w, fmt.Sprintf(`{"grant_type":"refresh_token","client_id":%q,"client_secret":%q,"refresh_token":%q}`, id, secret, token))
	}
	second := parse[tokens](t, renew(first.Refresh).body)
	if second.Refresh == "" || second.Refresh == first.Refresh {
		t.Errorf("the refresh token does not rotate: %+v", second)
	}
	if got := renew(first.Refresh); got.status != http.StatusForbidden || got.body != unknown {
		t.Errorf("reused: %d %s", got.status, got.body)
	}
	if got := renew(second.Refresh); got.status != http.StatusForbidden || got.body != unknown {
		t.Errorf("after the reuse: %d %s", got.status, got.body)
	}
	form := jiraSignIn(w, jiraScopes)
	asForm := url.Values{"grant_type": {"refresh_token"}, "client_id": {id}, "client_secret": {secret}, "refresh_token": {form.Refresh}}
	if got := jiraToken(w, asForm.Encode()); got.status != http.StatusOK {
		t.Errorf("as a form: %d %s", got.status, got.body)
	}
	if got := jiraToken(w, with(asForm, "client_secret", "wrong").Encode()); got.status != http.StatusUnauthorized || got.body != `{"error":"access_denied","error_description":"Unauthorized"}` {
		t.Errorf("wrong secret: %d %s", got.status, got.body)
	}
	if got := jiraSignIn(w, "read:jira-user"); got.Refresh != "" {
		t.Error("a refresh token without offline_access")
	}
	idle := jiraSignIn(w, jiraScopes)
	w.clock.Advance(91 * 24 * time.Hour)
	if got := renew(idle.Refresh); got.status != http.StatusForbidden || got.body != unknown {
		t.Errorf("unused for 91 days: %d %s", got.status, got.body)
	}
	basic, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/oauth/token", strings.NewReader("grant_type=refresh_token&refresh_token=x"))
	if err != nil {
		t.Fatal(err)
	}
	basic.Host = "jira.localhost"
	basic.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	basic.SetBasicAuth(id, secret)
	if got := w.send(basic); got.status != http.StatusUnauthorized {
		t.Errorf("secret in the header: %d %s", got.status, got.body)
	}
}

func TestJiraPermission(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Jira: simulator.JiraOptions{OtherSites: []string{"other"}}})
	feed := "/ex/jira/" + w.Jira().CloudID() + "/rest/api/3/auditing/record"
	users := "/ex/jira/" + w.Jira().CloudID() + "/rest/api/3/user/search"
	good, little := jiraSignIn(w, jiraScopes).Access, jiraSignIn(w, "read:audit-log:jira").Access
	const mismatch = `{"code":401,"message":"Unauthorized; scope does not match"}`
	for name, c := range map[string]struct {
		path, token string
		status      int
		body        string
	}{
		"no token":            {feed, "", 401, `{"code":401,"message":"Unauthorized"}`},
		"an unknown token":    {feed, "x", 401, `{"code":401,"message":"Unauthorized"}`},
		"half of the scopes":  {feed, little, 401, mismatch},
		"users without scope": {users + "?query=a", little, 401, mismatch},
		"users of all":        {users, good, 400, `{"errorMessages":["At least one of the query parameters 'accountId', 'query' and 'property' must be given."],"errors":{}}`},
		"another site":        {strings.Replace(feed, w.Jira().CloudID(), "00000000-0000-4000-8000-000000000000", 1), good, 404, `{"code":404,"message":"Not Found"}`},
		"limit is a word":     {feed + "?limit=all", good, 400, ""},
		"offset before all":   {feed + "?offset=-1", good, 400, ""},
		"from is a word":      {feed + "?from=yesterday", good, 400, ""},
		"empty":               {feed, good, 200, `{"offset":0,"limit":1000,"total":0,"records":[]}`},
		"too large a limit":   {feed + "?limit=5000", good, 200, `{"offset":0,"limit":1000,"total":0,"records":[]}`},
	} {
		if got := w.jira(c.path, c.token); got.status != c.status || c.body != "" && got.body != c.body {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	sites := parse[[]struct{ ID, URL string }](t, w.jira("/oauth/token/accessible-resources", good).body)
	if len(sites) != 2 || sites[1].ID != w.Jira().CloudID() || sites[1].URL != "https://example.atlassian.net" {
		t.Errorf("sites %+v", sites)
	}
	w.clock.Advance(time.Hour + time.Second)
	if got := w.jira(feed, good); got.status != http.StatusUnauthorized {
		t.Errorf("an hour later: %d %s", got.status, got.body)
	}
}

func TestJiraAudit(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	token := jiraSignIn(w, jiraScopes).Access
	now := w.clock.Now()
	minute := func(back int) string {
		return now.Add(-time.Duration(back) * time.Minute).Format("2006-01-02T15:04:05.000-0700")
	}
	for i, back := range []int{3, 1, 2} {
		at := minute(back)
		if err := w.Jira().Add(simulator.Event{Raw: fmt.Appendf(nil, `{"id":%d,"created":%q}`, i, at)}); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		query url.Values
		total int
		want  []string
	}{
		"newest first":      {url.Values{}, 3, []string{"1", "2", "0"}},
		"from an offset":    {url.Values{"offset": {"1"}, "limit": {"1"}}, 3, []string{"2"}},
		"behind the last":   {url.Values{"offset": {"9"}}, 3, []string{}},
		"both bounds incl.": {url.Values{"from": {minute(3)}, "to": {minute(2)}}, 2, []string{"2", "0"}},
		"turned round":      {url.Values{"from": {minute(1)}, "to": {minute(2)}}, 0, []string{}},
	} {
		got := w.jira("/ex/jira/"+w.Jira().CloudID()+"/rest/api/3/auditing/record?"+c.query.Encode(), token)
		page := parse[struct {
			Total   int
			Records []struct{ ID int }
		}](t, got.body)
		ids := []string{}
		for _, r := range page.Records {
			ids = append(ids, fmt.Sprint(r.ID))
		}
		if diff := cmp.Diff(c.want, ids); diff != "" || page.Total != c.total {
			t.Errorf("%s: total %d %s", name, page.Total, diff)
		}
	}
}

func TestJiraLimit(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Jira: simulator.JiraOptions{PerSecond: 2}})
	token := jiraSignIn(w, jiraScopes).Access
	for range 2 {
		w.jira("/oauth/token/accessible-resources", token)
	}
	got := w.jira("/oauth/token/accessible-resources", token)
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "1" || got.header.Get("RateLimit-Reason") != "jira-burst-based" {
		t.Errorf("%d %v", got.status, got.header)
	}
}

// TestHosts: what belongs to one of a provider's hosts is not at another.
func TestHosts(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/oauth/token", io.NopCloser(strings.NewReader("")))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "jira.localhost"
	req.Header.Set("X-Forwarded-Host", "api.atlassian.com")
	if got := w.send(req); got.status != http.StatusNotFound || got.body != `{"code":404,"message":"Not Found"}` {
		t.Errorf("%d %s", got.status, got.body)
	}
}
