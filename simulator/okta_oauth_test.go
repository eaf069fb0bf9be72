package simulator_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/simulator"
)

func TestOktaAuthorizeRules(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	for name, c := range map[string]struct {
		change []string
		code   string // error in the redirect; empty: a page, no redirect
	}{
		"unknown client":             {[]string{"client_id", "0oaother"}, ""},
		"no redirect address":        {[]string{"redirect_uri", ""}, ""},
		"redirect beyond loopback":   {[]string{"redirect_uri", "https://evil.example/appfabric/oauth2"}, ""},
		"redirect to loopback's kin": {[]string{"redirect_uri", "http://127.0.0.1.example/"}, ""},
		"redirect by script":         {[]string{"redirect_uri", "javascript://localhost/"}, ""},
		"implicit flow":              {[]string{"response_type", "token"}, "unsupported_response_type"},
		"no response type":           {[]string{"response_type", ""}, "unsupported_response_type"},
		"fragment mode":              {[]string{"response_mode", "fragment"}, "unsupported_response_mode"},
		"no state":                   {[]string{"state", ""}, "invalid_request"},
		"state with other letters":   {[]string{"state", "a=b"}, "invalid_request"},
		"no scope":                   {[]string{"scope", ""}, "invalid_scope"},
		"scope that is not granted":  {[]string{"scope", "okta.logs.read okta.apps.manage"}, "invalid_scope"},
		"plain challenge":            {[]string{"code_challenge_method", "plain"}, "invalid_request"},
		"challenge without a method": {[]string{"code_challenge_method", ""}, "invalid_request"},
		"method without a challenge": {[]string{"code_challenge", ""}, "invalid_request"},
		"short challenge":            {[]string{"code_challenge", "abc"}, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			query := with(w.authorizeQuery(), c.change...)
			got := w.get("/oauth2/v1/authorize?"+query.Encode(), "")
			if c.code == "" {
				if got.status != http.StatusBadRequest || got.header.Get("Location") != "" || !strings.Contains(got.body, "<h1>400 Bad Request</h1>") {
					t.Fatalf("got %d, Location %q, %s", got.status, got.header.Get("Location"), got.body)
				}
				return
			}
			back, err := url.Parse(got.header.Get("Location"))
			if err != nil || got.status != http.StatusFound {
				t.Fatalf("got %d %v %s", got.status, err, got.body)
			}
			q := back.Query()
			if q.Get("error") != c.code || q.Get("error_description") == "" || q.Get("state") != query.Get("state") {
				t.Errorf("redirected to %s", back)
			}
			if want := query.Get("redirect_uri"); !strings.HasPrefix(back.String(), want+"?") {
				t.Errorf("redirected to %s, not below %s", back, want)
			}
		})
	}
	if got := w.get("/oauth2/v1/authorize?"+w.authorizeQuery().Encode()+"&state=twice", ""); !strings.Contains(got.header.Get("Location"), "error=invalid_request") {
		t.Errorf("a repeated parameter passed: %d", got.status)
	}
}

func TestOktaRegisteredRedirects(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Okta: simulator.OktaOptions{RedirectURIs: []string{callback}}})
	w.code(w.authorizeQuery())
	got := w.get("/oauth2/v1/authorize?"+with(w.authorizeQuery(), "redirect_uri", callback+"/").Encode(), "")
	if got.status != http.StatusBadRequest || !strings.Contains(got.body, "must be a Login redirect URI in the client app settings") {
		t.Errorf("an address that only begins alike: %d %s", got.status, got.body)
	}
}

