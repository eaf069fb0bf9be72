package smartsheet_test

import (
	"flag"
	"strings"
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/smartsheet"
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
		App: smartsheet.App(), Stream: "events", Update: *update, Tables: smartsheet.Tables(),
		Types: connectortest.KindAndNames, AtLeast: 100,
		Record: func(typ connectortest.EventType) string { return record(typ.Kind, typ.Name) },
		Filled: func(typ connectortest.EventType) map[string]any {
			return map[string]any{
				"actor.user.uid": "48569348493401200", "actor.user.email_addr": "ada@example.com", "actor.user.type": "User", "actor.invoked_by": "CI",
				"device.ip": "203.0.113.7", "metadata.event_code": typ.Kind + " - " + typ.Name, "metadata.uid": "e-1",
				"time": 1795375440000.0, "status": "Success", "unmapped.requestUserId": nil, "unmapped.source": "WEB_APP",
			}
		},
		Needed: []string{"eventTimestamp"},
		Sparse: []string{
			"additionalDetails", "objectId", "objectId,objectIdStr", "userId,requestUserId",
			"eventId,objectId,objectIdStr,userId,requestUserId,additionalDetails,source",
		},
		Classes: classes(),
		Edits:   edits(),
		Unheard: func(verb string) connectortest.EventType { return of("GADGET", strings.ToUpper(verb)) },
		Apart: []connectortest.EventType{
			of("ACCESS_TOKEN", "REFRESH"), of("GROUP", "ADD_MEMBER"), of("USER", "UPDATE_USER"), of("USER", "LOGIN"), of("SHEET", "UPDATE"),
		},
		Goes: []connectortest.Gone{
			{Type: of("GROUP", "ADD_MEMBER"), Member: "additionalDetails.memberUserId", Attribute: "user.uid"},
			{Type: of("ACCESS_TOKEN", "REFRESH"), Member: "additionalDetails.accessScopes", Attribute: "privileges"},
			{Type: of("ACCESS_TOKEN", "REFRESH"), Member: "additionalDetails.appName", Attribute: "group.name="},
		},
		Silent:    []string{"requestUserId"},                                     // told only where it is another's
		Becomes:   []string{"READ_EVENTS,READ_USERS", "READ_EVENTS, READ_USERS"}, // one by one
		Simulated: func() [][]byte { return simulator.New(simulator.Options{Seed: 7}).Smartsheet().Generate(500) },
	}
}

func of(object, action string) connectortest.EventType {
	return connectortest.EventType{Kind: object, Name: action}
}

// record is an event with a value in every member that the mapping knows.
func record(object, action string) string {
	return `{"eventId":"e-1","objectType":"` + object + `","action":"` + action + `","objectId":345678901234,"objectIdStr":"345678901234",` +
		`"eventTimestamp":"2026-11-22T19:24:00Z","userId":48569348493401200,"requestUserId":48569348493401200,"accessTokenName":"CI","source":"WEB_APP",` +
		`"additionalDetails":{"emailAddress":"ada@example.com","sourceIpAddress":"203.0.113.7","memberUserId":7,"groupName":"Süd","sheetName":"Plan",` +
		`"tokenDisplayValue":"ab12","appName":"Büro-App","accessScopes":"READ_EVENTS, READ_USERS","newAdmin":true,"inviteeEmail":"bo@example.com"}}`
}

// classes has what AppFabric was seen to make of a type first.
func classes() []connectortest.Class {
	return []connectortest.Class{
		{Type: of("ACCESS_TOKEN", "REFRESH"), UID: 300601, Name: "Assign Privileges", Path: "group.name", Want: "Büro-App"},
		{Type: of("FORM", "UPDATE"), UID: 600103, Path: "web_resources.0.type", Want: "FORM"},
		{Type: of("SHEET", "CREATE"), UID: 600101, Path: "web_resources.0.name", Want: "Plan"},
		{Type: of("SHEET", "LOAD"), UID: 600102},
		{Type: of("SHEET", "UPDATE"), UID: 600103},

		{Type: of("SHEET", "ADD_SHARE"), UID: 600108},
		{Type: of("WORKSPACE", "REMOVE_SHARE_MEMBER"), UID: 600103},
		{Type: of("ACCOUNT", "DOWNLOAD_SHEET_ACCESS_REPORT"), UID: 600107},
		{Type: of("GROUP", "ADD_MEMBER"), UID: 300603, Path: "group.name", Want: "Süd"},
		{Type: of("USER", "REMOVE_FROM_ACCOUNT"), UID: 300106, Path: "user.uid", Want: "345678901234"},
		{Type: of("USER", "UPDATE_USER"), UID: 300199, Name: "Update", Path: "user.type", Want: "Admin"},
		{Type: of("USER", "LOGIN"), UID: 300201, Path: "service.name", Want: "Smartsheet"},
		{Type: of("USER", "LOGOUT"), UID: 300202},
		{Type: of("WIDGET", "DELETE"), UID: 600104, Path: "web_resources.0.type", Want: "WIDGET"},
	}
}

// edits break a record at one place each.
func edits() []connectortest.Edit {
	shows, edit := connectortest.Shows, connectortest.Edited
	refresh, sheet, login, group := record("ACCESS_TOKEN", "REFRESH"), record("SHEET", "UPDATE"), record("USER", "LOGIN"), record("GROUP", "ADD_MEMBER")
	return []connectortest.Edit{
		shows(refresh, "group.type", "ACCESS_TOKEN"),
		shows(refresh, "privileges.0", "READ_EVENTS"),
		shows(refresh, "privileges.1", "READ_USERS"),
		shows(refresh, "user.uid", "48569348493401200"),
		edit(refresh, `"appName":"Büro-App",`, ``, "group.name", "ab12"),
		shows(sheet, "web_resources.0.uid", "345678901234"),
		shows(sheet, "unmapped.objectId", nil),
		edit(sheet, `"objectIdStr":"345678901234",`, ``, "web_resources.0.uid", "345678901234"),
		edit(sheet, `"objectId":345678901234,`, ``, "web_resources.0.uid", "345678901234"),
		edit(sheet, `"sheetName"`, `"name"`, "web_resources.0.name", "Plan"),
		edit(record("ATTACHMENT", "LOAD"), `"sheetName"`, `"fileName"`, "web_resources.0.name", "Plan"),
		edit(sheet, `"userId":48569348493401200`, `"userId":3940654876256132`, "actor.user.type", "System"),
		edit(sheet, `"userId":48569348493401200`, `"userId":3940654876256132`, "unmapped.requestUserId", "48569348493401200"),
		shows(group, "group.uid", "345678901234"),
		shows(group, "user.uid", "7"),
		shows(login, "user.uid", "48569348493401200"),
		shows(strings.ReplaceAll(login, "345678901234", "48569348493401200"), "unmapped.objectId", nil),
		shows(strings.ReplaceAll(login, "345678901234", "48569348493401200"), "unmapped.objectIdStr", nil),
		shows(record("USER", "ADD_TO_ACCOUNT"), "user.email_addr", "bo@example.com"),
	}
}
