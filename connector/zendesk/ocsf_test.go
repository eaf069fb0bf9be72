package zendesk_test

import (
	"flag"
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/zendesk"
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
		App: zendesk.App(), Stream: "audit_logs", Update: *update, Tables: zendesk.Tables(),
		Types: connectortest.KindAndNames, AtLeast: 100,
		Record: func(typ connectortest.EventType) string { return record(typ.Kind, typ.Name) },
		Filled: func(typ connectortest.EventType) map[string]any {
			return map[string]any{
				"actor.user.uid": "1234", "actor.user.name": "Ada Okafor", "device.ip": "203.0.113.7", "metadata.event_code": typ.Kind + "_" + typ.Name,
				"metadata.uid": "498483", "time": 1795375440000.0, "status": "Success", "message": "Role changed from Agent to Admin",
			}
		},
		Needed:  []string{"created_at"},
		Sparse:  []string{"source_id,source_label", "actor_id,actor_name", "ip_address", "source_id,source_label,actor_id,actor_name,ip_address,id,url", "source_type"},
		Classes: classes(),
		Edits:   edits(),
		Unheard: func(verb string) connectortest.EventType { return of("gadget", verb) },
		Apart:   []connectortest.EventType{of("user", "update"), of("user", "login"), of("rule", "create"), of("rule", "destroy")},
		Simulated: func() [][]byte {
			return simulator.New(simulator.Options{Now: func() time.Time { return now }}).Zendesk().Generate(500)
		},
		Seeds: []string{`{"source_type":"x","created_at":"2026-11-22T19:24:00Z"}`},
	}
}

func of(source, action string) connectortest.EventType {
	return connectortest.EventType{Kind: source, Name: action}
}

// record is a record with a value in every member.
func record(source, action string) string {
	return `{"url":"https://example.zendesk.com/api/v2/audit_logs/498483.json","id":498483,"action":"` + action + `","action_label":"Done",` +
		`"actor_id":1234,"actor_name":"Ada Okafor","source_id":4567,"source_type":"` + source + `","source_label":"Team member: Zoë Müller",` +
		`"change_description":"Role changed from Agent to Admin","ip_address":"203.0.113.7","created_at":"2026-11-22T19:24:00Z"}`
}

func classes() []connectortest.Class {
	return []connectortest.Class{
		// As AppFabric was seen to make them.
		{Type: of("user", "update"), UID: 300199, Name: "Update"},
		{Type: of("entity", "destroy"), UID: 600104},
		// Not observed, by the same rules.
		{Type: of("user", "create"), UID: 300101},
		{Type: of("user", "destroy"), UID: 300106},
		{Type: of("user", "exported"), UID: 600107},
		{Type: of("user", "login"), UID: 300201},
		{Type: of("rule", "update"), UID: 600103},
		{Type: of("gadget", "frobnicated"), UID: 600199, Name: "gadget_frobnicated"},
	}
}

// edits break a record at one place each.
func edits() []connectortest.Edit {
	shows, edit := connectortest.Shows, connectortest.Edited
	user, login, rule := record("user", "update"), record("user", "login"), record("rule", "update")
	return []connectortest.Edit{
		shows(user, "user.uid", "4567"),
		shows(user, "user.name", "Zoë Müller"),
		shows(user, "unmapped.source_label", "Team member: Zoë Müller"),
		edit(user, `"Team member: Zoë Müller"`, `"Zoë"`, "unmapped.source_label", nil),
		edit(user, `"Team member: Zoë Müller"`, `null`, "user.name", nil),
		edit(user, `"source_id":4567,"source_type":"user","source_label":"Team member: Zoë Müller"`, `"source_type":"user"`, "type_uid", 600103.0),
		edit(user, `"source_id":4567,"source_type":"user","source_label":"Team member: Zoë Müller"`, `"source_type":"user"`, "web_resources.0.name", "Zendesk"),
		shows(user, "actor.user.type", "User"),
		edit(user, `"actor_id":1234`, `"actor_id":-1`, "actor.user.type", "System"),
		edit(user, `"actor_id":1234,"actor_name":"Ada Okafor"`, `"actor_id":null`, "actor", nil),
		shows(user, "src_endpoint.ip", "203.0.113.7"),
		edit(user, `203.0.113.7`, ``, "device", nil),
		shows(user, "unmapped.action_label", "Done"),
		shows(user, "unmapped.url", "https://example.zendesk.com/api/v2/audit_logs/498483.json"),
		shows(user, "metadata.original_time", "2026-11-22T19:24:00Z"),
		shows(login, "user.name", "Zoë Müller"),
		shows(login, "service.name", "Zendesk"),
		edit(login, `Role changed`, `Failed sign-in`, "status", "Failure"),
		edit(login, `"source_id":4567,"source_type":"user","source_label":"Team member: Zoë Müller"`, `"source_type":"user"`, "user.uid", "1234"),
		edit(rule, `Role changed`, `Failed sign-in`, "status", "Success"),
		shows(rule, "web_resources.0.uid", "4567"),
		shows(rule, "web_resources.0.type", "rule"),
		shows(rule, "web_resources.0.name", "Team member: Zoë Müller"),
		edit(user, `203.0.113.7`, `somewhere`, "unmapped.ip_address", "somewhere"),
	}
}
