package google_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/connector/connectortest"
	"selvedge/connector/google"
	"selvedge/connector/rest"
	"selvedge/simulator"
)

var now = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// scripted is a session whose provider gives each call the same answer, dated so
// far behind our clock, and what it was asked.
func scripted(status int, body string, behind time.Duration) (connector.Session, *[]string) {
	asked := new([]string)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.RequestURI())
		w.Header().Set("Date", now.Add(-behind).Format(http.TimeFormat))
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})
	env := connector.Env{
		Tenant: "my-project-123456", HTTP: &http.Client{Transport: connectortest.InProcess{Handler: handler}}, Now: func() time.Time { return now },
	}
	return google.App().Open(env), asked
}

func page(next string, times ...string) string {
	items := make([]string, len(times))
	for i, at := range times {
		items[i] = fmt.Sprintf(`{"id":{"time":%q,"uniqueQualifier":"-%d","customerId":"C1"}}`, at, i)
	}
	if len(items) == 0 {
		return fmt.Sprintf(`{"kind":"admin#reports#activities","nextPageToken":%q}`, next)
	}
	return fmt.Sprintf(`{"kind":"admin#reports#activities","nextPageToken":%q,"items":[%s]}`, next, strings.Join(items, ","))
}

// TestStreams holds that every stream is an application of Google's, asked for by
// its name.
func TestStreams(t *testing.T) {
	t.Parallel()
	server := simulator.New(simulator.Options{Google: simulator.GoogleOptions{PerMinute: -1}})
	token := connectortest.SignIn(t, server, google.App())
	env := connector.Env{Tenant: "my-project-123456", Now: time.Now, HTTP: signed(server, token)}
	streams := google.App().Streams
	if len(streams) != 33 {
		t.Errorf("%d streams", len(streams))
	}
	for _, s := range streams {
		if _, err := server.Google().EmitTo(s.Name, 3, 0); err != nil {
			t.Error(err)
			continue
		}
		got, err := google.App().Open(env).Poll(t.Context(), s.Name, connector.Cursor{From: time.Now().Add(-time.Hour)})
		if err != nil || len(got.Records) != 3 || !got.Done {
			t.Errorf("%s: %d records, done %v, %v", s.Name, len(got.Records), got.Done, err)
		}
		if s.Overlap < time.Hour || !s.Newest {
			t.Errorf("%+v", s)
		}
	}
}

func signed(server *simulator.Server, token string) *http.Client {
	return &http.Client{Transport: connectortest.InProcess{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+token)
			r.Host = "google.localhost"
			server.ServeHTTP(w, r)
		}),
	}}
}

