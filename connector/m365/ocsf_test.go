package m365_test

import (
	"flag"
	"strings"
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/m365"
	"selvedge/ocsf"
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
		// The records are of both streams, which their members tell.
		App: m365.App(), Update: *update, Tables: m365.Tables(),
		OfStream: func(stream string) string {
			if stream == "sign_ins" {
				return connectortest.Lines(t, "ocsf-records.ndjson")[10]
			}
			return rich("Add user")
		},
		Types: activities, AtLeast: 350,
		Record: func(typ connectortest.EventType) string { return rich(typ.Name) },
		Filled: func(typ connectortest.EventType) map[string]any {
			return map[string]any{
				"actor.user.uid": "u1", "device.ip": "203.0.113.7", "metadata.event_code": typ.Name, "metadata.uid": "D1", "message": typ.Name,
				"status": "Failure", "status_detail": "Because", "time": 1795375440500.0, "metadata.correlation_uid": "c1",
			}
		},
		Needed: []string{"activityDateTime", "createdDateTime", "activityDisplayName"},
		Sparse: []string{"initiatedBy", "targetResources", "initiatedBy,targetResources,additionalDetails,id"},
		Classes: connectortest.UIDs(map[string]float64{
			"Add user": 300101, "Hard Delete user": 300106, "Disable account": 300105, "Unlock user account (self-service)": 300102,
			"Change password (self-service)": 300103, "Reset password (by admin)": 300104, "Update user": 300199,
			"Add FIDO2 security key": 300110, "User deleted security info": 300111,
			"Add member to role": 300501, "Remove member from role completed (PIM deactivate)": 300502,
			"Add member to role requested (PIM activation)": 600103, "Add member to role request approved (PIM activation)": 300501,
			"Add member to group": 300603, "Remove member from group": 300604, "Delete group": 300605,
			"Consent to application": 600199, "Delete Conditional Access policy": 600104, "GroupLifecyclePolicies_Get": 600102,
			"Never heard of": 600199, "Delete what nobody knows": 600104,
		}),
		Edits:   edits(connectortest.Lines(t, "ocsf-records.ndjson")),
		Unheard: func(verb string) connectortest.EventType { return connectortest.EventType{Name: "Gadget " + verb} },
		Apart:   connectortest.Named("Add user", "Add member to role", "Add member to group", "Update policy", "x"),
		Becomes: []string{
			"User", "failure", "success", "User-Agent", "none", "medium", "multiFactorAuthentication", // ids, or a name
			"Role.DisplayName", "Group.ObjectID", "Group.DisplayName", `"Reader"`, `"Global Reader"`, `"5b0d"`, `"Köln"`,
		},
		Simulated: func() [][]byte { return simulator.New(simulator.Options{Seed: 7}).M365().Generate(500) },
	}
}

// activities reads what some activities begin with, a colon, and their ends with
// bars between.
func activities(line string) []connectortest.EventType {
	begin, ends, _ := strings.Cut(line, ":")
	var names []string
	for end := range strings.SplitSeq(ends, "|") {
		if strings.HasSuffix(begin, "_") {
			end = strings.TrimSpace(end)
		}
		names = append(names, begin+end)
	}
	return connectortest.Named(names...)
}

// rich is an audit of an activity, with a user, a role and a group for targets.
func rich(activity string) string {
	return `{"id":"D1","category":"UserManagement","correlationId":"c1","result":"failure","resultReason":"Because","activityDisplayName":` + quote(activity) + `,
	"activityDateTime":"2026-11-22T19:24:00.5000000Z","loggedByService":"Core Directory","operationType":"Update",
	"initiatedBy":{"user":{"id":"u1","displayName":"Ada Okafor","userPrincipalName":"ada@example.com","ipAddress":"203.0.113.7"},"app":{"displayName":"Portal","appId":"a1"}},
	"targetResources":[{"id":"u2","displayName":"Bo Smith","type":"User","userPrincipalName":"bo@example.com","modifiedProperties":[{"displayName":"Role.DisplayName","oldValue":null,"newValue":"\"Reader\""}]},
	{"id":"g1","displayName":"Engineering","type":"Group","userPrincipalName":null,"modifiedProperties":[]}],
	"additionalDetails":[{"key":"User-Agent","value":"curl/8"},{"key":"Other","value":"x"}]}`
}

