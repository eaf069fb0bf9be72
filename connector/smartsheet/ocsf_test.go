package smartsheet_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/smartsheet"
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
	line, outcome := encode.NewNormalizer(smartsheet.App()).Append(nil, "events", "", []byte(raw), connectortest.Processed())
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
	connectortest.Golden(t, smartsheet.App(), "events", *updateOCSF)
}

// eventTypes lists the documented types, as object and action.
func eventTypes(t *testing.T) [][2]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "ocsf-event-types.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var types [][2]string
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] == "#" {
			continue
		}
		for _, action := range words[1:] {
			types = append(types, [2]string{words[0], action})
		}
	}
	if len(types) < 100 {
		t.Fatalf("only %d types", len(types))
	}
	return types
}

// record is an event with a value in every member that the mapping knows.
func record(object, action string) string {
	return `{"eventId":"e-1","objectType":"` + object + `","action":"` + action + `","objectId":345678901234,"objectIdStr":"345678901234",` +
		`"eventTimestamp":"2026-11-22T19:24:00Z","userId":48569348493401200,"requestUserId":48569348493401200,"accessTokenName":"CI","source":"WEB_APP",` +
		`"additionalDetails":{"emailAddress":"ada@example.com","sourceIpAddress":"203.0.113.7","memberUserId":7,"groupName":"Süd","sheetName":"Plan",` +
		`"tokenDisplayValue":"ab12","appName":"Büro-App","accessScopes":"READ_EVENTS, READ_USERS","newAdmin":true,"inviteeEmail":"bo@example.com"}}`
}

// TestEventTypes: every documented type is an event of a class, with who, from
// where, when and what, and few are of an activity that has no number.
func TestEventTypes(t *testing.T) {
	t.Parallel()
	types, others := eventTypes(t), 0
	for _, eventType := range types {
		code := eventType[0] + " - " + eventType[1]
		e := toOCSF(t, record(eventType[0], eventType[1]))
		if e["activity_id"] == float64(ocsf.Other) {
			others++
			t.Logf("%s is %v", code, e["type_name"])
		}
		if e["class_uid"] == 0.0 || e["activity_id"] == 0.0 {
			t.Errorf("%s is %v", code, e["type_name"])
		}
		for path, want := range map[string]any{
			"actor.user.uid": "48569348493401200", "actor.user.email_addr": "ada@example.com", "actor.user.type": "User", "device.ip": "203.0.113.7",
			"metadata.event_code": code, "metadata.uid": "e-1", "time": 1795375440000.0, "status": "Success", "unmapped.requestUserId": nil,
		} {
			if got := at(e, path); got != want {
				t.Errorf("%s: %s is %v", code, path, got)
			}
		}
	}
	t.Logf("%d of %d types are of no numbered activity, %.1f %%", others, len(types), 100*float64(others)/float64(len(types)))
	if others*10 > len(types) {
		t.Errorf("%d of %d types are of no numbered activity", others, len(types))
	}
}

// TestSparseRecords: what little an event has, its OCSF is valid, and not the
// base event while it has a type and a time.
func TestSparseRecords(t *testing.T) {
	t.Parallel()
	for _, eventType := range eventTypes(t) {
		for _, without := range []string{"additionalDetails", "objectId", "objectId,objectIdStr", "userId,requestUserId", "eventId,objectId,objectIdStr,userId,requestUserId,additionalDetails,source"} {
			var m map[string]any
			if err := json.Unmarshal([]byte(record(eventType[0], eventType[1])), &m); err != nil {
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

// TestMembers: what AppFabric was seen to make of a type, and who and what an
// event is about.
func TestMembers(t *testing.T) {
	t.Parallel()
	edit := func(object, action string, pairs ...string) string {
		return strings.NewReplacer(pairs...).Replace(record(object, action))
	}
	for _, test := range []struct {
		raw  string
		want map[string]any
	}{
		{record("ACCESS_TOKEN", "REFRESH"), map[string]any{
			"type_uid": 300601.0, "activity_name": "Assign Privileges", "group.name": "Büro-App", "group.type": "ACCESS_TOKEN",
			"privileges.0": "READ_EVENTS", "privileges.1": "READ_USERS", "user.uid": "48569348493401200",
		}},
		{edit("ACCESS_TOKEN", "REFRESH", `"appName":"Büro-App",`, ""), map[string]any{"group.name": "ab12"}},
		{record("FORM", "UPDATE"), map[string]any{"type_uid": 600103.0, "web_resources.0.type": "FORM"}},
		{record("SHEET", "CREATE"), map[string]any{"type_uid": 600101.0, "web_resources.0.name": "Plan", "web_resources.0.uid": "345678901234", "unmapped.objectId": nil}},
		{record("SHEET", "LOAD"), map[string]any{"type_uid": 600102.0}},
		{record("SHEET", "UPDATE"), map[string]any{"type_uid": 600103.0, "actor.invoked_by": "CI", "unmapped.source": "WEB_APP"}},
		{record("SHEET", "ADD_SHARE"), map[string]any{"type_uid": 600108.0}},
		{record("WORKSPACE", "REMOVE_SHARE_MEMBER"), map[string]any{"type_uid": 600103.0}},
		{record("ACCOUNT", "DOWNLOAD_SHEET_ACCESS_REPORT"), map[string]any{"type_uid": 600107.0}},
		{record("GROUP", "ADD_MEMBER"), map[string]any{"type_uid": 300603.0, "group.name": "Süd", "group.uid": "345678901234", "user.uid": "7"}},
		{record("USER", "REMOVE_FROM_ACCOUNT"), map[string]any{"type_uid": 300106.0, "user.uid": "345678901234"}},
		{record("USER", "UPDATE_USER"), map[string]any{"type_uid": 300199.0, "activity_name": "Update", "user.type": "Admin"}},
		{record("USER", "LOGIN"), map[string]any{"type_uid": 300201.0, "user.uid": "48569348493401200", "service.name": "Smartsheet"}},
		{edit("USER", "LOGIN", "345678901234", "48569348493401200"), map[string]any{"unmapped.objectId": nil, "unmapped.objectIdStr": nil}},
		{record("USER", "LOGOUT"), map[string]any{"type_uid": 300202.0}},
		{edit("SHEET", "UPDATE", `"userId":48569348493401200`, `"userId":3940654876256132`), map[string]any{
			"actor.user.type": "System", "unmapped.requestUserId": "48569348493401200",
		}},
		{record("WIDGET", "DELETE"), map[string]any{"type_uid": 600104.0, "web_resources.0.uid": "345678901234", "web_resources.0.type": "WIDGET"}},
	} {
		e := toOCSF(t, test.raw)
		for path, want := range test.want {
			if got := at(e, path); got != want {
				t.Errorf("%s of %v is %v, want %v", path, at(e, "metadata.event_code"), got, want)
			}
		}
	}
}

// TestSimulated: what the simulated account logs becomes valid events, none of
// them the base event.
func TestSimulated(t *testing.T) {
	t.Parallel()
	server := simulator.New(simulator.Options{Now: func() time.Time { return now }})
	for _, raw := range server.Smartsheet().Generate(500) {
		toOCSF(t, string(raw))
	}
}

func FuzzNormalize(f *testing.F) {
	connectortest.FuzzNormalize(f, smartsheet.App(), "events", record("SHEET", "UPDATE"), record("ACCESS_TOKEN", "REFRESH"), record("USER", "LOGIN"))
}
