package encode_test

import (
	"bytes"
	stdcmp "cmp"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"selvedge/connector"
	"selvedge/connector/all"
	"selvedge/internal/encode"
	"selvedge/ocsf"
)

// parquetOf writes records into one file, and the same events as lines.
func parquetOf(tb testing.TB, n *encode.Normalizer, records [][]byte) (file, lines []byte) {
	tb.Helper()
	var out bytes.Buffer
	p := encode.NewParquet(&out)
	for _, raw := range records {
		var want encode.Outcome
		lines, want = n.Append(lines, "s", "id", raw, closed())
		got, err := n.Write(p, "s", "id", raw, closed())
		if err != nil {
			tb.Fatal(err)
		}
		if got.Base != want.Base || got.Replaced != want.Replaced {
			tb.Fatalf("%+v, but %+v as JSON, of %q", got, want, raw)
		}
	}
	if err := p.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes(), lines
}

// events decodes lines.
func events(tb testing.TB, lines []byte) []map[string]any {
	tb.Helper()
	var list []map[string]any
	for line := range bytes.Lines(lines) {
		var event map[string]any
		if err := json.Unmarshal(line, &event); err != nil {
			tb.Fatal(err)
		}
		list = append(list, event)
	}
	return list
}

// rows reads a file with the library that wrote it, as the events that it
// holds: what is null is left out.
func rows(tb testing.TB, file []byte) []map[string]any {
	tb.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		tb.Fatal(err)
	}
	var list []map[string]any
	for _, g := range f.RowGroups() {
		r := g.Rows()
		buffer := make([]parquet.Row, 64)
		for {
			n, err := r.ReadRows(buffer)
			for _, row := range buffer[:n] {
				event, _ := assemble(f.Root(), row, 0, 0).(map[string]any)
				list = append(list, event)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				tb.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			tb.Fatal(err)
		}
	}
	return list
}

// assemble makes JSON's value of a column from the values of a row; nil for
// none. They are those with a repetition level of at least repeat, or the first;
// the column's parent is there from level on.
func assemble(c *parquet.Column, values []parquet.Value, level, repeat int) any {
	if c.Optional() || c.Repeated() {
		level++
	}
	mine := slices.DeleteFunc(slices.Clone(values), func(v parquet.Value) bool { return !below(c, v.Column()) })
	if len(mine) == 0 || mine[0].DefinitionLevel() < level {
		return nil
	}
	if c.Leaf() {
		return scalar(mine[0])
	}
	switch inner := c.Columns()[0]; {
	case inner.Repeated():
		var elements []any
		for _, part := range elementsOf(mine) {
			elements = append(elements, assembleElement(inner, part, level+1))
		}
		if inner.Name() != "key_value" {
			return elements
		}
		pairs := map[string]any{}
		for _, e := range elements {
			pair, _ := e.(map[string]any)
			key, _ := pair["key"].(string)
			pairs[key] = pair["value"]
		}
		return pairs
	default:
		return members(c, mine, level)
	}
}

func members(c *parquet.Column, values []parquet.Value, level int) map[string]any {
	object := map[string]any{}
	for _, m := range c.Columns() {
		if v := assemble(m, values, level, 0); v != nil {
			object[m.Name()] = v
		}
	}
	return object
}

func assembleElement(repeated *parquet.Column, values []parquet.Value, level int) any {
	object := members(repeated, values, level)
	if element, ok := object["element"]; ok {
		return element
	}
	return object
}

// elementsOf parts the values of a list: each column's begin anew where its
// element does.
func elementsOf(values []parquet.Value) [][]parquet.Value {
	seen := map[int]int{}
	var parts [][]parquet.Value
	for _, v := range values {
		at := seen[v.Column()]
		seen[v.Column()]++
		if at == len(parts) {
			parts = append(parts, nil)
		}
		parts[at] = append(parts[at], v)
	}
	return parts
}

func below(c *parquet.Column, leaf int) bool {
	if c.Leaf() {
		return c.Index() == leaf
	}
	return slices.ContainsFunc(c.Columns(), func(m *parquet.Column) bool { return below(m, leaf) })
}

// scalar is a value as encoding/json would have it.
func scalar(v parquet.Value) any {
	switch v.Kind() {
	case parquet.Boolean:
		return v.Boolean()
	case parquet.Int32:
		return float64(v.Int32())
	case parquet.Int64:
		return float64(v.Int64())
	case parquet.Double:
		return v.Double()
	default:
		return string(v.ByteArray())
	}
}

