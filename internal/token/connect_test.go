package token_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/token"
	"selvedge/simulator"
)

const tokenPath = "/oauth2/v1/token"

func TestConnectInBrowser(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	if err := w.poll(); !errors.Is(err, token.ErrNoGrant) {
		t.Errorf("a session before the connection: %v, want ErrNoGrant", err)
	}
	w.clock.Add(time.Minute)
	w.connect()
	if err := w.poll(); err != nil {
		t.Error(err)
	}
	g := w.grant()
	if want := w.clock.Now().Add(30 * time.Minute); !g.Due.Equal(want) {
		t.Errorf("the refresh is due %s, want half of the hour: %s", g.Due, want)
	}
	if !g.Authorization.UpdatedAt.Equal(w.clock.Now()) {
		t.Errorf("updatedAt %s, want that of the change of status", g.Authorization.UpdatedAt)
	}
	if diff := cmp.Diff([]store.EventKind{store.EventExchanged}, w.lineage()); diff != "" {
		t.Error(diff)
	}
	if g.Facts["domain"] != "acme.okta.com" {
		t.Errorf("facts %v lack what the session found", g.Facts)
	}
}

func TestConnectByAPI(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	q := w.consent(w.authURL())
	req := &token.AuthRequest{RedirectURI: publicURL + "/appfabric/oauth2", Code: fabric.Secret(q.Get("code"))}
	for range 2 { // SDKs send again
		a, err := w.m.Connect(t.Context(), w.a, req)
		if err != nil {
			t.Fatal(err)
		}
		w.want(a, fabric.Connected, "")
	}
	if n := len(w.sim.Okta().TokenRequests()); n != 1 {
		t.Errorf("%d token requests, want 1: a code that was exchanged is not sent again", n)
	}
	// A browser that was sent back with the same code.
	a, err := w.callback(q)
	if err != nil {
		t.Fatal(err)
	}
	w.want(a, fabric.Connected, "")
}

func TestConnectRefused(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	good := func() fabric.Secret { return fabric.Secret(w.consent(w.authURL()).Get("code")) }
	redirect := publicURL + "/appfabric/oauth2"
	for _, test := range []struct {
		name   string
		req    token.AuthRequest
		reason string
	}{
		{"unknown code", token.AuthRequest{RedirectURI: redirect, Code: "nonsense"}, "invalid_grant: The authorization code is invalid or has expired."},
		{"other redirect", token.AuthRequest{RedirectURI: "http://127.0.0.1/x", Code: good()}, "invalid_grant: The 'redirect_uri' does not match the redirection URI used in the authorization request."},
	} {
		a, err := w.m.Connect(t.Context(), w.a, &test.req)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		w.want(a, fabric.ConnectionValidationFailed, test.reason)
	}
	if err := w.poll(); !errors.Is(err, token.ErrNoGrant) {
		t.Errorf("a session: %v, want ErrNoGrant", err)
	}
	w.connect() // and everything is good again
	w.clock.Add(31 * time.Minute)
	w.mustRefresh()
}

func TestConnectNeedsItsRequest(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	_, err := w.m.Connect(t.Context(), w.a, nil)
	fault, ok := errors.AsType[*fabric.Error](err)
	if !ok || fault.Kind != fabric.Validation || len(fault.Fields) != 1 || fault.Fields[0].Name != "authRequest" {
		t.Fatalf("Connect without a request: %v", err)
	}
	w.want(w.now(), fabric.PendingConnect, "")
	w.connect()
	a, err := w.m.Connect(t.Context(), w.a, nil) // probes what is there
	if err != nil {
		t.Fatal(err)
	}
	w.want(a, fabric.Connected, "")
}

func TestConnectChecksTheTenant(t *testing.T) {
	t.Parallel()
	w := simulated(t, simulator.Options{})
	w.authorize("OKTA", "not a domain", w.oktaCredential())
	if u := w.authURL(); u != "" {
		t.Errorf("AuthURL %q of a tenant without an address", u)
	}
	_, err := w.m.Connect(t.Context(), w.a, &token.AuthRequest{RedirectURI: "https://x", Code: "c"})
	fault, ok := errors.AsType[*fabric.Error](err)
	if !ok || fault.Kind != fabric.Validation || !strings.Contains(fault.Message, "dev-1234.okta.com") {
		t.Fatalf("Connect = %v, want a hint", err)
	}
}

func TestProbeDecides(t *testing.T) {
	t.Parallel()
	t.Run("scope is missing", func(t *testing.T) {
		t.Parallel()
		w := oktaWorld(t, simulator.OktaOptions{})
		u := strings.Replace(w.authURL(), "okta.logs.read%20", "", 1)
		a, err := w.callback(w.consent(u))
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != fabric.ConnectionValidationFailed || !strings.Contains(a.Reason, "E0000006") {
			t.Fatalf("%s, %q", a.Status, a.Reason)
		}
	})
	t.Run("the provider does not answer", func(t *testing.T) {
		t.Parallel()
		w := oktaWorld(t, simulator.OktaOptions{})
		w.inject(simulator.Fault{Path: "/api", Kind: simulator.Status500})
		a, err := w.callback(w.consent(w.authURL()))
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != fabric.PendingConnect || !strings.Contains(a.Reason, "E0000009") {
			t.Fatalf("%s, %q; want PendingConnect and why", a.Status, a.Reason)
		}
		if err := w.refresh(); connector.KindOf(err) != connector.Unavailable || err == nil {
			t.Fatalf("the duty: %v", err)
		}
		w.mend()
		w.mustRefresh()
		w.want(w.now(), fabric.Connected, "")
		if n := len(w.sim.Okta().TokenRequests()); n != 1 {
			t.Errorf("%d token requests, want 1", n)
		}
	})
}

