package ocsftest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"testing"
	"unicode/utf8"
)

// Validate returns what is wrong with an event, one text for each violation;
// none for a valid one. The line may end with LF.
func Validate(line []byte) []string {
	line = bytes.TrimSuffix(line, []byte("\n"))
	v := &validator{schema: loaded()}
	if bytes.IndexByte(line, '\n') >= 0 {
		v.wrong("", "has a line end in it")
	}
	if !utf8.Valid(line) {
		v.wrong("", "is not UTF-8")
	}
	root, ok := v.decode(line)
	if !ok {
		return v.violations
	}
	event, ok := root.(map[string]any)
	if !ok {
		v.wrong("", "is no object")
		return v.violations
	}
	class := v.schema.Classes[number(event["class_uid"])]
	if class == nil {
		v.wrong("class_uid", "is none of the classes: %v", event["class_uid"])
		return v.violations
	}
	v.class(event, class)
	v.object("", event, class)
	return v.violations
}

// MustValidate ends the test if the line is not a valid event.
func MustValidate(tb testing.TB, line []byte) {
	tb.Helper()
	if wrong := Validate(line); len(wrong) > 0 {
		tb.Fatalf("not valid OCSF: %q\n%s", wrong, line)
	}
}

type validator struct {
	schema     *schema
	violations []string
}

func (v *validator) wrong(path, format string, args ...any) {
	v.violations = append(v.violations, path+" "+fmt.Sprintf(format, args...))
}

// class checks what only the event itself has.
func (v *validator) class(event map[string]any, class *kind) {
	activity, _ := strconv.Atoi(number(event["activity_id"]))
	if want := strconv.Itoa(class.UID*100 + activity); number(event["type_uid"]) != want {
		v.wrong("type_uid", "is %v, not %s", event["type_uid"], want)
	}
	if number(event["category_uid"]) != strconv.Itoa(class.CategoryUID) {
		v.wrong("category_uid", "is %v, not %d", event["category_uid"], class.CategoryUID)
	}
	if name, ok := event["category_name"]; ok && name != class.CategoryName {
		v.wrong("category_name", "is %v, not %s", name, class.CategoryName)
	}
	if name, ok := event["class_name"]; ok && name != class.Caption {
		v.wrong("class_name", "is %v, not %s", name, class.Caption)
	}
	caption := class.Attributes["activity_id"].Enum[strconv.Itoa(activity)]
	if name, ok := event["type_name"]; ok && name != class.Caption+": "+caption {
		v.wrong("type_name", "is %v, not %s: %s", name, class.Caption, caption)
	}
	v.profiles(event, class)
	if m, ok := event["metadata"].(map[string]any); ok && m["version"] != v.schema.Version {
		v.wrong("metadata.version", "is %v", m["version"])
	}
}

// profiles checks that the profiles that are listed are the class's, that what
// they require is there, and that no attribute of another is.
func (v *validator) profiles(event map[string]any, class *kind) {
	listed := map[string]bool{}
	if m, ok := event["metadata"].(map[string]any); ok {
		list, _ := m["profiles"].([]any)
		for _, p := range list {
			name, _ := p.(string)
			if listed[name] {
				v.wrong("metadata.profiles", "has %s twice", name)
			}
			listed[name] = true
		}
	}
	known := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(class.Attributes)) {
		a := class.Attributes[name]
		known[a.Profile] = true
		_, there := event[name]
		switch {
		case a.Profile == "":
		case there && !listed[a.Profile]:
			v.wrong(name, "is of the profile %s, which metadata.profiles does not list", a.Profile)
		case !there && a.Required && listed[a.Profile]:
			v.wrong(name, "is required by the profile %s", a.Profile)
		}
	}
	for name := range listed {
		if !known[name] {
			v.wrong("metadata.profiles", "has %s, which is no profile of the class", name)
		}
	}
}

