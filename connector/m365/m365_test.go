package m365_test

import (
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/m365"
	"selvedge/simulator"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	for _, stream := range m365.App().Streams {
		t.Run(stream.Name, func(t *testing.T) {
			t.Parallel()
			connectortest.Run(t, connectortest.Case{
				App: m365.App(), Stream: stream.Name, Tenant: tenant, List: "value", NextInBody: true,
				Start: func(t *testing.T, now func() time.Time) connectortest.Harness { return start(t, now, stream.Name) },
			})
		})
	}
}

// tenant is the simulated one, in the other spelling.
const tenant = "9F1C3B7E-52D4-4C1A-8A0B-6D2E4F70A915"

func start(t *testing.T, now func() time.Time, stream string) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, M365: simulator.M365Options{
		AccessLife: 1000 * time.Hour, PerTenSeconds: -1, // the suite's clock stands still
	}})
	return connectortest.Simulated(t, server, m365.App(), server.M365(), "/v1.0/auditLogs/", stream)
}
