package asana_test

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

	"selvedge/connector/asana"
	"selvedge/connector/connectortest"
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
	line, outcome := encode.NewNormalizer(asana.App()).Append(nil, "audit_log_events", "", []byte(raw), connectortest.Processed())
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
	connectortest.Golden(t, asana.App(), "audit_log_events", *updateOCSF)
}

// eventTypes lists the documented types, each with its type of resource.
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
	if len(types) < 120 {
		t.Fatalf("only %d types", len(types))
	}
	return types
}

// record is an event with a value in every member that the mapping knows.
func record(event, resource string) string {
	return `{"gid":"1201","created_at":"2026-11-22T19:24:00.500Z","event_type":"` + event + `","event_category":"things",` +
		`"actor":{"actor_type":"user","gid":"1111","name":"Ada Okafor","email":"ada@example.com"},` +
		`"resource":{"resource_type":"` + resource + `","resource_subtype":"milestone","gid":"2222","name":"Zoë Müller","email":"zoe@example.com"},` +
		`"details":{"old_value":"member","new_value":"admin","user":{"gid":"3333","name":"Bo Smith","email":"bo@example.com"}},` +
		`"context":{"context_type":"api","api_authentication_method":"oauth","client_ip_address":"203.0.113.7","user_agent":"Mozilla/5.0","oauth_app_name":"Zeiterfassung"}}`
}

// TestEventTypes: every documented type is an event of a class, with who, from
// where, when and what, and few are of an activity that has no number.
func TestEventTypes(t *testing.T) {
	t.Parallel()
	types, others := eventTypes(t), 0
	for event, resource := range types {
		e := toOCSF(t, record(event, resource))
		if e["activity_id"] == float64(ocsf.Other) {
			others++
		}
		if e["class_uid"] == 0.0 || e["activity_id"] == 0.0 {
			t.Errorf("%s is %v", event, e["type_name"])
		}
		for path, want := range map[string]any{
			"actor.user.uid": "1111", "actor.user.email_addr": "ada@example.com", "device.ip": "203.0.113.7", "metadata.event_code": event,
			"metadata.uid": "1201", "time": 1795375440500.0,
		} {
			if got := at(e, path); got != want {
				t.Errorf("%s: %s is %v", event, path, got)
			}
		}
	}
	t.Logf("%d of %d types are of no numbered activity, %.1f %%", others, len(types), 100*float64(others)/float64(len(types)))
	if others*10 > len(types) {
		t.Errorf("%d of %d types are of no numbered activity", others, len(types))
	}
}

