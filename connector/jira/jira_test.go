package jira_test

import (
	"net/http"
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/jira"
	"selvedge/simulator"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		App: jira.App(), Stream: "audit_records", Tenant: "example", List: "records", Start: start,
		Facts: map[string]string{"cloudId": simulator.New(simulator.Options{}).Jira().CloudID()},
	})
}

func start(t *testing.T, now func() time.Time) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, Jira: simulator.JiraOptions{
		AccessLife: 1000 * time.Hour, OtherSites: []string{"example-sandbox"},
		PerSecond: -1, // the suite's clock stands still
	}})
	site := server.Jira()
	token := connectortest.SignIn(t, server, jira.App())
	return connectortest.Harness{
		Handler: server,
		Sign: func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+token)
			r.Host = "jira.localhost"
		},
		Emit:   func(n int, late time.Duration) error { _, err := site.Emit(n, late); return err },
		Repeat: site.Repeat,
		All:    site.All,
		Shown:  site.Shown,
		Inject: func(f connectortest.Fault) error {
			return server.Inject("JIRA", simulator.Fault{Path: "/ex/jira/", Kind: simulator.Kind(f), Times: 1})
		},
		Revoke: site.Revoke,
		User:   "zoe.mueller@example.com",
	}
}
