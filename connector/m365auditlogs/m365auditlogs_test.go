package m365auditlogs_test

import (
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/m365auditlogs"
	"selvedge/simulator"
)

const tenant = "9f1c3b7e-52d4-4c1a-8a0b-6d2e4f70a915" // the simulated one

// contentTypes are those of the streams, in order.
func contentTypes() []string {
	return []string{"Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All"}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for i, stream := range m365auditlogs.App().Streams {
		t.Run(stream.Name, func(t *testing.T) {
			t.Parallel()
			connectortest.Run(t, connectortest.Case{
				App: m365auditlogs.App(), Stream: stream.Name, Tenant: tenant, NextInBody: true, Index: true,
				Start: func(t *testing.T, now func() time.Time) connectortest.Harness {
					return start(t, now, contentTypes()[i])
				},
			})
		})
	}
}

func start(t *testing.T, now func() time.Time, contentType string) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, M365AuditLogs: simulator.M365AuditLogsOptions{
		AccessLife: 1000 * time.Hour, Enabled: contentTypes(),
	}})
	return connectortest.Simulated(t, server, m365auditlogs.App(), server.M365AuditLogs(), "/api/v1.0/", contentType)
}
