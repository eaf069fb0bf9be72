package zoom_test

import (
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/zoom"
	"selvedge/simulator"
)

// reports are the streams, with the list of each and where it is asked for.
func reports() map[string][2]string {
	return map[string][2]string{
		"activities":     {"activity_logs", "/v2/report/activities"},
		"operation_logs": {"operation_logs", "/v2/report/operationlogs"},
	}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for stream, at := range reports() {
		t.Run(stream, func(t *testing.T) {
			t.Parallel()
			connectortest.Run(t, connectortest.Case{
				App: zoom.App(), Stream: stream, Tenant: "5iMuLaTeDaCcOuNtZoOm_1", List: at[0], NextInBody: true, Unkeyed: true,
				Facts: map[string]string{"api_url": "https://api.zoom.us"}, Start: start(at[1]),
			})
		})
	}
}

func start(path string) func(*testing.T, func() time.Time) connectortest.Harness {
	return func(t *testing.T, now func() time.Time) connectortest.Harness {
		t.Helper()
		server := simulator.New(simulator.Options{Now: now, Zoom: simulator.ZoomOptions{
			AccessLife: 1000 * time.Hour, PageLife: 1000 * time.Hour,
			PerSecond: -1, // the suite's clock stands still
		}})
		return connectortest.Simulated(t, server, zoom.App(), server.Zoom(), path, path)
	}
}
