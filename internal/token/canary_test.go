package token_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/connector/okta"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
	"selvedge/internal/token"
)

// scripted answers token requests one after another, and everything else with
// an empty log.
type scripted struct {
	answers []func(w http.ResponseWriter, form url.Values)
	forms   []url.Values
	auth    []string
	queries []string
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, "[]")
		return
	}
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	n := len(s.forms)
	s.forms = append(s.forms, r.PostForm)
	s.auth = append(s.auth, r.Header.Get("Authorization"))
	s.queries = append(s.queries, r.URL.RawQuery)
	s.answers[n](w, r.PostForm)
}

func says(status int, body string) func(http.ResponseWriter, url.Values) {
	return func(w http.ResponseWriter, _ url.Values) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// scriptedWorld has an Okta whose token endpoint says what the test wants.
func scriptedWorld(t *testing.T, app connector.App, s *scripted) *world {
	t.Helper()
	w := bare(t, app)
	w.serve(s, "https://acme.okta.com")
	w.authorize("OKTA", "acme.okta.com", fabric.Credential{ClientID: "client id", ClientSecret: "canary secret+"})
	return w
}

func (w *world) code(code string) fabric.AppAuthorization {
	w.t.Helper()
	a, err := w.m.Connect(w.t.Context(), w.now(), &token.AuthRequest{RedirectURI: "https://given.example/cb", Code: fabric.Secret(code)})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func TestRequestsAsSent(t *testing.T) {
	t.Parallel()
	s := &scripted{answers: []func(http.ResponseWriter, url.Values){
		says(200, `{"access_token":"A1","refresh_token":"R1","expires_in":3600}`),
		says(200, `{"access_token":"A2","expires_in":3600}`), // keeps R1
		says(200, `{"access_token":"A3","refresh_token":"R2"}`),
		says(200, `{"access_token":"A4"}`),
	}}
	w := scriptedWorld(t, okta.App(), s)
	w.want(w.code("C1"), fabric.Connected, "")
	for range 3 {
		w.mustRefresh()
	}
	for i, want := range []url.Values{
		{"grant_type": {"authorization_code"}, "code": {"C1"}, "redirect_uri": {"https://given.example/cb"}},
		{"grant_type": {"refresh_token"}, "refresh_token": {"R1"}},
		{"grant_type": {"refresh_token"}, "refresh_token": {"R1"}},
		{"grant_type": {"refresh_token"}, "refresh_token": {"R2"}},
	} {
		got := s.forms[i]
		if i == 0 && len(got.Get("code_verifier")) < 43 {
			t.Errorf("code_verifier %q", got.Get("code_verifier"))
		}
		got.Del("code_verifier")
		if got.Encode() != want.Encode() {
			t.Errorf("request %d: %s, want %s", i, got.Encode(), want.Encode())
		}
		// RFC 6749, section 2.3.1: form-encoded, then Basic.
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("client+id:canary+secret%2B"))
		if s.auth[i] != basic {
			t.Errorf("request %d: Authorization %q, want %q", i, s.auth[i], basic)
		}
	}
}

func TestClientInTheForm(t *testing.T) {
	t.Parallel()
	app := okta.App()
	app.Auth.ClientAuth = connector.ClientPost
	s := &scripted{answers: []func(http.ResponseWriter, url.Values){says(400, `{"error":"invalid_client"}`)}}
	w := scriptedWorld(t, app, s)
	w.want(w.code("C"), fabric.ConnectionValidationFailed, "invalid_client")
	if f := s.forms[0]; f.Get("client_id") != "client id" || f.Get("client_secret") != "canary secret+" || s.auth[0] != "" {
		t.Errorf("form %v, Authorization %q", f, s.auth[0])
	}
}

func TestNoRefreshToken(t *testing.T) {
	t.Parallel()
	s := &scripted{answers: []func(http.ResponseWriter, url.Values){says(200, `{"access_token":"A","expires_in":3600}`)}}
	w := scriptedWorld(t, okta.App(), s)
	w.want(w.code("C"), fabric.Connected, "")
	if g := w.grant(); !g.Due.Equal(w.clock.Now().Add(time.Hour)) {
		t.Errorf("due %s, want the token's end", g.Due)
	}
	w.mustRefresh()
	w.want(w.now(), fabric.Connected, "")
	w.clock.Add(time.Hour)
	w.mustRefresh()
	w.want(w.now(), fabric.TokenAutoRotationFailed, "the access token has ended, and the provider gave no refresh token")
}

// A 400 or 401 without a word may be a proxy's. It costs no grant while the access
// token lives, and no code that may still be good.
func TestRefusedWithoutAWord(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401} {
		page := says(status, "<html><title>Bad Request</title></html>")
		reason := fmt.Sprintf("the token endpoint answered HTTP %d without saying why", status)
		s := &scripted{answers: []func(http.ResponseWriter, url.Values){
			page, says(200, `{"access_token":"A","refresh_token":"R","expires_in":3600}`),
			page, says(200, `{"access_token":"B","refresh_token":"S","expires_in":3600}`), page, page, page, page,
		}}
		w := scriptedWorld(t, okta.App(), s)
		w.want(w.code("C"), fabric.PendingConnect, reason)
		w.mustRefresh() // the duty goes on with the code
		w.want(w.now(), fabric.Connected, "")
		w.clock.Add(30 * time.Minute)
		if err := w.refresh(); err == nil {
			t.Error("a page was believed")
		}
		w.want(w.now(), fabric.Connected, "")
		w.mustRefresh()
		w.clock.Add(time.Hour - time.Second)
		if err := w.refresh(); err == nil {
			t.Error("a page was believed while the access token lives")
		}
		w.clock.Add(time.Second)
		w.mustRefresh()
		w.want(w.now(), fabric.TokenAutoRotationFailed, reason)

		if a := w.code("D"); a.Status == fabric.ConnectionValidationFailed {
			t.Errorf("a page was believed about a new code: %s", a.Reason)
		}
		w.clock.Add(15 * time.Minute)
		w.mustRefresh()
		w.want(w.now(), fabric.ConnectionValidationFailed, reason)
	}
}

