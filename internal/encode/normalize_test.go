package encode_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/internal/encode"
	"selvedge/ocsf"
	"selvedge/ocsf/ocsftest"
)

// closed is when the batches of these tests were closed.
func closed() time.Time { return time.Date(2026, 11, 22, 19, 25, 0, 123e6, time.UTC) }

func decode(t *testing.T, line []byte) map[string]any {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal(line, &e); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return e
}

// TestVaried: varied records are events, the same each time, with raw_data as
// json.Compact has it.
func TestVaried(t *testing.T) {
	t.Parallel()
	n := oktaNormalizer()
	for _, raw := range oktaRecords(t, 500, 7) {
		var spaced, compact bytes.Buffer
		if err := json.Indent(&spaced, raw, " ", "\t"); err != nil {
			t.Fatal(err)
		}
		if err := json.Compact(&compact, raw); err != nil {
			t.Fatal(err)
		}
		line, outcome := n.Append(nil, "logs", "", spaced.Bytes(), closed())
		if outcome != (encode.Outcome{}) {
			t.Fatalf("%+v: %s", outcome, raw)
		}
		ocsftest.MustValidate(t, line)
		again, _ := n.Append([]byte("before"), "logs", "", spaced.Bytes(), closed())
		if string(again) != "before"+string(line) {
			t.Fatalf("not the same again:\n%s\n%s", line, again)
		}
		e := decode(t, line)
		if e["raw_data"] != compact.String() {
			t.Errorf("raw_data %v\nwant %s", e["raw_data"], &compact)
		}
		metadata, _ := e["metadata"].(map[string]any)
		if metadata["processed_time"] != 1795375500123.0 || metadata["log_provider"] != "Selvedge" {
			t.Errorf("metadata %v", metadata)
		}
		if rawLine := encode.AppendRaw(nil, spaced.Bytes()); string(rawLine) != compact.String()+"\n" {
			t.Errorf("RAW line %s\nwant %s", rawLine, &compact)
		}
	}
}

// TestBase: what cannot be mapped becomes a base event that keeps the record.
func TestBase(t *testing.T) {
	t.Parallel()
	bad := errors.New("bad")
	for _, test := range []struct {
		name      string
		normalize func(string, []byte, *ocsf.Event) error
		raw       string
		rawData   string
		uid       any
		replaced  int
	}{
		{"an error", func(string, []byte, *ocsf.Event) error { return bad }, `{"a": 1}`, `{"a":1}`, "rec", 0},
		{"a panic", func(string, []byte, *ocsf.Event) error { panic("oh") }, `{"a": 1}`, `{"a":1}`, "rec", 0},
		{"an event that is none", func(_ string, _ []byte, e *ocsf.Event) error { e.Class = ocsf.Authentication; return nil }, `[ ]`, `[]`, "rec", 0},
		{"half an event", func(_ string, _ []byte, e *ocsf.Event) error {
			e.Metadata.UID, e.Message, e.User.UID = e.Keep([]byte("own")), "secret", "u"
			e.AddUnmapped([]byte("a"), []byte("b"))
			return bad
		}, `{}`, `{}`, "own", 0},
		{"no JSON", func(string, []byte, *ocsf.Event) error { return bad }, "a \"b\"\n\xff\xfe{", "a \"b\"\n\uFFFD\uFFFD{", "rec", 2},
	} {
		n := encode.NewNormalizer(connector.App{Name: "TEST", Title: "Test", Normalize: test.normalize})
		line, outcome := n.Append(nil, "s", "rec", []byte(test.raw), closed())
		ocsftest.MustValidate(t, line)
		if !outcome.Base || outcome.Why == nil || outcome.Replaced != test.replaced {
			t.Errorf("%s: %+v", test.name, outcome)
		}
		e := decode(t, line)
		metadata, _ := e["metadata"].(map[string]any)
		if e["class_uid"] != 0.0 || e["raw_data"] != test.rawData || metadata["uid"] != test.uid || e["time"] != 1795375500123.0 {
			t.Errorf("%s: %s", test.name, line)
		}
		for _, name := range []string{"actor", "device", "user", "message", "unmapped"} {
			if e[name] != nil {
				t.Errorf("%s: a base event with %s", test.name, name)
			}
		}
	}
}

