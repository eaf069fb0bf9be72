package asana_test

import (
	"flag"
	"strings"
	"testing"
	"time"

	"selvedge/connector/asana"
	"selvedge/connector/connectortest"
	"selvedge/simulator"
)

var update = flag.Bool("update", false, "write the golden file and the page of the mapping anew")

func TestMapping(t *testing.T) {
	t.Parallel()
	connectortest.Mapping(t, mappingCase(t))
}

// FuzzNormalize: any bytes become a valid event.
func FuzzNormalize(f *testing.F) {
	connectortest.FuzzMapping(f, mappingCase(f))
}

func mappingCase(testing.TB) connectortest.MappingCase {
	return connectortest.MappingCase{
		App: asana.App(), Stream: "audit_log_events", Update: *update, Tables: asana.Tables(),
		Types: connectortest.KindAndEnds, AtLeast: 120,
		Record: func(typ connectortest.EventType) string { return record(typ.Name, typ.Kind) },
		Filled: func(typ connectortest.EventType) map[string]any {
			return map[string]any{
				"actor.user.uid": "1111", "actor.user.email_addr": "ada@example.com", "device.ip": "203.0.113.7", "metadata.event_code": typ.Name,
				"metadata.uid": "1201", "time": 1795375440500.0,
			}
		},
		Needed:  []string{"event_type", "created_at"},
		Sparse:  []string{"resource", "actor", "context", "details", "resource,details", "actor,resource,context,details,gid"},
		Classes: classes(),
		Edits:   edits(),
		Unheard: func(verb string) connectortest.EventType {
			return connectortest.EventType{Kind: "gadget", Name: "gadget_" + verb}
		},
		Apart: []connectortest.EventType{
			{Kind: "user", Name: "user_login_succeeded"}, {Kind: "user", Name: "user_login_failed"}, {Kind: "user", Name: "service_account_created"},
			{Kind: "team", Name: "team_member_added"}, {Kind: "user", Name: "user_workspace_admin_role_changed"},
			{Kind: "project", Name: "project_member_added"}, {Kind: "task", Name: "task_deleted"},
		},
		Becomes: []string{"user"},
		Simulated: func() [][]byte {
			return simulator.New(simulator.Options{Now: func() time.Time { return now }}).Asana().Generate(500)
		},
		Seeds: []string{`{"event_type":"x","created_at":"2026-11-22T19:24:00Z"}`},
	}
}

// record is an event with a value in every member that the mapping knows.
func record(event, resource string) string {
	return `{"gid":"1201","created_at":"2026-11-22T19:24:00.500Z","event_type":"` + event + `","event_category":"things",` +
		`"actor":{"actor_type":"user","gid":"1111","name":"Ada Okafor","email":"ada@example.com"},` +
		`"resource":{"resource_type":"` + resource + `","resource_subtype":"milestone","gid":"2222","name":"Zoë Müller","email":"zoe@example.com"},` +
		`"details":{"old_value":"member","new_value":"admin","user":{"gid":"3333","name":"Bo Smith","email":"bo@example.com"}},` +
		`"context":{"context_type":"api","api_authentication_method":"oauth","client_ip_address":"203.0.113.7","user_agent":"Mozilla/5.0","oauth_app_name":"Zeiterfassung"}}`
}

func classes() []connectortest.Class {
	user := func(name string) connectortest.EventType { return connectortest.EventType{Kind: "user", Name: name} }
	return []connectortest.Class{
		// As AppFabric was seen to make them.
		{Type: user("user_login_succeeded"), UID: 300201},
		{Type: user("user_login_failed"), UID: 300201, Path: "status", Want: "Failure"},
		{Type: user("user_logged_out"), UID: 300202},
		{Type: user("service_account_created"), UID: 300101},
		// Not observed, by the same rules.
		{Type: user("user_deprovisioned"), UID: 300105},
		{Type: user("user_two_factor_auth_disabled"), UID: 300111},
		{Type: user("user_app_authorized"), UID: 600199, Name: "Grant App Privileges"},
		{Type: connectortest.EventType{Kind: "workspace", Name: "workspace_export_started"}, UID: 600107},
		{Type: connectortest.EventType{Kind: "task", Name: "task_undeleted"}, UID: 600103},
		{Type: connectortest.EventType{Kind: "task", Name: "task_deleted"}, UID: 600104},
		{Type: user("user_workspace_admin_role_changed"), UID: 300501},
		{Type: connectortest.EventType{Kind: "team", Name: "team_member_added"}, UID: 300603},
		{Type: connectortest.EventType{Kind: "project", Name: "project_member_removed"}, UID: 300502},
	}
}

// edits break a record at one place each.
func edits() []connectortest.Edit {
	shows, edit := connectortest.Shows, connectortest.Edited
	login, role, team := record("user_login_succeeded", "user"), record("user_workspace_admin_role_changed", "user"), record("team_member_added", "team")
	account, task := record("service_account_created", "user"), record("task_deleted", "task")
	project := record("project_member_removed", "project")
	return []connectortest.Edit{
		shows(login, "user.uid", "2222"),
		shows(login, "user.email_addr", "zoe@example.com"),
		shows(login, "user.type", "User"),
		edit(login, `"gid":"2222","name":"Zoë Müller",`, ``, "user.uid", "1111"),
		shows(login, "service.name", "Asana"),
		shows(login, "status", "Success"),
		shows(login, "actor.user.type", "User"),
		shows(login, "actor.invoked_by", "Zeiterfassung"),
		shows(login, "src_endpoint.ip", "203.0.113.7"),
		shows(login, "http_request.user_agent", "Mozilla/5.0"),
		shows(login, "metadata.original_time", "2026-11-22T19:24:00.500Z"),
		shows(login, "unmapped.context.context_type", "api"),
		shows(login, "unmapped.event_category", "things"),
		edit(login, `"actor_type":"user"`, `"actor_type":"external_administrator"`, "actor.user.type", "external_administrator"),
		edit(task, `"actor_type":"user","gid":"1111","name":"Ada Okafor","email":"ada@example.com"`, `"actor_type":"asana"`, "actor.invoked_by", "Zeiterfassung"),
		edit(strings.Replace(task, `,"oauth_app_name":"Zeiterfassung"`, ``, 1), `"actor_type":"user","gid":"1111","name":"Ada Okafor","email":"ada@example.com"`, `"actor_type":"asana"`, "actor.invoked_by", "asana"),
		edit(account, `zoe@example.com`, `nobody`, "unmapped.resource.email", "nobody"),
		edit(account, `"gid":"2222","name":"Zoë Müller",`, ``, "web_resources.0.name", "Asana"),
		shows(task, "web_resources.0.uid", "2222"),
		shows(task, "web_resources.0.type", "task"),
		shows(task, "unmapped.resource.resource_subtype", "milestone"),
		shows(role, "privileges.0", "admin"),
		shows(role, "user.uid", "2222"),
		edit(role, `"new_value":"admin"`, `"new_value":null`, "type_uid", 600103.0),
		edit(role, `"new_value":"admin"`, `"new_value":null`, "web_resources.0.uid", "2222"),
		shows(team, "group.uid", "2222"),
		shows(team, "user.uid", "3333"),
		edit(team, `"user":{`, `"member":{`, "user.email_addr", "bo@example.com"),
		edit(team, `"user":{`, `"who":{`, "type_uid", 600103.0),
		shows(project, "privileges.0", "Zoë Müller"),
		edit(project, `"name":"Zoë Müller",`, ``, "privileges.0", "2222"),
		shows(project, "resource.type", "project"),
	}
}
