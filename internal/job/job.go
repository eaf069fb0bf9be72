package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"selvedge/internal/secret"
	"selvedge/internal/store"
)

// Kind is a duty that a dispatcher works.
type Kind struct {
	Duty    store.Duty
	Workers int           // how many rows are worked at once
	Timeout time.Duration // after which the work's context ends

	// Run does the work of one claim. When it returns nil it has finished the
	// claim; when it fails, the dispatcher does. A *Retry says when to try
	// again and why; any other error waits longer each time.
	Run func(ctx context.Context, c store.Claim) error
}

// Retry is the error of work that knows when it should be tried again.
type Retry struct {
	After  time.Duration
	Reason string // for people; without secrets
	Err    error
}

// Error gives the reason.
func (r *Retry) Error() string { return r.Reason }

// Unwrap returns the cause.
func (r *Retry) Unwrap() error { return r.Err }

// Observer is told what happens to duties. Its methods are called from many
// goroutines.
type Observer interface {
	Claimed(d store.Duty, late time.Duration)
	Ended(d store.Duty, outcome Outcome)
}

// Outcome is how the work of a claim ended.
type Outcome string

// The outcomes of a claim.
const (
	Done     Outcome = "done"
	Retried  Outcome = "retried" // by the work's own word
	Errored  Outcome = "failed"
	Fenced   Outcome = "fenced" // another claim had been made
	Panicked Outcome = "panicked"
	Stopped  Outcome = "stopped" // cancelled by a stop, or because its lease was lost
)

// Options is what a dispatcher needs. All members are required.
type Options struct {
	Store    *store.Store
	Kinds    []Kind
	Owner    string        // names this process in leases; unique among replicas and restarts
	Lease    time.Duration // how long a claim outlives its process
	Grace    time.Duration // how long a stop waits for work under way
	Now      func() time.Time
	Log      *slog.Logger
	Observer Observer
}

// Dispatcher works duties until it is stopped.
type Dispatcher struct {
	o     Options
	wakes []chan struct{}

	mu      sync.Mutex
	running map[row]*work // the newest claim of each row under way
	renewed time.Time     // since when every lease of running has been put off
}

// row is what a claim is of.
type row struct {
	duty store.Duty
	id   string
}

// work is one claim under way.
type work struct {
	claim  store.Claim
	before *work // an older claim of the same row that has not ended yet
	ctx    context.Context
	cancel context.CancelFunc
	ended  chan struct{}
}

// New returns a dispatcher that does nothing yet.
func New(o Options) *Dispatcher {
	d := &Dispatcher{o: o, running: map[row]*work{}}
	for range o.Kinds {
		d.wakes = append(d.wakes, make(chan struct{}, 1))
	}
	return d
}

// stopping is the key of the channel that Stopping looks at.
type stopping struct{}

