// Package connectortest is the suite that every application passes. It stands
// in for the engine (cursor kept as JSON, a new session for every page, a crash
// after every page) and for outbound (the session's client reaches the tenant's
// origin and nothing else), and judges by what the simulated provider has shown.
//
// An application's test gives a Case: its App, a tenant, and how its simulated
// provider is driven.
//
//	func TestSuite(t *testing.T) {
//		connectortest.Run(t, connectortest.Case{App: okta.App(), Stream: "system_log", Tenant: "dev-1.okta.com", Start: start})
//	}
package connectortest

import (
	"net/http"
	"testing"
	"time"

	"selvedge/connector"
)

// Case is one stream of one application under test.
type Case struct {
	App    connector.App
	Stream string
	Tenant string // a tenant identifier that the application takes
	List   string // member of a page that holds its records; empty: the page is the list

	Facts map[string]string // what a connected authorization's Env.Facts holds; nil: nothing that calls need

	// NextInBody is set where the way to the next page is told in the body: a
	// page that cannot be decoded then cannot be stepped over.
	NextInBody bool

	// Index is set where the first page of a poll holds no records: it tells
	// where they are, and the pages behind it are the records.
	Index bool
	// Unkeyed is set where records have no identifier of the provider's: All
	// and Shown then have them by "sha256:" and the hash of their bytes.
	Unkeyed bool

	// Numbered is set where pages, or records, are counted: there is no cursor that
	// could expire.
	Numbered bool
	// Blind is set where only a page that is not full tells the end.
	Blind bool

	// NoWait is set where the provider does not say how long to wait.
	NoWait bool

	// NotTenants are tenant identifiers that the application does not take;
	// nil: those that none takes, unless its tenant is a mere label.
	NotTenants []string

	// Start makes a fresh provider that runs by the clock now. It is called
	// for every test.
	Start func(t *testing.T, now func() time.Time) Harness
}

// Harness drives one simulated provider.
type Harness struct {
	Handler http.Handler
	Sign    func(*http.Request) // puts a good credential on a call

	// Emit makes n events that arrive now and happened late before that.
	Emit   func(n int, late time.Duration) error
	Repeat func(ids ...string) error // shows events again
	All    func() map[string][]byte  // every event's bytes by id
	Shown  func() map[string][]byte  // those that were in an answer sent whole

	Inject func(Fault) error // makes the feed's next call go wrong
	Revoke func()            // ends the credential that Sign puts
	User   string            // e-mail address of a user that the tenant has
}

// Fault is what goes wrong with one call.
type Fault string

// The faults that every simulated provider knows. Throttle asks to wait for a
// second; Expire means the cursor of the call.
const (
	Throttle Fault = "429"
	Break    Fault = "500"
	Hang     Fault = "hang"
	Truncate Fault = "truncate"
	HTML     Fault = "html"
	Expire   Fault = "expired-cursor"
)

// Run runs the suite.
func Run(t *testing.T, c Case) {
	t.Helper()
	tests := []struct {
		name string
		run  func(*testing.T, Case)
	}{
		{"Description", testDescription},
		{"Connect", testConnect},
		{"Refused", testRefused},
		{"Tenant", testTenant},
		{"Users", testUsers},
		{"Collect", testCollect},
		{"Late", testLate},
		{"ClockAhead", testClockAhead},
		{"ClockBehind", testClockBehind},
		{"Calls", testCalls},
		{"Window", testWindow},
		{"Faults", testFaults},
		{"Undecodable", testUndecodable},
		{"ExpiredCursor", testExpired},
		{"StrangeTokens", testStrangeTokens},
		{"ForeignLinks", testForeignLinks},
		{"OddRecords", testOddRecords},
		{"StreamOf", testStreamOf},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, c)
		})
	}
}

func (c Case) stream(t *testing.T) connector.Stream {
	t.Helper()
	stream, ok := c.App.FindStream(c.Stream)
	if !ok {
		t.Fatalf("no stream %q", c.Stream)
	}
	return stream
}
