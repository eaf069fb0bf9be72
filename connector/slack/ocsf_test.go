package slack_test

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
	"selvedge/connector/slack"
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
	line, outcome := encode.NewNormalizer(slack.App()).Append(nil, "audit", "", []byte(raw), connectortest.Processed())
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
	connectortest.Golden(t, slack.App(), "audit", *updateOCSF)
}

// eventTypes lists the documented actions, each with its type of entity.
func eventTypes(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "ocsf-event-types.txt"))
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] == "#" {
			continue
		}
		for _, end := range words[2:] {
			types[strings.TrimPrefix(words[1], "-")+end] = words[0]
		}
	}
	if len(types) < 450 {
		t.Fatalf("only %d types", len(types))
	}
	return types
}

// record is an entry with a value in every member that the mapping knows.
func record(action, entity string) string {
	return `{"id":"0123a45b-6c7d-8900-e12f-3456789abcde","date_create":1795375440,"action":"` + action + `",` +
		`"actor":{"type":"user","user":{"id":"W1","name":"Ada Okafor","email":"ada@example.com","team":"E1"}},` +
		`"entity":{"type":"` + entity + `","` + entity + `":{"id":"X2","name":"Büro","email":"bo@example.com","title":"T","privacy":"public"}},` +
		`"context":{"location":{"type":"enterprise","id":"E1","name":"Acme","domain":"acme"},"ua":"Mozilla/5.0","ip_address":"203.0.113.7","session_id":4711},` +
		`"details":{"reason":"because","target_user":"W9","inviter":{"id":"W3","name":"Carl"},"list":["a",{"b":1.50}]}}`
}

// TestEventTypes: every documented action is an event of a class, with who,
// from where, when and what, and few are of an activity that has no number.
func TestEventTypes(t *testing.T) {
	t.Parallel()
	types, others := eventTypes(t), 0
	for action, entity := range types {
		e := toOCSF(t, record(action, entity))
		if e["activity_id"] == float64(ocsf.Other) {
			others++
		}
		if e["class_uid"] == 0.0 || e["activity_id"] == 0.0 {
			t.Errorf("%s is %v", action, e["type_name"])
		}
		for path, want := range map[string]any{
			"actor.user.uid": "W1", "actor.user.email_addr": "ada@example.com", "device.ip": "203.0.113.7", "metadata.event_code": action,
			"metadata.uid": "0123a45b-6c7d-8900-e12f-3456789abcde", "metadata.tenant_uid": "E1", "time": 1795375440000.0, "status_detail": "because",
		} {
			if got := at(e, path); got != want {
				t.Errorf("%s: %s is %v", action, path, got)
			}
		}
	}
	t.Logf("%d of %d actions are of no numbered activity, %.1f %%", others, len(types), 100*float64(others)/float64(len(types)))
	if others*10 > len(types) {
		t.Errorf("%d of %d actions are of no numbered activity", others, len(types))
	}
}

