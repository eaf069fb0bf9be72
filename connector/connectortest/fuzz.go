package connectortest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"selvedge/connector"
)

// FuzzCase is a session whose provider answers whatever bytes there are.
type FuzzCase struct {
	App    connector.App
	Tenant string            // a tenant identifier that the application takes
	Facts  map[string]string // as in Case

	// Pages are answers as the provider writes them, with RECORDS for the
	// elements of the list: the first of testdata/ocsf-records.ndjson.
	Pages []string
	Links []string // what the headers tell of the next page
}

// FuzzPages reads foreign bytes as pages of each stream, live and of a window,
// and the pages that they lead to: whatever comes, a session does not panic, does
// not call twice or elsewhere, and moves the cursor only with a page.
func FuzzPages(f *testing.F, c FuzzCase) {
	f.Helper()
	for _, page := range c.pages(f) {
		for _, link := range append(c.Links, "") {
			f.Add(page, link, uint8(0), uint8(0))
		}
	}
	for _, page := range []string{"", "[]", `{"items":[1,null,[]],"data":{}}`, strings.Repeat("[", 1000)} {
		f.Add([]byte(page), evil+"/x", uint8(1), uint8(0))
	}
	for status := range fuzzStatuses() {
		f.Add([]byte(`{"error":{"code":"x"}}`), "7", uint8(1), uint8(status))
	}
	f.Fuzz(func(t *testing.T, page []byte, link string, stream, status uint8) {
		for _, at := range []connector.Cursor{{From: fuzzNow().Add(-time.Hour)}, {From: fuzzNow().Add(-time.Hour), To: fuzzNow()}} {
			for range 3 {
				next, done := c.poll(t, stream, at, page, link, status)
				if done {
					break
				}
				at = next
			}
		}
	})
}

// FuzzPlaces reads foreign bytes as the tokens of cursors, with whatever times: of
// a token that no page gave, a session says that it has expired, or asks its own
// provider, once.
func FuzzPlaces(f *testing.F, c FuzzCase) {
	f.Helper()
	pages := c.pages(f)
	for i := range c.App.Streams {
		for _, page := range pages {
			for _, link := range append(c.Links, "") {
				for _, to := range []time.Time{{}, fuzzNow()} {
					s, _ := c.open(page, link, http.StatusOK)
					at := connector.Cursor{From: fuzzNow().Add(-time.Hour), To: to}
					if p, err := s.Poll(f.Context(), c.App.Streams[i].Name, at); err == nil {
						f.Add(p.Next.Token, p.Next.From.Unix(), p.Next.To.Unix(), uint8(i))
					}
				}
			}
		}
	}
	for _, token := range []string{evil, "//evil.example/x", "/x?limit=1", "..", "page=1&began=2026-11-20T09:30:00Z", "offset=x", "{}", "%zz", "\x00"} {
		f.Add(token, int64(0), int64(-1<<62), uint8(0))
	}
	f.Fuzz(func(t *testing.T, token string, from, to int64, stream uint8) {
		at := connector.Cursor{From: time.Unix(from, 0), Token: token}
		if to > 0 {
			at.To = time.Unix(to, 0)
		}
		c.poll(t, stream, at, pages[0], "", 0)
	})
}

// fuzzNow is the clock of the sessions.
func fuzzNow() time.Time { return time.Date(2026, 11, 22, 19, 30, 0, 123_456_789, time.UTC) }

func fuzzStatuses() []int { return []int{200, 204, 400, 401, 403, 404, 409, 410, 423, 429, 500, 503} }

func (c FuzzCase) pages(f *testing.F) [][]byte {
	f.Helper()
	lines := Lines(f, "ocsf-records.ndjson")
	records := strings.Join(lines[:min(2, len(lines))], ",") // more would be slow
	var pages [][]byte
	for _, page := range c.Pages {
		pages = append(pages, []byte(strings.ReplaceAll(page, "RECORDS", records)))
	}
	if len(pages) == 0 {
		f.Fatal("no page")
	}
	return pages
}

// answers gives one answer to every call.
type answers struct {
	c      FuzzCase
	body   []byte
	link   string
	status int

	calls   int
	foreign string
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	a.calls++
	vars, _ := a.c.App.Auth.Tenant.Vars(a.c.Tenant)
	if at := r.URL.Scheme + "://" + r.URL.Host; !a.c.App.Auth.Allows(at, vars) {
		a.foreign = r.URL.String()
		return nil, errForeign
	}
	header := http.Header{"Content-Type": {"application/json"}}
	for _, name := range []string{"Link", "Nextpageuri", "Retry-After", "Date", "X-Rate-Limit-Reset"} {
		if a.link != "" {
			header.Set(name, a.link)
		}
	}
	return &http.Response{StatusCode: a.status, Header: header, Body: io.NopCloser(bytes.NewReader(a.body)), Request: r}, nil
}

func (c FuzzCase) open(body []byte, link string, status int) (connector.Session, *answers) {
	a := &answers{c: c, body: body, link: link, status: status}
	return c.App.Open(connector.Env{
		Tenant: c.Tenant, HTTP: &http.Client{Transport: a}, Facts: c.Facts, Now: fuzzNow, Log: slog.New(slog.DiscardHandler),
	}), a
}

// poll reads a page, and judges what the session makes of it.
func (c FuzzCase) poll(t *testing.T, stream uint8, at connector.Cursor, body []byte, link string, status uint8) (next connector.Cursor, done bool) {
	t.Helper()
	s := c.App.Streams[int(stream)%len(c.App.Streams)]
	code := fuzzStatuses()[int(status)%len(fuzzStatuses())]
	session, a := c.open(body, link, code)
	page, err := session.Poll(t.Context(), s.Name, at)
	// A subscription that is off is started by a second call.
	if a.foreign != "" || a.calls > 2 || err == nil && a.calls > 1 {
		t.Errorf("%d calls, one to %q", a.calls, a.foreign)
	}
	if err != nil {
		c.refused(t, page, err)
		return at, true
	}
	if code < 200 || code > 299 {
		if a.calls > 0 && page.Next.Token == at.Token && !page.Done {
			t.Errorf("HTTP %d is a page %+v", code, page)
		}
	}
	for _, r := range page.Records {
		if !json.Valid(r.Raw) || !bytes.Contains(body, r.Raw) {
			t.Errorf("a record that the page does not have: %q", r.Raw)
		}
	}
	kept, err := json.Marshal(page.Next)
	var again connector.Cursor
	if err != nil || json.Unmarshal(kept, &again) != nil || again.Token != page.Next.Token || !again.From.Equal(page.Next.From) || !again.To.Equal(page.Next.To) {
		t.Errorf("the cursor %+v does not survive JSON: %s, %v", page.Next, kept, err)
	}
	if page.Done && !s.Arrival && page.Next.Token != "" && at.To.IsZero() {
		t.Errorf("a poll that has ended goes on at %q", page.Next.Token)
	}
	return page.Next, page.Done
}

// refused judges an error: it is classified, and there is no page beside it.
func (c FuzzCase) refused(t *testing.T, page connector.Page, err error) {
	t.Helper()
	e, ok := errors.AsType[*connector.Error](err)
	if !ok {
		t.Fatalf("an error that nobody classified: %v", err)
	}
	classified(t, err, e.Kind)
	if len(page.Records) > 0 || page.Done || page.Next != (connector.Cursor{}) {
		t.Errorf("beside the error %v there is the page %+v", err, page)
	}
}
