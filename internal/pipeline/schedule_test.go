package pipeline_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/store/storetest"
	"selvedge/sink"
)

// TestAnyScheduleDeliversWhatIsShown runs random schedules of pages, crashes,
// outages and changes of destinations. In the end every destination holds exactly
// what was shown, a bucket each event once, and no object has changed. Half of the
// feeds have no ids, and equal records. The name of a run is its seed.
func TestAnyScheduleDeliversWhatIsShown(t *testing.T) {
	t.Parallel()
	seeds := []uint64{0, 1, 2, 33} // the last found a poll that reached back twice
	if os.Getenv("SOAK") != "" {
		for seed := uint64(3); seed < 60; seed++ {
			seeds = append(seeds, seed)
		}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			s := newSchedule(t, seed)
			s.run()
			s.check()
		})
	}
}

// schedule is a run of random events.
type schedule struct {
	*rig
	rng        *rand.Rand
	events     *feed
	got        *tally
	taken      map[string]map[int]int // by stream, event: how often
	owner      map[string]string      // the destination of each bucket and stream
	living     []fabric.IngestionDestination
	down, away bool // the provider, and all sinks
	calm       bool // nothing fails any more
	places     int
}

func newSchedule(t *testing.T, seed uint64) *schedule {
	rng := rand.New(rand.NewPCG(seed, 2))
	f := &feed{spec: connector.Stream{PageMax: 1 + rng.IntN(40), Overlap: time.Hour}, bare: seed%2 == 1}
	r := newRig(t, onFeed(f), func(_ *storetest.Spec, r *rig) { r.interval = 40 * time.Minute })
	s := &schedule{rig: r, rng: rng, events: f, got: newTally(t, r.clock), taken: map[string]map[int]int{}, owner: map[string]string{}}
	s.living = slices.Clone(r.made.Destinations)
	s.owner[s.living[0].Place.Bucket] = s.living[0].ID
	r.options.KeepRaw = 1000 * time.Hour
	r.options.Buckets, r.options.Streams = s, s
	r.rebuild()
	f.fault = s.fault
	return s
}

const scheduleSpan = 30 * time.Hour

func (s *schedule) run() {
	s.events.events = trace(s.rng.Uint64(), 200, s.clock(), scheduleSpan)
	crash := func() bool { return s.rng.Float64() < 0.05 }
	for end := s.clock().Add(scheduleSpan + 76*time.Hour); s.clock().Before(end); s.pass(s.interval + time.Duration(s.rng.IntN(60))*time.Second) {
		s.down, s.away = toggle(s.rng, s.down), toggle(s.rng, s.away)
		switch p := s.rng.Float64(); {
		case p < 0.03 && len(s.living) < 4:
			d := storetest.Destination(s.t, s.store, s.made.Ingestion, rawJSON(), s.clock())
			s.living = append(s.living, d)
			s.put(d)
		case p < 0.13:
			s.put(s.living[s.rng.IntN(len(s.living))])
		case p < 0.14 && len(s.living) > 1:
			s.remove(s.rng.IntN(len(s.living)))
		case p < 0.17:
			s.rebuild() // another process
		}
		s.work(crash)
	}
	s.calm = true
	for range 60 { // long enough for every wait, and the widest window, to come round
		s.pass(s.interval)
		s.work(nil)
	}
}

func toggle(rng *rand.Rand, on bool) bool {
	if on {
		return rng.Float64() > 0.3
	}
	return rng.Float64() < 0.02
}

// put leads a destination to a place of its own: a bucket, or a stream.
func (s *schedule) put(d fabric.IngestionDestination) {
	s.t.Helper()
	s.places++
	name := fmt.Sprintf("place-%d", s.places)
	s.owner[name] = d.ID
	p := fabric.Place{Bucket: name}
	if s.rng.IntN(2) == 0 {
		p = fabric.Place{Stream: name}
	}
	if _, err := s.store.UpdateIngestionDestination(s.t.Context(), storetest.Caller(), d.BundleID, d.IngestionID, d.ID, p); err != nil {
		s.t.Fatal(err)
	}
}

