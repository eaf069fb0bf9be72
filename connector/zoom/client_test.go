package zoom_test

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
	"selvedge/connector/rest"
	"selvedge/connector/zoom"
	"selvedge/simulator"
)

var now = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// scripted is a session whose provider gives each call the same answer, and what
// it was asked, with the host.
func scripted(facts map[string]string, status int, body string) (connector.Session, *[]string) {
	asked := new([]string)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.Host+r.URL.RequestURI())
		w.Header().Set("Date", now.Format(http.TimeFormat))
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})
	env := connector.Env{
		Tenant: "acc", HTTP: &http.Client{Transport: connectortest.InProcess{Handler: handler}}, Now: func() time.Time { return now }, Facts: facts,
	}
	return zoom.App().Open(env), asked
}

func page(next string, times ...string) string {
	records := make([]string, len(times))
	for i, at := range times {
		records[i] = fmt.Sprintf(`{"time":%q}`, at)
	}
	return fmt.Sprintf(`{"next_page_token":%q,"activity_logs":[%s]}`, next, strings.Join(records, ","))
}

func TestPoll(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	from := now.Add(-12 * time.Hour) // the day before
	place := func(after string, began time.Time) string { return rest.Trail{After: after, Until: began}.Token() }
	const newer, older = "2026-11-20T09:00:00Z", "2026-11-19T21:59:59Z"
	for name, test := range map[string]struct {
		at      connector.Cursor
		body    string
		asked   string
		records int
		next    connector.Cursor
		done    bool
	}{
		"live": {
			connector.Cursor{From: from}, page("", newer), "from=2026-11-18&page_size=300&to=2026-11-20", 1,
			connector.Cursor{From: now}, true,
		},
		"more": {
			connector.Cursor{From: from}, page("b", newer), "from=2026-11-18&page_size=300&to=2026-11-20", 1,
			connector.Cursor{From: from, Token: place("b", now)}, false,
		},
		"more, and none of it wanted": {
			connector.Cursor{From: from}, page("b", newer, older), "from=2026-11-18&page_size=300&to=2026-11-20", 1,
			connector.Cursor{From: now}, true,
		},
		"a page that ends exactly there": { // what follows may have the same time
			connector.Cursor{From: from}, page("b", newer, "2026-11-19T22:00:00Z"), "from=2026-11-18&page_size=300&to=2026-11-20", 2,
			connector.Cursor{From: from, Token: place("b", now)}, false,
		},
		"over midnight the days stay": {
			connector.Cursor{From: from, Token: place("b", now.Add(-11*time.Hour))}, page("", newer), "from=2026-11-18&next_page_token=b&page_size=300&to=2026-11-19", 1,
			connector.Cursor{From: now.Add(-11 * time.Hour)}, true,
		},
		"window": {
			connector.Cursor{From: from, To: now.Add(-time.Hour)}, page("", newer, "2026-11-20T08:59:59Z"), "from=2026-11-18&page_size=300&to=2026-11-20", 1,
			connector.Cursor{From: now.Add(-time.Hour), To: now.Add(-time.Hour)}, true,
		},
		"wider than a month": {
			connector.Cursor{From: now.Add(-40 * day)}, page(""), "from=2026-10-10&page_size=300&to=2026-11-08", 0,
			connector.Cursor{From: now.Add(-12 * day)}, false,
		},
		"second part of a wide window": {
			connector.Cursor{From: now.Add(-12 * day), To: now}, page(""), "from=2026-11-07&page_size=300&to=2026-11-20", 0,
			connector.Cursor{From: now, To: now}, true,
		},
		"first part of a wide window": {
			connector.Cursor{From: now.Add(-40 * day), To: now}, page(""), "from=2026-10-10&page_size=300&to=2026-11-08", 0,
			connector.Cursor{From: now.Add(-12 * day), To: now}, false,
		},
		"older than Zoom keeps": {
			connector.Cursor{From: now.AddDate(-1, 0, 0)}, page(""), "from=2026-05-25&page_size=300&to=2026-06-23", 0,
			connector.Cursor{From: now.Add(-150 * day)}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			session, asked := scripted(nil, 200, test.body)
			got, err := session.Poll(t.Context(), "activities", test.at)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"api.zoom.us/v2/report/activities?" + test.asked}, *asked); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.next, got.Next); diff != "" || got.Done != test.done || len(got.Records) != test.records {
				t.Errorf("done %v, %d records, next %s", got.Done, len(got.Records), diff)
			}
		})
	}
}

