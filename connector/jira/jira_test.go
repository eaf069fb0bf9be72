package jira_test

import (
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/jira"
	"selvedge/simulator"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		App: jira.App(), Stream: "audit_records", Tenant: "example", List: "records", Numbered: true, Start: start,
		Facts: map[string]string{"cloudId": simulator.New(simulator.Options{}).Jira().CloudID()},
	})
}

func start(t *testing.T, now func() time.Time) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, Jira: simulator.JiraOptions{
		AccessLife: 1000 * time.Hour, OtherSites: []string{"example-sandbox"},
		PerSecond: -1, // the suite's clock stands still
	}})
	return connectortest.Simulated(t, server, jira.App(), server.Jira(), "/ex/jira/", "")
}
