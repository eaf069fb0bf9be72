package dropbox_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/connector/connectortest"
	"selvedge/connector/dropbox"
	"selvedge/simulator"
)

var now = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// against is a session whose provider is h, and what it was asked.
func against(h http.HandlerFunc) (connector.Session, *[]string) {
	asked := new([]string)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*asked = append(*asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("Content-Type")+" "+string(body))
		h(w, r)
	})
	return dropbox.App().Open(connector.Env{
		Tenant: "any label", HTTP: &http.Client{Transport: connectortest.InProcess{Handler: handler}}, Now: func() time.Time { return now },
	}), asked
}

func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func TestPoll(t *testing.T) {
	t.Parallel()
	from := now.Add(-time.Hour)
	const first, next = "POST /2/team_log/get_events application/json ", "POST /2/team_log/get_events/continue application/json "
	event := func(at string) string { return `{"timestamp":"` + at + `"}` }
	for name, test := range map[string]struct {
		at    connector.Cursor
		body  string
		asked string
		next  connector.Cursor
		done  bool
	}{
		"live from a time, down to the second": {
			connector.Cursor{From: from.Add(999 * time.Millisecond)}, `{"events":[` + event("2026-11-20T09:30:00Z") + `],"cursor":"b","has_more":false}`,
			first + `{"limit":1000,"time":{"start_time":"2026-11-20T09:00:00Z"}}`, connector.Cursor{From: now.Add(-30 * time.Minute), Token: "b"}, true,
		},
		"from the beginning": {
			connector.Cursor{}, `{"events":[],"cursor":"b","has_more":false}`,
			first + `{"limit":1000}`, connector.Cursor{Token: "b"}, true,
		},
		"hollow page": {
			connector.Cursor{From: from, Token: "a"}, `{"events":[],"cursor":"b","has_more":true}`,
			next + `{"cursor":"a"}`, connector.Cursor{From: from, Token: "b"}, false,
		},
		"not in the order of time, with more behind": {
			connector.Cursor{From: from, Token: "a"},
			`{"events":[` + event("2026-11-20T09:59:00Z") + "," + event("2026-11-20T08:00:00Z") + "," + event("2027-01-01T00:00:00Z") + `],"cursor":"b","has_more":true}`,
			next + `{"cursor":"a"}`, connector.Cursor{From: from, Token: "b"}, false,
		},
		"the last page, with one from the future": {
			connector.Cursor{From: from, Token: "a"},
			`{"events":[` + event("2026-11-20T09:59:00Z") + "," + event("2026-11-20T08:00:00Z") + "," + event("2027-01-01T00:00:00Z") + `],"cursor":"b","has_more":false}`,
			next + `{"cursor":"a"}`, connector.Cursor{From: now.Add(-time.Minute), Token: "b"}, true,
		},
		"window, up to the second": {
			connector.Cursor{From: from, To: now.Add(-time.Millisecond)}, `{"events":[],"cursor":"b","has_more":true}`,
			first + `{"limit":1000,"time":{"start_time":"2026-11-20T09:00:00Z","end_time":"2026-11-20T10:00:00Z"}}`,
			connector.Cursor{From: from, To: now.Add(-time.Millisecond), Token: "b"}, false,
		},
		"window ends": {
			connector.Cursor{From: from, To: now, Token: "a"}, `{"events":[],"cursor":"b","has_more":false}`,
			next + `{"cursor":"a"}`, connector.Cursor{From: now, To: now}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			session, asked := against(answer(200, "application/json", test.body))
			got, err := session.Poll(t.Context(), "team_events", test.at)
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

// TestRefusals: the status alone does not say what is wrong.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const js, text = "application/json", "text/plain; charset=utf-8"
	for _, test := range []struct {
		status     int
		media      string
		body       string
		token      string
		kind       connector.Kind
		reason     string
		retryAfter string
	}{
		{401, js, `{"error_summary":"missing_scope/...","error":{".tag":"missing_scope","required_scope":"events.read"}}`, "", connector.Forbidden, "missing_scope/...: events.read", ""},
		{401, js, `{"error_summary":"expired_access_token/..","error":{".tag":"expired_access_token"}}`, "", connector.Unauthorized, "expired_access_token/..", ""},
		{401, js, `{"error_summary":"user_suspended/","error":{".tag":"user_suspended"}}`, "", connector.Forbidden, "user_suspended/", ""},
		{403, js, `{"error_summary":"invalid_account_type/endpoint/","error":{".tag":"invalid_account_type"}}`, "", connector.Forbidden, "invalid_account_type/endpoint/", ""},
		{409, js, `{"error_summary":"reset/..","error":{".tag":"reset","reset":"2026-11-20T09:00:00Z"}}`, "a", connector.CursorExpired, "reset/..", ""},
		{409, js, `{"error_summary":"bad_cursor/..","error":{".tag":"bad_cursor"}}`, "a", connector.CursorExpired, "bad_cursor/..", ""},
		{409, js, `{"error_summary":"other/..","error":{".tag":"other"}}`, "a", connector.Unavailable, "other/..", ""},
		{400, text, "Error in call to API function: your app is not permitted to access this endpoint", "", connector.Forbidden, "Error in call to API function: your app is not permitted to access this endpoint", ""},
		{400, text, "Invalid cursor", "a", connector.CursorExpired, "Invalid cursor", ""},
		{400, text, `Invalid authorization value "Bearer sl.secret"`, "", connector.Forbidden, "", ""},
		{429, js, `{"error_summary":"too_many_requests/..","error":{"reason":{".tag":"too_many_requests"},"retry_after":15}}`, "", connector.Throttled, "too_many_requests/..", "15"},
		{500, text, "Internal Server Error", "", connector.Unavailable, "", ""},
	} {
		session, _ := against(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", test.retryAfter)
			answer(test.status, test.media, test.body)(w, r)
		})
		_, err := session.Poll(t.Context(), "team_events", connector.Cursor{From: now, Token: test.token})
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != test.kind || e.Reason != test.reason {
			t.Errorf("%d %s: got %v, want %v with %q", test.status, test.body, err, test.kind, test.reason)
		}
		if test.retryAfter != "" && !e.Until.Equal(now.Add(15*time.Second)) {
			t.Errorf("%d: until %v", test.status, e.Until)
		}
	}
}

// TestUnreadable: without a cursor or a has_more nobody knows where to go on.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"events":[],"has_more":false}`, `{"events":[],"cursor":"a"}`, `{"events":[],"cursor":7,"has_more":true}`, `{"cursor":"a","has_more":true}`} {
		session, _ := against(answer(200, "application/json", body))
		_, err := session.Poll(t.Context(), "team_events", connector.Cursor{From: now})
		if connector.KindOf(err) != connector.Malformed {
			t.Errorf("%s: got %v, want Malformed", body, err)
		}
	}
}

