package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

// How far back streams by time are read, and how often: see docs/adr/0008-lateness.md
// and docs/adr/0009-bands.md.
const (
	widest       = 72 * time.Hour // the latest record that is looked for
	learnedShare = 999            // thousandths of the records that the reach is to catch, where it can

	liveCalls = 2 // that a live poll may spend on reading again
)

// A rate is how often old windows are read again: when the calls that it costs
// have come together, at so many in so many polls; and in any case when one was
// not read for long.
type rate struct {
	calls, polls int64 // of all windows together
	least, most  time.Duration
}

// The rates of windows where records show late, and of the others, which are
// looked into to find out.
func often() rate  { return rate{calls: 2, polls: 1, most: time.Hour} }
func seldom() rate { return rate{calls: 1, polls: 10, least: 15 * time.Minute, most: wideMost} }

const (
	wideMost = 6 * time.Hour
	// lateShare is the share of all records, one in so many, that makes a window
	// one where records show late.
	lateShare = 10_000
)

// bands are the ages at which records are looked for again: each band is from
// one bound to the next, and is read by itself. The first begins at the overlap.
func bands() []time.Duration {
	return []time.Duration{time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour, widest}
}

// horizon is the widest window of a stream.
func horizon(spec connector.Stream) time.Duration {
	h := max(widest, spec.Overlap)
	for _, most := range []time.Duration{spec.Retention, spec.Window} {
		if most > 0 {
			h = min(h, most)
		}
	}
	return h
}

// kept is for how long behind the watermark ids are known: longer than anything
// is read again without being asked for.
func kept(spec connector.Stream) time.Duration {
	if spec.Arrival {
		return spec.Overlap + keepSeen
	}
	return max(horizon(spec), spec.Overlap+keepSeen) + wideMost
}

// reach is how far behind the last poll the next one reads again: by what has been
// learned, as far as that costs few calls; by the overlap at the least.
func (r *poll) reach(ctx context.Context) (time.Duration, error) {
	learned := min(r.late.Quantile(learnedShare), horizon(r.spec))
	if learned <= r.spec.Overlap {
		return r.spec.Overlap, nil
	}
	hour, ok, err := r.o.Store.HourOfSeen(ctx, r.stream.ID, liveCalls*r.pageMax())
	if err != nil || !ok {
		return learned, err
	}
	cheap := r.cursor.From.Sub(time.Unix((hour+1)*3600, 0))
	return max(min(learned, cheap), r.spec.Overlap), nil
}

func (r *poll) pageMax() int64 {
	if r.spec.PageMax > 0 {
		return int64(r.spec.PageMax)
	}
	return 100
}

// band is an old window that is read again at times: records that are between
// so old and so old.
type band struct {
	young, old time.Duration
	last       time.Time // when it was last begun to be read
}

// ladder are the bands of the stream, those of which it reads none left out, with
// the times at which they were last read.
func (r *poll) ladder() []band {
	var marks []int64
	// Marks of other bands than today's are not understood; the oldest of them is.
	if json.Unmarshal([]byte(r.stream.Looked), &marks) != nil || len(marks) != len(bands()) {
		marks = make([]int64, len(bands()))
		for i := range marks {
			marks[i] = r.stream.WideAt.UnixMilli()
		}
	}
	all := make([]band, len(bands()))
	young := time.Duration(0)
	for i, old := range bands() {
		b := band{max(young, r.spec.Overlap), min(old, horizon(r.spec)), time.UnixMilli(marks[i]).UTC()}
		if old == widest {
			b.old = horizon(r.spec)
		}
		all[i], young = b, old
	}
	return all
}

// look says which old window is read again beside the live tail, when a live poll
// has ended that has read all up to a watermark: of the bands that are due the one
// that has waited for longest by its own rate, with those beside it that are due
// too; or all bands where they fit on a page. A band is read from as old as its records may be, counted from the beginning
// of the reading before, to as young as they may be now: whatever of that lateness
// the provider has shown since lies within.
func (r *poll) look(ctx context.Context, watermark time.Time) (store.Look, error) {
	if r.spec.Arrival {
		return store.Look{}, nil
	}
	all, now := r.ladder(), r.started
	if watermark.After(now) {
		now = watermark // what showed before the walk's first call was read by it
	}
	first := r.stream.WideAt.IsZero() // what was shown by now has been read
	small, err := r.small(ctx, all)
	if err != nil {
		return store.Look{}, err
	}
	urgent := make([]float64, len(all))
	for i := range all {
		b := &all[i]
		if first || b.old <= b.young || b.old <= r.reached && !b.last.Before(r.stream.Watermark) {
			b.last = now // this poll, and the one before it, read as far
			continue
		}
		if urgent[i], err = r.urgency(ctx, *b, small); err != nil {
			return store.Look{}, err
		}
	}
	from, to := mostUrgent(urgent)
	if from == to {
		return lookOf(all, store.Look{})
	}
	if busy, err := r.o.Store.HasLate(ctx, r.stream.ID); err != nil {
		return store.Look{}, err
	} else if busy {
		return lookOf(all, store.Look{})
	}
	if small {
		from, to = 0, len(all)
	}
	window := r.readAgain(all[from:to])
	if !window.From.Before(window.To) {
		return lookOf(all, store.Look{})
	}
	return lookOf(all, store.Look{ID: uuid.NewString(), Window: window})
}

