package control

import (
	"context"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

const (
	silentAfter    = 24 * time.Hour // without a record an ingestion is called silent
	overviewVolume = 24 * time.Hour // of volume that is shown
)

// Overview is how the connections of the caller's account and Region stand, the
// most urgent first.
type Overview struct {
	Counts      map[fabric.Standing]int64 // of all, whatever is asked for
	Connections Page[store.Connection]
}

// ShowOverview reads one page of the overview, of one standing or of all. A
// connection whose standing changes between two pages may be shown twice, or not.
func (c *Control) ShowOverview(ctx context.Context, caller fabric.Caller, only fabric.Standing, p Paging) (Overview, error) {
	var o Overview
	var err error
	now := c.now()
	o.Connections, err = page(c, caller, "ShowOverview|"+string(only), p,
		func(after store.Mark, n int) ([]store.Connection, error) {
			found, err := c.store.Overview(ctx, caller, store.OverviewInput{
				Only: only, After: after, N: n,
				Late: now.Add(-shortOutage), Silent: now.Add(-silentAfter), Since: now.Add(-overviewVolume),
			})
			o.Counts = found.Counts
			return found.Connections, err
		}, store.Connection.Mark)
	return o, err
}
