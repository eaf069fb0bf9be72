package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"selvedge/internal/fabric"
)

// Do does an operation for a caller who is known by something else than a
// signature: a person who has signed in to the console. Rate, constraints,
// policy and record are those of a request. The members have the model's names,
// wherever a request would carry them, and values that JSON can have.
//
// The answer is the body of a request's; nil where it has none. An error is a
// *fabric.Error that can be shown: one of the server's own making says no more
// than under which request id the log has it.
func (a *API) Do(ctx context.Context, by fabric.Visitor, operation string, members map[string]any) (json.RawMessage, error) {
	call := Call{RequestID: uuid.NewString(), Start: a.Now(), Caller: by.Caller, SourceIP: by.SourceIP, UserAgent: by.UserAgent}
	op, ok := a.operations[operation]
	if !ok || op.downloads() {
		return nil, fmt.Errorf("wire: there is no operation %q that answers with JSON", operation)
	}
	call.Operation, call.ReadOnly, call.Source = op.name, op.readOnly(), source(op.pattern)
	var cause error
	ans := a.handle(ctx, op, &call, func() (any, error) {
		out, err := a.do(ctx, op, &call, func() (input, error) { return decodeMembers(op.input, members) })
		cause = err
		return out, err
	})
	if !by.Again || !op.changesNothing() || ans.errorCode != "" {
		a.record(op, call, ans)
	}
	if ans.errorCode != "" {
		if e, ok := errors.AsType[*fabric.Error](cause); ok && !ans.internal {
			return nil, e
		}
		return nil, &fabric.Error{Kind: fabric.Internal, Message: ans.message}
	}
	if ans.body == nil {
		return nil, nil
	}
	return encode(ans.body)
}

// decodeMembers takes members as a body would bring them, and checks them all.
func decodeMembers(members []member, given map[string]any) (input, error) {
	if given == nil {
		given = map[string]any{}
	}
	body, err := json.Marshal(given)
	if err != nil {
		return input{}, fmt.Errorf("wire: members: %w", err)
	}
	values, err := parse(body)
	if err != nil {
		return input{}, err
	}
	var f faults
	checkMembers("", members, values, &f)
	return input{values: values}, f.err()
}
