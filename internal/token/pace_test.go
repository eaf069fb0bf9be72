package token_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/connector/dropbox"
	"selvedge/connector/okta"
	"selvedge/connector/terraformcloud"
	"selvedge/internal/fabric"
	"selvedge/internal/outbound"
	"selvedge/internal/token"
	"selvedge/simulator"
)

// pacedWorld has a connected Okta with a pace of our own.
func pacedWorld(t *testing.T, pace connector.Pace) *world {
	t.Helper()
	app := okta.App()
	app.Pace = pace
	w := bare(t, app)
	w.sim = simulator.New(simulator.Options{Now: w.clock.Now})
	w.serve(w.sim, "https://acme.okta.com")
	w.authorize("OKTA", "acme.okta.com", w.oktaCredential())
	w.connect()
	return w
}

func TestARefusedCallStopsTheTenantsCallsAndNotItsRefresh(t *testing.T) {
	t.Parallel()
	w := pacedWorld(t, connector.Pace{})
	w.inject(simulator.Fault{Kind: simulator.Status429, Delay: 90 * time.Second, Times: 1})
	err := w.poll()
	if want := "; the provider asks to wait until 12:01:30Z"; err == nil || !strings.HasSuffix(err.Error(), want) || errors.Is(err, outbound.ErrPaced) {
		t.Errorf("the refused call: %v, want ...%s", err, want)
	}
	err = w.poll()
	e, ok := errors.AsType[*connector.Error](err)
	if !ok || e.Kind != connector.Throttled || !errors.Is(err, outbound.ErrPaced) || !e.Until.Equal(w.clock.Now().Add(90*time.Second)) {
		t.Errorf("the next call: %v; want ErrPaced for 90 seconds", err)
	}
	if want := "okta: read the first record: throttled: paced: the provider asks to wait until 12:01:30Z"; err == nil || err.Error() != want {
		t.Errorf("the next call: %v, want %s", err, want)
	}
	w.mustRefresh()
	w.clock.Add(90 * time.Second)
	if err := w.poll(); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	w.inject(simulator.Fault{Path: "/oauth2/v1/token", Kind: simulator.Status429, Delay: 90 * time.Second, Times: 1})
	if err := w.refresh(); err == nil {
		t.Error("the refresh was not refused")
	}
	if err := w.poll(); err != nil {
		t.Errorf("after a refused refresh: %v", err)
	}
}

// A connection while the tenant is to be left alone is undecided, and is made
// when the wait is over.
func TestConnectWhileTheProviderAsksToWait(t *testing.T) {
	t.Parallel()
	w := pacedWorld(t, connector.Pace{})
	w.inject(simulator.Fault{Kind: simulator.Status429, Delay: 90 * time.Second, Times: 1})
	if err := w.poll(); err == nil {
		t.Fatal("the call was not refused")
	}
	w.update(w.oktaCredential())
	a, err := w.callback(w.consent(w.authURL()))
	if err != nil {
		t.Fatal(err)
	}
	w.want(a, fabric.PendingConnect, "paced: the provider asks to wait until 12:01:30Z")
	w.clock.Add(90 * time.Second)
	w.mustRefresh()
	w.want(w.now(), fabric.Connected, "")
}

func TestLookUpsLeaveCallsToThePolls(t *testing.T) {
	t.Parallel()
	w := pacedWorld(t, connector.Pace{PerSecond: 5}) // one call was made to connect
	s, _, err := w.m.Session(t.Context(), w.a)
	if err != nil {
		t.Fatal(err)
	}
	finder, ok := s.(connector.UserFinder)
	if !ok {
		t.Fatal("the session cannot look users up")
	}
	for i := range 4 {
		_, err := finder.FindUser(t.Context(), "nobody@example.com")
		if want := i == 3; errors.Is(err, outbound.ErrPaced) != want || !want && !errors.Is(err, connector.ErrNoUser) {
			t.Errorf("look-up %d: %v, want it paced: %v", i, err, want)
		}
	}
	if err := w.poll(); err != nil {
		t.Errorf("a poll: %v", err)
	}
	if err := w.poll(); !errors.Is(err, outbound.ErrPaced) {
		t.Errorf("a poll when all permits are used: %v, want ErrPaced", err)
	}
}

func TestATenantIsOneHoweverItIsSpelt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		app                connector.App
		identifier, tenant string
	}{
		{okta.App(), "acme", "https://acme.okta.com"},
		{okta.App(), "acme.okta.com", "https://acme.okta.com"},
		{okta.App(), "https://acme-admin.okta.com/admin", "https://acme.okta.com"},
		{terraformcloud.App(), "acme", "111122223333 us-east-1 org=acme"},
		{terraformcloud.App(), "https://app.terraform.io/app/acme", "111122223333 us-east-1 org=acme"},
		{connector.App{Auth: connector.Auth{Origin: "https://api.example.com"}}, "acme", "111122223333 us-east-1 acme"},
	} {
		vars, err := c.app.Auth.Tenant.Vars(c.identifier)
		if err != nil && len(c.app.Auth.Tenant.Forms) > 0 {
			t.Fatal(err)
		}
		a := fabric.AppAuthorization{Account: "111122223333", Region: "us-east-1"}
		if got := token.TenantName(c.app, a, c.identifier, vars); got != c.tenant {
			t.Errorf("%s %q: %q, want %q", c.app.Name, c.identifier, got, c.tenant)
		}
	}
}

// TestAccountsDoNotHoldEachOtherUp: where anybody can name a tenant by any text,
// what the provider asks of one account's calls concerns no other's.
func TestAccountsDoNotHoldEachOtherUp(t *testing.T) {
	t.Parallel()
	mine := fabric.AppAuthorization{Account: "111122223333", Region: "us-east-1"}
	for _, c := range []struct {
		app        connector.App
		identifier string
		shared     bool
	}{
		{dropbox.App(), "Security team", false},
		{terraformcloud.App(), "acme", false},
		{okta.App(), "acme.okta.com", true},
	} {
		vars, err := c.app.Auth.Tenant.Vars(c.identifier)
		if err != nil {
			t.Fatal(err)
		}
		for _, theirs := range []fabric.AppAuthorization{
			{Account: "444455556666", Region: "us-east-1"}, {Account: "111122223333", Region: "eu-west-1"},
		} {
			same := token.TenantName(c.app, mine, c.identifier, vars) == token.TenantName(c.app, theirs, c.identifier, vars)
			if same != c.shared {
				t.Errorf("%s: %s %s shares the pace: %t, want %t", c.app.Name, theirs.Account, theirs.Region, same, c.shared)
			}
		}
	}
}