func TestPoll(t *testing.T) {
	t.Parallel()
	from := now.Add(-time.Hour)
	place := func(after string) string { return rest.Trail{After: after, Until: now}.Token() }
	const at = "2026-11-20T09:30:00.123Z"
	for name, test := range map[string]struct {
		stream string
		at     connector.Cursor
		body   string
		behind time.Duration
		asked  string
		ids    []string
		next   connector.Cursor
		done   bool
	}{
		"live":  {"login", connector.Cursor{From: from}, page("", at, at), 0, "maxResults=1000&startTime=2026-11-20T09%3A00%3A00.000Z", []string{at + "/-0", at + "/-1"}, connector.Cursor{From: now}, true},
		"empty": {"login", connector.Cursor{From: from}, page(""), 0, "maxResults=1000&startTime=2026-11-20T09%3A00%3A00.000Z", nil, connector.Cursor{From: now}, true},
		"empty, and yet more": {
			"login", connector.Cursor{From: from}, page("b"), 0, "maxResults=1000&startTime=2026-11-20T09%3A00%3A00.000Z", nil,
			connector.Cursor{From: from, Token: place("b")}, false,
		},
		"going on": {
			"login", connector.Cursor{From: from, Token: place("b")}, page("", at), 0, "maxResults=1000&pageToken=b&startTime=2026-11-20T09%3A00%3A00.000Z",
			[]string{at + "/-0"}, connector.Cursor{From: now}, true,
		},
		"a clock that is ahead": {
			"login", connector.Cursor{From: from}, page(""), time.Minute, "maxResults=1000&startTime=2026-11-20T09%3A00%3A00.000Z", nil,
			connector.Cursor{From: now.Add(-time.Minute)}, true,
		},
		"window": {
			"login", connector.Cursor{From: from, To: now.Add(-30 * time.Minute)}, page("", at, "2026-11-20T09:29:59Z"), 0,
			"endTime=2026-11-20T09%3A30%3A00.000Z&maxResults=1000&startTime=2026-11-20T09%3A00%3A00.000Z", []string{"2026-11-20T09:29:59Z/-1"},
			connector.Cursor{From: now.Add(-30 * time.Minute), To: now.Add(-30 * time.Minute)}, true,
		},
		"Gmail has both bounds": {
			"gmail", connector.Cursor{From: from}, page("b"), time.Minute, "endTime=2026-11-20T10%3A00%3A00.000Z&maxResults=1000&startTime=2026-11-20T09%3A00%3A00.000Z", nil,
			connector.Cursor{From: from, Token: place("b")}, false,
		},
		"Gmail with a clock that is ahead": {
			"gmail", connector.Cursor{From: from, Token: place("b")}, page(""), time.Minute,
			"endTime=2026-11-20T10%3A00%3A00.000Z&maxResults=1000&pageToken=b&startTime=2026-11-20T09%3A00%3A00.000Z", nil,
			connector.Cursor{From: now.Add(-time.Minute)}, true,
		},
		"Gmail of last year": {
			"gmail", connector.Cursor{From: now.AddDate(-1, 0, 0)}, page(""), 0,
			"endTime=2026-11-20T10%3A00%3A00.000Z&maxResults=1000&startTime=2026-10-21T10%3A01%3A00.000Z", nil, connector.Cursor{From: now}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			session, asked := scripted(200, test.body, test.behind)
			got, err := session.Poll(t.Context(), test.stream, test.at)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"/admin/reports/v1/activity/users/all/applications/" + test.stream + "?" + test.asked}, *asked); diff != "" {
				t.Error(diff)
			}
			var ids []string
			for _, r := range got.Records {
				ids = append(ids, r.ID)
			}
			if diff := cmp.Diff(test.ids, ids); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.next, got.Next); diff != "" || got.Done != test.done {
				t.Errorf("done %v, next %s", got.Done, diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	place := rest.Trail{After: "b", Until: now}.Token()
	body := func(reason, message string) string {
		return fmt.Sprintf(`{"error":{"code":0,"message":%q,"errors":[{"reason":%q}]}}`, message, reason)
	}
	for _, test := range []struct {
		status int
		body   string
		token  string
		kind   connector.Kind
	}{
		{403, body("userRateLimitExceeded", "x"), "", connector.Throttled},
		{503, body("userRateLimitExceeded", "x"), "", connector.Throttled},
		{503, body("quotaExceeded", "x"), "", connector.Throttled},
		{429, body("rateLimitExceeded", "x"), "", connector.Throttled},
		{503, body("backendError", "x"), "", connector.Unavailable},
		{403, body("insufficientPermissions", "x"), "", connector.Forbidden},
		{401, body("authError", "Invalid Credentials"), "", connector.Unauthorized},
		{401, body("authError", "Access denied. You are not authorized to read activity records."), "", connector.Forbidden},
		{400, body("invalid", "x"), place, connector.CursorExpired},
		{400, body("invalid", "x"), "", connector.Unavailable},
	} {
		session, _ := scripted(test.status, test.body, 0)
		_, err := session.Poll(t.Context(), "login", connector.Cursor{From: now, Token: test.token})
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != test.kind || e.Reason == "" {
			t.Errorf("%d %s: got %v", test.status, test.body, err)
		}
	}
}

// TestGrants signs in for too little: with Google's words, connecting fails.
func TestGrants(t *testing.T) {
	t.Parallel()
	plain := simulator.GoogleOptions{Users: []simulator.User{{ID: "1", Login: "a@example.com"}}}
	for name, test := range map[string]struct {
		options simulator.GoogleOptions
		scopes  []string
		reason  string
	}{
		"without the scope":   {simulator.GoogleOptions{}, google.App().Auth.Scopes[1:], "insufficientPermissions: Request had insufficient authentication scopes."},
		"by no administrator": {plain, google.App().Auth.Scopes, "authError: Access denied. You are not authorized to read activity records."},
	} {
		server := simulator.New(simulator.Options{Google: test.options})
		token := connectortest.SignIn(t, server, google.App(), test.scopes...)
		_, err := google.App().Open(connector.Env{Tenant: "my-project-123456", Now: time.Now, HTTP: signed(server, token)}).Connect(t.Context())
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != connector.Forbidden || e.Reason != test.reason {
			t.Errorf("%s: %v", name, err)
		}
	}
	session, _ := scripted(200, page("", "2026-11-20T09:30:00Z"), 0)
	facts, err := session.Connect(t.Context())
	if err != nil || facts["customerId"] != "C1" {
		t.Errorf("facts %v, %v", facts, err)
	}
}

func TestFindUser(t *testing.T) {
	t.Parallel()
	body := func(flags string) string {
		return `{"kind":"admin#directory#users","users":[{"id":"11","primaryEmail":"ada@x.example","name":{"givenName":"Ada","familyName":"Okafor","fullName":"Ada Okafor"}` + flags + `}]}`
	}
	for flags, status := range map[string]string{`,"suspended":false`: "active", `,"suspended":true`: "suspended", `,"archived":true`: "archived"} {
		session, asked := scripted(200, body(flags), 0)
		got, err := session.(connector.UserFinder).FindUser(t.Context(), "a+b@x.example")
		want := connector.User{ID: "11", Email: "ada@x.example", FullName: "Ada Okafor", FirstName: "Ada", LastName: "Okafor", Status: status}
		if err != nil || got != want || (*asked)[0] != "/admin/directory/v1/users?customer=my_customer&maxResults=2&query=email%3Da%2Bb%40x.example" {
			t.Errorf("got %+v, %v, asked %v", got, err, *asked)
		}
	}
	// What would be more than an address to the search asks nobody.
	session, asked := scripted(200, body(""), 0)
	for _, email := range []string{"a@x.example isAdmin=true", "a'@x.example", "a:b@x.example"} {
		if _, err := session.(connector.UserFinder).FindUser(t.Context(), email); !errors.Is(err, connector.ErrNoUser) || len(*asked) > 0 {
			t.Errorf("%q: %v, asked %v", email, err, *asked)
		}
	}
	session, _ = scripted(200, `{"users":[]}`, 0)
	if _, err := session.(connector.UserFinder).FindUser(t.Context(), "a@x.example"); connector.KindOf(err) != connector.Malformed || errors.Is(err, connector.ErrNoUser) {
		t.Errorf("no list of users: %v", err)
	}
}
