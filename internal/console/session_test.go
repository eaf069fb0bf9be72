package console_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"selvedge/connector/all"
	"selvedge/internal/console"
	"selvedge/internal/fabric"
	"selvedge/internal/sigv4"
)

// silent is an API that has nothing to say.
type silent struct{}

func (silent) Do(context.Context, fabric.Visitor, string, map[string]any) (json.RawMessage, error) {
	return json.RawMessage(`{}`), nil
}

// desk is a console of one access key, and what can be changed under it.
type desk struct {
	console *console.Console
	keys    map[string]sigv4.Key
	now     time.Time
}

const (
	keyID     = "AKIAQQQQQQQQQQQQQQQQ"
	keySecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

func newDesk(t *testing.T, publicURL string) *desk {
	t.Helper()
	d := &desk{
		keys: map[string]sigv4.Key{keyID: {ID: keyID, Secret: keySecret, Account: "111122223333"}},
		now:  time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC),
	}
	c, err := console.New(console.Options{
		API: silent{}, Apps: all.Apps(), PublicURL: publicURL, Log: slog.New(slog.DiscardHandler),
		Keys: func(_ context.Context, id string) (sigv4.Key, bool, error) {
			k, ok := d.keys[id]
			return k, ok, nil
		},
		Derive: func(label string) []byte { sum := sha256.Sum256([]byte(label)); return sum[:] },
		Now:    func() time.Time { return d.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	d.console = c
	return d
}

// send makes a request; header is pairs of name and value.
func (d *desk) send(method, path string, form url.Values, header ...string) *http.Response {
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	d.console.ServeHTTP(w, r)
	return w.Result()
}

func (d *desk) signIn(secret, next string, header ...string) *http.Response {
	return d.send("POST", "/console/sign-in", url.Values{
		"accessKeyId": {keyID}, "secretAccessKey": {secret}, "region": {"us-east-1"}, "next": {next},
	}, header...)
}

// session signs in and returns the Cookie header.
func (d *desk) session(t *testing.T) string {
	t.Helper()
	resp := d.signIn(keySecret, "")
	if resp.StatusCode != http.StatusSeeOther || len(resp.Cookies()) != 1 {
		t.Fatalf("sign-in: %s with %d cookies", resp.Status, len(resp.Cookies()))
	}
	return resp.Cookies()[0].Name + "=" + resp.Cookies()[0].Value
}

// formToken reads the token out of a page of the session.
func (d *desk) formToken(t *testing.T, cookie string) string {
	t.Helper()
	page := text(t, d.send("GET", "/console/", nil, "Cookie", cookie))
	m := regexp.MustCompile(`name="csrf" value="([^"]+)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no form on\n%s", page)
	}
	return m[1]
}

// signedIn says whether the first page is shown.
func (d *desk) signedIn(cookie string) bool {
	return d.send("GET", "/console/", nil, "Cookie", cookie).StatusCode == http.StatusOK
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "http://127.0.0.1:8686")
	if resp := d.send("GET", "/console/trail?x=1", nil); resp.StatusCode == http.StatusOK {
		t.Errorf("without a session: %s", resp.Status)
	}
	if got := d.send("GET", "/console/", nil).Header.Get("Location"); got != "/console/sign-in" {
		t.Errorf("without a session one is led to %q", got)
	}
	for name, resp := range map[string]*http.Response{
		"wrong secret": d.signIn("wrong", ""), "empty secret": d.signIn("", ""),
		"unknown key": d.send("POST", "/console/sign-in", url.Values{"accessKeyId": {"AKIAZ"}, "secretAccessKey": {""}, "region": {"us-east-1"}}),
	} {
		if resp.StatusCode != http.StatusForbidden || len(resp.Cookies()) != 0 {
			t.Errorf("%s: %s with %d cookies", name, resp.Status, len(resp.Cookies()))
		}
	}
	cookie := d.session(t)
	page := text(t, d.send("GET", "/console/", nil, "Cookie", cookie))
	for _, want := range []string{"111122223333", keyID, "us-east-1"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in\n%s", want, page)
		}
	}
	if strings.Contains(page, keySecret) || strings.Contains(cookie, keySecret) {
		t.Error("the secret is shown")
	}
}

func TestCookieIsKeptFromScriptsAndOtherSites(t *testing.T) {
	t.Parallel()
	for publicURL, name := range map[string]string{"http://127.0.0.1:8686": "selvedge", "https://selvedge.example.com": "__Host-selvedge"} {
		c := newDesk(t, publicURL).signIn(keySecret, "").Cookies()[0]
		if c.Name != name || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" ||
			c.Secure != strings.HasPrefix(publicURL, "https") {
			t.Errorf("%s: cookie %v", publicURL, c)
		}
	}
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	tests := map[string]func(t *testing.T, d *desk, cookie string) string{
		"after twelve hours": func(_ *testing.T, d *desk, c string) string { d.now = d.now.Add(12 * time.Hour); return c },
		"with a revoked key": func(_ *testing.T, d *desk, c string) string { delete(d.keys, keyID); return c },
		"with another secret": func(_ *testing.T, d *desk, c string) string {
			d.keys[keyID] = sigv4.Key{ID: keyID, Secret: "x", Account: "111122223333"}
			return c
		},
		"with another account": func(_ *testing.T, d *desk, c string) string {
			d.keys[keyID] = sigv4.Key{ID: keyID, Secret: keySecret, Account: "2"}
			return c
		},
		"when the cookie is changed": func(_ *testing.T, _ *desk, c string) string { return c[:len(c)-8] + "AAAAAAAA" },
		"when the cookie is cut":     func(_ *testing.T, _ *desk, c string) string { return c[:40] },
		"when it is another server's": func(t *testing.T, _ *desk, c string) string {
			other := newDesk(t, "https://127.0.0.1:8686") // the name of the cookie is sealed in
			_, value, _ := strings.Cut(other.session(t), "=")
			return "selvedge=" + value
		},
		"by signing out": func(t *testing.T, d *desk, c string) string {
			resp := d.send("POST", "/console/sign-out", url.Values{"csrf": {d.formToken(t, c)}}, "Cookie", c)
			if gone := resp.Cookies(); len(gone) != 1 || gone[0].MaxAge >= 0 {
				t.Errorf("signing out leaves the cookie: %v", gone)
			}
			return ""
		},
	}
	for name, end := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, "http://127.0.0.1:8686")
			cookie := d.session(t)
			if !d.signedIn(cookie) {
				t.Fatal("not signed in")
			}
			if d.signedIn(end(t, d, cookie)) {
				t.Error("still signed in")
			}
		})
	}
}

// TestSessionIsNotFixed sees that signing in does not go on with a session that
// was there, whoever put it there.
func TestSessionIsNotFixed(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "http://127.0.0.1:8686")
	planted := d.session(t)
	resp := d.signIn(keySecret, "", "Cookie", planted)
	fresh := resp.Cookies()[0].Name + "=" + resp.Cookies()[0].Value
	if d.formToken(t, planted) == d.formToken(t, fresh) {
		t.Error("signing in kept the session that was there")
	}
}

func TestForgedForms(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "https://selvedge.example.com")
	cookie := d.session(t)
	token := d.formToken(t, cookie)
	others := d.formToken(t, d.session(t))
	tests := map[string]struct {
		token  string
		header []string
		status int
	}{
		"from the page":                        {token, nil, http.StatusSeeOther},
		"from the page, by a browser":          {token, []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://selvedge.example.com"}, http.StatusSeeOther},
		"without a token":                      {"", nil, http.StatusForbidden},
		"with another session's":               {others, nil, http.StatusForbidden},
		"from another site":                    {token, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, http.StatusForbidden},
		"from a sibling":                       {token, []string{"Sec-Fetch-Site", "same-site", "Origin", "https://evil.example.com"}, http.StatusForbidden},
		"from another site, by an old browser": {token, []string{"Origin", "https://evil.example"}, http.StatusForbidden},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			form := url.Values{"region": {"eu-west-1"}}
			if test.token != "" {
				form.Set("csrf", test.token)
			}
			resp := d.send("POST", "/console/region", form, append(test.header, "Cookie", cookie)...)
			if resp.StatusCode != test.status {
				t.Errorf("%s, want %d", resp.Status, test.status)
			}
			if changed := len(resp.Cookies()) > 0; changed != (test.status == http.StatusSeeOther) {
				t.Errorf("the Region was changed: %t", changed)
			}
		})
	}
	if resp := d.signIn(keySecret, "", "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"); len(resp.Cookies()) != 0 {
		t.Error("another site signs a browser in")
	}
}

func TestSignInLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "http://127.0.0.1:8686")
	for next, want := range map[string]string{
		"":                                    "/console/",
		"/console/trail?operation=A":          "/console/trail?operation=A",
		"https://evil.example/console/":       "/console/",
		"//evil.example/console/":             "/console/",
		"/\\evil.example/console/":            "/console/",
		"/console/../../evil":                 "/console/",
		"/console//evil.example":              "/console/",
		"/console/\r\nSet-Cookie: a=b":        "/console/",
		"javascript:alert(1)//console/":       "/console/",
		"https:/console/":                     "/console/",
		"https://u:p@127.0.0.1:8686/console/": "/console/",
		"/appbundles":                         "/console/",
		"\thttps://evil.example":              "/console/",
	} {
		if got := d.signIn(keySecret, next).Header.Get("Location"); got != want {
			t.Errorf("next=%q leads to %q, want %q", next, got, want)
		}
	}
}

func TestFailedSignInsAreLimited(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "http://127.0.0.1:8686")
	for range 10 {
		if resp := d.signIn("wrong", ""); resp.StatusCode != http.StatusForbidden {
			t.Fatalf("wrong secret: %s", resp.Status)
		}
	}
	if resp := d.signIn("wrong", ""); resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("after ten failures: %s", resp.Status)
	}
	if resp := d.signIn(keySecret, ""); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("who is right, after ten failures of others at the same proxy: %s", resp.Status)
	}
	d.now = d.now.Add(11 * time.Second)
	if resp := d.signIn("wrong", ""); resp.StatusCode != http.StatusForbidden {
		t.Errorf("an interval later: %s", resp.Status)
	}
}

// TestEveryAnswerIsFenced sees that nothing may frame a page, run a script in it
// or keep it.
func TestEveryAnswerIsFenced(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "http://127.0.0.1:8686")
	cookie := d.session(t)
	for name, resp := range map[string]*http.Response{
		"page":     d.send("GET", "/console/", nil, "Cookie", cookie),
		"redirect": d.send("GET", "/console/", nil),
		"sign-in":  d.send("GET", "/console/sign-in", nil),
		"no page":  d.send("GET", "/console/nothing", nil, "Cookie", cookie),
		"forgery":  d.send("POST", "/console/region", nil, "Cookie", cookie),
		"asset":    d.send("GET", "/console/assets/style.css", nil),
		"no asset": d.send("GET", "/console/assets/..%2fpages%2ferror.html", nil),
	} {
		csp := resp.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy %q lacks %q", name, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: the policy %q is unsafe", name, csp)
		}
		if resp.Header.Get("X-Frame-Options") != "DENY" || resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers %v", name, resp.Header)
		}
		if keep := resp.Header.Get("Cache-Control"); keep != "no-store" && name != "asset" {
			t.Errorf("%s: Cache-Control %q", name, keep)
		}
	}
}
