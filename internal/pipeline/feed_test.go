package pipeline_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
	"selvedge/internal/token"
	"selvedge/sink"
)

// event is a record of a feed: when it happened, and from when on it shows.
type event struct {
	at, shown time.Time
}

// feed is a provider with a log by time, the newest first, that shows some events
// late. It is also the grants.
type feed struct {
	*script
	clock  func() time.Time
	spec   connector.Stream
	events []event // by time
	fault  func() error
	calls  int
	bare   bool // records have no id
}

func onFeed(f *feed) option {
	return func(s *storetest.Spec, r *rig) {
		f.spec.Name, f.spec.Newest = byTime, true
		s.Streams, r.feed = []string{byTime}, f
	}
}

func (f *feed) app() connector.App {
	a := f.script.app()
	a.Streams = []connector.Stream{f.spec}
	return a
}

func (f *feed) Session(context.Context, fabric.AppAuthorization) (connector.Session, token.Grant, error) {
	return f, token.Grant{Version: 1, Generation: 1}, nil
}

// Poll gives a page of what showed when the walk began: the token has that time,
// and before which event the page begins.
func (f *feed) Poll(_ context.Context, _ string, at connector.Cursor) (connector.Page, error) {
	f.calls++
	if f.fault != nil {
		if err := f.fault(); err != nil {
			return connector.Page{}, err
		}
	}
	end := func(t time.Time) int {
		return sort.Search(len(f.events), func(i int) bool { return !f.events[i].at.Before(t) })
	}
	began := f.clock()
	next := end(began.Add(1))
	if !at.To.IsZero() {
		next = end(at.To)
	}
	if at.Token != "" {
		var ms int64
		if _, err := fmt.Sscanf(at.Token, "%d/%d", &ms, &next); err != nil {
			return connector.Page{}, err
		}
		began = time.UnixMilli(ms).UTC()
	}
	var p connector.Page
	for first := end(at.From); next > first; next-- {
		if f.events[next-1].shown.After(began) {
			continue
		}
		if len(p.Records) == f.spec.PageMax {
			p.Next = connector.Cursor{From: at.From, To: at.To, Token: fmt.Sprintf("%d/%d", began.UnixMilli(), next)}
			return p, nil
		}
		p.Records = append(p.Records, f.record(next-1))
	}
	p.Next, p.Done = connector.Cursor{From: began}, true
	if !at.To.IsZero() {
		p.Next = connector.Cursor{From: at.To, To: at.To}
	}
	return p, nil
}

func (f *feed) record(i int) connector.Record {
	r := connector.Record{ID: strconv.Itoa(i), Time: f.events[i].at, Raw: []byte(fmt.Sprintf(`{"n":%d}`, i))}
	if f.bare {
		r.ID = ""
	}
	return r
}

// tally is a bucket that counts what it gets.
type tally struct {
	mu      sync.Mutex
	t       *testing.T
	clock   func() time.Time
	objects map[string][32]byte    // by bucket and key
	got     map[string]map[int]int // by destination, event: how often
	first   map[int]time.Time
	fail    func() error
}

func newTally(t *testing.T, clock func() time.Time) *tally {
	return &tally{t: t, clock: clock, objects: map[string][32]byte{}, got: map[string]map[int]int{}, first: map[int]time.Time{}}
}

func (b *tally) Put(_ context.Context, o sink.Object) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		if err := b.fail(); err != nil {
			return err
		}
	}
	sum := sha256.Sum256(o.Body)
	name := o.Bucket + "/" + o.Key
	if old, ok := b.objects[name]; ok {
		if old != sum {
			b.t.Errorf("%s has other bytes than before", name)
		}
		return nil
	}
	b.objects[name] = sum
	parts := strings.Split(o.Key, "/")
	destination := parts[len(parts)-3]
	if b.got[destination] == nil {
		b.got[destination] = map[int]int{}
	}
	for l := range bytes.Lines(o.Body) {
		var n int
		if _, err := fmt.Sscanf(string(l), `{"n":%d}`, &n); err != nil {
			b.t.Errorf("a line that is none: %q", l)
			continue
		}
		b.got[destination][n]++
		if _, ok := b.first[n]; !ok {
			b.first[n] = b.clock()
		}
	}
	return nil
}

func (b *tally) has(o sink.Object) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.objects[o.Bucket+"/"+o.Key]
	return ok
}

// work runs every duty that is due once; polls as the dispatcher would end them.
func (r *rig) work(crash func() bool) {
	r.t.Helper()
	for _, d := range []struct {
		duty store.Duty
		run  func(context.Context, store.Claim) error
	}{
		{store.DutyPoll, r.poller.Run}, {store.DutyBackfill, r.backfill.Run}, {store.DutyDeliver, r.deliver.Run}, {store.DutySweep, r.sweeper.Run},
	} {
		r.run(d.duty, func(ctx context.Context, c store.Claim) error {
			if crash != nil && crash() {
				return errKilled // its lease runs out
			}
			return d.run(ctx, c)
		})
	}
}

// run runs what is due of a duty once.
func (r *rig) run(d store.Duty, run func(context.Context, store.Claim) error) {
	r.t.Helper()
	claims, err := r.store.Claim(r.t.Context(), d, "test", time.Minute, 10)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, c := range claims {
		r.endAny(c, unlessKilled(func() error { return run(r.t.Context(), c) }))
	}
}

// errKilled is what a test panics with in the middle of a duty, for the death of
// its process.
var errKilled = errors.New("killed")

func unlessKilled(run func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errKilled
		}
	}()
	return run()
}

// endAny ends a claim as the dispatcher would.
func (r *rig) endAny(c store.Claim, err error) {
	r.t.Helper()
	if err == nil || errors.Is(err, store.ErrFenced) || errors.Is(err, errKilled) {
		return
	}
	retry, ok := errors.AsType[*job.Retry](err)
	if !ok {
		r.t.Fatalf("%s: %v", c.Duty, err)
	}
	if ferr := r.store.Fail(r.t.Context(), c, r.clock().Add(retry.After), retry.Reason); ferr != nil && !errors.Is(ferr, store.ErrFenced) {
		r.t.Fatal(ferr)
	}
}
