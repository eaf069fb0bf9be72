package m365auditlogs_test

import (
	"encoding/json"
	"flag"
	"strings"
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/m365auditlogs"
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
		App: m365auditlogs.App(), Stream: "general", Update: *update, Tables: m365auditlogs.Tables(), // of all content types: one mapping is theirs
		OfStream: func(stream string) string {
			return records(t)[map[string]string{
				"azure_active_directory": "UserLoggedIn", "exchange": "New-InboxRule", "sharepoint": "FileDownloaded", "general": "MemberAdded", "dlp": "DlpRuleMatch",
			}[stream]]
		},
		Types: operations, AtLeast: 350,
		Record: func(typ connectortest.EventType) string { return rich(typ.Name) },
		Filled: func(typ connectortest.EventType) map[string]any {
			return map[string]any{
				"actor.user.uid": "key-1", "actor.user.email_addr": "ada@example.com", "actor.user.type": "Admin", "device.ip": "203.0.113.7",
				"metadata.event_code": typ.Name, "metadata.uid": "id-1", "metadata.tenant_uid": "org-1", "status": "Failure", "time": 1795375440000.0,
			}
		},
		Needed: []string{"CreationTime", "Operation"},
		Sparse: []string{"UserKey,UserId", "ObjectId", "ClientIP", "ModifiedProperties,Parameters", "UserKey,UserId,ObjectId,ClientIP,Workload,Id"},
		Classes: connectortest.UIDs(map[string]float64{
			"UserLoggedIn": 300201, "UserLoginFailed": 300201, "UserLoggedOff": 300202, "MailboxLogin": 300201, "TeamsSessionStarted": 300201,
			"Add user.": 300101, "Add user": 300101, "Delete user.": 300106, "Change user password.": 300103, "Reset user password.": 300104,
			"Update user.": 300199, "Add member to role.": 300501, "Remove member from role.": 300502,
			"Add member to group.": 300603, "Remove member from group.": 300604, "Add-MailboxPermission": 300501,
			"FileAccessed": 600102, "FileDownloaded": 600107, "FileUploaded": 600106, "FileModified": 600103, "FileDeleted": 600104, "SharingSet": 600108,
			"FileSyncDownloadedFull": 600107, "AnonymousLinkCreated": 600101, "PageViewed": 600102, "SearchQueryPerformed": 600105,
			"Consent to application.": 600199, "Set-MailboxImportRequest": 600103, "New-InboxRule": 600101, "MoveToDeletedItems": 600104,
			"DlpRuleMatch": 200401, "DlpRuleUndo": 200402, "AlertTriggered": 200401, "AlertUpdated": 200402,
			"WidgetDeleted": 600104, "Frobnicated": 600199,
		}),
		Edits: edits(records(t)),
		Unheard: func(verb string) connectortest.EventType {
			return connectortest.EventType{Name: "Gadget" + strings.ToUpper(verb[:1]) + verb[1:]}
		},
		Apart: connectortest.Named("UserLoggedIn", "Add member to group.", "x"),
		// They have become ids, names of attributes or parts of them.
		Becomes: []string{
			"Success", "Succeeded", "Failed", "True", "False", "Low", "High", "[2001:db8::1]:52113", "203.0.113.9:49152",
			"UserAgent", "Id", "DisplayName", "OS", "SessionId", "Identity", "User", "AccessRights", "User_1c0a4c9e-02",
			"Role.DisplayName", "Group.ObjectID", "Group.DisplayName", `"Global Reader"`,
		},
		Simulated: func() [][]byte { return simulator.New(simulator.Options{Seed: 7}).M365AuditLogs().Generate(500) },
	}
}

// operations reads a service, a colon, and its operations with commas between.
func operations(line string) []connectortest.EventType {
	_, names, _ := strings.Cut(strings.TrimSpace(line), ": ")
	return connectortest.Named(strings.Split(names, ", ")...)
}

// records are those of the golden file, by operation.
func records(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, line := range connectortest.Lines(t, "ocsf-records.ndjson") {
		var r struct{ Operation string }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		out[r.Operation] = line
	}
	return out
}

// rich is a record of an operation with what most types of record have.
func rich(operation string) string {
	quoted, _ := ocsf.AppendQuoted(nil, operation)
	return `{"CreationTime":"2026-11-22T19:24:00","Id":"id-1","Operation":` + string(quoted) + `,"OrganizationId":"org-1","RecordType":1,"ResultStatus":"Failed",
	"UserKey":"key-1","UserType":2,"Workload":"SharePoint","ClientIP":"203.0.113.7","UserId":"ada@example.com","ObjectId":"bo@example.com",
	"ModifiedProperties":[{"Name":"Role.DisplayName","NewValue":"Reader","OldValue":""},{"Name":"Group.DisplayName","NewValue":"Engineering","OldValue":""}],
	"Parameters":[{"Name":"AccessRights","Value":"FullAccess"}]}`
}

