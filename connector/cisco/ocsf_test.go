package cisco_test

import (
	"flag"
	"strings"
	"testing"

	"selvedge/connector/cisco"
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

func mappingCase(t testing.TB) connectortest.MappingCase {
	t.Helper()
	return connectortest.MappingCase{
		App: cisco.App(), Stream: "admin_audit", Update: *update, Tables: cisco.Tables(), // of all streams: one mapping is theirs
		OfStream: func(stream string) string {
			// The line of the golden file that is such a record.
			return connectortest.Lines(t, "ocsf-records.ndjson")[map[string]int{"admin_audit": 0, "security_audit": 3, "memberships": 10}[stream]]
		},
		Types: func(line string) []connectortest.EventType { return connectortest.Named(line) }, AtLeast: 30,
		Unnumbered: []string{"A user attempted logging in", "A user attempted logging out", "User was updated"},
		Record:     func(typ connectortest.EventType) string { return rich(typ.Name) },
		Filled: func(typ connectortest.EventType) map[string]any {
			return map[string]any{
				"actor.user.uid": "a1", "device.ip": "203.0.113.7", "metadata.event_code": strings.ToLower(typ.Name), "metadata.uid": "e1",
				"metadata.tenant_uid": "o1", "status": "Failure", "time": 1795375440500.0,
			}
		},
		Needed: []string{"created", "data.eventDescription"},
		Sparse: []string{"actorId", "id", "actorId,id"},
		// What AppFabric was seen to make of a description, and the like.
		Classes: connectortest.UIDs(map[string]float64{
			"A user attempted logging in": 600199, "A user attempted logging out": 600199, "User was updated": 600199,
			"An Admin logged in": 300201, "An user logged in": 300201, "memberships created": 300101, "User was deleted": 300106,
			// 3005 needs a privilege, which such an event does not name.
			"Admin has revoked an account from an external user": 600103,
			// Not observed.
			"memberships deleted": 300106, "A user logged out": 300202, "User was added": 300101, "Group was deleted": 600104,
			"Recording was downloaded": 600107, "Something never heard of": 600199,
		}),
		Edits:     edits(connectortest.Lines(t, "ocsf-records.ndjson")),
		Unheard:   func(verb string) connectortest.EventType { return connectortest.EventType{Name: "Gadget was " + verb} },
		Apart:     connectortest.Named("An Admin logged in", "User was deleted", "x"),
		Becomes:   []string{"SUCCESS", "FAILURE", "USER", "TargetResourceType.USER", "memberships", "created", "deleted"}, // ids, and parts of the code
		Simulated: func() [][]byte { return simulator.New(simulator.Options{Seed: 7}).Cisco().Generate(500) },
	}
}

// rich is an event of a description, with a user for target.
func rich(description string) string {
	if resource, kind, ok := strings.Cut(description, " "); ok && resource == "memberships" {
		return `{"id":"e1","resource":"memberships","type":"` + kind + `","actorId":"a1","orgId":"o1","created":"2026-11-22T19:24:00.500Z",
			"data":{"personId":"p1","personEmail":"bo@example.com","personDisplayName":"Bo Smith","actorIp":"203.0.113.7","eventStatus":"FAILURE"}}`
	}
	return `{"id":"e1","actorId":"a1","actorOrgId":"o1","created":"2026-11-22T19:24:00.500Z","data":{"eventDescription":"` + description + `",
		"actorName":"Ada Okafor","actorEmail":"ada@example.com","actorIp":"203.0.113.7","adminRoles":["User","id_full_admin"],"eventStatus":"FAILURE",
		"targetType":"TargetResourceType.USER","targetId":"p1","targetName":"bo@example.com"}}`
}

// edits break a record at one place each.
func edits(records []string) []connectortest.Edit {
	shows, edit := connectortest.Shows, connectortest.Edited
	return []connectortest.Edit{
		shows(records[0], "actor.user.name", "Zoë Müller"),
		shows(records[0], "actor.user.email_addr", "zoe.mueller@example.com"),
		shows(records[0], "actor.user.type", "Admin"),
		shows(records[0], "user.name", "Zoë Müller"),
		shows(records[0], "service.name", "Webex"),
		shows(records[0], "message", "Zoë Müller an admin logged in"),
		shows(records[0], "metadata.correlation_uid", "ATLAS_6f23a878_0"),
		shows(records[0], "http_request.user_agent", "Mozilla/5.0 (Macintosh)"),
		shows(records[0], "src_endpoint.ip", "203.0.113.7"),
		shows(records[0], "status", nil),
		shows(records[0], "unmapped.data.eventDescription", "An Admin logged in"),
		shows(records[0], "unmapped.data.targetName", "Acme"),
		edit(records[0], `"User", "Full_Admin"`, `"User"`, "actor.user.type", "User"),
		edit(records[0], `["User", "Full_Admin"]`, `[]`, "actor.user.type", nil),
		shows(records[1], "service.name", "Developer Portal"),
		shows(records[1], "status", "Success"),
		edit(records[1], `"eventStatus"`, `"actionStatus"`, "status", "Success"),
		edit(records[1], `"eventStatus"`, `"status"`, "status", "Success"),
		shows(records[2], "status", "Failure"),
		shows(records[2], "status_detail", "Invalid password"),
		shows(records[2], "activity_name", "Other"),
		shows(records[2], "web_resources.name", "Acme GmbH & Co. KG"),
		shows(records[3], "status", nil),
		shows(records[3], "unmapped.data.eventStatus", "N/A"),
		shows(records[3], "src_endpoint.ip", "2001:db8::7"),
		shows(records[4], "user.uid", "Y2lzT-2"),
		shows(records[4], "user.email_addr", "taro.yamada@example.co.jp"),
		edit(records[4], `"USER"`, `"ORG"`, "type_uid", 600103.0),
		shows(records[5], "web_resources.uid", "Y2lzT-2"),
		shows(records[5], "web_resources.type", "USER"),
		shows(records[6], "status", "Failure"),
		shows(records[6], "status_code", "400"),
		shows(records[6], "status_detail", "User already exists"),
		shows(records[7], "web_resources.name", "営業"),
		shows(records[10], "metadata.event_code", "memberships created"),
		shows(records[10], "user.name", "太郎 山田"),
		shows(records[10], "user.uid", "p-2"),
		shows(records[10], "unmapped.data.roomId", "r-1"),
		shows(records[11], "type_uid", 600103.0),
		shows(records[11], "web_resources.name", "Webex"),
	}
}
