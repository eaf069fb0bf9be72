package slack_test

import (
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/slack"
	"selvedge/simulator"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		App: slack.App(), Stream: "audit", Tenant: "demo", List: "entries", NextInBody: true, Start: start,
	})
}

func start(t *testing.T, now func() time.Time) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, Slack: simulator.SlackOptions{
		Users:     []simulator.User{{ID: "W1", Login: "ada@example.com", First: "Ada", Last: "Okafor", Admin: true}},
		PerMinute: -1, // the suite's clock stands still
	}})
	return connectortest.Simulated(t, server, slack.App(), server.Slack(), "/audit/", "")
}
