package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/outbound"
	"selvedge/internal/store"
)

// The bounds of reading beside the live tail.
const (
	backfillPages = 50             // of one claim; then others have their turn
	backfillChunk = 24 * time.Hour // of a window that was asked for: what one walk reads, and the ledger gets
	healFirst     = time.Hour      // until a gap is tried for the first time; then it doubles
	healMost      = 24 * time.Hour
	healFor       = 7 * 24 * time.Hour // after which nobody tries any more by himself
	crashesMost   = 10                 // in a row, at what nobody asked for; long before the row would be parked
)

// Backfiller is the duty backfill(window): it reads closed windows beside the live
// tail, and leaves that the first turn at every call.
type Backfiller struct{ *Poller }

// NewBackfiller returns the duty.
func NewBackfiller(p *Poller) *Backfiller { return &Backfiller{p} }

// Run reads for a while. It is a job.Kind's Run.
func (b *Backfiller) Run(ctx context.Context, c store.Claim) error {
	run, err := b.begin(ctx, c)
	if err != nil && run != nil { // as of a poll
		err = errors.Join(err, run.closeEarly(ctx))
	}
	if err != nil || run == nil {
		return err
	}
	if run.kills() {
		return run.giveUp(ctx, fmt.Sprintf("reading it ended the server %d times in a row; the log has more", c.Crashes))
	}
	ctx = outbound.WithPriority(ctx, outbound.Backfill)
	for range backfillPages {
		more, err := run.interval(ctx)
		if err != nil {
			return err
		}
		if !more {
			return run.end(ctx)
		}
		done, err := run.page(ctx)
		if run.inVain(err) {
			return run.giveUp(ctx, reasonOf(err))
		}
		if err != nil {
			if !soon(err) {
				err = errors.Join(err, run.closeEarly(ctx))
			}
			return err
		}
		if done {
			run.window.At, run.window.Cursor = run.until, ""
		}
		if job.Stopping(ctx) {
			break
		}
	}
	return b.o.Store.Finish(ctx, c, b.o.Now())
}

