package asana_test

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
	"selvedge/connector/asana"
	"selvedge/connector/connectortest"
	"selvedge/simulator"
)

var now = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

func session(tenant string, h http.HandlerFunc) connector.Session {
	return asana.App().Open(connector.Env{
		Tenant: tenant, HTTP: &http.Client{Transport: connectortest.InProcess{Handler: h}}, Now: func() time.Time { return now },
	})
}

// page is an answer of n events at a time, and its offset; empty: next_page is null.
func page(n int, at, offset string) string {
	next := "null"
	if offset != "" {
		next = fmt.Sprintf(`{"offset":%q,"path":"/x","uri":"https://evil.example/"}`, offset)
	}
	event := fmt.Sprintf(`{"gid":"1","created_at":%q},`, at)
	return fmt.Sprintf(`{"data":[%s],"next_page":%s}`, strings.TrimSuffix(strings.Repeat(event, n), ","), next)
}

func TestPoll(t *testing.T) {
	t.Parallel()
	from := now.Add(-time.Hour)
	const start, end = "start_at=2026-11-20T09%3A00%3A00.000Z", "end_at=2026-11-20T10%3A00%3A00.000Z"
	const half = "2026-11-20T09:30:00.500Z"
	seen := now.Add(-30*time.Minute + 500*time.Millisecond)
	for name, test := range map[string]struct {
		at    connector.Cursor
		serve string
		asked string
		next  connector.Cursor
		done  bool
	}{
		"nothing yet":          {connector.Cursor{From: from}, page(0, "", ""), start, connector.Cursor{From: from}, true},
		"the first offset":     {connector.Cursor{From: from}, page(2, half, "a=/b"), start, connector.Cursor{From: seen, Token: "offset=a%3D%2Fb&" + start}, true},
		"a full page":          {connector.Cursor{From: from}, page(1000, half, "b"), start, connector.Cursor{From: from, Token: "offset=b&" + start}, false},
		"followed":             {connector.Cursor{From: seen, Token: "offset=b&" + start}, page(1, half, "c"), "offset=b&" + start, connector.Cursor{From: seen, Token: "offset=c&" + start}, true},
		"quiet":                {connector.Cursor{From: seen, Token: "offset=b&" + start}, page(0, "", "b"), "offset=b&" + start, connector.Cursor{From: seen, Token: "offset=b&" + start}, true},
		"quiet without offset": {connector.Cursor{From: seen, Token: "offset=b&" + start}, page(0, "", ""), "offset=b&" + start, connector.Cursor{From: seen, Token: "offset=b&" + start}, true},
		"from the future":      {connector.Cursor{From: from}, page(1, "2027-01-01T00:00:00Z", "b"), start, connector.Cursor{From: from, Token: "offset=b&" + start}, true},
		"window goes on":       {connector.Cursor{From: from, To: now}, page(1, half, "b"), end + "&" + start, connector.Cursor{From: from, To: now, Token: end + "&offset=b&" + start}, false},
		"window ends":          {connector.Cursor{From: seen, To: now, Token: end + "&offset=b&" + start}, page(0, "", "b"), end + "&offset=b&" + start, connector.Cursor{From: now, To: now}, true},
		"empty window":         {connector.Cursor{From: from, To: now}, page(0, "", ""), end + "&" + start, connector.Cursor{From: now, To: now}, true},
	} {
		asked := ""
		s := session(workspace, func(w http.ResponseWriter, r *http.Request) {
			asked = r.URL.RawQuery
			fmt.Fprint(w, test.serve)
		})
		got, err := s.Poll(t.Context(), "audit_log_events", test.at)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if asked != test.asked || got.Done != test.done {
			t.Errorf("%s: asked %s, done %v", name, asked, got.Done)
		}
		if diff := cmp.Diff(test.next, got.Next); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status int
		token  string
		body   string
		kind   connector.Kind
		reason string
	}{
		{401, "", `{"errors":[{"message":"Not Authorized"}]}`, connector.Unauthorized, "Not Authorized"},
		{402, "", `{"errors":[{"message":"Premium only"}]}`, connector.Forbidden, "Premium only"},
		{403, "", `{"errors":[{"message":"Forbidden","help":"x"}]}`, connector.Forbidden, "Forbidden"},
		{404, "", `{"errors":[{"message":"workspace: Unknown object: 1"}]}`, connector.Forbidden, "workspace: Unknown object: 1"},
		{429, "offset=a", `{"errors":[{"message":"Too many"}]}`, connector.Throttled, "Too many"},
		{400, "offset=a", `{"errors":[{"message":"offset: Your pagination token has expired."}]}`, connector.CursorExpired, "offset: Your pagination token has expired."},
		{400, "", `{}`, connector.Unavailable, ""},
		{500, "offset=a", `{"errors":[{"message":"Server Error","phrase":"6 sad squid"}]}`, connector.Unavailable, "Server Error: 6 sad squid"},
		{200, "", `{"errors":[]}`, connector.Malformed, "the list of records is missing from the answer"},
	} {
		_, err := session(workspace, connectortest.Answering(test.status, test.body)).Poll(t.Context(), "audit_log_events", connector.Cursor{From: now, Token: test.token})
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != test.kind || e.Reason != test.reason {
			t.Errorf("%d %s: got %v, want %v %q", test.status, test.body, err, test.kind, test.reason)
		}
	}
	for _, token := range []string{"offset=", "offset=a&limit=5", "start_at=x", "offset=a&offset=b&x=1", "b=1&offset=a"} {
		called := false
		_, err := session(workspace, func(http.ResponseWriter, *http.Request) { called = true }).
			Poll(t.Context(), "audit_log_events", connector.Cursor{From: now, Token: token})
		if connector.KindOf(err) != connector.CursorExpired || called {
			t.Errorf("token %q: %v, called %v", token, err, called)
		}
	}
}

