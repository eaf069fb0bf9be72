package pipeline

import (
	"context"
	"fmt"
	"time"

	"selvedge/internal/job"
)

// waitRoom is how long a poll waits for room before it looks again.
const waitRoom = time.Minute

// room refuses to read while an ingestion has too much that is not yet swept, or
// the disk too little left: what was taken in stays safe, other ingestions go on,
// and so does this one as soon as there is room.
func (r *poll) room(ctx context.Context) error {
	if r.o.RawLimit > 0 {
		n, err := r.o.Store.RawBytes(ctx, r.ing.ID)
		if err != nil {
			return err
		}
		if n >= r.o.RawLimit {
			r.o.Ledger.Held(r.ing.App, "raw-limit")
			return r.noRoom(ctx, fmt.Sprintf("polling rests: %d bytes of raw records are kept of this ingestion, and the limit is %d (--raw-limit): "+
				"it goes on by itself when its destinations have had them", n, r.o.RawLimit))
		}
	}
	if r.o.FreeFloor > 0 && r.o.Free != nil {
		n, err := r.o.Free()
		if err != nil {
			return fmt.Errorf("pipeline: free disk space: %w", err)
		}
		if n < r.o.FreeFloor {
			r.o.Ledger.Held(r.ing.App, "disk")
			return r.noRoom(ctx, fmt.Sprintf("polling rests: the data directory's disk has %d bytes left, and %d are to stay free (--free-disk): "+
				"it goes on by itself when there is room", n, r.o.FreeFloor))
		}
	}
	return nil
}

func (r *poll) noRoom(ctx context.Context, reason string) error {
	r.o.Log.WarnContext(ctx, "an ingestion has no room", "stream", r.stream.ID, "reason", reason)
	return &job.Retry{After: waitRoom, Reason: reason}
}