func quote(s string) string {
	quoted, _ := ocsf.AppendQuoted(nil, s)
	return string(quoted)
}

// edits break a record at one place each.
func edits(records []string) []connectortest.Edit {
	shows, edit := connectortest.Shows, connectortest.Edited
	signIn, failed := records[10], records[11]
	return []connectortest.Edit{
		shows(rich("Add user"), "user.uid", "u2"),
		edit(rich("Add user"), `"user":{"id":"u1"`, `"x":{"id":"u1"`, "actor.user.uid", "a1"),
		edit(rich("Update policy"), `"type":"User"`, `"type":"N/A"`, "web_resources.type", nil),
		edit(rich("Update policy"), `"type":"User"`, `"type":"N/A"`, "unmapped.targetResources[0].type", "N/A"),
		edit(signIn, `"clientAppUsed"`, `"userAgent": "curl/8", "x"`, "http_request.user_agent", "curl/8"),
		shows(rich("Add user"), "user.email_addr", "bo@example.com"),
		shows(rich("Add user"), "user.type", "User"),
		shows(rich("Add user"), "actor.user.name", "Ada Okafor"),
		shows(rich("Add user"), "actor.invoked_by", "Portal"),
		shows(rich("Add user"), "http_request.user_agent", "curl/8"),
		shows(rich("Add user"), "unmapped.additionalDetails[1].value", "x"),
		shows(rich("Add user"), "unmapped.targetResources[1].displayName", "Engineering"),
		edit(rich("Add user"), `"failure"`, `"success"`, "status_id", 1.0),
		edit(rich("Add user"), `"failure"`, `"timeout"`, "status", "timeout"),
		edit(rich("Add user"), `"User"`, `"Other"`, "type_uid", 600103.0),
		edit(rich("Add user"), `{"id":"u1","displayName":"Ada Okafor","userPrincipalName":"ada@example.com","ipAddress":"203.0.113.7"}`, `null`, "actor.user.name", "Portal"),
		edit(rich("Add user"), `{"id":"u1","displayName":"Ada Okafor","userPrincipalName":"ada@example.com","ipAddress":"203.0.113.7"}`, `null`, "actor.user.uid", "a1"),
		edit(rich("Add user"), `{"id":"u1","displayName":"Ada Okafor","userPrincipalName":"ada@example.com","ipAddress":"203.0.113.7"}`, `null`, "actor.user.type", "System"),
		shows(rich("Add member to role"), "privileges", "Reader"),
		shows(rich("Add member to role"), "resource.name", "Engineering"),
		edit(rich("Add member to role"), `Role.DisplayName`, `Role.TemplateId`, "privileges", "Engineering"),
		shows(rich("Add member to group"), "group.name", "Engineering"),
		shows(rich("Update policy"), "web_resources.uid", "u2"),
		shows(rich("Update policy"), "web_resources.type", "User"),
		shows(signIn, "type_uid", 300201.0),
		shows(signIn, "user.name", "Zoë Müller"),
		shows(signIn, "service.name", "Graph Explorer"),
		shows(signIn, "device.os.type_id", 100.0),
		shows(signIn, "device.location.city", "Köln"),
		shows(signIn, "device.is_managed", false),
		shows(signIn, "src_endpoint.location.country", "DE"),
		shows(signIn, "device.location.coordinates", 6.959),
		shows(signIn, "status", "Success"),
		shows(signIn, "severity", "Informational"),
		shows(signIn, "metadata.event_code", "signIn"),
		edit(signIn, `"appDisplayName": "Graph Explorer"`, `"appDisplayName": null`, "service.uid", "de8bc8b5-d9f9-48b1-a8ad-b748da725064"),
		shows(failed, "status", "Failure"),
		shows(failed, "status_code", "50126"),
		shows(failed, "severity_id", 3.0),
		shows(failed, "is_mfa", true),
		shows(failed, "src_endpoint.ip", "2001:db8::7"),
		shows(records[12], "device.uid", "d-1"),
		shows(records[12], "device.is_compliant", true),
		shows(records[12], "service.name", "Microsoft Entra ID"),
		shows(records[12], "unmapped.riskLevelDuringSignIn", "hidden"),
		shows(records[13], "type_uid", 600102.0),
	}
}
