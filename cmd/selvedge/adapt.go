package main

import (
	"context"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/metric"
	"selvedge/internal/store"
	"selvedge/sink"
	"selvedge/sink/local"
)

// dutyObserver counts what the dispatcher does.
type dutyObserver struct{ *metric.Metrics }

// Claimed counts a claim.
func (o dutyObserver) Claimed(d store.Duty, late time.Duration) { o.DutyClaimed(string(d), late) }

// Ended counts the end of a claim.
func (o dutyObserver) Ended(d store.Duty, out job.Outcome) { o.DutyEnded(string(d), string(out)) }

// dutyStates reads how the duties stand, for a scrape.
func (v *server) dutyStates(ctx context.Context) ([]metric.DutyState, error) {
	var states []metric.DutyState
	for _, d := range store.Duties() {
		st, err := v.store.DutyStats(ctx, d)
		if err != nil {
			return nil, err
		}
		states = append(states, metric.DutyState{
			Duty: string(d), Behind: st.Late, Held: int(st.Held), Expired: int(st.Expired),
			Parked: int(st.Parked), Failing: int(st.Failing),
		})
	}
	return states, nil
}

// places says what this server can deliver to: local buckets.
type places struct{ buckets *local.Sink }

// Prepare makes a bucket's folder. What this server cannot deliver is refused:
// whatever is taken must arrive.
func (p places) Prepare(ctx context.Context, _ string, as fabric.Processing, to fabric.Place) error {
	if as.Format != fabric.FormatJSON {
		return fabric.Invalid("This server does not write Parquet. Use the format json.")
	}
	if to.Stream != "" {
		return fabric.Invalid("This server does not deliver to Firehose streams. Use an S3 bucket as the destination.")
	}
	if err := p.buckets.Prepare(ctx, to.Bucket); err != nil {
		return &fabric.Error{Kind: fabric.Validation, Reason: fabric.ReasonOther, Message: sink.ReasonOf(err), Err: err}
	}
	return nil
}
