// Package sink is the contract between Selvedge and the places that events are
// delivered to: what is put there (Object), how it is put (ObjectSink,
// RecordSink) and how that fails (Error).
//
// A sink makes one attempt and classifies what went wrong. It never waits and
// never retries; when to try again is decided by the duty that called it.
// Whatever is put has a key that its content alone decides, so that an attempt
// whose answer was lost may be repeated and leaves one object.
//
// The suites that every object sink and every record sink pass are in
// sink/sinktest.
package sink

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// MaxBody is how large an object's body may become, in bytes: a batch is closed
// at 8 MiB of raw records, a page of it may have 32 MiB, and OCSF is some times
// as large.
const MaxBody = 256 << 20

// Object is one batch on its way to a bucket.
type Object struct {
	Region      string // of the bucket; a sink that has no Regions ignores it
	Bucket      string
	Key         string // segments parted by '/', none of them empty, "." or ".."
	Body        []byte // the sink does not change it, nor keep it after Put
	ContentType string // such as "application/x-ndjson"; a sink that cannot say it ignores it
}

// ObjectSink puts objects into buckets. It may be used by any number of
// goroutines at once.
type ObjectSink interface {
	// Put returns nil once the whole object is durable. The same key again is
	// success. A reader of the bucket never sees a part of an object.
	// Every error is an *Error, except that of an ended ctx.
	Put(ctx context.Context, o Object) error
}

// Stream names what records are sent into.
type Stream struct {
	Region string // a sink that has no Regions ignores it
	Name   string
}

// RecordSink sends records into streams. It may be used by any number of
// goroutines at once.
type RecordSink interface {
	// Send returns the indexes of the records that were not taken, ascending:
	// they alone are sent next time. A record whose fate is not known was not
	// taken. With an error and no index, none was taken. Every error is an
	// *Error, except that of an ended ctx, which may come with indexes too.
	Send(ctx context.Context, to Stream, records [][]byte) (failed []int, err error)
	// MaxRecord is how large a record may be, in bytes; a larger one will never
	// be taken and must not be sent.
	MaxRecord() int
}

// Tidier is implemented by an object sink in which a crash may leave something
// half-written that no later Put takes away.
type Tidier interface {
	// Sweep removes what was left before the given time, and counts it.
	Sweep(ctx context.Context, before time.Time) (int, error)
}

// Preparer is implemented by an object sink whose buckets have to be made
// before anything can be put into them.
type Preparer interface {
	// Prepare makes the bucket where it does not exist. Again is success.
	Prepare(ctx context.Context, bucket string) error
}

// StreamPreparer is implemented by a record sink whose streams can be told in
// advance to be unfit, or have to be made or marked.
type StreamPreparer interface {
	// PrepareStream returns an error only for a stream that cannot take records
	// as it is. Again is success.
	PrepareStream(ctx context.Context, to Stream) error
}

// Looker is implemented by a sink that can look at a bucket or stream without
// putting anything into it.
type Looker interface {
	// Look returns nil for a place that is there. An error is ErrUnseen, an *Error,
	// or that of an ended ctx. A sink that has no Regions ignores the Region.
	Look(ctx context.Context, region, name string) error
}

// ErrUnseen says that the server may not look at a place; whether it may put
// something there is not known.
var ErrUnseen = errors.New("sink: the place may not be looked at")

// Kind says what a failure means to the destination.
type Kind int

// The kinds of failure. The zero Kind is Unavailable.
const (
	Unavailable Kind = iota // the place or the way to it is broken: a later attempt may succeed by itself
	Refused                 // somebody has to change something first: the destination is shown as Failed
)

// String returns the kind's name, as metrics show it.
func (k Kind) String() string {
	names := [...]string{"unavailable", "refused"}
	if k < 0 || int(k) >= len(names) {
		return fmt.Sprintf("kind(%d)", int(k))
	}
	return names[k]
}

// Error is the failure of one attempt.
type Error struct {
	Kind   Kind
	Reason string // what is wrong and what to do about it, for the destination's owner: the statusReason
	Err    error  // what lies beneath; its text stays inside the process
}

// Error gives the kind, the reason and the cause.
func (e *Error) Error() string {
	s := e.Kind.String() + ": " + e.Reason
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns what lies beneath.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of err. An error that no sink classified is
// Unavailable: it is tried again.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Unavailable
}

// ReasonOf returns the reason of err; empty for an error that no sink
// classified, whose text must not leave the process.
func ReasonOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ""
}