// TestSparseRecords: what little an event has, its event is valid, and not the
// base event while it has a type and a time.
func TestSparseRecords(t *testing.T) {
	t.Parallel()
	for event, resource := range eventTypes(t) {
		for _, without := range []string{"resource", "actor", "context", "details", "resource,details", "actor,resource,context,details,gid"} {
			var m map[string]any
			if err := json.Unmarshal([]byte(record(event, resource)), &m); err != nil {
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
	login, role, team := record("user_login_succeeded", "user"), record("user_workspace_admin_role_changed", "user"), record("team_member_added", "team")
	account, task := record("service_account_created", "user"), record("task_deleted", "task")
	project := record("project_member_removed", "project")
	for _, test := range []struct {
		record, from, to, path string
		want                   any
	}{
		// As AppFabric was seen to make them.
		{login, "", "", "type_uid", 300201.0},
		{record("user_login_failed", "user"), "", "", "type_uid", 300201.0},
		{record("user_login_failed", "user"), "", "", "status", "Failure"},
		{record("user_logged_out", "user"), "", "", "type_uid", 300202.0},
		{account, "", "", "type_uid", 300101.0},
		// Not observed, by the same rules.
		{record("user_deprovisioned", "user"), "", "", "type_uid", 300105.0},
		{record("user_two_factor_auth_disabled", "user"), "", "", "type_uid", 300111.0},
		{record("user_app_authorized", "user"), "", "", "activity_name", "Grant App Privileges"},
		{record("workspace_export_started", "workspace"), "", "", "type_uid", 600107.0},
		{record("task_undeleted", "task"), "", "", "type_uid", 600103.0},
		{task, "", "", "type_uid", 600104.0},
		{role, "", "", "type_uid", 300501.0},
		{team, "", "", "type_uid", 300603.0},
		{project, "", "", "type_uid", 300502.0},
		{record("gadget_frobnicated", "gadget"), "", "", "activity_name", "gadget_frobnicated"},

		{login, "", "", "user.uid", "2222"},
		{login, "", "", "user.email_addr", "zoe@example.com"},
		{login, "", "", "user.type", "User"},
		{login, `"gid":"2222","name":"Zoë Müller",`, ``, "user.uid", "1111"},
		{login, "", "", "service.name", "Asana"},
		{login, "", "", "status", "Success"},
		{login, "", "", "actor.user.type", "User"},
		{login, "", "", "actor.invoked_by", "Zeiterfassung"},
		{login, "", "", "src_endpoint.ip", "203.0.113.7"},
		{login, "", "", "http_request.user_agent", "Mozilla/5.0"},
		{login, "", "", "metadata.original_time", "2026-11-22T19:24:00.500Z"},
		{login, "", "", "unmapped.context.context_type", "api"},
		{login, "", "", "unmapped.event_category", "things"},
		{login, `"actor_type":"user"`, `"actor_type":"external_administrator"`, "actor.user.type", "external_administrator"},
		{task, `"actor_type":"user","gid":"1111","name":"Ada Okafor","email":"ada@example.com"`, `"actor_type":"asana"`, "actor.invoked_by", "Zeiterfassung"},
		{strings.Replace(task, `,"oauth_app_name":"Zeiterfassung"`, ``, 1), `"actor_type":"user","gid":"1111","name":"Ada Okafor","email":"ada@example.com"`, `"actor_type":"asana"`, "actor.invoked_by", "asana"},
		{account, `zoe@example.com`, `nobody`, "unmapped.resource.email", "nobody"},
		{account, `"gid":"2222","name":"Zoë Müller",`, ``, "web_resources.0.name", "Asana"},
		{task, "", "", "web_resources.0.uid", "2222"},
		{task, "", "", "web_resources.0.type", "task"},
		{task, "", "", "unmapped.resource.resource_subtype", "milestone"},
		{role, "", "", "privileges.0", "admin"},
		{role, "", "", "user.uid", "2222"},
		{role, `"new_value":"admin"`, `"new_value":null`, "type_uid", 600103.0},
		{role, `"new_value":"admin"`, `"new_value":null`, "web_resources.0.uid", "2222"},
		{team, "", "", "group.uid", "2222"},
		{team, "", "", "user.uid", "3333"},
		{team, `"user":{`, `"member":{`, "user.email_addr", "bo@example.com"},
		{team, `"user":{`, `"who":{`, "type_uid", 600103.0},
		{project, "", "", "privileges.0", "Zoë Müller"},
		{project, `"name":"Zoë Müller",`, ``, "privileges.0", "2222"},
		{project, "", "", "resource.type", "project"},
	} {
		raw := strings.Replace(test.record, test.from, test.to, 1)
		if got := at(toOCSF(t, raw), test.path); got != test.want {
			t.Errorf("%s for %s: %s is %v, not %v", test.to, test.from, test.path, got, test.want)
		}
	}
}

// TestNothingLost: every text of a record is in the event, in an attribute or
// under its path in unmapped. The types of actor and of a user that is the
// resource have become ids.
func TestNothingLost(t *testing.T) {
	t.Parallel()
	for event, resource := range map[string]string{
		"user_login_succeeded": "user", "service_account_created": "user", "team_member_added": "team", "user_workspace_admin_role_changed": "user",
		"project_member_added": "project", "task_deleted": "task",
	} {
		e := toOCSF(t, record(event, resource))
		delete(e, "raw_data")
		all, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{
			"1201", event, "things", "1111", "Ada Okafor", "ada@example.com", "milestone", "2222", "Zoë Müller", "zoe@example.com", `"member"`, `"admin"`,
			"3333", "Bo Smith", "bo@example.com", `"api"`, "oauth", "203.0.113.7", "Mozilla/5.0", "Zeiterfassung",
		} {
			if !bytes.Contains(all, []byte(text)) {
				t.Errorf("%s: %s is nowhere in %s", event, text, all)
			}
		}
	}
}

// TestSimulated: whatever the simulated log has is an event of a class.
func TestSimulated(t *testing.T) {
	t.Parallel()
	server := simulator.New(simulator.Options{Now: func() time.Time { return now }})
	for _, raw := range server.Asana().Generate(500) {
		toOCSF(t, string(raw))
	}
}

// FuzzNormalize: any bytes become a valid event.
func FuzzNormalize(f *testing.F) {
	connectortest.FuzzNormalize(f, asana.App(), "audit_log_events", record("user_login_failed", "user"), record("team_member_added", "team"),
		record("project_member_added", "project"), record("user_workspace_admin_role_changed", "user"), record("task_deleted", "task"),
		`{"event_type":"x","created_at":"2026-11-22T19:24:00Z"}`)
}
