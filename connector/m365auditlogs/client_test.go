package m365auditlogs_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/connector/connectortest"
	"selvedge/connector/m365auditlogs"
	"selvedge/simulator"
)

var now = time.Date(2026, 11, 20, 10, 0, 0, 500_000_000, time.UTC)

const root = "/api/v1.0/" + tenant + "/activity/feed/"

// session is one whose provider is a handler, and what that was asked.
func session(clock func() time.Time, tenant string, handler http.HandlerFunc) (connector.Session, *[]string) {
	asked := new([]string)
	return m365auditlogs.App().Open(connector.Env{
		Tenant: tenant, Now: clock, Log: slog.New(slog.DiscardHandler),
		HTTP: &http.Client{Transport: connectortest.InProcess{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			*asked = append(*asked, r.Method+" "+strings.TrimPrefix(r.URL.RequestURI(), root))
			handler(w, r)
		})}},
	}), asked
}

func still() time.Time { return now }

// served is the simulated API with a token of it.
func served(server *simulator.Server, token string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+token)
		r.Host, r.TLS = "manage.office.com", new(tls.ConnectionState)
		server.ServeHTTP(w, r)
	}
}

const publisher = "PublisherIdentifier=" + tenant

// TestConnect: what is off is started, what is on is left alone, and what the
// grant does not reach is said in the provider's words.
func TestConnect(t *testing.T) {
	t.Parallel()
	server := simulator.New(simulator.Options{M365AuditLogs: simulator.M365AuditLogsOptions{Enabled: []string{"Audit.Exchange"}}})
	s, asked := session(still, tenant, served(server, connectortest.SignIn(t, server, m365auditlogs.App())))
	for range 2 {
		if facts, err := s.Connect(t.Context()); err != nil || facts["tenant_id"] != tenant {
			t.Fatalf("%v, %v", facts, err)
		}
	}
	want := []string{"GET subscriptions/list?" + publisher}
	for _, kind := range contentTypes() {
		if kind != "Audit.Exchange" {
			want = append(want, "POST subscriptions/start?contentType="+kind+"&"+publisher)
		}
	}
	if diff := cmp.Diff(append(want, want[0]), *asked); diff != "" {
		t.Error(diff)
	}
	// A list that does not tell of a subscription which is on.
	s, _ = session(still, tenant, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			fmt.Fprint(w, `[{"contentType":"Audit.Exchange","webhook":null}]`)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":{"code":"AF20024","message":"The subscription is already enabled. No property change."}}`)
	})
	if _, err := s.Connect(t.Context()); err != nil {
		t.Errorf("all are on already: %v", err)
	}
}

func TestConnectRefused(t *testing.T) {
	t.Parallel()
	grant := func(permissions ...string) http.HandlerFunc {
		server := simulator.New(simulator.Options{M365AuditLogs: simulator.M365AuditLogsOptions{Permissions: permissions}})
		return served(server, connectortest.SignIn(t, server, m365auditlogs.App(), "https://manage.office.com/.default"))
	}
	for name, test := range map[string]struct {
		tenant  string
		handler http.HandlerFunc
		kind    connector.Kind
		reason  string
	}{
		"no DLP":       {tenant, grant("ActivityFeed.Read"), connector.Forbidden, "AF10001: The permission set (ActivityFeed.Read)"},
		"nothing":      {tenant, grant("ServiceHealth.Read"), connector.Forbidden, "AF10001"},
		"other tenant": {"01234567-89ab-cdef-0123-456789abcdef", grant(), connector.Forbidden, "AF20010"},
		"wrong token":  {tenant, served(simulator.New(simulator.Options{}), "x"), connector.Unauthorized, "denied"},
		"no list":      {tenant, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }, connector.Malformed, "list"},
	} {
		s, _ := session(still, test.tenant, test.handler)
		_, err := s.Connect(t.Context())
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != test.kind || !strings.Contains(e.Reason, test.reason) {
			t.Errorf("%s: got %v, want %v with %q", name, err, test.kind, test.reason)
		}
	}
}

