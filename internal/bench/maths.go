package main

import (
	"math"
	"slices"
	"time"
)

// series is one figure, measured again and again.
type series []float64

// median is the middle, or the mean of the middle two; NaN of nothing.
func (s series) median() float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// percentile is the smallest value that p of 100 are not above; NaN of nothing.
func (s series) percentile(p float64) float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	at := int(math.Ceil(p/100*float64(len(sorted)))) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}

// ratios is s over peer, round by round: what disturbs a round disturbs both.
// Rounds that only one of them has are left out.
func (s series) ratios(peer series) series {
	var r series
	for i := range min(len(s), len(peer)) {
		r = append(r, s[i]/peer[i])
	}
	return r
}

// rate is how many of n there are in a second of d.
func rate(n int, d time.Duration) float64 { return float64(n) / d.Seconds() }

// millis is a duration in milliseconds, with their fractions.
func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
