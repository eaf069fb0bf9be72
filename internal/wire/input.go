package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"selvedge/internal/control"
	"selvedge/internal/fabric"
	"selvedge/internal/token"
)

const (
	maxBody  = 1 << 20 // bytes of a request's body
	maxDepth = 32      // of nested JSON
)

// queryText is an integer of the query string before it is read.
type queryText string

// input is a request's members after all constraints were found kept, by name.
// Of a member that was left out, its readers give the zero value.
type input struct {
	values map[string]any
}

// decode reads the members of a request from path, query and body, and checks
// them all.
func decode(r *http.Request, members []member, body []byte) (input, error) {
	values := map[string]any{}
	var err error
	for i := range members {
		if members[i].in == inBody {
			if values, err = parse(body); err != nil {
				return input{}, err
			}
			break
		}
	}
	var f faults
	params := r.URL.Query()
	for i := range members {
		m := &members[i]
		switch m.in {
		case inPath:
			values[m.name] = r.PathValue(m.name)
		case inQuery:
			values[m.name] = fromQuery(m, params[m.name], &f)
		}
	}
	checkMembers("", members, values, &f)
	return input{values: values}, f.err()
}

// fromQuery gives a parameter the type of its member; nil where it was not
// sent.
func fromQuery(m *member, sent []string, f *faults) any {
	if m.shape.kind == list {
		all := make([]any, len(sent))
		for i, s := range sent {
			all[i] = s
		}
		return all
	}
	if len(sent) > 1 {
		f.add(m.name, "Member must be given once")
	}
	switch {
	case len(sent) == 0:
		return nil
	case m.shape.kind == integer:
		return queryText(sent[0])
	default:
		return sent[0]
	}
}

// parse reads a body, which is empty or one JSON object.
func parse(body []byte) (map[string]any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return map[string]any{}, nil
	}
	if !utf8.Valid(body) {
		return nil, cannotParse("The request body is not UTF-8.")
	}
	if deeper(body, maxDepth) {
		return nil, cannotParse("The request body is nested deeper than %d levels.", maxDepth)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var values map[string]any
	if err := d.Decode(&values); err != nil || values == nil {
		return nil, cannotParse("The request body is not a JSON object.")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, cannotParse("The request body has more than one JSON value.")
	}
	return values, nil
}

// deeper says whether JSON is nested deeper than n levels, without building
// anything.
func deeper(body []byte, n int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > n {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

func cannotParse(format string, args ...any) error {
	return &fabric.Error{Kind: fabric.Validation, Reason: fabric.ReasonCannotParse, Message: fmt.Sprintf(format, args...)}
}

// at returns the value at a path such as "tenant.tenantIdentifier"; nil where
// it was left out.
func (in input) at(path string) any {
	var v any = in.values
	for name := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

func (in input) has(path string) bool { return in.at(path) != nil }

func (in input) text(path string) string {
	t, _ := in.at(path).(string)
	return t
}

func (in input) texts(path string) []string {
	all, _ := in.at(path).([]any)
	texts := make([]string, len(all))
	for i, v := range all {
		texts[i], _ = v.(string)
	}
	return texts
}

func (in input) tags() []fabric.Tag {
	all, _ := in.values["tags"].([]any)
	tags := make([]fabric.Tag, len(all))
	for i, v := range all {
		values, _ := v.(map[string]any)
		t := input{values: values}
		tags[i] = fabric.Tag{Key: t.text("key"), Value: t.text("value")}
	}
	return tags
}

func (in input) paging() control.Paging {
	n, _ := number(in.values["maxResults"])
	return control.Paging{MaxResults: n, NextToken: in.text("nextToken")}
}

func (in input) credential() fabric.Credential {
	return fabric.Credential{
		ClientID:     in.text("credential.oauth2Credential.clientId"),
		ClientSecret: fabric.Secret(in.text("credential.oauth2Credential.clientSecret")),
		APIKey:       fabric.Secret(in.text("credential.apiKeyCredential.apiKey")),
	}
}

func (in input) tenant() fabric.Tenant {
	return fabric.Tenant{
		Identifier:  in.text("tenant.tenantIdentifier"),
		DisplayName: in.text("tenant.tenantDisplayName"),
	}
}

func (in input) place() fabric.Place {
	const to = "destinationConfiguration.auditLog.destination."
	return fabric.Place{
		Bucket: in.text(to + "s3Bucket.bucketName"),
		Prefix: in.text(to + "s3Bucket.prefix"),
		Stream: in.text(to + "firehoseStream.streamName"),
	}
}

func (in input) authRequest() *token.AuthRequest {
	if !in.has("authRequest") {
		return nil
	}
	return &token.AuthRequest{
		RedirectURI: in.text("authRequest.redirectUri"),
		Code:        fabric.Secret(in.text("authRequest.code")),
	}
}