// TestRefusals: the API's codes decide, whatever the status beside them.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status int
		code   string
		kind   connector.Kind
	}{
		{403, "AF429", connector.Throttled},
		{429, "AF429", connector.Throttled},
		{403, "AF10001", connector.Forbidden},
		{401, "AF10001", connector.Forbidden},
		{400, "AF20010", connector.Forbidden},
		{401, "", connector.Unauthorized},
		{400, "AF20030", connector.CursorExpired},
		{400, "AF20031", connector.CursorExpired},
		{400, "AF20055", connector.CursorExpired},
		{400, "AF20051", connector.CursorExpired},
		{400, "AF20023", connector.Forbidden},
		{500, "AF50000", connector.Unavailable},
	} {
		s, _ := session(still, tenant, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.status)
			fmt.Fprintf(w, `{"error":{"code":%q,"message":"Told so."}}`, test.code)
		})
		_, err := s.Poll(t.Context(), "exchange", connector.Cursor{From: now.Add(-time.Hour)})
		if e, ok := errors.AsType[*connector.Error](err); !ok || e.Kind != test.kind || !e.Until.IsZero() {
			t.Errorf("%d %s: got %v, want %v", test.status, test.code, err, test.kind)
		}
	}
}

// TestStopped: a subscription that somebody stopped or disabled is started
// again, and the attempt counts as failed; so does connecting start it.
func TestStopped(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*simulator.M365AuditLogs, string){
		"stopped": (*simulator.M365AuditLogs).Stop, "disabled": (*simulator.M365AuditLogs).Disable,
	} {
		server := simulator.New(simulator.Options{Now: still, M365AuditLogs: simulator.M365AuditLogsOptions{Enabled: contentTypes()}})
		stop(server.M365AuditLogs(), "Audit.Exchange")
		s, asked := session(still, tenant, served(server, connectortest.SignIn(t, server, m365auditlogs.App())))
		_, err := s.Poll(t.Context(), "exchange", connector.Cursor{From: now.Add(-time.Hour)})
		if connector.KindOf(err) != connector.Unavailable || !strings.Contains(err.Error(), "started again") || len(*asked) != 2 {
			t.Errorf("%s: %v after %v", name, err, *asked)
		}
		p, err := s.Poll(t.Context(), "exchange", connector.Cursor{From: now.Add(-time.Hour)})
		if err != nil || !p.Done {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
		stop(server.M365AuditLogs(), "Audit.SharePoint")
		*asked = nil
		if _, err := s.Connect(t.Context()); err != nil || len(*asked) != 2 || !strings.Contains((*asked)[1], "contentType=Audit.SharePoint") {
			t.Errorf("%s: connected with %v: %v", name, err, *asked)
		}
	}
}

// drain polls from a cursor and returns the ids, the calls and where it ends.
func drain(t *testing.T, s connector.Session, at connector.Cursor) ([]string, connector.Cursor) {
	t.Helper()
	var ids []string
	for range 100 {
		p, err := s.Poll(t.Context(), "sharepoint", at)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Records {
			ids = append(ids, r.ID)
		}
		if at = p.Next; p.Done {
			return ids, at
		}
	}
	t.Fatal("no end after 100 pages")
	return nil, at
}

