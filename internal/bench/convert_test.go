package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func testBench(t *testing.T) *bench {
	t.Helper()
	return &bench{dir: t.TempDir(), progress: t.Output()}
}

// ours is what the product makes of a corpus.
func ours(t *testing.T, c corpus) []byte {
	t.Helper()
	text, err := os.ReadFile(c.path)
	if err != nil {
		t.Fatal(err)
	}
	n, stream, err := oktaNormalizer()
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for record := range bytes.Lines(text) {
		all, _ = n.Append(all, stream, "", bytes.TrimSuffix(record, []byte{'\n'}), time.Now())
	}
	return all
}

func TestCorpusIsWholeLines(t *testing.T) {
	t.Parallel()
	c, err := testBench(t).writeCorpus("okta.ndjson", 1500)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(c.path)
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]bool{}
	lines := 0
	for line := range bytes.Lines(text) {
		var event struct{ EventType string }
		if err := json.Unmarshal(line, &event); err != nil {
			t.Fatal(err)
		}
		types[event.EventType] = true
		lines++
	}
	if lines != 1500 || int64(len(text)) != c.bytes {
		t.Errorf("%d lines in %d bytes, want 1500 in %d", lines, len(text), c.bytes)
	}
	if len(types) < 20 {
		t.Errorf("only %d types of events: they are to be varied", len(types))
	}
}

// The peer has to do the product's work, or the ratio says nothing.
func TestJQMapsAsTheProductDoes(t *testing.T) {
	t.Parallel()
	jq, err := exec.LookPath("jq")
	if err != nil {
		t.Skip("this machine has no jq")
	}
	c, err := testBench(t).writeCorpus("okta.ndjson", 150)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := exec.CommandContext(t.Context(), jq, "-n", "-R", "-c", "-f", filepath.Join("testdata", "okta.jq"), c.path).Output()
	if err != nil {
		t.Fatal(err)
	}
	want, got := decode(t, ours(t, c)), decode(t, theirs)
	if len(want) != len(got) {
		t.Fatalf("jq made %d events, the product %d", len(got), len(want))
	}
	for i := range want {
		for _, member := range []string{
			"class_uid", "type_uid", "type_name", "activity_name", "category_uid", "time", "severity_id", "status_id", "status_detail", "message",
			"actor", "user", "group", "resource", "web_resources", "privileges", "service", "session", "device", "src_endpoint", "http_request", "raw_data",
		} {
			if diff := cmp.Diff(want[i][member], got[i][member]); diff != "" {
				t.Errorf("event %d: %s (-product +jq):\n%s", i, member, diff)
			}
		}
		a, b := leavesOf(want[i]["unmapped"]), leavesOf(got[i]["unmapped"])
		if a-b > 2 || b-a > 2 {
			t.Errorf("event %d: jq left %d leaves unmapped, the product %d", i, b, a)
		}
	}
}

func leavesOf(v any) int {
	m, _ := v.(map[string]any)
	return len(m)
}

func decode(t *testing.T, lines []byte) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range bytes.Lines(lines) {
		var event map[string]any
		if err := json.Unmarshal(line, &event); err != nil {
			t.Fatal(err)
		}
		all = append(all, event)
	}
	return all
}

func TestConvertChild(t *testing.T) {
	t.Parallel()
	c, err := testBench(t).writeCorpus("okta.ndjson", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, workers := range []string{"1", "2", "7"} {
		var out bytes.Buffer
		if err := run(t.Context(), []string{"child-convert", c.path, "6", workers}, &out, t.Output()); err != nil {
			t.Fatal(err)
		}
		var got converted
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if plain := int64(len(ours(t, c))); got.Lines != 100 || got.Bytes == 0 || got.Bytes > plain/2 {
			t.Errorf("%s workers: %d lines in %d bytes; plain they have %d", workers, got.Lines, got.Bytes, plain)
		}
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		n    int
		want []string
	}{
		"one":             {"a\nb\n", 1, []string{"a\nb\n"}},
		"at a line":       {"aaaa\nb\nc\n", 2, []string{"aaaa\n", "b\nc\n"}},
		"more than lines": {"a\n", 3, []string{"a\n", "", ""}},
		"no end":          {"a\nb", 2, []string{"a\n", "b"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, part := range split([]byte(test.text), test.n) {
				got = append(got, string(part))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
		})
	}
}

// A converter that loses a line must not be measured.
func TestFilterCountsLines(t *testing.T) {
	t.Parallel()
	tail, err := exec.LookPath("tail")
	if err != nil {
		t.Skip("this machine has no tail")
	}
	c, err := testBench(t).writeCorpus("okta.ndjson", 5)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := filter(t.Context(), c, tail, "-n", "+1"); err != nil {
		t.Errorf("all lines: %v", err)
	}
	if _, err := filter(t.Context(), c, tail, "-n", "+2"); err == nil || !strings.Contains(err.Error(), "4 lines came out for 5") {
		t.Errorf("one line lost: %v", err)
	}
}

func TestRunRefusesUnknownSections(t *testing.T) {
	t.Parallel()
	err := run(context.Background(), []string{"start", "speed"}, t.Output(), t.Output())
	if err == nil || !strings.Contains(err.Error(), `"speed"`) || !strings.Contains(err.Error(), "pipeline") {
		t.Errorf("an unknown section: %v", err)
	}
}
