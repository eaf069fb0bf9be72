package fabric_test

import (
	"testing"
	"time"

	"selvedge/internal/fabric"
)

func TestLateness(t *testing.T) {
	t.Parallel()
	var l fabric.Lateness
	for late, times := range map[time.Duration]int{0: 9800, time.Minute: 150, 90 * time.Minute: 40, 2 * time.Hour: 5, 30 * time.Hour: 4, 90 * time.Hour: 1} {
		for range times {
			l.Observe(late)
		}
	}
	if got := fabric.ParseLateness(l.String()); got.Total() != 10_000 {
		t.Errorf("kept as text it counts %d", got.Total())
	}
	for share, want := range map[int64]time.Duration{980: 0, 990: time.Minute, 999: 2 * time.Hour, 1000: 72 * time.Hour} {
		if got := l.Quantile(share); got != want {
			t.Errorf("%d of 1,000 show within %v, want %v", share, got, want)
		}
	}
	const h = time.Hour
	for _, c := range []struct {
		young, old time.Duration
		want       int64
	}{
		{0, h, 150}, {h, 2 * h, 45}, {2 * h, 24 * h, 0}, {24 * h, 48 * h, 4}, {48 * h, 72 * h, 1}, {90 * time.Minute, 2 * h, 45}, {0, 72 * h, 200},
	} {
		if got := l.Within(c.young, c.old); got != c.want {
			t.Errorf("%d show between %v and %v late, want %d", got, c.young, c.old, c.want)
		}
	}
	for range 300_000 {
		l.Observe(0)
	}
	if l.Total() > 200_001 || l.Within(48*h, 72*h) != 1 {
		t.Errorf("of many there are %d, %d of them the latest; want fewer, and that one", l.Total(), l.Within(48*h, 72*h))
	}
}
