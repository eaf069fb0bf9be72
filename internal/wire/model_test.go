package wire_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"selvedge/internal/fabric"
	"selvedge/internal/wire"
)

// model is AppFabric's service model, as botocore carries it.
type model struct {
	Operations map[string]modelOperation
	Shapes     map[string]modelShape
}

type modelOperation struct {
	HTTP struct {
		Method       string
		RequestURI   string
		ResponseCode int
	}
	Input, Output modelRef
	Errors        []modelRef
}

type modelRef struct {
	Shape        string
	Location     string
	LocationName string
}

type modelShape struct {
	Type     string
	Union    bool
	Required []string
	Members  map[string]modelRef
	Member   modelRef
	Min, Max int
	Pattern  string
	Enum     []string
	Error    struct{ HTTPStatusCode int }
}

// botocoreModel reads the model of the botocore that python3 has. Without one
// the test is skipped; in CI it fails.
func botocoreModel(t *testing.T) model {
	t.Helper()
	const program = `import json, botocore.loaders
print(json.dumps(botocore.loaders.Loader().load_service_model("appfabric", "service-2", "2023-05-19")))`
	out, err := exec.CommandContext(t.Context(), "python3", "-c", program).Output()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("python3 with botocore is required in CI: %v", err)
		}
		t.Skip("this machine has no python3 with botocore")
	}
	var m model
	if err := json.Unmarshal(out, &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Operations) != 26 {
		t.Fatalf("botocore's model has %d operations, want 26", len(m.Operations))
	}
	return m
}

// lines is a model written flat: the path of each operation, member and
// element, and what holds for it.
type lines map[string]string

func (l lines) sorted() []string {
	all := make([]string, 0, len(l))
	for _, path := range slices.Sorted(maps.Keys(l)) {
		all = append(all, path+": "+l[path])
	}
	return all
}

// line is one constraint in words that both sides are brought to.
func line(kind string, required bool, least, most int, pattern string, enum []string) string {
	enum = slices.Sorted(slices.Values(enum))
	return fmt.Sprintf("%s required=%t min=%d max=%d pattern=%q enum=%v", kind, required, least, most, pattern, enum)
}

// add writes down a shape of the model, and all below it.
func (m model) add(l lines, path string, ref modelRef, required bool) {
	s := m.Shapes[ref.Shape]
	kind := s.Type
	if s.Union {
		kind = "union"
	}
	l[path] = line(kind+location(ref), required, s.Min, s.Max, s.Pattern, s.Enum)
	for name, part := range s.Members {
		m.add(l, path+"."+name, part, slices.Contains(s.Required, name))
	}
	if s.Type == "list" {
		m.add(l, path+"[]", s.Member, false)
	}
}

func location(ref modelRef) string {
	switch ref.Location {
	case "uri":
		return " in the path as " + ref.LocationName
	case "querystring":
		return " in the query as " + ref.LocationName
	default:
		return ""
	}
}

// addMembers writes down the members of one of our own tables.
func addMembers(l lines, path string, members []wire.Member) {
	for _, m := range members {
		where := map[any]string{wire.InPath: " in the path as " + m.Name, wire.InQuery: " in the query as " + m.Name}[m.In]
		addShape(l, path+"."+m.Name, where, m.Required, m.Shape)
	}
}

func addShape(l lines, path, where string, required bool, s wire.Shape) {
	kind := "structure"
	switch {
	case s.Union:
		kind = "union"
	case s.Kind == wire.Text:
		kind = "string"
	case s.Kind == wire.Integer:
		kind = "integer"
	case s.Kind == wire.List:
		kind = "list"
	}
	l[path] = line(kind+where, required, s.Min, s.Max, s.Pattern, s.Enum)
	addMembers(l, path, s.Members)
	if s.Element != nil {
		addShape(l, path+"[]", "", false, *s.Element)
	}
}

