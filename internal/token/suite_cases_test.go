package token_test

import (
	"errors"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/token"
	"selvedge/simulator"
)

func (s *suite) caseConnect() {
	s.begin(0)
	if (s.authURL() != "") != s.account.Consent {
		s.t.Errorf("authUrl %q", s.authURL())
	}
	s.connect()
	s.mustPoll()
	if d := cmp.Diff([]store.EventKind{store.EventExchanged}, s.lineage()); d != "" {
		s.t.Error(d)
	}
	s.restart()
	s.clock.Add(5 * time.Second) // the least that each application's pace asks for
	s.mustPoll()
	s.clock.Add(5 * time.Second)
	a, err := s.m.Connect(s.t.Context(), s.now(), nil) // once more
	if err != nil {
		s.t.Fatal(err)
	}
	s.want(a, fabric.Connected, "")
}

func (s *suite) caseThreeRefreshes() {
	s.connected()
	for i := range 3 {
		before := s.grant()
		s.toDue()
		claims := s.claimDue("replica-1")
		if len(claims) != 1 {
			s.t.Fatalf("refresh %d: %d due", i, len(claims))
		}
		if err := s.m.Refresh(s.t.Context(), claims[0]); err != nil {
			s.t.Fatal(err)
		}
		if g := s.grant(); g.Version != before.Version+1 || g.Intent.Kind != store.NoIntent {
			s.t.Fatalf("refresh %d: version %d after %d, intent %q", i, g.Version, before.Version, g.Intent.Kind)
		}
		s.mustPoll()
		if i == 1 {
			s.restart()
		}
	}
	s.want(s.now(), fabric.Connected, "")
	s.checkOrder()
	want := []store.EventKind{store.EventRefreshed, store.EventRefreshed, store.EventRefreshed, store.EventExchanged}
	if d := cmp.Diff(want, s.lineage()); d != "" {
		s.t.Error(d)
	}
	if n := s.gate.count(); n != 4 {
		s.t.Errorf("%d requests for tokens, want 4", n)
	}
}

func (s *suite) caseRefused() {
	s.connected()
	s.toDue()
	if s.account.Consent {
		s.injectAtTokens(simulator.Fault{Kind: simulator.InvalidGrant})
	} else {
		s.gate.spoil()
	}
	s.mustRefresh()
	s.checkWords(s.now(), fabric.TokenAutoRotationFailed, "")
	s.mustPoll() // with what is left of the access token
	s.mendAll()
	sent := s.gate.count()
	if err := s.m.Expedite(s.t.Context(), s.a.ID); err != nil {
		s.t.Fatal(err)
	}
	s.mustRefresh()
	if s.gate.count() != sent || s.now().Status != fabric.TokenAutoRotationFailed {
		s.t.Errorf("%s after %d more requests", s.now().Status, s.gate.count()-sent)
	}
	if ends := s.grant().ExpiresAt; !ends.IsZero() {
		s.clock.Add(ends.Sub(s.clockHere()))
		if err := s.poll(); !errors.Is(err, token.ErrNoGrant) {
			s.t.Errorf("after the access token's end: %v", err)
		}
	}
	s.connect()
	s.mustPoll()
}

func (s *suite) caseRevoked() {
	s.connected()
	if err := s.sim.Revoke(s.app.Name); err != nil {
		s.t.Fatal(err)
	}
	if err := s.poll(); connector.KindOf(err) != connector.Unauthorized {
		s.t.Fatalf("poll: %v, want Unauthorized", err)
	}
	s.want(s.now(), fabric.Connected, "") // a 401 is no disconnection
	if err := s.m.Expedite(s.t.Context(), s.a.ID); err != nil {
		s.t.Fatal(err)
	}
	s.mustRefresh()
	if !s.account.Consent && s.now().Status == fabric.Connected {
		s.mustPoll() // the client is good still, and another token came
		return
	}
	s.checkWords(s.now(), fabric.TokenAutoRotationFailed, "")
}

func (s *suite) caseKeyWithdrawn() {
	s.connected()
	if err := s.sim.Revoke(s.app.Name); err != nil {
		s.t.Fatal(err)
	}
	err := s.poll()
	if connector.KindOf(err) != connector.Unauthorized {
		s.t.Fatalf("poll: %v, want Unauthorized", err)
	}
	if err := s.m.Rejected(s.t.Context(), s.now(), err.Error()); err != nil {
		s.t.Fatal(err)
	}
	if a := s.now(); a.Status != fabric.ConnectionValidationFailed || a.Reason == "" {
		s.t.Errorf("%s, %q", a.Status, a.Reason)
	}
	if s.account, err = s.sim.Account(s.app.Name); err != nil {
		s.t.Fatal(err)
	}
	s.update(s.credential())
	s.connect()
	s.mustPoll()
}

