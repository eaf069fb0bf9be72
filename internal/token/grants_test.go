package token_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/outbound"
	"selvedge/internal/store"
	"selvedge/internal/token"
)

// plainApp is an application of the given sign-in, whose session makes a call.
func plainApp(auth connector.Auth, call string) connector.App {
	auth.Tenant = connector.Tenant{Forms: []connector.TenantForm{{Pattern: `(?P<name>[a-z]+)`}}, Example: "acme"}
	auth.Origin, auth.Signing = "https://{name}.plain.example", "bearer"
	return connector.App{
		Name: "PLAIN", Auth: auth,
		Open: func(env connector.Env) connector.Session { return caller{env, call} },
	}
}

// caller is a session that knows one address.
type caller struct {
	env     connector.Env
	address string
}

func (c caller) Connect(ctx context.Context) (map[string]string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.env.HTTP.Do(req)
	if err != nil {
		return nil, &connector.Error{Op: "plain: call", Err: err}
	}
	if err := resp.Body.Close(); err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &connector.Error{Kind: connector.Unauthorized, Op: "plain: call", Status: resp.StatusCode}
	}
	return nil, nil
}

func (c caller) Poll(ctx context.Context, _ string, _ connector.Cursor) (connector.Page, error) {
	_, err := c.Connect(ctx)
	return connector.Page{Done: true}, err
}

const plainLog = "https://acme.plain.example/log"

// plainWorld has an authorization of such an application.
func plainWorld(t *testing.T, app connector.App, h http.Handler, origins ...string) *world {
	t.Helper()
	w := bare(t, app)
	w.serve(h, append(origins, "https://acme.plain.example")...)
	w.authorize("PLAIN", "acme", fabric.Credential{ClientID: "client", ClientSecret: "canary secret"})
	return w
}

