package console_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	app "selvedge/connector"
	"selvedge/internal/console"
	"selvedge/internal/fabric"
	"selvedge/internal/token"
)

type connector struct {
	authorization fabric.AppAuthorization
	err           error
	got           []string
}

func (c *connector) Callback(_ context.Context, state, code, providerError, description string) (fabric.AppAuthorization, error) {
	c.got = []string{state, code, providerError, description}
	return c.authorization, c.err
}

func get(t *testing.T, c *connector, method, query string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	console.Callback(c, slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest(method, "/appfabric/oauth2?"+query, nil))
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func authorization(s fabric.AuthorizationStatus, reason string) fabric.AppAuthorization {
	return fabric.AppAuthorization{
		App: "OKTA", Tenant: fabric.Tenant{Identifier: "acme.okta.com", DisplayName: "Acme"}, Status: s, Reason: reason,
	}
}

func TestCallbackSays(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		connector connector
		status    int
		want      []string
	}{
		"connected":       {connector{authorization: authorization(fabric.Connected, "")}, 200, []string{"<h1 class=\"good\">Connected", "OKTA", "Acme"}},
		"pending":         {connector{authorization: authorization(fabric.PendingConnect, "E0000047")}, 202, []string{"Still connecting", "E0000047"}},
		"not accepted":    {connector{authorization: authorization(fabric.ConnectionValidationFailed, "invalid_grant: too old")}, 502, []string{"Not connected", "invalid_grant: too old", "authUrl"}},
		"ended":           {connector{authorization: authorization(fabric.TokenAutoRotationFailed, "")}, 502, []string{"No longer connected"}},
		"foreign state":   {connector{err: token.ErrState}, 400, []string{"not from here"}},
		"expired state":   {connector{err: token.ErrStateExpired}, 400, []string{"expired", "24 hours"}},
		"used state":      {connector{err: token.ErrStateUsed}, 409, []string{"has been used"}},
		"declined":        {connector{err: &token.Refusal{Reason: "access_denied: The user said no"}}, 403, []string{"access_denied: The user said no", "Nothing has changed"}},
		"tenant's form":   {connector{err: fabric.InvalidField("tenant.tenantIdentifier", "is no domain")}, 400, []string{"is no domain", "UpdateAppAuthorization"}},
		"no connector":    {connector{authorization: authorization(fabric.PendingConnect, ""), err: token.Connectable(app.App{Name: "OKTA"})}, 400, []string{"no connector yet", "OKTA", "Acme", "stays as it is"}},
		"fault of ours":   {connector{err: errors.New("disk canary")}, 500, []string{"Something went wrong here"}},
		"no display name": {connector{authorization: fabric.AppAuthorization{App: "OKTA", Tenant: fabric.Tenant{Identifier: "x.okta.com"}, Status: fabric.Connected}}, 200, []string{"x.okta.com"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resp := get(t, &test.connector, "GET", "state=s&code=c")
			page := text(t, resp)
			if resp.StatusCode != test.status {
				t.Errorf("status %d, want %d", resp.StatusCode, test.status)
			}
			for _, want := range test.want {
				if !strings.Contains(page, want) {
					t.Errorf("%q is not in\n%s", want, page)
				}
			}
			if strings.Contains(page, "canary") {
				t.Error("the page shows an internal error")
			}
		})
	}
}

func TestCallbackPassesTheQueryOn(t *testing.T) {
	t.Parallel()
	c := &connector{}
	get(t, c, "GET", "state=a%2Bb&code=c+d&error=e&error_description=f%20g")
	if got := strings.Join(c.got, "|"); got != "a+b|c d|e|f g" {
		t.Errorf("Callback got %q", got)
	}
}

func TestCallbackEscapes(t *testing.T) {
	t.Parallel()
	hostile := `"><script>alert(1)</script><img src=x onerror=y>{{.}}`
	a := authorization(fabric.ConnectionValidationFailed, hostile)
	a.Tenant.DisplayName = hostile
	a.App = hostile
	for _, c := range []*connector{{authorization: a}, {authorization: a, err: &token.Refusal{Reason: hostile}}} {
		page := text(t, get(t, c, "GET", "state="+url.QueryEscape(hostile)+"&error="+url.QueryEscape(hostile)))
		for _, bad := range []string{"<script", "<img", `""><`} {
			if strings.Contains(page, bad) {
				t.Errorf("%q is in\n%s", bad, page)
			}
		}
		if !strings.Contains(page, "&lt;script&gt;") {
			t.Error("the provider's words are missing")
		}
	}
}

func TestCallbackHeaders(t *testing.T) {
	t.Parallel()
	resp := get(t, &connector{err: token.ErrState}, "GET", "")
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	policy := resp.Header.Get("Content-Security-Policy")
	page := text(t, resp)
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
	if style == nil {
		t.Fatal("no style")
	}
	sum := sha256.Sum256([]byte(style[1]))
	if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) {
		t.Errorf("the policy %q does not let the style in: want %s", policy, want)
	}
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %s", policy, want)
		}
	}
	if regexp.MustCompile(`(?i)(src|href)=|https?://`).MatchString(strings.SplitN(page, "\r\n\r\n", 2)[1]) {
		t.Error("the page loads or leads to something else")
	}
}

func TestCallbackTakesGetOnly(t *testing.T) {
	t.Parallel()
	c := &connector{}
	for _, method := range []string{"POST", "HEAD", "PUT", "OPTIONS"} {
		if resp := get(t, c, method, "state=s&code=c"); resp.StatusCode != http.StatusMethodNotAllowed || c.got != nil {
			t.Errorf("%s: %d, connector called: %v", method, resp.StatusCode, c.got != nil)
		}
	}
}

// TestCallbackLeadsBackToTheConsole: whoever connected there goes on there.
func TestCallbackLeadsBackToTheConsole(t *testing.T) {
	t.Parallel()
	const bundle, id = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
	a := authorization(fabric.Connected, "")
	a.ID, a.BundleID, a.Account, a.Region = id, bundle, "111122223333", "us-east-1"
	for _, err := range []error{nil, token.ErrStateUsed, &token.Refusal{Reason: "access_denied"}} {
		body := text(t, get(t, &connector{authorization: a, err: err}, http.MethodGet, "state=s&code=c"))
		if want := `<a href="/console/bundles/` + bundle + `/authorizations/` + id + `">`; !strings.Contains(body, want) {
			t.Errorf("%v: no link in %s", err, body)
		}
	}
	if body := text(t, get(t, &connector{err: token.ErrState}, http.MethodGet, "state=x")); strings.Contains(body, "/console/") {
		t.Errorf("a stranger's state leads on: %s", body)
	}
}
