// Package metric counts what the server does, for Prometheus. Each Metrics has
// a registry of its own. Its methods are called from many goroutines, never
// fail and never block; their labels are from small fixed sets (operations,
// applications, duties, outcomes), never a tenant, an account or an identifier.
//
// What is counted in the course of work is here; how things stand is read from
// the database when Prometheus asks (watch.go), without ever holding it up (state.go).
package metric

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the counters of one server.
type Metrics struct {
	registry *prometheus.Registry
	turns    chan struct{} // see states

	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	untold   *prometheus.CounterVec

	claims   *prometheus.CounterVec
	outcomes *prometheus.CounterVec
	inFlight *prometheus.GaugeVec
	lateness *prometheus.HistogramVec

	polls      *prometheus.CounterVec
	pages      *prometheus.CounterVec
	records    *prometheus.CounterVec
	repeated   *prometheus.CounterVec
	rawBytes   *prometheus.CounterVec
	baseEvents *prometheus.CounterVec
	replaced   *prometheus.CounterVec

	delivered      *prometheus.CounterVec
	deliveredRows  *prometheus.CounterVec
	deliveredBytes *prometheus.CounterVec
	deliveryDelay  *prometheus.HistogramVec
	eventDelay     *prometheus.HistogramVec
	undelivered    *prometheus.CounterVec

	late     *prometheus.HistogramVec
	gaps     *prometheus.CounterVec
	held     *prometheus.CounterVec
	oldPages *prometheus.CounterVec
	oldFresh *prometheus.CounterVec

	grants   *prometheus.CounterVec
	waits    *prometheus.CounterVec
	searches *prometheus.CounterVec
	told     *prometheus.CounterVec
}

// The histograms' upper bounds, in seconds: a request takes milliseconds, a
// Connect up to 25 s; a duty is late by milliseconds unless the server is; a
// delivery waits for the end of its poll.
func requestBuckets() []float64 {
	return []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 25}
}

func latenessBuckets() []float64 { return []float64{0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1800} }

func delayBuckets() []float64 {
	return []float64{0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 1800, 7200, 86400}
}

func lateBuckets() []float64 {
	return []float64{0, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 129600, 172800, 216000, 259200}
}

// New returns metrics with a registry that also has the process's and Go's own.
func New() *Metrics {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	f := factory{r}
	m := &Metrics{
		registry: r,
		turns:    make(chan struct{}, readers),

		requests: f.counter("api_requests_total", "Calls of API operations, by error code (empty: success).", "operation", "error"),
		latency:  f.histogram("api_request_seconds", "How long calls of API operations took.", requestBuckets(), "operation"),
		untold:   f.counter("trail_failures_total", "Calls of API operations whose record was lost, or whose trail file could not be rotated."),

		claims:   f.counter("duty_claims_total", "Duties begun.", "duty"),
		outcomes: f.counter("duty_ends_total", "Duties ended, by how: done, retried, failed, fenced, panicked, stopped.", "duty", "outcome"),
		inFlight: f.gauge("duty_in_flight", "Duties under way in this process.", "duty"),
		lateness: f.histogram("duty_lateness_seconds", "How long after its due time a duty was begun.", latenessBuckets(), "duty"),

		polls:      f.counter("polls_total", "Polls of streams, by outcome.", "app", "outcome"),
		pages:      f.counter("pages_total", "Pages read from providers.", "app"),
		records:    f.counter("records_total", "Records read for the first time.", "app"),
		repeated:   f.counter("records_repeated_total", "Records that had been read before, and were dropped.", "app"),
		rawBytes:   f.counter("raw_bytes_total", "Bytes of the pages that were read.", "app"),
		baseEvents: f.counter("base_events_total", "Records that no mapping took: delivered as events of the base class.", "app"),
		replaced:   f.counter("utf8_replaced_total", "Records with bytes that are no UTF-8 and became U+FFFD.", "app"),

		delivered:      f.counter("deliveries_total", "Batches delivered.", "app"),
		deliveredRows:  f.counter("delivered_records_total", "Records delivered, once for each destination.", "app"),
		deliveredBytes: f.counter("delivered_bytes_total", "Bytes of the objects delivered.", "app"),
		deliveryDelay:  f.histogram("delivery_delay_seconds", "From the closing of a batch to its delivery.", delayBuckets(), "app"),
		eventDelay:     f.histogram("event_delay_seconds", "From a record's own time to its delivery, once for each destination.", delayBuckets(), "app"),
		undelivered:    f.counter("delivery_failures_total", "Attempts at a delivery that failed, by kind: refused, unavailable.", "app", "kind"),

		late:     f.histogram("record_lateness_seconds", "By how much later than the poll before it a record showed that had happened before that poll; 0: it was in time.", lateBuckets(), "app"),
		gaps:     f.counter("gap_events_total", "What became of gaps: found, healed, lost (the provider no longer has it).", "app", "event"),
		held:     f.counter("polls_held_total", "Polls that were not made for want of room, by what is short: raw-limit, disk.", "app", "why"),
		oldPages: f.counter("backfill_pages_total", "Pages read beside the live tail, by why: asked, late, gap.", "app", "kind"),
		oldFresh: f.counter("backfill_records_total", "Records first read beside the live tail, by why: asked, late, gap.", "app", "kind"),

		grants: f.counter("grant_events_total", "What became of grants, by event.", "app", "event"),
		waits:  f.counter("provider_waits_total", "Calls to providers that had to wait, by cause: refused by the provider, or not made, because it had asked to wait (blocked) or the application's own pace was used up (spent).", "app", "cause"),

		searches: f.counter("user_access_tasks_total", "User access tasks that have ended, by outcome: completed, expired, or why one failed.", "app", "outcome"),

		told: f.counter("notifications_total", "Attempts to tell of a change, by outcome: logged (there is no webhook), sent, refused (and dropped), failed (and tried again).", "type", "outcome"),
	}
	m.untold.WithLabelValues() // of nobody's making: it is there from the beginning, so that its first increase is seen
	return m
}

