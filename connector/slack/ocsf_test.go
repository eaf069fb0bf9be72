package slack_test

import (
	"flag"
	"strings"
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/slack"
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
		App: slack.App(), Stream: "audit", Update: *update, Tables: slack.Tables(),
		Types: connectortest.KindAndEnds, AtLeast: 450,
		Record: func(typ connectortest.EventType) string { return record(typ.Name, typ.Kind) },
		Filled: func(typ connectortest.EventType) map[string]any {
			return map[string]any{
				"actor.user.uid": "W1", "actor.user.email_addr": "ada@example.com", "device.ip": "203.0.113.7", "metadata.event_code": typ.Name,
				"metadata.uid": "0123a45b-6c7d-8900-e12f-3456789abcde", "metadata.tenant_uid": "E1", "time": 1795375440000.0, "status_detail": "because",
			}
		},
		Needed:  []string{"action", "date_create"},
		Sparse:  []string{"entity", "actor", "context", "actor,entity", "id,entity,context", "actor,context,entity,details,id"},
		Classes: classes(),
		Edits:   append(edits(), entities()...),
		Unheard: func(verb string) connectortest.EventType { return of("gadget", "gadget_"+verb) },
		Apart: []connectortest.EventType{
			of("user", "user_login"), of("user", "user_created"), of("channel", "user_channel_join"), of("role", "role_assigned"),
			of("user", "role_change_to_admin"), of("usergroup", "user_added_to_usergroup"), of("file", "file_shared"), of("user", "anomaly"),
			of("user", "user_joined_workspace"), of("gadget", "gadget_created"), of("message", "message_flagged"),
		},
		Becomes: []string{"user"},
		Silent:  []string{"entity.type"}, // it says below which name the entity is
		Simulated: func() [][]byte {
			return simulator.New(simulator.Options{Now: func() time.Time { return now }}).Slack().Generate(500)
		},
		Seeds: []string{`{"action":"x","date_create":1}`},
	}
}

func of(entity, action string) connectortest.EventType {
	return connectortest.EventType{Kind: entity, Name: action}
}

// record is an entry with a value in every member that the mapping knows.
func record(action, entity string) string {
	return `{"id":"0123a45b-6c7d-8900-e12f-3456789abcde","date_create":1795375440,"action":"` + action + `",` +
		`"actor":{"type":"user","user":{"id":"W1","name":"Ada Okafor","email":"ada@example.com","team":"E1"}},` +
		`"entity":{"type":"` + entity + `","` + entity + `":{"id":"X2","name":"Büro","email":"bo@example.com","title":"T","privacy":"public"}},` +
		`"context":{"location":{"type":"enterprise","id":"E1","name":"Acme","domain":"acme"},"ua":"Mozilla/5.0","ip_address":"203.0.113.7","session_id":4711},` +
		`"details":{"reason":"because","target_user":"W9","inviter":{"id":"W3","name":"Carl"},"list":["a",{"b":1.50}]}}`
}

// classes: what AppFabric was seen to make of an action, and the like.
func classes() []connectortest.Class {
	return []connectortest.Class{
		{Type: of("app", "app_collaborator_added"), UID: 600199, Name: "Other", Path: "web_resources.0.type", Want: "app"},
		{Type: of("app", "app_installed"), UID: 600199, Name: "Install ThirdParty App", Path: "web_resources.0.name", Want: "Büro"},
		{Type: of("app", "app_uninstalled"), UID: 600199, Name: "Uninstall ThirdParty App", Path: "web_resources.0.uid", Want: "X2"},
		{Type: of("role", "permissions_removed"), UID: 300599, Name: "Other", Path: "privileges.0", Want: "Büro"},
		{Type: of("channel", "user_channel_join"), UID: 300501, Name: "Assign Privileges", Path: "user.uid", Want: "W1"},
		{Type: of("user", "user_created"), UID: 300101, Name: "Create", Path: "user.uid", Want: "X2"},
		{Type: of("user", "user_joined_workspace"), UID: 300501, Name: "Assign Privileges", Path: "resource.name", Want: "Acme"},
		{Type: of("user", "user_login"), UID: 300201, Name: "Logon", Path: "user.email_addr", Want: "bo@example.com"},
		{Type: of("user", "user_logout"), UID: 300202, Name: "Logoff", Path: "service.name", Want: "Slack"},
		{Type: of("user", "user_profile_updated"), UID: 300199, Name: "Update", Path: "user.name", Want: "Büro"},
		// Not observed, by the same rules.
		{Type: of("user", "user_login_failed"), UID: 300201, Name: "Logon", Path: "status", Want: "Failure"},
		{Type: of("file", "file_download_blocked"), UID: 600107, Name: "Export", Path: "status", Want: "Failure"},
		{Type: of("channel", "guest_channel_leave"), UID: 300502, Name: "Revoke Privileges", Path: "resource.uid", Want: "X2"},
		{Type: of("user", "role_change_to_owner"), UID: 300501, Name: "Assign Privileges", Path: "privileges.0", Want: "owner"},
		{Type: of("role", "role_assigned"), UID: 300501, Name: "Assign Privileges", Path: "user.uid", Want: "W9"},
		{Type: of("usergroup", "user_added_to_usergroup"), UID: 300603, Name: "Add User", Path: "group.name", Want: "Büro"},
		{Type: of("user", "user_deactivated"), UID: 300105, Name: "Disable", Path: "status", Want: "Success"},
		{Type: of("user", "anomaly"), UID: 200401, Name: "Create", Path: "finding_info.title", Want: "anomaly"},
		{Type: of("enterprise", "pref.allow_calls"), UID: 600103, Name: "Update", Path: "web_resources.0.type", Want: "enterprise"},
		{Type: of("workspace", "manual_export_started"), UID: 600107, Name: "Export", Path: "web_resources.0.type", Want: "workspace"},
		{Type: of("canvas", "canvas_tombstoned"), UID: 600104, Name: "Delete", Path: "web_resources.0.uid", Want: "X2"},
		{Type: of("channel", "mcp_slack_read_thread_tool_called"), UID: 600102, Name: "Read", Path: "web_resources.0.uid", Want: "X2"},
		// Never heard of.
		{Type: of("gadget", "gadget_archived"), UID: 600103, Name: "Update", Path: "web_resources.0.name", Want: "Acme"},
		{Type: of("gadget", "gadget_created"), UID: 600101, Name: "Create", Path: "unmapped.entity.gadget.name", Want: "Büro"},
		{Type: of("gadget", "gadget_frobnicated"), UID: 600199, Name: "gadget_frobnicated", Path: "web_resources.0.uid", Want: "E1"},
	}
}

