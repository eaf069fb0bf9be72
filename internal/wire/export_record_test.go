package wire

import "time"

// Hide removes from a JSON value what must not be recorded.
func Hide(v any) { hide(v) }

// NewThrottle is the limit of rates: to take a token, and how many buckets are
// kept.
func NewThrottle(t Throttle) (take func(account, operation string, now time.Time) error, kept func() int) {
	th := newThrottle(t)
	return th.take, func() int { return len(th.full) }
}