// golden lists the records of the applications' golden files.
func golden(tb testing.TB) map[string][][]byte {
	tb.Helper()
	files, err := filepath.Glob("../../connector/*/testdata/ocsf-records.ndjson")
	if err != nil {
		tb.Fatal(err)
	}
	records := map[string][][]byte{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		folder := filepath.Base(filepath.Dir(filepath.Dir(name)))
		for line := range bytes.Lines(text) {
			records[folder] = append(records[folder], bytes.TrimSpace(line))
		}
	}
	if len(records) < 2 {
		tb.Fatalf("%d applications have golden files", len(records))
	}
	return records
}

// normalizers are those of the applications that have a mapping, by folder.
func normalizers() map[string]*encode.Normalizer {
	found := map[string]*encode.Normalizer{}
	for _, app := range all.Apps() {
		if app.Normalize != nil {
			found[strings.ToLower(strings.Replace(app.Name, "1", "one", 1))] = encode.NewNormalizer(app)
		}
	}
	return found
}

// TestParquetIsTheSameEvents holds every golden record of every application, as
// a row, against its line.
func TestParquetIsTheSameEvents(t *testing.T) {
	t.Parallel()
	apps := normalizers()
	for folder, records := range golden(t) {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			n := apps[folder]
			if n == nil {
				t.Fatalf("no application has the folder; there are %v", slices.Sorted(maps.Keys(apps)))
			}
			file, lines := parquetOf(t, n, records)
			if diff := cmp.Diff(events(t, lines), rows(t, file)); diff != "" {
				t.Errorf("(-json +parquet):\n%s", diff)
			}
		})
	}
}

// TestParquetOfManyEvents: what waits in a column, be it one that seldom has a
// value, is what the event had.
func TestParquetOfManyEvents(t *testing.T) {
	t.Parallel()
	file, lines := parquetOf(t, oktaNormalizer(), oktaRecords(t, 1000, 3))
	if diff := cmp.Diff(events(t, lines), rows(t, file)); diff != "" {
		t.Errorf("(-json +parquet):\n%.5000s", diff)
	}
}

// TestParquetHasEveryColumn: whatever an event can have has a column. It fills
// all that there is, by reflection, in every class.
func TestParquetHasEveryColumn(t *testing.T) {
	t.Parallel()
	for class := ocsf.Class(0); class < 7000; class++ {
		if class.Name() == ocsf.BaseEvent.Name() && class != ocsf.BaseEvent {
			continue
		}
		n := encode.NewNormalizer(connector.App{Name: "X", Title: "X", Normalize: func(_ string, raw []byte, e *ocsf.Event) error {
			fill(reflect.ValueOf(e).Elem(), "")
			e.WebResources = append(e.WebResources, ocsf.Resource{UID: "second"}, e.WebResources[0])
			e.Class, e.Activity, e.RawText = class, 1, false
			if class == ocsf.BaseEvent {
				e.Activity = 0
			}
			if string(raw) == "1" { // and once more without privileges, for classes that want a group instead
				e.Privileges = nil
			}
			e.AddUnmapped([]byte("p.q"), []byte("v"))
			e.AddUnmapped([]byte("p.r"), []byte("w"))
			return nil
		}})
		file, lines := parquetOf(t, n, [][]byte{[]byte("0"), []byte("1"), []byte("2")})
		want := events(t, lines)
		if want[0]["class_uid"] != float64(class) || want[0]["message"] == nil {
			t.Fatalf("class %d: %v", class, want[0])
		}
		if diff := cmp.Diff(want, rows(t, file)); diff != "" {
			t.Errorf("class %d (-json +parquet):\n%s", class, diff)
		}
	}
}

// fill puts a value that the schema takes into every exported field.
func fill(v reflect.Value, name string) {
	switch {
	case v.Type() == reflect.TypeFor[ocsf.Choice]():
		v.Set(reflect.ValueOf(ocsf.Pick(1)))
		if name == "OS" {
			v.Set(reflect.ValueOf(ocsf.Pick(ocsf.OSLinux)))
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() && field.Name != "Raw" {
				fill(v.Field(i), field.Name)
			}
		}
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), name)
		fill(v.Index(1), name)
	case v.Kind() == reflect.String:
		special := map[string]string{"IP": "10.0.0.1", "Email": "a@example.com", "Method": "GET"}
		v.SetString(stdcmp.Or(special[name], "x"+strings.ToLower(name)))
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(7)
	case v.CanUint():
		v.SetUint(uint64(ocsf.True))
	case v.CanFloat():
		v.SetFloat(1.5)
	}
}

