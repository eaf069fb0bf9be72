package metric

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// DutyState is how the rows of one duty stand.
type DutyState struct {
	Duty    string
	Behind  time.Duration // since the oldest due time that nobody works on; zero: nothing is due
	Held    int           // rows under a lease, of any process
	Expired int           // rows whose lease ran out before the work ended
	Parked  int           // rows put away because their work never ended
	Failing int           // rows whose last attempt failed
}

// dutyCollector reads the states when it is asked.
type dutyCollector struct {
	read  func(ctx context.Context) ([]DutyState, error)
	descs map[string]*prometheus.Desc
}

// readTimeout bounds how long a scrape may hold a reader of the database.
const readTimeout = 5 * time.Second

// gauges are the fields of a DutyState as metrics.
func gauges() []struct {
	name, help string
	value      func(DutyState) float64
} {
	return []struct {
		name, help string
		value      func(DutyState) float64
	}{
		{"duty_behind_seconds", "Since the oldest due time that nobody works on.", func(s DutyState) float64 { return s.Behind.Seconds() }},
		{"duty_held", "Rows under a lease, of any process.", func(s DutyState) float64 { return float64(s.Held) }},
		{"duty_expired_leases", "Rows whose lease ran out before the work ended.", func(s DutyState) float64 { return float64(s.Expired) }},
		{"duty_parked", "Rows put away because their work never ended.", func(s DutyState) float64 { return float64(s.Parked) }},
		{"duty_failing", "Rows whose last attempt failed.", func(s DutyState) float64 { return float64(s.Failing) }},
	}
}

// WatchDuties adds metrics of how the duties stand, which read tells each time
// that Prometheus asks. It is called once.
func (m *Metrics) WatchDuties(read func(ctx context.Context) ([]DutyState, error)) {
	c := dutyCollector{read: read, descs: make(map[string]*prometheus.Desc)}
	for _, g := range gauges() {
		c.descs[g.name] = prometheus.NewDesc(namespace+"_"+g.name, g.help, []string{"duty"}, nil)
	}
	m.registry.MustRegister(c)
}

// Describe is Prometheus's.
func (c dutyCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

// Collect is Prometheus's. A database that does not answer makes these metrics
// invalid; the others are still answered.
func (c dutyCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	states, err := c.read(ctx)
	for _, g := range gauges() {
		if err != nil {
			ch <- prometheus.NewInvalidMetric(c.descs[g.name], err)
			continue
		}
		for _, s := range states {
			ch <- prometheus.MustNewConstMetric(c.descs[g.name], prometheus.GaugeValue, g.value(s), s.Duty)
		}
	}
}
