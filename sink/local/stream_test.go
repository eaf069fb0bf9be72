package local_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"selvedge/sink"
	"selvedge/sink/local"
	"selvedge/sink/sinktest"
)

var events = sink.Stream{Region: "us-east-1", Name: "audit-events"}

// streamLines reads what a stream's folder has, file after file.
func streamLines(root string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(root, events.Name, "events-*.ndjson"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var all []string
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(body)) {
			if !strings.HasSuffix(line, "\n") {
				return nil, fmt.Errorf("%s ends with %q", f, line)
			}
			all = append(all, strings.TrimSuffix(line, "\n"))
		}
	}
	return all, nil
}

func TestStreamsSuite(t *testing.T) {
	t.Parallel()
	sinktest.RunRecords(t, func(t *testing.T) sinktest.RecordHarness {
		root := filepath.Join(t.TempDir(), "made", "streams")
		return sinktest.RecordHarness{
			Sink: local.NewStreams(root), Stream: events.Name,
			Lines: func() ([]string, error) { return streamLines(root) },
		}
	})
}

func streamsOf(t *testing.T) (*local.Streams, string) {
	t.Helper()
	root := t.TempDir()
	s := local.NewStreams(root)
	if err := s.PrepareStream(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	return s, root
}

func mustSend(t *testing.T, s *local.Streams, lines ...string) {
	t.Helper()
	var records [][]byte
	for _, l := range lines {
		records = append(records, []byte(l))
	}
	if failed, err := s.Send(t.Context(), events, records); err != nil || len(failed) > 0 {
		t.Fatalf("Send: %v, %v", failed, err)
	}
}

func wantStream(t *testing.T, root string, want ...string) {
	t.Helper()
	if got, err := streamLines(root); err != nil || !slices.Equal(got, want) {
		t.Errorf("lines %q, %v; want %q", got, err, want)
	}
}

// TestStreamsRotate: order is kept over files, none of which grows once it is
// full, and another process goes on where this one was.
func TestStreamsRotate(t *testing.T) {
	t.Parallel()
	s, root := streamsOf(t)
	s = s.WithFull(10)
	var want []string
	for i := range 12 {
		if i == 6 {
			s = local.NewStreams(root).WithFull(10)
		}
		mustSend(t, s, fmt.Sprintf("line %d", i))
		want = append(want, fmt.Sprintf("line %d", i))
	}
	wantStream(t, root, want...)
	files, err := filepath.Glob(filepath.Join(root, events.Name, "*.ndjson"))
	if err != nil || len(files) != 6 {
		t.Errorf("files %q, %v; want 6", files, err)
	}
	write(t, filepath.Join(root, events.Name, "events-1.ndjson"), "not ours")
	write(t, filepath.Join(root, events.Name, "notes.txt"), "not ours")
	mustSend(t, s, "last")
	if got, err := os.ReadFile(filepath.Join(root, events.Name, "events-1.ndjson")); err != nil || string(got) != "not ours" {
		t.Errorf("a file of somebody else's: %q, %v", got, err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestStreamsKilled kills a Send at each step: the next leaves whole lines, each
// at least once.
func TestStreamsKilled(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"create", "write", "sync", "sync folder"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			s, root := streamsOf(t)
			if !sendDies(t, s.WithStep(func(name string) error {
				if name == step {
					panic("killed")
				}
				return nil
			})) {
				t.Fatal("the step is not reached")
			}
			mustSend(t, s, "a", "b")
			got, err := streamLines(root)
			if err != nil || !slices.Contains(got, "a") || !slices.Contains(got, "b") || len(got) > 4 {
				t.Errorf("lines %q, %v", got, err)
			}
		})
	}
}

func sendDies(t *testing.T, s *local.Streams) (died bool) {
	t.Helper()
	defer func() { died = recover() != nil }()
	_, _ = s.Send(t.Context(), events, [][]byte{[]byte("a\n"), []byte("b\n")})
	return false
}

// TestStreamsTornLine: what a kill within the write left of a line is taken
// away, however long it is.
func TestStreamsTornLine(t *testing.T) {
	t.Parallel()
	for _, torn := range []string{"x", strings.Repeat("x", 200_000)} {
		s, root := streamsOf(t)
		mustSend(t, s, "whole")
		f, err := os.OpenFile(filepath.Join(root, events.Name, "events-00000001.ndjson"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(torn); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		mustSend(t, local.NewStreams(root), "next")
		wantStream(t, root, "whole", "next")
	}
}

func TestStreamsFail(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"write", "sync"} {
		s, root := streamsOf(t)
		mustSend(t, s, "before")
		failing := s.WithStep(func(name string) error {
			if name == step {
				return syscall.ENOSPC
			}
			return nil
		})
		_, err := failing.Send(t.Context(), events, [][]byte{[]byte("lost")})
		if sink.KindOf(err) != sink.Refused || !strings.Contains(sink.ReasonOf(err), "the disk of the stream audit-events is full") || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: %v", step, err)
		}
		wantStream(t, root, "before")
	}
	s, _ := streamsOf(t)
	for _, name := range []string{".", "..", ".hidden"} {
		err := s.PrepareStream(t.Context(), sink.Stream{Name: name})
		if sink.KindOf(err) != sink.Refused {
			t.Errorf("the stream %q: %v", name, err)
		}
	}
}
