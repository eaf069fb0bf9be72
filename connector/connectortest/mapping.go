package connectortest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"selvedge/connector"
	"selvedge/connector/mapping"
	"selvedge/internal/encode"
	"selvedge/ocsf/ocsftest"
)

// MappingCase is the mapping of one application under test. Its files are in
// testdata: ocsf-records.ndjson, a record a line, and the golden file of what
// comes of them; ocsf-event-types.txt, the documented types of events.
type MappingCase struct {
	App    connector.App
	Stream string // whose records they are; empty: of several streams, which their members tell

	// OfStream is a record of a stream, for applications with several.
	OfStream func(stream string) string
	Update   bool // write the golden file and the page anew
	Tables   []mapping.Table

	// Types reads a line of the file of types; nil: the provider publishes no
	// list, and there is no file. AtLeast is how many types there must be.
	Types   func(line string) []EventType
	AtLeast int
	// Unnumbered are types whose activity has no number and that do not count
	// among those that lack one: AppFabric was seen to have none for them.
	Unnumbered []string

	// Record is a record of a type, with a value in every member that the
	// mapping knows.
	Record func(EventType) string
	// Filled is what the event of such a record has, path to value: who, from
	// where, when and what.
	Filled func(EventType) map[string]any
	// Needed are the members without which a record is no event: its time and
	// its type.
	Needed []string
	// Sparse are members, with commas between, without which a record of any
	// type is an event of a class still.
	Sparse []string

	Classes []Class // what becomes of a type
	Edits   []Edit  // what becomes of a member
	Goes    []Gone  // what goes with a member

	// Unheard is a type of a thing that the application does not have, and a
	// verb of the mapping's common ones.
	Unheard func(verb string) EventType

	// Apart are types whose records are taken apart beside those of the golden
	// file.
	Apart []EventType
	// Becomes are texts that are not in an event as they are: they have become
	// numbers, captions or parts of others.
	Becomes []string
	// Silent are members that are used and show nowhere: a path without its
	// indexes.
	Silent []string

	Simulated func() [][]byte // records of the simulated application
	Seeds     []string        // further records for the fuzz target

	taken *taken
}

// EventType is a type of event: its name, and where the name alone does not tell,
// the kind of thing that it is about.
type EventType struct{ Kind, Name string }

// Class is what a type of event becomes.
type Class struct {
	Type EventType
	UID  float64 // type_uid
	Name string  // activity_name; empty: not judged

	Path string // of one more attribute; empty: none
	Want any
}

// Edit is one place of a record changed. From empty changes nothing.
type Edit struct {
	Record, From, To, Path string
	Want                   any
}

// Edited is a record with one place changed, and what then stands at a path of
// its event.
func Edited(record, from, to, path string, want any) Edit {
	return Edit{Record: record, From: from, To: to, Path: path, Want: want}
}

// Shows is what stands at a path of a record's event.
func Shows(record, path string, want any) Edit {
	return Edit{Record: record, Path: path, Want: want}
}

// Named are types that their names alone tell.
func Named(names ...string) []EventType {
	var list []EventType
	for _, name := range names {
		list = append(list, EventType{Name: name})
	}
	return list
}

// UIDs are the classes of types that their names alone tell.
func UIDs(uids map[string]float64) []Class {
	var list []Class
	for _, name := range sortedNames(uids) {
		list = append(list, Class{Type: EventType{Name: name}, UID: uids[name]})
	}
	return list
}

// Gone is a member of a type's record and an attribute that goes with it, or
// with "=" at its end, that is another without it.
type Gone struct {
	Type              EventType
	Member, Attribute string
}

// Mapping runs the suite of a mapping.
func Mapping(t *testing.T, c MappingCase) {
	t.Helper()
	c.taken = &taken{effects: map[string][]effect{}}
	tests := []struct {
		name string
		run  func(*testing.T, MappingCase)
	}{
		{"Golden", testGolden},
		{"EventTypes", testEventTypes},
		{"Unheard", testUnheard},
		{"Classes", testClasses},
		{"Edits", testEdits},
		{"Goes", testGoes},
		{"Sparse", testSparse},
		{"Members", testMembers},
		{"Paths", testPaths},
		{"WrongTypes", testWrongTypes},
		{"NothingLost", testNothingLost},
		{"Simulated", testSimulated},
		{"Streams", testStreams},
		{"Page", testPage},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, c)
		})
	}
}

// FuzzMapping holds that any bytes become a valid event, without a panic on the
// way, from the records that the suite takes apart.
func FuzzMapping(f *testing.F, c MappingCase) {
	f.Helper()
	FuzzNormalize(f, c.App, c.Stream, append(c.apart(f), c.Seeds...)...)
}

// Lines are the lines of a file of testdata, but for comments and empty ones.
func Lines(t testing.TB, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimRight(line, "\n"); line != "" && !strings.HasPrefix(line, "#") {
			list = append(list, line)
		}
	}
	return list
}

// KindAndEnds reads a line of a file of types: a kind of thing, what some types
// begin with ("-": nothing), and then the ends of these types.
func KindAndEnds(line string) []EventType {
	words := strings.Fields(line)
	if len(words) < 3 {
		return nil
	}
	var types []EventType
	for _, end := range words[2:] {
		types = append(types, EventType{words[0], strings.TrimPrefix(words[1], "-") + end})
	}
	return types
}

// KindAndNames reads a line of a file of types: a kind of thing, and the names of
// its types.
func KindAndNames(line string) []EventType {
	kind, names, _ := strings.Cut(line, " ")
	var types []EventType
	for name := range strings.FieldsSeq(names) {
		types = append(types, EventType{strings.TrimSuffix(kind, ":"), name})
	}
	return types
}

// types are the documented types.
func (c MappingCase) types(t testing.TB) []EventType {
	t.Helper()
	if c.Types == nil {
		return nil
	}
	var list []EventType
	for _, line := range Lines(t, "ocsf-event-types.txt") {
		list = append(list, c.Types(line)...)
	}
	if len(list) < c.AtLeast {
		t.Fatalf("only %d types", len(list))
	}
	return list
}

// records are those of the golden file.
func (c MappingCase) records(t testing.TB) []string {
	t.Helper()
	return Lines(t, "ocsf-records.ndjson")
}

// apart are the records that are taken apart: those that are no events are not.
func (c MappingCase) apart(t testing.TB) []string {
	t.Helper()
	n := encode.NewNormalizer(c.App)
	var list []string
	for _, raw := range c.records(t) {
		if _, outcome := n.Append(nil, c.Stream, "", []byte(raw), Processed()); !outcome.Base {
			list = append(list, raw)
		}
	}
	for _, typ := range c.Apart {
		list = append(list, c.Record(typ))
	}
	return list
}

// normalize returns what becomes of a record, which must be valid.
func (c MappingCase) normalize(t *testing.T, raw string) (Event, encode.Outcome) {
	t.Helper()
	line, outcome := encode.NewNormalizer(c.App).Append(nil, c.Stream, "", []byte(raw), Processed())
	ocsftest.MustValidate(t, line)
	if outcome.Base && strings.Contains(outcome.Why.Error(), "panic") {
		t.Fatalf("%v: %s", outcome.Why, raw)
	}
	return decode(t, bytes.TrimSpace(line)), outcome
}

// event returns the event of a record, which must be valid and not the base
// event.
func (c MappingCase) event(t *testing.T, raw string) Event {
	t.Helper()
	e, outcome := c.normalize(t, raw)
	if outcome.Base {
		t.Fatalf("a base event: %v\n%s", outcome.Why, raw)
	}
	return e
}
