package asana_test

import (
	"net/http"
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
		App: asana.App(), Stream: "audit_log_events", Tenant: workspace, List: "data", NextInBody: true, Start: start,
	})
}

func start(t *testing.T, now func() time.Time) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, Asana: simulator.AsanaOptions{
		Users:     []simulator.User{{ID: "1", Login: "ada@example.com", First: "Ada", Last: "Okafor"}},
		PerMinute: -1, // the suite's clock stands still
	}})
	domain := server.Asana()
	token := domain.Token()
	return connectortest.Harness{
		Handler: server,
		Sign:    func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) },
		Emit:    func(n int, late time.Duration) error { _, err := domain.Emit(n, late); return err },
		Repeat:  domain.Repeat,
		All:     domain.All,
		Shown:   domain.Shown,
		Inject: func(f connectortest.Fault) error {
			return server.Inject("ASANA", simulator.Fault{Path: "/api/1.0/workspaces/", Kind: simulator.Kind(f), Times: 1})
		},
		Revoke: domain.Revoke,
		User:   "ada@example.com",
	}
}
