package connectortest

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"selvedge/connector"
)

// testCollect reads a feed that grows, repeats itself and shows events late
// while it is read; every page is lost to a crash before its commit, and read
// again.
func testCollect(t *testing.T, c Case) {
	r := newRig(t, c)
	r.emit(t, 2*r.stream.PageMax+r.stream.PageMax/4, 0)
	e := newEngine(r, r.live())
	for poll := range 4 {
		for page := 1; ; page++ {
			if _, err := e.read(t); err != nil {
				t.Fatal(err)
			}
			done := e.step(t)
			if poll < 3 && page < 4 {
				r.advance(time.Second)
				r.emit(t, 3, 0)
				r.emit(t, 2, 30*time.Minute)
				if err := r.Repeat(slices.Sorted(maps.Keys(r.All()))[:2]...); err != nil {
					t.Fatal(err)
				}
			}
			if done {
				break
			}
			if page == 20 {
				t.Fatal("no end after 20 pages")
			}
		}
		r.advance(time.Minute)
	}
	e.holds(t, r.All())
	if shown := r.Shown(); len(shown) != len(r.All()) {
		t.Errorf("the provider has shown %d of %d events", len(shown), len(r.All()))
	}
	normalizeAll(t, c, slices.Collect(maps.Values(r.All())))
}

// testLate shows events up to three days after they happened: a feed by arrival
// does so by itself, and every other when the window is read again in which they
// happened.
func testLate(t *testing.T, c Case) {
	r := newRig(t, c)
	r.emit(t, 20, 0)
	// An event before all that was ever asked for is nobody's.
	live := newEngine(r, connector.Cursor{From: r.clock().Add(-80 * time.Hour)})
	live.drain(t)
	for _, late := range []time.Duration{2 * time.Hour, 26 * time.Hour, 72 * time.Hour} {
		r.advance(time.Minute)
		before := r.All()
		r.emit(t, 20, late)
		live.drain(t)
		if r.stream.Arrival {
			live.holds(t, r.All())
			continue
		}
		want := r.All()
		maps.DeleteFunc(want, func(id string, _ []byte) bool { _, had := before[id]; return had })
		at := r.clock().Add(-late)
		window := newEngine(r, connector.Cursor{From: at.Add(-time.Minute), To: at.Add(time.Minute)})
		window.drain(t)
		window.holds(t, want)
	}
}

// testClockAhead walks many pages by a clock that is ahead of the provider's,
// over midnight too. Nothing that is asked may change for it from page to page,
// and no walk may go on from a time that the provider has not reached.
func testClockAhead(t *testing.T, c Case) {
	testClock(t, c, 10*time.Minute, 2*c.stream(t).PageMax)
	testClock(t, c, 15*time.Hour, c.stream(t).PageMax)
}

// testClockBehind: what the session's clock has not reached may come later, but
// come it must.
func testClockBehind(t *testing.T, c Case) {
	testClock(t, c, -10*time.Minute, c.stream(t).PageMax)
}

func testClock(t *testing.T, c Case, ahead time.Duration, n int) {
	t.Helper()
	r := newRig(t, c)
	r.ahead = ahead
	r.emit(t, n+r.stream.PageMax/4, 0)
	e := newEngine(r, r.live())
	for range 3 {
		for page := 1; ; page++ {
			done := e.step(t)
			if page < 4 {
				r.advance(time.Second)
				r.emit(t, 3, 0)
				r.emit(t, 2, 30*time.Minute)
			}
			if done {
				break
			}
			if page == 20 {
				t.Fatal("no end after 20 pages")
			}
		}
		r.advance(time.Minute)
	}
	r.advance(max(0, -ahead))
	e.drain(t)
	e.holds(t, r.All())
}

// testCalls counts: the fewest pages that hold the records, one more only where
// a page that is not full tells the end, or where the first page has none; and one
// call for a feed that is quiet.
func testCalls(t *testing.T, c Case) {
	r := newRig(t, c)
	r.emit(t, 2*r.stream.PageMax, 0)
	e := newEngine(r, r.live())
	e.drain(t)
	want := 2
	if c.Blind || c.Index {
		want++
	}
	if e.pages != want {
		t.Errorf("%d pages for %d records, %d to a page; want %d", e.pages, 2*r.stream.PageMax, r.stream.PageMax, want)
	}
	e.holds(t, r.All())
	r.advance(2*r.stream.Overlap + time.Hour)
	e.drain(t)
	r.advance(time.Minute)
	before := r.counted()
	e.drain(t)
	if n := r.counted() - before; n != 1 {
		t.Errorf("a quiet feed took %d calls, want 1", n)
	}
}

