package google_test

import (
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/google"
	"selvedge/simulator"
)

// TestSuite is of one stream of each kind; that the others differ in their names
// only, TestStreams holds.
func TestSuite(t *testing.T) {
	t.Parallel()
	for _, stream := range []string{"login", "drive", "gmail"} {
		t.Run(stream, func(t *testing.T) {
			t.Parallel()
			connectortest.Run(t, connectortest.Case{
				App: google.App(), Stream: stream, Tenant: "my-project-123456", List: "items", NextInBody: true, NoWait: true, Start: start(stream),
			})
		})
	}
}

func start(stream string) func(*testing.T, func() time.Time) connectortest.Harness {
	return func(t *testing.T, now func() time.Time) connectortest.Harness {
		t.Helper()
		server := simulator.New(simulator.Options{Now: now, Google: simulator.GoogleOptions{
			AccessLife: 1000 * time.Hour, PerMinute: -1, // the suite's clock stands still
		}})
		path := "/admin/reports/v1/activity/users/all/applications/" + stream
		return connectortest.Simulated(t, server, google.App(), server.Google(), path, stream)
	}
}