// factory makes metrics that are registered.
type factory struct{ r *prometheus.Registry }

const namespace = "selvedge"

func (f factory) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	f.r.MustRegister(c)
	return c
}

func (f factory) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	f.r.MustRegister(g)
	return g
}

func (f factory) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
	f.r.MustRegister(h)
	return h
}

// Handler answers Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, Registry: m.registry})
}

// Called counts one call of an API operation; code is empty when it succeeded.
// A call of no known operation has the operation "".
func (m *Metrics) Called(operation, code string, took time.Duration) {
	m.requests.WithLabelValues(operation, code).Inc()
	m.latency.WithLabelValues(operation).Observe(took.Seconds())
}

// TrailFailed counts a call whose record could not be kept as it should be.
func (m *Metrics) TrailFailed() { m.untold.WithLabelValues().Inc() }

// DutyClaimed counts a duty begun, late after its due time.
func (m *Metrics) DutyClaimed(duty string, late time.Duration) {
	m.claims.WithLabelValues(duty).Inc()
	m.inFlight.WithLabelValues(duty).Inc()
	m.lateness.WithLabelValues(duty).Observe(max(0, late).Seconds())
}

// DutyEnded counts the end of a duty that DutyClaimed counted.
func (m *Metrics) DutyEnded(duty, outcome string) {
	m.outcomes.WithLabelValues(duty, outcome).Inc()
	m.inFlight.WithLabelValues(duty).Dec()
}

// Polled counts a poll of a stream.
func (m *Metrics) Polled(app, outcome string) { m.polls.WithLabelValues(app, outcome).Inc() }

// Page counts a page: how many records it had, how many of them were new, and
// its size.
func (m *Metrics) Page(app string, records, fresh int, bytes int64) {
	m.pages.WithLabelValues(app).Inc()
	m.records.WithLabelValues(app).Add(float64(fresh))
	m.repeated.WithLabelValues(app).Add(float64(max(0, records-fresh)))
	m.rawBytes.WithLabelValues(app).Add(float64(bytes))
}

// Normalized counts the records of one delivery that became base events, and
// those whose bytes had to be replaced.
func (m *Metrics) Normalized(app string, base, replaced int) {
	m.baseEvents.WithLabelValues(app).Add(float64(base))
	m.replaced.WithLabelValues(app).Add(float64(replaced))
}

// Delivered counts a batch delivered: its records, the size of its object, and
// how long ago it was closed.
func (m *Metrics) Delivered(app string, records int, bytes int64, delay time.Duration) {
	m.delivered.WithLabelValues(app).Inc()
	m.deliveredRows.WithLabelValues(app).Add(float64(records))
	m.deliveredBytes.WithLabelValues(app).Add(float64(bytes))
	m.deliveryDelay.WithLabelValues(app).Observe(max(0, delay).Seconds())
}

// DeliveryFailed counts a failed attempt at a delivery.
func (m *Metrics) DeliveryFailed(app, kind string) { m.undelivered.WithLabelValues(app, kind).Inc() }

// Granted counts what became of a grant: exchanged, refreshed, refused, revoked
// or lost.
func (m *Metrics) Granted(app, event string) { m.grants.WithLabelValues(app, event).Inc() }

// ProviderWaited counts a call to a provider that had to wait.
func (m *Metrics) ProviderWaited(app, cause string) { m.waits.WithLabelValues(app, cause).Inc() }

// UserAccessEnded counts a user access task that has ended: completed, expired,
// or why it failed.
func (m *Metrics) UserAccessEnded(app, outcome string) {
	m.searches.WithLabelValues(app, outcome).Inc()
}

// Notified counts an attempt to tell of a change.
func (m *Metrics) Notified(kind, outcome string) { m.told.WithLabelValues(kind, outcome).Inc() }
