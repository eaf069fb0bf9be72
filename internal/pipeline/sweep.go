package pipeline

import (
	"context"
	"errors"
	"time"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/sink"
)

// The times after which the sweep ends things.
const (
	sweepEvery       = time.Minute
	keepClientToken  = 24 * time.Hour
	keepLineage      = 90 * 24 * time.Hour
	keepSeen         = 48 * time.Hour     // behind the overlap; see kept
	keepBackfill     = 7 * 24 * time.Hour // of what was asked for and has ended
	keepParts        = 24 * time.Hour     // of what a crash left half-written
	keepPace         = 24 * time.Hour     // of a tenant that nobody calls any more
	bareGrace        = 24 * time.Hour     // of an enabled ingestion without a destination
	keepVolume       = 48 * time.Hour     // the overview shows a day
	keepUserAccess   = 7 * 24 * time.Hour
	keepNotification = 7 * 24 * time.Hour // that cannot be delivered
	expiryGrace      = 10 * time.Minute   // for the duty of a user access task to expire it itself
)

// Sweeper is the duty sweep: every table is bounded.
type Sweeper struct {
	o    Options
	apps map[string]connector.App
}

// NewSweeper returns the duty.
func NewSweeper(o Options) *Sweeper { return &Sweeper{o: o, apps: appsByName(o.Apps)} }

// Run sweeps once. It is a job.Kind's Run.
func (s *Sweeper) Run(ctx context.Context, c store.Claim) error {
	now := s.o.Now()
	err := errors.Join(
		drain(func() (int64, error) { return s.o.Store.SweepBatches(ctx, now.Add(-s.o.KeepRaw)) }),
		drain(func() (int64, error) { return s.o.Store.SweepClientTokens(ctx, now.Add(-keepClientToken)) }),
		drain(func() (int64, error) { return s.o.Store.SweepGrantEvents(ctx, now.Add(-keepLineage)) }),
		drain(func() (int64, error) { return s.o.Store.SweepGaps(ctx, now.Add(-keepLineage)) }),
		drain(func() (int64, error) { return s.o.Store.SweepAccessKeys(ctx, now.Add(-keepLineage)) }),
		drain(func() (int64, error) { return s.o.Store.SweepPaces(ctx, keepPace) }),
		drain(func() (int64, error) {
			return s.o.Store.ExpireUserAccess(ctx, now.Add(-fabric.UserAccessLife-expiryGrace))
		}),
		drain(func() (int64, error) { return s.o.Store.SweepUserAccess(ctx, now.Add(-keepUserAccess)) }),
		drain(func() (int64, error) { return s.o.Store.SweepBackfills(ctx, now.Add(-keepBackfill)) }),
		s.silence(ctx),
		drain(func() (int64, error) { return s.sweepNotifications(ctx, now.Add(-keepNotification)) }),
		drain(func() (int64, error) { return s.o.Store.SweepVolumes(ctx, now.Add(-keepVolume)) }),
		s.sweepSeen(ctx),
		s.heal(ctx, now),
		s.tidy(ctx, now),
		s.mend(ctx),
		s.o.Store.Shrink(ctx),
	)
	if err != nil {
		return err
	}
	return s.o.Store.Finish(ctx, c, now.Add(sweepEvery))
}

// drain repeats a bounded removal until nothing is left.
func drain(step func() (int64, error)) error {
	for {
		n, err := step()
		if err != nil || n == 0 {
			return err
		}
	}
}

// sweepSeen forgets ids that no poll can meet again: those of hours before the
// oldest window that the stream may still read. It goes by each stream's
// own watermark: a stream that is behind forgets nothing.
func (s *Sweeper) sweepSeen(ctx context.Context) error {
	marks, err := s.o.Store.StreamMarks(ctx)
	if err != nil {
		return err
	}
	for _, m := range marks {
		spec, _ := s.apps[m.App].FindStream(m.Name)
		known := m.Watermark.Add(-kept(spec))
		if !m.Oldest.IsZero() {
			known = earliest(known, m.Oldest)
		}
		hour := hourOf(known)
		err := drain(func() (int64, error) { return s.o.Store.SweepSeen(ctx, m.ID, hour) })
		if err != nil {
			return err
		}
	}
	return nil
}

// silence finds the ingestions of which no record has come for long, and those of
// which one has come again.
func (s *Sweeper) silence(ctx context.Context) error {
	if s.o.SilenceAfter <= 0 {
		return nil
	}
	return s.o.Store.MarkSilent(ctx, s.o.SilenceAfter)
}

// sweepNotifications gives up what could not be told for long.
func (s *Sweeper) sweepNotifications(ctx context.Context, before time.Time) (int64, error) {
	n, err := s.o.Store.SweepNotifications(ctx, before)
	if n > 0 {
		s.o.Log.ErrorContext(ctx, "notifications were given up: the webhook has not taken them for a week", "count", n)
	}
	return n, err
}

// tidy removes what crashes left half-written in the buckets.
func (s *Sweeper) tidy(ctx context.Context, now time.Time) error {
	t, ok := s.o.Buckets.(sink.Tidier)
	if !ok {
		return nil
	}
	_, err := t.Sweep(ctx, now.Add(-keepParts))
	return err
}

// mend makes due what lost its time, and disables ingestions that deliver to
// nowhere.
func (s *Sweeper) mend(ctx context.Context) error {
	rearmed, err := s.o.Store.Rearm(ctx)
	if err != nil {
		return err
	}
	if rearmed > 0 {
		s.o.Log.WarnContext(ctx, "duties without a time were made due", "count", rearmed)
		s.o.Wake()
	}
	disabled, err := s.o.Store.DisableBare(ctx, bareGrace)
	for _, id := range disabled {
		s.o.Log.WarnContext(ctx, "an ingestion without a destination was disabled", "ingestion", id)
	}
	return err
}