func (s *schedule) remove(n int) {
	s.t.Helper()
	d := s.living[n]
	if err := s.store.DeleteIngestionDestination(s.t.Context(), storetest.Caller(), d.BundleID, d.IngestionID, d.ID); err != nil {
		s.t.Fatal(err)
	}
	s.living = slices.Delete(s.living, n, n+1)
}

// fault is what becomes of a call of the provider.
func (s *schedule) fault() error {
	if s.calm {
		return nil
	}
	switch p := s.rng.Float64(); {
	case s.down:
		return failure(connector.Unavailable)
	case p > 0.97:
		panic(errKilled)
	case p < 0.02:
		return failure(connector.CursorExpired)
	case p < 0.04:
		return failure(connector.Malformed)
	case p < 0.08:
		return failure(connector.Throttled)
	}
	return nil
}

// Put is the bucket: it may be away, refuse what it has not, take an object and not
// say so, or see the process die before or after.
func (s *schedule) Put(ctx context.Context, o sink.Object) error {
	p := s.rng.Float64()
	switch {
	case s.calm:
		return s.got.Put(ctx, o)
	case s.away || p < 0.05:
		return &sink.Error{Kind: sink.Unavailable, Reason: "away"}
	case p < 0.10 && !s.got.has(o):
		return &sink.Error{Kind: sink.Refused, Reason: "it may not"}
	case p < 0.13:
		panic(errKilled)
	}
	err := s.got.Put(ctx, o)
	switch {
	case p < 0.23:
		return &sink.Error{Kind: sink.Unavailable, Reason: "the answer was lost"}
	case p < 0.28:
		panic(errKilled)
	}
	return err
}

// MaxRecord is that of a stream.
func (s *schedule) MaxRecord() int { return 1 << 20 }

// Send is the stream: like the bucket, and it may take some records only.
func (s *schedule) Send(_ context.Context, to sink.Stream, records [][]byte) ([]int, error) {
	p := s.rng.Float64()
	switch {
	case s.calm:
	case s.away || p < 0.05:
		return nil, &sink.Error{Kind: sink.Unavailable, Reason: "away"}
	case p < 0.08:
		return nil, &sink.Error{Kind: sink.Refused, Reason: "it may not"}
	}
	var failed []int
	for i, line := range records {
		if !s.calm && p < 0.4 && s.rng.IntN(3) == 0 {
			failed = append(failed, i)
			continue
		}
		s.take(to.Name, line)
		if !s.calm && s.rng.Float64() < 0.002 {
			panic(errKilled)
		}
	}
	switch {
	case s.calm:
	case p < 0.12:
		return nil, &sink.Error{Kind: sink.Unavailable, Reason: "the answer was lost"}
	case p < 0.16 && len(failed) > 0:
		return failed, &sink.Error{Kind: sink.Unavailable, Reason: "away in the middle"}
	}
	return failed, nil
}

func (s *schedule) take(stream string, line []byte) {
	var n int
	if _, err := fmt.Sscanf(string(line), "{\"n\":%d}\n", &n); err != nil {
		s.t.Errorf("a record that is none: %q", line)
	}
	if s.taken[stream] == nil {
		s.taken[stream] = map[int]int{}
	}
	s.taken[stream][n]++
}

// check compares what the living destinations have with what was shown.
func (s *schedule) check() {
	s.t.Helper()
	for n, d := range s.living {
		streams := map[int]int{}
		for name, taken := range s.taken {
			if s.owner[name] == d.ID {
				for i, times := range taken {
					streams[i] += times
				}
			}
		}
		objects := s.got.got[d.ID]
		for i, e := range s.events.events {
			if objects[i]+streams[i] == 0 || objects[i] > 1 {
				s.t.Errorf("destination %d has event %d (%v late) %d times in buckets and %d in streams", n, i, e.shown.Sub(e.at), objects[i], streams[i])
			}
		}
		if extra := len(objects) + len(streams); extra == 0 || len(objects) > len(s.events.events) || len(streams) > len(s.events.events) {
			s.t.Errorf("destination %d has %d events in buckets and %d in streams, of %d", n, len(objects), len(streams), len(s.events.events))
		}
	}
}
