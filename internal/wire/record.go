package wire

import (
	"encoding/json"
	"maps"
	"strings"
)

// What the record of a call tells of the request and its answer: the members
// that the model knows, without what it marks as sensitive.

// hidden stands for a value that must not be recorded, in CloudTrail's own
// words.
const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// source is the service that a request is for: AWS's, or Selvedge's own.
func source(path string) string {
	if strings.HasPrefix(path, "/selvedge/") {
		return "selvedge"
	}
	return "appfabric.amazonaws.com"
}

// readOnly says whether an operation only reads, by AWS's classification: it
// counts BatchGetUserAccessTasks among those that write
// (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsappfabric.html,
// checked 2026-11-22).
func (op *operation) readOnly() bool {
	for _, verb := range []string{"Get", "List", "Show", "Read", "Audit"} {
		if strings.HasPrefix(op.name, verb) {
			return true
		}
	}
	return false
}

// changesNothing says whether an operation only reads in fact, whatever AWS counts
// it among.
func (op *operation) changesNothing() bool {
	return op.readOnly() || op.name == "BatchGetUserAccessTasks"
}

// parameters is what a request asked for. nil: nothing. A member that the model
// does not know is left out, and a value of another type than its member is
// hidden: nobody can say what it is.
func parameters(members []member, values map[string]any) map[string]any {
	var out map[string]any
	for i := range members {
		m := &members[i]
		v := values[m.name]
		if all, ok := v.([]any); v == nil || ok && len(all) == 0 && m.in == inQuery {
			continue
		}
		if out == nil {
			out = make(map[string]any, len(members))
		}
		out[m.name] = m.shape.shown(v)
	}
	return out
}

// shown is a value of the shape as it is recorded.
func (s *shape) shown(v any) any {
	if s.sensitive {
		return hidden
	}
	switch v := v.(type) {
	case string:
		if s.kind == text {
			return v
		}
	case queryText, json.Number:
		if n, ok := number(v); ok && s.kind == integer {
			return n
		}
	case []any:
		if s.kind != list {
			break
		}
		all := make([]any, len(v))
		for i := range v {
			all[i] = s.element.shown(v[i])
		}
		return all
	case map[string]any:
		if s.kind != structure && s.kind != union {
			break
		}
		if out := parameters(s.members, v); out != nil {
			return out
		}
		return map[string]any{}
	}
	return hidden
}

// elements is what the answer of an operation that writes told. nil: nothing, as
// of every operation that reads.
func elements(op *operation, ans answer) map[string]any {
	if op == nil || op.readOnly() || ans.errorCode != "" || ans.body == nil {
		return nil
	}
	encoded, err := encode(ans.body)
	if err != nil {
		return nil
	}
	var out map[string]any
	if err := json.Unmarshal(encoded, &out); err != nil || len(out) == 0 {
		return nil
	}
	hide(out)
	return out
}

// hide removes from an answer what must not be recorded: the members that the
// model marks as sensitive, the secret of a new access key, and of an authUrl
// the query, which has the state that a callback is known by.
func hide(v any) {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			hide(one)
		}
	case map[string]any:
		for name := range maps.Keys(v) {
			switch name {
			case "email", "userId", "userFullName", "userFirstName", "userLastName", "secretAccessKey":
				v[name] = hidden
			case "authUrl":
				address, _ := v[name].(string)
				v[name], _, _ = strings.Cut(address, "?")
			default:
				hide(v[name])
			}
		}
	}
}
