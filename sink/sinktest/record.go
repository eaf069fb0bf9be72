package sinktest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"selvedge/sink"
)

// RecordHarness is one empty stream and the sink over it.
type RecordHarness struct {
	Sink   sink.RecordSink
	Stream string // prepared by the suite, where the sink is a StreamPreparer

	// Lines returns all that a reader of the stream sees, in any order. Every
	// record of the suite is one line.
	Lines func() ([]string, error)
}

// RunRecords runs the suite of record sinks; open makes a harness over a stream
// of its own.
func RunRecords(t *testing.T, open func(t *testing.T) RecordHarness) {
	t.Helper()
	tests := []struct {
		name string
		run  func(*testing.T, RecordHarness)
	}{
		{"Send", testSend},
		{"Many", testMany},
		{"ConcurrentSends", testConcurrentSends},
		{"LargestRecord", testLargestRecord},
		{"StreamNames", testStreamNames},
		{"EndedSend", testEndedSend},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			if p, ok := h.Sink.(sink.StreamPreparer); ok {
				for range 2 { // again is success
					if err := p.PrepareStream(t.Context(), h.to()); err != nil {
						t.Fatalf("PrepareStream: %v", err)
					}
				}
			}
			test.run(t, h)
		})
	}
}

func (h RecordHarness) to() sink.Stream { return sink.Stream{Region: region, Name: h.Stream} }

func (h RecordHarness) mustSend(t *testing.T, lines ...string) {
	t.Helper()
	if failed, err := h.Sink.Send(t.Context(), h.to(), records(lines)); err != nil || len(failed) > 0 {
		t.Fatalf("Send: %v, %v", failed, err)
	}
}

func records(lines []string) [][]byte {
	all := make([][]byte, 0, len(lines))
	for _, l := range lines {
		all = append(all, []byte(l+"\n"))
	}
	return all
}

func (h RecordHarness) wantLines(t *testing.T, want ...string) {
	t.Helper()
	got, err := h.Lines()
	if err != nil {
		t.Fatalf("Lines: %v", err)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%.2000s", diff)
	}
}

// testSend sends nothing, and the same twice: a stream has it twice.
func testSend(t *testing.T, h RecordHarness) {
	h.mustSend(t)
	h.mustSend(t, `{"a":1}`, `{"a":2}`)
	h.mustSend(t, `{"a":2}`)
	h.wantLines(t, `{"a":1}`, `{"a":2}`, `{"a":2}`)
}

func testMany(t *testing.T, h RecordHarness) {
	var want []string
	for i := range 1201 {
		want = append(want, fmt.Sprintf(`{"n":%d}`, i))
	}
	h.mustSend(t, want...)
	h.wantLines(t, want...)
}

func testConcurrentSends(t *testing.T, h RecordHarness) {
	errs := make([]error, 16)
	var want []string
	var wg sync.WaitGroup
	for i := range errs {
		line := strings.Repeat(string(rune('a'+i)), 5000)
		want = append(want, line, line)
		wg.Go(func() { _, errs[i] = h.Sink.Send(t.Context(), h.to(), records([]string{line, line})) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("Send, 16 at once: %v", err)
	}
	h.wantLines(t, want...)
}

// testLargestRecord sends several records of the most that a stream takes, up to
// some MiB, and one that is larger.
func testLargestRecord(t *testing.T, h RecordHarness) {
	var want []string
	for i := range 5 {
		want = append(want, strings.Repeat(fmt.Sprint(i), min(h.Sink.MaxRecord(), 1<<20)-1))
	}
	h.mustSend(t, want...)
	larger := [][]byte{[]byte("x\n"), make([]byte, h.Sink.MaxRecord()+1)}
	failed, err := h.Sink.Send(t.Context(), h.to(), larger)
	if len(failed) > 0 {
		t.Errorf("a record too large: failed %v, want none taken", failed)
	}
	wantRefused(t, "a record too large", err)
	h.wantLines(t, want...)
}

// BadStreams returns names that no stream has.
func BadStreams() []string {
	return []string{"", "a/b", "../a", "a b", "a\n", "é", strings.Repeat("s", 65)}
}

func testStreamNames(t *testing.T, h RecordHarness) {
	p, prepares := h.Sink.(sink.StreamPreparer)
	for _, name := range append(BadStreams(), "never-made") {
		_, err := h.Sink.Send(t.Context(), sink.Stream{Region: region, Name: name}, records([]string{"x"}))
		wantRefused(t, fmt.Sprintf("the stream %q", name), err)
		if prepares && name != "never-made" {
			wantRefused(t, fmt.Sprintf("preparing the stream %q", name), p.PrepareStream(t.Context(), sink.Stream{Region: region, Name: name}))
		}
	}
	h.wantLines(t)
}

func testEndedSend(t *testing.T, h RecordHarness) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Sink.Send(ctx, h.to(), records([]string{"x"})); !errors.Is(err, context.Canceled) {
		t.Errorf("Send with an ended context: %v, want context.Canceled", err)
	}
	h.wantLines(t)
}
