package outbound_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/outbound"
)

func TestParseOrigins(t *testing.T) {
	t.Parallel()
	good := map[string][]outbound.Origin{
		"":  nil,
		" ": nil,
		"https://acme.okta.com=http://127.0.0.1:9000": {{From: "https://acme.okta.com", To: "http://127.0.0.1:9000"}},
		" https://Acme.Okta.com/ = http://okta.localhost:9000/ , https://*.zendesk.com:8443=https://[::1]:1": {
			{From: "https://acme.okta.com", To: "http://okta.localhost:9000"},
			{From: "https://*.zendesk.com:8443", To: "https://[::1]:1"},
		},
	}
	for s, want := range good {
		got, err := outbound.ParseOrigins(s)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v %s", s, err, diff)
		}
	}
	bad := map[string]string{
		"https://a.com":                                     "want FROM=TO",
		",":                                                 "want FROM=TO",
		"https://a.com=http://b,":                           "want FROM=TO",
		"http://a.com=http://b":                             "want https",
		"a.com=http://b":                                    "want http:// or https://",
		"https://a.com=b":                                   "want http:// or https://",
		"https://a.com=":                                    "want http:// or https://",
		"https://=http://b":                                 "it has no host",
		"https://a.com=http://":                             "it has no host",
		"https://a.com/x=http://b":                          "nothing else",
		"https://a.com=http://b/x":                          "nothing else",
		"https://a.com=http://b?":                           "nothing else",
		"https://a.com=http://b#":                           "nothing else",
		"https://u:s3cret@a.com=http://b":                   "nothing else",
		"https://a.com=http://u:s3cret@b":                   "nothing else",
		"https://a.com=http://b:0":                          "the port is not a number",
		"https://a.com=http://b:70000":                      "the port is not a number",
		"https://a.com=http://b:":                           "the port is not a number",
		"https://a.com=http://*.b":                          "wildcard can only be on the left",
		"https://a.*.com=http://b":                          "a wildcard is *. before a host",
		"https://*a.com=http://b":                           "a wildcard is *. before a host",
		"https://*=http://b":                                "a wildcard is *. before a host",
		"https://*.=http://b":                               "a wildcard needs a host",
		"https://a.com=http://b,https://A.com:443=http://c": "named twice",
		"https://bücher.de=http://b":                        "the host is neither",
		"https://a.com=http://b\x80c":                       "the host is neither",
		"https://a.com=http://%zz":                          "it is not a URL",
	}
	for s, want := range bad {
		_, err := outbound.ParseOrigins(s)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", s, err, want)
		}
	}
}

func FuzzParseOrigins(f *testing.F) {
	f.Add("https://acme.okta.com=http://127.0.0.1:9000,https://*.zendesk.com=https://x:1")
	f.Add("https://a=http://[fe80::1%25eth0]")
	f.Add("https://[::1%25a]=http://b@c:/?#,=")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := outbound.ParseOrigins(s)
		if err != nil {
			return
		}
		var parts []string
		for _, o := range got {
			for _, side := range []string{o.From, o.To} {
				u, err := url.Parse(side)
				if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" {
					t.Errorf("%q passed as an origin", side)
				}
			}
			if !strings.HasPrefix(o.From, "https://") {
				t.Errorf("%q is sent elsewhere", o.From)
			}
			parts = append(parts, o.From+"="+o.To)
		}
		again, err := outbound.ParseOrigins(strings.Join(parts, ","))
		if diff := cmp.Diff(got, again); err != nil || diff != "" {
			t.Errorf("not stable: %v %s", err, diff)
		}
		outbound.New(outbound.Options{Origins: got})
	})
}

// A mapped call goes to the target, says whom it was meant for, is signed, and shows the target's URL.
func TestMappedCall(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Host+"|"+r.Header.Get("X-Forwarded-Host")+"|"+r.Header.Get("Authorization")+"|"+r.RequestURI)
	}))
	t.Cleanup(target.Close)
	_, port, _ := net.SplitHostPort(target.Listener.Addr().String())
	for _, to := range []string{"http://127.0.0.1:" + port, "http://localhost:" + port, "http://okta.localhost:" + port} {
		for _, from := range []string{"https://acme.okta.com", "https://*.okta.com"} {
			o := outbound.Options{Origins: []outbound.Origin{{From: "https://other.com", To: "http://127.0.0.1:1"}, {From: from, To: to}}}
			c := newClient(t, o, bearer(t, "s3cret"), "https://acme.okta.com")
			// The provider's own URL, a link of the target's, and both in spellings that mean the same.
			for _, u := range []string{"https://acme.okta.com", to, "https://ACME.okta.com:443", "HTTP" + strings.TrimPrefix(to, "http")} {
				resp, body, err := get(t, c, u+"/a%2Fb?c=d%20e")
				if err != nil {
					t.Errorf("%s: %v", u, err)
					continue
				}
				if want := strings.TrimPrefix(to, "http://") + "|acme.okta.com|Bearer s3cret|/a%2Fb?c=d%20e"; !strings.EqualFold(body, want) {
					t.Errorf("%s: arrived %q, want %q", u, body, want)
				}
				if got := resp.Request.URL.String(); got != to+"/a%2Fb?c=d%20e" {
					t.Errorf("%s: shown as %s", u, got)
				}
			}
			for _, u := range []string{"http://acme.okta.com/", "https://okta.com/", "https://b.okta.com/", "http://127.0.0.1:1/", "https://xokta.com/"} {
				if _, _, err := get(t, c, u); !errors.Is(err, outbound.ErrForeignHost) {
					t.Errorf("%s: %v, want ErrForeignHost", u, err)
				}
			}
		}
	}
}

