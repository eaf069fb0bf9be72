package console_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	contract "selvedge/connector"
	"selvedge/internal/store/storetest"
)

// BenchmarkPages is how long each page takes in an account with 10,000 connected
// authorizations that are collected, one of them with a hundred batches that are kept
// and a large one, one with many streams.
func BenchmarkPages(b *testing.B) {
	w := newWorld(b, "acme.okta.com")
	records := oktaRecords(b)
	many := make([]contract.Record, 2000)
	for n := range many {
		many[n] = contract.Record{ID: fmt.Sprint("many-", n), Time: w.tick(), Raw: records[n%len(records)]}
	}
	okta := w.collect("OKTA", "busy.okta.com", "audit-logs")
	okta.take("system_log", many...)
	for n := range 100 {
		okta.take("system_log", contract.Record{ID: fmt.Sprint(n), Time: w.tick().Add(time.Second), Raw: records[n%len(records)]})
	}
	google := w.collect("GOOGLE", "my-project", "audit-logs")
	for n := range many {
		many[n].Raw = []byte(`{"id":{"time":"2026-11-22T12:00:00Z","applicationName":"login"},"actor":{"email":"ada@example.com"},"events":[{"name":"login_success"}]}`)
	}
	google.take("login", many...)
	storetest.Rig{Authorization: w.authorization, Ingestion: w.Ingestion}.Fill(b, w.store, 9_996)
	person := w.browser()
	results := person.post("/console/user-access", "bundle", w.BundleID, "email", "ada@example.com").to
	for _, page := range []struct{ name, path string }{
		{"overview", "/console/"}, {"overview/collecting", "/console/?standing=collecting"},
		{"applications", "/console/apps"}, {"connect", "/console/apps/okta/connect"},
		{"authorization", w.at["authorization"]}, {"authorization/edit", w.at["authorization"] + "/edit"},
		{"ingestion", okta.path}, {"ingestion/of 12 streams", google.path},
		{"events", okta.path + "/events"}, {"events/100", okta.path + "/events?n=100"}, {"events/of 12 streams", google.path + "/events"},
		{"destination", w.at["destination"]}, {"destination/new", okta.path + "/destinations/new"},
		{"user access", "/console/user-access"}, {"user access/150 results", results}, {"trail/50", "/console/trail?n=50"},
	} {
		b.Run(strings.ReplaceAll(page.name, " ", "-"), func(b *testing.B) {
			var took []time.Duration
			size := 0
			for b.Loop() {
				begun := time.Now()
				d := person.fetch(http.MethodGet, page.path, nil)
				took = append(took, time.Since(begun))
				if size = len(d.body); d.status != http.StatusOK {
					b.Fatal(d.status, d.body)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/page")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
			b.ReportMetric(float64(size), "bytes")
		})
	}
}
