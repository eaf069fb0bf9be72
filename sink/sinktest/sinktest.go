// Package sinktest is the suite that every object sink passes: what a sink may
// be relied on for, as the duty deliver relies on it.
package sinktest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"selvedge/sink"
)

// Harness is one empty place and the sink over it.
type Harness struct {
	Sink   sink.ObjectSink
	Bucket string // prepared by the suite, where the sink is a Preparer

	// Read returns the bytes of an object as a reader of the place sees them,
	// and fs.ErrNotExist where there is none.
	Read func(key string) ([]byte, error)
	// List returns the keys of all objects that a reader of the place sees.
	List func() ([]string, error)
	// Unfinished returns the names of whatever is no object: what attempts
	// that were cut off have left. Nil: the place has no such thing.
	Unfinished func() ([]string, error)
	// Kills returns sinks over the same place, each of which dies at another
	// point of its next Put, by a panic. Nil: the sink cannot be cut off
	// within a Put.
	Kills func() map[string]sink.ObjectSink
}

// region is where all of it is.
const region = "us-east-1"

const key = "raw/AWSAppFabric/AuditLog/OCSF/JSON/i/d/20261122/AuditLog-1763836800000-u"

// Run runs the suite; open makes a harness over a place of its own.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	tests := []struct {
		name string
		run  func(*testing.T, Harness)
	}{
		{"Put", testPut},
		{"Again", testAgain},
		{"Sizes", testSizes},
		{"Neighbours", testNeighbours},
		{"Concurrent", testConcurrent},
		{"NoPartSeen", testNoPartSeen},
		{"Killed", testKilled},
		{"Names", testNames},
		{"Ended", testEnded},
		{"BodyKept", testBodyKept},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			if p, ok := h.Sink.(sink.Preparer); ok {
				for range 2 { // again is success
					if err := p.Prepare(t.Context(), h.Bucket); err != nil {
						t.Fatalf("Prepare: %v", err)
					}
				}
			}
			test.run(t, h)
		})
	}
}

func (h Harness) object(key, body string) sink.Object {
	return sink.Object{Region: region, Bucket: h.Bucket, Key: key, Body: []byte(body), ContentType: "application/x-ndjson"}
}

func (h Harness) mustPut(t *testing.T, key, body string) {
	t.Helper()
	if err := h.Sink.Put(t.Context(), h.object(key, body)); err != nil {
		t.Fatalf("Put(%q): %v", key, err)
	}
}

// wantObjects compares all that a reader sees, and that nothing is unfinished.
func (h Harness) wantObjects(t *testing.T, want map[string]string) {
	t.Helper()
	keys, err := h.List()
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	got := make(map[string]string)
	for _, k := range keys {
		body, err := h.Read(k)
		if err != nil {
			t.Fatalf("Read(%q): %v", k, err)
		}
		got[k] = string(body)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	if names := h.unfinished(t); len(names) > 0 {
		t.Errorf("left unfinished: %q", names)
	}
}

func (h Harness) unfinished(t *testing.T) []string {
	t.Helper()
	if h.Unfinished == nil {
		return nil
	}
	names, err := h.Unfinished()
	if err != nil {
		t.Fatalf("Unfinished: %v", err)
	}
	return names
}

func testPut(t *testing.T, h Harness) {
	if _, err := h.Read(key); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Read before Put: %v, want fs.ErrNotExist", err)
	}
	h.mustPut(t, key, "{}\n")
	h.wantObjects(t, map[string]string{key: "{}\n"})
}

func testAgain(t *testing.T, h Harness) {
	for range 3 {
		h.mustPut(t, key, "{\"a\":1}\n")
	}
	h.wantObjects(t, map[string]string{key: "{\"a\":1}\n"})
}

func testSizes(t *testing.T, h Harness) {
	want := make(map[string]string)
	for _, size := range []int{0, 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 9 << 20} {
		k, body := fmt.Sprintf("sizes/%d", size), strings.Repeat("x", size)
		h.mustPut(t, k, body)
		h.mustPut(t, k, body)
		want[k] = body
	}
	h.wantObjects(t, want)
	err := h.Sink.Put(t.Context(), sink.Object{Region: region, Bucket: h.Bucket, Key: key, Body: make([]byte, sink.MaxBody+1)})
	wantRefused(t, "an object too large", err)
}

// testNeighbours has keys that share their beginnings, and one that is another
// one's folder's sibling.
func testNeighbours(t *testing.T, h Harness) {
	want := make(map[string]string)
	for i, k := range []string{"a/b", "a/b.c", "a/bc", "a/b c", "ab", "a/é/日本", "a/.d/e", "A/B", strings.Repeat("n", 255)} {
		h.mustPut(t, k, fmt.Sprint(i))
		want[k] = fmt.Sprint(i)
	}
	h.wantObjects(t, want)
}

func testConcurrent(t *testing.T, h Harness) {
	body := strings.Repeat("{\"a\":1}\n", 10_000)
	errs := make([]error, 16)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = h.Sink.Put(t.Context(), h.object(key, body)) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("Put, 16 at once: %v", err)
	}
	h.wantObjects(t, map[string]string{key: body})
}

