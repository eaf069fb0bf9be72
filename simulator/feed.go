package simulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sort"
	"time"
)

// Event is one record of an audit feed.
type Event struct {
	Raw []byte // the record as it is served, byte for byte, without the white space around it

	// ID and Published are read from Raw when they are empty; a record that lacks
	// them (a bad one, for a test) needs them here.
	ID        string
	Published time.Time
	Stream    string // of applications with several feeds

	// Arrival is when the provider has the event in its log: it is not shown
	// earlier. Zero, or a time already behind what has been shown: now.
	Arrival time.Time
}

type entry struct {
	Event
	seq int
}

// feed is the audit log of one application.
type feed struct {
	idKey, timeKey string                                    // members of a record
	tell           func(raw []byte) (Event, error)           // in their place: fills in all but Raw and Arrival; nil: they do
	compose        func(rng *rand.Rand, at time.Time) []byte // one varied record
	composers      map[string]composeFunc                    // the same, for each feed of an application with several
	seed, stream   uint64

	entries     []entry // by arrival, then seq
	byPublished []entry // by published, then seq; nil after a change
	frontier    time.Time
	all, shown  map[string][]byte
	seq         int
	composed    uint64
	trickle     struct {
		every time.Duration
		next  time.Time
	}
}

type composeFunc = func(rng *rand.Rand, at time.Time) []byte

func newFeed(seed, stream uint64) feed {
	return feed{seed: seed, stream: stream, all: map[string][]byte{}, shown: map[string][]byte{}}
}

// Add puts events into the log. The same id may come again with the same bytes.
func (a *app) Add(events ...Event) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.add(slices.Clone(events))
}

// add fills in what the events themselves tell.
func (a *app) add(events []Event) error {
	complete := make([]entry, len(events))
	for i := range events {
		e := &events[i]
		if err := a.complete(e); err != nil {
			return fmt.Errorf("simulator: add to %s: %w", a.name, err)
		}
		if have, ok := a.all[e.ID]; ok && !bytes.Equal(have, e.Raw) {
			return fmt.Errorf("simulator: add to %s: record %s is there already, with other bytes", a.name, e.ID)
		}
		complete[i] = entry{Event: *e, seq: a.seq + i + 1}
	}
	for _, e := range complete {
		a.all[e.ID] = e.Raw
	}
	a.seq += len(complete)
	a.entries = append(a.entries, complete...)
	if !slices.IsSortedFunc(a.entries, byArrival) {
		slices.SortFunc(a.entries, byArrival)
	}
	a.byPublished = nil
	return nil
}

// complete fills in what the record itself tells.
func (a *app) complete(e *Event) error {
	e.Raw = bytes.Trim(e.Raw, " \t\r\n") // JSON's white space, and no other
	if !json.Valid(e.Raw) {
		return errors.New("record is not JSON")
	}
	if err := a.identify(e); err != nil {
		return err
	}
	if e.Arrival.IsZero() {
		e.Arrival = a.now()
	}
	// An event behind a cursor that was given out would never be shown, which no
	// provider with a cursor by arrival does.
	if e.Arrival.Before(a.frontier) {
		e.Arrival = a.frontier
	}
	return nil
}

// Repeat puts records that are in the log into it once more, arriving now.
func (a *app) Repeat(ids ...string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	again := make([]Event, 0, len(ids))
	for _, id := range ids {
		at := slices.IndexFunc(a.entries, func(e entry) bool { return e.ID == id })
		if at < 0 {
			return fmt.Errorf("simulator: repeat in %s: no record %s", a.name, id)
		}
		e := a.entries[at].Event
		e.Arrival = a.now()
		again = append(again, e)
	}
	return a.add(again)
}

// Generate makes n varied records, published a quarter of a second apart and
// ending now. They are not in the log until they are added.
func (a *app) Generate(n int) [][]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.generate(a.compose, n, a.now())
}

func (a *app) generate(compose composeFunc, n int, last time.Time) [][]byte {
	records := make([][]byte, n)
	for i := range records {
		a.composed++
		rng := rand.New(rand.NewPCG(a.seed^a.stream, a.composed))
		records[i] = compose(rng, last.Add(time.Duration(i-n+1)*250*time.Millisecond))
	}
	return records
}

// Emit adds n generated records that arrive now and were published late before
// that, and returns their ids.
func (a *app) Emit(n int, late time.Duration) ([]string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.emit(a.compose, n, late)
}

// EmitTo is Emit for one feed of an application with several.
func (a *app) EmitTo(stream string, n int, late time.Duration) ([]string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	compose, ok := a.composers[stream]
	if !ok {
		return nil, fmt.Errorf("simulator: %s has no feed %q", a.name, stream)
	}
	return a.emit(compose, n, late)
}

