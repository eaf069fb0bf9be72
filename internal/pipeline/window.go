package pipeline

import (
	"context"
	"time"

	"github.com/google/uuid"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

// How far back streams by time are read, and how often: see docs/adr/0008-lateness.md.
const (
	widest       = 72 * time.Hour // the latest record that is looked for
	learnedShare = 999            // thousandths of the records that the learned window is to catch

	liveCalls  = 2  // that a live poll may spend on reading again
	learnedFor = 2  // calls a poll, on average, spent on the learned window
	wideFor    = 10 // polls for each call spent on the widest window

	learnedMost = time.Hour // the learned window is read again after this at the latest
	wideLeast   = 15 * time.Minute
	wideMost    = 6 * time.Hour // likewise the widest
)

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

// rung is an old window that is read again at times.
type rung struct {
	depth       time.Duration
	last        time.Time     // when it was last begun to be read
	least, most time.Duration // between two readings
	calls       int64         // that may be spent on it
	polls       int64         // in so many polls
}

// look says which old window is read again beside the live tail, when a live poll
// has ended. A window begins as far behind the beginning of the one before it as
// the lateness that it is for: whatever the provider has shown since lies within.
func (r *poll) look(ctx context.Context) (store.Look, error) {
	st := r.stream
	if r.spec.Arrival {
		return store.Look{}, nil
	}
	l := store.Look{LearnedAt: st.LearnedAt, WideAt: st.WideAt}
	if l.WideAt.IsZero() { // what was shown by now has been read
		return store.Look{LearnedAt: r.started, WideAt: r.started}, nil
	}
	if l.LearnedAt.Before(l.WideAt) {
		l.LearnedAt = l.WideAt // whose window holds the learned one
	}
	learned := rung{min(r.late.Quantile(learnedShare), horizon(r.spec)), l.LearnedAt, r.o.Interval, learnedMost, learnedFor, 1}
	wide := rung{horizon(r.spec), l.WideAt, wideLeast, wideMost, 1, wideFor}
	var from time.Time
	for _, g := range []struct {
		rung
		mark *time.Time
	}{{learned, &l.LearnedAt}, {wide, &l.WideAt}} {
		if g.depth <= r.reached && !g.last.Before(st.Watermark) || g.depth <= r.spec.Overlap {
			*g.mark = r.started // this poll, and the one before it, read as far
			continue
		}
		due, err := r.due(ctx, g.rung)
		if err != nil {
			return store.Look{}, err
		}
		if !due {
			continue
		}
		*g.mark = r.started
		if begin := g.last.Add(-g.depth); from.IsZero() || begin.Before(from) {
			from = begin
		}
	}
	if from.IsZero() {
		return l, nil
	}
	if busy, err := r.o.Store.HasLate(ctx, st.ID); busy || err != nil {
		return store.Look{}, err
	}
	if i := (store.Interval{From: r.readable(from), To: r.started.Add(-r.spec.Overlap)}); i.From.Before(i.To) {
		l.ID, l.Window = uuid.NewString(), i
	}
	return l, nil
}

// due says whether a window is to be read again: the more calls it costs, by what
// was taken in from there, the rarer.
func (r *poll) due(ctx context.Context, g rung) (bool, error) {
	since := r.started.Sub(g.last)
	if since < max(g.least, r.o.Interval) {
		return false, nil
	}
	if since >= g.most {
		return true, nil
	}
	afford := int64(since/r.o.Interval) * g.calls / g.polls * r.pageMax()
	n, err := r.o.Store.CountSeen(ctx, r.stream.ID, hourOf(g.last.Add(-g.depth)), afford+1)
	return n <= afford, err
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
