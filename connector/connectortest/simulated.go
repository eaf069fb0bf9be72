package connectortest

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/simulator"
)

// Provider is what the simulated applications have in common.
type Provider interface {
	EmitTo(stream string, n int, late time.Duration) ([]string, error)
	Repeat(ids ...string) error
	All() map[string][]byte
	Shown() map[string][]byte
	Revoke()
}

// Simulated is the harness of one feed of a simulated application: faults are for
// calls whose path begins with path, and events are those of the stream, by the
// simulator's name for it; empty: of the only one. The application's own client, or
// its key, is what calls are signed with.
func Simulated(t *testing.T, server *simulator.Server, app connector.App, p Provider, path, stream string) Harness {
	t.Helper()
	account, err := server.Account(app.Name)
	if err != nil {
		t.Fatal(err)
	}
	return Harness{
		Handler: server,
		Sign:    signed(t, server, app, account.APIKey),
		Emit: func(n int, late time.Duration) error {
			if stream == "" {
				_, err := server.Emit(app.Name, n, late)
				return err
			}
			_, err := p.EmitTo(stream, n, late)
			return err
		},
		Repeat: p.Repeat, All: p.All, Shown: p.Shown, Revoke: p.Revoke,
		Inject: func(f Fault) error {
			return server.Inject(app.Name, simulator.Fault{Path: path, Kind: simulator.Kind(f), Times: 1})
		},
		User: account.User,
	}
}

// signed puts a token on calls. Empty: one that is obtained with SignIn.
func signed(t *testing.T, server *simulator.Server, app connector.App, token string) func(*http.Request) {
	t.Helper()
	if token == "" {
		token = SignIn(t, server, app)
	}
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// Served answers calls from a simulated application, with a token on each. Empty:
// one that is obtained with SignIn.
func Served(t *testing.T, server *simulator.Server, app connector.App, token string) http.HandlerFunc {
	t.Helper()
	host, err := server.Host(app.Name)
	if err != nil {
		t.Fatal(err)
	}
	sign := signed(t, server, app, token)
	return func(w http.ResponseWriter, r *http.Request) {
		sign(r)
		r.Host = host
		server.ServeHTTP(w, r)
	}
}

// Answering answers every call alike.
func Answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// Open opens a session whose provider is a handler, and tells what that was asked.
func Open(app connector.App, env connector.Env, h http.HandlerFunc) (connector.Session, *[]string) {
	asked := new([]string)
	env.HTTP = &http.Client{Transport: InProcess{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.RequestURI())
		h(w, r)
	})}}
	return app.Open(env), asked
}
