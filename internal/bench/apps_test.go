package main

import (
	"bytes"
	"os"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/connector/all"
	"selvedge/internal/encode"
)

// TestSamples: every application is measured, and with records that its mapping
// takes.
func TestSamples(t *testing.T) {
	t.Parallel()
	known := map[string]connector.App{}
	missing := map[string]bool{}
	for _, app := range all.Apps() {
		if app.HasMapping() {
			known[app.Name], missing[app.Name] = app, true
		}
	}
	for _, s := range samples() {
		app := known[s.app]
		delete(missing, s.app)
		if _, ok := app.FindStream(s.stream); !ok {
			t.Fatalf("%s has no stream %q", s.app, s.stream)
		}
		c, err := s.file(t.TempDir(), 50, 200_000)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(c.path)
		if err != nil {
			t.Fatal(err)
		}
		lines := 0
		n := encode.NewNormalizer(app)
		for line := range bytes.Lines(text) {
			if _, outcome := n.Append(nil, s.stream, "", bytes.TrimSpace(line), time.Now()); outcome.Base {
				t.Errorf("%s %s: %v: %s", s.app, s.stream, outcome.Why, line)
			}
			lines++
		}
		if lines != c.events || lines < 50 || int64(len(text)) != c.bytes {
			t.Errorf("%s %s: %d lines in %d bytes, want %d in %d", s.app, s.stream, lines, len(text), c.events, c.bytes)
		}
	}
	if len(missing) > 0 {
		t.Errorf("not measured: %v", missing)
	}
}
