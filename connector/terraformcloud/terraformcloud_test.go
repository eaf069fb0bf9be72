package terraformcloud_test

import (
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/terraformcloud"
	"selvedge/simulator"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		App: terraformcloud.App(), Stream: "audit_trail", Tenant: "https://app.terraform.io/app/example-org", List: "data", Numbered: true, Start: start,
	})
}

func start(t *testing.T, now func() time.Time) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, TerraformCloud: simulator.TerraformCloudOptions{
		Users:     []simulator.User{{ID: "user-1", Login: "ada@example.com", Status: "active"}},
		PerSecond: -1, // the suite's clock stands still
	}})
	return connectortest.Simulated(t, server, terraformcloud.App(), server.TerraformCloud(), "/api/v2/organization/", "")
}