// Stopping says whether the dispatcher that runs this work is being stopped:
// work of many steps then ends between two of them.
func Stopping(ctx context.Context) bool {
	done, ok := ctx.Value(stopping{}).(<-chan struct{})
	if !ok {
		return false
	}
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// Wake makes the dispatcher look for due rows at once. It never blocks.
func (d *Dispatcher) Wake() {
	for _, c := range d.wakes {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Run works duties until ctx ends, then stops as the package comment says. It
// returns nil after an orderly stop.
func (d *Dispatcher) Run(ctx context.Context) error {
	workCtx, cancelWork := context.WithCancel(context.WithValue(context.WithoutCancel(ctx), stopping{}, ctx.Done()))
	defer cancelWork()
	renewing := d.renewAll(workCtx)

	var loops, works sync.WaitGroup
	for i, k := range d.o.Kinds {
		loops.Go(func() { d.loop(ctx, workCtx, k, d.wakes[i], &works) })
	}
	loops.Wait()
	d.drain(&works, cancelWork)
	cancelWork()
	<-renewing
	return d.release(context.WithoutCancel(ctx))
}

// drain waits for work under way, for as long as the grace; then it cancels
// what is left and waits for that.
func (d *Dispatcher) drain(works *sync.WaitGroup, cancel context.CancelFunc) {
	ended := make(chan struct{})
	go func() {
		works.Wait()
		close(ended)
	}()
	grace := time.NewTimer(d.o.Grace)
	defer grace.Stop()
	select {
	case <-ended:
	case <-grace.C:
		cancel()
		<-ended
	}
}

// bounded is for statements of the dispatcher's own. A database that hangs keeps
// nobody for longer than two leases: what was claimed, or failed, by a statement
// that was given up is worked again when its lease has ended.
func (d *Dispatcher) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, 2*d.o.Lease)
}

// release gives up the leases that are still ours. Those that it cannot give up
// run out.
func (d *Dispatcher) release(ctx context.Context) error {
	ctx, cancel := d.bounded(ctx)
	defer cancel()
	var errs []error
	for _, k := range d.o.Kinds {
		errs = append(errs, d.o.Store.Release(ctx, k.Duty, d.o.Owner))
	}
	return errors.Join(errs...)
}

// loop claims the rows of one kind as they fall due and as workers are free.
func (d *Dispatcher) loop(ctx, workCtx context.Context, k Kind, wake <-chan struct{}, works *sync.WaitGroup) {
	free := make(chan struct{}, k.Workers) // a token for each worker under way
	ended := make(chan struct{}, 1)
	for ctx.Err() == nil {
		n := k.Workers - len(free)
		claims, err := d.claim(ctx, k, n)
		for _, c := range claims {
			free <- struct{}{}
			w := d.track(workCtx, k, c)
			works.Go(func() {
				d.work(k, w)
				<-free
				signal(ended)
			})
		}
		if err == nil && n > 0 && len(claims) == n {
			continue // there may be more that are due
		}
		d.rest(ctx, k, err, len(free) == k.Workers, wake, ended)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (d *Dispatcher) claim(ctx context.Context, k Kind, n int) ([]store.Claim, error) {
	if n == 0 {
		return nil, nil
	}
	d.renewStale(ctx)
	bounded, cancel := d.bounded(ctx)
	defer cancel()
	claims, err := d.o.Store.Claim(bounded, k.Duty, d.o.Owner, d.o.Lease, n)
	if err != nil && ctx.Err() == nil {
		d.o.Log.ErrorContext(ctx, "claim duties", "duty", string(k.Duty), "error", err)
	}
	for _, c := range claims {
		d.o.Observer.Claimed(c.Duty, lateness(c, d.o.Now()))
	}
	return claims, err
}

// lateness is how long after its time a row was claimed. A row that has never
// had a time is not late.
func lateness(c store.Claim, now time.Time) time.Duration {
	if c.Due.IsZero() {
		return 0
	}
	return max(0, now.Sub(c.Due))
}

// longestRest bounds the rest between two looks at the database: another
// process, or a user, may have made rows due.
const longestRest = time.Second

// rest waits until a row may be due: woken, work ended, the next due time, or a
// second. When all workers are busy only an end of work matters.
func (d *Dispatcher) rest(ctx context.Context, k Kind, failed error, busy bool, wake, ended <-chan struct{}) {
	wait := longestRest
	if failed == nil && !busy {
		bounded, cancel := d.bounded(ctx)
		next, ok, err := d.o.Store.NextDue(bounded, k.Duty)
		cancel()
		if err == nil && ok {
			wait = min(wait, next.Sub(d.o.Now()))
		}
	}
	timer := time.NewTimer(max(wait, time.Millisecond))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-wake:
	case <-ended:
	case <-timer.C:
	}
}

// track enters a claim before its work begins, so that its lease is renewed from
// then on. A process that could not renew for longer than a lease may claim a
// row that it still works: then the older work is cancelled.
func (d *Dispatcher) track(ctx context.Context, k Kind, c store.Claim) *work {
	w := &work{claim: c, ended: make(chan struct{})}
	w.ctx, w.cancel = context.WithTimeout(ctx, k.Timeout)
	key := row{c.Duty, c.ID}
	d.mu.Lock()
	defer d.mu.Unlock()
	if w.before = d.running[key]; w.before != nil {
		w.before.cancel()
	}
	d.running[key] = w
	return w
}

func (d *Dispatcher) untrack(w *work) {
	w.cancel()
	close(w.ended)
	d.mu.Lock()
	defer d.mu.Unlock()
	if key := (row{w.claim.Duty, w.claim.ID}); d.running[key] == w {
		delete(d.running, key)
	}
}

// work runs one claim and ends it. Work of the same row that has not ended is
// waited for: the outside never sees two at once.
func (d *Dispatcher) work(k Kind, w *work) {
	defer d.untrack(w)
	if w.before != nil {
		<-w.before.ended
	}
	err := run(w.ctx, k, w.claim)
	if errors.Is(w.ctx.Err(), context.Canceled) && err != nil {
		// The row stays claimed until Run releases it, or its lease runs out:
		// what was cancelled may have committed.
		d.o.Observer.Ended(w.claim.Duty, Stopped)
		return
	}
	d.o.Observer.Ended(w.claim.Duty, d.end(context.WithoutCancel(w.ctx), w.claim, err))
}

// errPanic is the failure of work that panicked.
var errPanic = errors.New("panic")

func run(ctx context.Context, k Kind, c store.Claim) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	return k.Run(ctx, c)
}

// end finishes a claim whose work failed, and says how it ended.
func (d *Dispatcher) end(ctx context.Context, c store.Claim, err error) Outcome {
	outcome, wait, reason := d.judge(ctx, c, err)
	if outcome == Done || outcome == Fenced {
		return outcome
	}
	bounded, cancel := d.bounded(ctx)
	defer cancel()
	if err := d.o.Store.Fail(bounded, c, d.o.Now().Add(wait), reason); err != nil {
		if errors.Is(err, store.ErrFenced) {
			return Fenced
		}
		d.o.Log.ErrorContext(ctx, "end a duty", "duty", string(c.Duty), "id", c.ID, "error", err)
	}
	return outcome
}

// shortWait is a wait that nobody needs to hear of: what does not get better is
// put off for longer each time.
const shortWait = 2 * time.Second

// judge says what an error of work means: how it ended, how long to wait, and
// what to show. The text of an error that nobody classified stays in the log.
func (d *Dispatcher) judge(ctx context.Context, c store.Claim, err error) (Outcome, time.Duration, string) {
	log := d.o.Log.With("duty", string(c.Duty), "id", c.ID, "attempt", c.Attempt)
	key, isKey := errors.AsType[*secret.KeyError](err)
	switch r, isRetry := errors.AsType[*Retry](err); {
	case err == nil:
		return Done, 0, ""
	case errors.Is(err, store.ErrFenced):
		log.WarnContext(ctx, "a duty lost its lease; what it did last was dropped", "error", err)
		return Fenced, 0, ""
	case isKey:
		// Whatever the work made of it: without its key it can do nothing, and
		// what it works for is not at fault.
		wait := min(waitForKey, Backoff(c.Attempt))
		log.WarnContext(ctx, "a duty waits for a key", "after", wait.String(), "reason", key.Reason, "error", key.Err)
		return Retried, wait, key.Reason
	case isRetry:
		level := slog.LevelInfo
		if r.After <= shortWait {
			level = slog.LevelDebug // as calls that keep a provider's pace do all the time
		}
		log.LogAttrs(ctx, level, "a duty waits", slog.String("after", r.After.String()), slog.String("reason", r.Reason), slog.Any("error", r.Err))
		return Retried, r.After, r.Reason
	case errors.Is(err, errPanic):
		log.ErrorContext(ctx, "a duty panicked", "error", err)
		return Panicked, Backoff(c.Attempt), "internal error: the server's log has it"
	default:
		log.ErrorContext(ctx, "a duty failed", "error", err)
		return Errored, Backoff(c.Attempt), "internal error: the server's log has it"
	}
}

// waitForKey is the longest wait for a key: a KMS that is back, or a key that
// is enabled again, is found soon.
const waitForKey = time.Minute

// The waits of Backoff.
const (
	shortestWait = time.Second
	longestWait  = 5 * time.Minute
)

// Backoff is how long to wait after the given attempt, counted from 1: a second,
// doubled each time up to five minutes, give or take a tenth.
func Backoff(attempt int64) time.Duration {
	wait := longestWait
	if attempt < 10 {
		wait = min(longestWait, shortestWait<<max(attempt-1, 0))
	}
	return wait - wait/10 + rand.N(wait/5)
}
