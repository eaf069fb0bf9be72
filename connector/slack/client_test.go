package slack_test

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
	"selvedge/connector/slack"
	"selvedge/simulator"
)

var now = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

func session(tenant string, h http.HandlerFunc) connector.Session {
	return slack.App().Open(connector.Env{
		Tenant: tenant, HTTP: &http.Client{Transport: connectortest.InProcess{Handler: h}}, Now: func() time.Time { return now },
	})
}

// TestRefusals: the code decides, whatever the status.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status int
		body   string
		kind   connector.Kind
		reason string
	}{
		{200, `{"ok":false,"error":"invalid_auth"}`, connector.Unauthorized, "invalid_auth"},
		{401, `{"ok":false,"error":"invalid_authentication"}`, connector.Unauthorized, "invalid_authentication"},
		{400, `{"ok":false,"error":"token_expired"}`, connector.Unauthorized, "token_expired"},
		{200, `{"ok":false,"error":"missing_scope","needed":"auditlogs:read","provided":"users:read"}`, connector.Forbidden, "missing_scope: auditlogs:read"},
		{200, `{"ok":false,"error":"feature_not_enabled"}`, connector.Forbidden, "feature_not_enabled"},
		{401, `{"ok":false,"error":"user_not_authorized"}`, connector.Forbidden, "user_not_authorized"},
		{403, `{"ok":false,"error":"method_not_allowed"}`, connector.Forbidden, "method_not_allowed"},
		{200, `{"ok":false,"error":"ratelimited"}`, connector.Throttled, "ratelimited"},
		{429, ``, connector.Throttled, ""},
		{400, `{"ok":false,"error":"invalid_cursor"}`, connector.CursorExpired, "invalid_cursor"},
		{200, `{"ok":false,"error":"internal_error"}`, connector.Unavailable, "internal_error"},
		{200, `{"ok":false}`, connector.Unavailable, ""},
		{503, `<html>`, connector.Unavailable, ""},
		{200, `{"ok":true}`, connector.Malformed, "the list of records is missing from the answer"},
	} {
		_, err := session("acme", connectortest.Answering(test.status, test.body)).Poll(t.Context(), "audit", connector.Cursor{From: now})
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != test.kind || e.Reason != test.reason {
			t.Errorf("%d %s: got %v, want %v %q", test.status, test.body, err, test.kind, test.reason)
		}
	}
}

// TestWalk: every page of a walk has the same bounds, whole seconds that take in
// the cursor's own; a window's records are cut to its bounds.
func TestWalk(t *testing.T) {
	t.Parallel()
	var asked []string
	clock := now
	s := slack.App().Open(connector.Env{Tenant: "acme", Now: func() time.Time { return clock }, HTTP: &http.Client{Transport: connectortest.InProcess{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.URL.RawQuery)
			next := map[string]string{"": "b=", "b=": "c", "c": ""}[r.URL.Query().Get("cursor")]
			fmt.Fprintf(w, `{"entries":[{"id":"%d","date_create":%d}],"response_metadata":{"next_cursor":%q}}`, len(asked), now.Unix()-int64(len(asked)), next)
		}),
	}}})
	read := func(at connector.Cursor) (connector.Cursor, int) {
		n := 0
		for range 3 {
			p, err := s.Poll(t.Context(), "audit", at)
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
	from := now.Add(-2500 * time.Millisecond)
	if got, n := read(connector.Cursor{From: from}); got != (connector.Cursor{From: now}) || n != 3 {
		t.Errorf("live: %d records, ends at %+v", n, got)
	}
	const bounds = "&limit=1000&oldest=1795168797"
	if diff := cmp.Diff([]string{bounds[1:], "cursor=b%3D" + bounds, "cursor=c" + bounds}, asked); diff != "" {
		t.Error(diff)
	}
	asked = nil
	to := now.Add(-time.Second)
	// Of what happened 3, 2 and 1 s ago, the bounds leave the second.
	if got, n := read(connector.Cursor{From: from, To: to}); got != (connector.Cursor{From: to, To: to}) || n != 1 {
		t.Errorf("window: %d records, ends at %+v", n, got)
	}
	if want := "latest=1795168799" + bounds; asked[0] != want {
		t.Errorf("asked %s, want %s", asked[0], want)
	}
}

// TestBeginning: no bound is before the log's own beginning.
func TestBeginning(t *testing.T) {
	t.Parallel()
	asked := ""
	_, err := session("acme", func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.RawQuery
		fmt.Fprint(w, `{"entries":[]}`)
	}).Poll(t.Context(), "audit", connector.Cursor{From: time.Unix(0, 0), To: now})
	if err != nil || !strings.Contains(asked, "oldest=1519862400") {
		t.Errorf("asked %s, %v", asked, err)
	}
}