func (w *world) mint() fabric.AppAuthorization {
	w.t.Helper()
	a, err := w.m.Connect(w.t.Context(), w.now(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func clientGrant() connector.Auth {
	return connector.Auth{
		Grant: connector.ClientCredentials, TokenURL: "https://{name}.plain.example/token", Scopes: []string{"read", "list"},
		TokenParams: map[string]string{"audience": "https://{name}.plain.example/"}, Lifetime: time.Hour,
	}
}

func accountGrant() connector.Auth {
	return connector.Auth{
		Grant:    connector.AccountCredentials,
		TokenURL: "https://{name}.plain.example/token?grant_type=account_credentials&account_id={name}", Lifetime: time.Hour,
	}
}

// What a client is granted alone: asked for as the application says, anew at half
// of the token's life, with nothing that a person would have to do.
func TestMint(t *testing.T) {
	t.Parallel()
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("client:canary+secret"))
	tests := map[string]struct {
		auth  connector.Auth
		form  url.Values
		query string
	}{
		"client credentials": {
			clientGrant(), url.Values{"grant_type": {"client_credentials"}, "scope": {"read list"}, "audience": {"https://acme.plain.example/"}}, "",
		},
		"account credentials": {accountGrant(), url.Values{}, "grant_type=account_credentials&account_id=acme"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ok := says(200, `{"access_token":"A","refresh_token":"never used","expires_in":3600,"scope":"read list"}`)
			s := &scripted{answers: []func(http.ResponseWriter, url.Values){ok, ok, ok}}
			w := plainWorld(t, plainApp(test.auth, plainLog), s)
			if raw := w.authURL(); raw != "" {
				t.Errorf("authUrl %q, and nobody has to consent", raw)
			}
			// An SDK's user may send a code; there is nothing to do with it.
			w.want(w.code("ignored"), fabric.Connected, "")
			for range 2 {
				g := w.grant()
				if want := w.clock.Now().Add(30 * time.Minute); !g.Due.Equal(want) || g.Intent.Kind != store.NoIntent {
					t.Errorf("due %s with the intent %q, want %s", g.Due, g.Intent.Kind, want)
				}
				w.clock.Add(30 * time.Minute)
				w.restart()
				w.mustRefresh()
			}
			w.want(w.now(), fabric.Connected, "")
			for i := range 3 {
				if s.forms[i].Encode() != test.form.Encode() || s.auth[i] != basic || s.queries[i] != test.query {
					t.Errorf("request %d: %s ? %s with %s", i, s.queries[i], s.forms[i].Encode(), s.auth[i])
				}
			}
			if facts := w.grant().Facts; facts["scope"] != "read list" {
				t.Errorf("facts %v", facts)
			}
			events, err := w.store.Lineage(t.Context(), w.a.ID, 10)
			if err != nil {
				t.Fatal(err)
			}
			var told []string
			for _, e := range events {
				told = append(told, strings.TrimSpace(string(e.Kind)+" "+e.Replica+" "+e.Detail))
			}
			want := []string{"refreshed replica-1", "refreshed replica-1", "exchanged replica-1 by the client's credential"}
			if d := cmp.Diff(want, told); d != "" {
				t.Error(d)
			}
		})
	}
}

// A credential that the provider no longer takes: what is left of the access
// token is used, and nothing is asked again before somebody connects.
func TestMintRefused(t *testing.T) {
	t.Parallel()
	refusal := says(401, `{"error":"invalid_client","reason":"Invalid client_id or client_secret"}`)
	ok := says(200, `{"access_token":"A","expires_in":3600}`)
	const reason = "invalid_client: Invalid client_id or client_secret"
	s := &scripted{answers: []func(http.ResponseWriter, url.Values){refusal, ok, refusal, ok}}
	w := plainWorld(t, plainApp(clientGrant(), plainLog), s)
	w.want(w.mint(), fabric.ConnectionValidationFailed, reason)
	w.want(w.mint(), fabric.Connected, "")
	w.clock.Add(30 * time.Minute)
	w.mustRefresh()
	w.want(w.now(), fabric.TokenAutoRotationFailed, reason)
	w.mustRefresh()
	if err := w.poll(); err != nil {
		t.Errorf("what is left of the access token: %v", err)
	}
	w.clock.Add(30 * time.Minute)
	w.mustRefresh()
	if err := w.poll(); !errors.Is(err, token.ErrNoGrant) {
		t.Errorf("after the access token's end: %v", err)
	}
	if len(s.forms) != 3 {
		t.Errorf("%d requests: a credential that was refused was sent again", len(s.forms))
	}
	w.want(w.now(), fabric.TokenAutoRotationFailed, reason)
	w.want(w.mint(), fabric.Connected, "")
}

// A request that uses nothing up is repeated freely: whatever becomes of it, no
// answer is ever lost.
func TestMintIsFree(t *testing.T) {
	t.Parallel()
	cut := func(http.ResponseWriter, url.Values) { panic(http.ErrAbortHandler) }
	page := says(200, `<html>`)
	gateway := says(403, `<html>`)
	ok := says(200, `{"access_token":"A","expires_in":3600}`)
	refusal := says(400, `{"error":"invalid_client"}`)
	s := &scripted{answers: []func(http.ResponseWriter, url.Values){
		cut, page, gateway, ok, // connecting
		cut, page, gateway, cut, refusal, // at half of life
	}}
	w := plainWorld(t, plainApp(clientGrant(), plainLog), s)
	w.want(w.mint(), fabric.PendingConnect, "the token endpoint did not answer")
	for range 2 {
		if _, again := errors.AsType[*job.Retry](w.refresh()); !again {
			t.Fatal("a mint without an answer is not tried again")
		}
		w.clock.Add(time.Hour) // longer than a code would live
		w.restart()
	}
	w.mustRefresh()
	w.want(w.now(), fabric.Connected, "")
	for range 4 {
		w.clock.Add(8 * time.Minute)
		if _, again := errors.AsType[*job.Retry](w.refresh()); !again {
			t.Fatal("a mint without an answer is not tried again")
		}
		w.want(w.now(), fabric.Connected, "")
	}
	w.mustRefresh()
	w.want(w.now(), fabric.TokenAutoRotationFailed, "invalid_client")
	if kinds := w.lineage(); slices.Contains(kinds, store.EventLost) {
		t.Errorf("lineage %v", kinds)
	}
}

// A process that is killed in the middle of a mint costs nothing.
func TestKilledInAMint(t *testing.T) {
	t.Parallel()
	for _, step := range custodySteps() {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			ok := says(200, `{"access_token":"A","expires_in":3600}`)
			s := &scripted{answers: slices.Repeat([]func(http.ResponseWriter, url.Values){ok}, 4)}
			w := plainWorld(t, plainApp(accountGrant(), plainLog), s)
			w.killAt(step)
			if _, err := w.m.Connect(t.Context(), w.a, nil); err == nil {
				t.Fatal("the process was not killed")
			}
			w.revive()
			if g := w.grant(); g.Due.IsZero() || g.Due.After(w.clock.Now()) {
				t.Fatalf("what is left is due %s: nobody finds it", g.Due)
			}
			w.mustRefresh()
			w.want(w.now(), fabric.Connected, "")
			w.clock.Add(30 * time.Minute)
			w.killAt(step)
			if err := w.refresh(); err == nil {
				t.Fatal("the process was not killed")
			}
			w.revive()
			w.mustRefresh()
			w.want(w.now(), fabric.Connected, "")
			if err := w.poll(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Somebody who updates the credential while an old request is under way gets a
// token of the new one.
func TestMintOfNewCredentials(t *testing.T) {
	t.Parallel()
	ok := says(200, `{"access_token":"A","expires_in":3600}`)
	s := &scripted{answers: []func(http.ResponseWriter, url.Values){says(503, ``), ok, says(400, `{"error":"invalid_client"}`)}}
	w := plainWorld(t, plainApp(clientGrant(), plainLog), s)
	w.want(w.mint(), fabric.PendingConnect, "the token endpoint answered HTTP 503 without saying why")
	w.update(fabric.Credential{ClientID: "second", ClientSecret: "other canary"})
	w.want(w.mint(), fabric.Connected, "")
	if want := "Basic " + base64.StdEncoding.EncodeToString([]byte("second:other+canary")); s.auth[1] != want {
		t.Errorf("the second request was sent as %s", s.auth[1])
	}
	// New ones that are wrong leave the grant that works in use.
	w.update(fabric.Credential{ClientID: "third", ClientSecret: "canary"})
	w.want(w.mint(), fabric.ConnectionValidationFailed, "invalid_client")
	if err := w.poll(); err != nil {
		t.Errorf("with the grant before: %v", err)
	}
}

// A refresh token that does not rotate is sent as often as need be.
func TestLostAnswerWithoutRotation(t *testing.T) {
	t.Parallel()
	auth := connector.Auth{
		Grant: connector.AuthorizationCode, AuthorizeURL: "https://acme.plain.example/authorize", TokenURL: "https://acme.plain.example/token",
	}
	cut := func(http.ResponseWriter, url.Values) { panic(http.ErrAbortHandler) }
	s := &scripted{answers: []func(http.ResponseWriter, url.Values){
		says(200, `{"access_token":"A1","refresh_token":"R1","expires_in":3600}`), cut, says(200, `<html>`), says(403, `{"error":"Forbidden"}`),
		says(200, `{"access_token":"A2","expires_in":3600}`), cut, says(400, `{"error":"invalid_grant"}`),
	}}
	w := plainWorld(t, plainApp(auth, plainLog), s)
	w.want(w.code("C"), fabric.Connected, "")
	for range 3 {
		w.clock.Add(10 * time.Minute)
		if w.refresh() == nil {
			t.Fatal("a refresh without an answer")
		}
	}
	w.mustRefresh()
	w.want(w.now(), fabric.Connected, "")
	if w.refresh() == nil {
		t.Fatal("a refresh without an answer")
	}
	w.mustRefresh()
	w.want(w.now(), fabric.TokenAutoRotationFailed, "invalid_grant") // nothing was lost
}

// A provider that tells what it granted and granted less is not connected.
func TestScopesTold(t *testing.T) {
	t.Parallel()
	auth := connector.Auth{
		Grant: connector.AuthorizationCode, AuthorizeURL: "https://acme.plain.example/authorize", TokenURL: "https://acme.plain.example/token",
		Scopes: []string{"audit.read", "users.read", "offline_access"}, ScopesTold: true, Rotating: true,
	}
	app := plainApp(auth, plainLog)
	app.Streams = []connector.Stream{{Name: "log"}, {Name: "sign_ins", Scopes: []string{"signins.read", "users.read"}}}
	s := &scripted{answers: []func(http.ResponseWriter, url.Values){
		says(200, `{"access_token":"A1","refresh_token":"R1","expires_in":3600,"scope":"users.read"}`),
		says(200, `{"access_token":"A2","refresh_token":"R2","expires_in":3600,"scope":"users.read audit.read"}`),
		says(200, `{"access_token":"A3","refresh_token":"R3","expires_in":3600}`),
		says(200, `{"access_token":"A4","refresh_token":"R4","expires_in":3600,"scope":"audit.read users.read signins.read"}`),
		says(200, `{"access_token":"A5","refresh_token":"R5","expires_in":3600,"scope":"audit.read"}`),
	}}
	w := plainWorld(t, app, s)
	if raw := w.authURL(); !strings.Contains(raw, "&scope=audit.read%20users.read%20offline_access&") {
		t.Errorf("asked for: %s", raw)
	}
	w.want(w.code("C1"), fabric.ConnectionValidationFailed,
		"the grant lacks the scope audit.read: connect again when the client has what it lacks")
	if err := w.poll(); !errors.Is(err, token.ErrNoGrant) {
		t.Errorf("a session with too small a grant: %v", err)
	}
	w.want(w.code("C2"), fabric.Connected, "")
	lacks := func() []string {
		t.Helper()
		_, g, err := w.m.Session(t.Context(), w.now())
		if err != nil {
			t.Fatal(err)
		}
		return g.Missing(app.Streams[1].Scopes)
	}
	if d := cmp.Diff([]string{"signins.read"}, lacks()); d != "" {
		t.Error(d)
	}
	w.mustRefresh() // an answer that does not say leaves what is known
	if d := cmp.Diff([]string{"signins.read"}, lacks()); d != "" {
		t.Error(d)
	}
	w.mustRefresh()
	if got := lacks(); got != nil {
		t.Errorf("lacks %v", got)
	}
	// What a connection shows less of later is no word against it.
	w.mustRefresh()
	w.want(w.now(), fabric.Connected, "")
	if d := cmp.Diff([]string{"signins.read", "users.read"}, lacks()); d != "" {
		t.Error(d)
	}
}

// A session may call the further origins of its application, with the token, and
// no other.
func TestSessionOfSeveralOrigins(t *testing.T) {
	t.Parallel()
	for address, allowed := range map[string]bool{
		plainLog:                            true,
		"https://eu.more.example/log":       true,
		"https://acme.archive.example/log":  true,
		"https://more.example/log":          false,
		"https://eu.more.example.evil/log":  false,
		"https://other.archive.example/log": false,
		"https://other.plain.example/log":   false,
	} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			auth := clientGrant()
			auth.Origins = []string{"https://*.more.example", "https://{name}.archive.example"}
			var seen []string
			h := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					says(200, `{"access_token":"A","expires_in":3600}`)(rw, nil)
					return
				}
				seen = append(seen, r.Header.Get("Authorization"))
			})
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			var led []string // away to the test's server, so that nothing but the guard is in the way
			if address != plainLog {
				led = append(led, "https://"+u.Host)
			}
			w := plainWorld(t, plainApp(auth, address), h, led...)
			a := w.mint()
			if allowed {
				w.want(a, fabric.Connected, "")
				if d := cmp.Diff([]string{"Bearer A"}, seen); d != "" {
					t.Error(d)
				}
				return
			}
			w.want(a, fabric.PendingConnect, "the application did not answer")
			if err := w.poll(); !errors.Is(err, outbound.ErrForeignHost) || len(seen) != 0 {
				t.Errorf("%v after %d calls, want ErrForeignHost", err, len(seen))
			}
		})
	}
}
