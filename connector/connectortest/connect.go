package connectortest

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"selvedge/connector"
)

// testDescription checks the App's data.
func testDescription(t *testing.T, c Case) {
	r := newRig(t, c)
	auth := c.App.Auth
	if c.App.Name == "" || c.App.Title == "" || auth.Tenant.Hint == "" || auth.Signing == "" {
		t.Error("name, title, tenant hint and signing must be given")
	}
	if r.origin.Scheme != "https" || r.origin.Host == "" || strings.ContainsAny(r.origin.Host, "{}") {
		t.Errorf("origin %s, want an https one with every variable filled in", r.origin)
	}
	vars, err := auth.Tenant.Vars(c.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	for _, template := range []string{auth.AuthorizeURL, auth.TokenURL, auth.RevokeURL} {
		expanded := connector.Expand(template, vars)
		if u, err := url.Parse(expanded); template != "" && (err != nil || u.Scheme != "https" || strings.ContainsAny(expanded, "{}")) {
			t.Errorf("URL %s, want an https one with every variable filled in", expanded)
		}
	}
	if s := r.stream; s.PageMax <= 0 || s.Overlap <= 0 || s.Arrival && s.Newest {
		t.Errorf("stream %+v: page size or overlap missing, or two orders at once", s)
	}
}

// testConnect connects, and looks at the facts as they are stored.
func testConnect(t *testing.T, c Case) {
	r := newRig(t, c)
	for _, events := range []int{0, 3} {
		r.emit(t, events, 0)
		facts, err := r.session().Connect(t.Context())
		if err != nil {
			t.Fatalf("with %d events: %v", events, err)
		}
		if _, err := json.Marshal(facts); err != nil {
			t.Errorf("facts: %v", err)
		}
	}
	r.stayedHome(t)
}

// testRefused ends the grant: every method must say so in the provider's words.
func testRefused(t *testing.T, c Case) {
	r := newRig(t, c)
	r.emit(t, r.stream.PageMax+1, 0)
	e := newEngine(r, r.live())
	e.step(t)
	r.Revoke()
	_, err := r.session().Connect(t.Context())
	if got := classified(t, err, connector.Unauthorized); got.Reason == "" || got.Status != 401 {
		t.Errorf("connect: status %d, reason %q: want the provider's own", got.Status, got.Reason)
	}
	_, err = e.read(t)
	classified(t, err, connector.Unauthorized)
	if finder, ok := r.session().(connector.UserFinder); ok {
		_, err = finder.FindUser(t.Context(), r.User)
		classified(t, err, connector.Unauthorized)
	}
}

// testTenant opens sessions for identifiers that no application takes.
func testTenant(t *testing.T, c Case) {
	r := newRig(t, c)
	bad := c.NotTenants
	if bad == nil {
		bad = []string{"", " ", "no such tenant", "https://user:pass@example.com", "../..", "a\nb", "http://example.com/x?y", "ex ample.com"}
	}
	for _, tenant := range bad {
		before := r.counted()
		_, err := r.open(tenant).Connect(t.Context())
		if got := classified(t, err, connector.Forbidden); !strings.Contains(got.Reason, "tenant identifier") {
			t.Errorf("tenant %q: reason %q does not say what is wrong", tenant, got.Reason)
		}
		if r.counted() != before {
			t.Errorf("tenant %q: a call was made", tenant)
		}
	}
	r.stayedHome(t)
}

// testUsers looks users up, where the application can.
func testUsers(t *testing.T, c Case) {
	r := newRig(t, c)
	finder, ok := r.session().(connector.UserFinder)
	if !ok {
		return
	}
	user, err := finder.FindUser(t.Context(), r.User)
	if err != nil || user.ID == "" {
		t.Errorf("look up %s: %+v, %v", r.User, user, err)
	}
	for _, email := range []string{"nobody@nowhere.example", "me", "", "a/../b@c.example", `x"y@c.example`, "é%2F@c.example"} {
		if user, err := finder.FindUser(t.Context(), email); !errors.Is(err, connector.ErrNoUser) {
			t.Errorf("look up %q: %+v, %v; want ErrNoUser", email, user, err)
		}
	}
	r.stayedHome(t)
}
