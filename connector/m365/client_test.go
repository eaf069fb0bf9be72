package m365_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/connector/connectortest"
	"selvedge/connector/m365"
	"selvedge/connector/rest"
	"selvedge/simulator"
)

var now = time.Date(2026, 11, 20, 10, 0, 0, 123_456_789, time.UTC)

// session is one whose provider is a handler, and what that was asked.
func session(handler http.HandlerFunc) (connector.Session, *[]string) {
	asked := new([]string)
	return m365.App().Open(connector.Env{
		Tenant: tenant, Now: func() time.Time { return now },
		HTTP: &http.Client{Transport: connectortest.InProcess{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			uri, _ := url.QueryUnescape(r.URL.RequestURI())
			*asked = append(*asked, uri)
			handler(w, r)
		})}},
	}), asked
}

// TestConnect: User.Read is enough, and the organization must be the tenant.
func TestConnect(t *testing.T) {
	t.Parallel()
	server := simulator.New(simulator.Options{M365: simulator.M365Options{Permissions: []string{"User.Read"}}})
	token := connectortest.SignIn(t, server, m365.App(), "https://graph.microsoft.com/.default")
	served := func(token string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+token)
			r.Host = "m365.localhost"
			server.ServeHTTP(w, r)
		}
	}
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		kind    connector.Kind
		reason  string // part of it; empty: connected
	}{
		"good":        {served(token), 0, ""},
		"wrong token": {served("x"), connector.Unauthorized, "InvalidAuthenticationToken"},
		"other tenant": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"value":[{"id":"01234567-89ab-cdef-0123-456789abcdef"}]}`)
		}, connector.Forbidden, "the grant is of another tenant, 01234567"},
		"no organization": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"value":[]}`) }, connector.Malformed, "missing"},
	} {
		s, _ := session(test.handler)
		facts, err := s.Connect(t.Context())
		if test.reason == "" {
			if err != nil || !strings.EqualFold(facts["tenant_id"], tenant) {
				t.Errorf("%s: %v, %v", name, facts, err)
			}
			continue
		}
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != test.kind || !strings.Contains(e.Reason, test.reason) {
			t.Errorf("%s: got %v, want %v with %q", name, err, test.kind, test.reason)
		}
	}
	// The same grant does not reach the logs: their streams rest, with words.
	s, _ := session(served(token))
	for _, stream := range m365.App().Streams {
		_, err := s.Poll(t.Context(), stream.Name, connector.Cursor{From: now.Add(-time.Hour)})
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != connector.Forbidden || !strings.Contains(e.Reason, "AuditLog.Read.All") {
			t.Errorf("%s: %v", stream.Name, err)
		}
	}
}

// TestAsked: what is asked of the provider for each kind of cursor.
func TestAsked(t *testing.T) {
	t.Parallel()
	from := now.Add(-time.Hour)
	const bound = "/v1.0/auditLogs/directoryAudits?$filter=activityDateTime ge 2026-11-20T09:00:00.1234567Z"
	const next = `{"@odata.nextLink":"https://graph.microsoft.com/v1.0/auditLogs/directoryaudits?$top=2&$skiptoken=a_1","value":[]}`
	for name, test := range map[string]struct {
		at          connector.Cursor
		answer      string
		asked, next string
		done        bool
	}{
		"live":   {connector.Cursor{From: from}, `{"value":[]}`, bound + "&$top=1000", "", true},
		"more":   {connector.Cursor{From: from}, next, bound + "&$top=1000", "$top=2&$skiptoken=a_1", false},
		"window": {connector.Cursor{From: from, To: now}, `{"value":[]}`, bound + " and activityDateTime le 2026-11-20T10:00:00.1234567Z&$top=1000", "", true},
		"link": {
			connector.Cursor{From: from, Token: rest.Trail{After: "$top=2&$skiptoken=a_1", Until: now}.Token()}, `{"value":[]}`,
			"/v1.0/auditLogs/directoryAudits?$top=2&$skiptoken=a_1", "", true,
		},
	} {
		s, asked := session(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, test.answer) })
		p, err := s.Poll(t.Context(), "directory_audits", test.at)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{test.asked}, *asked); diff != "" || p.Done != test.done {
			t.Errorf("%s: done %v %s", name, p.Done, diff)
		}
		if trail, err := rest.ParseTrail(p.Next.Token); test.next != "" && (err != nil || trail.After != test.next || !p.Next.From.Equal(from)) {
			t.Errorf("%s: goes on at %+v", name, p.Next)
		}
	}
}

