package control

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

// BackfillInput asks for a window of an ingestion to be read.
type BackfillInput struct {
	ARN   string
	From  string // RFC 3339
	To    string
	Again bool // what was read before too
}

// BackfillState is how far a backfill is.
type BackfillState struct {
	ID      string
	From    time.Time
	To      time.Time
	Again   bool
	Streams []store.Backfill // by name
}

// Ended says whether nothing is left to read.
func (s BackfillState) Ended() bool {
	for _, b := range s.Streams {
		if b.EndedAt.IsZero() {
			return false
		}
	}
	return true
}

// Backfill has the server read what the ledger of an ingestion does not show as
// read of a window, or all of it. The same that is asked for again while it goes
// on is the one that goes on.
func (c *Control) Backfill(ctx context.Context, caller fabric.Caller, in BackfillInput) (BackfillState, error) {
	a, err := ofKind(caller, fabric.KindIngestion, in.ARN)
	if err != nil {
		return BackfillState{}, err
	}
	i, err := c.store.GetIngestion(ctx, caller, a.Bundle, a.Child)
	if err != nil {
		return BackfillState{}, untaggable(err, a, in.ARN)
	}
	window, err := c.backfillWindow(i, in)
	if err != nil {
		return BackfillState{}, err
	}
	streams, err := c.store.StreamStates(ctx, caller, i.ID)
	if err != nil {
		return BackfillState{}, err
	}
	if len(streams) == 0 {
		return BackfillState{}, fabric.Invalid("Nothing is collected from %s by this server, so that there is nothing to read.", i.App)
	}
	run, rows := uuid.NewString(), make([]store.Backfill, 0, len(streams))
	for _, st := range streams {
		rows = append(rows, store.Backfill{
			ID: uuid.NewString(), RunID: run, StreamID: st.ID, Kind: store.BackfillAsked, Interval: window, Again: in.Again, CreatedAt: c.now(),
		})
	}
	run, err = c.store.StartBackfill(ctx, caller, i.BundleID, i.ID, rows)
	if errors.Is(err, store.ErrState) {
		return BackfillState{}, fabric.Invalid("The ingestion is disabled. Start it, and then ask for the backfill.")
	}
	if err != nil {
		return BackfillState{}, untaggable(err, a, in.ARN)
	}
	c.wake()
	return c.ShowBackfill(ctx, caller, in.ARN, run)
}

// backfillWindow reads and checks the window: in the past, and no further back
// than the provider keeps records.
func (c *Control) backfillWindow(i fabric.Ingestion, in BackfillInput) (store.Interval, error) {
	from, err := time.Parse(time.RFC3339, in.From)
	if err != nil {
		return store.Interval{}, fabric.InvalidField("from", "want a time such as 2026-11-01T00:00:00Z.")
	}
	to, err := time.Parse(time.RFC3339, in.To)
	if err != nil {
		return store.Interval{}, fabric.InvalidField("to", "want a time such as 2026-11-02T00:00:00Z.")
	}
	now := c.now()
	if to.After(now) {
		return store.Interval{}, fabric.InvalidField("to", "want a time that has passed: it is %s.", now.UTC().Format(time.RFC3339))
	}
	if !from.Before(to) {
		return store.Interval{}, fabric.InvalidField("from", "want a time before to.")
	}
	var longest time.Duration
	for _, s := range c.apps[i.App].Streams {
		if s.Retention == 0 {
			longest = 0
			break // it may keep them for ever
		}
		longest = max(longest, s.Retention)
	}
	if first := now.Add(-longest); longest > 0 && from.Before(first) {
		return store.Interval{}, fabric.InvalidField("from", "%s keeps records for %d days: the earliest time that can be read is %s.",
			i.App, int(longest.Hours()/24), first.Add(time.Minute).UTC().Format(time.RFC3339))
	}
	return store.Interval{From: from.UTC(), To: to.UTC()}, nil
}

// ShowBackfill reads how far a backfill is. It is known for a week after its end.
func (c *Control) ShowBackfill(ctx context.Context, caller fabric.Caller, arn, id string) (BackfillState, error) {
	a, err := ofKind(caller, fabric.KindIngestion, arn)
	if err != nil {
		return BackfillState{}, err
	}
	i, err := c.store.GetIngestion(ctx, caller, a.Bundle, a.Child)
	if err != nil {
		return BackfillState{}, untaggable(err, a, arn)
	}
	rows, err := c.store.BackfillRun(ctx, caller, i.ID, id)
	if err != nil {
		return BackfillState{}, err
	}
	if len(rows) == 0 {
		return BackfillState{}, fabric.Invalid("The ingestion has no backfill %s: one is known for a week after its end.", id)
	}
	return BackfillState{ID: id, From: rows[0].From, To: rows[0].To, Again: rows[0].Again, Streams: rows}, nil
}

// together puts the streams of each backfill together, in the order in which the
// backfills began.
func together(rows []store.Backfill) []BackfillState {
	var all []BackfillState
	at := map[string]int{}
	for _, b := range rows {
		n, ok := at[b.RunID]
		if !ok {
			n, at[b.RunID] = len(all), len(all)
			all = append(all, BackfillState{ID: b.RunID, From: b.From, To: b.To, Again: b.Again})
		}
		all[n].Streams = append(all[n].Streams, b)
	}
	return all
}