func (s *suite) caseExpired() {
	s.connected()
	if err := s.sim.ExpireAccessTokens(s.app.Name); err != nil {
		s.t.Fatal(err)
	}
	if err := s.poll(); connector.KindOf(err) != connector.Unauthorized {
		s.t.Fatalf("poll: %v, want Unauthorized", err)
	}
	if err := s.m.Expedite(s.t.Context(), s.a.ID); err != nil {
		s.t.Fatal(err)
	}
	sent := s.gate.count()
	claims := s.claimDue("replica-1")
	if len(claims) != 1 {
		s.t.Fatalf("%d due", len(claims))
	}
	if err := s.m.Refresh(s.t.Context(), claims[0]); err != nil {
		s.t.Fatal(err)
	}
	if n := s.gate.count() - sent; n != 1 {
		s.t.Errorf("%d requests for tokens, want one", n)
	}
	s.mustPoll()
	s.want(s.now(), fabric.Connected, "")
}

func (s *suite) caseRateLimit() {
	s.begin(0)
	s.injectAtTokens(simulator.Fault{Kind: simulator.Status429, Times: 1})
	a, err := s.tryConnect()
	if err != nil {
		s.t.Fatal(err)
	}
	if a.Status != fabric.PendingConnect || a.Reason == "" {
		s.t.Fatalf("%s, %q", a.Status, a.Reason)
	}
	s.mustRefresh() // the duty goes on
	s.want(s.now(), fabric.Connected, "")
	s.injectAtTokens(simulator.Fault{Kind: simulator.Status429, Delay: time.Minute})
	s.toDue()
	for range 2 {
		retry := s.retries("429")
		// Google's refusal does not say for how long.
		if told := s.app.Name != "GOOGLE"; told && (retry.After < 59*time.Second || retry.After > 61*time.Second) {
			s.t.Errorf("put off by %s, want the minute that was asked for", retry.After)
		}
		if err := s.m.Expedite(s.t.Context(), s.a.ID); err != nil {
			s.t.Fatal(err)
		}
		if n := len(s.claimDue("replica-2")); n != 0 {
			s.t.Error("a 401 of a poll has overridden the wait")
		}
		s.clock.Add(time.Minute)
	}
	s.mendAll()
	s.mustRefresh()
	s.mustPoll()
	s.want(s.now(), fabric.Connected, "")
}

func (s *suite) caseBadAnswers() {
	s.connected()
	s.toDue()
	for _, bad := range []struct {
		status     int
		kind, body string
	}{
		{200, "text/html", "<html><body>Sign in</body></html>"},
		{200, "application/json", `{"access_token":"cut`},
		{200, "application/json", `[]`},
		{200, "application/json", ``},
		{200, "application/json", `{"access_token":"` + strings.Repeat("a", 2<<20) + `"}`},
		{200, "application/octet-stream", "\x00\xff\xfe"},
		{403, "text/html", "<html>blocked</html>"},
		{502, "text/html", "<html>bad gateway</html>"},
	} {
		s.gate.answer(bad.status, bad.kind, bad.body)
		s.retries(bad.kind)
	}
	s.mendAll()
	s.mustRefresh()
	s.mustPoll()
	s.want(s.now(), fabric.Connected, "")
	s.checkOrder()
}

// caseClock has lifetimes counted from this server's own clock: one that is wrong
// neither uses a token beyond its end nor gives it up early.
func (s *suite) caseClock(skew time.Duration) {
	s.begin(skew)
	s.connect()
	s.mustPoll()
	if ends := s.grant().ExpiresAt; !ends.IsZero() {
		s.clock.Add(ends.Sub(s.clockHere()) - time.Second)
		s.mustPoll()
		s.clock.Add(time.Second)
		err := s.poll()
		if connector.KindOf(err) != connector.Unauthorized || !strings.Contains(err.Error(), "the access token has ended") {
			s.t.Errorf("at the token's end: %v", err)
		}
		s.mustRefresh()
	}
	s.mustPoll()
	s.want(s.now(), fabric.Connected, "")
}

func (s *suite) caseLostAnswer() {
	s.connected()
	s.toDue()
	s.injectAtTokens(simulator.Fault{Kind: simulator.DropAnswer, Times: 1})
	s.retries("lost answer")
	sent := s.gate.count()
	s.mustRefresh()
	if n := s.gate.count() - sent; n != 1 {
		s.t.Errorf("the token was sent %d more times, want once", n)
	}
	// The simulated Webex takes a token again: whether it rotates is unverified.
	if a := s.now(); s.app.Auth.Rotating && s.app.Name != "CISCO" {
		s.checkWords(a, fabric.TokenAutoRotationFailed, "answer lost: ")
		s.connect()
	}
	s.want(s.now(), fabric.Connected, "")
	s.mustPoll()
}

