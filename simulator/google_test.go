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

const (
	googleReports = "https://www.googleapis.com/auth/admin.reports.audit.readonly"
	googleUsers   = "https://www.googleapis.com/auth/admin.directory.user.readonly"
	googleFeed    = "/admin/reports/v1/activity/users/all/applications/"
)

func (w *world) google(path, bearer string) reply {
	return w.at("google.localhost", http.MethodGet, path, bearer, "")
}

func googleAsk(w *world) url.Values {
	id, _ := w.Google().Client()
	return url.Values{
		"client_id": {id}, "redirect_uri": {callback}, "response_type": {"code"}, "access_type": {"offline"}, "prompt": {"consent"},
		"scope": {googleReports + " " + googleUsers}, "state": {"state-1"},
	}
}

func googleToken(w *world, form url.Values) reply {
	id, secret := w.Google().Client()
	if !form.Has("client_id") {
		form.Set("client_id", id)
		form.Set("client_secret", secret)
	}
	return w.at("google.localhost", http.MethodPost, "/token", "", form.Encode())
}

func googleCode(w *world, ask url.Values) string {
	w.t.Helper()
	back, err := w.Google().Approve(w.t.Context(), hosted(w, "google.localhost"), w.url+"/o/oauth2/v2/auth?"+ask.Encode())
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil || u.Query().Get("code") == "" {
		w.t.Fatalf("sent back to %s: %v", back, err)
	}
	return u.Query().Get("code")
}

func googleSignIn(w *world, ask url.Values) tokens {
	w.t.Helper()
	got := googleToken(w, url.Values{"grant_type": {"authorization_code"}, "code": {googleCode(w, ask)}, "redirect_uri": {callback}})
	if got.status != http.StatusOK {
		w.t.Fatalf("%d %s", got.status, got.body)
	}
	return parse[tokens](w.t, got.body)
}

func TestGoogleAuthorize(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	for name, c := range map[string]struct {
		change []string
		code   string
	}{
		"an implicit grant": {[]string{"response_type", "token"}, "invalid_request"},
		"access for ever":   {[]string{"access_type", "forever"}, "invalid_request"},
		"another prompt":    {[]string{"prompt", "ask"}, "invalid_request"},
		"no scope":          {[]string{"scope", ""}, "invalid_request"},
		"commas in scopes":  {[]string{"scope", googleReports + "," + googleUsers}, "invalid_scope"},
		"another challenge": {[]string{"code_challenge", "x", "code_challenge_method", "S512"}, "invalid_request"},
	} {
		got := w.google("/o/oauth2/v2/auth?"+with(googleAsk(w), c.change...).Encode(), "")
		back, err := url.Parse(got.header.Get("Location"))
		if err != nil || got.status != http.StatusFound || back.Query().Get("error") != c.code {
			t.Errorf("%s: %d %v", name, got.status, got.header)
		}
	}
}