// testNoPartSeen reads while objects are written: what is there is whole.
func testNoPartSeen(t *testing.T, h Harness) {
	body := strings.Repeat("0123456789abcdef", 64<<10)
	done := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < 8 && err == nil; i++ {
			err = h.Sink.Put(t.Context(), h.object(fmt.Sprintf("whole/%d", i), body))
		}
		done <- err
	}()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("Put: %v", err)
			}
			return
		default:
		}
		keys, err := h.List()
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		for _, k := range keys {
			if got, err := h.Read(k); err != nil || string(got) != body {
				t.Fatalf("Read(%q) while it is written: %d bytes, %v; want %d or nothing", k, len(got), err, len(body))
			}
		}
	}
}

// testKilled cuts a Put off at each of its points, and puts again as the next
// process would: before, a reader sees the whole object or none; after, one
// object and nothing else.
func testKilled(t *testing.T, h Harness) {
	if h.Kills == nil {
		return
	}
	want := make(map[string]string)
	left := 0
	for point, dying := range h.Kills() {
		k, body := key+"/"+strings.ReplaceAll(point, " ", "-"), "killed at "+point
		if !dies(t.Context(), dying, h.object(k, body)) {
			t.Errorf("the sink that dies at %q did not: the point is not reached", point)
		}
		if got, err := h.Read(k); !errors.Is(err, fs.ErrNotExist) && string(got) != body {
			t.Errorf("killed at %q: a reader sees %q, %v", point, got, err)
		}
		left += len(h.unfinished(t))
		h.mustPut(t, k, body)
		want[k] = body
		h.wantObjects(t, want)
	}
	if h.Unfinished != nil && left == 0 {
		t.Error("no kill left anything unfinished: the points do not lie within the writing")
	}
}

func dies(ctx context.Context, s sink.ObjectSink, o sink.Object) (died bool) {
	defer func() { died = recover() != nil }()
	_ = s.Put(ctx, o)
	return false
}

func testNames(t *testing.T, h Harness) {
	for _, k := range BadKeys() {
		o := h.object("x", "body")
		o.Key = k
		wantRefused(t, fmt.Sprintf("the key %q", k), h.Sink.Put(t.Context(), o))
	}
	for _, b := range BadBuckets() {
		o := h.object(key, "body")
		o.Bucket = b
		wantRefused(t, fmt.Sprintf("the bucket %q", b), h.Sink.Put(t.Context(), o))
		if p, ok := h.Sink.(sink.Preparer); ok {
			wantRefused(t, fmt.Sprintf("preparing the bucket %q", b), p.Prepare(t.Context(), b))
		}
	}
	o := h.object(key, "body")
	o.Bucket = "never-made"
	wantRefused(t, "a bucket that is not there", h.Sink.Put(t.Context(), o))
	h.wantObjects(t, map[string]string{})
}

// BadKeys returns keys that no sink takes.
func BadKeys() []string {
	return []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "a/./b", "./a",
		"a\x00b", "a\nb", "a\x7f", "a\xffb", strings.Repeat("k/", 512) + "k",
	}
}

// BadBuckets returns names that no bucket has.
func BadBuckets() []string {
	return []string{
		"", ".", "..", "ab", "a/b", "../bucket", "/bucket", "Bucket", "buck_et", "buck et", "bücket", "bucket\n",
		"-bucket", "bucket-", ".bucket", "bucket.", "buc..ket", "192.168.5.4", "xn--bucket", "sthree-bucket",
		"bucket-s3alias", "bucket--ol-s3", "bucket.mrap", "bucket--x-s3", "bucket--table-s3",
		strings.Repeat("b", 64),
	}
}

func wantRefused(t *testing.T, what string, err error) {
	t.Helper()
	e, ok := errors.AsType[*sink.Error](err)
	if !ok || e.Kind != sink.Refused || e.Reason == "" {
		t.Errorf("%s: %v, want an error of the kind Refused with a reason", what, err)
	}
}

// testEnded gives a context that has ended: nothing is put, and the error is
// the context's own.
func testEnded(t *testing.T, h Harness) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Sink.Put(ctx, h.object(key, "body")); !errors.Is(err, context.Canceled) {
		t.Errorf("Put with an ended context: %v, want context.Canceled", err)
	}
	h.wantObjects(t, map[string]string{})
}

// testBodyKept sees that a sink neither changes the caller's bytes nor goes on
// using them.
func testBodyKept(t *testing.T, h Harness) {
	body := []byte("the caller's own")
	before := slices.Clone(body)
	if err := h.Sink.Put(t.Context(), sink.Object{Region: region, Bucket: h.Bucket, Key: key, Body: body}); err != nil {
		t.Fatalf("Put: %v", err)
	}
	if !bytes.Equal(before, body) {
		t.Errorf("Put changed the body to %q", body)
	}
	clear(body)
	h.wantObjects(t, map[string]string{key: string(before)})
}
