package cisco_test

import (
	"testing"
	"time"

	"selvedge/connector/cisco"
	"selvedge/connector/connectortest"
	"selvedge/simulator"
)

const (
	tenant = "6b0e2c94-31f7-4d58-9c1e-5a7d8f204b36" // the simulated one
	orgID  = "Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi82YjBlMmM5NC0zMWY3LTRkNTgtOWMxZS01YTdkOGYyMDRiMzY"
	scopes = "spark-compliance:events_read audit:events_read spark-admin:people_read"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	for _, stream := range cisco.App().Streams {
		t.Run(stream.Name, func(t *testing.T) {
			t.Parallel()
			connectortest.Run(t, connectortest.Case{
				App: cisco.App(), Stream: stream.Name, Tenant: tenant, List: "items", Facts: map[string]string{"org_id": orgID},
				Numbered: stream.Name == "admin_audit", // its pages are an offset
				Start:    func(t *testing.T, now func() time.Time) connectortest.Harness { return start(t, now, stream.Name) },
			})
		})
	}
}

func start(t *testing.T, now func() time.Time, stream string) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, Cisco: simulator.CiscoOptions{AccessLife: 1000 * time.Hour, PerMinute: -1}})
	return connectortest.Simulated(t, server, cisco.App(), server.Cisco(), "/v1/", stream)
}
