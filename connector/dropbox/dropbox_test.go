package dropbox_test

import (
	"net/http"
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/dropbox"
	"selvedge/simulator"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		App: dropbox.App(), Stream: "team_events", Tenant: "Müller & Søn", List: "events", NextInBody: true, Unkeyed: true,
		NotTenants: []string{""}, Start: start,
	})
}

func start(t *testing.T, now func() time.Time) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, Dropbox: simulator.DropboxOptions{AccessLife: 1000 * time.Hour}})
	team := server.Dropbox()
	token := connectortest.SignIn(t, server, dropbox.App())
	return connectortest.Harness{
		Handler: server,
		Sign:    func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) },
		Emit:    func(n int, late time.Duration) error { _, err := team.Emit(n, late); return err },
		Repeat:  team.Repeat,
		All:     team.All,
		Shown:   team.Shown,
		Inject: func(f connectortest.Fault) error {
			return server.Inject("DROPBOX", simulator.Fault{Path: "/2/team_log/", Kind: simulator.Kind(f), Times: 1})
		},
		Revoke: team.Revoke,
		User:   "zoe.mueller@example.com",
	}
}