// testWindow reads a closed window and expects what happened in it, all of it
// and nothing else, with an end.
func testWindow(t *testing.T, c Case) {
	r := newRig(t, c)
	r.emit(t, r.stream.PageMax+r.stream.PageMax/2, 0)
	live := newEngine(r, r.live())
	live.drain(t)
	times := slices.SortedFunc(maps.Values(live.stored), func(a, b connector.Record) int { return a.Time.Compare(b.Time) })
	from, to := times[10].Time, times[len(times)-10].Time
	want := make(map[string][]byte)
	for _, rec := range times {
		if !rec.Time.Before(from) && rec.Time.Before(to) {
			want[keyOf(rec)] = rec.Raw
		}
	}
	window := newEngine(r, connector.Cursor{From: from, To: to})
	window.drain(t)
	window.holds(t, want)

	empty, err := r.session().Poll(t.Context(), c.Stream, connector.Cursor{From: to, To: to})
	if err != nil || !empty.Done || len(empty.Records) > 0 {
		t.Errorf("an empty window gave %d records, done %v, error %v", len(empty.Records), empty.Done, err)
	}
}

// testFaults lets every page fail in every way first: the kind must be exact,
// and the cursor that is kept must bring everything all the same.
func testFaults(t *testing.T, c Case) {
	r := newRig(t, c)
	r.emit(t, 2*r.stream.PageMax+100, 0)
	e := newEngine(r, r.live())
	faults := []struct {
		fault Fault
		kind  connector.Kind
	}{
		{Throttle, connector.Throttled},
		{Break, connector.Unavailable},
		{Hang, connector.Unavailable},
		{Truncate, connector.Unavailable},
		{HTML, connector.Malformed},
	}
	for done := false; !done; done = e.step(t) {
		if e.pages == 20 {
			t.Fatal("no end after 20 pages")
		}
		for _, f := range faults {
			r.inject(t, f.fault)
			err := e.hurried(t, f.fault)
			got := classified(t, err, f.kind)
			switch f.fault {
			case Throttle:
				if wait := got.Until.Sub(r.clock()); !c.NoWait && (wait <= 0 || wait > 3*time.Second) {
					t.Errorf("asked to wait for a second, until is in %v", wait)
				}
			case HTML:
				if len(got.Body) == 0 {
					t.Error("the malformed answer's body is lost")
				}
			}
		}
	}
	e.holds(t, r.All())
}

// hurried polls with the patience that the fault needs: a call that hangs is given
// up once it has reached the provider, and has left it before this returns.
func (e *engine) hurried(t *testing.T, f Fault) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	left := make(chan struct{})
	if f == Hang {
		e.meet(func(serve func()) {
			defer close(left)
			cancel()
			serve()
		})
	} else {
		close(left)
	}
	p, err := e.session().Poll(ctx, e.c.Stream, e.place(t))
	<-left
	e.meet(nil)
	if err == nil {
		t.Fatalf("fault %q: got a page of %d records", f, len(p.Records))
	}
	return err
}

// testUndecodable steps over a page that cannot be decoded.
func testUndecodable(t *testing.T, c Case) {
	r := newRig(t, c)
	r.emit(t, r.stream.PageMax+100, 0)
	e := newEngine(r, r.live())
	page, err := e.read(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "<html>", "null", "17", `{"error":"none"}`, "[{]", `{"data":null}`, `[{"a":1}`} {
		r.change(func(*http.Response, []byte) []byte { return []byte(bad) })
		_, err = e.read(t)
		got := classified(t, err, connector.Malformed)
		if string(got.Body) != bad {
			t.Errorf("page %q: the error's body is %q", bad, got.Body)
		}
		if next := got.Next; next.Token == "" && !c.NextInBody {
			t.Errorf("page %q: the place behind it is lost", bad)
		}
	}
	r.change(nil)
	if c.NextInBody {
		return
	}
	e.keep(classified(t, err, connector.Malformed).Next)
	e.drain(t)
	want := r.All()
	for _, rec := range page.Records {
		delete(want, keyOf(rec))
	}
	e.holds(t, want)
}

// testExpired goes on by time when the provider has forgotten the cursor, in the
// middle of a poll and between two of them.
func testExpired(t *testing.T, c Case) {
	if c.Numbered {
		return
	}
	r := newRig(t, c)
	r.emit(t, r.stream.PageMax+100, 0)
	e := newEngine(r, r.live())
	if e.step(t) {
		t.Fatal("the first of two pages is the last")
	}
	e.expire(t)
	e.drain(t)
	r.advance(time.Minute)
	r.emit(t, 50, 0)
	r.emit(t, 50, 30*time.Minute)
	if r.stream.Arrival { // of others, no cursor is kept between polls
		e.expire(t)
	}
	e.drain(t)
	e.holds(t, r.All())
}

func (e *engine) expire(t *testing.T) {
	t.Helper()
	e.inject(t, Expire)
	_, err := e.read(t)
	classified(t, err, connector.CursorExpired)
	at := e.place(t)
	e.began = time.Time{}
	e.keep(connector.Cursor{From: at.From.Add(-e.stream.Overlap), To: at.To})
}
