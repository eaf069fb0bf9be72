package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"selvedge/internal/audit"
)

// A full file is renamed, the oldest goes, and the tail reads across them all.
func TestRotation(t *testing.T) {
	t.Parallel()
	const limit = 2000
	trail, path := open(t, audit.Options{MaxBytes: limit, Keep: 3})
	for i := range 40 {
		record(t, trail, numbered(i))
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, e.Name())
		if info.Size() > limit || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %d bytes, mode %v", e.Name(), info.Size(), info.Mode())
		}
	}
	same(t, "files", names, "trail.ndjson", "trail.ndjson.1", "trail.ndjson.2", "trail.ndjson.3")
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info, err)
	}
	got := tail(t, trail, 100, audit.Filter{})
	if len(got) < 9 || len(got) > 20 {
		t.Errorf("%d records are kept", len(got))
	}
	for i, id := range got {
		if id != fmt.Sprint(40-len(got)+i) {
			t.Fatalf("kept: %v", got)
		}
	}
	same(t, "the last of them", tail(t, trail, 2, audit.Filter{}), "38", "39")
}

// Records of many calls at once are whole lines, none is lost at a rotation.
func TestConcurrentRecords(t *testing.T) {
	t.Parallel()
	trail, _ := open(t, audit.Options{MaxBytes: 5000, Keep: 1000})
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 50 {
				if err := trail.Record(numbered(100*worker + i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	got := tail(t, trail, 1000, audit.Filter{})
	slices.Sort(got)
	if got = slices.Compact(got); len(got) != 400 {
		t.Errorf("%d records, want 400", len(got))
	}
}

// A line that a crash cut off is skipped, and the next record is a line of its
// own.
func TestTornLine(t *testing.T) {
	t.Parallel()
	trail, path := open(t, audit.Options{})
	record(t, trail, numbered(1), numbered(2))
	if err := trail.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text[:len(text)-10], 0o600); err != nil {
		t.Fatal(err)
	}
	again, _ := open(t, audit.Options{Path: path})
	same(t, "after the crash", tail(t, again, 9, audit.Filter{}), "1")
	record(t, again, numbered(3), numbered(4))
	same(t, "afterwards", tail(t, again, 9, audit.Filter{}), "1", "3", "4")
}

// Somebody else's rotation, or a file that was removed, loses nothing more.
func TestMovedFile(t *testing.T) {
	t.Parallel()
	trail, path := open(t, audit.Options{})
	record(t, trail, numbered(1))
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	record(t, trail, numbered(2))
	same(t, "after it was moved", tail(t, trail, 9, audit.Filter{}), "1", "2")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	record(t, trail, numbered(3))
	same(t, "after it was removed", tail(t, trail, 9, audit.Filter{}), "1", "3")
	if err := errors.Join(os.Rename(path, path+".2"), os.WriteFile(path, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	record(t, trail, numbered(4))
	same(t, "after it was replaced", tail(t, trail, 9, audit.Filter{}), "3", "1", "4")
	if err := os.Remove(path + ".2"); err != nil {
		t.Fatal(err)
	}
	same(t, "without the one that was replaced", tail(t, trail, 9, audit.Filter{}), "1", "4")
}

// A gap that an interrupted rotation left is filled, and nothing beyond it moves.
func TestInterruptedRotation(t *testing.T) {
	t.Parallel()
	trail, path := open(t, audit.Options{MaxBytes: 1, Keep: 3}) // a file for each record
	record(t, trail, numbered(1), numbered(2))
	if err := os.Rename(path+".1", path+".3"); err != nil {
		t.Fatal(err)
	}
	record(t, trail, numbered(3), numbered(4))
	same(t, "the gap is filled", tail(t, trail, 9, audit.Filter{}), "1", "2", "3", "4")
	record(t, trail, numbered(5))
	same(t, "and the oldest goes", tail(t, trail, 9, audit.Filter{}), "2", "3", "4", "5")
}

// A file that cannot be rotated grows: its records are not lost, and the error
// says so.
func TestRotationFails(t *testing.T) {
	t.Parallel()
	trail, path := open(t, audit.Options{MaxBytes: 1, Keep: 1})
	if err := os.MkdirAll(filepath.Join(path+".1", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	record(t, trail, numbered(1))
	if err := trail.Record(numbered(2)); err == nil || !strings.Contains(err.Error(), "rotate") {
		t.Errorf("error %v", err)
	}
	if err := os.RemoveAll(path + ".1"); err != nil {
		t.Fatal(err)
	}
	same(t, "meanwhile", tail(t, trail, 9, audit.Filter{}), "1", "2")
	record(t, trail, numbered(3))
	same(t, "afterwards", tail(t, trail, 9, audit.Filter{}), "1", "2", "3")
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, path := range []string{dir, os.DevNull} {
		if trail, err := audit.Open(audit.Options{Path: path}); err == nil {
			t.Errorf("%s was opened", path)
			_ = trail.Close()
		}
	}
	trail, path := open(t, audit.Options{})
	if err := trail.Close(); err != nil {
		t.Fatal(err)
	}
	if err := trail.Record(numbered(1)); err == nil {
		t.Error("a closed trail records")
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func linesOf(t *testing.T, text []byte) []string {
	t.Helper()
	var got []string
	err := audit.Backwards(t.Context(), bytes.NewReader(text), int64(len(text)), func(line []byte) bool {
		got = append(got, string(line))
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(got)
	return slices.DeleteFunc(got, func(s string) bool { return s == "" })
}

// What is longer than any record is left out, and what is around it is read.
func TestLongLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 3<<20)
	fits := strings.Repeat("y", 900<<10)
	same(t, "lines", linesOf(t, []byte("a\n"+long+"\n"+fits+"\nb\n"+long+"\nc")), "a", fits, "b", "c")
	same(t, "a long line alone", linesOf(t, []byte(long)))
}

// Any file is read backwards as it is forwards.
func FuzzBackwards(f *testing.F) {
	f.Add([]byte("a\nb\n"), uint16(0))
	f.Add([]byte("{\"a\":1}\n\n{\"b\""), uint16(40000))
	f.Fuzz(func(t *testing.T, text []byte, repeat uint16) {
		if len(text) > 0 {
			text = bytes.Repeat(text, 1+min(int(repeat), 200_000/len(text)))
		}
		var want []string
		for line := range strings.SplitSeq(string(text), "\n") {
			if line != "" {
				want = append(want, line)
			}
		}
		if got := linesOf(t, text); !slices.Equal(got, want) {
			t.Errorf("%d lines, want %d", len(got), len(want))
		}
	})
}
