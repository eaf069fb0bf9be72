package terraformcloud_test

import (
	"flag"
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/terraformcloud"
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
		App: terraformcloud.App(), Stream: "audit_trail", Update: *update, Tables: terraformcloud.Tables(),
		Types: connectortest.KindAndNames, AtLeast: 80,
		Record: func(typ connectortest.EventType) string { return record(typ.Kind, typ.Name) },
		Filled: func(typ connectortest.EventType) map[string]any {
			return map[string]any{
				"actor.user.uid": "user-V3R", "actor.user.name": "ada", "metadata.event_code": typ.Kind + "." + typ.Name, "metadata.uid": "ae66",
				"metadata.tenant_uid": "org-1", "time": 1795375440500.0,
			}
		},
		Needed: []string{"timestamp", "resource"},
		Sparse: []string{"auth", "request", "auth,request,id,version,type"},
		Classes: []connectortest.Class{
			{Type: of("workspace", "create"), UID: 600101},
			{Type: of("workspace", "destroy"), UID: 600104, Name: "Delete"},
			{Type: of("workspace", "unlock"), UID: 600103, Name: "Update"},
			{Type: of("organization_user", "create"), UID: 300101, Path: "user.uid", Want: "ws-1"},
			{Type: of("organization_user", "update"), UID: 300199, Name: "Update"},
			{Type: of("organization_user", "destroy"), UID: 300106},
			{Type: of("team", "add_member"), UID: 300603, Path: "user.name", Want: "bo"},
			{Type: of("team", "remove_member"), UID: 300604, Path: "group.uid", Want: "ws-1"},
			{Type: of("project", "add_team"), UID: 300601, Path: "privileges", Want: "write"},
			{Type: of("workspace", "remove_team"), UID: 300602, Path: "group.name", Want: "owners"},
		},
		Edits:     edits(),
		Unheard:   func(verb string) connectortest.EventType { return of("gadget", verb) },
		Apart:     []connectortest.EventType{of("workspace", "create"), of("organization_user", "create"), of("team", "add_member"), of("project", "add_team")},
		Simulated: func() [][]byte { return simulator.New(simulator.Options{Seed: 7}).TerraformCloud().Generate(500) },
		Seeds:     []string{`{"resource":{"type":"x"},"timestamp":"2026-11-22T19:24:00Z"}`},
	}
}

func of(resource, action string) connectortest.EventType {
	return connectortest.EventType{Kind: resource, Name: action}
}

const meta = `{"user":"bo","team":"owners","permissions":"write"}`

func record(resource, action string) string {
	return `{"id":"ae66","version":"0","type":"Resource","timestamp":"2026-11-22T19:24:00.500Z",` +
		`"auth":{"accessor_id":"user-V3R","description":"ada","type":"Client","impersonator_id":null,"organization_id":"org-1"},` +
		`"request":{"id":"rq-1"},"resource":{"id":"ws-1","type":"` + resource + `","action":"` + action + `","meta":` + meta + `}}`
}

// edits break a record at one place each.
func edits() []connectortest.Edit {
	shows, edit, base := connectortest.Shows, connectortest.Edited, record("workspace", "create")
	return []connectortest.Edit{
		shows(base, "metadata.uid", "ae66"),
		shows(base, "metadata.event_code", "workspace.create"),
		shows(base, "metadata.original_time", "2026-11-22T19:24:00.500Z"),
		shows(base, "metadata.tenant_uid", "org-1"),
		shows(base, "time", 1795375440500.0),
		shows(base, "actor.user.uid", "user-V3R"),
		shows(base, "actor.user.name", "ada"),
		shows(base, "actor.user.type", "User"),
		shows(base, "http_request.uid", "rq-1"),
		shows(base, "type_uid", 600101.0),
		edit(base, `"id":"ae66",`, ``, "metadata.uid", nil),
		edit(base, `"organization_id":"org-1"`, `"organization_id":null`, "metadata.tenant_uid", nil),
		edit(base, `"accessor_id":"user-V3R"`, `"accessor_id":null`, "actor.user.uid", nil),
		edit(base, `"description":"ada",`, ``, "actor.user.name", nil),
		edit(base, `user-V3R`, `team-1`, "actor.user.type", nil),
		edit(base, `"accessor_id":"user-V3R","description":"ada","type":"Client"`, `"type":"System"`, "actor.invoked_by", "System"),
		edit(base, `"type":"Client"`, `"type":"System"`, "actor.user.type", "System"),
		edit(base, `"request":{"id":"rq-1"}`, `"request":null`, "http_request", nil),
		edit(base, `"create"`, `"destroy"`, "activity_name", "Delete"),
		edit(base, `"create"`, `"unlock"`, "activity_name", "Update"),
		edit(base, `"workspace"`, `"organization_user"`, "type_uid", 300101.0),
		edit(base, `"workspace"`, `"organization_user"`, "user.uid", "ws-1"),
		edit(base, `"id":"ws-1","type":"workspace"`, `"type":"organization_user"`, "type_uid", 600101.0),
		edit(base, `"impersonator_id":null`, `"impersonator_id":"user-root"`, "unmapped.auth.impersonator_id", "user-root"),
		edit(base, meta, `{"a":[1]}`, "unmapped.resource.meta.a[0]", "1"),
		shows(base, "unmapped.resource.meta.user", "bo"),
		// Without whom it is about it is an activity on what the trail names.
		edit(record("team", "add_member"), meta, `null`, "type_uid", 600103.0),
		edit(record("project", "remove_team"), meta, `null`, "type_uid", 600103.0),
		edit(record("project", "remove_team"), meta, `null`, "web_resources.uid", "ws-1"),
	}
}