// edits break a record at one place each.
func edits(all map[string]string) []connectortest.Edit {
	shows, edit := connectortest.Shows, connectortest.Edited
	return []connectortest.Edit{
		shows(all["UserLoggedIn"], "user.email_addr", "ada.okafor@contoso.example"),
		// Nobody knows who it was, without whom it is no sign-in.
		shows(all["UserLoginFailed"], "actor", nil),
		shows(all["UserLoginFailed"], "type_uid", 600102.0),
		shows(all["UserLoginFailed"], "unmapped.UserId", "Not Available"),
		shows(all["UserLoginFailed"], "unmapped.UserKey", "Not Available"),
		edit(all["UserLoginFailed"], `"UserId": "Not Available"`, `"UserId": "ada@example.com"`, "type_uid", 300201.0),
		edit(all["UserLoginFailed"], `"UserId": "Not Available"`, `"UserId": "ada@example.com"`, "user.uid", nil),
		edit(all["UserLoginFailed"], `"UserId": "Not Available"`, `"UserId": "ada@example.com"`, "service.name", "AzureActiveDirectory"),
		edit(all["Add user."], `"ObjectId": "zoe.mueller@contoso.example"`, `"ObjectId": "Unknown"`, "user.name", nil),
		shows(all["UserLoggedIn"], "service.uid", "app-1"),
		edit(all["UserLoggedIn"], `"Workload": "AzureActiveDirectory"`, `"ApplicationDisplayName": "Portal"`, "service.name", "Portal"),
		shows(all["UserLoggedIn"], "http_request.user_agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"),
		shows(all["UserLoggedIn"], "device.uid", "dev-1"),
		shows(all["UserLoggedIn"], "device.name", "Laptop Köln"),
		shows(all["UserLoggedIn"], "device.os.type_id", 100.0),
		shows(all["UserLoggedIn"], "session.uid", "s-1"),
		shows(all["UserLoggedIn"], "metadata.correlation_uid", "is-1"),
		shows(all["UserLoggedIn"], "status", "Success"),
		shows(all["UserLoggedIn"], "unmapped.DeviceProperties[3].Value", "Edge"),
		edit(all["UserLoggedIn"], `"ErrorNumber": "0"`, `"LogonError": "Flow"`, "status", "Failure"),
		shows(all["UserLoginFailed"], "status", "Failure"),
		shows(all["UserLoginFailed"], "status_detail", "InvalidUserNameOrPassword"),
		shows(all["UserLoginFailed"], "status_code", "50126"),
		shows(all["UserLoginFailed"], "src_endpoint.ip", "2001:db8::1"),
		shows(all["UserLoginFailed"], "src_endpoint.port", 52113.0),
		shows(all["UserLoginFailed"], "device.ip", "2001:db8::1"),
		shows(all["Add user."], "user.name", "zoe.mueller@contoso.example"),
		shows(all["Add user."], "user.uid", "1c0a4c9e-02"),
		shows(all["Add user."], "unmapped.ClientIP", "<null>"),
		shows(all["Add member to role."], "privileges", "Global Reader"),
		edit(all["Add member to role."], "Role.DisplayName", "Role.TemplateId", "type_uid", 600103.0),
		shows(all["Remove member from group."], "group.name", "営業"),
		shows(all["Remove member from group."], "group.uid", "g-1"),
		shows(all["Remove member from group."], "user.email_addr", "zoe.mueller@contoso.example"),
		shows(all["FileDownloaded"], "web_resources.name", "Übersicht.docx"),
		shows(all["FileDownloaded"], "web_resources.uid", "li-1"),
		shows(all["FileDownloaded"], "web_resources.type", "File"),
		shows(all["FileDownloaded"], "src_endpoint.ip", "203.0.113.9"),
		shows(all["FileDownloaded"], "status", nil),
		shows(all["AddedToGroup"], "group.name", "Site Members"),
		shows(all["AddedToGroup"], "user.email_addr", "zoe.mueller@contoso.example"),
		shows(all["MemberAdded"], "user.name", "Zoë Müller"),
		shows(all["MemberAdded"], "group.name", "Vertrieb 営業"),
		shows(all["Add-MailboxPermission"], "privileges", "FullAccess"),
		shows(all["Add-MailboxPermission"], "user.email_addr", "ada.okafor@contoso.example"),
		shows(all["Add-MailboxPermission"], "resource.name", "zoe"),
		shows(all["Add-MailboxPermission"], "actor.user.type", "Admin"),
		shows(all["New-InboxRule"], "status", "Failure"),
		shows(all["MailItemsAccessed"], "web_resources.name", "zoe.mueller@contoso.example"),
		shows(all["MailItemsAccessed"], "src_endpoint.ip", "2001:db8::7"),
		shows(all["MailItemsAccessed"], "http_request.user_agent", "Client=OWA;Action=ViaProxy"),
		shows(all["MailItemsAccessed"], "actor.user.name", `NT AUTHORITY\SYSTEM (w3wp)`),
		shows(all["MailItemsAccessed"], "actor.user.type", "System"),
		shows(all["Send"], "web_resources.name", "Angebot – 見積り"),
		shows(all["Send"], "actor.session.uid", "s-9"),
		edit(all["Send"], `"SessionId": "s-9"`, `"AppAccessContext": {"AADSessionId": "s-8"}`, "actor.session.uid", "s-8"),
		edit(all["Send"], `"ClientIP"`, `"ActorIpAddress"`, "device.ip", "203.0.113.7"),
		edit(all["x"], `"Id": "1"`, `"ItemName": "Kalender"`, "web_resources.name", "Kalender"),
		shows(all["AlertTriggered"], "finding_info.title", "Elevation of Exchange admin privilege"),
		shows(all["AlertTriggered"], "finding_info.uid", "al-1"),
		shows(all["AlertTriggered"], "severity", "Low"),
		shows(all["DlpRuleMatch"], "finding_info.title", "Finanzdaten"),
		shows(all["DlpRuleMatch"], "severity", "High"),
		shows(all["DlpRuleMatch"], "unmapped.PolicyDetails[0].Rules[0].RuleName", "Low volume"),
		shows(all["AppInstalled"], "activity_name", "Install ThirdParty App"),
		shows(all["AppInstalled"], "web_resources.name", "MicrosoftTeams"),
		shows(all["x"], "web_resources.name", "Microsoft 365"),
		edit(all["x"], "2026-11-22T19:24:00", "2026-11-22T19:24:00.5Z", "time", 1795375440500.0),
	}
}
