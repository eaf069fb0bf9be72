package smartsheet_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/connector/connectortest"
	"selvedge/connector/smartsheet"
	"selvedge/simulator"
)

var now = time.Date(2026, 11, 20, 10, 40, 0, 0, time.UTC)

func against(h http.HandlerFunc) (connector.Session, *[]string) {
	asked := new([]string)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.RequestURI())
		h(w, r)
	})
	return smartsheet.App().Open(connector.Env{
		Tenant: "label", HTTP: &http.Client{Transport: connectortest.InProcess{Handler: handler}}, Now: func() time.Time { return now },
	}), asked
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func TestPoll(t *testing.T) {
	t.Parallel()
	page := func(more bool, times ...string) string {
		list := ""
		for i, at := range times {
			if i > 0 {
				list += ","
			}
			list += fmt.Sprintf(`{"eventId":"%d","eventTimestamp":%q}`, i, at)
		}
		return fmt.Sprintf(`{"nextStreamPosition":"b","moreAvailable":%t,"data":[%s]}`, more, list)
	}
	from, to := now.Add(-time.Hour), now.Add(-30*time.Minute)
	for name, test := range map[string]struct {
		at      connector.Cursor
		body    string
		asked   string
		next    connector.Cursor
		done    bool
		records int
	}{
		// Rounded to the nearest hour, 09:40 would be 10:00.
		"live from the full hour": {
			connector.Cursor{From: from}, page(false, "2026-11-20T09:10:00Z", "2026-11-20T10:30:00Z", "2027-01-01T00:00:00Z"),
			"/2.0/events?maxCount=10000&since=2026-11-20T09%3A00%3A00Z", connector.Cursor{From: now.Add(-10 * time.Minute), Token: "b"}, true, 3,
		},
		"from the beginning": {
			connector.Cursor{}, page(true), "/2.0/events?maxCount=10000&since=1970-01-01T00%3A00%3A00Z", connector.Cursor{Token: "b"}, false, 0,
		},
		"a position": {
			connector.Cursor{From: from, Token: "a/b+c"}, page(false), "/2.0/events?maxCount=10000&streamPosition=a%2Fb%2Bc",
			connector.Cursor{From: from, Token: "b"}, true, 0,
		},
		"window between full hours": {
			connector.Cursor{From: from, To: to}, page(true, "2026-11-20T09:10:00Z", "2026-11-20T09:40:00Z", "2026-11-20T10:09:59Z", "2026-11-20T10:10:00Z"),
			"/2.0/events?maxCount=10000&since=2026-11-20T09%3A00%3A00Z&to=2026-11-20T11%3A00%3A00Z",
			connector.Cursor{From: from, To: to, Token: "b"}, false, 2,
		},
		"a page behind the window, but not far": {
			connector.Cursor{From: from.AddDate(0, 0, -1), To: to.AddDate(0, 0, -1), Token: "a"}, page(true, "2026-11-19T12:10:00Z"),
			"/2.0/events?maxCount=10000&streamPosition=a", connector.Cursor{From: from.AddDate(0, 0, -1), To: to.AddDate(0, 0, -1), Token: "b"}, false, 0,
		},
		"a page far behind the window": {
			connector.Cursor{From: from.AddDate(0, 0, -1), To: to.AddDate(0, 0, -1), Token: "a"}, page(true, "2026-11-20T09:10:00Z", "2026-11-20T09:11:00Z"),
			"/2.0/events?maxCount=10000&streamPosition=a", connector.Cursor{From: to.AddDate(0, 0, -1), To: to.AddDate(0, 0, -1)}, true, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			session, asked := against(answer(200, test.body))
			got, err := session.Poll(t.Context(), "events", test.at)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{test.asked}, *asked); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.next, got.Next); diff != "" || got.Done != test.done || len(got.Records) != test.records {
				t.Errorf("%d records, done %v, next %s", len(got.Records), got.Done, diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status, code int
		token        string
		kind         connector.Kind
	}{
		{401, 1002, "", connector.Unauthorized},
		{401, 1003, "a", connector.Unauthorized},
		{403, 1004, "", connector.Forbidden},
		{403, 1013, "", connector.Forbidden},
		{400, 1018, "a", connector.CursorExpired},
		{400, 1018, "", connector.Unavailable},
		{400, 4003, "a", connector.Throttled},
		{429, 4003, "", connector.Throttled},
		{500, 4000, "a", connector.Unavailable},
		{503, 4001, "", connector.Unavailable},
	} {
		session, _ := against(answer(test.status, fmt.Sprintf(`{"refId":"x","errorCode":%d,"message":"Told so."}`, test.code)))
		_, err := session.Poll(t.Context(), "events", connector.Cursor{From: now, Token: test.token})
		e, ok := errors.AsType[*connector.Error](err)
		if want := fmt.Sprintf("%d: Told so.", test.code); !ok || e.Kind != test.kind || e.Reason != want {
			t.Errorf("%d %d on token %q: got %v, want %v", test.status, test.code, test.token, err, test.kind)
		}
	}
	for _, body := range []string{`{"data":[],"moreAvailable":false}`, `{"data":[],"nextStreamPosition":"a"}`} {
		session, _ := against(answer(200, body))
		if _, err := session.Poll(t.Context(), "events", connector.Cursor{From: now}); connector.KindOf(err) != connector.Malformed {
			t.Errorf("%s: got %v, want Malformed", body, err)
		}
	}
}

// TestConnect: the add-on, the role and both scopes are needed, and Smartsheet
// says what lacks.
func TestConnect(t *testing.T) {
	t.Parallel()
	member := []simulator.User{{ID: "7", Login: "a@example.com", Status: "ACTIVE"}}
	for name, test := range map[string]struct {
		options simulator.SmartsheetOptions
		scopes  []string
		reason  string
	}{
		"good":             {},
		"no add-on":        {simulator.SmartsheetOptions{NoEventReporting: true}, nil, "1013: The operation you are attempting to perform is not supported by your plan."},
		"no administrator": {simulator.SmartsheetOptions{Users: member}, nil, "1004: You are not authorized to perform this action."},
		"no READ_EVENTS":   {simulator.SmartsheetOptions{}, []string{"READ_USERS"}, "1004: You are not authorized to perform this action."},
		"no READ_USERS":    {simulator.SmartsheetOptions{}, []string{"READ_EVENTS"}, "1004: You are not authorized to perform this action."},
	} {
		server := simulator.New(simulator.Options{Smartsheet: test.options})
		token := connectortest.SignIn(t, server, smartsheet.App(), test.scopes...)
		session, _ := against(connectortest.Served(t, server, smartsheet.App(), token))
		facts, err := session.Connect(t.Context())
		if test.reason == "" {
			if err != nil || facts["account_id"] == "" || facts["account"] == "" {
				t.Errorf("%s: %v, %v", name, facts, err)
			}
			continue
		}
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != connector.Forbidden || e.Reason != test.reason {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestFindUser: whoever else the list has, it is not the one that was asked for.
func TestFindUser(t *testing.T) {
	t.Parallel()
	session, asked := against(answer(200, `{"data":[{"id":1,"email":"zoe@example.com"},{"id":48569348493401200,"email":"Ada@example.com","firstName":"Ada","lastName":"Okafor","status":"ACTIVE"}]}`))
	finder := session.(connector.UserFinder)
	got, err := finder.FindUser(t.Context(), "ada@example.com")
	want := connector.User{ID: "48569348493401200", Email: "Ada@example.com", FullName: "Ada Okafor", FirstName: "Ada", LastName: "Okafor", Status: "ACTIVE"}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if want := "/2.0/users?email=ada%40example.com"; (*asked)[0] != want {
		t.Errorf("asked %s, want %s", (*asked)[0], want)
	}
	for _, email := range []string{"grace@example.com", "ada@example.com,zoe@example.com"} {
		if _, err := finder.FindUser(t.Context(), email); !errors.Is(err, connector.ErrNoUser) {
			t.Errorf("%s: %v, want ErrNoUser", email, err)
		}
	}
	if len(*asked) != 2 {
		t.Errorf("two addresses were asked for as one: %v", *asked)
	}
}