// TestClockAhead: a walk does not end later than the provider's own time.
func TestClockAhead(t *testing.T) {
	t.Parallel()
	p, err := session("acme", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", now.Add(-time.Hour).Format(http.TimeFormat))
		fmt.Fprint(w, `{"entries":[]}`)
	}).Poll(t.Context(), "audit", connector.Cursor{From: now.Add(-2 * time.Hour)})
	if err != nil || !p.Done || !p.Next.From.Equal(now.Add(-time.Hour)) {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestConnect(t *testing.T) {
	t.Parallel()
	good := simulator.New(simulator.Options{})
	poor := simulator.New(simulator.Options{Slack: simulator.SlackOptions{NoAudit: true}})
	member := simulator.New(simulator.Options{Slack: simulator.SlackOptions{Users: []simulator.User{{ID: "W2", Login: "zoe@example.com"}}}})
	all := "auditlogs:read,users:read.email,users:read"
	token := connectortest.SignIn(t, good, slack.App(), all)
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		tenant  string
		kind    connector.Kind
		reason  string // part of it; empty: connected
	}{
		"good":         {connectortest.Served(t, good, slack.App(), token), "https://demo.enterprise.slack.com/", 0, ""},
		"wrong token":  {connectortest.Served(t, good, slack.App(), "x"), "demo", connector.Unauthorized, "invalid_authentication"},
		"other tenant": {connectortest.Served(t, good, slack.App(), token), "acme", connector.Forbidden, `https://demo.enterprise.slack.com/, not for the tenant "acme"`},
		"no owner":     {connectortest.Served(t, member, slack.App(), connectortest.SignIn(t, member, slack.App(), all)), "demo", connector.Forbidden, "user_not_authorized"},
		"plan without": {connectortest.Served(t, poor, slack.App(), connectortest.SignIn(t, poor, slack.App(), all)), "demo", connector.Forbidden, "feature_not_enabled"},
		"less scopes":  {connectortest.Served(t, good, slack.App(), connectortest.SignIn(t, good, slack.App(), "users:read")), "demo", connector.Forbidden, "missing_scope: auditlogs:read"},
		"a workspace's own address": {func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/audit/") {
				fmt.Fprint(w, `{"entries":[]}`)
				return
			}
			fmt.Fprint(w, `{"ok":true,"url":"https://acme.slack.com/","team":"Acme","team_id":"T1"}`)
		}, "demo", connector.Forbidden, `name "acme" as the tenant`},
	} {
		facts, err := session(test.tenant, test.handler).Connect(t.Context())
		if test.reason == "" {
			want := map[string]string{"domain": "demo", "enterprise_id": "E01SELVEDGE", "team": "Demo Grid – Ünited"}
			if diff := cmp.Diff(want, facts); err != nil || diff != "" {
				t.Errorf("%s: %v %s", name, err, diff)
			}
			continue
		}
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != test.kind || !strings.Contains(e.Reason, test.reason) {
			t.Errorf("%s: got %v, want %v with %q", name, err, test.kind, test.reason)
		}
	}
}

func TestFindUser(t *testing.T) {
	t.Parallel()
	server := simulator.New(simulator.Options{})
	find := session("demo", connectortest.Served(t, server, slack.App(), connectortest.SignIn(t, server, slack.App(), "auditlogs:read,users:read.email,users:read"))).(connector.UserFinder)
	for email, want := range map[string]connector.User{
		"zoe.mueller@example.com":   {ID: "W02Z0EMUELLER", Email: "zoe.mueller@example.com", FullName: "Zoë Müller", FirstName: "Zoë", LastName: "Müller", Status: "active"},
		"grainne.oneil@example.com": {ID: "W04GRA1NNE0NE", Email: "grainne.oneil@example.com", FullName: "Gráinne O'Neil", FirstName: "Gráinne", LastName: "O'Neil", Status: "deleted"},
	} {
		if got, err := find.FindUser(t.Context(), email); err != nil || got != want {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	if _, err := session("demo", connectortest.Answering(200, `{"ok":true,"user":{}}`)).(connector.UserFinder).FindUser(t.Context(), "a@b.example"); connector.KindOf(err) != connector.Malformed {
		t.Errorf("an answer without a user: %v", err)
	}
	if _, err := session("demo", connectortest.Answering(404, `{"ok":false,"error":"users_not_found"}`)).(connector.UserFinder).FindUser(t.Context(), "a@b.example"); !errors.Is(err, connector.ErrNoUser) {
		t.Errorf("not found under another status: %v", err)
	}
}
