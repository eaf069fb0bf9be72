package metric_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"selvedge/internal/metric"
)

// TestLedgerMetrics: what was late, what is missing and what rests is counted; gaps
// are read when Prometheus asks.
func TestLedgerMetrics(t *testing.T) {
	t.Parallel()
	m := metric.New()
	m.WatchGaps(func(context.Context) ([]metric.GapState, error) {
		return []metric.GapState{{App: "OKTA", Count: 2, Length: 90 * time.Second}}, nil
	})
	m.Late("OKTA", 40*time.Minute)
	m.Gap("OKTA", "found")
	m.Held("OKTA", "disk")
	m.Backfilled("OKTA", "late", 1, 3)
	scrape := func() string {
		w := httptest.NewRecorder()
		m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
		return w.Body.String()
	}
	for _, line := range []string{
		`record_lateness_seconds_bucket{app="OKTA",le="1800"} 0`, `record_lateness_seconds_bucket{app="OKTA",le="3600"} 1`,
		`gap_events_total{app="OKTA",event="found"} 1`, `polls_held_total{app="OKTA",why="disk"} 1`,
		`backfill_pages_total{app="OKTA",kind="late"} 1`, `backfill_records_total{app="OKTA",kind="late"} 3`,
		`gaps{app="OKTA"} 2`, `gap_seconds{app="OKTA"} 90`,
	} {
		if !strings.Contains(scrape(), "selvedge_"+line+"\n") {
			t.Errorf("no %s", line)
		}
	}
}