// TestEmpty: a record of nothing is an event too.
func TestEmpty(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", " ", "\n"} {
		line, outcome := oktaNormalizer().Append(nil, "logs", "", []byte(raw), closed())
		ocsftest.MustValidate(t, line)
		if !outcome.Base {
			t.Errorf("%q: %+v", raw, outcome)
		}
	}
}

func TestReplaced(t *testing.T) {
	t.Parallel()
	raw := "{\"eventType\":\"user.session.start\",\"published\":\"2026-11-22T19:24:00Z\",\"actor\":{\"id\":\"\xff\"},\"x\xfe\":\"\xc3\"}"
	line, outcome := oktaNormalizer().Append(nil, "logs", "", []byte(raw), closed())
	ocsftest.MustValidate(t, line)
	if outcome.Base || outcome.Replaced != 3 {
		t.Errorf("%+v", outcome)
	}
	if got := decode(t, line)["raw_data"]; got != string([]rune(raw)) {
		t.Errorf("raw_data %q", got)
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	n := oktaNormalizer()
	records := oktaRecords(t, 200, 3)
	want := make([]string, len(records))
	for i, raw := range records {
		line, _ := oktaNormalizer().Append(nil, "logs", "", raw, closed())
		want[i] = string(line)
	}
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := range records {
				i = (i*7 + w) % len(records)
				if line, _ := n.Append(nil, "logs", "", records[i], closed()); string(line) != want[i] {
					t.Errorf("record %d differs", i)
				}
			}
		})
	}
	all.Wait()
}

func TestAppendRaw(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"{ \"b\" : 1.50 ,\n\"a\":\"\\u00e9 \\/ x\" }": "{\"b\":1.50,\"a\":\"\\u00e9 \\/ x\"}",
		`"a  b"`:               `"a  b"`,
		"{\"a\":\"\xff\xfe\"}": "{\"a\":\"\uFFFD\uFFFD\"}",
		"not\njson":            `notjson`,
		"\"open\nstring":       `"\"open\nstring"`,
		"":                     "",
	} {
		if got := string(encode.AppendRaw([]byte("x"), []byte(raw))); got != "x"+want+"\n" {
			t.Errorf("AppendRaw(%q) = %q", raw, got)
		}
	}
}

// FuzzAppendRaw: one line, UTF-8, and json.Compact's where the record is JSON.
func FuzzAppendRaw(f *testing.F) {
	for _, s := range []string{`{"a": [1, "b\n"]}`, "\xff", "\"\n", "{\n}", `"\`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		line := encode.AppendRaw(nil, raw)
		if n := bytes.Count(line, []byte("\n")); n != 1 || line[len(line)-1] != '\n' {
			t.Errorf("%q is %d lines: %q", raw, n, line)
		}
		if !json.Valid(raw) {
			return
		}
		var want bytes.Buffer
		if err := json.Compact(&want, raw); err != nil {
			t.Fatal(err)
		}
		if string(line) != string([]rune(want.String()))+"\n" {
			t.Errorf("%q is %q", raw, line)
		}
	})
}

// FuzzNormalize: any bytes become one line, a valid event, of every
// application.
func FuzzNormalize(f *testing.F) {
	for _, raw := range oktaRecords(f, 5, 9) {
		f.Add(raw, "id")
	}
	f.Add([]byte(`{"id":"1","timestamp":"2026-11-22T19:24:00Z","auth":{"accessor_id":"u"},"resource":{"id":"w","type":"workspace","action":"create"}}`), "")
	apps := []*encode.Normalizer{oktaNormalizer(), terraformNormalizer()}
	f.Fuzz(func(t *testing.T, raw []byte, id string) {
		for _, n := range apps {
			line, outcome := n.Append(nil, "s", id, raw, closed())
			ocsftest.MustValidate(t, line)
			if bytes.Count(line, []byte("\n")) != 1 || outcome.Base != (outcome.Why != nil) {
				t.Errorf("%+v %q", outcome, line)
			}
			if outcome.Why != nil && strings.Contains(outcome.Why.Error(), "panic") {
				t.Error(outcome.Why)
			}
		}
	})
}