// An origin that is mapped does not open the target to those that are not mapped to it.
func TestTargetIsNotOpenToOthers(t *testing.T) {
	t.Parallel()
	var arrived atomic.Int32
	target := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived.Add(1) }))
	t.Cleanup(target.Close)
	o := outbound.Options{Origins: []outbound.Origin{{From: "https://*.okta.com", To: target.URL}}}
	if _, _, err := get(t, newClient(t, o, nil, target.URL), target.URL); !errors.Is(err, outbound.ErrAddress) {
		t.Errorf("%v, want ErrAddress", err)
	}
	for _, u := range []string{"https://okta.com/", "https://.okta.com/", "https://acme.okta.com:8443/"} { // not covered, so not sent to the target
		tr := outbound.New(o)
		if got, err := tr.Rewrite(u); err != nil || got != u {
			t.Errorf("Rewrite(%s) = %s, %v", u, got, err)
		}
	}
	if arrived.Load() != 0 {
		t.Error("a request arrived")
	}
}

func TestMappedRedirects(t *testing.T) {
	t.Parallel()
	var target *httptest.Server
	target = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := map[string]string{"/target": target.URL + "/ok", "/from": "https://acme.okta.com/ok", "/path": "/ok", "/b": "https://b.okta.com/ok"}[r.URL.Path]
		if to != "" {
			http.Redirect(w, r, to, http.StatusFound)
		}
	}))
	t.Cleanup(target.Close)
	o := outbound.Options{Origins: []outbound.Origin{{From: "https://*.okta.com", To: target.URL}}}
	for path, want := range map[string]error{"/target": nil, "/from": nil, "/path": nil, "/b": outbound.ErrForeignHost} {
		c := newClient(t, o, bearer(t, "s3cret"), "https://acme.okta.com")
		if _, _, err := get(t, c, "https://acme.okta.com"+path); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
}

func TestRewrite(t *testing.T) {
	t.Parallel()
	tr := outbound.New(outbound.Options{Origins: []outbound.Origin{
		{From: "https://acme.okta.com", To: "http://okta.localhost:9000"}, {From: "https://*.okta.com", To: "https://gov.example"},
	}})
	const rest = "/oauth2/v1/authorize?redirect_uri=https%3A%2F%2Fa%2Foauth2&state=a+b%20c&x"
	for in, want := range map[string]string{
		"https://acme.okta.com" + rest:     "http://okta.localhost:9000" + rest,
		"https://ACME.okta.com:443" + rest: "http://okta.localhost:9000" + rest,
		"https://b.okta.com" + rest:        "https://gov.example" + rest,
		"https://a.b.okta.com" + rest:      "https://gov.example" + rest,
		"https://example.com" + rest:       "https://example.com" + rest,
	} {
		if got, err := tr.Rewrite(in); err != nil || got != want {
			t.Errorf("Rewrite(%s) = %s, %v", in, got, err)
		}
	}
	for _, in := range []string{"http://example.com/", "javascript:alert(1)", "/x", "https://u:s3cret@example.com/", "https://%zz/"} {
		if got, err := tr.Rewrite(in); !errors.Is(err, outbound.ErrNotHTTPS) || got != "" || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("Rewrite(%s) = %s, %v", in, got, err)
		}
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]outbound.Options{
		"origin": {Origins: []outbound.Origin{{From: "http://a.com", To: "http://b"}}},
		"proxy":  {ProxyURL: &url.URL{Scheme: "ftp", Host: "proxy"}},
	} {
		tr := outbound.New(o)
		if _, _, err := get(t, tr.Client(nil, nil, nil), "https://a.com/"); err == nil || !strings.Contains(err.Error(), "outbound: ") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := tr.Rewrite("https://a.com/"); err == nil {
			t.Errorf("%s: Rewrite answers", name)
		}
	}
}

func TestSameOrigin(t *testing.T) {
	t.Parallel()
	for pair, want := range map[[2]string]bool{
		{"https://a.com/x", "https://A.com:443/y?z"}: true,
		{"http://a.com", "http://a.com:80"}:          true,
		{"https://a.com", "http://a.com"}:            false,
		{"https://a.com", "https://b.a.com"}:         false,
		{"https://a.com", "https://a.com:8443"}:      false,
		{"https://a.com", "https://a.com."}:          false,
	} {
		if got := outbound.SameOrigin(parse(t, pair[0]), parse(t, pair[1])); got != want {
			t.Errorf("SameOrigin(%s, %s) = %v", pair[0], pair[1], got)
		}
	}
}