func TestOktaConsent(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	address := w.url + "/oauth2/v1/authorize?" + w.authorizeQuery().Encode()
	back, err := w.Okta().Deny(context.Background(), w.http, address)
	if want := callback + "?error=access_denied&"; err != nil || !strings.HasPrefix(back, want) || !strings.HasSuffix(back, "&state=state-1") {
		t.Errorf("deny: %q, %v", back, err)
	}
	back, err = w.Okta().Approve(context.Background(), w.http, address)
	if err != nil || !strings.HasPrefix(back, callback+"?code=") || !strings.HasSuffix(back, "&state=state-1") {
		t.Errorf("approve: %q, %v", back, err)
	}
	back, err = w.Okta().Approve(context.Background(), w.http, w.url+"/oauth2/v1/authorize?"+with(w.authorizeQuery(), "scope", "").Encode())
	if err != nil || !strings.Contains(back, "error=invalid_scope") {
		t.Errorf("approve of a refused request: %q, %v", back, err)
	}
	if _, err := w.Okta().Approve(context.Background(), w.http, w.url+"/oauth2/v1/authorize"); err == nil {
		t.Error("approve of a request without client: no error")
	}
	// A form is good once, and no longer than its time.
	page := w.get("/oauth2/v1/authorize?"+w.authorizeQuery().Encode(), "")
	_, rest, _ := strings.Cut(page.body, `name="ticket" value="`)
	ticket, _, _ := strings.Cut(rest, `"`)
	form := url.Values{"ticket": {ticket}, "decision": {"approve"}}
	for i, want := range []int{http.StatusFound, http.StatusBadRequest} {
		if got := w.do(http.MethodPost, "/oauth2/v1/authorize", "", form); got.status != want {
			t.Errorf("form sent %d times: %d", i+1, got.status)
		}
	}
}

func TestOktaTokenRules(t *testing.T) {
	t.Parallel()
	const (
		badCode   = `{"error":"invalid_grant","error_description":"The authorization code is invalid or has expired."}`
		badSecret = `{"error":"invalid_client","error_description":"The client secret supplied for a confidential client is invalid."}`
		badClient = `{"errorCode":"invalid_client","errorSummary":"Invalid value for 'client_id' parameter.","errorLink":"invalid_client","errorId":"oae","errorCauses":[]}`
		badPKCE   = `{"error":"invalid_grant","error_description":"PKCE verification failed."}`
	)
	for name, c := range map[string]struct {
		change []string
		status int
		body   string // whole, or the error code if it has no brace
	}{
		"wrong code":           {[]string{"code", "x"}, 400, badCode},
		"no code":              {[]string{"code", ""}, 400, badCode},
		"other redirect":       {[]string{"redirect_uri", callback + "?x"}, 400, "invalid_grant"},
		"no redirect":          {[]string{"redirect_uri", ""}, 400, "invalid_grant"},
		"wrong verifier":       {[]string{"code_verifier", verifier + "x"}, 400, badPKCE},
		"no verifier":          {[]string{"code_verifier", ""}, 400, badPKCE},
		"wrong secret":         {[]string{"client_secret", "x"}, 401, badSecret},
		"unknown client":       {[]string{"client_id", "x"}, 401, badClient},
		"no client":            {[]string{"client_id", "", "client_secret", ""}, 400, "invalid_request"},
		"no grant type":        {[]string{"grant_type", ""}, 400, "invalid_request"},
		"other grant type":     {[]string{"grant_type", "password"}, 400, "unsupported_grant_type"},
		"unknown refresh":      {[]string{"grant_type", "refresh_token", "refresh_token", "x"}, 400, `{"error":"invalid_grant","error_description":"The refresh token is invalid or expired."}`},
		"refresh without one":  {[]string{"grant_type", "refresh_token"}, 400, "invalid_grant"},
		"code of another form": {[]string{"code", "", "refresh_token", "x"}, 400, badCode},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, simulator.Options{})
			good := w.codeForm(w.code(w.authorizeQuery()))
			got := w.do(http.MethodPost, "/oauth2/v1/token", "", with(good, c.change...))
			if got.status != c.status {
				t.Errorf("status %d, want %d", got.status, c.status)
			}
			if strings.HasPrefix(c.body, "{") {
				if diff := cmp.Diff(c.body, stable(got.body)); diff != "" {
					t.Error(diff)
				}
			} else if code := parse[map[string]string](t, got.body)["error"]; code != c.body {
				t.Errorf("error %q, want %q", code, c.body)
			}
			if !strings.Contains(got.header.Get("Cache-Control"), "no-store") {
				t.Error("the answer may be stored")
			}
			w.token(good) // a refused request uses nothing up
		})
	}
}

func TestOktaTokenAnswer(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	got := w.connect()
	if got.Type != "Bearer" || got.Expires != 3600 || got.Scope != scopes || got.Refresh == "" || len(got.Access) < 200 {
		t.Errorf("got %+v", got)
	}
	plain := w.token(w.codeForm(w.code(with(w.authorizeQuery(), "scope", "okta.logs.read"))))
	if plain.Refresh != "" {
		t.Error("a refresh token without offline_access")
	}
	free := with(w.authorizeQuery(), "code_challenge", "", "code_challenge_method", "")
	w.token(with(w.codeForm(w.code(free)), "code_verifier", ""))
}

