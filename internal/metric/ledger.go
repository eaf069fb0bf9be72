package metric

import "time"

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

// Delayed counts a record that was delivered so long after it happened.
func (m *Metrics) Delayed(app string, delay time.Duration) {
	m.eventDelay.WithLabelValues(app).Observe(max(0, delay).Seconds())
}