// The routes, statuses, exceptions and constraints are those of the model that
// clients carry, but for what is listed here.
func TestTheTablesAreTheModel(t *testing.T) {
	t.Parallel()
	m := botocoreModel(t)
	want, got := lines{}, lines{}
	for name, op := range m.Operations {
		throws := make([]string, len(op.Errors))
		for i, e := range op.Errors {
			throws[i] = e.Shape
		}
		slices.Sort(throws)
		want[name] = fmt.Sprint(op.HTTP.Method, " ", op.HTTP.RequestURI, " ", op.HTTP.ResponseCode, " ", throws)
		for member, ref := range m.Shapes[op.Input.Shape].Members {
			m.add(want, name+"."+member, ref, slices.Contains(m.Shapes[op.Input.Shape].Required, member))
		}
	}
	for _, op := range wire.Operations() {
		slices.Sort(op.Throws)
		got[op.Name] = fmt.Sprint(op.Method, " ", op.Pattern, " ", op.Status, " ", op.Throws)
		addMembers(got, op.Name, op.Input)
	}
	// Clients send an empty list of tagKeys as no parameter at all, and
	// redirectUri may also be http:// on one's own machine.
	for path, edit := range map[string][2]string{
		"UntagResource.tagKeys":                           {"required=true", "required=false"},
		"ConnectAppAuthorization.authRequest.redirectUri": {"", "|http://(?:localhost|"},
	} {
		if from, to := edit[0], edit[1]; !strings.Contains(got[path], to) {
			t.Errorf("%s: %s lacks %s", path, got[path], to)
		} else if from != "" {
			want[path] = strings.Replace(want[path], from, to, 1)
		} else {
			own, _, _ := strings.Cut(got[path], to)
			got[path] = own + `" enum=[]`
		}
	}
	if d := gocmp.Diff(want.sorted(), got.sorted()); d != "" {
		t.Errorf("the tables differ from the model (-model +tables):\n%s", d)
	}
}

// The answers have every member of the model, and leave out none that it
// requires.
func TestTheAnswersAreTheModel(t *testing.T) {
	t.Parallel()
	m := botocoreModel(t)
	want, got := lines{}, lines{}
	answers := wire.Answers()
	for name, op := range m.Operations {
		if op.HTTP.ResponseCode == 204 {
			continue
		}
		for member, ref := range m.Shapes[op.Output.Shape].Members {
			m.addAnswer(want, name+"."+member, ref, slices.Contains(m.Shapes[op.Output.Shape].Required, member))
		}
		if answers[name] == nil {
			t.Errorf("%s has no answer", name)
			continue
		}
		addAnswer(got, name, reflect.TypeOf(answers[name]))
	}
	for path, text := range got {
		// A member that is always there is as good as a required one.
		if strings.HasPrefix(text, "always") && strings.HasPrefix(want[path], "may be") {
			got[path] = want[path]
		}
	}
	if d := gocmp.Diff(want.sorted(), got.sorted()); d != "" {
		t.Errorf("the answers differ from the model (-model +answers):\n%s", d)
	}
}

// addAnswer writes down a member of the model's answers. A timestamp is a
// string on the wire.
func (m model) addAnswer(l lines, path string, ref modelRef, required bool) {
	s := m.Shapes[ref.Shape]
	kind := s.Type
	if kind == "timestamp" {
		kind = "string"
	}
	l[path] = presence(required) + kind
	for name, part := range s.Members {
		m.addAnswer(l, path+"."+name, part, slices.Contains(s.Required, name))
	}
	if e := m.Shapes[s.Member.Shape]; s.Type == "list" {
		for name, part := range e.Members {
			m.addAnswer(l, path+"[]."+name, part, slices.Contains(e.Required, name))
		}
	}
}

func presence(required bool) string {
	if required {
		return "always there, "
	}
	return "may be left out, "
}

