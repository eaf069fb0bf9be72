package metric

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What is read of the database when Prometheus asks.
const (
	patience    = 2 * time.Second  // that a scrape waits for a reading; one under way goes on for the next
	readTimeout = 30 * time.Second // of a reading
	keepStates  = 2 * time.Minute  // after which what was read before is not answered any more
	readers     = 2                // readings at once, of all kinds: others need the database too
)

// gauge is one figure of a state.
type gauge[T any] struct {
	name, help string
	value      func(T) float64
}

// states are gauges over rows of one kind that are read together. A database that
// does not answer never holds a scrape up: what was read before is answered for a
// while, and how old it is.
type states[T any] struct {
	read   func(ctx context.Context) ([]T, error)
	labels func(T) []string
	gauges []gauge[T]
	descs  []*prometheus.Desc
	age    *prometheus.Desc
	turns  chan struct{} // a token for each reading under way

	mu      sync.Mutex
	rows    []T
	at      time.Time     // when they were asked for; at first, when the server began
	known   bool          // they were read
	reading chan struct{} // closed when the reading under way has ended; nil: there is none
}

// watch adds gauges over what read tells. It is called once for each kind.
func watch[T any](m *Metrics, kind string, labels []string, of func(T) []string, gauges []gauge[T], read func(ctx context.Context) ([]T, error)) {
	c := &states[T]{
		read: read, labels: of, gauges: gauges, at: time.Now(), turns: m.turns,
		age: prometheus.NewDesc(namespace+"_state_age_seconds", "How old what the metrics of a kind were read from is.", nil, prometheus.Labels{"kind": kind}),
	}
	for _, g := range gauges {
		c.descs = append(c.descs, prometheus.NewDesc(namespace+"_"+g.name, g.help, labels, nil))
	}
	m.registry.MustRegister(c)
}

// Describe is Prometheus's.
func (c *states[T]) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.age
	for _, d := range c.descs {
		ch <- d
	}
}

// Collect is Prometheus's.
func (c *states[T]) Collect(ch chan<- prometheus.Metric) {
	c.wait()
	c.mu.Lock()
	rows, age, known := c.rows, time.Since(c.at), c.known
	c.mu.Unlock()
	ch <- prometheus.MustNewConstMetric(c.age, prometheus.GaugeValue, age.Seconds())
	if !known || age > keepStates {
		return
	}
	for _, row := range rows {
		for i, g := range c.gauges {
			ch <- prometheus.MustNewConstMetric(c.descs[i], prometheus.GaugeValue, g.value(row), c.labels(row)...)
		}
	}
}

// wait has the rows read, unless they are being read, and waits for that.
func (c *states[T]) wait() {
	c.mu.Lock()
	reading := c.reading
	if reading == nil {
		reading = make(chan struct{})
		c.reading = reading
		go c.refresh(reading)
	}
	c.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-reading:
	case <-timer.C:
	}
}

// refresh reads the rows. A failure is told by the age of those that were read
// before.
func (c *states[T]) refresh(ended chan struct{}) {
	defer close(ended)
	c.turns <- struct{}{}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	rows, err := c.read(ctx)
	<-c.turns
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = nil
	if err == nil {
		c.rows, c.at, c.known = rows, begun, true
	}
}
