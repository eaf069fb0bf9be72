package connectortest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"
	"unicode/utf8"

	"selvedge/connector"
)

// engine polls as the pipeline does, with nothing kept between two pages but
// the cursor's JSON and the records stored.
type engine struct {
	*rig
	cursor []byte
	stored map[string]connector.Record // by id, else by a hash of the bytes
	pages  int
	began  time.Time // when the poll's first page was asked for; zero: none is under way
}

func newEngine(r *rig, from connector.Cursor) *engine {
	e := &engine{rig: r, stored: make(map[string]connector.Record)}
	e.keep(from)
	return e
}

// live is where a new ingestion begins: six hours back.
func (r *rig) live() connector.Cursor {
	return connector.Cursor{From: r.clock().Add(-6 * time.Hour)}
}

func (e *engine) keep(c connector.Cursor) {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // times of four-digit years and strings always marshal
	}
	e.cursor = b
}

func (e *engine) place(t *testing.T) connector.Cursor {
	t.Helper()
	var c connector.Cursor
	if err := json.Unmarshal(e.cursor, &c); err != nil {
		t.Fatalf("the cursor does not survive JSON: %v", err)
	}
	return c
}

// read reads the next page and stores nothing: a crash before the commit.
func (e *engine) read(t *testing.T) (connector.Page, error) {
	t.Helper()
	if e.began.IsZero() {
		e.began = e.clock()
	}
	before := e.counted()
	p, err := e.session().Poll(t.Context(), e.c.Stream, e.place(t))
	if n := e.counted() - before; n > 1 {
		t.Errorf("one page took %d calls", n)
	}
	return p, err
}

// step reads and stores the next page, and tells whether the poll has ended.
func (e *engine) step(t *testing.T) (done bool) {
	t.Helper()
	p, err := e.read(t)
	if err != nil {
		t.Fatalf("page %d: %v", e.pages+1, err)
	}
	e.store(t, p)
	return p.Done
}

func (e *engine) store(t *testing.T, p connector.Page) {
	t.Helper()
	e.pages++
	for _, r := range p.Records {
		key := keyOf(r)
		if old, ok := e.stored[key]; ok && !bytes.Equal(old.Raw, r.Raw) {
			t.Errorf("record %s has two spellings", key)
		}
		e.stored[key] = r
	}
	next := p.Next
	if next.From.After(e.clock()) {
		t.Errorf("the cursor's time %v lies in the future", next.From)
	}
	if p.Done && !e.stream.Arrival && next.To.IsZero() {
		// What arrived during the walk may stand behind pages already read.
		if next.From.After(e.began) || next.Token != "" {
			t.Errorf("a walk begun at %v ends with cursor %+v: want the time at which it began", e.began, next)
		}
		next = connector.Cursor{From: next.From.Add(-e.stream.Overlap)}
	}
	if p.Done {
		e.began = time.Time{}
	}
	e.keep(next)
}

// keyOf is by what the engine knows a record again.
func keyOf(r connector.Record) string {
	if r.ID != "" {
		return r.ID
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(r.Raw))
}

// drain polls until the provider has nothing more, a crash after every page.
func (e *engine) drain(t *testing.T) {
	t.Helper()
	for range 100 {
		if e.step(t) {
			return
		}
	}
	t.Fatal("no end after 100 pages")
}

// holds fails the test unless exactly these records are stored, byte for byte.
func (e *engine) holds(t *testing.T, want map[string][]byte) {
	t.Helper()
	missing := 0
	for id, raw := range want {
		r, ok := e.stored[id]
		if !ok {
			missing++
			continue
		}
		if !bytes.Equal(r.Raw, raw) {
			t.Errorf("record %s: other bytes than the provider's:\n got %s\nwant %s", id, r.Raw, raw)
		}
		if r.Time.IsZero() {
			t.Errorf("record %s has no time", id)
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d records are missing", missing, len(want))
	}
	if extra := len(e.stored) - (len(want) - missing); extra > 0 {
		t.Errorf("%d records that nobody expected", extra)
	}
}

// classified returns the connector's error within err, failing the test where
// there is none or it says what must not be shown.
func classified(t *testing.T, err error, want connector.Kind) *connector.Error {
	t.Helper()
	e, ok := errors.AsType[*connector.Error](err)
	if !ok {
		t.Fatalf("got error %v, want a *connector.Error of kind %v", err, want)
	}
	if e.Kind != want {
		t.Errorf("got kind %v, want %v: %v", e.Kind, want, err)
	}
	if e.Op == "" {
		t.Errorf("the error does not say what was done: %v", err)
	}
	for _, r := range e.Reason {
		if r < ' ' || r == 0x7f {
			t.Errorf("control character in reason %q", e.Reason)
		}
	}
	if n := utf8.RuneCountInString(e.Reason); n > 300 {
		t.Errorf("the reason has %d characters", n)
	}
	return e
}
