package metric

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Late counts a record that was met for the first time, by how late it showed.
func (m *Metrics) Late(app string, late time.Duration) {
	m.late.WithLabelValues(app).Observe(max(0, late).Seconds())
}

// Gap counts what became of a gap: found, healed or lost.
func (m *Metrics) Gap(app, event string) { m.gaps.WithLabelValues(app, event).Inc() }

// Held counts a poll that was not made for want of room.
func (m *Metrics) Held(app, why string) { m.held.WithLabelValues(app, why).Inc() }

// Backfilled counts what was read beside the live tail.
func (m *Metrics) Backfilled(app, kind string, pages, fresh int) {
	m.oldPages.WithLabelValues(app, kind).Add(float64(pages))
	m.oldFresh.WithLabelValues(app, kind).Add(float64(fresh))
}

// GapState is the gaps that the streams of an application have.
type GapState struct {
	App    string
	Count  int64
	Length time.Duration // of all together
}

// gapCollector reads the gaps when it is asked.
type gapCollector struct {
	read          func(ctx context.Context) ([]GapState, error)
	count, length *prometheus.Desc
}

// WatchGaps adds metrics of the gaps that are known, which read tells each time
// that Prometheus asks. It is called once.
func (m *Metrics) WatchGaps(read func(ctx context.Context) ([]GapState, error)) {
	m.registry.MustRegister(gapCollector{
		read:   read,
		count:  prometheus.NewDesc(namespace+"_gaps", "Ranges of streams that were not read.", []string{"app"}, nil),
		length: prometheus.NewDesc(namespace+"_gap_seconds", "How long those ranges are together.", []string{"app"}, nil),
	})
}

// Describe is Prometheus's.
func (c gapCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.count
	ch <- c.length
}

// Collect is Prometheus's.
func (c gapCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	states, err := c.read(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(c.count, err)
		return
	}
	for _, s := range states {
		ch <- prometheus.MustNewConstMetric(c.count, prometheus.GaugeValue, float64(s.Count), s.App)
		ch <- prometheus.MustNewConstMetric(c.length, prometheus.GaugeValue, s.Length.Seconds(), s.App)
	}
}
