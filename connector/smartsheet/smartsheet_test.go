package smartsheet_test

import (
	"net/http"
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
	account := server.Smartsheet()
	token := connectortest.SignIn(t, server, smartsheet.App())
	return connectortest.Harness{
		Handler: server,
		Sign:    func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) },
		Emit:    func(n int, late time.Duration) error { _, err := account.Emit(n, late); return err },
		Repeat:  account.Repeat,
		All:     account.All,
		Shown:   account.Shown,
		Inject: func(f connectortest.Fault) error {
			return server.Inject("SMARTSHEET", simulator.Fault{Path: "/2.0/events", Kind: simulator.Kind(f), Times: 1})
		},
		Revoke: account.Revoke,
		User:   "grainne.oneil+sheets@example.com",
	}
}
