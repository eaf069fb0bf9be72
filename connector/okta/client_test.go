package okta_test

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
	"selvedge/connector/okta"
	"selvedge/simulator"
)

var now = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

func TestTenants(t *testing.T) {
	t.Parallel()
	for identifier, want := range map[string]string{
		"dev-1.okta.com":              "dev-1.okta.com",
		"https://acme.okta-emea.com/": "acme.okta-emea.com",
		"acme.oktapreview.com":        "acme.oktapreview.com",
		"login.acme.co.uk":            "login.acme.co.uk",
		"acme":                        "acme.okta.com",
		"https://dev-1-admin.okta.com/admin/apps": "dev-1.okta.com",
		"acme-admin.oktapreview.com":              "acme.oktapreview.com",
		"":                                        "",
		"Acme.okta.com":                           "",
		"http://acme.okta.com":                    "",
		"acme.okta.com:8443":                      "",
		"acme.okta.com/x":                         "",
		"user@acme.okta.com":                      "",
		"127.0.0.1":                               "",
		"-acme":                                   "",
		"acme..com":                               "",
	} {
		vars, err := okta.App().Auth.Tenant.Vars(identifier)
		if got := vars["domain"]; got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", identifier, got, err, want)
		}
	}
}

// scripted is a session whose provider answers each call with the next page,
// and what it was asked.
func scripted(pages ...func(http.ResponseWriter, *http.Request)) (connector.Session, *[]string) {
	asked := new([]string)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := pages[min(len(*asked), len(pages)-1)]
		*asked = append(*asked, r.URL.RequestURI())
		page(w, r)
	})
	env := connector.Env{
		Tenant: "acme", HTTP: &http.Client{Transport: connectortest.InProcess{Handler: handler}}, Now: func() time.Time { return now },
	}
	return okta.App().Open(env), asked
}

// page answers with records published at these times, and a next link.
func page(next string, published ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		if next != "" {
			w.Header().Add("Link", `<https://acme.okta.com`+next+`>; rel="next"`)
		}
		records := make([]string, len(published))
		for i, at := range published {
			records[i] = fmt.Sprintf(`{"uuid":"%d","published":%q}`, i, at)
		}
		fmt.Fprintf(w, "[%s]", strings.Join(records, ","))
	}
}

func TestPoll(t *testing.T) {
	t.Parallel()
	from := now.Add(-time.Hour)
	link := "/api/v1/logs?after=b&limit=2&sortOrder=ASCENDING"
	for name, test := range map[string]struct {
		at    connector.Cursor
		serve func(http.ResponseWriter, *http.Request)
		asked string
		next  connector.Cursor
		done  bool
	}{
		"live from a time": {
			connector.Cursor{From: from}, page(link, "2026-11-20T09:30:00.250Z"),
			"/api/v1/logs?limit=1000&since=2026-11-20T09%3A00%3A00.000Z&sortOrder=ASCENDING",
			connector.Cursor{From: now.Add(-30*time.Minute + 250*time.Millisecond), Token: link}, true,
		},
		"full page": {
			connector.Cursor{From: from, Token: "/api/v1/logs?after=a&limit=2"}, page(link, "2026-11-20T08:00:00Z", "2026-11-20T07:00:00Z"),
			"/api/v1/logs?after=a&limit=2", connector.Cursor{From: from, Token: link}, false,
		},
		"full page by Okta's own limit": {
			connector.Cursor{From: from, Token: "/api/v1/logs?after=a"}, page(link, make([]string, 100)...),
			"/api/v1/logs?after=a", connector.Cursor{From: from, Token: link}, false,
		},
		"time from the future": {
			connector.Cursor{From: from, Token: "/api/v1/logs?after=a&limit=9"}, page(link, "2027-01-01T00:00:00Z", "2026-11-20T09:59:00Z"),
			"/api/v1/logs?after=a&limit=9", connector.Cursor{From: now.Add(-time.Minute), Token: link}, true,
		},
		"quiet": {
			connector.Cursor{From: from, Token: "/api/v1/logs?after=a&limit=2"}, page(link),
			"/api/v1/logs?after=a&limit=2", connector.Cursor{From: from, Token: link}, true,
		},
		"live without a link": {
			connector.Cursor{From: from}, page("", "2026-11-20T09:59:00Z"),
			"/api/v1/logs?limit=1000&since=2026-11-20T09%3A00%3A00.000Z&sortOrder=ASCENDING",
			connector.Cursor{From: now.Add(-time.Minute)}, true,
		},
		"window goes on": {
			connector.Cursor{From: from, To: now}, page(link, "2026-11-20T09:59:00Z"),
			"/api/v1/logs?limit=1000&since=2026-11-20T09%3A00%3A00.000Z&sortOrder=ASCENDING&until=2026-11-20T10%3A00%3A00.000Z",
			connector.Cursor{From: from, To: now, Token: link}, false,
		},
		"window ends": {
			connector.Cursor{From: from, To: now, Token: "/api/v1/logs?after=a&until=x"}, page("", "2026-11-20T09:59:00Z"),
			"/api/v1/logs?after=a&until=x", connector.Cursor{From: now, To: now}, true,
		},
		"older than Okta accepts": {
			connector.Cursor{From: now.AddDate(-1, 0, 0)}, page(link),
			"/api/v1/logs?limit=1000&since=2026-05-24T11%3A00%3A00.000Z&sortOrder=ASCENDING",
			connector.Cursor{From: now.Add(-180*24*time.Hour + time.Hour), Token: link}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			session, asked := scripted(test.serve)
			got, err := session.Poll(t.Context(), "system_log", test.at)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{test.asked}, *asked); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.next, got.Next); diff != "" || got.Done != test.done {
				t.Errorf("done %v, next %s", got.Done, diff)
			}
		})
	}
}

