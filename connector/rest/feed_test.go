package rest_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/connector/rest"
)

// feed answers with a record a minute ago and one an hour ago, and is asked for
// its place and the end of its range.
func feed(widest time.Duration) rest.Feed {
	return rest.Feed{
		Op:     "list",
		Widest: widest,
		Ask: func(t rest.Trail) (rest.Request, error) {
			_, err := t.Number(0)
			return rest.Request{Ref: "/v1/things", Query: url.Values{"after": {t.After}, "until": {rest.Since(t.Until)}}}, err
		},
		Read: func(a *rest.Answer, _ rest.Trail) (rest.Sheet, error) {
			doc, list, err := a.Records("list", func(d rest.Doc) (string, time.Time) { return "", rest.Time(d.Text("at")) })
			more, _ := doc.Flag("more")
			return rest.Sheet{Records: list, Next: cmp.Or(doc.Text("next"), a.Header.Get("Next")), More: more}, err
		},
	}
}

const (
	late, early = "2026-11-20T09:59:00Z", "2026-11-20T09:00:00Z"
	list        = `"list":[{"at":"` + late + `"},{"at":"` + early + `"},{},{"at":"2027-01-01T00:00:00Z"}]`
)

// reading is one case of a poll: what it asks, and what comes of the answer.
type reading struct {
	at     connector.Cursor
	widest time.Duration
	body   string
	date   time.Time // the provider's; zero: it does not tell
	asked  string    // place and end, by minutes; empty: nothing
	n      int       // of records
	next   connector.Cursor
	done   bool
}

func (r reading) check(t *testing.T, poll func(*rest.Client, rest.Feed) (connector.Page, error)) {
	t.Helper()
	asked := ""
	got, err := poll(client(func(req *http.Request) (*http.Response, error) {
		q := req.URL.Query()
		asked = fmt.Sprintf("%s %.16s", q.Get("after"), q.Get("until"))
		w := httptest.NewRecorder()
		if !r.date.IsZero() {
			w.Header().Set("Date", r.date.Format(http.TimeFormat))
		}
		fmt.Fprint(w, r.body)
		resp := w.Result()
		resp.Request = req
		return resp, nil
	}), feed(r.widest))
	if err != nil {
		t.Fatal(err)
	}
	if asked != r.asked {
		t.Errorf("asked %q, want %q", asked, r.asked)
	}
	if diff := gocmp.Diff(connector.Page{Next: r.next, Done: r.done}, connector.Page{Next: got.Next, Done: got.Done}); diff != "" || len(got.Records) != r.n {
		t.Errorf("%d records, want %d: %s", len(got.Records), r.n, diff)
	}
}

