package zendesk_test

import (
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/zendesk"
	"selvedge/simulator"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		App: zendesk.App(), Stream: "audit_logs", Tenant: "demo", List: "audit_logs", NextInBody: true, Start: start,
	})
}

func start(t *testing.T, now func() time.Time) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, Zendesk: simulator.ZendeskOptions{
		Users:     []simulator.User{{ID: "1", Login: "ada@example.com", First: "Ada", Last: "Okafor", Admin: true}},
		PerMinute: -1, // the suite's clock stands still
	}})
	return connectortest.Simulated(t, server, zendesk.App(), server.Zendesk(), "/api/v2/audit_logs", "")
}
