package main

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSeries(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		of               series
		median, p50, p99 float64
	}{
		"one":  {series{7}, 7, 7, 7},
		"odd":  {series{9, 1, 5}, 5, 5, 9},
		"even": {series{4, 1, 3, 2}, 2.5, 2, 4},
		"long": {hundred(), 50.5, 50, 99},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := append(series(nil), test.of...)
			got := []float64{test.of.median(), test.of.percentile(50), test.of.percentile(99)}
			if diff := cmp.Diff([]float64{test.median, test.p50, test.p99}, got); diff != "" {
				t.Errorf("median, p50, p99 (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, test.of); diff != "" {
				t.Errorf("the series was changed:\n%s", diff)
			}
		})
	}
}

func hundred() series {
	var s series
	for i := 100; i > 0; i-- {
		s = append(s, float64(i))
	}
	return s
}

func TestSeriesOfNothing(t *testing.T) {
	t.Parallel()
	var s series
	if !math.IsNaN(s.median()) || !math.IsNaN(s.percentile(50)) {
		t.Errorf("of nothing: median %v, p50 %v, want NaN", s.median(), s.percentile(50))
	}
}

// A round that was slow for both must not move the ratio, as it would the ratio
// of the medians.
func TestRatiosArePaired(t *testing.T) {
	t.Parallel()
	got := series{100, 20, 90, 5}.ratios(series{10, 2, 9})
	if diff := cmp.Diff(series{10, 10, 10}, got); diff != "" {
		t.Errorf("ratios (-want +got):\n%s", diff)
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	if got := rate(500, 250*time.Millisecond); got != 2000 {
		t.Errorf("500 in 250 ms: %v, want 2000", got)
	}
	if got := millis(1500 * time.Microsecond); got != 1.5 {
		t.Errorf("1.5 ms: %v", got)
	}
}
