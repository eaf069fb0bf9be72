package mapping_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
	"selvedge/ocsf/ocsftest"
)

// table is a mapping of no application, with one of each thing.
func table() mapping.Table {
	return mapping.Table{
		Version: "v1", Product: ocsf.Product{Name: "Test", Vendor: "Test"},
		Time: "at", Type: "what",
		Rows: []mapping.Row{
			{From: "id", To: "metadata.uid"},
			{From: "text", To: "message"},
			{From: "who.id", To: "actor.user.uid"},
			{From: "who.ip", To: "src_endpoint.ip"},
			{From: "who.ip", To: "device.ip"},
			{From: "who.city", To: "device.location.city"},
			{From: "who.isp", To: "device.location.isp"},
			{From: "nick", To: "actor.user.name"},
			{From: "name", To: "actor.user.name"},
			{From: `kind.\.tag`, To: "status_code"},
			{From: "roles[].name", To: "privileges"},
			{From: "about", To: "user.uid"},
		},
		Read: []string{"things[].id", "things[].parts[].id", "things[].parts[]", "things[].on", "lat", "lon", "first", "second"},
		Rules: []mapping.Rule{
			{Type: "login", Class: ocsf.Authentication, Activity: 1},
			{Type: "user.*", Class: ocsf.AccountChange},
			{Type: "user.role.*", Class: ocsf.UserAccess, Else: 3},
			{Type: "user.noted", Class: ocsf.AccountChange, Activity: ocsf.Other, Name: "Noted"},
		},
		Words:  map[string]mapping.Verb{"conjure": mapping.Create},
		Finish: finish,
	}
}

func finish(r *mapping.Record, e *ocsf.Event) {
	if p := r.Point("lat", "lon"); e.Device.IP != "" {
		e.Device.Location.Point = p
	}
	e.StatusDetail = r.Join("first", "/", "second")
	e.Service.Name = "svc"
	for _, thing := range r.Each("things") {
		what := ocsf.Resource{UID: thing.Take("id")}
		for _, part := range thing.Each("parts") {
			what.Name += part.Take("id") + part.Take("") + ";"
		}
		e.WebResources = append(e.WebResources, what)
	}
	if len(e.WebResources) == 0 {
		e.WebResources = append(e.WebResources, ocsf.Resource{Name: "none"})
	}
}