// TestListing: intervals of a day, pages of the list, each blob once, also one
// that shows late.
func TestListing(t *testing.T) {
	t.Parallel()
	clock := now.Add(-60 * time.Hour)
	server := simulator.New(simulator.Options{
		Now: func() time.Time { return clock }, M365AuditLogs: simulator.M365AuditLogsOptions{ListMax: 2, AccessLife: 1000 * time.Hour},
	})
	api := server.M365AuditLogs()
	s, asked := session(func() time.Time { return clock }, tenant, served(server, connectortest.SignIn(t, server, m365auditlogs.App())))
	for range 5 {
		if _, err := api.EmitTo("Audit.SharePoint", 3, 0); err != nil {
			t.Fatal(err)
		}
		clock = clock.Add(12 * time.Hour)
	}
	ids, at := drain(t, s, connector.Cursor{From: now.Add(-9 * 24 * time.Hour)})
	lists := len(slices.DeleteFunc(slices.Clone(*asked), func(s string) bool { return strings.Contains(s, "audit/") }))
	if blobs := len(*asked) - lists; len(ids) != 15 || blobs != 5 || lists != 8 {
		t.Errorf("%d records of %d blobs in %d lists:\n%s", len(ids), blobs, lists, strings.Join(*asked, "\n"))
	}
	if want := clock.Truncate(time.Second).Add(time.Second - 10*time.Minute); !at.From.Equal(want) || at.Token == "" {
		t.Errorf("goes on at %+v, want %v", at, want)
	}
	// Two blobs near the end: the second shows only after the poll.
	*asked = nil
	if _, err := api.EmitTo("Audit.SharePoint", 1, 0); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(time.Minute)
	_, at = drain(t, s, at)
	late, err := api.EmitTo("Audit.SharePoint", 1, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(time.Minute)
	got, _ := drain(t, s, at)
	if diff := cmp.Diff(late, got); diff != "" {
		t.Error(diff)
	}
	if blobs := slices.DeleteFunc(*asked, func(s string) bool { return !strings.Contains(s, "audit/") }); len(blobs) != 2 {
		t.Errorf("fetched %v", blobs)
	}
}

// TestRested: a poll that stopped between two intervals and goes on days later
// asks for no more than is kept.
func TestRested(t *testing.T) {
	t.Parallel()
	for _, rest := range []time.Duration{time.Hour, 3 * 24 * time.Hour, 20 * 24 * time.Hour} {
		for _, to := range []time.Time{{}, now.Add(-4 * 24 * time.Hour)} {
			clock := now
			server := simulator.New(simulator.Options{
				Now: func() time.Time { return clock }, M365AuditLogs: simulator.M365AuditLogsOptions{AccessLife: 1000 * time.Hour},
			})
			s, asked := session(func() time.Time { return clock }, tenant, served(server, connectortest.SignIn(t, server, m365auditlogs.App())))
			p, err := s.Poll(t.Context(), "sharepoint", connector.Cursor{From: now.Add(-7 * 24 * time.Hour), To: to})
			if err != nil || p.Done {
				t.Fatalf("%+v, %v", p, err)
			}
			clock = clock.Add(rest)
			if _, at := drain(t, s, p.Next); to.IsZero() && rest < 7*24*time.Hour && !at.From.Equal(now.Truncate(time.Second).Add(time.Second-10*time.Minute)) {
				t.Errorf("after %v: goes on at %v: %v", rest, at.From, *asked)
			}
		}
	}
}

// TestMissingBlob: content that is listed and not there holds nothing up, and is
// asked for again while it is new.
func TestMissingBlob(t *testing.T) {
	t.Parallel()
	there := false
	s, asked := session(still, tenant, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, "/content"):
			fmt.Fprintf(w, `[{"contentUri":"https://manage.office.com%saudit/a$1","contentCreated":"2026-11-20T09:59:00.000Z"},
				{"contentUri":"https://manage.office.com%saudit/b$2","contentCreated":"2026-11-20T09:59:30.000Z"}]`, root, root)
		case strings.HasSuffix(r.URL.Path, "/a$1") && !there:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error":{"code":"AF20050","message":"The specified content (a) does not exist."}}`)
		default:
			fmt.Fprintf(w, `[{"Id":%q,"CreationTime":"2026-11-20T09:30:00"}]`, r.URL.Path[len(r.URL.Path)-1:])
		}
	})
	ids, at := drain(t, s, connector.Cursor{From: now.Add(-time.Hour)})
	if diff := cmp.Diff([]string{"2"}, ids); diff != "" {
		t.Error(diff)
	}
	*asked, there = nil, true
	ids, at = drain(t, s, at)
	if diff := cmp.Diff([]string{"1"}, ids); diff != "" || len(*asked) != 2 {
		t.Errorf("%v %s", *asked, diff)
	}
	if ids, _ = drain(t, s, at); len(ids) != 0 {
		t.Errorf("again %v", ids)
	}
}

// TestForeignContent: a blob that is not of this feed is not fetched.
func TestForeignContent(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{
		"https://evil.example" + root + "audit/a", "https://manage.office.com/api/v1.0/01234567-89ab-cdef-0123-456789abcdef/activity/feed/audit/a",
		"https://manage.office.com" + root + "audit/a/b", "https://manage.office.com" + root + "audit/", "",
	} {
		s, _ := session(still, tenant, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `[{"contentUri":%q}]`, uri) })
		if _, err := s.Poll(t.Context(), "general", connector.Cursor{From: now}); connector.KindOf(err) != connector.Malformed {
			t.Errorf("%q: %v", uri, err)
		}
	}
}
