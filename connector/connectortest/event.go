package connectortest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Event is a decoded OCSF event.
type Event map[string]any

func decode(t *testing.T, line []byte) Event {
	t.Helper()
	var e Event
	if err := json.Unmarshal(line, &e); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return e
}

// At returns what stands at a path, nil for nothing. Of a list the first element
// counts, unless the path names the index; unmapped has paths for names.
func (e Event) At(path string) any {
	if name, ok := strings.CutPrefix(path, "unmapped."); ok {
		unmapped, _ := e["unmapped"].(map[string]any)
		return unmapped[name]
	}
	return first(at(map[string]any(e), strings.Split(path, ".")))
}

func at(value any, path []string) any {
	if len(path) == 0 || value == nil {
		return value
	}
	switch v := value.(type) {
	case map[string]any:
		return at(v[path[0]], path[1:])
	case []any:
		if i, err := strconv.Atoi(path[0]); err == nil {
			if i >= len(v) {
				return nil
			}
			return at(v[i], path[1:])
		}
		return at(first(v), path)
	}
	return nil
}

func first(value any) any {
	list, ok := value.([]any)
	switch {
	case !ok:
		return value
	case len(list) == 0:
		return nil
	}
	return list[0]
}

// attributes are the event's leaves, path to text, less the record itself and
// what it has unmapped.
func (e Event) attributes() map[string]string {
	all := map[string]string{}
	for _, m := range members(map[string]any(e)) {
		if root := m.steps[0]; m.leaf && root != "raw_data" && root != "unmapped" {
			all[m.path()] = m.text
		}
	}
	return all
}

// member is a member of a record in any depth, or an element of a list of it.
type member struct {
	steps []any // names and indexes
	leaf  bool
	text  string // of a leaf
}

// path is the member's as unmapped has it: "target[1].type".
func (m member) path() string {
	var b strings.Builder
	for _, step := range m.steps {
		switch s := step.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", s)
		case string:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s)
		}
	}
	return b.String()
}

// every is the path of the member in whatever element: "target[].type".
func (m member) every() string {
	path := m.path()
	for _, step := range m.steps {
		if i, ok := step.(int); ok {
			path = strings.Replace(path, fmt.Sprintf("[%d]", i), "[]", 1)
		}
	}
	return path
}

// members lists the members of a decoded value, outer before inner.
func members(root any) []member {
	var list []member
	var walk func(value any, steps []any)
	walk = func(value any, steps []any) {
		if len(steps) > 0 {
			m := member{steps: slices.Clone(steps)}
			switch value.(type) {
			case map[string]any, []any, nil:
			default:
				m.leaf, m.text = true, fmt.Sprint(value)
			}
			list = append(list, m)
		}
		switch v := value.(type) {
		case map[string]any:
			for _, name := range sortedNames(v) {
				walk(v[name], append(steps, name))
			}
		case []any:
			for i, one := range v {
				walk(one, append(steps, i))
			}
		}
	}
	walk(root, nil)
	return list
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// tree decodes a record; numbers keep their text.
func tree(t testing.TB, raw string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(raw))
	d.UseNumber()
	var root any
	if err := d.Decode(&root); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return root
}

// text encodes a record without escapes that it need not have.
func text(t testing.TB, root any) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(root); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

// absent stands for no member at all.
type absent struct{}

// with returns a record with another value for a member.
func with(t testing.TB, raw string, m member, value any) string {
	t.Helper()
	root, ok := set(tree(t, raw), m.steps, value)
	if !ok {
		t.Fatalf("there is no %s in %s", m.path(), raw)
	}
	return text(t, root)
}

func set(at any, steps []any, value any) (any, bool) {
	if len(steps) == 0 {
		return value, true
	}
	switch step := steps[0].(type) {
	case string:
		object, _ := at.(map[string]any)
		old, ok := object[step]
		if !ok {
			return at, false
		}
		changed, ok := set(old, steps[1:], value)
		object[step] = changed
		if _, gone := changed.(absent); gone {
			delete(object, step)
		}
		return object, ok
	case int:
		list, _ := at.([]any)
		if step >= len(list) {
			return at, false
		}
		changed, ok := set(list[step], steps[1:], value)
		if _, gone := changed.(absent); gone {
			return slices.Delete(list, step, step+1), ok
		}
		list[step] = changed
		return list, ok
	}
	return at, false
}
