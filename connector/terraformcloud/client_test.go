package terraformcloud_test

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
	"selvedge/connector/terraformcloud"
	"selvedge/simulator"
)

var now = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

func TestTenants(t *testing.T) {
	t.Parallel()
	for identifier, want := range map[string]string{
		"https://app.terraform.io/app/my-org":                  "my-org",
		"https://app.terraform.io/app/My_Org/settings/profile": "My_Org",
		"app.terraform.io/app/my-org/":                         "my-org",
		"my-org":                                               "my-org",
		"":                                                     "",
		"https://app.terraform.io/app/":                        "",
		"https://app.terraform.io/app/my-org?x=1":              "",
		"https://evil.example/app/my-org":                      "",
		"https://app.terraform.io.evil.example/app/my-org":     "",
		"my org": "",
		"..":     "",
	} {
		vars, err := terraformcloud.App().Auth.Tenant.Vars(identifier)
		if got := vars["org"]; got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", identifier, got, err, want)
		}
	}
}

func session(tenant string, h http.HandlerFunc) connector.Session {
	return terraformcloud.App().Open(connector.Env{
		Tenant: tenant, HTTP: &http.Client{Transport: connectortest.InProcess{Handler: h}}, Now: func() time.Time { return now },
	})
}

// TestPagination: whatever is told of the next page, none is passed over.
func TestPagination(t *testing.T) {
	t.Parallel()
	full := strings.TrimSuffix(strings.Repeat(`{"id":"x"},`, 1000), ",")
	for _, test := range []struct {
		rest, records string
		done          bool
	}{
		{`"pagination":{"next_page":2}`, `{"id":"x"}`, false},
		{`"pagination":{"next_page":7}`, `{"id":"x"}`, false},
		{`"pagination":{"next_page":null}`, full, true},
		{`"pagination":{"next_page":0}`, full, true},
		{`"pagination":{"next_page":1}`, full, true},
		{`"pagination":{"next_page":"2"}`, full, false},
		{`"pagination":{"next_page":"2"}`, `{}`, true},
		{`"pagination":null`, full, false},
		{`"x":1`, full, false},
		{`"x":1`, ``, true},
	} {
		s := session("org", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"data":[%s],%s}`, test.records, test.rest)
		})
		p, err := s.Poll(t.Context(), "audit_trail", connector.Cursor{From: now.Add(-time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if p.Done != test.done || (p.Next.Token == "") != test.done {
			t.Errorf("%s: done %v, next %+v", test.rest, p.Done, p.Next)
		}
		if !p.Done && !strings.Contains(p.Next.Token, "after=2&") {
			t.Errorf("%s: goes on at %q, want page 2", test.rest, p.Next.Token)
		}
	}
}

// TestWalkEndsWhereItUntil: the next poll begins at the time of the first call
// of the walk, however long the walk took.
func TestWalkEndsWhereItBegan(t *testing.T) {
	t.Parallel()
	clock, page := now, 0
	var asked []string
	env := connector.Env{Tenant: "org", Now: func() time.Time { return clock }, HTTP: &http.Client{Transport: connectortest.InProcess{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.URL.Query().Get("since")+" "+r.URL.Query().Get("page[number]")+" "+r.URL.Query().Get("page[size]"))
			if page++; page == 3 {
				fmt.Fprint(w, `{"data":[],"pagination":{"next_page":null}}`)
				return
			}
			fmt.Fprintf(w, `{"data":[{"id":"%d","timestamp":"2026-11-20T11:00:00Z"}],"pagination":{"next_page":%d}}`, page, page+1)
		}),
	}}}
	at := connector.Cursor{From: now.Add(-time.Hour)}
	for range 3 {
		p, err := terraformcloud.App().Open(env).Poll(t.Context(), "audit_trail", at)
		if err != nil {
			t.Fatal(err)
		}
		at, clock = p.Next, clock.Add(10*time.Minute)
	}
	if want := (connector.Cursor{From: now}); at != want {
		t.Errorf("got %+v, want %+v", at, want)
	}
	const since = "2026-11-20T08:59:59.999Z"
	if diff := cmp.Diff([]string{since + " 1 1000", since + " 2 1000", since + " 3 1000"}, asked); diff != "" {
		t.Error(diff)
	}
}

func TestConnect(t *testing.T) {
	t.Parallel()
	server := simulator.New(simulator.Options{})
	org := server.TerraformCloud()
	if _, err := org.Emit(2, 0); err != nil {
		t.Fatal(err)
	}
	poor := simulator.New(simulator.Options{TerraformCloud: simulator.TerraformCloudOptions{NoAuditTrails: true}})
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		tenant  string
		kind    connector.Kind
		reason  string // part of it; empty: connected
	}{
		"good":               {connectortest.Served(t, server, terraformcloud.App(), org.Token()), org.Organization(), 0, ""},
		"wrong token":        {connectortest.Served(t, server, terraformcloud.App(), "x"), org.Organization(), connector.Unauthorized, "unauthorized"},
		"token of a user":    {connectortest.Served(t, server, terraformcloud.App(), org.UserToken()), org.Organization(), connector.Forbidden, "not found"},
		"plan without":       {connectortest.Served(t, poor, terraformcloud.App(), poor.TerraformCloud().Token()), "example-org", connector.Forbidden, "not found"},
		"other organization": {connectortest.Served(t, server, terraformcloud.App(), org.Token()), "acme", connector.Forbidden, `does not show the organization "acme"`},
		"another's records": {func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/audit-trail") {
				fmt.Fprint(w, `{"data":[{"auth":{"organization_id":"org-2"}}]}`)
				return
			}
			fmt.Fprint(w, `{"data":{"attributes":{"external-id":"org-1"}}}`)
		}, "acme", connector.Forbidden, "another organization, org-2"},
	} {
		facts, err := session(test.tenant, test.handler).Connect(t.Context())
		if test.reason == "" {
			if err != nil || facts["organization"] != org.Organization() || facts["organization_id"] == "" {
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

// TestFindUser: an address with a comma is one address, not a list of them.
func TestFindUser(t *testing.T) {
	t.Parallel()
	s := session("org", func(w http.ResponseWriter, r *http.Request) {
		if got := r.URL.Query()["filter[email]"]; len(got) != 1 || r.URL.Path != "/api/v2/organizations/org/organization-memberships" {
			t.Errorf("asked %s", r.URL)
		}
		fmt.Fprint(w, `{"data":[{"attributes":{"email":"Ada@example.com","status":"invited"},"relationships":{"user":{"data":{"id":"user-1","type":"users"}}}}]}`)
	}).(connector.UserFinder)
	got, err := s.FindUser(t.Context(), "ada@example.com")
	if want := (connector.User{ID: "user-1", Email: "Ada@example.com", Status: "invited"}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := s.FindUser(t.Context(), "ada@example.com,zoe@example.com"); !errors.Is(err, connector.ErrNoUser) {
		t.Errorf("two addresses: %v, want ErrNoUser", err)
	}
}