func (a *app) emit(compose composeFunc, n int, late time.Duration) ([]string, error) {
	events := make([]Event, n)
	for i, raw := range a.generate(compose, n, a.now().Add(-late)) {
		events[i].Raw = raw
	}
	if err := a.add(events); err != nil {
		return nil, err
	}
	ids := make([]string, n)
	for i, e := range events {
		ids[i] = e.ID
	}
	return ids, nil
}

// Trickle lets one generated record happen every so often from now on; zero ends
// it. Records come to be when the feed is next read.
func (a *app) Trickle(every time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.flow()
	a.trickle.every, a.trickle.next = max(every, 0), a.now().Add(every)
}

// flow makes the records that are due by the trickle.
func (a *app) flow() {
	var due []Event
	for now := a.now(); a.trickle.every > 0 && !a.trickle.next.After(now); a.trickle.next = a.trickle.next.Add(a.trickle.every) {
		due = append(due, Event{Raw: a.generate(a.compose, 1, a.trickle.next)[0], Arrival: a.trickle.next})
	}
	if len(due) == 0 {
		return
	}
	if err := a.add(due); err != nil {
		panic(err.Error()) // a generated record is always complete and new
	}
}

// identify reads the id and the time from the record, where they are not given.
func (a *app) identify(e *Event) error {
	if e.ID != "" && !e.Published.IsZero() {
		return nil
	}
	if a.tell != nil {
		told, err := a.tell(e.Raw)
		if err != nil {
			return err
		}
		e.ID, e.Stream = cmp.Or(e.ID, told.ID), cmp.Or(e.Stream, told.Stream)
		if e.Published.IsZero() {
			e.Published = told.Published
		}
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(e.Raw, &members); err != nil {
		return fmt.Errorf("record without id and time: %w", err)
	}
	if e.ID == "" {
		if err := json.Unmarshal(members[a.idKey], &e.ID); err != nil {
			return fmt.Errorf("record's %s: %w", a.idKey, err)
		}
	}
	if e.Published.IsZero() {
		if err := json.Unmarshal(members[a.timeKey], &e.Published); err != nil {
			return fmt.Errorf("record's %s: %w", a.timeKey, err)
		}
	}
	return nil
}

// All is every record of the log by id. The bytes must not be changed.
func (a *app) All() map[string][]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.all)
}

// Shown is every record that was in a 200 answer whose whole body was sent, by
// id, with the bytes it had in the page's array. They must not be changed.
func (a *app) Shown() map[string][]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.shown)
}

// arrived is the log as far as it has arrived, by arrival. Reading it moves the
// frontier.
func (a *app) arrived() []entry {
	a.flow()
	now := a.now()
	if now.After(a.frontier) {
		a.frontier = now
	}
	n := sort.Search(len(a.entries), func(i int) bool { return a.entries[i].Arrival.After(now) })
	return a.entries[:n]
}

// published is the arrived log by time of publication, within [from, to).
func (a *app) published(from, to time.Time) []entry {
	arrived := a.arrived()
	if a.byPublished == nil {
		a.byPublished = slices.Clone(a.entries)
		slices.SortFunc(a.byPublished, byPublished)
	}
	list := a.byPublished
	lo := sort.Search(len(list), func(i int) bool { return !list[i].Published.Before(from) })
	hi := sort.Search(len(list), func(i int) bool { return !list[i].Published.Before(to) })
	if hi = max(lo, hi); len(arrived) == len(list) {
		return list[lo:hi]
	}
	now := a.now()
	var seen []entry
	for _, e := range list[lo:hi] {
		if !e.Arrival.After(now) {
			seen = append(seen, e)
		}
	}
	return seen
}

// ofStream keeps the entries of one feed.
func ofStream(list []entry, stream string) []entry {
	var out []entry
	for _, e := range list {
		if e.Stream == stream {
			out = append(out, e)
		}
	}
	return out
}

// show records that the page has been sent.
func (a *app) show(page []entry) {
	for _, e := range page {
		a.shown[e.ID] = e.Raw
	}
}

// array is the page as a JSON array, every element byte for byte.
func array(page []entry) []byte {
	elements := make([][]byte, len(page))
	for i, e := range page {
		elements[i] = e.Raw
	}
	out := append([]byte{'['}, bytes.Join(elements, []byte(",\n"))...)
	return append(out, ']')
}

func byArrival(x, y entry) int {
	return cmp.Or(x.Arrival.Compare(y.Arrival), cmp.Compare(x.seq, y.seq))
}

func byPublished(x, y entry) int {
	return cmp.Or(x.Published.Compare(y.Published), cmp.Compare(x.seq, y.seq))
}
