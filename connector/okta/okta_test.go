package okta_test

import (
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/okta"
	"selvedge/simulator"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{App: okta.App(), Stream: "system_log", Tenant: "dev-1.okta.com", Blind: true, Start: start})
}

func start(t *testing.T, now func() time.Time) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, Okta: simulator.OktaOptions{AccessLife: 1000 * time.Hour}})
	return connectortest.Simulated(t, server, okta.App(), server.Okta(), "/api/v1/logs", "")
}
