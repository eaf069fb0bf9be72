package wire

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"selvedge/internal/fabric"
)

// kind is the type of a shape.
type kind int

const (
	text kind = iota
	integer
	structure
	union // a structure with exactly one member
	list
)

// shape is a type of the model with its constraints.
type shape struct {
	kind    kind
	min     int            // characters of text, elements of a list, or the least integer
	max     int            // likewise; 0: no limit
	pattern *regexp.Regexp // which the whole text must match
	enum    []string
	members []member // of structure and union
	element *shape   // of list

	sensitive bool // the model's mark: the value is never shown nor recorded
}

// location is where a member stands in a request.
type location int

const (
	inBody location = iota
	inPath
	inQuery
)

// member is one member of a structure.
type member struct {
	name     string
	in       location // of a request's own members
	required bool
	shape    shape
}

// must says that a member is required.
func must(name string, s shape) member { return member{name: name, required: true, shape: s} }

// may says that a member can be left out.
func may(name string, s shape) member { return member{name: name, shape: s} }

// label is a member of the path.
func label(name string, s shape) member {
	return member{name: name, in: inPath, required: true, shape: s}
}

// query is a member of the query string.
func query(name string, s shape) member { return member{name: name, in: inQuery, shape: s} }

// whole compiles a pattern of the model so that it is held against the whole
// value.
func whole(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }

// patternOf is the pattern that whole was given.
func patternOf(re *regexp.Regexp) string {
	return strings.TrimSuffix(strings.TrimPrefix(re.String(), `^(?:`), `)$`)
}

// faults collects what is wrong with a request. Values are never repeated: some
// are secret.
type faults struct {
	fields []fabric.Field
}

func (f *faults) add(path, format string, args ...any) {
	f.fields = append(f.fields, fabric.Field{Name: path, Message: fmt.Sprintf(format, args...)})
}

func (f *faults) wrongType(path, want string) {
	f.add(path, "Member must be %s", want)
}

// err is all faults as one error; nil when there are none. The words are those
// that AWS's services use.
func (f *faults) err() error {
	if len(f.fields) == 0 {
		return nil
	}
	errs := "errors"
	if len(f.fields) == 1 {
		errs = "error"
	}
	texts := make([]string, len(f.fields))
	for i, field := range f.fields {
		texts[i] = fmt.Sprintf("Value at '%s' failed to satisfy constraint: %s", field.Name, field.Message)
	}
	return &fabric.Error{
		Kind: fabric.Validation, Reason: fabric.ReasonField, Fields: f.fields,
		Message: fmt.Sprintf("%d validation %s detected: %s", len(f.fields), errs, strings.Join(texts, "; ")),
	}
}

// check holds a decoded JSON value against the shape.
func (s *shape) check(path string, v any, f *faults) {
	switch s.kind {
	case text:
		s.checkText(path, v, f)
	case integer:
		s.checkInteger(path, v, f)
	case list:
		s.checkList(path, v, f)
	default:
		s.checkStructure(path, v, f)
	}
}

func (s *shape) checkText(path string, v any, f *faults) {
	t, ok := v.(string)
	if !ok {
		f.wrongType(path, "a string")
		return
	}
	s.checkSize(path, "length", utf8.RuneCountInString(t), f)
	if s.pattern != nil && !s.pattern.MatchString(t) {
		f.add(path, "Member must satisfy regular expression pattern: %s", patternOf(s.pattern))
	}
	if s.enum != nil && !slices.Contains(s.enum, t) {
		f.add(path, "Member must satisfy enum value set: [%s]", strings.Join(s.enum, ", "))
	}
	if strings.ContainsRune(t, 0) { // no database keeps it in text
		f.add(path, "Member must not contain the character U+0000")
	}
}

func (s *shape) checkInteger(path string, v any, f *faults) {
	n, ok := number(v)
	if !ok {
		f.wrongType(path, "an integer")
		return
	}
	s.checkSize(path, "value", n, f)
}

// number reads an integer of the body or of the query string.
func number(v any) (int, bool) {
	var digits string
	switch v := v.(type) {
	case json.Number:
		digits = v.String()
	case queryText:
		digits = string(v)
	default:
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 32)
	return int(n), err == nil
}

func (s *shape) checkSize(path, what string, n int, f *faults) {
	if n < s.min {
		f.add(path, "Member must have %s greater than or equal to %d", what, s.min)
	}
	if s.max != 0 && n > s.max {
		f.add(path, "Member must have %s less than or equal to %d", what, s.max)
	}
}

// checkList does not look into a list that is too long.
func (s *shape) checkList(path string, v any, f *faults) {
	all, ok := v.([]any)
	if !ok {
		f.wrongType(path, "a list")
		return
	}
	s.checkSize(path, "length", len(all), f)
	if s.max != 0 && len(all) > s.max {
		return
	}
	for i, e := range all {
		s.element.check(path+"["+strconv.Itoa(i)+"]", e, f)
	}
}

func (s *shape) checkStructure(path string, v any, f *faults) {
	m, ok := v.(map[string]any)
	if !ok {
		f.wrongType(path, "a structure")
		return
	}
	given := checkMembers(path+".", s.members, m, f)
	if s.kind == union && given != 1 {
		names := make([]string, len(s.members))
		for i := range s.members {
			names[i] = s.members[i].name
		}
		f.add(path, "Member must have exactly one of the members: [%s]", strings.Join(names, ", "))
	}
}

// checkMembers checks the members of a structure and counts those that are
// given. Members that the model does not have are ignored, as AWS does; null is
// a member left out.
func checkMembers(prefix string, members []member, values map[string]any, f *faults) int {
	given := 0
	for i := range members {
		m := &members[i]
		v := values[m.name]
		switch {
		case v != nil:
			given++
			m.shape.check(prefix+m.name, v, f)
		case m.required:
			f.add(prefix+m.name, "Member must not be null")
		}
	}
	return given
}