// TestScopes: a grant without a scope that the guide asks for does not connect,
// and Dropbox says which one it is.
func TestScopes(t *testing.T) {
	t.Parallel()
	for missing, reason := range map[string]string{"": "", "events.read": "missing_scope/...: events.read", "team_info.read": "missing_scope/...: team_info.read"} {
		server := simulator.New(simulator.Options{})
		var scopes []string
		for _, s := range dropbox.App().Auth.Scopes {
			if s != missing {
				scopes = append(scopes, s)
			}
		}
		token := connectortest.SignIn(t, server, dropbox.App(), scopes...)
		session := dropbox.App().Open(connector.Env{Tenant: "x", Now: time.Now, HTTP: &http.Client{Transport: connectortest.InProcess{
			Handler: connectortest.Served(t, server, dropbox.App(), token),
		}}})
		facts, err := session.Connect(t.Context())
		if missing == "" {
			if err != nil || !strings.HasPrefix(facts["team_id"], "dbtid:") || facts["team"] == "" {
				t.Errorf("got %v, %v", facts, err)
			}
			continue
		}
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != connector.Forbidden || e.Reason != reason {
			t.Errorf("without %s: got %v", missing, err)
		}
	}
}

func TestFindUser(t *testing.T) {
	t.Parallel()
	session, asked := against(answer(200, "application/json", `{"members_info":[{".tag":"member_info","profile":{"team_member_id":"dbmid:1","account_id":"dbid:1",
		"email":"ada@example.com","status":{".tag":"active"},"name":{"given_name":"Ada","surname":"Okafor","display_name":"Ada Okafor"}}}]}`))
	finder := session.(connector.UserFinder)
	got, err := finder.FindUser(t.Context(), "ada@example.com")
	want := connector.User{ID: "dbmid:1", Email: "ada@example.com", FullName: "Ada Okafor", FirstName: "Ada", LastName: "Okafor", Status: "active"}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	const call = `POST /2/team/members/get_info_v2 application/json {"members":[{".tag":"email","email":"ada@example.com"}]}`
	if diff := cmp.Diff([]string{call}, *asked); diff != "" {
		t.Error(diff)
	}
	// What Dropbox would refuse as no address, nobody has: it is not asked for.
	for _, email := range []string{"ada@example", "ädä@example.com", "a b@example.com", strings.Repeat("a", 250) + "@example.com", "dbmid:1"} {
		if _, err := finder.FindUser(t.Context(), email); !errors.Is(err, connector.ErrNoUser) || len(*asked) != 1 {
			t.Errorf("%s: %v, asked %v", email, err, *asked)
		}
	}
	session, _ = against(answer(200, "application/json", `{"members_info":[]}`))
	if _, err := session.(connector.UserFinder).FindUser(t.Context(), "ada@example.com"); connector.KindOf(err) != connector.Malformed {
		t.Errorf("no answer at all: %v, want Malformed", err)
	}
}

// TestHollow: empty answers in between lose nothing. One that leads to itself ends
// the poll.
func TestHollow(t *testing.T) {
	t.Parallel()
	server := simulator.New(simulator.Options{Now: func() time.Time { return now }, Dropbox: simulator.DropboxOptions{Hollow: 2}})
	token := connectortest.SignIn(t, server, dropbox.App())
	if _, err := server.Dropbox().Emit(2500, 0); err != nil {
		t.Fatal(err)
	}
	session := dropbox.App().Open(connector.Env{Tenant: "x", Now: func() time.Time { return now }, HTTP: &http.Client{Transport: connectortest.InProcess{
		Handler: connectortest.Served(t, server, dropbox.App(), token),
	}}})
	at, records, pages := connector.Cursor{From: now.Add(-time.Hour)}, 0, 0
	for ; records < 2500; pages++ {
		p, err := session.Poll(t.Context(), "team_events", at)
		if err != nil || pages > 10 {
			t.Fatalf("page %d: %v", pages, err)
		}
		if hollow := len(p.Records) == 0; hollow && p.Next.Token == at.Token && !p.Done {
			t.Errorf("page %d leads to itself at once", pages)
		}
		at, records = p.Next, records+len(p.Records)
	}
	if records != 2500 || pages != 5 {
		t.Errorf("%d records on %d pages, want 2500 on 5", records, pages)
	}
}
