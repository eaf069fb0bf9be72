package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"selvedge/internal/sigv4"
)

// browser is a person at a browser without scripts.
type browser struct {
	*site
	agent  string // User-Agent
	from   string // Sec-Fetch-Site
	cookie *http.Cookie
	form   string // token of the forms
}

// browser is one that the root key is signed in at.
func (s *site) browser() *browser {
	s.t.Helper()
	return s.browserOf(s.root)
}

func (s *site) browserOf(k sigv4.Key) *browser {
	s.t.Helper()
	b := &browser{site: s, agent: "a browser", from: "same-origin"}
	got := b.send("POST", "/console/sign-in", url.Values{"accessKeyId": {k.ID}, "secretAccessKey": {k.Secret}, "region": {s.caller.Region}})
	for _, c := range got.cookies {
		b.cookie = c
	}
	if got.status != http.StatusSeeOther || b.cookie == nil {
		s.t.Fatalf("sign in: %d %s", got.status, got.body)
	}
	return b
}

// send asks for a page, which must keep to the rules of all pages.
func (b *browser) send(method, path string, form url.Values) document {
	b.t.Helper()
	d := b.fetch(method, path, form)
	var err error
	if d.root, err = html.Parse(strings.NewReader(d.body)); err != nil {
		b.t.Fatal(err)
	}
	if token := d.value("csrf"); token != "" {
		b.form = token
	}
	d.fenced(path)
	if d.to == "" {
		d.rules(path)
	}
	return d
}

// fetch asks for a page and does not look at it.
func (b *browser) fetch(method, path string, form url.Values) document {
	b.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", b.from)
	}
	r.Header.Set("User-Agent", b.agent)
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return document{
		t: b.t, status: w.Code, to: w.Header().Get("Location"), header: w.Header(), body: w.Body.String(), cookies: w.Result().Cookies(),
	}
}

// get opens a page, which must be there.
func (b *browser) get(path string) document {
	b.t.Helper()
	if path == "" {
		b.t.Fatal("there is no page to go to")
	}
	path, _, _ = strings.Cut(path, "#")
	d := b.send("GET", path, nil)
	if d.status != http.StatusOK {
		b.t.Fatalf("GET %s: %d to %q\n%s", path, d.status, d.to, d.text())
	}
	return d
}

// post sends a form of the console, by pairs of names and values.
func (b *browser) post(path string, pairs ...string) document {
	b.t.Helper()
	if b.form == "" {
		b.get("/console/apps") // has forms, and calls nothing
	}
	form := url.Values{"csrf": {b.form}}
	for n := 0; n < len(pairs); n += 2 {
		form.Set(pairs[n], pairs[n+1])
	}
	return b.send("POST", path, form)
}

// document is an answer as a browser understands it.
type document struct {
	t       testing.TB
	status  int
	to      string // of a redirect
	header  http.Header
	body    string
	cookies []*http.Cookie
	root    *html.Node
}

func attribute(n *html.Node, name string) string {
	value, _ := attributeOf(n, name)
	return value
}

func attributeOf(n *html.Node, name string) (string, bool) {
	if n != nil {
		for _, a := range n.Attr {
			if a.Key == name {
				return a.Val, true
			}
		}
	}
	return "", false
}

// within is every element of a name below a node; empty: of any.
func within(n *html.Node, name string) (found []*html.Node) {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && (name == "" || d.Data == name) {
			found = append(found, d)
		}
	}
	return found
}

func (d document) all(name string) []*html.Node { return within(d.root, name) }

// find is the first element of a name with an attribute; nil: there is none.
func (d document) find(name, attr, value string) *html.Node {
	for _, n := range d.all(name) {
		if attr == "" || attribute(n, attr) == value {
			return n
		}
	}
	return nil
}

// words is the text of an element, white space made one space.
func words(n *html.Node) string {
	var all strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			all.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(all.String()), " ")
}

// text is what the page's main element says.
func (d document) text() string {
	if main := d.find("main", "", ""); main != nil {
		return words(main)
	}
	return words(d.root)
}

func (d document) says(wants ...string) {
	d.t.Helper()
	text := d.text()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			d.t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// value is of the first input of a name.
func (d document) value(name string) string { return attribute(d.find("input", "name", name), "value") }

// link is where the first link with the text leads to.
func (d document) link(text string) string {
	d.t.Helper()
	for _, n := range d.all("a") {
		if strings.Contains(words(n), text) {
			return attribute(n, "href")
		}
	}
	d.t.Errorf("no link %q in: %s", text, d.text())
	return ""
}
