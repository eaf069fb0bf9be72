package asana_test

import (
	"testing"
	"time"

	"selvedge/connector/asana"
	"selvedge/connector/connectortest"
	"selvedge/simulator"
)

const workspace = "1201234567890123"

func TestSuite(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		App: asana.App(), Stream: "audit_log_events", Tenant: workspace, List: "data", NextInBody: true, Blind: true, Start: start,
	})
}

func start(t *testing.T, now func() time.Time) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, Asana: simulator.AsanaOptions{
		Users:     []simulator.User{{ID: "1", Login: "ada@example.com", First: "Ada", Last: "Okafor"}},
		PerMinute: -1, // the suite's clock stands still
	}})
	return connectortest.Simulated(t, server, asana.App(), server.Asana(), "/api/1.0/workspaces/", "")
}