// normalize returns the event as JSON, which is valid.
func normalize(t *testing.T, m *mapping.Mapper, raw string) map[string]any {
	t.Helper()
	var e ocsf.Event
	if err := m.Normalize([]byte(raw), &e); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	e.Raw = []byte(raw)
	line := e.AppendJSON(nil)
	ocsftest.MustValidate(t, line)
	var out map[string]any
	if err := json.Unmarshal(line, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// get returns what stands at a path of an event, nil for nothing.
func get(event any, path string) any {
	for name := range strings.SplitSeq(path, "/") {
		switch v := event.(type) {
		case map[string]any:
			event = v[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(v) {
				return nil
			}
			event = v[i]
		default:
			return nil
		}
	}
	return event
}

const head = `"at":"2026-11-22T19:24:00.5Z"`

func TestNormalize(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, raw string
		want      map[string]any // path to value; nil: not there
	}{
		{
			"head", `{"id":"1","what":"login",` + head + `,"text":"a\"\u00e9\ud83d\ude00","who":{"id":"w"},"about":"u"}`,
			map[string]any{
				"metadata/uid": "1", "metadata/event_code": "login", "metadata/original_time": "2026-11-22T19:24:00.5Z", "time": 1795375440500.0,
				"class_uid": 3002.0, "activity_name": "Logon", "message": "a\"é😀", "actor/user/uid": "w", "user/uid": "u", "unmapped": nil,
				"metadata/log_version": "v1",
			},
		},
		{
			"what is left", `{"what":"x.viewed",` + head + `,"n":1.50,"t":true,"f":false,"z":null,"e":"","o":{},"l":[],"deep":{"a":[{"b":"c"},[2]]},"u":"\u0041"}`,
			map[string]any{"unmapped": map[string]any{"n": "1.50", "t": "true", "f": "false", "deep.a[0].b": "c", "deep.a[1][0]": "2", "u": "A"}, "activity_id": 2.0},
		},
		{
			"refused by the attribute", `{"what":"x",` + head + `,"who":{"ip":"nowhere"}}`,
			map[string]any{"unmapped": map[string]any{"who.ip": "nowhere"}, "src_endpoint": nil, "device": nil},
		},
		{
			"not shown without its object", `{"what":"x",` + head + `,"who":{"city":"K"}}`,
			map[string]any{"unmapped": map[string]any{"who.city": "K"}, "device": nil},
		},
		{
			"shown with its object", `{"what":"x",` + head + `,"who":{"city":"K","isp":"I","ip":"::1"}}`,
			map[string]any{"unmapped": nil, "device/location/city": "K", "device/location/isp": "I", "src_endpoint/ip": "::1"},
		},
		{
			"part of an object that is not shown", `{"what":"x",` + head + `,"who":{"isp":"I","ip":"::1"}}`,
			map[string]any{"unmapped": map[string]any{"who.isp": "I"}, "device/location": nil},
		},
		{
			"not of the class", `{"what":"user.created",` + head + `,"roles":[{"name":"r"}],"about":"u"}`,
			map[string]any{"class_uid": 3001.0, "activity_id": 1.0, "unmapped": map[string]any{"roles[0].name": "r"}},
		},
		{
			"each element", `{"what":"user.role.assigned",` + head + `,"roles":[{"name":"r"},{"name":"s","x":1}],"about":"u"}`,
			map[string]any{"class_uid": 3005.0, "activity_id": 1.0, "privileges": []any{"r", "s"}, "unmapped": map[string]any{"roles[1].x": "1"}},
		},
		{
			"what the class requires is not there", `{"what":"user.role.assigned",` + head + `,"roles":[{"name":"r"}],"first":"a"}`,
			map[string]any{
				"class_uid": 6001.0, "activity_id": 3.0, "web_resources/0/name": "none", "privileges": nil, "status_detail": "a",
				"unmapped": map[string]any{"roles[0].name": "r"},
			},
		},
		{
			"the first row counts", `{"what":"x",` + head + `,"name":"b","nick":"a"}`,
			map[string]any{"actor/user/name": "a", "unmapped": map[string]any{"name": "b"}},
		},
		{"the next row where the first is empty", `{"what":"x",` + head + `,"name":"b","nick":""}`, map[string]any{"actor/user/name": "b", "unmapped": nil}},
		{
			"a dot in a name", `{"what":"x",` + head + `,"kind":{".tag":"k"},"a.b":1}`,
			map[string]any{"status_code": "k", "unmapped": map[string]any{"a.b": "1"}},
		},
		{
			"the last of two counts", `{"what":"y",` + head + `,"text":"1","text":"2","x":1,"x":2,"a.b":1,"a":{"b":2},"q":1,"q":null,"what":"x"}`,
			map[string]any{"message": "2", "unmapped": map[string]any{"x": "2", "a.b": "2"}, "metadata/event_code": "x"},
		},
		{
			"lists in lists", `{"what":"x",` + head + `,"things":[{"id":"1","parts":["p",{"id":"q"}]},{"parts":[],"id":"2","on":true},"odd"]}`,
			map[string]any{
				"web_resources/0/uid": "1", "web_resources/0/name": "p;q;", "web_resources/1/uid": "2", "web_resources/1/name": nil,
				"unmapped": map[string]any{"things[1].on": "true", "things[2]": "odd"},
			},
		},
		{
			"a point", `{"what":"x",` + head + `,"lat":50.9,"lon":"-6.90","who":{"ip":"1.2.3.4"}}`,
			map[string]any{"device/location/coordinates": []any{-6.9, 50.9}, "unmapped": nil},
		},
		{
			"half a point", `{"what":"x",` + head + `,"lat":50.9,"lon":400,"who":{"ip":"1.2.3.4"}}`,
			map[string]any{"device/location": nil, "unmapped": map[string]any{"lat": "50.9", "lon": "400"}},
		},
		{"joined", `{"what":"x",` + head + `,"first":"a","second":2}`, map[string]any{"status_detail": "a/2", "unmapped": nil}},
		{"a name of one's own", `{"what":"user.noted",` + head + `,"about":"u"}`, map[string]any{"activity_id": 99.0, "activity_name": "Noted"}},
		{"a word of one's own", `{"what":"spirit.conjure",` + head + `}`, map[string]any{"activity_id": 1.0}},
		{"no word that is known", `{"what":"spirit.yawn",` + head + `}`, map[string]any{"activity_id": 99.0, "activity_name": "spirit.yawn"}},
		{"an update without a number", `{"what":"user.updated",` + head + `,"about":"u"}`, map[string]any{"activity_id": 99.0, "activity_name": "Update"}},
		{"half a surrogate", `{"what":"x",` + head + `,"text":"a\ud800b","s":"\udc00\u0041"}`, map[string]any{"message": "a\uFFFDb", "unmapped": map[string]any{"s": "\uFFFDA"}}},
		{"an object for a leaf", `{"what":"x",` + head + `,"text":{"a":1},"who":"me","things":{"id":1}}`, map[string]any{"unmapped": map[string]any{"text.a": "1", "who": "me", "things.id": "1"}}},
		{"white space", " {\n\t\"what\" : \"x\" , " + head + " , \"text\" : [ 1 , 2 ] }\r\n", map[string]any{"unmapped": map[string]any{"text[0]": "1", "text[1]": "2"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := normalize(t, mapping.MustNew(table()), test.raw)
			for path, want := range test.want {
				if diff := cmp.Diff(want, get(got, path)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", path, diff)
				}
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	m := mapping.MustNew(table())
	for name, raw := range map[string]string{
		"nothing": "", "no JSON": "nope", "half": `{"what":"x"`, "a list": `[{"what":"x",` + head + `}]`, "a number": "1", "two": `{} {}`,
		"no type": `{` + head + `}`, "an empty type": `{"what":"",` + head + `}`, "no time": `{"what":"x"}`, "no such time": `{"what":"x","at":"noon"}`,
		"control": "{\"what\":\"x\ty\"}", "a bad escape": `{"what":"\x"}`, "a bad number": `{"a":01}`, "a tail": `{},`,
	} {
		var e ocsf.Event
		if err := m.Normalize([]byte(raw), &e); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	var e ocsf.Event
	if err := m.Normalize([]byte(`{"id":"7","what":"x"}`), &e); err == nil || e.Metadata.UID != "7" {
		t.Errorf("the identifier is lost: %q, %v", e.Metadata.UID, err)
	}
}

// TestLongText: what an attribute cannot hold whole is whole in unmapped.
func TestLongText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 70000)
	got := normalize(t, mapping.MustNew(table()), `{"what":"x",`+head+`,"text":"`+long+`"}`)
	if get(got, "message") != long[:2*ocsf.MaxLen] || get(got, "unmapped/text") != long {
		t.Error("a long text is not cut in its attribute and whole in unmapped")
	}
}

// TestDeep: containers beyond the bounds are one leaf each, and the text of all
// paths stays in proportion.
func TestDeep(t *testing.T) {
	t.Parallel()
	m := mapping.MustNew(table())
	deep := strings.Repeat(`{"a": `, 40) + `[1]` + strings.Repeat("}", 40)
	got := normalize(t, m, `{"what":"x",`+head+`,"a":`+deep+`}`)
	leaf := get(got, "unmapped/"+strings.TrimSuffix(strings.Repeat("a.", 33), "."))
	if want := strings.Repeat(`{"a":`, 8) + `[1]` + strings.Repeat("}", 8); leaf != want {
		t.Errorf("deep: %v", get(got, "unmapped"))
	}
	key := strings.Repeat("k", 600)
	got = normalize(t, m, `{"what":"x",`+head+`,"`+key+`":{"b" : {"c":1}}}`)
	if get(got, "unmapped/"+key) != `{"b":{"c":1}}` {
		t.Errorf("long path: %v", get(got, "unmapped"))
	}
	wide := `{"what":"x",` + head + `,"` + strings.Repeat("k", 500) + `":[` + strings.TrimSuffix(strings.Repeat("1,", 50000), ",") + `],"who":{"id":"w"}}`
	var e ocsf.Event
	if err := m.Normalize([]byte(wide), &e); err != nil {
		t.Fatal(err)
	}
	if line := e.AppendJSON(nil); len(line) > 10*len(wide) {
		t.Errorf("a record of %d bytes becomes %d", len(wide), len(line))
	}
	nest := strings.Repeat("[", 9998) + strings.Repeat("]", 9998)
	normalize(t, m, `{"what":"x",`+head+`,"n":`+nest+`}`)
	if err := m.Normalize([]byte(`{"what":"x",`+head+`,"n":[[`+nest+`]]}`), new(ocsf.Event)); err == nil {
		t.Error("no limit of nesting")
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	m := mapping.MustNew(table())
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 200 {
				id := fmt.Sprintf("%d-%d", i, n)
				var e ocsf.Event
				err := m.Normalize([]byte(`{"what":"x","id":"`+id+`","text":"\u0041`+id+`",`+head+`}`), &e)
				if err != nil || e.Metadata.UID != id || e.Message != "A"+id {
					t.Errorf("%s: %q %q %v", id, e.Metadata.UID, e.Message, err)
				}
			}
		})
	}
	all.Wait()
}

// TestNew refuses tables that cannot be meant.
func TestNew(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*mapping.Table){
		"attribute": func(t *mapping.Table) { t.Rows = []mapping.Row{{From: "a", To: "massage"}} },
		"activity": func(t *mapping.Table) {
			t.Rules = []mapping.Rule{{Type: "a", Class: ocsf.Authentication, Activity: 40}}
		},
		"else":    func(t *mapping.Table) { t.Rules = []mapping.Rule{{Type: "a", Class: ocsf.Authentication, Else: 40}} },
		"twice":   func(t *mapping.Table) { t.Rules = []mapping.Rule{{Type: "a"}, {Type: "a"}} },
		"no type": func(t *mapping.Table) { t.Type = "" },
		"both":    func(t *mapping.Table) { t.Code = func(*mapping.Record) string { return "" } },
	} {
		tab := table()
		spoil(&tab)
		if _, err := mapping.New(tab); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestUnknownPath: a mapping that asks for what is not in its table is found
// out.
func TestUnknownPath(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(*mapping.Record){
		"text":    func(r *mapping.Record) { r.Text("who.else") },
		"take":    func(r *mapping.Record) { r.Take("nobody") },
		"list":    func(r *mapping.Record) { r.Each("who") },
		"element": func(r *mapping.Record) { r.Each("things")[0].Take("colour") },
		"inner":   func(r *mapping.Record) { r.Each("things")[0].Each("colours") },
	} {
		tab := table()
		tab.Finish = func(r *mapping.Record, _ *ocsf.Event) { ask(r) }
		err := mapping.MustNew(tab).Normalize([]byte(`{"what":"x",`+head+`,"things":[{"id":1}]}`), new(ocsf.Event))
		if err == nil || !strings.Contains(err.Error(), "not in the table") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestClocks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		clock func(string) (int64, bool)
		in    string
		want  int64
		ok    bool
	}{
		{"rfc3339", millis(mapping.RFC3339), "2026-11-22T20:24:00.25+01:00", 1795375440250, true},
		{"rfc3339", millis(mapping.RFC3339), "2026-11-22", 0, false},
		{"seconds", millis(mapping.EpochSeconds), "1795375440", 1795375440000, true},
		{"seconds", millis(mapping.EpochSeconds), "1795375440.25", 1795375440250, true},
		{"seconds", millis(mapping.EpochSeconds), "1e300", 0, false},
		{"seconds", millis(mapping.EpochSeconds), "99999999999999", 0, false},
		{"seconds", millis(mapping.EpochSeconds), "NaN", 0, false},
		{"millis", millis(mapping.EpochMillis), "1795375440250", 1795375440250, true},
		{"millis", millis(mapping.EpochMillis), "soon", 0, false},
	} {
		if got, ok := test.clock(test.in); ok != test.ok || ok && got != test.want {
			t.Errorf("%s %s: %d %t", test.name, test.in, got, ok)
		}
	}
}

// TestAbsent: a text that says that there is no value is as if it were not there,
// but for unmapped.
func TestAbsent(t *testing.T) {
	t.Parallel()
	with := table()
	with.Absent = map[string][]string{"nick": {"unknown", "N/A"}, "things[].id": {"-"}, "who.id": {"0"}}
	m := mapping.MustNew(with)
	for raw, want := range map[string]map[string]any{
		`"nick":"unknown","name":"ada"`:     {"actor/user/name": "ada", "unmapped/nick": "unknown", "unmapped/name": nil},
		`"nick":"Unknown"`:                  {"actor/user": nil, "unmapped/nick": "Unknown"},
		`"nick":"n\/a","who":{"id":"u"}`:    {"actor/user/name": nil, "unmapped/nick": "n/a"},
		`"nick":"unknown to us"`:            {"actor/user/name": "unknown to us"},
		`"nick":"ada","nick":"unknown"`:     {"actor/user": nil, "unmapped/nick": "unknown"},
		`"nick":"unknown","nick":"ada"`:     {"actor/user/name": "ada", "unmapped": nil},
		`"name":"unknown"`:                  {"actor/user/name": "unknown"}, // of another path nothing is said
		`"who":{"id":0}`:                    {"actor/user/uid": "0"},        // nor of a number
		`"things":[{"id":"-"},{"id":"t2"}]`: {"web_resources/0/uid": "t2", "unmapped/things[0].id": "-"},
	} {
		e := normalize(t, m, `{"what":"x",`+head+`,`+raw+`}`)
		for path, value := range want {
			if got := get(e, path); got != value {
				t.Errorf("%s: %s is %v, not %v", raw, path, got, value)
			}
		}
	}
	with.Absent["nobody"] = []string{"x"}
	if _, err := mapping.New(with); err == nil || !strings.Contains(err.Error(), `"nobody"`) {
		t.Errorf("a path that is not in the table: %v", err)
	}
}
