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
// and how many records lie before the page.
func (f *feed) Poll(_ context.Context, _ string, at connector.Cursor) (connector.Page, error) {
	f.calls++
	if f.fault != nil {
		if err := f.fault(); err != nil {
			return connector.Page{}, err
		}
	}
	began, skip := f.clock(), 0
	if at.Token != "" {
		when, n, _ := strings.Cut(at.Token, "/")
		ms, err := strconv.ParseInt(when, 10, 64)
		if err != nil {
			return connector.Page{}, err
		}
		began = time.UnixMilli(ms).UTC()
		if skip, err = strconv.Atoi(n); err != nil {
			return connector.Page{}, err
		}
	}
	lo := sort.Search(len(f.events), func(i int) bool { return !f.events[i].at.Before(at.From) })
	hi := sort.Search(len(f.events), func(i int) bool { return f.events[i].at.After(began) })
	if !at.To.IsZero() {
		hi = sort.Search(len(f.events), func(i int) bool { return !f.events[i].at.Before(at.To) })
	}
	var p connector.Page
	for i := hi - 1; i >= lo; i-- {
		if f.events[i].shown.After(began) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if len(p.Records) == f.spec.PageMax {
			_, n, _ := strings.Cut(at.Token+"/0", "/")
			n, _, _ = strings.Cut(n, "/")
			before, _ := strconv.Atoi(n)
			p.Next = connector.Cursor{From: at.From, To: at.To, Token: fmt.Sprintf("%d/%d", began.UnixMilli(), before+len(p.Records))}
			return p, nil
		}
		p.Records = append(p.Records, f.record(i))
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
	objects map[string][32]byte
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
	if old, ok := b.objects[o.Key]; ok {
		if old != sum {
			b.t.Errorf("%s has other bytes than before", o.Key)
		}
		return nil
	}
	b.objects[o.Key] = sum
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

// work runs every duty that is due once; polls as the dispatcher would end them.
func (r *rig) work(crash func() bool) {
	r.t.Helper()
	for _, d := range []struct {
		duty store.Duty
		run  func(context.Context, store.Claim) error
	}{
		{store.DutyPoll, r.poller.Run}, {store.DutyBackfill, r.backfill.Run}, {store.DutyDeliver, r.deliver.Run}, {store.DutySweep, r.sweeper.Run},
	} {
		claims, err := r.store.Claim(r.t.Context(), d.duty, "test", time.Minute, 10)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, c := range claims {
			if crash != nil && crash() {
				continue // its lease runs out
			}
			r.endAny(c, unlessKilled(func() error { return d.run(r.t.Context(), c) }))
		}
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
