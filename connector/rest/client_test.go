package rest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

var now = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

func auth() connector.Auth {
	return connector.Auth{
		Origin: "https://{sub}.example.com",
		Tenant: connector.Tenant{Forms: []connector.TenantForm{{Pattern: `(?P<sub>[a-z]+)`}}, Hint: "a word"},
	}
}

func dialect() rest.Dialect {
	return rest.Dialect{
		Rules: []rest.Rule{
			{Status: 403, Code: "AF429", Kind: connector.Throttled},
			{Status: 410, Kind: connector.CursorExpired},
			{Code: "ended", Kind: connector.Unauthorized},
			{Status: 418, Words: "teapot", Kind: connector.Forbidden},
			{Status: 400, Placed: true, Kind: connector.CursorExpired},
		},
		Plain:   400,
		Says:    "fine",
		Code:    "error.code",
		Reasons: []string{"error.code", "errors.0.title", "errors.0.detail"},
		Waits: []rest.Wait{
			{Header: "Retry-After", Unit: rest.Seconds},
			{Header: "X-Rate-Limit-Reset", Unit: rest.Epoch},
			{Header: "X-RateLimit-Reset", Unit: rest.Seconds},
		},
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func client(f transport) *rest.Client {
	env := connector.Env{Tenant: "acme", HTTP: &http.Client{Transport: f}, Now: func() time.Time { return now }}
	return rest.New("app", auth(), env, dialect())
}

// answering gives every call the same answer. Headers are "Name: value".
func answering(status int, body string, headers ...string) *rest.Client {
	return client(func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			w.Header().Add(name, value)
		}
		w.WriteHeader(status)
		_, err := io.WriteString(w, body)
		resp := w.Result()
		resp.Request = r
		return resp, err
	})
}

func get(t *testing.T, c *rest.Client) (*rest.Answer, *connector.Error) {
	t.Helper()
	a, err := c.Do(t.Context(), rest.Request{Op: "list", Ref: "/v1/things"})
	if err == nil {
		return a, nil
	}
	e, ok := errors.AsType[*connector.Error](err)
	if !ok {
		t.Fatalf("error of type %T: %v", err, err)
	}
	return a, e
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status int
		body   string
		kind   connector.Kind
		reason string
	}{
		{401, `{"error":{"code":"E1"}}`, connector.Unauthorized, "E1"},
		{403, `{"errors":[{"title":"no","detail":"not\nyours"}]}`, connector.Forbidden, "no: not yours"},
		{403, `{"error":{"code":"AF429"}}`, connector.Throttled, "AF429"},
		{402, ``, connector.Forbidden, ""},
		{404, `<html>Not Found</html>`, connector.Forbidden, ""},
		{410, ``, connector.CursorExpired, ""},
		{400, `{"error":{"code":"ended"}}`, connector.Unauthorized, "ended"},
		{429, `{}`, connector.Throttled, ""},
		{400, `{"error":{"code":17}}`, connector.Unavailable, "17"},
		{500, `{"error":{"code":{}},"errors":{}}`, connector.Unavailable, ""},
		{503, `{"errors":[]}`, connector.Unavailable, ""},
		{302, ``, connector.Unavailable, ""},
	} {
		a, e := get(t, answering(test.status, test.body))
		if e == nil || e.Kind != test.kind || e.Reason != test.reason || e.Status != test.status {
			t.Errorf("%d %s: got %+v, want %v %q", test.status, test.body, e, test.kind, test.reason)
		}
		if e != nil && e.Op != "app: list" {
			t.Errorf("op %q", e.Op)
		}
		if a == nil {
			t.Errorf("%d: the answer is not given beside the error", test.status)
		}
	}
}

// TestRefusal: some say no under a status that says yes, and some forget a place.
func TestRefusal(t *testing.T) {
	t.Parallel()
	for body, kind := range map[string]connector.Kind{
		`{"fine":false,"error":{"code":"ended"}}`:          connector.Unauthorized,
		"\ufeff\n" + `{"error":{"code":"x"},"fine":false}`: connector.Unavailable,
	} {
		a, e := get(t, answering(200, body))
		if e == nil || e.Kind != kind || e.Reason == "" || e.Status != 200 || e.Op != "app: list" || a == nil {
			t.Errorf("%s: got %+v", body, e)
		}
	}
	for _, body := range []string{`{"fine":true}`, `{"fine":null}`, `{}`, `[false]`, `"fine"`, ``} {
		if _, e := get(t, answering(200, body)); e != nil {
			t.Errorf("%s: got %v", body, e)
		}
	}
	if _, e := get(t, answering(418, `{"error":{"code":"no teapot here"}}`)); e == nil || e.Kind != connector.Forbidden {
		t.Errorf("by its words: %v", e)
	}
	for text, reason := range map[string]string{"No such\nplace.": "No such place.", "Invalid Authorization: Bearer secret": ""} {
		if _, e := get(t, answering(400, text)); e == nil || e.Reason != reason {
			t.Errorf("%q: %+v", text, e)
		}
	}
}

func TestReasonOfBearerChallenge(t *testing.T) {
	t.Parallel()
	_, e := get(t, answering(403, "", `WWW-Authenticate: Bearer realm="a, b=c", error="insufficient_scope", error_description="The \"scope\", is missing."`))
	if want := `insufficient_scope: The "scope", is missing.`; e == nil || e.Reason != want {
		t.Errorf("got %+v, want reason %q", e, want)
	}
}

