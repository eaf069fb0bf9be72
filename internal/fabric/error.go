package fabric

import (
	"errors"
	"fmt"
	"time"
)

// ErrorKind says what a failed operation means to its caller. The one table
// from kinds to AWS's exceptions is in package wire.
type ErrorKind int

// The kinds of errors. The zero kind is Internal: whatever nobody classified.
const (
	Internal ErrorKind = iota
	Validation
	NotFound
	Conflict
	QuotaExceeded
	Throttled
	AccessDenied
)

// Reasons of a Validation error, as ValidationExceptionReason lists them.
const (
	ReasonUnknownOperation = "unknownOperation"
	ReasonCannotParse      = "cannotParse"
	ReasonField            = "fieldValidationFailed"
	ReasonOther            = "other"
)

// Field is one member of a request that does not keep a constraint.
type Field struct {
	Name    string // path of the member, such as "tenant.tenantIdentifier"
	Message string // what is allowed
}

// Error is an operation's failure in the vocabulary of all layers. Message is
// for the caller of the API; the text of Err never leaves the process.
type Error struct {
	Kind         ErrorKind
	Message      string
	Reason       string  // of Validation
	Fields       []Field // of Validation
	ResourceID   string  // of NotFound, Conflict, QuotaExceeded: as it was sent
	ResourceType Kind
	RetryAfter   time.Duration // of Throttled
	Err          error
}

// Error gives the message, and the cause where there is one.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOfError returns the kind of err; Internal for an error of no kind.
func KindOfError(err error) ErrorKind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Invalid is a Validation error that no single member explains.
func Invalid(format string, args ...any) *Error {
	return &Error{Kind: Validation, Reason: ReasonOther, Message: fmt.Sprintf(format, args...)}
}

// InvalidField is a Validation error of one member.
func InvalidField(name, format string, args ...any) *Error {
	message := fmt.Sprintf(format, args...)
	return &Error{
		Kind: Validation, Reason: ReasonField, Message: name + ": " + message,
		Fields: []Field{{Name: name, Message: message}},
	}
}

// Missing says that there is no such resource.
func Missing(kind Kind, id string) *Error {
	return &Error{
		Kind: NotFound, ResourceType: kind, ResourceID: id,
		Message: fmt.Sprintf("The %s %s was not found.", kind, id),
	}
}

// InConflict says that a resource stands in the way.
func InConflict(kind Kind, id, format string, args ...any) *Error {
	return &Error{Kind: Conflict, ResourceType: kind, ResourceID: id, Message: fmt.Sprintf(format, args...)}
}