func (s *suite) caseLostSignIn() {
	s.begin(0)
	s.injectAtTokens(simulator.Fault{Kind: simulator.DropAnswer, Times: 1})
	a, err := s.tryConnect()
	if err != nil {
		s.t.Fatal(err)
	}
	s.want(a, fabric.PendingConnect, "the token endpoint did not answer")
	s.mustRefresh()
	if a := s.now(); s.account.Consent && a.Status != fabric.Connected {
		s.checkWords(a, fabric.ConnectionValidationFailed, "answer lost: ")
		s.connect()
	}
	s.want(s.now(), fabric.Connected, "")
	s.mustPoll()
}

// caseTwoProcesses has a second replica come while the first one's request is
// under way: it finds nothing to do, and sends nothing.
func (s *suite) caseTwoProcesses() {
	s.connected()
	other := s.second()
	s.toDue()
	sent := s.gate.count()
	came, letGo := s.hold()
	claims := s.claimDue("replica-1")
	if len(claims) != 1 {
		s.t.Fatalf("%d due", len(claims))
	}
	ended := make(chan error, 1)
	go func() { ended <- s.m.Refresh(s.t.Context(), claims[0]) }()
	<-came
	if n := len(s.claimDue("replica-2")); n != 0 {
		s.t.Errorf("%d due while the first replica is at it", n)
	}
	a, err := other.Connect(s.t.Context(), s.now(), nil)
	if err != nil || a.Status != fabric.Connected {
		s.t.Errorf("Connect meanwhile: %s, %v", a.Status, err)
	}
	letGo()
	if err := <-ended; err != nil {
		s.t.Fatal(err)
	}
	s.gate.do(nil)
	if n := s.gate.count() - sent; n != 1 {
		s.t.Errorf("%d requests for tokens, want one", n)
	}
	session, _, err := other.Session(s.t.Context(), s.now())
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := session.Connect(s.t.Context()); err != nil {
		s.t.Errorf("the other replica with the new token: %v", err)
	}
}

func (s *suite) caseFewerScopes() {
	s.begin(0)
	s.gate.narrow(s.app.Auth)
	a, err := s.tryConnect()
	if err != nil {
		s.t.Fatal(err)
	}
	lacks := token.Grant{Facts: map[string]string{"scope": s.app.Auth.Scopes[0]}}.Missing(s.app.Auth.Scopes)
	s.want(a, fabric.ConnectionValidationFailed, "the grant lacks "+token.ScopeNames(lacks)+": connect again when the client has what it lacks")
	s.mendAll()
	s.connect()
	s.mustPoll()
}

func (s *suite) caseWrongCredential() {
	if withKeyOnly(s.app) {
		good := s.account.APIKey
		s.account.APIKey = "another key"
		s.begin(0)
		a, err := s.tryConnect()
		if err != nil || a.Status != fabric.ConnectionValidationFailed || a.Reason == "" {
			s.t.Fatalf("%s, %q, %v", a.Status, a.Reason, err)
		}
		s.account.APIKey = good
		s.update(s.credential())
	} else {
		s.begin(0)
		s.gate.spoil()
		a, err := s.tryConnect()
		if err != nil {
			s.t.Fatal(err)
		}
		s.checkWords(a, fabric.ConnectionValidationFailed, "")
		s.mendAll()
	}
	if err := s.poll(); !errors.Is(err, token.ErrNoGrant) {
		s.t.Errorf("a session of a refused credential: %v", err)
	}
	s.connect()
	s.mustPoll()
}

// caseWrongTenant has somebody consent for another tenant than was authorized.
func (s *suite) caseWrongTenant() {
	name := []byte(s.account.Tenant)
	last := len(name) - 1
	other := map[bool]byte{true: '2', false: '1'}[name[last] == '1']
	if name[last] < '0' || name[last] > '9' {
		other = map[bool]byte{true: 'b', false: 'a'}[name[last] == 'a']
	}
	name[last] = other
	s.account.Tenant = string(name)
	s.begin(0)
	a, err := s.tryConnect()
	if err != nil {
		return // the provider's sign-in does not know such a tenant
	}
	if a.Status != fabric.ConnectionValidationFailed || a.Reason == "" {
		s.t.Errorf("%s, %q", a.Status, a.Reason)
	}
	if err := s.poll(); !errors.Is(err, token.ErrNoGrant) {
		s.t.Errorf("a session with another tenant's grant: %v", err)
	}
}

func (s *suite) caseWithoutRequest() {
	s.begin(0)
	_, err := s.m.Connect(s.t.Context(), s.now(), nil)
	fault, ok := errors.AsType[*fabric.Error](err)
	if !ok || fault.Kind != fabric.Validation || len(fault.Fields) != 1 || fault.Fields[0].Name != "authRequest" {
		s.t.Errorf("%v, want a validation error about authRequest", err)
	}
	s.connect()
}

func (s *suite) caseNeedlessRequest() {
	s.begin(0)
	a, err := s.m.Connect(s.t.Context(), s.now(), &token.AuthRequest{RedirectURI: publicURL, Code: "of nothing"})
	if err != nil {
		s.t.Fatal(err)
	}
	s.want(a, fabric.Connected, "")
	s.mustPoll()
}