// TestRefusals: a 400 is an expired cursor only where there was one.
func TestRefusals(t *testing.T) {
	t.Parallel()
	refuse := func(status int, code string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"errorCode":%q,"errorSummary":"Told so."}`, code)
		}
	}
	for _, test := range []struct {
		status int
		token  string
		kind   connector.Kind
	}{
		{400, "/api/v1/logs?after=a", connector.CursorExpired},
		{410, "/api/v1/logs?after=a", connector.CursorExpired},
		{400, "", connector.Unavailable},
		{403, "/api/v1/logs?after=a", connector.Forbidden},
		{401, "/api/v1/logs?after=a", connector.Unauthorized},
		{500, "/api/v1/logs?after=a", connector.Unavailable},
	} {
		session, _ := scripted(refuse(test.status, "E0000001"))
		_, err := session.Poll(t.Context(), "system_log", connector.Cursor{From: now, Token: test.token})
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != test.kind || e.Reason != "E0000001: Told so." {
			t.Errorf("%d on token %q: got %v, want %v", test.status, test.token, err, test.kind)
		}
	}
	session, _ := scripted(refuse(404, "E0000022"))
	_, err := session.(connector.UserFinder).FindUser(t.Context(), "ada@example.com")
	if errors.Is(err, connector.ErrNoUser) || connector.KindOf(err) != connector.Forbidden {
		t.Errorf("a 404 that does not speak of the user: got %v", err)
	}
}

// TestUndecodablePage: the link in the headers leads behind the page.
func TestUndecodablePage(t *testing.T) {
	t.Parallel()
	session, _ := scripted(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Link", `<https://acme.okta.com/api/v1/logs?after=b>; rel="next"`)
		fmt.Fprint(w, `[{"uuid":`)
	})
	_, err := session.Poll(t.Context(), "system_log", connector.Cursor{From: now, To: now.Add(time.Hour)})
	e, ok := errors.AsType[*connector.Error](err)
	want := connector.Cursor{From: now, To: now.Add(time.Hour), Token: "/api/v1/logs?after=b"}
	if !ok || e.Kind != connector.Malformed || string(e.Body) != `[{"uuid":` || e.Next != want {
		t.Errorf("got %+v", e)
	}
}

// TestScope: a grant without the log's scope is Forbidden, in Okta's words.
func TestScope(t *testing.T) {
	t.Parallel()
	server := simulator.New(simulator.Options{})
	token := connectortest.SignIn(t, server, okta.App(), "okta.users.read")
	env := connector.Env{Tenant: "dev-1.okta.com", Now: time.Now, HTTP: &http.Client{Transport: connectortest.InProcess{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+token)
			r.Host = "okta.localhost"
			server.ServeHTTP(w, r)
		}),
	}}}
	_, err := okta.App().Open(env).Connect(t.Context())
	e, ok := errors.AsType[*connector.Error](err)
	if !ok || e.Kind != connector.Forbidden || e.Reason == "" {
		t.Errorf("got %v, want Forbidden with a reason", err)
	}
}

func TestFindUser(t *testing.T) {
	t.Parallel()
	session, asked := scripted(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"id":"00u1","status":"ACTIVE","profile":{"firstName":"Ada","lastName":"Okafor","email":"a/d?a@x.example","displayName":null}}`)
	})
	got, err := session.(connector.UserFinder).FindUser(t.Context(), "a/d?a@x.example")
	want := connector.User{ID: "00u1", Email: "a/d?a@x.example", FullName: "Ada Okafor", FirstName: "Ada", LastName: "Okafor", Status: "ACTIVE"}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if want := "/api/v1/users/a%2Fd%3Fa@x.example"; (*asked)[0] != want {
		t.Errorf("asked %s, want %s", (*asked)[0], want)
	}
}
