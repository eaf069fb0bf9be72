package simulator

import (
	"net/http"
	"strconv"
	"time"
)

// limiter counts requests in fixed windows of the simulated clock.
type limiter struct {
	limit  int // per window; negative: never refuses
	window time.Duration
	prefix string                         // of the three headers; empty: there are none
	reset  func(at, now time.Time) string // how the provider writes the end of the window

	start time.Time
	used  int
}

// take counts one request and reports whether it is within the limit.
func (l *limiter) take(now time.Time) bool {
	if start := now.Truncate(l.window); !start.Equal(l.start) {
		l.start, l.used = start, 0
	}
	l.used++
	return l.limit < 0 || l.used <= l.limit
}

// wait is the rest of the window.
func (l *limiter) wait(now time.Time) time.Duration {
	return l.start.Add(l.window).Sub(now)
}

// stamp adds the rate-limit headers, unless the answer brings its own.
func (l *limiter) stamp(h http.Header, now time.Time) {
	if l.prefix == "" || h.Get(l.prefix+"Reset") != "" {
		return
	}
	limit := l.limit
	if limit < 0 {
		limit = l.used + 1
	}
	l.set(h, limit, max(limit-l.used, 0), l.start.Add(l.window), now)
}

// exhausted adds the headers of a refusal that ends after wait.
func (l *limiter) exhausted(h http.Header, wait time.Duration, now time.Time) {
	l.set(h, max(l.limit, 1), 0, now.Add(wait), now)
}

func (l *limiter) set(h http.Header, limit, remaining int, at, now time.Time) {
	if l.prefix == "" {
		return
	}
	h.Set(l.prefix+"Limit", strconv.Itoa(limit))
	h.Set(l.prefix+"Remaining", strconv.Itoa(remaining))
	h.Set(l.prefix+"Reset", l.reset(at, now))
}
