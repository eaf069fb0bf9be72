package zendesk_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/zendesk"
	"selvedge/internal/encode"
	"selvedge/ocsf"
	"selvedge/ocsf/ocsftest"
	"selvedge/simulator"
)

var updateOCSF = flag.Bool("update", false, "write the golden files of the mapping")

// toOCSF returns the event of a record, which must be valid and not the base
// event.
func toOCSF(t *testing.T, raw string) map[string]any {
	t.Helper()
	line, outcome := encode.NewNormalizer(zendesk.App()).Append(nil, "audit_logs", "", []byte(raw), connectortest.Processed())
	ocsftest.MustValidate(t, line)
	if outcome.Base {
		t.Fatalf("a base event: %v\n%s", outcome.Why, raw)
	}
	var m map[string]any
	if err := json.Unmarshal(line, &m); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return m
}

// at returns what stands at a path of a decoded event, nil for nothing;
// unmapped has paths for names.
func at(e map[string]any, path string) any {
	if rest, ok := strings.CutPrefix(path, "unmapped."); ok {
		unmapped, _ := e["unmapped"].(map[string]any)
		return unmapped[rest]
	}
	var value any = e
	for name := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// TestGoldenOCSF: run with -update after a change that is meant.
func TestGoldenOCSF(t *testing.T) {
	t.Parallel()
	connectortest.Golden(t, zendesk.App(), "audit_logs", *updateOCSF)
}

// eventTypes lists the documented types, source and action.
func eventTypes(t *testing.T) [][2]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "ocsf-event-types.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var types [][2]string
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] != "#" {
			for _, action := range words[1:] {
				types = append(types, [2]string{words[0], action})
			}
		}
	}
	if len(types) < 100 {
		t.Fatalf("only %d types", len(types))
	}
	return types
}

// record is a record with a value in every member.
func record(source, action string) string {
	return `{"url":"https://example.zendesk.com/api/v2/audit_logs/498483.json","id":498483,"action":"` + action + `","action_label":"Done",` +
		`"actor_id":1234,"actor_name":"Ada Okafor","source_id":4567,"source_type":"` + source + `","source_label":"Team member: Zoë Müller",` +
		`"change_description":"Role changed from Agent to Admin","ip_address":"203.0.113.7","created_at":"2026-11-22T19:24:00Z"}`
}

// TestEventTypes: every documented type is an event of a class, with who, from
// where, when and what, and few are of an activity that has no number.
func TestEventTypes(t *testing.T) {
	t.Parallel()
	types, others := eventTypes(t), 0
	for _, typ := range types {
		e := toOCSF(t, record(typ[0], typ[1]))
		if e["activity_id"] == float64(ocsf.Other) {
			others++
		}
		if e["class_uid"] == 0.0 || e["activity_id"] == 0.0 {
			t.Errorf("%s is %v", typ, e["type_name"])
		}
		for path, want := range map[string]any{
			"actor.user.uid": "1234", "actor.user.name": "Ada Okafor", "device.ip": "203.0.113.7", "metadata.event_code": typ[0] + "_" + typ[1],
			"metadata.uid": "498483", "time": 1795375440000.0, "status": "Success", "message": "Role changed from Agent to Admin",
		} {
			if got := at(e, path); got != want {
				t.Errorf("%s: %s is %v", typ, path, got)
			}
		}
	}
	t.Logf("%d of %d types are of no numbered activity, %.1f %%", others, len(types), 100*float64(others)/float64(len(types)))
	if others*10 > len(types) {
		t.Errorf("%d of %d types are of no numbered activity", others, len(types))
	}
}

// TestSparseRecords: what little a record has, its event is valid, and not the
// base event while it says what was done to what, and when.
func TestSparseRecords(t *testing.T) {
	t.Parallel()
	for _, typ := range eventTypes(t) {
		for _, without := range []string{"source_id,source_label", "actor_id,actor_name", "ip_address", "source_id,source_label,actor_id,actor_name,ip_address,id,url", "source_type"} {
			var m map[string]any
			if err := json.Unmarshal([]byte(record(typ[0], typ[1])), &m); err != nil {
				t.Fatal(err)
			}
			for name := range strings.SplitSeq(without, ",") {
				delete(m, name)
			}
			raw, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			toOCSF(t, string(raw))
		}
	}
}

