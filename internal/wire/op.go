package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"

	"github.com/google/uuid"

	"selvedge/internal/control"
	"selvedge/internal/fabric"
)

// errTooLarge is the answer to a body over the limit, of which no more than the
// limit is read.
func errTooLarge() error {
	return cannotParse("The request body is larger than %d bytes.", maxBody)
}

// serve is the one path of all operations; route is nil for what is none.
func (a *API) serve(route *operation) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := Call{
			RequestID: uuid.NewString(), Source: source(r.URL.Path), Start: a.Now(), SourceIP: r.RemoteAddr, UserAgent: r.UserAgent(),
		}
		var op *operation
		if route != nil && r.Method == route.method { // ServeMux takes HEAD for GET
			op, call.Operation, call.ReadOnly = route, route.name, route.readOnly()
		}
		ans := a.handle(r.Context(), op, &call, func() (any, error) { return a.run(w, r, op, &call) })
		ans.close = call.Caller == (fabric.Caller{}) && r.ContentLength > maxBody
		a.record(op, call, ans)
		a.write(w, r, call.RequestID, ans)
	})
}

// record tells of a call that is about to be answered.
func (a *API) record(op *operation, call Call, ans answer) {
	if a.Recorder == nil {
		return
	}
	call.Status, call.ErrorCode, call.Message = ans.status, ans.errorCode, ans.message
	call.Elements = elements(op, ans)
	call.Duration = a.Now().Sub(call.Start)
	a.Recorder(call)
}

// handle runs a call and turns every failure, a panic included, into an answer.
func (a *API) handle(ctx context.Context, op *operation, call *Call, run func() (any, error)) (ans answer) {
	defer func() {
		if p := recover(); p != nil {
			a.Log.ErrorContext(ctx, "panic in an operation", "operation", call.Operation,
				"request_id", call.RequestID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			ans = internalError(call.RequestID)
		}
	}()
	out, err := run()
	switch {
	case err == nil && op == nil:
		return unknownOperation()
	case err == nil && op.status == http.StatusNoContent:
		return answer{status: op.status}
	case err == nil:
		return answer{status: op.status, body: out}
	}
	ans = failed(op, call.RequestID, err)
	if ans.internal {
		level := slog.LevelError
		if ctx.Err() != nil { // the caller has gone, and nobody gets the answer
			level = slog.LevelInfo
		}
		a.Log.Log(ctx, level, "an operation failed", "operation", call.Operation,
			"request_id", call.RequestID, "error", err)
	}
	return ans
}

// run is the order of checks: signature, rate, route, members, policy; then
// the operation. It notes the caller in call.
func (a *API) run(w http.ResponseWriter, r *http.Request, op *operation, call *Call) (any, error) {
	body, err := read(w, r)
	if err != nil {
		return nil, err
	}
	identity, err := a.Verifier.Verify(r, body)
	if err != nil {
		return nil, err
	}
	call.Caller = fabric.Caller{Account: identity.Account, Region: identity.Region, AccessKeyID: identity.AccessKeyID}
	if op != nil && op.downloads() {
		if err := unbound(w); err != nil {
			return nil, err
		}
	}
	return a.do(r.Context(), op, call, func() (input, error) { return decode(r, op.input, body) })
}

// do is the part of run that does not depend on how the caller is known. It
// notes the parameters in call.
func (a *API) do(ctx context.Context, op *operation, call *Call, members func() (input, error)) (any, error) {
	if a.throttle != nil {
		if err := a.throttle.take(call.Caller.Account, call.Operation, a.Now()); err != nil {
			return nil, err
		}
	}
	if op == nil {
		return nil, nil
	}
	in, err := members()
	call.Parameters = parameters(op.input, in.values)
	if err != nil {
		return nil, err
	}
	if a.Authorize != nil {
		if err := a.Authorize(ctx, call.Caller, access(op, in)); err != nil {
			return nil, err
		}
	}
	return op.do(ctx, a.Control, call.Caller, in)
}

// read takes in the body as far as the limit.
func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > maxBody {
		return nil, errTooLarge()
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, errTooLarge()
	}
	if err != nil {
		return nil, cannotParse("The request body could not be read to its end.")
	}
	return body, nil
}

// access is what a policy is asked about. Members that the operation does not
// have are not heard: the body may have any.
func access(op *operation, given input) control.Access {
	in := input{values: make(map[string]any, len(op.input))}
	for i := range op.input {
		name := op.input[i].name
		in.values[name] = given.values[name]
	}
	return control.Access{
		Action: op.action(),
		Bundle: in.text("appBundleIdentifier"), Authorization: in.text("appAuthorizationIdentifier"),
		Ingestion: in.text("ingestionIdentifier"), Destination: in.text("ingestionDestinationIdentifier"),
		Resource: in.text("resourceArn"), Tags: in.tags(), TagKeys: in.texts("tagKeys"),
	}
}

// write sends an answer in one piece.
func (a *API) write(w http.ResponseWriter, r *http.Request, requestID string, ans answer) {
	h := w.Header()
	h.Set("X-Amzn-Requestid", requestID)
	if ans.errorCode != "" {
		h.Set("X-Amzn-Errortype", ans.errorCode)
	}
	if ans.retryAfter > 0 {
		h.Set("Retry-After", seconds(ans.retryAfter))
	}
	if ans.close {
		h.Set("Connection", "close")
	}
	if ans.body == nil {
		w.WriteHeader(ans.status)
		return
	}
	if file, ok := ans.body.(download); ok {
		if err := send(w, ans.status, file); err != nil {
			a.Log.WarnContext(r.Context(), "a file was not sent to its end", "request_id", requestID, "error", err)
		}
		return
	}
	body, err := encode(ans.body)
	if err != nil { // of shapes that only hold text, it does not happen
		a.Log.ErrorContext(r.Context(), "encode answer", "request_id", requestID, "error", err)
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(ans.status)
	if _, err := w.Write(body); err != nil {
		a.Log.DebugContext(r.Context(), "write answer", "request_id", requestID, "error", err)
	}
}

// encode writes JSON with & < and > as they are: authorize URLs are full of &.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
