package cisco_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/connector/cisco"
	"selvedge/connector/connectortest"
	"selvedge/connector/rest"
	"selvedge/simulator"
)

var now = time.Date(2026, 11, 20, 10, 0, 0, 123_456_789, time.UTC)

// session is one whose provider is a handler, and what that was asked.
func session(tenant string, facts map[string]string, handler http.HandlerFunc) (connector.Session, *[]string) {
	asked := new([]string)
	return cisco.App().Open(connector.Env{
		Tenant: tenant, Now: func() time.Time { return now }, Facts: facts,
		HTTP: &http.Client{Transport: connectortest.InProcess{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			*asked = append(*asked, r.URL.RequestURI())
			handler(w, r)
		})}},
	}), asked
}

// served is the simulated organization with a token of it.
func served(t *testing.T, options simulator.CiscoOptions, scopes string) http.HandlerFunc {
	t.Helper()
	server := simulator.New(simulator.Options{Now: func() time.Time { return now }, Cisco: options})
	token := "x"
	if scopes != "" {
		token = connectortest.SignIn(t, server, cisco.App(), scopes)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+token)
		r.Host, r.TLS = "webexapis.com", new(tls.ConnectionState)
		server.ServeHTTP(w, r)
	}
}

func TestConnect(t *testing.T) {
	t.Parallel()
	const other = "01234567-89ab-cdef-0123-456789abcdef"
	for name, test := range map[string]struct {
		tenant  string
		options simulator.CiscoOptions
		scopes  string
		kind    connector.Kind
		reason  string // part of it; empty: connected
	}{
		"good":                         {tenant, simulator.CiscoOptions{}, scopes, 0, ""},
		"upper case":                   {strings.ToUpper(tenant), simulator.CiscoOptions{}, scopes, 0, ""},
		"the API's spelling":           {orgID, simulator.CiscoOptions{}, scopes, 0, ""},
		"without sign-ins":             {tenant, simulator.CiscoOptions{NoLogins: true}, scopes, 0, ""},
		"people are not shown":         {tenant, simulator.CiscoOptions{}, "audit:events_read spark-compliance:events_read", 0, ""},
		"another's, people not shown":  {other, simulator.CiscoOptions{}, "audit:events_read spark-compliance:events_read", connector.Forbidden, "may not manage"},
		"another's":                    {other, simulator.CiscoOptions{}, scopes, connector.Forbidden, "another organization, " + tenant},
		"wrong token":                  {tenant, simulator.CiscoOptions{}, "", connector.Unauthorized, "valid access token"},
		"no audit scope":               {tenant, simulator.CiscoOptions{}, "spark-compliance:events_read spark-admin:people_read", connector.Forbidden, "Missing required scopes"},
		"no compliance scope":          {tenant, simulator.CiscoOptions{}, "audit:events_read spark-admin:people_read", connector.Forbidden, "Missing required scopes"},
		"not a compliance officer":     {tenant, simulator.CiscoOptions{NoOfficer: true}, scopes, connector.Forbidden, "not a compliance officer"},
		"somebody who is no admin":     {tenant, simulator.CiscoOptions{Users: []simulator.User{{ID: "1", Login: "a@b.example"}}}, scopes, connector.Forbidden, "Missing required scopes"},
		"an organization ID of nobody": {"Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi8wMTIzNDU2Nw", simulator.CiscoOptions{}, scopes, connector.Forbidden, "another organization"},
	} {
		s, _ := session(test.tenant, nil, served(t, test.options, test.scopes))
		facts, err := s.Connect(t.Context())
		if test.reason == "" {
			if diff := cmp.Diff(map[string]string{"org_id": orgID}, facts); err != nil || diff != "" {
				t.Errorf("%s: %v %s", name, err, diff)
			}
			continue
		}
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != test.kind || !strings.Contains(e.Reason, test.reason) {
			t.Errorf("%s: got %v, want %v with %q", name, err, test.kind, test.reason)
		}
	}
	// Sign-ins are optional: their stream rests, with the provider's words.
	s, _ := session(tenant, map[string]string{"org_id": orgID}, served(t, simulator.CiscoOptions{NoLogins: true}, scopes))
	_, err := s.Poll(t.Context(), "security_audit", connector.Cursor{From: now.Add(-time.Hour)})
	if e, ok := errors.AsType[*connector.Error](err); !ok || e.Kind != connector.Forbidden || !strings.Contains(e.Reason, "not allowed") {
		t.Errorf("sign-ins: %v", err)
	}
}