// addAnswer writes down the members of a type that is answered with.
func addAnswer(l lines, path string, of reflect.Type) {
	for i := range of.NumField() {
		f := of.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		at, typ := path+"."+name, f.Type
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		kind := "string"
		switch {
		case typ.Kind() == reflect.Slice:
			kind = "list"
			addAnswer(l, at+"[]", typ.Elem())
		case typ.Kind() == reflect.Struct && !typ.ConvertibleTo(reflect.TypeFor[textual]()):
			kind = "structure"
			addAnswer(l, at, typ)
		}
		l[at] = presence(options != "omitempty") + kind
	}
}

// textual is what a structure that is written as text has.
type textual interface{ MarshalText() ([]byte, error) }

// Each exception has its status and all the members that the model requires of
// it, and no others.
func TestTheExceptionsAreTheModel(t *testing.T) {
	t.Parallel()
	m := botocoreModel(t)
	full := fabric.Error{
		Message: "m", Reason: fabric.ReasonField, Fields: []fabric.Field{{Name: "n", Message: "m"}},
		ResourceID: "i", ResourceType: fabric.KindIngestion,
	}
	for name, op := range m.Operations {
		seen := map[string]bool{}
		for k := fabric.Internal; k <= fabric.AccessDenied; k++ {
			e := full
			e.Kind = k
			status, code, body := wire.Refuse(name, &e)
			x := m.Shapes[code]
			if status != cmp.Or(x.Error.HTTPStatusCode, -1) {
				t.Errorf("%s answers %s with %d, the model with %d", name, code, status, x.Error.HTTPStatusCode)
			}
			if !slices.ContainsFunc(op.Errors, func(r modelRef) bool { return r.Shape == code }) {
				t.Errorf("%s does not model the %s that it answers kind %d with", name, code, k)
			}
			seen[code] = true
			m.checkMembers(t, code, body)
		}
		if len(seen) != len(op.Errors) {
			t.Errorf("%s answers with %v, the model has %v", name, slices.Sorted(maps.Keys(seen)), op.Errors)
		}
	}
	if got, want := slices.Sorted(slices.Values([]string{fabric.ReasonCannotParse, fabric.ReasonField, fabric.ReasonOther, fabric.ReasonUnknownOperation})),
		slices.Sorted(slices.Values(m.Shapes["ValidationExceptionReason"].Enum)); !slices.Equal(got, want) {
		t.Errorf("reasons %v, the model has %v", got, want)
	}
}

// checkMembers holds an exception's body against its shape.
func (m model) checkMembers(t *testing.T, code string, body any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	s := m.Shapes[code]
	for _, name := range s.Required {
		if members[name] == nil {
			t.Errorf("%s lacks the required %s: %s", code, name, text)
		}
	}
	for name := range members {
		if s.Members[name].Shape == "" {
			t.Errorf("%s has %s, which the model has not: %s", code, name, text)
		}
	}
}

// The values that we answer with are those of the model's enumerations.
func TestTheValuesAreTheModel(t *testing.T) {
	t.Parallel()
	m := botocoreModel(t)
	for shape, got := range map[string][]string{
		"AppAuthorizationStatus": {
			string(fabric.PendingConnect), string(fabric.Connected), string(fabric.ConnectionValidationFailed), string(fabric.TokenAutoRotationFailed),
		},
		"IngestionState":             {string(fabric.Enabled), string(fabric.Disabled)},
		"IngestionDestinationStatus": {string(fabric.Active), string(fabric.Failed)},
		"ResultStatus":               {string(fabric.InProgress), string(fabric.Completed), string(fabric.TaskFailed), string(fabric.Expired)},
		"AuthType":                   {string(fabric.AuthOAuth2), string(fabric.AuthAPIKey)},
	} {
		want := slices.Sorted(slices.Values(m.Shapes[shape].Enum))
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, the model has %v", shape, got, want)
		}
	}
	if !slices.Contains(m.Shapes["Persona"].Enum, fabric.PersonaAdmin) {
		t.Errorf("the model has no persona %s", fabric.PersonaAdmin)
	}
}
