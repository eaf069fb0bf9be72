package terraformcloud_test

import (
	"net/http"
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/terraformcloud"
	"selvedge/simulator"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		App: terraformcloud.App(), Stream: "audit_trail", Tenant: "https://app.terraform.io/app/example-org", List: "data", Start: start,
	})
}

func start(t *testing.T, now func() time.Time) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, TerraformCloud: simulator.TerraformCloudOptions{
		Users:     []simulator.User{{ID: "user-1", Login: "ada@example.com", Status: "active"}},
		PerSecond: -1, // the suite's clock stands still
	}})
	org := server.TerraformCloud()
	token := org.Token()
	return connectortest.Harness{
		Handler: server,
		Sign:    func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) },
		Emit:    func(n int, late time.Duration) error { _, err := org.Emit(n, late); return err },
		Repeat:  org.Repeat,
		All:     org.All,
		Shown:   org.Shown,
		Inject: func(f connectortest.Fault) error {
			return server.Inject("TERRAFORMCLOUD", simulator.Fault{Path: "/api/v2/organization/", Kind: simulator.Kind(f), Times: 1})
		},
		Revoke: org.Revoke,
		User:   "ada@example.com",
	}
}