func TestOktaClientAuthentication(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Okta: simulator.OktaOptions{ClientID: "0oa id", ClientSecret: "s/e+c:r&et"}})
	send := func(change func(*http.Request, url.Values)) reply {
		form := w.codeForm(w.code(w.authorizeQuery()))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/oauth2/v1/token", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		change(req, form)
		if req.Body == nil {
			body, err := http.NewRequest(http.MethodPost, "/", strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			req.Body, req.ContentLength = body.Body, body.ContentLength
		}
		return w.send(req)
	}
	basic := func(r *http.Request, form url.Values) {
		r.SetBasicAuth(url.QueryEscape("0oa id"), url.QueryEscape("s/e+c:r&et"))
		form.Del("client_id")
		form.Del("client_secret")
	}
	if got := send(basic); got.status != http.StatusOK {
		t.Errorf("basic: %d %s", got.status, got.body)
	}
	both := send(func(r *http.Request, form url.Values) {
		secret := form.Get("client_secret")
		basic(r, form)
		form.Set("client_secret", secret)
	})
	if both.status != http.StatusBadRequest || !strings.Contains(both.body, `"error":"invalid_request"`) {
		t.Errorf("both: %d %s", both.status, both.body)
	}
	if got := send(func(r *http.Request, _ url.Values) { r.Header.Set("Content-Type", "application/json") }); got.status != http.StatusBadRequest {
		t.Errorf("as JSON: %d %s", got.status, got.body)
	}
}

func TestOktaCodeIsSingleUseAndShortLived(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	form := w.codeForm(w.code(w.authorizeQuery()))
	w.token(form)
	if got := w.do(http.MethodPost, "/oauth2/v1/token", "", form); got.status != http.StatusBadRequest || !strings.Contains(got.body, "invalid_grant") {
		t.Errorf("second use: %d %s", got.status, got.body)
	}
	form = w.codeForm(w.code(w.authorizeQuery()))
	w.clock.Advance(60 * time.Second)
	w.token(form)
	form = w.codeForm(w.code(w.authorizeQuery()))
	w.clock.Advance(61 * time.Second)
	if got := w.do(http.MethodPost, "/oauth2/v1/token", "", form); got.status != http.StatusBadRequest {
		t.Errorf("after 61 s: %d %s", got.status, got.body)
	}
}

func TestOktaRefreshRotation(t *testing.T) {
	t.Parallel()
	t.Run("rotating", func(t *testing.T) {
		t.Parallel()
		w := start(t, simulator.Options{})
		first := w.connect()
		second := w.token(w.refreshForm(first.Refresh))
		if second.Refresh == first.Refresh || second.Refresh == "" {
			t.Fatal("the refresh token did not change")
		}
		third := w.token(w.refreshForm(second.Refresh))
		if got := w.do(http.MethodPost, "/oauth2/v1/token", "", w.refreshForm(first.Refresh)); got.status != http.StatusBadRequest {
			t.Fatalf("reuse: %d %s", got.status, got.body)
		}
		// Reuse ends the newest refresh token and every access token.
		if got := w.do(http.MethodPost, "/oauth2/v1/token", "", w.refreshForm(third.Refresh)); !strings.Contains(got.body, "invalid_grant") {
			t.Errorf("newest token after reuse: %d %s", got.status, got.body)
		}
		for i, token := range []string{first.Access, second.Access, third.Access} {
			if got := w.get("/api/v1/users/me", token); got.status != http.StatusUnauthorized {
				t.Errorf("access token %d after reuse: %d", i, got.status)
			}
		}
	})
	t.Run("grace", func(t *testing.T) {
		t.Parallel()
		w := start(t, simulator.Options{Okta: simulator.OktaOptions{Grace: 30 * time.Second}})
		first := w.connect()
		second := w.token(w.refreshForm(first.Refresh))
		w.clock.Advance(29 * time.Second)
		if again := w.token(w.refreshForm(first.Refresh)); again.Refresh != second.Refresh {
			t.Error("within the grace time: another refresh token")
		}
		w.clock.Advance(time.Second)
		if got := w.do(http.MethodPost, "/oauth2/v1/token", "", w.refreshForm(first.Refresh)); got.status != http.StatusBadRequest {
			t.Errorf("after the grace time: %d", got.status)
		}
	})
	t.Run("persistent", func(t *testing.T) {
		t.Parallel()
		w := start(t, simulator.Options{Okta: simulator.OktaOptions{Persistent: true}})
		first := w.connect()
		for range 3 {
			if again := w.token(w.refreshForm(first.Refresh)); again.Refresh != first.Refresh || again.Access == first.Access {
				t.Error("not the same refresh token, or no new access token")
			}
		}
	})
}