func TestGoogleTokens(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Google: simulator.GoogleOptions{Refused: []string{googleUsers}}})
	id, _ := w.Google().Client()
	first := googleSignIn(w, googleAsk(w))
	if first.Scope != googleReports || first.Expires != 3599 || first.Refresh == "" {
		t.Errorf("one scope of two was refused: %+v", first)
	}
	if again := googleSignIn(w, with(googleAsk(w), "prompt", "")); again.Refresh != "" {
		t.Error("a refresh token at a second consent, unasked")
	}
	if online := googleSignIn(w, with(googleAsk(w), "access_type", "online")); online.Refresh != "" {
		t.Error("a refresh token for online access")
	}
	renew := func() reply {
		return googleToken(w, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.Refresh}})
	}
	for range 2 {
		if got := parse[tokens](t, renew().body); got.Access == "" || got.Refresh != "" {
			t.Errorf("a refresh repeats no refresh token: %+v", got)
		}
	}
	const ended = `{"error":"invalid_grant","error_description":"Token has been expired or revoked."}`
	for name, c := range map[string]struct {
		form   url.Values
		status int
		body   string
	}{
		"unknown":       {url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}}, 400, ended},
		"wrong secret":  {url.Values{"grant_type": {"refresh_token"}, "client_id": {id}, "client_secret": {"x"}}, 401, `{"error":"invalid_client","error_description":"Unauthorized"}`},
		"wrong client":  {url.Values{"grant_type": {"refresh_token"}, "client_id": {"x"}, "client_secret": {"x"}}, 401, `{"error":"invalid_client","error_description":"The OAuth client was not found."}`},
		"other grant":   {url.Values{"grant_type": {"password"}}, 400, `{"error":"unsupported_grant_type","error_description":"Invalid grant_type"}`},
		"code unknown":  {url.Values{"grant_type": {"authorization_code"}, "code": {"x"}}, 400, `{"error":"invalid_grant","error_description":"Bad Request"}`},
		"other address": {url.Values{"grant_type": {"authorization_code"}, "code": {googleCode(w, googleAsk(w))}, "redirect_uri": {"http://127.0.0.1/"}}, 400, `{"error":"redirect_uri_mismatch","error_description":"Bad Request"}`},
	} {
		if got := googleToken(w, c.form); got.status != c.status || got.body != c.body {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	revoke := func(token string) reply {
		return w.at("google.localhost", http.MethodPost, "/revoke", "", url.Values{"token": {token}}.Encode())
	}
	if got := revoke(first.Refresh); got.status != http.StatusOK {
		t.Errorf("revoke: %d %s", got.status, got.body)
	}
	if got := revoke(first.Refresh); got.status != http.StatusBadRequest || got.body != `{"error":"invalid_token","error_description":"Token expired or revoked"}` {
		t.Errorf("revoke twice: %d %s", got.status, got.body)
	}
	if got := renew(); got.status != http.StatusBadRequest || got.body != ended {
		t.Errorf("after the revocation: %d %s", got.status, got.body)
	}
}

func TestGooglePermission(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Google: simulator.GoogleOptions{PerMinute: -1}})
	all, users := googleSignIn(w, googleAsk(w)).Access, googleSignIn(w, with(googleAsk(w), "scope", googleUsers)).Access
	for name, c := range map[string]struct {
		path, token string
		status      int
		part        string
	}{
		"no token":             {googleFeed + "login", "", 401, `"reason":"authError"`},
		"an unknown token":     {googleFeed + "login", "x", 401, `"status":"UNAUTHENTICATED"`},
		"without scope":        {googleFeed + "login", users, 403, `"reason":"insufficientPermissions"`},
		"no such application":  {googleFeed + "nothing", all, 400, "Invalid value for applicationName"},
		"too large a page":     {googleFeed + "login?maxResults=1001", all, 400, "maxResults"},
		"a word as a time":     {googleFeed + "login?startTime=today", all, 400, "startTime"},
		"from the future":      {googleFeed + "login?startTime=2026-11-22T10:00:00Z", all, 400, "startTime"},
		"turned round":         {googleFeed + "login?startTime=2026-11-22T09:00:00Z&endTime=2026-11-22T08:00:00Z", all, 400, "startTime"},
		"a made up page":       {googleFeed + "login?pageToken=x", all, 400, "pageToken"},
		"Gmail without bounds": {googleFeed + "gmail", all, 400, "startTime"},
		"Gmail of 31 days":     {googleFeed + "gmail?startTime=2026-10-22T09:00:00Z&endTime=2026-11-22T10:00:00Z", all, 400, "startTime"},
		"Gmail":                {googleFeed + "gmail?startTime=2026-11-01T09:00:00Z&endTime=2026-11-22T10:00:00Z", all, 200, "admin#reports#activities"},
		"users of nobody":      {"/admin/directory/v1/users?query=email=a@example.com", all, 400, "badRequest"},
		"users of all":         {"/admin/directory/v1/users?customer=my_customer&query=x", all, 400, "query"},
		"a user":               {"/admin/directory/v1/users?customer=my_customer&query=email=Zoe.Mueller@example.com", users, 200, `"id":"110000000000000000002"`},
	} {
		if got := w.google(c.path, c.token); got.status != c.status || !strings.Contains(got.body, c.part) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := w.google("/admin/directory/v1/users?customer=my_customer&query=email=nobody@example.org", all); strings.Contains(got.body, `"users"`) {
		t.Errorf("nobody: %s", got.body)
	}
	w = start(t, simulator.Options{Google: simulator.GoogleOptions{PerMinute: 1, Users: []simulator.User{{ID: "1", Login: "a@example.com"}}}})
	token := googleSignIn(w, googleAsk(w)).Access
	if got := w.google(googleFeed+"login", token); got.status != http.StatusUnauthorized || !strings.Contains(got.body, "Access denied.") {
		t.Errorf("no administrator: %d %s", got.status, got.body)
	}
	if got := w.google(googleFeed+"login", token); got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "userRateLimitExceeded") || got.header.Get("Retry-After") != "" {
		t.Errorf("too many: %d %v %s", got.status, got.header, got.body)
	}
}

func TestGooglePages(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Google: simulator.GoogleOptions{PerMinute: -1}})
	token := googleSignIn(w, googleAsk(w)).Access
	put := func(qualifier, application string, back time.Duration) {
		at := w.clock.Now().Add(-back).Format("2006-01-02T15:04:05.000Z")
		err := w.Google().Add(simulator.Event{Raw: fmt.Appendf(nil, `{"id":{"time":%q,"uniqueQualifier":%q,"applicationName":%q}}`, at, qualifier, application)})
		if err != nil {
			t.Fatal(err)
		}
	}
	type answer struct {
		Items []struct {
			ID struct{ UniqueQualifier string }
		}
		Next string `json:"nextPageToken"`
	}
	read := func(query string) ([]string, string) {
		page := parse[answer](t, w.google(googleFeed+"login"+query, token).body)
		var found []string
		for _, item := range page.Items {
			found = append(found, item.ID.UniqueQualifier)
		}
		return found, page.Next
	}
	put("2", "login", 2*time.Minute)
	put("1", "login", time.Minute)
	put("3", "login", 3*time.Minute)
	put("4", "drive", time.Minute)
	put("5", "login", 181*24*time.Hour)
	first, next := read("?maxResults=2")
	put("0", "login", 0)
	second, last := read("?maxResults=2&pageToken=" + next)
	if diff := cmp.Diff([][]string{{"1", "2"}, {"3"}}, [][]string{first, second}); diff != "" || last != "" {
		t.Errorf("then %q: %s", last, diff)
	}
	if got := w.google(googleFeed+"drive?pageToken="+next, token); got.status != http.StatusBadRequest {
		t.Errorf("a page of another application: %d %s", got.status, got.body)
	}
	bounds := url.Values{"startTime": {w.clock.Now().Add(-2 * time.Minute).Format(time.RFC3339)}, "endTime": {w.clock.Now().Add(-time.Minute).Format(time.RFC3339)}}
	if got, _ := read("?" + bounds.Encode()); cmp.Diff([]string{"1", "2"}, got) != "" {
		t.Errorf("bounds: %v", got)
	}
}
