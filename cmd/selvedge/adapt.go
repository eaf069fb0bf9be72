package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

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

// watchStates adds the metrics that are read from the database.
func (v *server) watchStates() {
	v.metrics.WatchDuties(v.dutyStates)
	v.metrics.WatchGaps(reading(v.store.GapStats, func(s store.GapStat) metric.GapState { return metric.GapState(s) }))
	tally := func(t store.Tally) metric.Tally { return metric.Tally(t) }
	v.metrics.WatchAuthorizations(reading(v.store.AuthorizationStats, tally))
	v.metrics.WatchIngestions(reading(v.store.IngestionStats, tally))
	v.metrics.WatchDestinations(reading(v.store.DestinationStats, tally))
	v.metrics.WatchBacklog(reading(v.store.BacklogStats, func(s store.BacklogStat) metric.BacklogState { return metric.BacklogState(s) }))
	v.metrics.WatchSilence(reading(v.store.SilenceStats, func(s store.SilenceStat) metric.SilenceState { return metric.SilenceState(s) }))
}

// reading makes what a scrape reads of what the store tells.
func reading[S, M any](stats func(context.Context) ([]S, error), state func(S) M) func(context.Context) ([]M, error) {
	return func(ctx context.Context) ([]M, error) {
		all, err := stats(ctx)
		states := make([]M, 0, len(all))
		for _, s := range all {
			states = append(states, state(s))
		}
		return states, err
	}
}

// freeDisk is how many bytes are left for this process on the disk of a folder.
func freeDisk(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("look at the disk of %s: %w", dir, err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil //nolint:unconvert // the types differ between systems
}