func TestOktaRefreshLimits(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Okta: simulator.OktaOptions{Persistent: true}})
	first := w.connect()
	wide := with(w.refreshForm(first.Refresh), "scope", scopes+" okta.apps.read")
	if got := w.do(http.MethodPost, "/oauth2/v1/token", "", wide); !strings.Contains(got.body, `"error":"invalid_scope"`) {
		t.Errorf("wider scope: %d %s", got.status, got.body)
	}
	narrow := w.token(with(w.refreshForm(first.Refresh), "scope", "okta.logs.read"))
	if got := w.get("/api/v1/users/me", narrow.Access); narrow.Scope != "okta.logs.read" || got.status != http.StatusForbidden {
		t.Errorf("narrower scope: %q, %d", narrow.Scope, got.status)
	}
	w.clock.Advance(7 * 24 * time.Hour)
	w.token(w.refreshForm(first.Refresh))
	w.clock.Advance(7*24*time.Hour + time.Second)
	if got := w.do(http.MethodPost, "/oauth2/v1/token", "", w.refreshForm(first.Refresh)); got.status != http.StatusBadRequest {
		t.Errorf("unused for more than seven days: %d", got.status)
	}
}

func TestOktaRevoke(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	got := w.connect()
	id, secret := w.Okta().Client()
	client := url.Values{"client_id": {id}, "client_secret": {secret}}
	for name, c := range map[string]struct {
		change []string
		status int
	}{
		"unknown token": {[]string{"token", "x"}, http.StatusOK},
		"no token":      {nil, http.StatusBadRequest},
		"odd hint":      {[]string{"token", "x", "token_type_hint", "cookie"}, http.StatusBadRequest},
		"wrong secret":  {[]string{"token", "x", "client_secret", "x"}, http.StatusUnauthorized},
	} {
		if r := w.do(http.MethodPost, "/oauth2/v1/revoke", "", with(client, c.change...)); r.status != c.status {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if r := w.do(http.MethodPost, "/oauth2/v1/revoke", "", with(client, "token", got.Access)); r.status != http.StatusOK || r.body != "" {
		t.Errorf("revoke access token: %d %q", r.status, r.body)
	}
	if r := w.get("/api/v1/users/me", got.Access); r.status != http.StatusUnauthorized {
		t.Errorf("revoked access token: %d", r.status)
	}
	renewed := w.token(w.refreshForm(got.Refresh))
	w.do(http.MethodPost, "/oauth2/v1/revoke", "", with(client, "token", renewed.Refresh))
	if r := w.get("/api/v1/users/me", renewed.Access); r.status != http.StatusUnauthorized {
		t.Errorf("access token of a revoked refresh token: %d", r.status)
	}
	if r := w.do(http.MethodPost, "/oauth2/v1/token", "", w.refreshForm(renewed.Refresh)); r.status != http.StatusBadRequest {
		t.Errorf("revoked refresh token: %d", r.status)
	}
}

func TestOktaTokenRequests(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	first := w.connect()
	if err := w.Inject("OKTA", simulator.Fault{Kind: simulator.DropAnswer, Path: "/oauth2/", Times: 1}); err != nil {
		t.Fatal(err)
	}
	if got := w.do(http.MethodPost, "/oauth2/v1/token", "", w.refreshForm(first.Refresh)); got.err == nil {
		t.Fatalf("the answer came: %d", got.status)
	}
	w.do(http.MethodPost, "/oauth2/v1/token", "", w.refreshForm(first.Refresh))
	requests := w.Okta().TokenRequests()
	if len(requests) != 3 {
		t.Fatalf("%d requests", len(requests))
	}
	lost, again := requests[1], requests[2]
	if requests[0].Grant != "authorization_code" || !requests[0].Answered || lost.Answered || lost.Error != "" || !again.Answered || again.Error != "invalid_grant" {
		t.Errorf("got %+v", requests)
	}
	if lost.Credential == "" || lost.Credential != again.Credential || lost.Credential == requests[0].Credential {
		t.Errorf("credentials: %+v", requests)
	}
}
