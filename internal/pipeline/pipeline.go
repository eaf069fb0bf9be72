package pipeline

import (
	"context"
	"log/slog"
	"time"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/secret"
	"selvedge/internal/store"
	"selvedge/internal/token"
	"selvedge/sink"
)

// maxBatch is how many bytes of records close a batch before its poll ends.
const maxBatch = 8 << 20

// Grants is the side of token.Manager that duties need.
type Grants interface {
	// Session fails with token.ErrNoGrant while there is nothing to open one with.
	Session(ctx context.Context, a fabric.AppAuthorization) (connector.Session, token.Grant, error)
	// Expedite makes the refresh of the grant due now.
	Expedite(ctx context.Context, authorizationID string) error
	// Rejected makes known that a provider does not take the key of an
	// authorization; reason has the provider's words.
	Rejected(ctx context.Context, a fabric.AppAuthorization, reason string) error
}

// Observer is told what the pipeline does. Its methods are called from many
// goroutines.
type Observer interface {
	Polled(app, outcome string)
	Page(app string, records, fresh int, bytes int64)
	Delivered(app string, records int, bytes int64, delay time.Duration)
	Normalized(app string, base, replaced int)
	DeliveryFailed(app, kind string)
}

// Ledger is told of what was not read in time, or not at all, and how long
// records take from end to end. Its methods are
// called from many goroutines.
type Ledger interface {
	Late(app string, late time.Duration) // a record was met that showed so late
	Gap(app, event string)               // "found", "healed" or "lost"
	Held(app, why string)                // a poll was not made, for want of room: "raw-limit" or "disk"
	Backfilled(app, kind string, pages, fresh int)
	Delayed(app string, delay time.Duration) // a record was delivered so long after it happened
}

// Options is what the duties need. All members are required but those that say
// so.
type Options struct {
	Store    *store.Store
	Keys     *secret.Keyring
	Apps     []connector.App
	Grants   Grants
	Buckets  sink.ObjectSink
	Streams  sink.RecordSink
	Interval time.Duration // between the end of a poll and the next
	KeepRaw  time.Duration // how long a batch is kept after its delivery
	Now      func() time.Time
	Log      *slog.Logger
	Observer Observer
	Ledger   Ledger
	Wake     func() // tells the dispatcher to look for due rows

	SilenceAfter time.Duration // after which an ingestion without a record is silent; 0: never

	RawLimit  int64                 // bytes of raw records kept of an ingestion, beyond which it is not polled; 0: none
	FreeFloor int64                 // bytes that the disk must have left for polling; 0: none
	Free      func() (int64, error) // how many it has; nil: nobody knows
}

// appsByName is the applications under their names.
func appsByName(apps []connector.App) map[string]connector.App {
	byName := make(map[string]connector.App, len(apps))
	for _, a := range apps {
		byName[a.Name] = a
	}
	return byName
}