// TestParquetIsDeterministic: the same events give the same bytes, whatever was
// written in between.
func TestParquetIsDeterministic(t *testing.T) {
	t.Parallel()
	n, records := oktaNormalizer(), oktaRecords(t, 400, 3)
	want, _ := parquetOf(t, n, records)
	for round := range 3 {
		parquetOf(t, n, oktaRecords(t, 50*round, 4))
		if got, _ := parquetOf(t, oktaNormalizer(), records); !bytes.Equal(got, want) {
			t.Fatalf("round %d: %d bytes, and %d that differ before", round, len(got), len(want))
		}
	}
}

// TestParquetBoundsRowGroups: a file of many rows, or of few but large ones, has
// row groups of a bounded size, and all the rows.
func TestParquetBoundsRowGroups(t *testing.T) {
	t.Parallel()
	n := encode.NewNormalizer(connector.App{Name: "X", Title: "X", Normalize: func(string, []byte, *ocsf.Event) error { return errBroken }})
	for _, test := range []struct {
		record string
		n      int
		groups []int64
	}{
		{`{"a":1}`, 21_000, []int64{20_000, 1_000}},
		{`{"a":"` + strings.Repeat("x", 16<<20) + `"}`, 5, []int64{4, 1}},
		{`{}`, 0, nil},
	} {
		var out bytes.Buffer
		p := encode.NewParquet(&out)
		for range test.n {
			if _, err := n.Write(p, "s", "id", []byte(test.record), closed()); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		file := out.Bytes()
		f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		var groups []int64
		for _, g := range f.RowGroups() {
			groups = append(groups, g.NumRows())
		}
		if diff := cmp.Diff(test.groups, groups); diff != "" {
			t.Errorf("%d rows: row groups (-want +got):\n%s", test.n, diff)
		}
		for i, g := range f.Metadata().RowGroups {
			for j, c := range g.Columns {
				if got, want := []string(c.MetaData.PathInSchema), f.Schema().Columns()[j]; !slices.Equal(got, want) {
					t.Fatalf("row group %d has the column %q in the place of %q", i, got, want)
				}
			}
		}
	}
}

// TestParquetSaysWhatFails: an error of what the file is written to is the
// caller's.
func TestParquetSaysWhatFails(t *testing.T) {
	t.Parallel()
	n, records := oktaNormalizer(), oktaRecords(t, 3, 8)
	p := encode.NewParquet(broken{})
	for _, raw := range records {
		if _, err := n.Write(p, "s", "id", raw, closed()); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(); !errors.Is(err, errBroken) {
		t.Errorf("Close: %v", err)
	}
}

var errBroken = errors.New("the disk is full")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

// FuzzParquet: any record of any application is a row that reads as its line
// does.
func FuzzParquet(f *testing.F) {
	const some = 8 // of those that TestParquetIsTheSameEvents has all of
	for _, records := range golden(f) {
		for n := 0; n < len(records); n += some {
			f.Add(records[n], "id")
		}
	}
	f.Add([]byte("{\"uuid\":\"\xff\",\"eventType\":\"\\ud800\",\"x\":\"\\u0001\\\"\"}"), "\xfe")
	f.Add([]byte("\x01 \"\\\" "), "")
	apps := normalizers()
	f.Fuzz(func(t *testing.T, raw []byte, id string) {
		var file bytes.Buffer
		var want []byte
		p := encode.NewParquet(&file)
		for _, name := range slices.Sorted(maps.Keys(apps)) {
			want, _ = apps[name].Append(want, "s", id, raw, closed())
			outcome, err := apps[name].Write(p, "s", id, raw, closed())
			if err != nil {
				t.Fatal(err)
			}
			if outcome.Why != nil && strings.Contains(outcome.Why.Error(), "panic") {
				t.Error(outcome.Why)
			}
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(events(t, want), rows(t, file.Bytes())); diff != "" {
			t.Errorf("%q (-json +parquet):\n%s", raw, diff)
		}
	})
}
