package zoom_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/zoom"
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
	line, outcome := encode.NewNormalizer(zoom.App()).Append(nil, "activities", "", []byte(raw), connectortest.Processed())
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
	connectortest.Golden(t, zoom.App(), "operation_logs", *updateOCSF)
}

// eventTypes lists the documented categories with their actions.
func eventTypes(t *testing.T) [][2]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "ocsf-event-types.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var types [][2]string
	for line := range strings.Lines(string(text)) {
		category, actions, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if strings.HasPrefix(line, "#") || !ok {
			continue
		}
		for action := range strings.SplitSeq(actions, ", ") {
			types = append(types, [2]string{category, action})
		}
	}
	if len(types) < 40 {
		t.Fatalf("only %d types", len(types))
	}
	return types
}

func operation(category, action, detail string) string {
	raw, err := json.Marshal(map[string]string{
		"time": "2026-11-22T19:24:00Z", "operator": "ada@example.com", "category_type": category, "action": action, "operation_detail": detail,
	})
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func activity(kind, client string) string {
	return `{"email":"ada@example.com","time":"2026-11-22T19:24:00Z","type":"` + kind + `","ip_address":"203.0.113.7","client_type":"` + client + `","version":"5.9.1.2581"}`
}

// TestEventTypes: every documented type is an event of a class, with who, when and
// what, and few are of an activity that has no number.
func TestEventTypes(t *testing.T) {
	t.Parallel()
	types, others := eventTypes(t), 0
	for _, it := range types {
		const detail = "Group: Vertrieb, bo@example.com"
		e := toOCSF(t, operation(it[0], it[1], detail))
		if e["activity_id"] == float64(ocsf.Other) {
			others++
			t.Logf("no numbered activity: %s %s", it[0], it[1])
		}
		code := strings.ToLower(strings.ReplaceAll(it[0]+"_"+it[1], " ", ""))
		for path, want := range map[string]any{
			"actor.user.email_addr": "ada@example.com", "actor.user.type": "User", "metadata.event_code": code, "time": 1795375440000.0,
			"message": detail, "status": "Success", "unmapped": nil,
		} {
			if got := at(e, path); got != want {
				t.Errorf("%s: %s is %v, not %v", code, path, got, want)
			}
		}
	}
	t.Logf("%d of %d types are of no numbered activity", others, len(types))
	if others*10 > len(types) {
		t.Errorf("%d of %d types are of no numbered activity", others, len(types))
	}
}

// TestClasses has what AppFabric was seen to make of a type first.
func TestClasses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		raw  string
		uid  float64
		name string
		path string
		want any
	}{
		{activity("Sign in", "Browser"), 300201, "Logon", "metadata.event_code", "sign_in"},
		{activity("Sign out", "Mac"), 300202, "Logoff", "metadata.event_code", "sign_out"},
		{operation("Entity", "RestAPI-Add", "x"), 600101, "Create", "metadata.event_code", "entity_restapi-add"},
		{operation("Entity", "RestAPI-Delete", "x"), 600104, "Delete", "metadata.event_code", "entity_restapi-delete"},
		{operation("Entity", "RestAPI-Update", "x"), 600103, "Update", "web_resources.0.name", "Entity"},
		{operation("UserGroup", "AddGroupAdmin", "Group: Süd , bo@example.com"), 300603, "Add User", "group.name", "Süd"},
		{operation("User Group", "DeleteGroupAdmin", "Group: Süd , bo@example.com"), 300604, "Remove User", "user.email_addr", "bo@example.com"},

		{operation("User", "Add", "Add User bo@example.com"), 300101, "Create", "user.email_addr", "bo@example.com"},
		{operation("User", "Update", "Activate User bo@example.com"), 300102, "Enable", "user.name", "bo@example.com"},
		{operation("User", "Update", "Deactivate User <bo@example.com>"), 300105, "Disable", "user.email_addr", "bo@example.com"},
		{operation("User", "Update", "Update User bo@example.com."), 300199, "Update", "user.email_addr", "bo@example.com"},
		{operation("User", "Delete", "a user"), 600104, "Delete", "web_resources.0.name", "User"},
		{operation("User Group", "Add Member", "bo@example.com"), 300603, "Add User", "group.name", "bo@example.com"},
		{operation("User Group", "Add Member", "Group: Süd"), 600103, "Update", "web_resources.0.type", "Category"},
		{operation("Recording", "Download", "bo@example.com's"), 600107, "Export", "web_resources.0.type", "Recording"},
		{operation("Nothing", "Known", "x"), 600199, "nothing_known", "web_resources.0.name", "Nothing"},

		{activity("Sign in", "Browser"), 300201, "Logon", "device.type", "Browser"},
		{activity("Sign in", "iPhone"), 300201, "Logon", "device.os.type", "iOS"},
		{activity("Sign in", "Zoom Rooms"), 300201, "Logon", "device.type", "Zoom Rooms"},
		{activity("Sign in", "Mac"), 300201, "Logon", "src_endpoint.ip", "203.0.113.7"},
		{activity("Sign in", "Mac"), 300201, "Logon", "user.email_addr", "ada@example.com"},
		{activity("Sign in", "Mac"), 300201, "Logon", "service.name", "Zoom"},
		{activity("Sign in", "Mac"), 300201, "Logon", "unmapped.version", "5.9.1.2581"},
		{strings.Replace(activity("Sign in", "Mac"), "ada@example.com", "Büro 1", 1), 300201, "Logon", "actor.user.name", "Büro 1"},
		{strings.Replace(activity("Sign in", "Mac"), "203.0.113.7", "", 1), 300201, "Logon", "unmapped.client_type", "Mac"},
		{strings.Replace(activity("Sign in", "Mac"), "ada@example.com", "", 1), 600102, "Read", "web_resources.0.name", "Zoom"},
	} {
		e := toOCSF(t, test.raw)
		if e["type_uid"] != test.uid || e["activity_name"] != test.name || at(e, test.path) != test.want {
			t.Errorf("%s: %v %v, %s is %v, not %v", test.raw, e["type_uid"], e["activity_name"], test.path, at(e, test.path), test.want)
		}
	}
}

// TestSimulated: whatever the simulated account reports is an event of a class.
func TestSimulated(t *testing.T) {
	t.Parallel()
	for _, raw := range simulator.New(simulator.Options{}).Zoom().Generate(500) {
		toOCSF(t, string(raw))
	}
}

// FuzzNormalize: any bytes become a valid event.
func FuzzNormalize(f *testing.F) {
	connectortest.FuzzNormalize(f, zoom.App(), "activities", activity("Sign in", "Mac"), operation("User", "Update", "Lock User bo@example.com"), operation("User Group", "Add Member", "Group:"))
}
