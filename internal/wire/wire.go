// Package wire is AWS AppFabric's API as clients of AWS see it: REST-JSON with
// Signature Version 4, the 26 routes, the constraints of every member, the
// exceptions and their statuses. What an operation does is in package control.
//
// A request goes one way, in this order: the body is read (1 MiB at the most),
// the signature verified, the caller's rate checked, the route found, the
// members decoded and all their constraints checked at once, the caller
// authorised, the operation called and its output encoded. Whatever fails on
// the way becomes an exception that the operation models; every answer has a
// request id, and every answer but that of a delete is JSON. Selvedge's own
// administration goes the same way, below /selvedge/v1/.
//
// The model is the SDKs' own, of API version 2023-05-19:
// https://docs.aws.amazon.com/appfabric/latest/api/ (checked 2026-11-22).
package wire

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"selvedge/internal/control"
	"selvedge/internal/fabric"
	"selvedge/internal/sigv4"
)

// Options is what the API works with. Authorize and Recorder may be nil.
type Options struct {
	Control  *control.Control
	Verifier *sigv4.Verifier
	Log      *slog.Logger
	Now      func() time.Time

	// Authorize says whether the caller may do what it asks for. It answers a
	// *fabric.Error of kind AccessDenied, or of kind Validation. Nil: a caller
	// may do everything.
	Authorize func(ctx context.Context, caller fabric.Caller, a control.Access) error

	// Recorder is told of every call before its answer is written, so that no
	// answer goes out that is not recorded. It must not block for long.
	Recorder func(Call)

	Throttle Throttle
}

// Call is one request and how it was answered, without anything secret.
type Call struct {
	RequestID string
	Source    string        // the service, as CloudTrail names it
	Operation string        // empty where no route fits
	ReadOnly  bool          // the operation changes nothing
	Caller    fabric.Caller // zero where the signature was refused
	Status    int           // HTTP status
	ErrorCode string        // name of the exception; empty on success
	Message   string        // of the exception
	Start     time.Time
	Duration  time.Duration
	SourceIP  string // address of the connection, with its port
	UserAgent string

	// What was asked for, by the names of the model, and what was answered where
	// the operation changes something. nil: nothing, or the signature was refused.
	Parameters map[string]any
	Elements   map[string]any
}

// API serves the routes. It is safe for concurrent use.
type API struct {
	Options
	mux        *http.ServeMux
	operations map[string]*operation
	throttle   *throttle // nil: nothing is limited
}

// New returns the API. It answers every path: what is no route is an
// UnknownOperationException.
func New(o Options) *API {
	a := &API{Options: o, mux: http.NewServeMux(), operations: make(map[string]*operation), throttle: newThrottle(o.Throttle)}
	for _, op := range slices.Concat(routes(), administration()) {
		knowApps(op.input, o.Control.Apps())
		a.operations[op.name] = &op
		a.mux.Handle(op.method+" "+op.pattern, a.serve(&op))
	}
	a.mux.Handle("/", a.serve(nil))
	return a
}

// knowApps makes the applications that there are a constraint of the member that
// names one: the model has them as a plain string, AWS refuses others.
func knowApps(members []member, names []string) {
	for i := range members {
		if members[i].name == "app" {
			members[i].shape.enum = names
		}
	}
}

// ServeHTTP keeps from ServeMux what it would answer by itself: a redirect to a
// cleaned path, or plain text.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !plain(r) {
		a.serve(nil).ServeHTTP(w, r)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// plain says whether the path is one that ServeMux takes as it is: without
// empty, "." and ".." segments.
func plain(r *http.Request) bool {
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/")
	if !ok || !strings.HasPrefix(r.RequestURI, "/") {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return true
}