// TestAsked: what is asked of the provider for each feed and kind of cursor.
func TestAsked(t *testing.T) {
	t.Parallel()
	from := now.Add(-time.Hour)
	const next = "/v1/adminAudit/events?max=200&offset=200"
	for name, test := range map[string]struct {
		stream string
		at     connector.Cursor
		link   string
		asked  string
		done   bool
	}{
		"admin": {"admin_audit", connector.Cursor{From: from}, "", "/v1/adminAudit/events?from=2026-11-20T09:00:00.122Z&max=200&orgId=" + orgID + "&to=2026-11-20T10:00:00.125Z", true},
		"security": {
			"security_audit", connector.Cursor{From: from}, "",
			"/v1/admin/securityAudit/events?endTime=2026-11-20T10:00:00.125Z&max=1000&orgId=" + orgID + "&startTime=2026-11-20T09:00:00.122Z", true,
		},
		"memberships": {"memberships", connector.Cursor{From: from}, "", "/v1/events?from=2026-11-20T09:00:00.122Z&max=1000&resource=memberships", true},
		"window of memberships": {
			"memberships", connector.Cursor{From: from.Add(-time.Hour), To: from.Add(-time.Second)}, "",
			"/v1/events?from=2026-11-20T08:00:00.122Z&max=1000&resource=memberships&to=2026-11-20T08:59:59.124Z", true,
		},
		"window that ends now": {
			"memberships", connector.Cursor{From: from, To: now}, "", "/v1/events?from=2026-11-20T09:00:00.122Z&max=1000&resource=memberships", true,
		},
		"window": {
			"admin_audit", connector.Cursor{From: from, To: from.Add(time.Second)}, "",
			"/v1/adminAudit/events?from=2026-11-20T09:00:00.122Z&max=200&orgId=" + orgID + "&to=2026-11-20T09:00:01.124Z", true,
		},
		"too old": {"admin_audit", connector.Cursor{From: now.AddDate(-3, 0, 0)}, "", "/v1/adminAudit/events?from=2025-11-20T11:00:00.122Z&max=200&orgId=" + orgID + "&to=2026-11-20T10:00:00.125Z", true},
		"more":    {"admin_audit", connector.Cursor{From: from, Token: rest.Trail{After: next, Until: from}.Token()}, "/v1/adminAudit/events?max=200&offset=400", next, false},
	} {
		s, asked := session(tenant, nil, func(w http.ResponseWriter, _ *http.Request) {
			if test.link != "" {
				w.Header().Set("Link", "<https://webexapis.com"+test.link+`>; rel="next"`)
			}
			fmt.Fprint(w, `{"items":[]}`)
		})
		p, err := s.Poll(t.Context(), test.stream, test.at)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := url.QueryUnescape((*asked)[0])
		if diff := cmp.Diff([]string{test.asked}, append([]string{got}, (*asked)[1:]...)); diff != "" || p.Done != test.done {
			t.Errorf("%s: done %v %s", name, p.Done, diff)
		}
		if trail, err := rest.ParseTrail(p.Next.Token); !test.done && (err != nil || trail.After != test.link || !trail.Until.Equal(from)) {
			t.Errorf("%s: goes on at %+v", name, p.Next)
		}
		if test.done && test.at.To.IsZero() && !p.Next.From.Equal(now) {
			t.Errorf("%s: the next poll begins at %v", name, p.Next.From)
		}
	}
}

// TestClockAhead: by the provider's clock the walk begins earlier than by ours.
func TestClockAhead(t *testing.T) {
	t.Parallel()
	s, _ := session(tenant, nil, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", "Fri, 20 Nov 2026 09:55:00 GMT")
		fmt.Fprint(w, `{"items":[]}`)
	})
	p, err := s.Poll(t.Context(), "memberships", connector.Cursor{From: now.Add(-time.Hour)})
	if want := time.Date(2026, 11, 20, 9, 55, 0, 0, time.UTC); err != nil || !p.Next.From.Equal(want) {
		t.Errorf("goes on at %v, %v; want %v", p.Next.From, err, want)
	}
}

// TestRefusals: a 400 on a link is an expired cursor, on a call of ours a
// setting that somebody must mend.
func TestRefusals(t *testing.T) {
	t.Parallel()
	token := rest.Trail{After: "/v1/events?cursor=a", Until: now}.Token()
	for _, test := range []struct {
		status int
		token  string
		kind   connector.Kind
	}{
		{400, token, connector.CursorExpired},
		{400, "", connector.Forbidden},
		{404, "", connector.Forbidden},
		{410, token, connector.CursorExpired},
		{423, "", connector.Throttled},
		{429, token, connector.Throttled},
		{502, token, connector.Unavailable},
	} {
		s, _ := session(tenant, nil, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(test.status)
			fmt.Fprint(w, `{"message":"Told so.","trackingId":"T"}`)
		})
		_, err := s.Poll(t.Context(), "memberships", connector.Cursor{From: now, Token: test.token})
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != test.kind || e.Reason != "Told so." {
			t.Errorf("%d: got %v, want %v", test.status, err, test.kind)
		}
		if test.kind == connector.Throttled && !e.Until.Equal(now.Add(7*time.Second)) {
			t.Errorf("until %v", e.Until)
		}
	}
}

func TestFindUser(t *testing.T) {
	t.Parallel()
	s, _ := session(tenant, nil, served(t, simulator.CiscoOptions{}, scopes))
	got, err := s.(connector.UserFinder).FindUser(t.Context(), "Zoe.Mueller@example.com")
	want := connector.User{
		ID:    "Y2lzY29zcGFyazovL3VzL1BFT1BMRS8yZjZhMWI5MC0wYzNkLTRlNWYtOGE3Yi05YzBkMWUyZjNhMDI",
		Email: "zoe.mueller@example.com", FullName: "Zoë Müller", FirstName: "Zoë", LastName: "Müller", Status: "inactive",
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	if got, err := s.(connector.UserFinder).FindUser(t.Context(), "guest@partner.example"); !errors.Is(err, connector.ErrNoUser) {
		t.Errorf("a person of another organization: %+v, %v", got, err)
	}
	// Another address of the same person; an answer about somebody else.
	s, _ = session(tenant, nil, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"items":[{"id":"0","emails":["ada@example.com"]},{"id":"1","orgId":%[1]q,"emails":["x@example.com"]},
			{"id":"2","orgId":%[1]q,"emails":["a@example.com","ada@example.com"]}]}`, orgID)
	})
	if got, err := s.(connector.UserFinder).FindUser(t.Context(), "ada@example.com"); err != nil || got.ID != "2" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := s.(connector.UserFinder).FindUser(t.Context(), "zoe@example.com"); !errors.Is(err, connector.ErrNoUser) {
		t.Errorf("%v", err)
	}
}