// TestSparseRecords: what little an entry has, its event is valid, and not the
// base event while it has an action and a time.
func TestSparseRecords(t *testing.T) {
	t.Parallel()
	for action, entity := range eventTypes(t) {
		for _, without := range []string{"entity", "actor", "context", "actor,entity", "id,entity,context", "actor,context,entity,details,id"} {
			var m map[string]any
			if err := json.Unmarshal([]byte(record(action, entity)), &m); err != nil {
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

// TestClasses: what AppFabric was seen to make of an action, and the like.
func TestClasses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		action, entity string
		uid            float64
		name, path     string
		want           any
	}{
		{"app_collaborator_added", "app", 600199, "Other", "web_resources.0.type", "app"},
		{"app_installed", "app", 600199, "Install ThirdParty App", "web_resources.0.name", "Büro"},
		{"app_uninstalled", "app", 600199, "Uninstall ThirdParty App", "web_resources.0.uid", "X2"},
		{"permissions_removed", "role", 300599, "Other", "privileges.0", "Büro"},
		{"user_channel_join", "channel", 300501, "Assign Privileges", "user.uid", "W1"},
		{"user_created", "user", 300101, "Create", "user.uid", "X2"},
		{"user_joined_workspace", "user", 300501, "Assign Privileges", "resource.name", "Acme"},
		{"user_login", "user", 300201, "Logon", "user.email_addr", "bo@example.com"},
		{"user_logout", "user", 300202, "Logoff", "service.name", "Slack"},
		{"user_profile_updated", "user", 300199, "Update", "user.name", "Büro"},
		// Not observed, by the same rules.
		{"user_login_failed", "user", 300201, "Logon", "status", "Failure"},
		{"file_download_blocked", "file", 600107, "Export", "status", "Failure"},
		{"guest_channel_leave", "channel", 300502, "Revoke Privileges", "resource.uid", "X2"},
		{"role_change_to_owner", "user", 300501, "Assign Privileges", "privileges.0", "owner"},
		{"role_assigned", "role", 300501, "Assign Privileges", "user.uid", "W9"},
		{"user_added_to_usergroup", "usergroup", 300603, "Add User", "group.name", "Büro"},
		{"user_deactivated", "user", 300105, "Disable", "status", "Success"},
		{"anomaly", "user", 200401, "Create", "finding_info.title", "anomaly"},
		{"pref.allow_calls", "enterprise", 600103, "Update", "web_resources.0.type", "enterprise"},
		{"manual_export_started", "workspace", 600107, "Export", "web_resources.0.type", "workspace"},
		{"canvas_tombstoned", "canvas", 600104, "Delete", "web_resources.0.uid", "X2"},
		{"mcp_slack_read_thread_tool_called", "channel", 600102, "Read", "web_resources.0.uid", "X2"},
		// Never heard of.
		{"gadget_archived", "gadget", 600103, "Update", "web_resources.0.name", "Acme"},
		{"gadget_created", "gadget", 600101, "Create", "unmapped.entity.gadget.name", "Büro"},
		{"gadget_frobnicated", "gadget", 600199, "gadget_frobnicated", "web_resources.0.uid", "E1"},
	} {
		e := toOCSF(t, record(test.action, test.entity))
		if e["type_uid"] != test.uid || e["activity_name"] != test.name || at(e, test.path) != test.want {
			t.Errorf("%s: %v %v, %s is %v; want %v %s, %v", test.action, e["type_uid"], e["activity_name"], test.path, at(e, test.path), test.uid, test.name, test.want)
		}
	}
}

// TestMembers breaks a record at one place each.
func TestMembers(t *testing.T) {
	t.Parallel()
	login, join := record("user_login", "user"), record("user_channel_join", "channel")
	web, roles := record("channel_renamed", "channel"), record("role_assigned", "role")
	for _, test := range []struct {
		record, from, to, path string
		want                   any
	}{
		{login, "", "", "actor.user.type", "User"},
		{login, "", "", "actor.session.uid", "4711"},
		{login, "", "", "session.uid", "4711"},
		{login, "", "", "src_endpoint.ip", "203.0.113.7"},
		{login, "", "", "http_request.user_agent", "Mozilla/5.0"},
		{login, "", "", "metadata.original_time", "1795375440"},
		{login, "", "", "unmapped.details.list[1].b", "1.50"},
		{login, "", "", "unmapped.context.location.domain", "acme"},
		{login, `"id":"X2","name":"Büro",`, ``, "user.uid", "W9"},
		{strings.Replace(login, `"target_user":"W9",`, ``, 1), `"id":"X2","name":"Büro",`, ``, "user.uid", "W1"},
		{login, `"target_user":"W9"`, `"target_user_id":"W8"`, "user.uid", "X2"},
		{login, `"type":"user","user":{"id":"W1"`, `"type":"bot","user":{"id":"W1"`, "actor.user.type", "bot"},
		{login, `203.0.113.7`, `unknown`, "unmapped.context.ip_address", "unknown"},
		{login, `ada@example.com`, `nobody`, "unmapped.actor.user.email", "nobody"},
		{login, `"reason":"because"`, `"reason":["asn"]`, "unmapped.details.reason[0]", "asn"},
		{login, `1795375440`, `"1795375440"`, "time", 1795375440000.0},
		{join, `"id":"X2","name":"Büro","email":"bo@example.com","title":"T"`, `"id":"X2"`, "privileges.0", "X2"},
		{join, `"actor":{"type":"user"`, `"actor":{"type":"user","x":1`, "user.email_addr", "ada@example.com"},
		{web, `"name":"Büro",`, ``, "web_resources.0.name", "T"},
		{web, `"id":"X2","name":"Büro","email":"bo@example.com","title":"T"`, `"email":null`, "web_resources.0.name", "Acme"},
		{roles, `"target_user":"W9"`, `"target_user":null`, "type_uid", 600103.0},
		{roles, `"target_user":"W9"`, `"target_user_id":"W8"`, "user.uid", "W8"},
	} {
		raw := strings.Replace(test.record, test.from, test.to, 1)
		if got := at(toOCSF(t, raw), test.path); got != test.want {
			t.Errorf("%s for %s: %s is %v, not %v", test.to, test.from, test.path, got, test.want)
		}
	}
}

// TestNothingLost: every text of a record is in the event, in an attribute or
// under its path in unmapped. The types of actor and entity have become ids,
// or stand for a class.
func TestNothingLost(t *testing.T) {
	t.Parallel()
	for action, entity := range map[string]string{
		"user_login": "user", "user_created": "user", "user_channel_join": "channel", "role_assigned": "role", "role_change_to_admin": "user",
		"user_added_to_usergroup": "usergroup", "file_shared": "file", "anomaly": "user", "user_joined_workspace": "user", "gadget_created": "gadget",
	} {
		e := toOCSF(t, record(action, entity))
		delete(e, "raw_data")
		all, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{
			action, "W1", "Ada Okafor", "ada@example.com", "X2", "Büro", "bo@example.com", `"T"`, "public", "E1", "Acme", "acme",
			"Mozilla/5.0", "203.0.113.7", "4711", "because", "W9", "W3", "Carl", `"a"`, "1.50", "enterprise",
		} {
			if !bytes.Contains(all, []byte(text)) {
				t.Errorf("%s: %s is nowhere in %s", action, text, all)
			}
		}
	}
}

// TestSimulated: whatever the simulated log has is an event of a class.
func TestSimulated(t *testing.T) {
	t.Parallel()
	server := simulator.New(simulator.Options{Now: func() time.Time { return now }})
	for _, raw := range server.Slack().Generate(500) {
		toOCSF(t, string(raw))
	}
}

// FuzzNormalize: any bytes become a valid event.
func FuzzNormalize(f *testing.F) {
	connectortest.FuzzNormalize(f, slack.App(), "audit", record("user_login", "user"), record("user_channel_join", "channel"),
		record("user_added_to_usergroup", "usergroup"), record("anomaly", "user"), record("role_assigned", "role"), record("message_flagged", "message"),
		`{"action":"x","date_create":1}`)
}
