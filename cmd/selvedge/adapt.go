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

// gapStates reads which gaps there are, for a scrape.
func (v *server) gapStates(ctx context.Context) ([]metric.GapState, error) {
	gaps, err := v.store.GapStats(ctx)
	states := make([]metric.GapState, 0, len(gaps))
	for _, g := range gaps {
		states = append(states, metric.GapState(g))
	}
	return states, err
}

// freeDisk is how many bytes are left for this process on the disk of a folder.
func freeDisk(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("look at the disk of %s: %w", dir, err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil //nolint:unconvert // the types differ between systems
}