// TestForeignLink: a link out of the log is not followed.
func TestForeignLink(t *testing.T) {
	t.Parallel()
	for _, link := range []string{
		"https://evil.example/v1.0/auditLogs/signIns?x=1", "https://graph.microsoft.com/v1.0/users?x=1", "https://graph.microsoft.com/v1.0/auditLogs/signIns",
	} {
		s, _ := session(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"@odata.nextLink":%q,"value":[]}`, link)
		})
		if _, err := s.Poll(t.Context(), "sign_ins", connector.Cursor{}); connector.KindOf(err) != connector.Malformed {
			t.Errorf("%s: %v", link, err)
		}
	}
}

// TestClockAhead: by the provider's clock the walk begins earlier than by ours.
func TestClockAhead(t *testing.T) {
	t.Parallel()
	s, _ := session(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", "Fri, 20 Nov 2026 09:55:00 GMT")
		fmt.Fprint(w, `{"value":[]}`)
	})
	p, err := s.Poll(t.Context(), "directory_audits", connector.Cursor{From: now.Add(-time.Hour)})
	if want := time.Date(2026, 11, 20, 9, 55, 0, 0, time.UTC); err != nil || !p.Next.From.Equal(want) {
		t.Errorf("goes on at %v, %v; want %v", p.Next.From, err, want)
	}
}

// TestRefusals: a 400 is an expired cursor only where there was one.
func TestRefusals(t *testing.T) {
	t.Parallel()
	token := rest.Trail{After: "$skiptoken=a", Until: now}.Token()
	for _, test := range []struct {
		status int
		token  string
		kind   connector.Kind
	}{
		{400, token, connector.CursorExpired},
		{400, "", connector.Unavailable},
		{403, token, connector.Forbidden},
		{429, token, connector.Throttled},
		{503, token, connector.Unavailable},
	} {
		s, _ := session(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(test.status)
			fmt.Fprint(w, `{"error":{"code":"C","message":"Told so."}}`)
		})
		_, err := s.Poll(t.Context(), "sign_ins", connector.Cursor{From: now, Token: test.token})
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != test.kind || e.Reason != "C: Told so." {
			t.Errorf("%d: got %v, want %v", test.status, err, test.kind)
		}
		if test.kind == connector.Throttled && !e.Until.Equal(now.Add(7*time.Second)) {
			t.Errorf("until %v", e.Until)
		}
	}
}

// TestFindUserOfSeveral: the principal name goes before a mail address, and a
// mail address that several have is nobody's.
func TestFindUserOfSeveral(t *testing.T) {
	t.Parallel()
	server := simulator.New(simulator.Options{M365: simulator.M365Options{
		Users: []simulator.User{
			{ID: "1", Login: "old@contoso.example", First: "A", Admin: true}, {ID: "2", Login: "ada@contoso.example", First: "B"},
			{ID: "3", Login: "x@contoso.example", First: "C"}, {ID: "4", Login: "y@contoso.example", First: "D"},
		},
		Mail: map[string]string{"1": "ada@contoso.example", "2": "b@contoso.example", "3": "team@contoso.example", "4": "team@contoso.example"},
	}})
	token := connectortest.SignIn(t, server, m365.App(), "https://graph.microsoft.com/.default")
	s, _ := session(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+token)
		r.Host = "m365.localhost"
		server.ServeHTTP(w, r)
	})
	for email, want := range map[string]string{
		"Ada@contoso.example": "2", "b@contoso.example": "2", "old@contoso.example": "1", "team@contoso.example": "", "none@contoso.example": "",
	} {
		got, err := s.(connector.UserFinder).FindUser(t.Context(), email)
		if got.ID != want || errors.Is(err, connector.ErrNoUser) != (want == "") {
			t.Errorf("%s: %+v, %v", email, got, err)
		}
	}
}

// TestFindUser: a grant that shows less of a user is asked for less.
func TestFindUser(t *testing.T) {
	t.Parallel()
	for permission, want := range map[string]connector.User{
		"User.Read.All":      {ID: "1c0a4c9e-0b7d-4e6f-9a51-3f2b8d7c6e03", Email: "taro.yamada@contoso.example", FullName: "太郎 山田", FirstName: "太郎", LastName: "山田", Status: "Disabled"},
		"User.ReadBasic.All": {ID: "1c0a4c9e-0b7d-4e6f-9a51-3f2b8d7c6e03", Email: "taro.yamada@contoso.example", FullName: "太郎 山田", FirstName: "太郎", LastName: "山田"},
		"User.Read":          {},
	} {
		server := simulator.New(simulator.Options{M365: simulator.M365Options{Permissions: []string{permission}}})
		token := connectortest.SignIn(t, server, m365.App(), "https://graph.microsoft.com/.default")
		s, asked := session(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+token)
			r.Host = "m365.localhost"
			server.ServeHTTP(w, r)
		})
		got, err := s.(connector.UserFinder).FindUser(t.Context(), "Taro.Yamada@contoso.example")
		if want.ID == "" {
			if connector.KindOf(err) != connector.Forbidden || errors.Is(err, connector.ErrNoUser) {
				t.Errorf("%s: %v", permission, err)
			}
			continue
		}
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", permission, got, err)
		}
		if calls := 1 + len(slices.DeleteFunc(*asked, func(s string) bool { return strings.Contains(s, "accountEnabled") })); want.Status == "" && calls != 2 {
			t.Errorf("%s: %d calls", permission, calls)
		}
	}
}
