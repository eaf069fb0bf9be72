package job

import (
	"context"
	"errors"
	"time"

	"selvedge/internal/store"
)

// renewAll puts off the leases of running work at a quarter of their time,
// until ctx ends. The channel is closed when it has stopped.
func (d *Dispatcher) renewAll(ctx context.Context) <-chan struct{} {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(d.o.Lease / 4)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			d.renewRunning(ctx)
		}
	}()
	return stopped
}

// renewStale renews before a claim when the last renewal is long ago: a process
// that was stopped and goes on must not claim a row that it still works.
func (d *Dispatcher) renewStale(ctx context.Context) {
	d.mu.Lock()
	stale := len(d.running) > 0 && d.o.Now().Sub(d.renewed) > d.o.Lease/2
	d.mu.Unlock()
	if stale {
		d.renewRunning(ctx)
	}
}

// renewRunning renews all leases, for as long as one lasts: after that they have
// ended, and others may be at the rows.
func (d *Dispatcher) renewRunning(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, d.o.Lease)
	defer cancel()
	begun := d.o.Now()
	for _, w := range d.snapshot() {
		d.renew(bounded, w)
	}
	if bounded.Err() != nil && ctx.Err() == nil {
		d.o.Log.ErrorContext(ctx, "renew leases: the database did not answer for as long as they last")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.renewed = begun
}

func (d *Dispatcher) snapshot() []*work {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]*work, 0, len(d.running))
	for _, w := range d.running {
		all = append(all, w)
	}
	return all
}

// renew puts off one lease. Work that has lost its lease is cancelled: another
// process may be at it already. A lease that cannot be renewed for any other
// reason is left to run out.
func (d *Dispatcher) renew(ctx context.Context, w *work) {
	err := d.o.Store.Renew(ctx, w.claim, d.o.Lease)
	switch {
	case errors.Is(err, store.ErrFenced):
		w.cancel()
	case err != nil && ctx.Err() == nil:
		d.o.Log.ErrorContext(ctx, "renew a lease", "duty", string(w.claim.Duty), "id", w.claim.ID, "error", err)
	}
}
