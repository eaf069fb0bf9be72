package mapping_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
	"selvedge/ocsf/ocsftest"
)

func millis(clock func(string) (time.Time, bool)) func(string) (int64, bool) {
	return func(s string) (int64, bool) {
		t, ok := clock(s)
		return t.UnixMilli(), ok
	}
}

// anything maps whatever object it is given, and leaves everything.
func anything() mapping.Table {
	return mapping.Table{
		Version: "v1", Product: ocsf.Product{Name: "Test", Vendor: "Test"},
		Code: func(*mapping.Record) string { return "x" }, Clock: func(string) (time.Time, bool) { return time.UnixMilli(1), true },
		Finish: func(_ *mapping.Record, e *ocsf.Event) {
			e.WebResources = append(e.WebResources, ocsf.Resource{Name: "r"})
		},
	}
}

// FuzzScan holds the scanner against encoding/json: what it accepts, and what
// the leaves are.
func FuzzScan(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":1}`, `{"a":{"b":[1,{"c":"\u00e9"}]},"d":[]}`, ` {"a" : -0.5e+10 , "b":"x"} `, `{"a":1,"a":2}`, `{"a":{"b":1},"a.b":2}`,
		`{"":{"":1}}`, `{"a":01}`, `{"a":"\ud800"}`, "{\"\xff\":\"\xfe\"}", `{"a":tru}`, `{"a":1,}`, `[1]`, `{"a":"b`, `{"a":"\`, `{"a":"\u12"}`, `{"a[0]":1,"a":[2]}`,
	} {
		f.Add([]byte(s))
	}
	m := mapping.MustNew(anything())
	f.Fuzz(func(t *testing.T, raw []byte) {
		var e ocsf.Event
		err := m.Normalize(raw, &e)
		var value any
		d := json.NewDecoder(strings.NewReader(string(raw)))
		d.UseNumber()
		valid := json.Valid(raw)
		if derr := d.Decode(&value); valid && derr != nil {
			t.Fatal(derr)
		}
		object, isObject := value.(map[string]any)
		if (err == nil) != (valid && isObject) {
			t.Fatalf("%q: valid %t, object %t: %v", raw, valid, isObject, err)
		}
		if err != nil {
			return
		}
		line := e.AppendJSON(nil)
		ocsftest.MustValidate(t, line)
		want := map[string]string{}
		if !flatten(want, "", object, 0) || !plain(raw) {
			return
		}
		var got struct{ Unmapped map[string]string }
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatal(err)
		}
		if len(want) == 0 && len(got.Unmapped) == 0 {
			return
		}
		if diff := cmp.Diff(want, got.Unmapped); diff != "" {
			t.Errorf("%q (-want +got):\n%s", raw, diff)
		}
	})
}

// plain leaves out what Go's maps cannot show: members of one name, and paths
// that are spelled in two ways. It counts the members.
func plain(raw []byte) bool {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	for {
		t, err := d.Token()
		if err != nil {
			break
		}
		if s, ok := t.(string); ok && strings.ContainsAny(s, ".[") {
			return false
		}
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return false
	}
	return strings.Count(string(raw), ":") == colons(value)
}

func colons(value any) (n int) {
	switch v := value.(type) {
	case map[string]any:
		for k, one := range v {
			n += 1 + strings.Count(k, ":") + colons(one)
		}
	case []any:
		for _, one := range v {
			n += colons(one)
		}
	case string:
		n = strings.Count(v, ":")
	}
	return n
}

// flatten is the slow way to unmapped.
func flatten(into map[string]string, path string, value any, depth int) bool {
	if depth > 30 || len(path) > 400 {
		return false
	}
	switch v := value.(type) {
	case map[string]any:
		for k, one := range v {
			at := path + "." + k
			if path == "" {
				at = k
			}
			if !flatten(into, at, one, depth+1) {
				return false
			}
		}
	case []any:
		for i, one := range v {
			if !flatten(into, path+"["+jsonText(i)+"]", one, depth+1) {
				return false
			}
		}
	case nil:
	case string:
		if v != "" {
			into[path] = v
		}
	default:
		into[path] = jsonText(v)
	}
	return true
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
