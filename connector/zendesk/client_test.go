package zendesk_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/connector/connectortest"
	"selvedge/connector/zendesk"
	"selvedge/simulator"
)

var now = time.Date(2026, 11, 20, 10, 0, 0, 500_000_000, time.UTC)

func session(h http.HandlerFunc) connector.Session {
	return zendesk.App().Open(connector.Env{
		Tenant: "demo", HTTP: &http.Client{Transport: connectortest.InProcess{Handler: h}}, Now: func() time.Time { return now },
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	from := now.Add(-time.Hour)
	token := url.Values{"after": {"x"}, "until": {"2026-11-20T10:00:00Z"}}.Encode()
	for _, test := range []struct {
		status      int
		token, body string
		kind        connector.Kind
		reason      string
	}{
		{401, "", `{"error":"Couldn't authenticate you"}`, connector.Unauthorized, "Couldn't authenticate you"},
		{401, token, `{"error":"invalid_token","error_description":"It is expired."}`, connector.Unauthorized, "invalid_token: It is expired."},
		{403, "", `{"error":{"title":"Forbidden","message":"You do not have access to this page."}}`, connector.Forbidden, "Forbidden: You do not have access to this page."},
		{404, "", `{"error":"RecordNotFound","description":"Not found"}`, connector.Forbidden, "RecordNotFound: Not found"},
		{429, "", `{"error":"APIRateLimitExceeded","description":"Too many"}`, connector.Throttled, "APIRateLimitExceeded: Too many"},
		{400, token, `{"errors":[{"code":"InvalidPaginationParameter","title":"No","detail":"page[after] is not valid"}]}`, connector.CursorExpired, "InvalidPaginationParameter: No: page[after] is not valid"},
		{422, token, ``, connector.CursorExpired, ""},
		{400, "", ``, connector.Unavailable, ""},
		{503, token, `<html>`, connector.Unavailable, ""},
		{200, "", `{"audit_logs":[],"meta":{"has_more":true,"after_cursor":null}}`, connector.Malformed, "the cursor of the next page is missing from the answer"},
	} {
		_, err := session(connectortest.Answering(test.status, test.body)).Poll(t.Context(), "audit_logs", connector.Cursor{From: from, Token: test.token})
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != test.kind || e.Reason != test.reason {
			t.Errorf("%d %s: got %v, want %v %q", test.status, test.body, err, test.kind, test.reason)
		}
	}
}

// TestWalk: every page of a walk is asked for with the same filter, a second
// wider than the cursor on either side, whatever the clocks say meanwhile.
func TestWalk(t *testing.T) {
	t.Parallel()
	var asked []string
	clock := now
	s := zendesk.App().Open(connector.Env{Tenant: "demo", Now: func() time.Time { return clock }, HTTP: &http.Client{Transport: connectortest.InProcess{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.URL.RawQuery)
			w.Header().Set("Date", clock.Format(http.TimeFormat))
			next := map[string]string{"": "b=", "b=": "c", "c": ""}[r.URL.Query().Get("page[after]")]
			fmt.Fprintf(w, `{"audit_logs":[{"id":%d,"created_at":%q}],"meta":{"has_more":%t,"after_cursor":%q}}`,
				len(asked), now.Truncate(time.Second).Add(time.Duration(-len(asked))*time.Second).Format(time.RFC3339), next != "", next)
		}),
	}}})
	read := func(at connector.Cursor) (connector.Cursor, int) {
		n := 0
		for range 3 {
			p, err := s.Poll(t.Context(), "audit_logs", at)
			if err != nil {
				t.Fatal(err)
			}
			n += len(p.Records)
			at, clock = p.Next, clock.Add(time.Minute)
			if p.Done != (at.Token == "") {
				t.Errorf("done %v with cursor %+v", p.Done, at)
			}
		}
		return at, n
	}
	from := now.Add(-3 * time.Second) // 09:59:57.5
	if got, n := read(connector.Cursor{From: from}); got != (connector.Cursor{From: now.Truncate(time.Second)}) || n != 3 {
		t.Errorf("live: %d records, ends at %+v", n, got)
	}
	const start, tail = "filter%5Bcreated_at%5D%5B%5D=2026-11-20T09%3A59%3A56Z&filter%5Bcreated_at%5D%5B%5D=2026-11-20T", "page%5Bsize%5D=100&sort=created_at"
	const filter = start + "10%3A00%3A01Z&"
	if diff := cmp.Diff([]string{filter + tail, filter + "page%5Bafter%5D=b%3D&" + tail, filter + "page%5Bafter%5D=c&" + tail}, asked); diff != "" {
		t.Error(diff)
	}
	asked = nil
	to := now.Truncate(time.Second).Add(-time.Second) // of the records 1, 2 and 3 s old, the second only
	if got, n := read(connector.Cursor{From: from.Add(500 * time.Millisecond), To: to}); got != (connector.Cursor{From: to, To: to}) || n != 1 {
		t.Errorf("window: %d records, ends at %+v", n, got)
	}
	if want := strings.Replace(start, "59%3A56Z", "59%3A57Z", 1) + "10%3A00%3A00Z&" + tail; asked[0] != want {
		t.Errorf("asked\n%s, want\n%s", asked[0], want)
	}
}

