package main

import (
	"context"
	"time"

	"selvedge/internal/job"
	"selvedge/internal/metric"
	"selvedge/internal/store"
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