// mostUrgent is the range of what is urgent about the most urgent of all; empty
// where nothing is.
func mostUrgent(urgent []float64) (from, to int) {
	most := slices.Max(urgent)
	if most == 0 {
		return 0, 0
	}
	from = slices.Index(urgent, most)
	to = from
	for from > 0 && urgent[from-1] > 0 {
		from--
	}
	for to < len(urgent) && urgent[to] > 0 {
		to++
	}
	return from, to
}

// readAgain is what is to be read of bands that meet, from now on.
func (r *poll) readAgain(bands []band) store.Interval {
	var i store.Interval
	for n := range bands {
		b := &bands[n]
		if b.old <= b.young {
			continue
		}
		if from := b.last.Add(-b.old); i.From.IsZero() || from.Before(i.From) {
			i.From = from
		}
		if to := r.started.Add(-b.young); to.After(i.To) {
			i.To = to
		}
		b.last = r.started
	}
	i.From = r.readable(i.From)
	return i
}

// small says whether all old windows together are about a page, to be read with one
// call.
func (r *poll) small(ctx context.Context, all []band) (bool, error) {
	old := r.stream.WideAt.Add(-horizon(r.spec))
	n, err := r.o.Store.CountSeen(ctx, r.stream.ID, hourOf(old), hourOf(r.started.Add(-all[0].young))+1, r.pageMax())
	return n <= r.pageMax(), err
}

// lookOf writes the times of the bands down.
func lookOf(all []band, l store.Look) (store.Look, error) {
	marks := make([]int64, len(all))
	for i, b := range all {
		marks[i] = b.last.UnixMilli()
		if i == 0 || b.last.Before(l.WideAt) {
			l.WideAt = b.last
		}
	}
	text, err := json.Marshal(marks)
	if err != nil {
		return l, fmt.Errorf("pipeline: bands: %w", err)
	}
	l.Looked = string(text)
	return l, nil
}

// urgency is how long a band has waited, as a share of the longest that it may;
// zero: it is not due. It is due earlier the fewer calls it costs, by what was
// taken in from there. Bands that are read one by one share the calls.
func (r *poll) urgency(ctx context.Context, b band, small bool) (float64, error) {
	rate := seldom()
	if n := r.late.Within(b.young, b.old); n > 0 && n*lateShare >= r.late.Total() {
		rate = often()
	}
	since := r.started.Sub(b.last)
	if since < max(rate.least, r.o.Interval) {
		return 0, nil
	}
	urgency := float64(since) / float64(rate.most)
	if since >= rate.most {
		return urgency, nil
	}
	share := rate.polls
	if !small {
		share *= int64(len(bands()))
	}
	afford := int64(since/r.o.Interval) * rate.calls * r.pageMax() / share
	if small || afford < r.pageMax() {
		return urgency * float64(min(afford/r.pageMax(), 1)), nil
	}
	n, err := r.o.Store.CountSeen(ctx, r.stream.ID, hourOf(b.last.Add(-b.old)), hourOf(r.started.Add(-b.young))+1, afford)
	if err != nil || n > afford {
		return 0, err
	}
	return urgency, nil
}

// readable is a time, or the first that the ingestion wants and the provider has.
func (r *poll) readable(t time.Time) time.Time {
	t = r.notBeforeStart(t)
	if first := r.started.Add(-r.spec.Retention); r.spec.Retention > 0 && t.Before(first) {
		return first
	}
	return t
}

// lateOf is how late a record of a stream by time showed that had not been met
// before: by how much the reading before would have had to reach back.
func (r *poll) lateOf(rec connector.Record) (time.Duration, bool) {
	if r.spec.Arrival || rec.Time.IsZero() || r.window != nil && r.window.Kind != store.BackfillLate {
		return 0, false
	}
	from := r.stream.Watermark
	if r.window != nil {
		from = r.started // when it came to be shown is not known: the wider is safe
	}
	return max(0, from.Sub(rec.Time)), true
}

// learn is what becomes of what the stream knows of lateness once these records are
// taken in; nil: nothing.
func (r *poll) learn(fresh []connector.Record) func(string) string {
	var all []time.Duration
	for _, rec := range fresh {
		if d, ok := r.lateOf(rec); ok {
			all = append(all, d)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return func(known string) string {
		late := fabric.ParseLateness(known)
		for _, d := range all {
			late.Observe(d)
		}
		return late.String()
	}
}

// tell makes known what was taken in.
func (r *poll) tell(fresh []connector.Record) {
	for _, rec := range fresh {
		if d, ok := r.lateOf(rec); ok {
			r.late.Observe(d)
			r.o.Ledger.Late(r.ing.App, d)
		}
	}
}
