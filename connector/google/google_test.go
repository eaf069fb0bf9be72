package google_test

import (
	"net/http"
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
		workspace := server.Google()
		token := connectortest.SignIn(t, server, google.App())
		return connectortest.Harness{
			Handler: server,
			Sign: func(r *http.Request) {
				r.Header.Set("Authorization", "Bearer "+token)
				r.Host = "google.localhost"
			},
			Emit:   func(n int, late time.Duration) error { _, err := workspace.EmitTo(stream, n, late); return err },
			Repeat: workspace.Repeat,
			All:    workspace.All,
			Shown:  workspace.Shown,
			Inject: func(f connectortest.Fault) error {
				path := "/admin/reports/v1/activity/users/all/applications/" + stream
				return server.Inject("GOOGLE", simulator.Fault{Path: path, Kind: simulator.Kind(f), Times: 1})
			},
			Revoke: workspace.Revoke,
			User:   "zoe.mueller@example.com",
		}
	}
}
