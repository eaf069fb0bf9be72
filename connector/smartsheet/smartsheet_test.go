package smartsheet_test

import (
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/smartsheet"
	"selvedge/simulator"
)

const pageMax = 1000

func TestSuite(t *testing.T) {
	t.Parallel()
	// The stream gives up to as many events as it is asked for: here fewer, for
	// the suite fills several pages time and again.
	app := smartsheet.App()
	app.Streams[0].PageMax = pageMax
	connectortest.Run(t, connectortest.Case{
		App: app, Stream: "events", Tenant: "1234567890", List: "data", NextInBody: true,
		NotTenants: []string{"", " ", "no such tenant", "a\nb"}, Start: start,
	})
}

func start(t *testing.T, now func() time.Time) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, Smartsheet: simulator.SmartsheetOptions{AccessLife: 1000 * time.Hour, PerMinute: -1, PageMax: pageMax}})
	return connectortest.Simulated(t, server, smartsheet.App(), server.Smartsheet(), "/2.0/events", "")
}