// TestMembers breaks a record at one place each.
func TestMembers(t *testing.T) {
	t.Parallel()
	user, login, rule := record("user", "update"), record("user", "login"), record("rule", "update")
	for _, test := range []struct {
		record, from, to, path string
		want                   any
	}{
		// As AppFabric was seen to make them.
		{user, "", "", "type_uid", 300199.0},
		{user, "", "", "activity_name", "Update"},
		{record("entity", "destroy"), "", "", "type_uid", 600104.0},
		// Not observed, by the same rules.
		{record("user", "create"), "", "", "type_uid", 300101.0},
		{record("user", "destroy"), "", "", "type_uid", 300106.0},
		{record("user", "exported"), "", "", "type_uid", 600107.0},
		{login, "", "", "type_uid", 300201.0},
		{rule, "", "", "type_uid", 600103.0},
		{record("gadget", "frobnicated"), "", "", "activity_name", "gadget_frobnicated"},

		{user, "", "", "user.uid", "4567"},
		{user, "", "", "user.name", "Zoë Müller"},
		{user, "", "", "unmapped.source_label", "Team member: Zoë Müller"},
		{user, `"Team member: Zoë Müller"`, `"Zoë"`, "unmapped.source_label", nil},
		{user, `"Team member: Zoë Müller"`, `null`, "user.name", nil},
		{user, `"source_id":4567,"source_type":"user","source_label":"Team member: Zoë Müller"`, `"source_type":"user"`, "type_uid", 600103.0},
		{user, `"source_id":4567,"source_type":"user","source_label":"Team member: Zoë Müller"`, `"source_type":"user"`, "web_resources.0.name", "Zendesk"},
		{user, "", "", "actor.user.type", "User"},
		{user, `"actor_id":1234`, `"actor_id":-1`, "actor.user.type", "System"},
		{user, `"actor_id":1234,"actor_name":"Ada Okafor"`, `"actor_id":null`, "actor", nil},
		{user, "", "", "src_endpoint.ip", "203.0.113.7"},
		{user, `203.0.113.7`, ``, "device", nil},
		{user, "", "", "unmapped.action_label", "Done"},
		{user, "", "", "unmapped.url", "https://example.zendesk.com/api/v2/audit_logs/498483.json"},
		{user, "", "", "metadata.original_time", "2026-11-22T19:24:00Z"},
		{login, "", "", "user.name", "Zoë Müller"},
		{login, "", "", "service.name", "Zendesk"},
		{login, `Role changed`, `Failed sign-in`, "status", "Failure"},
		{login, `"source_id":4567,"source_type":"user","source_label":"Team member: Zoë Müller"`, `"source_type":"user"`, "user.uid", "1234"},
		{rule, `Role changed`, `Failed sign-in`, "status", "Success"},
		{rule, "", "", "web_resources.0.uid", "4567"},
		{rule, "", "", "web_resources.0.type", "rule"},
		{rule, "", "", "web_resources.0.name", "Team member: Zoë Müller"},
	} {
		raw := strings.Replace(test.record, test.from, test.to, 1)
		if got := at(toOCSF(t, raw), test.path); got != test.want {
			t.Errorf("%s for %s: %s is %v, not %v", test.to, test.from, test.path, got, test.want)
		}
	}
}

// TestNothingLost: every text of a record is in the event, in an attribute or
// under its path in unmapped.
func TestNothingLost(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{record("user", "update"), record("user", "login"), record("rule", "create"), strings.Replace(record("user", "update"), "203.0.113.7", "somewhere", 1)} {
		e := toOCSF(t, raw)
		delete(e, "raw_data")
		all, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]any
		if err := json.Unmarshal([]byte(raw), &members); err != nil {
			t.Fatal(err)
		}
		for name, value := range members {
			if !bytes.Contains(all, fmt.Append(nil, value)) {
				t.Errorf("%s %v is nowhere in %s", name, value, all)
			}
		}
	}
}

// TestSimulated: whatever the simulated log has is an event of a class.
func TestSimulated(t *testing.T) {
	t.Parallel()
	server := simulator.New(simulator.Options{Now: func() time.Time { return now }})
	for _, raw := range server.Zendesk().Generate(500) {
		toOCSF(t, string(raw))
	}
}

// FuzzNormalize: any bytes become a valid event.
func FuzzNormalize(f *testing.F) {
	connectortest.FuzzNormalize(f, zendesk.App(), "audit_logs", record("user", "update"), record("user", "login"), record("rule", "destroy"),
		`{"source_type":"x","created_at":"2026-11-22T19:24:00Z"}`)
}