func TestUndecidedProbe(t *testing.T) {
	t.Parallel()
	t.Run("after a failure", func(t *testing.T) {
		t.Parallel()
		w := oktaWorld(t, simulator.OktaOptions{})
		a, err := w.m.Connect(t.Context(), w.a, &token.AuthRequest{RedirectURI: "http://127.0.0.1/x", Code: "nonsense"})
		if err != nil || a.Status != fabric.ConnectionValidationFailed {
			t.Fatal(a.Status, err)
		}
		w.inject(simulator.Fault{Path: "/api", Kind: simulator.Status500})
		if a, err = w.callback(w.consent(w.authURL())); err != nil || a.Status != fabric.PendingConnect {
			t.Fatalf("%s, %v; want PendingConnect", a.Status, err)
		}
		w.mend()
		w.inject(simulator.Fault{Path: "/api", Kind: simulator.Status429, Delay: time.Minute})
		if err := w.refresh(); err == nil {
			t.Fatal("decided by a 429")
		}
		if a := w.now(); !strings.Contains(a.Reason, "E0000047") {
			t.Errorf("reason %q is not the latest", a.Reason)
		}
		w.mend()
		w.clock.Add(time.Minute) // that the 429 asked for
		w.mustRefresh()
		w.want(w.now(), fabric.Connected, "")
	})
	t.Run("refreshed meanwhile, then refused", func(t *testing.T) {
		t.Parallel()
		w := oktaWorld(t, simulator.OktaOptions{})
		w.inject(simulator.Fault{Path: "/api", Kind: simulator.Status500})
		if _, err := w.callback(w.consent(strings.Replace(w.authURL(), "okta.logs.read%20", "", 1))); err != nil {
			t.Fatal(err)
		}
		w.clock.Add(31 * time.Minute)
		w.mustRefresh()
		w.mend()
		w.mustRefresh()
		if a := w.now(); a.Status != fabric.ConnectionValidationFailed {
			t.Fatalf("%s, %q", a.Status, a.Reason)
		}
		// The set before the refresh is of the same consent, and spent.
		if err := w.poll(); !errors.Is(err, token.ErrNoGrant) {
			t.Errorf("a session: %v, want ErrNoGrant", err)
		}
	})
}

func TestProviderSaysNo(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	first := w.authURL()
	back, err := w.sim.Okta().Deny(t.Context(), w.http.Client(), first)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.callback(u.Query())
	refusal, ok := errors.AsType[*token.Refusal](err)
	if !ok || !strings.HasPrefix(refusal.Reason, "access_denied: ") {
		t.Fatalf("Callback = %v, want the provider's refusal", err)
	}
	w.want(w.now(), fabric.PendingConnect, "")
	// The refusal has used up nothing: the same address works.
	a, err := w.callback(w.consent(first))
	if err != nil {
		t.Fatal(err)
	}
	w.want(a, fabric.Connected, "")
	// The connection has: another code for the same state is not taken.
	_, err = w.callback(w.consent(first))
	if !errors.Is(err, token.ErrStateUsed) {
		t.Errorf("a state for the second time: %v", err)
	}
	if n := len(w.sim.Okta().TokenRequests()); n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
}

func TestHeldByAnother(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	q := w.consent(w.authURL())
	_, ok, err := w.store.ClaimRow(t.Context(), store.DutyRefresh, w.a.ID, "replica-2", time.Minute)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	a, err := w.callback(q)
	if err != nil {
		t.Fatal(err)
	}
	w.want(a, fabric.PendingConnect, "")
	if n := len(w.sim.Okta().TokenRequests()); n != 0 {
		t.Errorf("%d token requests by a process that does not hold the grant", n)
	}
}

func TestBrowserThatGoesAway(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	q := w.consent(w.authURL())
	ctx, cancel := context.WithCancel(t.Context())
	w.onStepDo("intent", func() error {
		cancel()
		return nil
	})
	_, _ = w.m.Callback(ctx, q.Get("state"), q.Get("code"), "", "")
	if err := w.m.Close(t.Context()); err != nil { // waits for what goes on
		t.Fatal(err)
	}
	w.want(w.now(), fabric.Connected, "")
}

