package main

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files") //nolint:gochecknoglobals // flags are variables

func TestWrite(t *testing.T) {
	t.Parallel()
	rows := []row{
		{name: "plain", unit: "events/CPU-s", values: series{48_000, 50_139, 51_000}, target: atLeast(30_000), peer: "jq", peerValues: series{1_000, 1_100, 1_200}, note: "one thread"},
		{name: "gzip", unit: "events/CPU-s", values: series{9_000}, target: atLeast(10_600)},
		{name: "start", unit: "ms", values: series{61.5, 59.25}, target: atMost(60)},
		{name: "allocations", unit: "per event", values: series{0.18}},
		{name: "memory", unit: "MiB", target: atMost(96)},
	}
	var got strings.Builder
	if err := write(&got, rows); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "table.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	tests := []struct {
		target target
		v      float64
		want   string
	}{
		{target{}, 5, "-"},
		{atLeast(10), 9.9, "no"},
		{atLeast(10), 10, "yes"},
		{atLeast(10), 11, "yes"},
		{atMost(10), 9, "yes"},
		{atMost(10), 10, "yes"},
		{atMost(10), 10.1, "no"},
		{atMost(10), math.NaN(), "-"},
	}
	for _, test := range tests {
		if got := test.target.verdict(test.v); got != test.want {
			t.Errorf("%v of %v: %s, want %s", test.v, test.target, got, test.want)
		}
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	tests := map[float64]string{
		0: "0", 0.18: "0.18", 1.5: "1.50", 3: "3", 9.996: "10.0", 52.44: "52.4", 128.4: "128", 999.4: "999", 999.6: "1,000",
		50_139.2: "50,139", 1_234_567: "1,234,567", -4_321: "-4,321", math.NaN(): "-", math.Inf(1): "-",
	}
	for v, want := range tests {
		if got := number(v); got != want {
			t.Errorf("number(%v): %s, want %s", v, got, want)
		}
	}
}
