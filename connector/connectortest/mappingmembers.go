package connectortest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"selvedge/ocsf"
)

// effect is what a member of a record does to its event.
type effect struct {
	member   member
	unmapped bool     // it is there, under its path
	needed   bool     // without it there is the base event
	shown    bool     // its text is an attribute, which another member may hold too
	changed  []string // attributes that go with it, or are others without it
	same     []string // those of them that had its text, or a part of it
}

// taken keeps the effects of each record, which two tests ask for.
type taken struct {
	mu      sync.Mutex
	effects map[string][]effect
}

func (c MappingCase) effects(t *testing.T, raw string) []effect {
	t.Helper()
	c.taken.mu.Lock()
	defer c.taken.mu.Unlock()
	list, ok := c.taken.effects[raw]
	if !ok {
		list = c.takeApart(t, raw)
		c.taken.effects[raw] = list
	}
	return list
}

// takeApart takes each leaf of a record away.
func (c MappingCase) takeApart(t *testing.T, raw string) []effect {
	t.Helper()
	before := c.event(t, raw)
	attributes := before.attributes()
	unmapped, _ := before["unmapped"].(map[string]any)
	var list []effect
	texts := map[string]bool{}
	for _, text := range attributes {
		texts[text] = true
	}
	for _, m := range members(tree(t, raw)) {
		if !m.leaf {
			continue
		}
		e := effect{member: m, shown: texts[m.text]}
		_, e.unmapped = unmapped[m.path()]
		after, outcome := c.normalize(t, with(t, raw, m, absent{}))
		e.needed = outcome.Base
		without := after.attributes()
		for path, text := range attributes {
			if now, there := without[path]; there && now == text {
				continue
			}
			e.changed = append(e.changed, path)
			// Of a text that tells the class too, parts stand in captions.
			part := !e.needed && !strings.HasSuffix(path, "type") && within(text, m.text)
			if text == m.text || within(m.text, text) || part {
				e.same = append(e.same, path)
			}
		}
		slices.Sort(e.changed)
		slices.Sort(e.same)
		list = append(list, e)
	}
	return list
}

// within says whether a text is a part of another, and long enough to tell.
func within(part, whole string) bool {
	return len(part) > 1 && strings.Contains(strings.ToLower(whole), strings.ToLower(part))
}

// testMembers takes each member of a record away, and makes it null: the event
// is valid still, the base event only without its type or time, and each leaf
// was in an attribute, which goes, or in unmapped.
func testMembers(t *testing.T, c MappingCase) {
	seen := map[any]bool{}
	for _, raw := range c.apart(t) {
		for _, e := range c.effects(t, raw) {
			path := e.member.every()
			if e.needed && !slices.Contains(c.Needed, path) {
				t.Errorf("without %s there is the base event: %s", path, raw)
			}
			if len(e.changed) == 0 && !e.unmapped && !e.shown && e.member.text != "" && !slices.Contains(c.Silent, path) {
				t.Errorf("%s %q does nothing and is not in unmapped: %s", e.member.path(), e.member.text, raw)
			}
		}
		class := c.event(t, raw)["class_uid"]
		if seen[class] {
			continue // of each class one is enough: null is much like nothing
		}
		seen[class] = true
		for _, m := range members(tree(t, raw)) {
			_, outcome := c.normalize(t, with(t, raw, m, nil))
			if outcome.Base && !c.needs(m) {
				t.Errorf("%s null is the base event: %s", m.path(), raw)
			}
		}
	}
}

// testPaths: for each row of the tables there is a record whose event loses the
// row's attribute with the row's member, and each other path of a table is in a
// record whose event is another without it.
func testPaths(t *testing.T, c MappingCase) {
	lost := map[string]map[string]bool{} // by member: attributes that go, or become others
	records := c.apart(t)
	for _, edit := range c.Edits {
		records = append(records, strings.Replace(edit.Record, edit.From, edit.To, 1))
	}
	for _, raw := range records {
		for _, e := range c.effects(t, raw) {
			every := e.member.every()
			if lost[every] == nil {
				lost[every] = map[string]bool{}
			}
			for _, path := range e.changed {
				lost[every][withoutIndexes(path)] = true
			}
		}
	}
	if len(c.Tables) == 0 {
		t.Fatal("there is no table")
	}
	for _, table := range c.Tables {
		for _, row := range table.Rows {
			from := strings.ReplaceAll(row.From, `\.`, ".")
			if !slices.ContainsFunc(keys(lost[from]), func(path string) bool { return isOf(row.To, path) }) {
				t.Errorf("row %q to %q: no record loses it with the member", row.From, row.To)
			}
		}
		for _, read := range append([]string{table.Time, table.Type}, table.Read...) {
			path := strings.ReplaceAll(read, `\.`, ".")
			if path != "" && len(lost[path]) == 0 && !slices.Contains(c.Silent, path) {
				t.Errorf("path %q: no event is another without it", read)
			}
		}
	}
}

