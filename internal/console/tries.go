package console

import (
	"sync"
	"time"
)

// How often a sign-in from one address may fail: at once, and then one after
// each interval. There is no limit by access key: it would let a stranger keep
// the key's owner out.
const (
	triesAtOnce   = 10
	triesInterval = 10 * time.Second
	maxTries      = 10000 // addresses that are remembered
)

// tries limits failed sign-ins. For each address it keeps the time at which all
// attempts are free again. It is safe for concurrent use.
type tries struct {
	mu   sync.Mutex
	free map[string]time.Time
}

func newTries() *tries { return &tries{free: make(map[string]time.Time)} }

// wait is how long nobody at the address is heard; 0: go on.
func (t *tries) wait(now time.Time, source string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	at, ok := t.free[source]
	if !ok {
		return 0
	}
	return max(0, at.Sub(now)-(triesAtOnce-1)*triesInterval)
}

// failed counts a sign-in that failed. When there are too many addresses, those
// that are free again are forgotten; if none is, all are.
func (t *tries) failed(now time.Time, source string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.free) >= maxTries {
		for name, at := range t.free {
			if !at.After(now) {
				delete(t.free, name)
			}
		}
	}
	if len(t.free) >= maxTries {
		clear(t.free)
	}
	at := t.free[source]
	if at.Before(now) {
		at = now
	}
	t.free[source] = at.Add(triesInterval)
}