// edits break a record at one place each.
func edits() []connectortest.Edit {
	shows, edit := connectortest.Shows, connectortest.Edited
	login, join := record("user_login", "user"), record("user_channel_join", "channel")
	web, roles := record("channel_renamed", "channel"), record("role_assigned", "role")
	return []connectortest.Edit{
		shows(login, "actor.user.type", "User"),
		shows(login, "actor.session.uid", "4711"),
		shows(login, "session.uid", "4711"),
		shows(login, "src_endpoint.ip", "203.0.113.7"),
		shows(login, "http_request.user_agent", "Mozilla/5.0"),
		shows(login, "metadata.original_time", "1795375440"),
		shows(login, "unmapped.details.list[1].b", "1.50"),
		shows(login, "unmapped.context.location.domain", "acme"),
		edit(login, `"id":"X2","name":"Büro",`, ``, "user.uid", "W9"),
		edit(strings.Replace(login, `"target_user":"W9",`, ``, 1), `"id":"X2","name":"Büro",`, ``, "user.uid", "W1"),
		edit(login, `"target_user":"W9"`, `"target_user_id":"W8"`, "user.uid", "X2"),
		edit(login, `"type":"user","user":{"id":"W1"`, `"type":"bot","user":{"id":"W1"`, "actor.user.type", "bot"),
		edit(login, `203.0.113.7`, `unknown`, "unmapped.context.ip_address", "unknown"),
		edit(login, `ada@example.com`, `nobody`, "unmapped.actor.user.email", "nobody"),
		edit(login, `"reason":"because"`, `"reason":["asn"]`, "unmapped.details.reason[0]", "asn"),
		edit(login, `1795375440`, `"1795375440"`, "time", 1795375440000.0),
		edit(join, `"id":"X2","name":"Büro","email":"bo@example.com","title":"T"`, `"id":"X2"`, "privileges.0", "X2"),
		edit(join, `"actor":{"type":"user"`, `"actor":{"type":"user","x":1`, "user.email_addr", "ada@example.com"),
		edit(web, `"name":"Büro",`, ``, "web_resources.0.name", "T"),
		edit(web, `"id":"X2","name":"Büro","email":"bo@example.com","title":"T"`, `"email":null`, "web_resources.0.name", "Acme"),
		edit(roles, `"target_user":"W9"`, `"target_user":null`, "type_uid", 600103.0),
		edit(roles, `"target_user":"W9"`, `"target_user_id":"W8"`, "user.uid", "W8"),
	}
}

// entities are of each kind, with one member that says which.
func entities() []connectortest.Edit {
	var list []connectortest.Edit
	for kind := range strings.FieldsSeq("user workspace enterprise file channel app workflow workflow_v2 usergroup barrier message role account_type_role canvas huddle list function template") {
		for member, path := range map[string]string{"id": "uid", "name": "name", "title": "name"} {
			raw := `{"id":"1","date_create":1795375440,"action":"gadget_created","entity":{"type":"` + kind + `","` + kind + `":{"` + member + `":"what"}}}`
			list = append(list, connectortest.Shows(raw, "web_resources.0."+path, "what"))
		}
	}
	return list
}
