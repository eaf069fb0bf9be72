package rest_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/connector/rest"
)

func identify(d rest.Doc) (string, time.Time) { return d.Text("id"), rest.Time(d.Text("at")) }

func cut(page []byte, path string) ([]connector.Record, error) {
	d, err := rest.Parse(page)
	if err != nil {
		return nil, err
	}
	return d.Records(path, identify)
}

func TestRecords(t *testing.T) {
	t.Parallel()
	const page = "\ufeff{\"data\" : [ {\"id\":\"1\", \"at\":\"2026-11-20T11:00:00.5+01:00\", \"n\":1.0e2,\"s\":\"\\u00e9\\/\"} ,\n" +
		"null,7,{\"id\":8,\"at\":\"2026-11-20T10:00:00Z\"},{\"at\":9,\"id\":\"4\"},{\"id\":\"5\",\"id\":\"6\"} , [ ] ]}"
	records, err := cut([]byte(page), "data")
	if err != nil {
		t.Fatal(err)
	}
	type row struct{ ID, Time, Raw string }
	var got []row
	for _, r := range records {
		at := ""
		if !r.Time.IsZero() {
			at = r.Time.Format(time.RFC3339Nano)
		}
		got = append(got, row{r.ID, at, string(r.Raw)})
	}
	want := []row{
		{"1", "2026-11-20T10:00:00.5Z", `{"id":"1", "at":"2026-11-20T11:00:00.5+01:00", "n":1.0e2,"s":"\u00e9\/"}`},
		{"", "", "null"},
		{"", "", "7"},
		{"", "2026-11-20T10:00:00Z", `{"id":8,"at":"2026-11-20T10:00:00Z"}`},
		{"4", "", `{"at":9,"id":"4"}`},
		{"5", "", `{"id":"5","id":"6"}`},
		{"", "", "[ ]"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRecordsRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ page, path string }{
		{"", ""}, {"null", ""}, {"{}", ""}, {"[1,]", ""}, {"[1] x", ""}, {`"[]"`, ""}, {"<html>", ""},
		{"[]", "data"}, {"{}", "data"}, {`{"data":null}`, "data"}, {`{"data":{}}`, "data"}, {`{"DATA":[]}`, "data"}, {`{"a":{"b":[]}}`, "a.c"}, {`{"a":null}`, "a.b"},
	} {
		if records, err := cut([]byte(test.page), test.path); err == nil {
			t.Errorf("%s at %q: got %d records, want an error", test.page, test.path, len(records))
		}
	}
	if records, err := cut([]byte(`{"a":{"b":[]}}`), "a.b"); err != nil || len(records) != 0 {
		t.Errorf("an empty list: %v, %v", records, err)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 10, 0, 0, 123_456_789, time.FixedZone("", 3600))
	if got, want := rest.Since(at), "2026-11-20T09:00:00.123Z"; got != want {
		t.Errorf("since %s, want %s", got, want)
	}
	if got, want := rest.Until(at), "2026-11-20T09:00:00.124Z"; got != want {
		t.Errorf("until %s, want %s", got, want)
	}
	if got, want := rest.Until(at.Truncate(time.Millisecond)), "2026-11-20T09:00:00.123Z"; got != want {
		t.Errorf("until %s, want %s", got, want)
	}
}

// FuzzRecords: what is cut out of a page is what encoding/json finds in it,
// element for element and byte for byte.
func FuzzRecords(f *testing.F) {
	f.Add([]byte(`[{"id":"1"},null, 1e2 ]`))
	f.Add([]byte("[\"\xff\\\\\",{}, [ {\"a\\\"]\":\"}\"} ] ]"))
	f.Fuzz(func(t *testing.T, page []byte) {
		got, err := cut(page, "")
		var want []json.RawMessage
		wantErr := json.Unmarshal(bytes.TrimPrefix(page, []byte("\ufeff")), &want)
		if wantErr == nil && want == nil {
			return // null, which is no list
		}
		if (err == nil) != (wantErr == nil) || len(got) != len(want) {
			t.Fatalf("%q: got %d records, %v; want %d, %v", page, len(got), err, len(want), wantErr)
		}
		for i := range want {
			if !bytes.Equal(got[i].Raw, want[i]) {
				t.Errorf("record %d: got %q, want %q", i, got[i].Raw, want[i])
			}
		}
	})
}

// FuzzDoc: a member is found where encoding/json finds it, and nothing panics
// on bytes that are no JSON.
func FuzzDoc(f *testing.F) {
	f.Add([]byte(`{"x":[1,{"id":"a"}], "\u0069d" : "b\"", "n":-1.5e3}`))
	f.Add([]byte(`{"id":`))
	f.Add([]byte(`[{"id":"x"}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		rest.Doc(doc).Text("id")
		rest.Doc(doc).Scalar("0.id.1")
		d, err := rest.Parse(doc)
		if err != nil {
			return
		}
		var want map[string]json.RawMessage
		if json.Unmarshal(d, &want) != nil || bytes.Count(d, []byte(":")) > len(want) {
			return // not an object, or one with more members than can be compared: names may repeat
		}
		for name, raw := range want {
			if name == "" || strings.Contains(name, ".") || strings.Contains(name, "\ufffd") {
				continue
			}
			if got, ok := d.Member(name); !ok || !bytes.Equal(got, raw) {
				t.Errorf("%q in %q: got %q, want %q", name, d, got, raw)
			}
			var text string
			if json.Unmarshal(raw, &text) == nil && d.Text(name) != text {
				t.Errorf("%q in %q: got text %q, want %q", name, d, d.Text(name), text)
			}
		}
	})
}

func TestDoc(t *testing.T) {
	t.Parallel()
	d, err := rest.Parse([]byte(` {"a":{"b":[10,{"c":"x\u00e9\""}]},"n":-1.5e3,"t":true,"e":"","s\u0031":"one","l":[],".t":"x",".o":{"x.y":7}} `))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct{ text, scalar string }{
		"a.b.1.c": {`xé"`, `xé"`}, "a.b.0": {"", "10"}, "n": {"", "-1.5e3"}, `\.t`: {"x", "x"}, `\.o.x\.y`: {"", "7"}, ".t": {}, `\`: {}, "s1": {"one", "one"},
		"t": {}, "e": {}, "a": {}, "a.b": {}, "a.b.2": {}, "a.b.-1": {}, "a.b.x": {}, "a.c": {}, "l.0": {}, "zz": {}, "n.x": {}, "a.b.1.c.d": {},
	} {
		if got := d.Text(path); got != want.text {
			t.Errorf("text at %q: got %q, want %q", path, got, want.text)
		}
		if got := d.Scalar(path); got != want.scalar {
			t.Errorf("scalar at %q: got %q, want %q", path, got, want.scalar)
		}
	}
}
