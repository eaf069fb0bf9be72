package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMarkerLooksOnceAtEachMark(t *testing.T) {
	t.Parallel()
	m := &marker{marks: []int{2, 3, 10}}
	m.look = func() { m.peaks = append(m.peaks, float64(m.lines)) }
	for _, n := range []int{1, 0, 3, 5, 1, 4} {
		if _, err := m.Write([]byte(strings.Repeat("line\n", n) + "a part")); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(series{4, 4, 10}, m.peaks); diff != "" || m.lines != 14 {
		t.Errorf("%d lines; looked at (-want +got):\n%s", m.lines, diff)
	}
}