func TestUntil(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Time{
		"Retry-After: 30": now.Add(30 * time.Second),
		"Retry-After: 0":  now,
		"Retry-After: Fri, 20 Nov 2026 10:01:00 GMT": now.Add(time.Minute),
		"Retry-After: Fri, 20 Nov 2099 10:01:00 GMT": now.Add(24 * time.Hour),
		"Retry-After: 2026-11-20T10:02:00Z":          now.Add(2 * time.Minute),
		"Retry-After: 999999999999999999999":         now.Add(24 * time.Hour),
		"Retry-After: 1e400":                         {},
		"Retry-After: -5":                            {},
		"Retry-After: NaN":                           {},
		"Retry-After: +Inf":                          now.Add(24 * time.Hour),
		"Retry-After: soon":                          {},
		"X-Rate-Limit-Reset: 1795168845":             now.Add(45 * time.Second),
		"X-Rate-Limit-Reset: 1":                      now,
		"X-Rate-Limit-Reset: Fri, 20 Nov 2026 GMT":   {},
		"X-RateLimit-Reset: 0.25":                    now.Add(250 * time.Millisecond),
		"X-Something: 5":                             {},
	} {
		_, e := get(t, answering(429, "{}", header))
		if e == nil || !e.Until.Equal(want) {
			t.Errorf("%s: got %v, want until %v", header, e, want)
		}
	}
}

// TestUntilByTheirClock: a clock that is an hour ahead of the provider's must
// not make the wait an hour shorter.
func TestUntilByTheirClock(t *testing.T) {
	t.Parallel()
	theirs := now.Add(-time.Hour)
	_, e := get(t, answering(429, "{}", "Date: "+theirs.Format(http.TimeFormat), "X-Rate-Limit-Reset: 1795165230"))
	if want := now.Add(30 * time.Second); e == nil || !e.Until.Equal(want) {
		t.Errorf("got %+v, want until %v", e, want)
	}
}

func TestBrokenCalls(t *testing.T) {
	t.Parallel()
	cut := errors.New("cut")
	known := &connector.Error{Kind: connector.Unauthorized, Op: "outbound", Reason: "no grant"}
	for name, test := range map[string]struct {
		f    transport
		kind connector.Kind
		is   error
	}{
		"network":   {func(*http.Request) (*http.Response, error) { return nil, cut }, connector.Unavailable, cut},
		"cancelled": {func(*http.Request) (*http.Response, error) { return nil, context.DeadlineExceeded }, connector.Unavailable, context.DeadlineExceeded},
		"truncated": {func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(io.MultiReader(strings.NewReader("[{"), failing{cut})), Request: r}, nil
		}, connector.Unavailable, cut},
		"classified": {func(*http.Request) (*http.Response, error) { return nil, known }, connector.Unauthorized, known},
	} {
		_, e := get(t, client(test.f))
		if e == nil || e.Kind != test.kind || !errors.Is(e, test.is) {
			t.Errorf("%s: got %+v", name, e)
		}
		if e != nil && e.Op != "app: list" {
			t.Errorf("%s: op %q", name, e.Op)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestRequest(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body []byte
	c := client(func(r *http.Request) (*http.Response, error) {
		got = r
		if r.Body != nil {
			body, _ = io.ReadAll(r.Body)
		}
		return httptest.NewRecorder().Result(), nil
	})
	_, err := c.Do(t.Context(), rest.Request{
		Op: "ask", Method: http.MethodPost, Ref: "/v1/a%2Fb", Query: url.Values{"q": {"x y"}},
		Body: []byte(`{}`), ContentType: "application/json",
	})
	if err != nil {
		t.Fatal(err)
	}
	if u := got.URL.String(); u != "https://acme.example.com/v1/a%2Fb?q=x+y" || got.Method != "POST" || string(body) != "{}" || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("sent %s %s, body %q, header %v", got.Method, u, body, got.Header)
	}
	got = nil
	for _, ref := range []string{"https://evil.example/", "//evil.example/x", "http://acme.example.com/", "https://u:p@acme.example.com/", "::"} {
		if _, err := c.Do(t.Context(), rest.Request{Op: "ask", Ref: ref}); err == nil || got != nil {
			t.Errorf("ref %q was sent", ref)
		}
	}
}

func TestTenantRefused(t *testing.T) {
	t.Parallel()
	c := rest.New("app", auth(), connector.Env{Tenant: "NOT ONE"}, dialect())
	_, e := get(t, c)
	if e == nil || e.Kind != connector.Forbidden || !strings.Contains(e.Reason, "a word") {
		t.Errorf("got %+v, want the tenant's hint", e)
	}
	if c.Var("sub") != "" {
		t.Error("a refused tenant has variables")
	}
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	for body, reason := range map[string]string{
		"\ufeff \n<!DOCTYPE html>": "the answer is a web page, not JSON",
		`{"a":`:                    "x",
		"":                         "x",
	} {
		a, e := get(t, answering(200, body))
		if e != nil {
			t.Fatal(e)
		}
		m := a.Malformed(errors.New("x"))
		if m.Kind != connector.Malformed || string(m.Body) != body || m.Reason != reason || m.Status != 200 {
			t.Errorf("%q: got %+v", body, m)
		}
	}
}
