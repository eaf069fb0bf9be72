package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTallyCountsWholeFilesOnce(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "ocsf")
	c := newTally(root)
	expect := func(what string, want int) {
		t.Helper()
		if err := c.count(); err != nil {
			t.Fatal(err)
		}
		if c.lines != want {
			t.Errorf("%s: %d lines, want %d", what, c.lines, want)
		}
	}
	put := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	expect("no folder yet", 0)
	put("20261122/a", "1\n2\n")
	put("20261122/.unfinished", "3\n")
	expect("one file, one unfinished", 2)
	expect("nothing new", 2)
	put("20261123/b", "3\n")
	expect("another file", 3)
}
