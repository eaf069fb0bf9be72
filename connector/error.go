package connector

import (
	"errors"
	"fmt"
	"time"
)

// ErrNoUser is FindUser's answer for an address that the tenant does not know.
var ErrNoUser = errors.New("the user not found")

// Kind says what a failure means to the engine. A session only classifies;
// what is done about a failure is decided by the duty that called it.
type Kind int

// The kinds of failure. The zero Kind is Unavailable, which is tried again.
const (
	Unavailable   Kind = iota // the provider or the way to it is broken: try again
	Unauthorized              // the grant was not accepted: refresh once, then ask
	Forbidden                 // the grant is good but does not reach this far
	Throttled                 // too many calls: wait until Error.Until
	CursorExpired             // the provider no longer knows the cursor
	Malformed                 // the answer cannot be decoded: Error.Body has it
)

// String returns the kind's name, as metrics and the console show it.
func (k Kind) String() string {
	names := [...]string{"unavailable", "unauthorized", "forbidden", "throttled", "cursor_expired", "malformed"}
	if k < 0 || int(k) >= len(names) {
		return fmt.Sprintf("kind(%d)", int(k))
	}
	return names[k]
}

// Error is the failure of one call to a provider.
type Error struct {
	Kind   Kind
	Op     string    // "okta: list system log"
	Status int       // the HTTP status; zero where there was no answer
	Reason string    // the provider's own words, safe to show to the authorization's owner
	Until  time.Time // of Throttled: when to call again; zero: the provider does not say
	Body   []byte    // of Malformed: the answer, as far as it was read
	Next   Cursor    // of Malformed: the page behind this one, where the answer's headers told it
	Err    error     // what lies beneath; its text stays inside the process
}

// Error gives the operation, the kind, and the provider's words or the cause.
func (e *Error) Error() string {
	s := e.Op + ": " + e.Kind.String()
	if e.Status != 0 {
		s += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	switch {
	case e.Reason != "":
		s += ": " + e.Reason
	case e.Err != nil:
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns what lies beneath.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of err. An error that no session classified is
// Unavailable: it is tried again.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Unavailable
}