func TestConnect(t *testing.T) {
	t.Parallel()
	server := simulator.New(simulator.Options{})
	poor := simulator.New(simulator.Options{Asana: simulator.AsanaOptions{NoAudit: true}})
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		tenant  string
		kind    connector.Kind
		reason  string // part of it; empty: connected
	}{
		"good":              {connectortest.Served(t, server, asana.App(), server.Asana().Token()), workspace, 0, ""},
		"wrong token":       {connectortest.Served(t, server, asana.App(), "x"), workspace, connector.Unauthorized, "Not Authorized"},
		"a member's token":  {connectortest.Served(t, server, asana.App(), server.Asana().MemberToken()), workspace, connector.Forbidden, "service account"},
		"a plan without":    {connectortest.Served(t, poor, asana.App(), poor.Asana().Token()), workspace, connector.Forbidden, "Enterprise"},
		"another workspace": {connectortest.Served(t, server, asana.App(), server.Asana().Token()), "42", connector.Forbidden, "workspace: Forbidden"},
	} {
		facts, err := session(test.tenant, test.handler).Connect(t.Context())
		if test.reason == "" {
			if err != nil || facts["workspace"] != workspace {
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

// TestFindUser: a person of another workspace is none of the tenant's.
func TestFindUser(t *testing.T) {
	t.Parallel()
	server := simulator.New(simulator.Options{})
	find := session(workspace, connectortest.Served(t, server, asana.App(), server.Asana().Token())).(connector.UserFinder)
	got, err := find.FindUser(t.Context(), "Zoe.Mueller@example.com")
	if want := (connector.User{ID: "1200000000000002", Email: "zoe.mueller@example.com", FullName: "Zoë Müller"}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, email := range []string{"lukasz.zak@example.org", "nobody@example.com", "1200000000000002", "me", "not an@email"} {
		if got, err := find.FindUser(t.Context(), email); !errors.Is(err, connector.ErrNoUser) {
			t.Errorf("%s: %+v, %v", email, got, err)
		}
	}
	for body, want := range map[string]error{
		`{"data":{"gid":"1"}}`:                                            nil,
		`{"data":{"gid":"1","workspaces":[{"gid":"2"}]}}`:                 connector.ErrNoUser,
		`{"data":{"gid":"1","workspaces":[]}}`:                            connector.ErrNoUser,
		`{"data":{"gid":"1","workspaces":[{"gid":"` + workspace + `"}]}}`: nil,
	} {
		if _, err := session(workspace, connectortest.Answering(200, body)).(connector.UserFinder).FindUser(t.Context(), "a@b.example"); !errors.Is(err, want) {
			t.Errorf("%s: %v", body, err)
		}
	}
	for status, body := range map[int]string{200: `{"data":{}}`, 400: `{"errors":[{"message":"opt_fields: x"}]}`, 403: `{"errors":[{"message":"Forbidden"}]}`} {
		if _, err := session(workspace, connectortest.Answering(status, body)).(connector.UserFinder).FindUser(t.Context(), "a@b.example"); err == nil || errors.Is(err, connector.ErrNoUser) {
			t.Errorf("%d %s: %v", status, body, err)
		}
	}
	asked := ""
	find = session(workspace, func(_ http.ResponseWriter, r *http.Request) { asked = r.URL.RequestURI() }).(connector.UserFinder)
	_, _ = find.FindUser(t.Context(), "a/d?a@x.example")
	if want := "/api/1.0/users/a%2Fd%3Fa@x.example?opt_fields=" + url.QueryEscape("name,email,workspaces"); asked != want {
		t.Errorf("asked %s, want %s", asked, want)
	}
}