func TestRefusedAnswers(t *testing.T) {
	t.Parallel()
	huge := `{"access_token":"A","pad":"` + strings.Repeat("x", 1<<20) + `"}`
	for name, test := range map[string]struct {
		answer func(http.ResponseWriter, url.Values)
		status fabric.AuthorizationStatus
		reason string
	}{
		"404 page": {says(404, "<html>"), fabric.ConnectionValidationFailed, "the token endpoint answered HTTP 404 without saying why"},
		"redirect": {func(w http.ResponseWriter, _ url.Values) { w.Header().Set("Location", "/x"); w.WriteHeader(302) }, fabric.ConnectionValidationFailed, "the token endpoint answered HTTP 302 without saying why"},
		"huge":     {says(200, huge), fabric.PendingConnect, "the token endpoint did not answer"},
		"page":     {says(200, "<html>"), fabric.PendingConnect, "the token endpoint answered HTTP 200 without saying why"},
		"echo":     {func(w http.ResponseWriter, f url.Values) { says(400, `{"error":"`+f.Get("code")+`"}`)(w, f) }, fabric.ConnectionValidationFailed, "[redacted]"},
		"echo more": {func(w http.ResponseWriter, f url.Values) {
			says(400, `{"error":"e","error_description":"`+f.Get("code_verifier")+`"}`)(w, f)
		}, fabric.ConnectionValidationFailed, "e: [redacted]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := scriptedWorld(t, okta.App(), &scripted{answers: []func(http.ResponseWriter, url.Values){test.answer}})
			w.want(w.code("code"), test.status, test.reason)
		})
	}
}

// Secrets are in no log, no error and no row in the open, in whatever spelling.
func TestCanaries(t *testing.T) {
	t.Parallel()
	canaries := []string{"canary secret+", "canary-code", "canary-access-1", "canary-refresh-1", "canary-access-2", "canary-refresh-2"}
	s := &scripted{answers: []func(http.ResponseWriter, url.Values){
		says(200, `{"access_token":"canary-access-1","refresh_token":"canary-refresh-1","expires_in":3600}`),
		says(503, `{"error":"canary-refresh-1"}`),
		says(200, `{"access_token":"canary-access-2","refresh_token":"canary-refresh-2","expires_in":3600}`),
		says(200, `canary-access-2`),
		says(400, `{"error":"invalid_grant","error_description":"canary-refresh-2 of canary secret+ is gone"}`),
		says(200, `{}`),
	}}
	w := scriptedWorld(t, okta.App(), s)
	var said strings.Builder
	w.want(w.code("canary-code"), fabric.Connected, "")
	for range 4 {
		w.clock.Add(30 * time.Minute)
		fmt.Fprintf(&said, "%v %+v %v\n", w.refresh(), w.grant().Authorization, w.poll())
	}
	w.m.Revoke(t.Context(), w.a)(context.Background())
	events, err := w.store.Lineage(t.Context(), w.a.ID, 100)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&said, "%+v\n%s\n", events, w.log.String())
	seen := map[string]string{"what was said": said.String()}
	err = filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		seen[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.options.URL != "" {
		seen["the database"] = storetest.Dump(t, w.options.URL)
	}
	if !strings.Contains(said.String(), "invalid_grant: [redacted] of [redacted] is gone") {
		t.Errorf("the refusal does not show:\n%s", said.String())
	}
	for _, c := range canaries {
		for _, spelling := range []string{
			c, url.QueryEscape(c), hex.EncodeToString([]byte(c)),
			strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(c)), "=")[:8],
		} {
			for where, text := range seen {
				if strings.Contains(text, spelling) {
					t.Errorf("%q is seen in %s", c, where)
				}
			}
		}
	}
	if len(seen) < 3 {
		t.Errorf("only %d files were looked at", len(seen))
	}
}

// What is sealed for one authorization does not open in another's row.
func TestSwappedRows(t *testing.T) {
	t.Parallel()
	s := &scripted{answers: []func(http.ResponseWriter, url.Values){
		says(200, `{"access_token":"A","refresh_token":"R","expires_in":3600}`),
	}}
	w := scriptedWorld(t, okta.App(), s)
	w.want(w.code("C"), fabric.Connected, "")
	g := w.grant()
	c, _, err := w.store.ClaimRow(t.Context(), store.DutyRefresh, w.a.ID, "replica-1", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	// The tokens of one version in the place of another's.
	err = w.store.ChangeGrant(t.Context(), c, store.GrantChange{
		Swap: &store.TokenSet{Version: g.Version + 1, Generation: 1, Sealed: g.Tokens}, Finish: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.poll(); err == nil || !strings.Contains(err.Error(), "does not open") {
		t.Errorf("tokens of another version: %v", err)
	}
}
