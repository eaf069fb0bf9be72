package outbound

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"selvedge/connector"
	"selvedge/internal/store"
)

// ErrPaced is in the error of a call that was not made because its tenant is to
// be left alone for now. The error is a connector.Error of the kind Throttled,
// whose Until says until when.
var ErrPaced = errors.New("outbound: the call was not made: it has to wait")

// Priority is whose turn it is where calls are few. What comes first leaves
// nothing for the others; what comes later leaves a share of the permits.
type Priority int

// The priorities. The zero Priority is Live.
const (
	Live     Priority = iota // polling for what is new
	Lookup                   // looking users up
	Backfill                 // reading what is old
)

// leaves is how many of the permits a priority leaves to those before it. It is
// at least one more for each, as far as there are that many: of four permits a
// fifth would be none, and those who look users up would take all.
func (p Priority) leaves(burst int64) int64 {
	switch p {
	case Lookup:
		return min(max(burst/5, 1), burst-1)
	case Backfill:
		return min(max(burst/2, Lookup.leaves(burst)+1), burst-1)
	}
	return 0
}

// late is how much longer than others a priority waits after the provider has
// asked to wait.
func (p Priority) late() time.Duration {
	if p == Backfill {
		return time.Second
	}
	return 0
}

type priorityKey struct{}

// WithPriority returns a context whose calls have a priority.
func WithPriority(ctx context.Context, p Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, p)
}

func priorityOf(ctx context.Context) Priority {
	p, _ := ctx.Value(priorityKey{}).(Priority)
	return min(max(p, Live), Backfill)
}

// Cause is why a call had to wait.
type Cause string

// The causes of a wait.
const (
	Refused Cause = "refused" // the provider refused a call that was made
	Blocked Cause = "blocked" // not made: the provider had asked to wait, of this replica or another
	Spent   Cause = "spent"   // not made: connector.Pace allows no more
)

// PacerOptions is what a Pacer needs. All members are required but Observe.
type PacerOptions struct {
	Store   *store.Store
	Now     func() time.Time
	Log     *slog.Logger
	Observe func(app string, cause Cause) // is told of each wait; nil: nobody is
}

// Pacer keeps the calls of all sessions within what connector.Pace allows and
// providers ask for, together with the Pacers of all other replicas: what they
// must agree on is one row for each PaceKey. It never waits; a
// call that would have to is not made and fails with ErrPaced. It is safe for
// concurrent use.
//
// Calls to a provider's sign-in server do not go through it: they are few, and
// a grant must not be lost for their sake.
//
// Permits are taken as many as are needed for a second. A permit that is not used
// lapses as soon as the bucket has got it back, so that what replicas hold and
// what the bucket holds is never more than the burst: in any second at most
// Burst + PerSecond calls are let through, however many replicas there are.
type Pacer struct {
	o PacerOptions

	mu    sync.Mutex
	held  map[holding]*permits
	swept time.Time
}

// holding names permits that are held: those of one priority are no other's.
type holding struct {
	tenant   store.PaceKey
	priority Priority
}

// NewPacer returns a pacer that holds no permits yet.
func NewPacer(o PacerOptions) *Pacer {
	if o.Observe == nil {
		o.Observe = func(string, Cause) {}
	}
	return &Pacer{o: o, held: map[holding]*permits{}}
}

// Tenant is the pace of one tenant of an application. Sessions whose tenant has
// the same name share it. A nil *Tenant paces nothing.
type Tenant struct {
	pacer  *Pacer
	key    store.PaceKey
	pace   connector.Pace
	bucket store.Bucket // zero: no limit of ours
	struck atomic.Bool  // refusals are on record that a good answer ends
}

// Tenant returns the pace of a tenant, by a name that is the same however its
// identifier is spelt. A nil Pacer has none.
func (p *Pacer) Tenant(app connector.App, tenant string) *Tenant {
	if p == nil {
		return nil
	}
	return &Tenant{pacer: p, key: store.PaceKey{App: app.Name, Tenant: tenant}, pace: app.Pace, bucket: bucketOf(app.Pace)}
}