// begin loads what a backfill needs. It returns nil when its ingestion is
// disabled, and a poll with an error as Poller.begin does.
func (b *Backfiller) begin(ctx context.Context, c store.Claim) (*poll, error) {
	window, st, ing, err := b.o.Store.LoadBackfill(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	if ing.State == fabric.Disabled {
		return nil, b.o.Store.Finish(ctx, c, time.Time{})
	}
	run := &poll{
		Poller: b.Poller, claim: c, stream: st, ing: ing, started: b.o.Now(), window: &window, late: fabric.ParseLateness(st.Lateness),
	}
	if err := run.find(); err != nil {
		return nil, err
	}
	if window.Cursor != "" {
		if err := json.Unmarshal([]byte(window.Cursor), &run.cursor); err != nil {
			return nil, fmt.Errorf("pipeline: cursor of %s: %w", c.ID, err)
		}
	}
	if run.until = run.cursor.To; run.until.IsZero() {
		window.Cursor = "" // none, or one that does not say where its interval ends: that is read again
	}
	if err := run.room(ctx); err != nil {
		return run, err
	}
	return run, run.open(ctx)
}

// interval begins the next part of the window, unless one is being read. The
// answer is false when nothing is left.
func (r *poll) interval(ctx context.Context) (bool, error) {
	w := r.window
	if w.Cursor != "" {
		return true, nil
	}
	if w.At.Before(r.stream.ReadFrom) {
		w.At = r.stream.ReadFrom // what was given up lies before it
	}
	rest := store.Interval{From: w.At, To: w.To}
	if !rest.From.Before(rest.To) {
		return false, nil
	}
	if w.Kind == store.BackfillAsked {
		if !w.Again {
			holes, err := r.o.Store.Holes(ctx, r.stream.ID, rest)
			if err != nil || len(holes) == 0 {
				return false, err
			}
			rest = holes[0]
		}
		rest.To = earliest(rest.To, rest.From.Add(backfillChunk))
	}
	if r.spec.Window > 0 {
		rest.To = earliest(rest.To, rest.From.Add(r.spec.Window))
	}
	if first := r.started.Add(-r.spec.Retention); r.spec.Retention > 0 && rest.From.Before(first) {
		return r.beyond(ctx, rest, earliest(first, rest.To))
	}
	return true, r.walk(ctx, rest)
}

func (r *poll) walk(ctx context.Context, i store.Interval) error {
	r.cursor, r.until, r.stream.ReadFrom = connector.Cursor{From: i.From, To: i.To}, i.To, i.From
	cursor, err := json.Marshal(r.cursor)
	if err != nil {
		return fmt.Errorf("pipeline: cursor: %w", err)
	}
	r.window.Cursor = string(cursor)
	return r.o.Store.BeginInterval(ctx, r.claim, r.window.Cursor, i.From)
}

// beyond names the part of an interval that the provider no longer has, and goes
// on behind it.
func (r *poll) beyond(ctx context.Context, i store.Interval, first time.Time) (bool, error) {
	if r.window.Kind == store.BackfillAsked {
		err := r.o.Store.CommitGap(ctx, r.claim, r.stream.ID, store.Gap{
			Interval: store.Interval{From: i.From, To: first}, FoundAt: r.started,
			Reason: fmt.Sprintf("the provider keeps records for %v only", r.spec.Retention),
		}, "", first)
		if err != nil {
			return false, err
		}
		r.o.Ledger.Gap(r.ing.App, "lost")
	}
	r.window.At, r.stream.ReadFrom = first, first
	return r.interval(ctx)
}

func (r *poll) end(ctx context.Context) error {
	if err := r.o.Store.EndBackfill(ctx, r.claim, *r.window, r.o.Now(), true); err != nil {
		return err
	}
	if r.window.Kind == store.BackfillGap {
		r.o.Log.InfoContext(ctx, "a gap has healed", "stream", r.stream.ID, "from", r.window.From, "to", r.window.To)
		r.o.Ledger.Gap(r.ing.App, "healed")
	}
	return nil
}

// inVain says that nobody should go on at what failed so, though it will be tried
// once more another time: old windows are read one at a time, and while one is, no
// id behind it is forgotten. Where the live tail fares no better, it waits with it.
func (r *poll) inVain(err error) bool {
	if err == nil {
		return false
	}
	w, kind := r.window, connector.KindOf(err)
	if _, ok := errors.AsType[*job.Retry](err); !ok {
		return w.Kind == store.BackfillGap && kind == connector.Malformed
	}
	if kind != connector.Unavailable || r.claim.Attempt < patienceWithPage {
		return false
	}
	switch w.Kind {
	case store.BackfillGap:
		return true
	case store.BackfillLate:
		return r.o.Now().Sub(w.CreatedAt) >= giveUpOnPage && r.stream.Watermark.After(w.CreatedAt.Add(giveUpOnPage/2))
	default:
		return false // somebody asked for it, and can see how it stands
	}
}

// kills says that the backfill ends its process each time that it is begun. Put
// away as it is, it would keep every later window of its stream from being read.
func (r *poll) kills() bool {
	return r.window.Kind != store.BackfillAsked && r.claim.Crashes >= crashesMost
}

// giveUp ends a backfill that is in vain. The rest of an old window becomes a gap,
// which is tried again in its own time, unless that would end the server again.
func (r *poll) giveUp(ctx context.Context, reason string) error {
	if r.window.Kind == store.BackfillGap {
		return r.putOff(ctx, reason)
	}
	if err := r.closeEarly(ctx); err != nil {
		return err
	}
	now := r.o.Now()
	gap := store.Gap{
		Interval: store.Interval{From: r.window.At, To: r.window.To}, Reason: reason, FoundAt: now,
	}
	if !r.kills() {
		gap.TryAt = now.Add(healFirst)
	}
	r.o.Log.ErrorContext(ctx, "an old window could not be read again; it is a gap",
		"stream", r.stream.ID, "from", gap.From, "to", gap.To, "reason", gap.Reason)
	// After a crash behind this, the backfill finds nothing left of its window.
	if err := r.o.Store.CommitGap(ctx, r.claim, r.stream.ID, gap, "", gap.To); err != nil {
		return err
	}
	r.o.Ledger.Gap(r.ing.App, "found")
	return r.o.Store.EndBackfill(ctx, r.claim, *r.window, now, false)
}

// putOff ends an attempt at a gap that still cannot be read. The older the gap,
// the longer until the next.
func (r *poll) putOff(ctx context.Context, reason string) error {
	if err := r.closeEarly(ctx); err != nil {
		return err
	}
	gaps, err := r.o.Store.Gaps(ctx, r.stream.ID)
	if err != nil {
		return err
	}
	for _, g := range gaps {
		if g.Seq != r.window.GapSeq {
			continue
		}
		now := r.o.Now()
		age, until := now.Sub(g.FoundAt), time.Time{}
		if age < healFor && !r.kills() {
			until = now.Add(min(max(age, healFirst), healMost))
		}
		r.o.Log.InfoContext(ctx, "a gap cannot be read yet", "stream", r.stream.ID, "next", until, "reason", reason)
		if err := r.o.Store.PutGapOff(ctx, g.Seq, until); err != nil {
			return err
		}
	}
	return r.o.Store.EndBackfill(ctx, r.claim, *r.window, r.o.Now(), false)
}

// heal makes the backfills of gaps that are to be tried by now.
func (s *Sweeper) heal(ctx context.Context, now time.Time) error {
	gaps, streams, err := s.o.Store.DueGaps(ctx, now)
	for i, g := range gaps {
		if !g.From.Before(g.To) {
			err = errors.Join(err, s.o.Store.PutGapOff(ctx, g.Seq, time.Time{}))
			continue
		}
		err = errors.Join(err, s.o.Store.HealGap(ctx, store.Backfill{
			ID: uuid.NewString(), StreamID: streams[i], Kind: store.BackfillGap, Interval: g.Interval, GapSeq: g.Seq, CreatedAt: now,
		}))
	}
	if len(gaps) > 0 {
		s.o.Wake()
	}
	return err
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
