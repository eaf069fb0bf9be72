package outbound

import (
	"sync"
	"time"
)

// permits are what one process holds of one tenant's, for one priority.
type permits struct {
	mu      sync.Mutex
	at      time.Time // just before they were taken
	granted int64
	used    int64     // those that have lapsed are among them
	calls   int64     // made with them
	dry     time.Time // there are none before
}

// want is how many permits to take next: twice as many where the last were all
// used, else as many as were. Others are then not kept from what is not needed
// here, and a replica that makes many calls asks once a second.
func (p *permits) want(worth int64) int64 {
	n := p.calls
	if n == p.granted {
		n *= 2
	}
	return max(1, min(n, worth))
}

// got takes permits in, and uses one.
func (p *permits) got(n int64, at time.Time) {
	p.at, p.granted, p.used, p.calls, p.dry = at, n, 1, 1, time.Time{}
}

// take uses one permit, if there is one that has not lapsed. One lapses in
// every so long, used ones first: that is when the bucket has it back. Of a
// second's worth nothing is left after a second.
func (p *permits) take(now time.Time, every time.Duration) bool {
	age := now.Sub(p.at)
	if p.granted == 0 || age < 0 {
		return false
	}
	gone := max(p.used, int64(age/every))
	if gone >= p.granted {
		return false
	}
	p.used = gone + 1
	p.calls++
	return true
}

// permits returns what is held. Now and then it forgets what nobody can use any
// more: there may be as many tenants as there are, but not all that ever were.
func (p *Pacer) permits(h holding) *permits {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.o.Now()
	if age := now.Sub(p.swept); age < 0 || age >= time.Minute {
		for other, held := range p.held {
			if other != h && held.idle(now) {
				delete(p.held, other)
			}
		}
		p.swept = now
	}
	held := p.held[h]
	if held == nil {
		held = &permits{}
		p.held[h] = held
	}
	return held
}

// idle says whether nothing is lost with the permits. Those that are in use at
// this moment are not idle.
func (p *permits) idle(now time.Time) bool {
	if !p.mu.TryLock() {
		return false
	}
	defer p.mu.Unlock()
	age := now.Sub(p.at)
	return (age < 0 || age >= time.Second) && !now.Before(p.dry)
}
