package connectortest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/ocsf"
)

func testGolden(t *testing.T, c MappingCase) {
	Golden(t, c.App, c.Stream, c.Update)
}

// testEventTypes: every documented type is an event of a class, with who, from
// where, when and what, and few are of an activity that has no number.
func testEventTypes(t *testing.T, c MappingCase) {
	types := c.types(t)
	var others []string
	for _, typ := range types {
		e := c.event(t, c.Record(typ))
		if e["activity_id"] == float64(ocsf.Other) && !slices.Contains(c.Unnumbered, typ.Name) {
			others = append(others, typ.Name)
		}
		if e["class_uid"] == 0.0 || e["activity_id"] == 0.0 {
			t.Errorf("%s is %v", typ, e["type_name"])
		}
		c.filled(t, typ, e)
	}
	if len(types) > 0 {
		t.Logf("%d of %d types are of no numbered activity, %.1f %%, none is a base event: %s",
			len(others), len(types), 100*float64(len(others))/float64(len(types)), strings.Join(others, "; "))
	}
	if len(others)*10 > len(types) {
		t.Errorf("%d of %d types are of no numbered activity", len(others), len(types))
	}
}

func (c MappingCase) filled(t *testing.T, typ EventType, e Event) {
	t.Helper()
	for path, want := range c.Filled(typ) {
		if got := e.At(path); got != want {
			t.Errorf("%s: %s is %v, not %v", typ, path, got, want)
		}
	}
}

// testUnheard: a type that the application did not have when its mapping was
// written is an activity on a web resource, by its verb, and has all that
// others have.
func testUnheard(t *testing.T, c MappingCase) {
	for verb, want := range map[string]float64{
		"created": 600101, "viewed": 600102, "updated": 600103, "deleted": 600104, "searched": 600105, "imported": 600106, "exported": 600107,
		"shared": 600108, "frobnicated": 600199,
	} {
		typ := c.Unheard(verb)
		e := c.event(t, c.Record(typ))
		if e["type_uid"] != want {
			t.Errorf("%s is %v %v, not %v", typ, e["type_uid"], e["type_name"], want)
		}
		if code := e.At("metadata.event_code"); verb == "frobnicated" && e["activity_name"] != code {
			t.Errorf("%s: the activity is %v, not %v", typ, e["activity_name"], code)
		}
		c.filled(t, typ, e)
	}
}

func testClasses(t *testing.T, c MappingCase) {
	if len(c.Classes) == 0 {
		t.Error("there is no type whose class is held")
	}
	for _, test := range c.Classes {
		e := c.event(t, c.Record(test.Type))
		if e["type_uid"] != test.UID || test.Name != "" && e["activity_name"] != test.Name {
			t.Errorf("%s: %v %v, not %v %s", test.Type, e["type_uid"], e["activity_name"], test.UID, test.Name)
		}
		if got := e.At(test.Path); test.Path != "" && got != test.Want {
			t.Errorf("%s: %s is %v, not %v", test.Type, test.Path, got, test.Want)
		}
	}
}

func testEdits(t *testing.T, c MappingCase) {
	if len(c.Edits) == 0 {
		t.Error("there is no member whose attribute is held")
	}
	for _, test := range c.Edits {
		if !strings.Contains(test.Record, test.From) {
			t.Fatalf("there is no %s in %s", test.From, test.Record)
		}
		e := c.event(t, strings.Replace(test.Record, test.From, test.To, 1))
		if got := e.At(test.Path); !cmp.Equal(got, test.Want) {
			t.Errorf("%s for %s: %s of %v is %v, not %v", test.To, test.From, test.Path, e.At("metadata.event_code"), got, test.Want)
		}
	}
}

// testGoes takes members away: their attributes go, and nothing else keeps
// their value.
func testGoes(t *testing.T, c MappingCase) {
	for _, test := range c.Goes {
		raw := c.Record(test.Type)
		var found bool
		for _, m := range members(tree(t, raw)) {
			if m.path() != test.Member {
				continue
			}
			found = true
			path, changed := strings.CutSuffix(test.Attribute, "=")
			before, after := c.event(t, raw).At(path), c.event(t, with(t, raw, m, absent{})).At(path)
			switch {
			case before == nil:
				t.Errorf("%s: %s is not there", test.Type, path)
			case !changed && after != nil:
				t.Errorf("%s: without %s, %s is still %v", test.Type, test.Member, path, after)
			case changed && cmp.Equal(before, after):
				t.Errorf("%s: without %s, %s is the same, %v", test.Type, test.Member, path, after)
			}
		}
		if !found {
			t.Errorf("%s: there is no %s", test.Type, test.Member)
		}
	}
}

// testSparse: what little a record has, its event is valid, and not the base
// event while it has a type and a time. Of more than a thousand types every
// fourth is tried.
func testSparse(t *testing.T, c MappingCase) {
	types := c.types(t)
	for i, typ := range types {
		if len(types) > 1000 && i%4 != 0 {
			continue
		}
		for _, without := range c.Sparse {
			root, ok := tree(t, c.Record(typ)).(map[string]any)
			for name := range strings.SplitSeq(without, ",") {
				if _, there := root[name]; !ok || !there {
					t.Fatalf("there is no %s in %s", name, c.Record(typ))
				}
				delete(root, name)
			}
			c.event(t, text(t, root))
		}
	}
}

// testSimulated: whatever the simulated application logs is an event of a class.
func testSimulated(t *testing.T, c MappingCase) {
	if c.Simulated == nil {
		t.Fatal("there are no simulated records")
	}
	for _, raw := range c.Simulated() {
		c.event(t, string(raw))
	}
}

// testStreams: of an application with several streams, what a record is made of
// tells its stream, and its event is the same whether the stream is said or not.
// A record like no stream's is the base event, for a reason that lists them.
func testStreams(t *testing.T, c MappingCase) {
	if len(c.App.Streams) == 1 {
		return
	}
	for _, stream := range c.App.StreamNames() {
		raw := c.OfStream(stream)
		if got, err := c.App.StreamOf([]byte(raw)); got != stream || err != nil {
			t.Errorf("a record of %s is taken for one of %q, %v: %s", stream, got, err, raw)
		}
		c.Stream = stream
		said := c.event(t, raw)
		c.Stream = ""
		if diff := cmp.Diff(said, c.event(t, raw)); diff != "" {
			t.Errorf("the event of a record of %s (-stream said +not said):\n%s", stream, diff)
		}
	}
	c.Stream = ""
	for _, raw := range []string{"{}", "[]", "7", `{"never":"heard"}`, "oops"} {
		_, outcome := c.normalize(t, raw)
		if !errors.Is(outcome.Why, connector.ErrNoStream) || !strings.Contains(outcome.Why.Error(), strings.Join(c.App.StreamNames(), ", ")) {
			t.Errorf("%s: %v, want an error that lists the streams", raw, outcome.Why)
		}
	}
}