// TestHost: the token answer tells the account's own host; none but Zoom's is
// called.
func TestHost(t *testing.T) {
	t.Parallel()
	for told, want := range map[string]string{
		"":                            "api.zoom.us",
		"https://api-eu.zoom.us":      "api-eu.zoom.us",
		"https://api-eu.zoom.us/":     "api-eu.zoom.us",
		"https://evil.example":        "api.zoom.us",
		"https://zoom.us.evil.test":   "api.zoom.us",
		"http://api-eu.zoom.us":       "api.zoom.us",
		"https://evil.test/x.zoom.us": "api.zoom.us",
	} {
		session, asked := scripted(map[string]string{"api_url": told}, 200, page(""))
		if _, err := session.Poll(t.Context(), "activities", connector.Cursor{From: now}); err != nil {
			t.Fatal(err)
		}
		if host, _, _ := strings.Cut((*asked)[0], "/"); host != want {
			t.Errorf("told %q: called %s", told, host)
		}
	}
}

// TestRefusals: a 400 is an expired place only where there was one.
func TestRefusals(t *testing.T) {
	t.Parallel()
	place := rest.Trail{After: "b", Until: now}.Token()
	for _, test := range []struct {
		status int
		body   string
		token  string
		kind   connector.Kind
	}{
		{400, `{"code":300,"message":"The next page token is invalid or expired."}`, place, connector.CursorExpired},
		{400, `{"code":300,"message":"Validation Failed."}`, "", connector.Unavailable},
		{400, `{"code":4711,"message":"Invalid access token, does not contain scopes:[x]."}`, place, connector.Forbidden},
		{400, `{"code":200,"message":"No permission."}`, "", connector.Forbidden},
		{401, `{"code":124,"message":"Invalid access token."}`, place, connector.Unauthorized},
		{429, `{"code":429,"message":"Later."}`, "", connector.Throttled},
		{500, ``, place, connector.Unavailable},
	} {
		session, _ := scripted(nil, test.status, test.body)
		_, err := session.Poll(t.Context(), "activities", connector.Cursor{From: now, Token: test.token})
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != test.kind || (test.body != "") != (e.Reason != "") {
			t.Errorf("%d %s: got %v", test.status, test.body, err)
		}
	}
}

// TestGrants: classic scopes are enough, one report's is not.
func TestGrants(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options simulator.ZoomOptions
		reason  string // empty: connected
	}{
		"classic":      {simulator.ZoomOptions{Scopes: []string{"report:read:admin", "user:read:admin"}}, ""},
		"one of two":   {simulator.ZoomOptions{Scopes: []string{"report:read:user_activities:admin"}}, "4711: Invalid access token, does not contain scopes:[report:read:operation_logs:admin]."},
		"a small plan": {simulator.ZoomOptions{NoReports: true}, "200: No permission."},
	} {
		server := simulator.New(simulator.Options{Zoom: test.options})
		token := connectortest.SignIn(t, server, zoom.App())
		env := connector.Env{Tenant: "5iMuLaTeDaCcOuNtZoOm_1", Now: time.Now, HTTP: &http.Client{Transport: connectortest.InProcess{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header.Set("Authorization", "Bearer "+token)
				r.Host = "zoom.localhost"
				server.ServeHTTP(w, r)
			}),
		}}}
		_, err := zoom.App().Open(env).Connect(t.Context())
		e, ok := errors.AsType[*connector.Error](err)
		if ok != (test.reason != "") || ok && (e.Kind != connector.Forbidden || e.Reason != test.reason) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFindUser(t *testing.T) {
	t.Parallel()
	session, asked := scripted(nil, 200, `{"id":"z8","first_name":"Ada","last_name":"Okafor","email":"a/d@x.example","status":"active"}`)
	got, err := session.(connector.UserFinder).FindUser(t.Context(), "a/d@x.example")
	want := connector.User{ID: "z8", Email: "a/d@x.example", FullName: "Ada Okafor", FirstName: "Ada", LastName: "Okafor", Status: "active"}
	if err != nil || got != want || (*asked)[0] != "api.zoom.us/v2/users/a%2Fd@x.example" {
		t.Errorf("got %+v, %v, asked %v", got, err, *asked)
	}
	session, _ = scripted(nil, 404, `{"code":1010,"message":"User does not belong to this account."}`)
	if _, err := session.(connector.UserFinder).FindUser(t.Context(), "a@x.example"); errors.Is(err, connector.ErrNoUser) {
		t.Errorf("a 404 that is not that of an unknown user: %v", err)
	}
}