func TestWalk(t *testing.T) {
	t.Parallel()
	from, to, day := now.Add(-time.Hour), now.Add(-30*time.Minute), 24*time.Hour
	place := func(after string, until time.Time) string { return rest.Trail{After: after, Until: until}.Token() }
	for name, test := range map[string]reading{
		"more follow":            {connector.Cursor{From: from}, 0, `{"next":"2",` + list + `}`, from, " 2026-11-20T10:00", 4, connector.Cursor{From: from, Token: place("2", now)}, false},
		"the last":               {connector.Cursor{From: from, Token: place("2", to)}, 0, "{" + list + "}", time.Time{}, "2 2026-11-20T09:30", 4, connector.Cursor{From: to}, true},
		"our clock is ahead":     {connector.Cursor{From: from, Token: place("2", to)}, 0, "{" + list + "}", now.Add(-10 * time.Minute), "2 2026-11-20T09:30", 4, connector.Cursor{From: to.Add(-10 * time.Minute)}, true},
		"our clock is behind":    {connector.Cursor{From: from}, 0, "{" + list + "}", now.Add(time.Hour), " 2026-11-20T10:00", 4, connector.Cursor{From: now}, true},
		"a window":               {connector.Cursor{From: from, To: to}, 0, "{" + list + "}", time.Time{}, " 2026-11-20T09:30", 2, connector.Cursor{From: to, To: to}, true},
		"a window with more":     {connector.Cursor{From: from, To: to}, 0, `{"next":"2",` + list + `}`, time.Time{}, " 2026-11-20T09:30", 2, connector.Cursor{From: from, To: to, Token: place("2", to)}, false},
		"an empty window":        {connector.Cursor{From: to, To: to}, 0, "", time.Time{}, "", 0, connector.Cursor{From: to, To: to}, true},
		"the first part":         {connector.Cursor{From: now.Add(-2 * day)}, day, "{" + list + "}", time.Time{}, " 2026-11-19T10:00", 1, connector.Cursor{From: now.Add(-day)}, false},
		"the last part":          {connector.Cursor{From: now.Add(-day / 2)}, day, "{" + list + "}", time.Time{}, " 2026-11-20T10:00", 4, connector.Cursor{From: now}, true},
		"a part of a window":     {connector.Cursor{From: now.Add(-2 * day), To: to}, day, "{" + list + "}", time.Time{}, " 2026-11-19T10:00", 1, connector.Cursor{From: now.Add(-day), To: to}, false},
		"all parts of a window":  {connector.Cursor{From: to.Add(-day), To: to}, day, "{" + list + "}", time.Time{}, " 2026-11-20T09:30", 2, connector.Cursor{From: to, To: to}, true},
		"a part with more pages": {connector.Cursor{From: now.Add(-2 * day)}, day, `{"next":"2",` + list + `}`, time.Time{}, " 2026-11-19T10:00", 1, connector.Cursor{From: now.Add(-2 * day), Token: place("2", now.Add(-day))}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.check(t, func(c *rest.Client, f rest.Feed) (connector.Page, error) { return c.Walk(t.Context(), test.at, f) })
		})
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	from, to := now.Add(-2*time.Hour), now.Add(-30*time.Minute)
	last, page := `{"next":"3",`+list+`}`, `{"next":"3","more":true,`+list+`}`
	for name, test := range map[string]reading{
		"more at once":       {connector.Cursor{From: from}, 0, page, time.Time{}, " 0001-01-01T00:00", 4, connector.Cursor{From: from, Token: "3"}, false},
		"the last, From too": {connector.Cursor{From: from, Token: "2"}, 0, last, time.Time{}, "2 0001-01-01T00:00", 4, connector.Cursor{From: rest.Time(late), Token: "3"}, true},
		"never back":         {connector.Cursor{From: now, Token: "2"}, 0, last, time.Time{}, "2 0001-01-01T00:00", 4, connector.Cursor{From: now, Token: "3"}, true},
		"a window with more": {connector.Cursor{From: from, To: to}, 0, page, time.Time{}, " 2026-11-20T09:30", 2, connector.Cursor{From: from, To: to, Token: "3"}, false},
		"a window's end":     {connector.Cursor{From: from, To: to, Token: "2"}, 0, last, time.Time{}, "2 2026-11-20T09:30", 2, connector.Cursor{From: to, To: to}, true},
		"an empty window":    {connector.Cursor{From: to, To: to}, 0, "", time.Time{}, "", 0, connector.Cursor{From: to, To: to}, true},
		"nothing yet":        {connector.Cursor{From: from, Token: "3"}, 0, `{"next":"3","more":true,"list":[]}`, time.Time{}, "3 0001-01-01T00:00", 0, connector.Cursor{From: from, Token: "3"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.check(t, func(c *rest.Client, f rest.Feed) (connector.Page, error) { return c.Tail(t.Context(), test.at, f) })
		})
	}
}

// TestFeedFailures: a place that is no place is never asked for, one that is
// refused was forgotten, the place behind a page that cannot be decoded is kept
// where it was told, and no page leads to itself.
func TestFeedFailures(t *testing.T) {
	t.Parallel()
	trail := func(after string) string { return rest.Trail{After: after, Until: now}.Token() }
	for name, test := range map[string]struct {
		c          *rest.Client
		tail, walk string // the tokens
		kind       connector.Kind
		next       string // a place
	}{
		"no place":     {client(nil), "x", trail("x"), connector.CursorExpired, ""},
		"forgotten":    {answering(400, "{}"), "2", trail("2"), connector.CursorExpired, ""},
		"bad request":  {answering(400, "{}"), "", "", connector.Unavailable, ""},
		"undecodable":  {answering(200, "{}"), "2", trail("2"), connector.Malformed, ""},
		"stepped over": {answering(200, "{}", "Next: 3"), "2", trail("2"), connector.Malformed, "3"},
		"no text":      {answering(200, `{`+list+`}`, "Next: 3\xff"), "2", trail("2"), connector.Malformed, ""},
		"in a circle":  {answering(200, `{"more":true,"next":"2",`+list+`}`), "2", trail("2"), connector.Malformed, ""},
	} {
		for at, poll := range map[string]func(connector.Cursor) (connector.Page, error){
			test.tail: func(at connector.Cursor) (connector.Page, error) { return test.c.Tail(t.Context(), at, feed(0)) },
			test.walk: func(at connector.Cursor) (connector.Page, error) { return test.c.Walk(t.Context(), at, feed(0)) },
		} {
			p, err := poll(connector.Cursor{From: now, Token: at})
			e, ok := err.(*connector.Error) //nolint:errorlint // every error is one
			if !ok || e.Kind != test.kind || len(p.Records) > 0 || p.Next != (connector.Cursor{}) {
				t.Errorf("%s with %q: %v", name, at, err)
				continue
			}
			want := test.next
			if want != "" && at == test.walk {
				want = trail(want)
			}
			if e.Next.Token != want {
				t.Errorf("%s with %q: goes on at %q, want %q", name, at, e.Next.Token, want)
			}
		}
	}
}