// bucketOf is a Pace as a bucket; a limit is rounded down.
func bucketOf(p connector.Pace) store.Bucket {
	if !(p.PerSecond > 0) {
		return store.Bucket{}
	}
	const most = 1e6
	perSecond := min(p.PerSecond, most)
	burst := int64(p.Burst)
	if burst <= 0 {
		burst = int64(perSecond)
	}
	every := time.Duration(min(math.Ceil(1e6/perSecond), time.Hour.Seconds()*1e6)) * time.Microsecond
	return store.Bucket{Every: every, Burst: min(max(burst, 1), most)}
}

// admit lets one call through, or says how long it has to wait. What the
// provider asked for is read each time.
func (t *Tenant) admit(ctx context.Context) error {
	priority := priorityOf(ctx)
	if t.bucket.Burst == 0 {
		return t.open(ctx, priority)
	}
	h := t.pacer.permits(holding{t.key, priority})
	h.mu.Lock()
	now := t.pacer.o.Now()
	switch {
	case h.take(now, t.bucket.Every):
		h.mu.Unlock()
		return t.open(ctx, priority)
	case now.Before(h.dry):
		until := h.dry
		h.mu.Unlock()
		return t.spent(until)
	}
	defer h.mu.Unlock() // one asks, and the others find what it got
	got, err := t.pacer.o.Store.TakePermits(ctx, t.key, t.request(priority, h))
	if err != nil {
		return fmt.Errorf("outbound: pace: %w", err)
	}
	switch {
	case !got.Blocked.IsZero():
		return t.blocked(got.Blocked, priority)
	case got.Granted == 0:
		h.dry = t.pacer.o.Now().Add(got.Wait)
		return t.spent(h.dry)
	}
	h.got(got.Granted, now)
	t.struck.Store(got.Strikes > 0)
	return nil
}

// request asks for a second's worth at the most.
func (t *Tenant) request(p Priority, h *permits) store.PermitRequest {
	worth := min(int64(time.Second/t.bucket.Every), t.bucket.Burst)
	return store.PermitRequest{
		Bucket: t.bucket, Want: h.want(worth), Leave: p.leaves(t.bucket.Burst),
		Holds: p != Backfill, Yields: p == Backfill, Late: p.late(),
	}
}

// open refuses while the provider wants to be left alone.
func (t *Tenant) open(ctx context.Context, p Priority) error {
	known, err := t.pacer.o.Store.LoadPace(ctx, t.key)
	if err != nil {
		return fmt.Errorf("outbound: pace: %w", err)
	}
	t.struck.Store(known.Strikes > 0)
	if !known.Blocked.IsZero() && t.pacer.o.Now().Before(known.Blocked.Add(p.late())) {
		return t.blocked(known.Blocked, p)
	}
	return nil
}

func (t *Tenant) blocked(until time.Time, p Priority) error {
	return t.refusal(Blocked, asksUntil(until), until.Add(p.late()))
}

func (t *Tenant) spent(until time.Time) error {
	return t.refusal(Spent, fmt.Sprintf("at most %s are made to one tenant; the next is due at %s", rateOf(t.pace), clock(until)), until)
}

func (t *Tenant) refusal(cause Cause, reason string, until time.Time) error {
	t.pacer.o.Observe(t.key.App, cause)
	return &connector.Error{Kind: connector.Throttled, Op: "outbound: pace", Reason: "paced: " + reason, Until: until, Err: ErrPaced}
}

func asksUntil(until time.Time) string { return "the provider asks to wait until " + clock(until) }

// clock is a time of today for people, not before the one that is meant.
func clock(t time.Time) string {
	return t.UTC().Add(time.Second - 1).Truncate(time.Second).Format("15:04:05Z")
}

func rateOf(p connector.Pace) string {
	if p.PerSecond >= 1 {
		return fmt.Sprintf("%.4g calls a second", p.PerSecond)
	}
	return fmt.Sprintf("%.4g calls a minute", 60*p.PerSecond)
}
