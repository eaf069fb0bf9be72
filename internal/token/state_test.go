package token_test

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/token"
	"selvedge/simulator"
)

func TestAuthURL(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	first := w.authURL()
	u, err := url.Parse(first)
	if err != nil {
		t.Fatal(err)
	}
	if got := u.Scheme + "://" + u.Host; got != w.http.URL {
		t.Errorf("the address is at %s, want where --origins sends it: %s", got, w.http.URL)
	}
	q := u.Query()
	id, _ := w.sim.Okta().Client()
	for name, want := range map[string]string{
		"redirect_uri": publicURL + "/appfabric/oauth2", "client_id": id, "response_type": "code",
		"scope": "okta.logs.read okta.users.read offline_access", "code_challenge_method": "S256",
	} {
		if got := q.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if !strings.HasPrefix(u.RawQuery, "redirect_uri=") || strings.Contains(u.RawQuery, "+") {
		t.Errorf("query %q: redirect_uri must come first, and spaces be %%20", u.RawQuery)
	}
	before := w.grant()
	w.clock.Add(time.Hour)
	w.restart()
	second := w.authURL()
	cut := func(s string) string { return s[:strings.Index(s, "&state=")] }
	if cut(first) != cut(second) {
		t.Errorf("two readings differ before the state:\n%s\n%s", first, second)
	}
	if after := w.grant(); after.VerifierNo != before.VerifierNo || string(after.Verifier) != string(before.Verifier) {
		t.Error("reading the address has written something")
	}
	challenge := func() string {
		u, err := url.Parse(w.authURL())
		if err != nil {
			t.Fatal(err)
		}
		return u.Query().Get("code_challenge")
	}
	old := challenge()
	w.connect()
	connected := challenge()
	w.update(w.oktaCredential())
	if updated := challenge(); old == connected || connected == updated {
		t.Error("the challenge is not new after an exchange and after an update")
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	fresh := func() string {
		u, err := url.Parse(w.authURL())
		if err != nil {
			t.Fatal(err)
		}
		return u.Query().Get("state")
	}
	good := fresh()
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty": "", "nonsense": "nonsense", "padded": good + "=", "longer": good + "AAAA", "shorter": good[:len(good)-4],
		"other alphabet": strings.ReplaceAll(good, good[:1], "+"), "line end": good + "\n",
	} {
		if _, err := w.m.Callback(t.Context(), text, "code", "", ""); !errors.Is(err, token.ErrState) {
			t.Errorf("%s: %v, want ErrState", name, err)
		}
	}
	for i := range raw {
		tampered := append([]byte(nil), raw...)
		tampered[i] ^= 0x40
		a, err := w.m.Callback(t.Context(), base64.RawURLEncoding.EncodeToString(tampered), "code", "", "")
		if !errors.Is(err, token.ErrState) || a != (fabric.AppAuthorization{}) {
			t.Errorf("byte %d changed: %+v, %v; want ErrState and nothing told", i, a, err)
		}
	}
	refused := func(text string) error {
		_, err := w.m.Callback(t.Context(), text, "", "access_denied", "")
		return err
	}
	var refusal *token.Refusal
	w.clock.Add(24 * time.Hour)
	if err := refused(good); !errors.As(err, &refusal) {
		t.Errorf("after a day: %v, want it still taken", err)
	}
	w.clock.Add(2 * time.Second)
	if err := refused(good); !errors.Is(err, token.ErrStateExpired) {
		t.Errorf("after more than a day: %v", err)
	}
	good = fresh()
	w.update(w.oktaCredential())
	if err := refused(good); !errors.Is(err, token.ErrStateUsed) {
		t.Errorf("after an update: %v", err)
	}
	if _, err := w.m.Callback(t.Context(), fresh(), "", "", ""); !errors.As(err, &refusal) {
		t.Errorf("neither code nor error: %v", err)
	}
	if n := len(w.sim.Okta().TokenRequests()); n != 0 {
		t.Errorf("%d token requests", n)
	}
	good = fresh()
	w.connect()
	if err := refused(good); !errors.Is(err, token.ErrStateUsed) {
		t.Errorf("after a connection: %v", err)
	}
}

// A state is good for the account and Region of its authorization only, even
// where identifiers are the same.
func TestStateOfAnotherServer(t *testing.T) {
	t.Parallel()
	one, other := oktaWorld(t, simulator.OktaOptions{}), oktaWorld(t, simulator.OktaOptions{})
	u, err := url.Parse(one.authURL())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.m.Callback(t.Context(), u.Query().Get("state"), "c", "", ""); !errors.Is(err, token.ErrState) {
		t.Errorf("the state of another server: %v", err)
	}
}

func FuzzState(f *testing.F) {
	f.Add("")
	f.Add(strings.Repeat("A", 96))
	f.Add(strings.Repeat("_", 95))
	w := oktaWorld(f, simulator.OktaOptions{})
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := w.m.Callback(t.Context(), text, "code", "", ""); !errors.Is(err, token.ErrState) {
			t.Errorf("%q: %v", text, err)
		}
	})
}
