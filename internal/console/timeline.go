package console

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// timeline is what was read of a stream within a range of time, as a drawing: all
// places are hundredths of its width.
type timeline struct {
	ID      string
	From    time.Time
	To      time.Time
	Read    []span
	Gaps    []span
	Ticks   []tick
	Summary string // the drawing in words
	Earlier int    // gaps before the range
}

type span struct{ X, Width string }

type tick struct {
	X      string
	Text   string
	Anchor string
	Minor  bool // left out where there is no room
}

// period is a range of time.
type period struct{ From, To time.Time }

// draw makes the timeline of the range that ends now. What is too near to each
// other to be told apart is drawn as one, and so is what would be more pieces than
// most.
func draw(id string, now time.Time, length time.Duration, read, gaps []period, most int) timeline {
	t := timeline{ID: id, From: now.Add(-length), To: now}
	for _, g := range gaps {
		if g.To.Before(t.From) {
			t.Earlier++
		}
	}
	t.Read, t.Gaps = t.spans(read, 0.1, most), t.spans(gaps, 0.5, most)
	steps := 4
	for n := range steps + 1 {
		at := t.From.Add(length / time.Duration(steps) * time.Duration(n))
		k := tick{X: hundredths(float64(n) * 100 / float64(steps)), Anchor: "middle", Minor: n%2 == 1}
		switch n {
		case 0:
			k.Anchor = "start"
		case steps:
			k.Anchor = "end"
		}
		k.Text = at.UTC().Format("Jan 2 15:04")
		if length > 7*24*time.Hour {
			k.Text = at.UTC().Format("Jan 2 2006")
		}
		t.Ticks = append(t.Ticks, k)
	}
	inRange := len(gaps) - t.Earlier
	t.Summary = fmt.Sprintf("From %s to %s UTC: %s of the time since reading began is read, %d %s.",
		t.From.UTC().Format("2006-01-02 15:04"), t.To.UTC().Format("2006-01-02 15:04"), share(t, read), inRange, plural(int64(inRange), "gap", "gaps"))
	return t
}

// spans is where periods lie within the range, in at most so many pieces; none is
// narrower than least.
func (t timeline) spans(all []period, least float64, most int) []span {
	all = slices.SortedFunc(slices.Values(all), func(x, y period) int { return x.From.Compare(y.From) })
	var spans [][2]float64
	for apart := 0.4; ; apart *= 2 { // hundredths
		if spans = t.pieces(all, least, apart); len(spans) <= most {
			break
		}
	}
	out := make([]span, 0, len(spans))
	for _, s := range spans {
		out = append(out, span{X: hundredths(s[0]), Width: hundredths(s[1] - s[0])})
	}
	return out
}

// pieces makes one of what is less than so far apart.
func (t timeline) pieces(all []period, least, apart float64) [][2]float64 {
	total := t.To.Sub(t.From).Seconds()
	var spans [][2]float64
	for _, p := range all {
		from, to := max(0, p.From.Sub(t.From).Seconds()/total*100), min(100, p.To.Sub(t.From).Seconds()/total*100)
		if to < 0 || from > 100 {
			continue
		}
		to = max(to, min(100, from+least))
		from = min(from, to-least)
		if last := len(spans) - 1; last >= 0 && from-spans[last][1] < apart {
			spans[last][1] = max(spans[last][1], to)
			continue
		}
		spans = append(spans, [2]float64{from, to})
	}
	return spans
}

func hundredths(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) }

// share is how much was read of the time from the first that was read to the last.
func share(t timeline, read []period) string {
	var first, last time.Time
	var done time.Duration
	for _, p := range read {
		if p.From.Before(t.From) {
			p.From = t.From
		}
		if !p.From.Before(p.To) {
			continue
		}
		if first.IsZero() || p.From.Before(first) {
			first = p.From
		}
		if p.To.After(last) {
			last = p.To
		}
		done += p.To.Sub(p.From)
	}
	if first.IsZero() {
		return "nothing"
	}
	whole := last.Sub(first)
	if done >= whole {
		return "all"
	}
	return strconv.FormatFloat(min(99.9, float64(done)/float64(whole)*100), 'f', 1, 64) + " %"
}
