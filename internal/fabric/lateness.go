package fabric

import (
	"encoding/json"
	"time"
)

// The bounds of the histogram of how late records show: the reach that would
// have caught one. What is beyond the last is counted under it, and what is not
// late at all in front of the first.
func latenessBounds() []time.Duration {
	const day = 24 * time.Hour
	return []time.Duration{
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour, day, 36 * time.Hour, 2 * day, 60 * time.Hour, 3 * day,
	}
}

// lateCounts bounds the histogram: beyond it all counts are halved, so that what
// was long ago matters less and less.
const lateCounts = 200_000

// Lateness is what a stream has learned of how late its records show. It is kept
// with the stream as JSON.
type Lateness struct {
	Counts []int64 `json:"counts,omitempty"` // the first: not late; then one for each bound
}

// ParseLateness reads what a stream has learned; text that is none is nothing.
func ParseLateness(text string) Lateness {
	var l Lateness
	if json.Unmarshal([]byte(text), &l) != nil || len(l.Counts) != len(latenessBounds())+1 {
		return Lateness{}
	}
	return l
}

// String is the JSON.
func (l Lateness) String() string {
	b, err := json.Marshal(l)
	if err != nil {
		return "" // numbers always marshal
	}
	return string(b)
}

// Observe counts one record.
func (l *Lateness) Observe(late time.Duration) {
	bounds := latenessBounds()
	if l.Counts == nil {
		l.Counts = make([]int64, len(bounds)+1)
	}
	at := 0
	for at < len(bounds) && late > 0 && (at == 0 || late > bounds[at-1]) {
		at++
	}
	l.Counts[at]++
	if l.Total() > lateCounts {
		for i := range l.Counts {
			l.Counts[i] = (l.Counts[i] + 1) / 2 // a few of a kind stay known
		}
	}
}

// Total is how many records were counted, halvings aside.
func (l Lateness) Total() int64 {
	var n int64
	for _, c := range l.Counts {
		n += c
	}
	return n
}

// Quantile is the reach that catches such a share of all records, in thousandths:
// a bound of the histogram, or zero.
func (l Lateness) Quantile(thousandths int64) time.Duration {
	left := l.Total() - (l.Total()*thousandths+999)/1000 // may stay beyond
	for i := len(l.Counts) - 1; i > 0; i-- {
		if left -= l.Counts[i]; left < 0 {
			return latenessBounds()[i-1]
		}
	}
	return 0
}

// Within is how many of the records that were counted showed so late: later than
// young, and not later than old. Both are bounds of the histogram, or are taken for
// the wider bound.
func (l Lateness) Within(young, old time.Duration) int64 {
	var n int64
	low := time.Duration(0)
	for i, high := range latenessBounds() {
		if i+1 < len(l.Counts) && high > young && low < old {
			n += l.Counts[i+1]
		}
		low = high
	}
	return n
}