func TestKey(t *testing.T) {
	t.Parallel()
	w := simulated(t, simulator.Options{})
	tf := w.sim.TerraformCloud()
	w.authorize("TERRAFORMCLOUD", tf.Organization(), fabric.Credential{APIKey: "nonsense"})
	connect := func() fabric.AppAuthorization {
		t.Helper()
		a, err := w.m.Connect(t.Context(), w.now(), &token.AuthRequest{Code: "ignored"})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a := connect(); a.Status != fabric.ConnectionValidationFailed || !strings.Contains(a.Reason, "unauthorized") {
		t.Fatalf("a wrong key: %s, %q", a.Status, a.Reason)
	}
	if u := w.authURL(); u != "" {
		t.Errorf("AuthURL %q of an application with keys", u)
	}
	w.update(fabric.Credential{APIKey: fabric.Secret(tf.Token())})
	w.want(connect(), fabric.Connected, "")
	w.want(connect(), fabric.Connected, "")
	if g := w.grant(); !g.Due.IsZero() {
		t.Errorf("the refresh of a key is due %s", g.Due)
	}
	// A key that does not reach as far fails, and the one before goes on.
	w.update(fabric.Credential{APIKey: fabric.Secret(tf.UserToken())})
	if a := connect(); a.Status != fabric.ConnectionValidationFailed || a.Reason == "" {
		t.Fatalf("a user's key: %s, %q", a.Status, a.Reason)
	}
	if err := w.poll(); err != nil {
		t.Errorf("the key before: %v", err)
	}
	w.update(fabric.Credential{APIKey: fabric.Secret(tf.Token())})
	w.want(connect(), fabric.Connected, "")
	tf.Revoke()
	if err := w.poll(); connector.KindOf(err) != connector.Unauthorized {
		t.Errorf("a revoked key: %v", err)
	}
	if err := w.m.Rejected(t.Context(), w.now(), "unauthorized"); err != nil {
		t.Fatal(err)
	}
	w.want(w.now(), fabric.ConnectionValidationFailed, "unauthorized")
	w.mustRefresh() // has nothing to do, and does not change that
	w.want(w.now(), fabric.ConnectionValidationFailed, "unauthorized")
}

func TestUpdateKeepsTheOldGrant(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	w.connect()
	w.update(fabric.Credential{ClientID: "0oa5im5elvedge0app7", ClientSecret: "wrong-secret"})
	w.want(w.now(), fabric.PendingConnect, "")
	w.clock.Add(31 * time.Minute)
	w.mustRefresh() // with the credentials that it was obtained with
	if err := w.poll(); err != nil {
		t.Fatalf("the old grant after a refresh: %v", err)
	}
	w.want(w.now(), fabric.PendingConnect, "")
	a, err := w.callback(w.consent(w.authURL()))
	if err != nil {
		t.Fatal(err)
	}
	if a.Status != fabric.ConnectionValidationFailed || !strings.HasPrefix(a.Reason, "invalid_client: ") {
		t.Fatalf("%s, %q", a.Status, a.Reason)
	}
	if err := w.poll(); err != nil {
		t.Fatalf("the old grant after a refused connection: %v", err)
	}
	w.clock.Add(31 * time.Minute)
	w.mustRefresh()
	w.update(w.oktaCredential())
	w.connect()
	if g := w.grant(); g.Generation != 3 || len(g.Previous) != 0 {
		t.Errorf("generation %d, %d bytes of a previous set", g.Generation, len(g.Previous))
	}
}

func TestFailedProbeBringsTheOldGrantBack(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	w.connect()
	w.update(w.oktaCredential())
	u := strings.Replace(w.authURL(), "okta.logs.read%20", "", 1)
	w.inject(simulator.Fault{Path: "/api", Kind: simulator.Status500})
	a, err := w.callback(w.consent(u))
	if err != nil || a.Status != fabric.PendingConnect {
		t.Fatal(a.Status, err)
	}
	// Undecided for so long that the new tokens are refreshed meanwhile.
	w.clock.Add(31 * time.Minute)
	w.mustRefresh()
	w.mend()
	w.mustRefresh()
	if a := w.now(); a.Status != fabric.ConnectionValidationFailed || !strings.Contains(a.Reason, "E0000006") {
		t.Fatalf("%s, %q", a.Status, a.Reason)
	}
	if err := w.poll(); err != nil {
		t.Fatalf("the grant before: %v", err)
	}
	w.mustRefresh()
	if err := w.poll(); err != nil {
		t.Fatalf("the grant before, refreshed: %v", err)
	}
	if n := w.sentTwice(); n != 0 {
		t.Errorf("%d tokens were sent twice", n)
	}
}

func TestProbeOfOursTakesNothingAway(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	w.connect()
	// As control does for an update of the display name alone.
	a := w.now()
	a.Status = fabric.PendingConnect
	if err := w.store.UpdateAppAuthorization(t.Context(), w.caller(), a, a.Generation, nil); err != nil {
		t.Fatal(err)
	}
	w.sim.Okta().ExpireAccessTokens()
	got, err := w.m.Connect(t.Context(), a, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != fabric.PendingConnect || !strings.Contains(got.Reason, "E0000011") {
		t.Fatalf("%s, %q; want PendingConnect and why", got.Status, got.Reason)
	}
	w.clock.Add(31 * time.Minute)
	w.mustRefresh() // refreshes,
	w.mustRefresh() // and tries again
	w.want(w.now(), fabric.Connected, "")
}
