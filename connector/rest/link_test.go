package rest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"selvedge/connector/rest"
)

func TestLink(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		headers []string
		want    string
	}{
		{nil, ""},
		{[]string{`<https://a/1>; rel="next"`}, "https://a/1"},
		{[]string{`<https://a/1>; rel="self"`, `<https://a/2>;rel=next`}, "https://a/2"},
		{[]string{`<https://a/1>; rel="self", <https://a/2>; REL="prev NEXT"`}, "https://a/2"},
		{[]string{`<https://a/1,2?x=a,b>; title="a, <b>; rel=\"next\""; rel="last", <https://a/3>; rel="next"`}, "https://a/3"},
		{[]string{`<https://a/1>; rel="prev"; rel="next"`}, ""},
		{[]string{`<https://a/1>; rel="next"; anchor="#x", <https://a/2>; rel=next`}, "https://a/2"},
		{[]string{`</rel/path?x>; rel="next"`}, "/rel/path?x"},
		{[]string{`<https://a/1>; rel="nextish"`, `next`, `<`, `<x`, `>;rel=next`, `,`, `<y>`}, ""},
		{[]string{`<https://a/1> ; title = "x" ; rel = "next"`}, "https://a/1"},
	} {
		if got := rest.Link(http.Header{"Link": test.headers}, "next"); got != test.want {
			t.Errorf("%q: got %q, want %q", test.headers, got, test.want)
		}
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	for link, want := range map[string]string{
		"": "",
		"https://acme.example.com/v1/things?after=a%2Fb&limit=5": "/v1/things?after=a%2Fb&limit=5",
		"https://ACME.example.com:443/v1/things?a":               "/v1/things?a",
		"/v1/things?a":                                      "/v1/things?a",
		"?a":                                                "/v1/things?a",
		"https://evil.example/v1/things?a":                  "refused",
		"//evil.example/v1/things?a":                        "refused",
		"http://acme.example.com/v1/things?a":               "refused",
		"https://acme.example.com:8443/v1/things?a":         "refused",
		"https://u@acme.example.com/v1/things?a":            "refused",
		"https://acme.example.com/v1/others?a":              "refused",
		"https://acme.example.com/v1/things/../admin?a":     "refused",
		"https://acme.example.com.evil.example/v1/things?a": "refused",
		"%zz":               "refused",
		"javascript:things": "refused",
	} {
		header := "Link: <" + link + `>; rel="next"`
		if link == "" {
			header = `Link: </>; rel="self"`
		}
		a, e := get(t, answering(200, "[]", header))
		if e != nil {
			t.Fatal(e)
		}
		got, err := a.Next()
		if err != nil {
			got = "refused"
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", link, got, want)
		}
	}
}

// TestNextOfOrigins: where another origin answers for the tenant's, links to
// either lead on, and what is kept names neither.
func TestNextOfOrigins(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"http://127.0.0.1:9000", "https://acme.example.com"} {
		c := client(func(r *http.Request) (*http.Response, error) {
			sent := r.Clone(r.Context())
			sent.URL.Scheme, sent.URL.Host = "http", "127.0.0.1:9000"
			return &http.Response{
				StatusCode: 200, Body: http.NoBody, Request: sent,
				Header: http.Header{"Link": {"<" + host + `/v1/things?p=2>; rel="next"`}},
			}, nil
		})
		a, e := get(t, c)
		if e != nil {
			t.Fatal(e)
		}
		if got, err := a.Next(); got != "/v1/things?p=2" || err != nil {
			t.Errorf("%s: got %q, %v", host, got, err)
		}
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	q, err := rest.Place("/v1/things?after=x&limit=5", "/v1/things")
	if err != nil || q.Get("limit") != "5" {
		t.Errorf("got %v, %v", q, err)
	}
	for _, token := range []string{
		"", "x", "https://acme.example.com/v1/things?a", "//evil/v1/things", "/v1/things/../x", "/v1/thingsx", "/v1/others",
		"/v1/things#f", "mailto:/v1/things", "/v1/things?%zz", "/v1/things?a;b", "\x00",
	} {
		if _, err := rest.Place(token, "/v1/things"); err == nil {
			t.Errorf("%q was taken", token)
		}
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                              "",
		"  a\r\n\tb  ":                  "a b",
		"a\x1b[31mb\x00c":               "a [31mb c",
		"a\u202eb\u2028c\u200b":         "a b c",
		"caf\u00e9 \xff":                "café \ufffd",
		strings.Repeat("é", 400):        strings.Repeat("é", 300),
		strings.Repeat("a", 299) + " b": strings.Repeat("a", 299),
	} {
		if got := rest.Line(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzLink(f *testing.F) {
	f.Add(`<https://acme.example.com/v1/things?a>; rel="next", <x>; title="a,b\"c"; rel=self`)
	f.Add(`<//evil/x>; rel=next`)
	f.Add(`<a>;;;rel="next`)
	f.Fuzz(func(t *testing.T, header string) {
		a, err := client(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r, Header: http.Header{"Link": {header}}}, nil
		}).Do(t.Context(), rest.Request{Op: "list", Ref: "/v1/things"})
		if err != nil {
			t.Fatal(err)
		}
		token, err := a.Next()
		if err != nil || token == "" {
			return
		}
		u, err := url.Parse("https://acme.example.com" + token)
		if err != nil || u.Host != "acme.example.com" || u.Path != "/v1/things" {
			t.Errorf("token %q leads to %v, %v", token, u, err)
		}
	})
}

func FuzzPlace(f *testing.F) {
	f.Add("/v1/things?after=x")
	f.Add("//evil/v1/things")
	f.Add("/v1/things\\@evil")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := rest.Place(token, "/v1/things"); err != nil {
			return
		}
		base := &url.URL{Scheme: "https", Host: "acme.example.com"}
		u, err := base.Parse(token)
		if err != nil || u.Host != base.Host || u.Scheme != base.Scheme || u.EscapedPath() != "/v1/things" {
			t.Errorf("token %q leads to %v, %v", token, u, err)
		}
	})
}

func FuzzLine(f *testing.F) {
	f.Add("a\nb\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		line := rest.Line(s)
		if !utf8.ValidString(line) || utf8.RuneCountInString(line) > 300 || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q gives %q", s, line)
		}
		if rest.Line(line) != line {
			t.Errorf("%q is changed again", line)
		}
	})
}
