package wire

import (
	"sync"
	"time"

	"selvedge/internal/fabric"
)

// Throttle limits how often each account may call each operation, in all
// Regions together. The zero Throttle limits nothing.
type Throttle struct {
	Rate  float64 // calls a second
	Burst int     // calls at once
}

// throttled is what has a bucket of its own: an account and an operation, which
// is empty where no route fits.
type throttled struct{ account, operation string }

// throttle has a token bucket for each account and operation that is not full.
// A bucket is kept as the time at which it will be full again, which says it
// all; a full one is not kept. So there are at most as many as accounts and
// operations were called in the time that filling a bucket takes, and as many
// again before they are swept. It is safe for concurrent use.
type throttle struct {
	interval time.Duration // in which one token comes in
	slack    time.Duration // how far from full a bucket with one token left is

	mu      sync.Mutex
	full    map[throttled]time.Time
	sweepAt int // buckets
}

// minSweep is how many buckets are kept without looking which of them are full.
const minSweep = 1024

// newThrottle returns nil where nothing is limited.
func newThrottle(t Throttle) *throttle {
	if t.Rate <= 0 {
		return nil
	}
	interval := max(1, time.Duration(float64(time.Second)/t.Rate))
	return &throttle{
		interval: interval, slack: interval * time.Duration(max(1, t.Burst)-1),
		full: make(map[throttled]time.Time), sweepAt: minSweep,
	}
}

// take takes a token. Where there is none it says when there will be one; a call
// that is refused costs nothing.
func (t *throttle) take(account, operation string, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := throttled{account, operation}
	full := t.full[key]
	if full.Before(now) {
		full = now
	}
	if wait := full.Add(-t.slack).Sub(now); wait > 0 {
		return &fabric.Error{Kind: fabric.Throttled, Message: "Rate exceeded", RetryAfter: wait}
	}
	t.full[key] = full.Add(t.interval)
	if len(t.full) > t.sweepAt {
		t.sweep(now)
	}
	return nil
}

// sweep forgets the buckets that are full. What it costs is spread over the
// calls that came in since the last time.
func (t *throttle) sweep(now time.Time) {
	for key, full := range t.full {
		if !full.After(now) {
			delete(t.full, key)
		}
	}
	t.sweepAt = max(minSweep, 2*len(t.full))
}
