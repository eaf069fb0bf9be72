package jira_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/jira"
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
	line, outcome := encode.NewNormalizer(jira.App()).Append(nil, "audit_records", "", []byte(raw), connectortest.Processed())
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
	connectortest.Golden(t, jira.App(), "audit_records", *updateOCSF)
}

// eventTypes lists the documented summaries.
func eventTypes(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "ocsf-event-types.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			types = append(types, line)
		}
	}
	if len(types) < 80 {
		t.Fatalf("only %d types", len(types))
	}
	return types
}

// record has a value in every member that the mapping knows.
func record(summary string) string {
	return `{"id":10359,"summary":"` + summary + `","remoteAddress":"203.0.113.7","authorKey":"ug:1","authorAccountId":"5b10","created":"2026-11-22T19:24:00.500+0000",` +
		`"category":"user management","eventSource":"SCIM","description":"Because",` +
		`"objectItem":{"id":"acc-2","name":"Bo Smith","typeName":"USER","parentId":"10000","parentName":"Directory"},` +
		`"changedValues":[{"fieldName":"Permission","changedTo":"Administer Jira"},{"fieldName":"Full name","changedFrom":"B","changedTo":"Bo"}],` +
		`"associatedItems":[{"id":"g-1","name":"büro","typeName":"GROUP"},{"id":"10010","name":"Developers","typeName":"PROJECT_ROLE"}]}`
}

// TestEventTypes: every documented summary is an event of a class, with who, from
// where, when and what, and few are of an activity that has no number.
func TestEventTypes(t *testing.T) {
	t.Parallel()
	types, others := eventTypes(t), 0
	for _, summary := range types {
		e := toOCSF(t, record(summary))
		if e["activity_id"] == float64(ocsf.Other) {
			others++
		}
		if e["class_uid"] == 0.0 || e["activity_id"] == 0.0 {
			t.Errorf("%s is %v", summary, e["type_name"])
		}
		for path, want := range map[string]any{
			"actor.user.uid": "5b10", "actor.user.uid_alt": "ug:1", "actor.user.type": "User", "device.ip": "203.0.113.7", "metadata.event_code": summary,
			"metadata.uid": "10359", "metadata.original_time": "2026-11-22T19:24:00.500+0000", "time": 1795375440500.0, "message": "Because",
			"status": "Success", "severity_id": 0.0, "unmapped.category": "user management", "unmapped.eventSource": "SCIM", "unmapped.objectItem.parentId": "10000",
		} {
			if got := at(e, path); got != want {
				t.Errorf("%s: %s is %v, not %v", summary, path, got, want)
			}
		}
	}
	t.Logf("%d of %d types are of no numbered activity", others, len(types))
	if others*10 > len(types) {
		t.Errorf("%d of %d types are of no numbered activity", others, len(types))
	}
}

// TestClasses has what AppFabric was seen to make of a summary first.
func TestClasses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		from, to string
		uid      float64
		name     string
		path     string
		want     any
	}{
		{"", "User created", 300101, "Create", "user.uid", "acc-2"},
		{"", "User added to group", 300603, "Add User", "group.name", "büro"},
		{`"changedFrom":"B","changedTo":"Bo"`, "Project roles changed", 300601, "Assign Privileges", "privileges.0", "Administer Jira"},
		{`"changedTo":"Administer Jira"`, "Project roles changed", 300602, "Revoke Privileges", "group.uid", "g-1"},

		{"", "User updated", 300199, "Update", "user.name", "Bo Smith"},
		{"", "User deleted", 300106, "Delete", "user.type", "User"},
		{"", "User removed from group", 300604, "Remove User", "user.uid", "acc-2"},
		{"", "Group created", 300606, "Create", "group.uid", "g-1"},
		{"", "Global permission added", 300601, "Assign Privileges", "privileges.0", "Administer Jira"},
		{"", "Global permission deleted", 300602, "Revoke Privileges", "group.type", "GROUP"},
		{"", "Permission scheme added to project", 600103, "Update", "web_resources.2.name", "Developers"},
		{"", "Workflow draft published", 600103, "Update", "web_resources.0.type", "USER"},
		{"", "Custom field trashed", 600104, "Delete", "web_resources.1.uid", "g-1"},
		{"", "Audit log exported", 600107, "Export", "user", nil},
		{"", "Never heard of", 600199, "Never heard of", "metadata.event_code", "Never heard of"},
		// What a class requires is missing: an activity on what there is.
		{`"typeName":"USER"`, "User created", 600101, "Create", "web_resources.0.name", "Bo Smith"},
		{`"typeName":"GROUP"`, "User added to group", 300603, "Add User", "group.name", "Developers"},
	} {
		raw := record(test.to)
		switch test.from {
		case `"typeName":"USER"`, `"typeName":"GROUP"`:
			raw = strings.Replace(raw, test.from, `"typeName":"OTHER"`, 1)
		case `"changedTo":"Administer Jira"`:
			raw = strings.Replace(raw, test.from, `"changedFrom":"Administer Jira"`, 1)
		}
		e := toOCSF(t, raw)
		if e["type_uid"] != test.uid || e["activity_name"] != test.name || at(e, test.path) != test.want {
			t.Errorf("%s: %v %v, %s is %v", test.to, e["type_uid"], e["activity_name"], test.path, at(e, test.path))
		}
	}
}

// TestSparse: what little a record has, its event is valid.
func TestSparse(t *testing.T) {
	t.Parallel()
	for _, summary := range eventTypes(t) {
		for _, without := range []string{"objectItem", "associatedItems", "objectItem,associatedItems,changedValues", "authorAccountId,authorKey", "remoteAddress,description,id,category"} {
			var m map[string]any
			if err := json.Unmarshal([]byte(record(summary)), &m); err != nil {
				t.Fatal(err)
			}
			for name := range strings.SplitSeq(without, ",") {
				delete(m, name)
			}
			raw, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if e := toOCSF(t, string(raw)); strings.Contains(without, "description") && e["message"] != summary {
				t.Errorf("%s: message %v", summary, e["message"])
			}
		}
	}
	e := toOCSF(t, `{"summary":"Plan created","created":"2026-11-22T19:24:00.500+0000"}`)
	if at(e, "web_resources.0.name") != "Jira" || e["actor"] != nil || e["device"] != nil {
		t.Errorf("%v", e)
	}
}

// TestSimulated: whatever the simulated site records is an event of a class.
func TestSimulated(t *testing.T) {
	t.Parallel()
	for _, raw := range simulator.New(simulator.Options{}).Jira().Generate(500) {
		toOCSF(t, string(raw))
	}
}

// FuzzNormalize: any bytes become a valid event.
func FuzzNormalize(f *testing.F) {
	connectortest.FuzzNormalize(f, jira.App(), "audit_records", record("User created"), record("Project roles changed"), `{"summary":"x","created":"2026-11-22T19:24:00Z"}`)
}
