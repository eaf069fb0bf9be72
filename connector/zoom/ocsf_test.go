package zoom_test

import (
	"encoding/json"
	"flag"
	"strings"
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/zoom"
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

// signIns is the kind, in the file of types, of those of the report of sign-ins.
const signIns = "activities"

func mappingCase(testing.TB) connectortest.MappingCase {
	return connectortest.MappingCase{
		App: zoom.App(), Stream: "operation_logs", Update: *update, Tables: zoom.Tables(), // of both reports: one mapping is theirs
		OfStream: func(stream string) string {
			if stream == signIns {
				return activity("Sign in", "Mac")
			}
			return operation("User", "Add", detail)
		},
		Types: kindAndActions, AtLeast: 40,
		Record:  record,
		Filled:  filled,
		Needed:  []string{"time", "type"},
		Classes: classes(),
		Edits:   edits(),
		Unheard: func(verb string) connectortest.EventType { return of("Gadget", verb) },
		Apart: []connectortest.EventType{
			of(signIns, "Sign in"), of("User", "Add"), of("User Group", "AddGroupAdmin"), of("Recording", "Download"),
		},
		Goes: []connectortest.Gone{
			{Type: of(signIns, "Sign in"), Member: "client_type", Attribute: "device.os"},
			{Type: of("User Group", "Add Member"), Member: "operation_detail", Attribute: "group"},
		},
		// They have become a code, and kinds of devices and systems.
		Becomes:   []string{"Sign in", "Sign out", "User", "Update", "Add", "User Group", "UserGroup", "AddGroupAdmin", "RestAPI-Delete", "Download"},
		Simulated: func() [][]byte { return simulator.New(simulator.Options{Seed: 7}).Zoom().Generate(500) },
		Seeds:     []string{operation("User", "Update", "Lock User bo@example.com"), operation("User Group", "Add Member", "Group:")},
	}
}

func of(category, action string) connectortest.EventType {
	return connectortest.EventType{Kind: category, Name: action}
}

// kindAndActions reads a category, a colon, and its actions with commas between.
func kindAndActions(line string) []connectortest.EventType {
	category, actions, _ := strings.Cut(line, ": ")
	var types []connectortest.EventType
	for action := range strings.SplitSeq(actions, ", ") {
		types = append(types, of(category, action))
	}
	return types
}

const detail = "Group: Vertrieb, bo@example.com"

func record(typ connectortest.EventType) string {
	if typ.Kind == signIns {
		return activity(typ.Name, "Mac")
	}
	return operation(typ.Kind, typ.Name, detail)
}

func filled(typ connectortest.EventType) map[string]any {
	want := map[string]any{
		"actor.user.email_addr": "ada@example.com", "actor.user.type": "User", "time": 1795375440000.0, "status": "Success",
	}
	if typ.Kind == signIns {
		want["metadata.event_code"] = strings.ToLower(strings.ReplaceAll(typ.Name, " ", "_"))
		want["device.ip"], want["src_endpoint.ip"], want["user.email_addr"] = "203.0.113.7", "203.0.113.7", "ada@example.com"
		want["unmapped.version"] = "5.9.1.2581"
		return want
	}
	want["metadata.event_code"] = strings.ToLower(strings.ReplaceAll(typ.Kind+"_"+typ.Name, " ", ""))
	want["message"], want["unmapped"] = detail, nil
	return want
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

// classes has what AppFabric was seen to make of a type first.
func classes() []connectortest.Class {
	return []connectortest.Class{
		{Type: of(signIns, "Sign in"), UID: 300201, Name: "Logon", Path: "service.name", Want: "Zoom"},
		{Type: of(signIns, "Sign out"), UID: 300202, Name: "Logoff"},
		{Type: of("Entity", "RestAPI-Add"), UID: 600101, Name: "Create", Path: "metadata.event_code", Want: "entity_restapi-add"},
		{Type: of("Entity", "RestAPI-Delete"), UID: 600104, Name: "Delete"},
		{Type: of("Entity", "RestAPI-Update"), UID: 600103, Name: "Update"},
		{Type: of("UserGroup", "AddGroupAdmin"), UID: 300603, Name: "Add User", Path: "group.name", Want: "Vertrieb"},
		{Type: of("User Group", "DeleteGroupAdmin"), UID: 300604, Name: "Remove User", Path: "user.email_addr", Want: "bo@example.com"},

		{Type: of("User", "Add"), UID: 300101, Name: "Create", Path: "user.email_addr", Want: "bo@example.com"},
		{Type: of("User", "Update"), UID: 300199, Name: "Update", Path: "user.email_addr", Want: "bo@example.com"},
		{Type: of("Recording", "Download"), UID: 600107, Name: "Export", Path: "web_resources.0.type", Want: "Recording"},
		{Type: of("Nothing", "Known"), UID: 600199, Name: "nothing_known", Path: "web_resources.0.name", Want: "bo@example.com"},
	}
}

// edits break a record at one place each.
func edits() []connectortest.Edit {
	shows, edit, mac := connectortest.Shows, connectortest.Edited, activity("Sign in", "Mac")
	return []connectortest.Edit{
		shows(operation("Entity", "RestAPI-Update", "x"), "web_resources.0.name", "Entity"),
		shows(operation("UserGroup", "AddGroupAdmin", "Group: Süd , bo@example.com"), "group.name", "Süd"),
		shows(operation("User", "Update", "Activate User bo@example.com"), "type_uid", 300102.0),
		shows(operation("User", "Update", "Activate User bo@example.com"), "user.name", "bo@example.com"),
		shows(operation("User", "Update", "Deactivate User <bo@example.com>"), "type_uid", 300105.0),
		shows(operation("User", "Update", "Deactivate User <bo@example.com>"), "user.email_addr", "bo@example.com"),
		shows(operation("User", "Update", "Lock User bo@example.com"), "type_uid", 300109.0),
		shows(operation("User", "Update", "Update User bo@example.com."), "user.email_addr", "bo@example.com"),
		// What a class requires is missing.
		shows(operation("User", "Delete", "a user"), "type_uid", 600104.0),
		shows(operation("User", "Delete", "a user"), "web_resources.0.name", "User"),
		shows(operation("User Group", "Add Member", "bo@example.com"), "group.name", "bo@example.com"),
		shows(operation("User Group", "Add Member", "Group: Süd"), "type_uid", 600103.0),
		shows(operation("User Group", "Add Member", "Group: Süd"), "web_resources.0.type", "Category"),

		shows(activity("Sign in", "Browser"), "device.type", "Browser"),
		shows(activity("Sign in", "iPhone"), "device.os.type", "iOS"),
		shows(activity("Sign in", "Zoom Rooms"), "device.type", "Zoom Rooms"),
		shows(mac, "device.os.name", "Mac"),
		shows(mac, "device.type", "Desktop"),
		edit(mac, "ada@example.com", "Büro 1", "actor.user.name", "Büro 1"),
		edit(mac, "203.0.113.7", "", "unmapped.client_type", "Mac"),
		edit(mac, "ada@example.com", "", "type_uid", 600102.0),
		edit(mac, "ada@example.com", "", "web_resources.0.name", "Zoom"),
	}
}