func TestConnect(t *testing.T) {
	t.Parallel()
	good := simulator.New(simulator.Options{})
	poor := simulator.New(simulator.Options{Zendesk: simulator.ZendeskOptions{NoAudit: true}})
	agent := simulator.New(simulator.Options{Zendesk: simulator.ZendeskOptions{Users: []simulator.User{{ID: "2", Login: "zoe@example.com"}}}})
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		kind    connector.Kind
		reason  string // part of it; empty: connected
	}{
		"good":         {connectortest.Served(t, good, zendesk.App(), connectortest.SignIn(t, good, zendesk.App(), "auditlogs:read users:read")), 0, ""},
		"read":         {connectortest.Served(t, good, zendesk.App(), connectortest.SignIn(t, good, zendesk.App(), "read")), 0, ""},
		"wrong token":  {connectortest.Served(t, good, zendesk.App(), "x"), connector.Unauthorized, "invalid_token: The access token"},
		"less scopes":  {connectortest.Served(t, good, zendesk.App(), connectortest.SignIn(t, good, zendesk.App(), "users:read")), connector.Forbidden, "insufficient_scope"},
		"no admin":     {connectortest.Served(t, agent, zendesk.App(), connectortest.SignIn(t, agent, zendesk.App(), "auditlogs:read")), connector.Forbidden, "You do not have access"},
		"plan without": {connectortest.Served(t, poor, zendesk.App(), connectortest.SignIn(t, poor, zendesk.App(), "auditlogs:read")), connector.Forbidden, "You do not have access"},
		"a page":       {connectortest.Answering(200, `<html>Sign in</html>`), connector.Malformed, "web page"},
	} {
		facts, err := session(test.handler).Connect(t.Context())
		if test.reason == "" {
			if err != nil || facts["subdomain"] != "demo" {
				t.Errorf("%s: %v, %v", name, facts, err)
			}
			continue
		}
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != test.kind || !strings.Contains(e.Reason, test.reason) {
			t.Errorf("%s: got %v, want %v with %q", name, err, test.kind, test.reason)
		}
	}
}

// TestFindUser: the search finds parts too; only the address itself counts.
func TestFindUser(t *testing.T) {
	t.Parallel()
	asked := ""
	find := session(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Query().Get("query")
		fmt.Fprint(w, `{"users":[{"id":1,"email":"xada@example.com","name":"X"},{"id":2,"email":null},{"id":3,"email":"Ada@example.com","name":"Ada Okafor","active":true,"suspended":true}]}`)
	}).(connector.UserFinder)
	for email, query := range map[string]string{
		"ada@example.com":      "email:ada@example.com",
		`a" b@example.com`:     `email:"a\" b@example.com"`,
		"role:admin@x.example": `email:"role:admin@x.example"`,
	} {
		got, err := find.FindUser(t.Context(), email)
		if asked != query {
			t.Errorf("%s: asked %s", email, asked)
		}
		if want := (connector.User{ID: "3", Email: "Ada@example.com", FullName: "Ada Okafor", Status: "suspended"}); email == "ada@example.com" && (err != nil || got != want) {
			t.Errorf("got %+v, %v", got, err)
		} else if email != "ada@example.com" && !errors.Is(err, connector.ErrNoUser) {
			t.Errorf("%s: got %+v, %v", email, got, err)
		}
	}
	for member, want := range map[string]string{`"active":false`: "deleted", `"active":true`: "active", `"x":1`: ""} {
		find := session(connectortest.Answering(200, `{"users":[{"id":3,"email":"a@b.example",`+member+`}]}`)).(connector.UserFinder)
		if got, err := find.FindUser(t.Context(), "a@b.example"); err != nil || got.Status != want {
			t.Errorf("%s: %+v, %v", member, got, err)
		}
	}
	if _, err := session(connectortest.Answering(200, `{"user":null}`)).(connector.UserFinder).FindUser(t.Context(), "a@b.example"); connector.KindOf(err) != connector.Malformed {
		t.Errorf("an answer without users: %v", err)
	}
}