// isOf says whether a row to an attribute fills the one at a path. Some rows fill
// whichever of an object's attributes takes the text.
func isOf(to, path string) bool {
	object, last := to[:max(0, strings.LastIndexByte(to, '.'))], to[strings.LastIndexByte(to, '.')+1:]
	if last == "login" || last == "agent" {
		return strings.HasPrefix(path, object+".")
	}
	return path == to
}

// needs says whether a member is one that events need, or has one below it.
func (c MappingCase) needs(m member) bool {
	return slices.ContainsFunc(c.Needed, func(path string) bool {
		return path == m.every() || strings.HasPrefix(path, m.every()+".")
	})
}

// testWrongTypes: whatever stands where something else should, the event is
// valid, and the base event for what is no record.
func testWrongTypes(t *testing.T, c MappingCase) {
	for _, raw := range []string{"1", `"x"`, "null", "[]", "[{}]", "{}", "true", "nope", `{"`, ""} {
		if _, outcome := c.normalize(t, raw); !outcome.Base {
			t.Errorf("%q is an event of a class", raw)
		}
	}
	wrong := []any{
		"", "x", "-1", strings.Repeat("ü", 5_000), json.Number("-1"), json.Number("1e999"), true, []any{}, []any{nil},
		[]any{"x", json.Number("2"), []any{}}, map[string]any{}, map[string]any{"x": map[string]any{"id": json.Number("1"), "name": nil}},
	}
	seen := map[any]bool{}
	for _, raw := range c.apart(t) {
		class := c.event(t, raw)["class_uid"]
		if seen[class] {
			continue
		}
		seen[class] = true
		// Each member is given some, each value many members.
		for i, m := range members(tree(t, raw)) {
			for n := i % 3; n < len(wrong); n += 3 {
				c.normalize(t, with(t, raw, m, wrong[n]))
			}
		}
	}
}

// testNothingLost: every leaf of a record is in the event, in an attribute or
// under its path in unmapped.
func testNothingLost(t *testing.T, c MappingCase) {
	for _, raw := range c.apart(t) {
		for _, less := range append([]string{""}, c.Sparse...) {
			root, _ := tree(t, raw).(map[string]any)
			for name := range strings.SplitSeq(less, ",") {
				delete(root, name)
			}
			record := text(t, root)
			e := c.event(t, record)
			delete(e, "raw_data")
			texts := leaves(e)
			for _, m := range members(tree(t, record)) {
				if !m.leaf || m.text == "" || slices.Contains(c.Becomes, m.text) || c.isTime(m) {
					continue
				}
				if !slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, m.text) }) {
					t.Errorf("%s %q is nowhere in the event of %s", m.path(), m.text, record)
				}
			}
		}
	}
}

// isTime says whether a leaf is when it happened, which is a number in the event.
func (c MappingCase) isTime(m member) bool {
	return len(m.steps) == 1 && c.needs(m) && strings.ContainsAny(m.text, ":0123456789") && strings.Contains(m.text, "T")
}

func leaves(e Event) []string {
	var texts []string
	for _, m := range members(map[string]any(e)) {
		if m.leaf {
			texts = append(texts, m.text)
		}
	}
	return texts
}

// typeOf is what the page says of a type.
func typeOf(e Event) (class, activity string) {
	class = fmt.Sprintf("%v %v", e["class_name"], e["class_uid"])
	activity = fmt.Sprint(e["activity_name"])
	if e["activity_id"] != float64(ocsf.Other) {
		return class, fmt.Sprintf("%s %v", activity, e["activity_id"])
	}
	return class, activity + " 99"
}

// keys are the sorted keys of a set.
func keys(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
