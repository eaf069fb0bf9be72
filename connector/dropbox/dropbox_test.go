package dropbox_test

import (
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
	return connectortest.Simulated(t, server, dropbox.App(), server.Dropbox(), "/2/team_log/", "")
}
