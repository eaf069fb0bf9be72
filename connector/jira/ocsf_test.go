package jira_test

import (
	"flag"
	"strings"
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/jira"
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
		App: jira.App(), Stream: "audit_records", Update: *update, Tables: jira.Tables(),
		Types: func(line string) []connectortest.EventType { return connectortest.Named(line) }, AtLeast: 80,
		Record: func(typ connectortest.EventType) string { return record(typ.Name) },
		Filled: func(typ connectortest.EventType) map[string]any {
			return map[string]any{
				"actor.user.uid": "5b10", "actor.user.uid_alt": "ug:1", "actor.user.type": "User", "device.ip": "203.0.113.7",
				"metadata.event_code": typ.Name, "metadata.uid": "10359", "metadata.original_time": "2026-11-22T19:24:00.500+0000", "time": 1795375440500.0,
				"message": "Because", "status": "Success", "severity_id": 0.0, "unmapped.category": "user management", "unmapped.eventSource": "SCIM",
				"unmapped.objectItem.parentId": "10000",
			}
		},
		Needed: []string{"summary", "created"},
		Sparse: []string{
			"objectItem", "associatedItems", "objectItem,associatedItems,changedValues", "authorAccountId,authorKey", "remoteAddress,description,id,category",
		},
		Classes: classes(),
		Edits:   edits(),
		Unheard: func(verb string) connectortest.EventType { return connectortest.EventType{Name: "Gadget " + verb} },
		Apart:   connectortest.Named("User created", "User added to group", "Project roles changed", "Custom field created"),
		Goes: []connectortest.Gone{
			{Type: connectortest.EventType{Name: "User created"}, Member: "objectItem.id", Attribute: "user.uid"},
			{Type: connectortest.EventType{Name: "Group created"}, Member: "associatedItems[0].name", Attribute: "group.name"},
			{Type: connectortest.EventType{Name: "User created"}, Member: "description", Attribute: "message="},
		},
		// They have become a class, and the name of an attribute.
		Becomes:   []string{"USER", "Permission"},
		Simulated: func() [][]byte { return simulator.New(simulator.Options{Seed: 7}).Jira().Generate(500) },
		Seeds:     []string{`{"summary":"x","created":"2026-11-22T19:24:00Z"}`},
	}
}

// record has a value in every member that the mapping knows.
func record(summary string) string {
	return `{"id":10359,"summary":"` + summary + `","remoteAddress":"203.0.113.7","authorKey":"ug:1","authorAccountId":"5b10","created":"2026-11-22T19:24:00.500+0000",` +
		`"category":"user management","eventSource":"SCIM","description":"Because",` +
		`"objectItem":{"id":"acc-2","name":"Bo Smith","typeName":"USER","parentId":"10000","parentName":"Directory"},` +
		`"changedValues":[{"fieldName":"Permission","changedTo":"Administer Jira"},{"fieldName":"Full name","changedFrom":"B","changedTo":"Bo"}],` +
		`"associatedItems":[{"id":"g-1","name":"büro","typeName":"GROUP"},{"id":"10010","name":"Developers","typeName":"PROJECT_ROLE"}]}`
}

// classes has what AppFabric was seen to make of a summary first.
func classes() []connectortest.Class {
	class := func(summary string, uid float64, name, path string, want any) connectortest.Class {
		return connectortest.Class{Type: connectortest.EventType{Name: summary}, UID: uid, Name: name, Path: path, Want: want}
	}
	return []connectortest.Class{
		class("User created", 300101, "Create", "user.uid", "acc-2"),
		class("User added to group", 300603, "Add User", "group.name", "büro"),
		class("Project roles changed", 300601, "Assign Privileges", "privileges.0", "Administer Jira"),

		class("User updated", 300199, "Update", "user.name", "Bo Smith"),
		class("User deleted", 300106, "Delete", "user.type", "User"),
		class("User removed from group", 300604, "Remove User", "user.uid", "acc-2"),
		class("Group created", 300606, "Create", "group.uid", "g-1"),
		class("Global permission added", 300601, "Assign Privileges", "privileges.0", "Administer Jira"),
		class("Global permission deleted", 300602, "Revoke Privileges", "group.type", "GROUP"),
		class("Permission scheme added to project", 600103, "Update", "web_resources.2.name", "Developers"),
		class("Workflow draft published", 600103, "Update", "web_resources.0.type", "USER"),
		class("Custom field trashed", 600104, "Delete", "web_resources.1.uid", "g-1"),
		class("Audit log exported", 600107, "Export", "user", nil),
		class("Never heard of", 600199, "Never heard of", "metadata.event_code", "Never heard of"),
	}
}

// edits break a record at one place each.
func edits() []connectortest.Edit {
	shows, edit := connectortest.Shows, connectortest.Edited
	created, added, roles := record("User created"), record("User added to group"), record("Project roles changed")
	less := strings.Replace(created, `"description":"Because",`, "", 1)
	const least = `{"summary":"Plan created","created":"2026-11-22T19:24:00.500+0000"}`
	return []connectortest.Edit{
		// Who only loses a role, or loses one and gains another.
		edit(roles, `"changedTo":"Administer Jira"},{"fieldName":"Full name","changedFrom":"B","changedTo":"Bo"`, `"changedFrom":"Administer Jira"`, "type_uid", 300602.0),
		edit(roles, `"changedTo":"Administer Jira"`, `"changedFrom":"Administer Jira"`, "type_uid", 300602.0),
		edit(roles, `"changedTo":"Administer Jira"`, `"changedFrom":"Administer Jira"`, "privileges.0", "Administer Jira"),
		edit(roles, `"changedTo":"Administer Jira"`, `"changedFrom":"Administer Jira"`, "group.uid", "g-1"),
		edit(roles, `"Permission"`, `"Users"`, "privileges.0", "büro"),
		// What a class requires is missing: an activity on what there is.
		edit(created, `"typeName":"USER"`, `"typeName":"OTHER"`, "type_uid", 600101.0),
		edit(created, `"typeName":"USER"`, `"typeName":"OTHER"`, "web_resources.0.name", "Bo Smith"),
		edit(added, `"typeName":"GROUP"`, `"typeName":"OTHER"`, "group.name", "Developers"),
		// The name of a user is as often as not the account id again.
		edit(created, `"Bo Smith"`, `"acc-2"`, "user.name", nil),
		shows(less, "message", "User created"),
		shows(least, "web_resources.0.name", "Jira"),
		shows(least, "actor", nil),
		shows(least, "device", nil),
	}
}
