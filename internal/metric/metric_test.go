package metric_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/metric"
)

// scrape returns the lines, sorted, of our own metrics, without comments, histograms'
// buckets, zeros and ages.
func scrape(t *testing.T, m *metric.Metrics) []string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("scrape: %d %s", w.Code, w.Body)
	}
	var lines []string
	for line := range strings.Lines(w.Body.String()) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "selvedge_") && !strings.Contains(line, "_bucket{") && !strings.Contains(line, "_age_seconds{kind") && !strings.HasSuffix(line, " 0") {
			lines = append(lines, strings.TrimPrefix(line, "selvedge_"))
		}
	}
	slices.Sort(lines)
	return lines
}

func tally(status string) func(context.Context) ([]metric.Tally, error) {
	return func(context.Context) ([]metric.Tally, error) {
		return []metric.Tally{{App: "OKTA", Status: status, Count: 3}}, nil
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		do   func(*metric.Metrics)
		want []string
	}{
		{"nothing", func(*metric.Metrics) {}, nil},
		{"calls", func(m *metric.Metrics) {
			m.Called("GetAppBundle", "", 250*time.Millisecond)
			m.Called("GetAppBundle", "ResourceNotFoundException", 250*time.Millisecond)
		}, []string{
			`api_request_seconds_count{operation="GetAppBundle"} 2`,
			`api_request_seconds_sum{operation="GetAppBundle"} 0.5`,
			`api_requests_total{error="",operation="GetAppBundle"} 1`,
			`api_requests_total{error="ResourceNotFoundException",operation="GetAppBundle"} 1`,
		}},
		{"trail", func(m *metric.Metrics) { m.TrailFailed() }, []string{`trail_failures_total 1`}},
		{"duties", func(m *metric.Metrics) {
			m.DutyClaimed("stream", 2*time.Second)
			m.DutyClaimed("stream", -time.Second) // a clock that was put back
			m.DutyEnded("stream", "fenced")
		}, []string{
			`duty_claims_total{duty="stream"} 2`,
			`duty_ends_total{duty="stream",outcome="fenced"} 1`,
			`duty_in_flight{duty="stream"} 1`,
			`duty_lateness_seconds_count{duty="stream"} 2`,
			`duty_lateness_seconds_sum{duty="stream"} 2`,
		}},
		{"polling", func(m *metric.Metrics) {
			m.Polled("OKTA", "done")
			m.Page("OKTA", 10, 7, 1234)
		}, []string{
			`pages_total{app="OKTA"} 1`,
			`polls_total{app="OKTA",outcome="done"} 1`,
			`raw_bytes_total{app="OKTA"} 1234`,
			`records_repeated_total{app="OKTA"} 3`,
			`records_total{app="OKTA"} 7`,
		}},
		{"delivering", func(m *metric.Metrics) {
			m.Normalized("OKTA", 2, 1)
			m.Delivered("OKTA", 7, 5678, 3*time.Second)
			m.DeliveryFailed("OKTA", "refused")
			m.Delayed("OKTA", time.Minute)
			m.Delayed("OKTA", -time.Minute) // a clock that is ahead
		}, []string{
			`base_events_total{app="OKTA"} 2`,
			`delivered_bytes_total{app="OKTA"} 5678`,
			`delivered_records_total{app="OKTA"} 7`,
			`deliveries_total{app="OKTA"} 1`,
			`delivery_delay_seconds_count{app="OKTA"} 1`,
			`delivery_delay_seconds_sum{app="OKTA"} 3`,
			`delivery_failures_total{app="OKTA",kind="refused"} 1`,
			`event_delay_seconds_count{app="OKTA"} 2`,
			`event_delay_seconds_sum{app="OKTA"} 60`,
			`utf8_replaced_total{app="OKTA"} 1`,
		}},
		{"grants and waits", func(m *metric.Metrics) {
			m.Granted("OKTA", "refused")
			m.ProviderWaited("OKTA", "blocked")
		}, []string{
			`grant_events_total{app="OKTA",event="refused"} 1`,
			`provider_waits_total{app="OKTA",cause="blocked"} 1`,
		}},
		{"notifications", func(m *metric.Metrics) { m.Notified("gap.opened", "sent") }, []string{`notifications_total{outcome="sent",type="gap.opened"} 1`}},
		{"tallies", func(m *metric.Metrics) {
			m.WatchAuthorizations(tally("Connected"))
			m.WatchIngestions(tally("enabled"))
			m.WatchDestinations(tally("Active"))
		}, []string{
			`authorizations{app="OKTA",status="Connected"} 3`,
			`destinations{app="OKTA",status="Active"} 3`,
			`ingestions{app="OKTA",state="enabled"} 3`,
		}},
		{"backlog and silence", func(m *metric.Metrics) {
			m.WatchBacklog(func(context.Context) ([]metric.BacklogState, error) {
				return []metric.BacklogState{{App: "OKTA", Batches: 2, Bytes: 300, Age: time.Minute}}, nil
			})
			m.WatchSilence(func(context.Context) ([]metric.SilenceState, error) {
				return []metric.SilenceState{{App: "OKTA", Longest: time.Hour, Silent: 4}}, nil
			})
		}, []string{
			`backlog_age_seconds{app="OKTA"} 60`,
			`backlog_batches{app="OKTA"} 2`,
			`backlog_bytes{app="OKTA"} 300`,
			`ingestions_silent{app="OKTA"} 4`,
			`silence_seconds{app="OKTA"} 3600`,
		}},
		{"states of duties", func(m *metric.Metrics) {
			m.WatchDuties(func(context.Context) ([]metric.DutyState, error) {
				return []metric.DutyState{{Duty: "stream", Behind: 1500 * time.Millisecond, Held: 2, Expired: 3, Parked: 4, Failing: 5}, {Duty: "sweep"}}, nil
			})
		}, []string{
			`duty_behind_seconds{duty="stream"} 1.5`,
			`duty_expired_leases{duty="stream"} 3`,
			`duty_failing{duty="stream"} 5`,
			`duty_held{duty="stream"} 2`,
			`duty_parked{duty="stream"} 4`,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := metric.New()
			test.do(m)
			if diff := cmp.Diff(test.want, scrape(t, m)); diff != "" {
				t.Errorf("metrics (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	m := metric.New()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				m.DutyClaimed("stream", 0)
				m.DutyEnded("stream", "done")
			}
		})
	}
	scrape(t, m)
	wg.Wait()
	if lines := scrape(t, m); !slices.Contains(lines, `duty_claims_total{duty="stream"} 800`) || slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "duty_in_flight") }) {
		t.Errorf("metrics: %q", lines)
	}
}