// object checks an object, or the event as one.
func (v *validator) object(path string, o map[string]any, k *kind) {
	if len(o) == 0 {
		v.wrong(path, "is empty")
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		at := join(path, name)
		a := k.Attributes[name]
		if a == nil {
			v.wrong(at, "is no attribute")
			continue
		}
		v.attribute(at, o[name], a)
		v.sibling(at, o, a, name)
	}
	for _, name := range slices.Sorted(maps.Keys(k.Attributes)) {
		if a := k.Attributes[name]; a.Required && a.Profile == "" && o[name] == nil {
			v.wrong(join(path, name), "is required")
		}
	}
	count := func(names []string) (n int) {
		for _, name := range names {
			if o[name] != nil {
				n++
			}
		}
		return n
	}
	if len(k.AtLeastOne) > 0 && count(k.AtLeastOne) == 0 {
		v.wrong(path, "has none of %v", k.AtLeastOne)
	}
	if len(k.JustOne) > 0 && count(k.JustOne) != 1 {
		v.wrong(path, "has not just one of %v", k.JustOne)
	}
}

// sibling checks the text beside an id. It is the id's caption, but for Other;
// and a text without its id says nothing.
func (v *validator) sibling(path string, o map[string]any, a *attr, name string) {
	if a.Sibling == "" || a.Sibling == "type_name" || a.Sibling == "class_name" || a.Sibling == "category_name" {
		return
	}
	text, ok := o[a.Sibling]
	if !ok {
		return
	}
	id := number(o[name])
	if caption := a.Enum[id]; id != "99" && text != caption {
		v.wrong(path, "is %s, %q, but the text beside it is %q", id, caption, text)
	}
}

func (v *validator) attribute(path string, value any, a *attr) {
	if !a.Array {
		v.value(path, value, a)
		return
	}
	list, ok := value.([]any)
	if !ok {
		v.wrong(path, "is no list")
		return
	}
	if len(list) == 0 {
		v.wrong(path, "is empty")
	}
	for i, one := range list {
		v.value(path+"["+strconv.Itoa(i)+"]", one, a)
	}
}

func (v *validator) value(path string, value any, a *attr) {
	switch a.Type {
	case "object_t":
		o, ok := value.(map[string]any)
		switch {
		case !ok:
			v.wrong(path, "is no object")
		case a.Object == "object":
			v.free(path, o)
		default:
			v.object(path, o, v.schema.Objects[a.Object])
		}
	case "json_t":
	case "boolean_t":
		if _, ok := value.(bool); !ok {
			v.wrong(path, "is no boolean")
		}
	case "float_t":
		if _, ok := value.(json.Number); !ok {
			v.wrong(path, "is no number")
		}
	case "integer_t", "long_t", "timestamp_t", "port_t":
		v.integer(path, value, a)
	default:
		v.text(path, value, a)
	}
}

// free checks an object whose members the schema leaves open: unmapped. Ours
// are texts.
func (v *validator) free(path string, o map[string]any) {
	if len(o) == 0 {
		v.wrong(path, "is empty")
	}
	for name, value := range o {
		if s, ok := value.(string); !ok || s == "" {
			v.wrong(join(path, name), "is no text")
		}
	}
}

func (v *validator) integer(path string, value any, a *attr) {
	n, ok := value.(json.Number)
	if !ok {
		v.wrong(path, "is no number")
		return
	}
	i, err := n.Int64()
	if err != nil {
		v.wrong(path, "is no integer: %s", n)
		return
	}
	if a.Enum != nil {
		if _, ok := a.Enum[n.String()]; !ok {
			v.wrong(path, "is none of its enum: %s", n)
		}
	}
	if a.Type == "port_t" && (i < 0 || i > math.MaxUint16) || a.Type == "integer_t" && (i < math.MinInt32 || i > math.MaxInt32) {
		v.wrong(path, "is out of range: %s", n)
	}
}

func (v *validator) text(path string, value any, a *attr) {
	s, ok := value.(string)
	f, known := forms()[a.Type]
	switch {
	case !ok:
		v.wrong(path, "is no string")
		return
	case !known:
		v.wrong(path, "is of a type that nobody knows: %s", a.Type)
	case s == "":
		v.wrong(path, "is empty")
	case !f.valid(s):
		v.wrong(path, "is no %s: %q", a.Type, s)
	case f.maxLen > 0 && utf8.RuneCountInString(s) > f.maxLen && path != "raw_data":
		v.wrong(path, "has more than %d characters", f.maxLen)
	}
	if a.Enum != nil {
		if _, ok := a.Enum[s]; !ok {
			v.wrong(path, "is none of its enum: %q", s)
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// number returns the text of a JSON number, "" for anything else.
func number(value any) string {
	n, ok := value.(json.Number)
	if !ok {
		return ""
	}
	return n.String()
}
