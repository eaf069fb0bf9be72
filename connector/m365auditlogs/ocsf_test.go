package m365auditlogs_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/m365auditlogs"
	"selvedge/internal/encode"
	"selvedge/ocsf"
	"selvedge/ocsf/ocsftest"
	"selvedge/simulator"
)

var updateOCSF = flag.Bool("update", false, "write the golden files of the mapping")

// TestGoldenOCSF: run with -update after a change that is meant.
func TestGoldenOCSF(t *testing.T) {
	t.Parallel()
	connectortest.Golden(t, m365auditlogs.App(), "general", *updateOCSF)
}

// toOCSF returns the event of a record, which must be valid and not the base
// event.
func toOCSF(t *testing.T, raw string) map[string]any {
	t.Helper()
	line, outcome := encode.NewNormalizer(m365auditlogs.App()).Append(nil, "general", "", []byte(raw), connectortest.Processed())
	ocsftest.MustValidate(t, line)
	if outcome.Base {
		t.Fatalf("a base event: %v\n%s", outcome.Why, raw)
	}
	var e map[string]any
	if err := json.Unmarshal(line, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// at returns what stands at a path; unmapped has paths for names, and of a list
// the first element counts.
func at(value any, path string) any {
	for value != nil && path != "" {
		if list, ok := value.([]any); ok && len(list) > 0 {
			value = list[0]
		}
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		if rest, ok := strings.CutPrefix(path, "unmapped."); ok {
			inner, _ := object["unmapped"].(map[string]any)
			return inner[rest]
		}
		var name string
		name, path, _ = strings.Cut(path, ".")
		value = object[name]
	}
	if list, ok := value.([]any); ok && len(list) > 0 {
		return list[0]
	}
	return value
}

// records are those of the golden file, by operation.
func records(t testing.TB) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "ocsf-records.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		var r struct{ Operation string }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		out[r.Operation] = strings.TrimSpace(line)
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

// operations lists the documented ones.
func operations(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "ocsf-event-types.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(text)) {
		if _, names, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && !strings.HasPrefix(line, "#") {
			list = append(list, strings.Split(names, ", ")...)
		}
	}
	if len(list) < 350 {
		t.Fatalf("only %d operations", len(list))
	}
	return list
}

// TestOperations: every documented operation is an event of a class, with who,
// from where, when and what, and few are of an activity that has no number.
func TestOperations(t *testing.T) {
	t.Parallel()
	list := operations(t)
	var others []string
	for _, operation := range list {
		e := toOCSF(t, rich(operation))
		if e["activity_id"] == float64(ocsf.Other) {
			others = append(others, operation)
		}
		for path, want := range map[string]any{
			"actor.user.uid": "key-1", "actor.user.email_addr": "ada@example.com", "actor.user.type": "Admin", "device.ip": "203.0.113.7",
			"metadata.event_code": operation, "metadata.uid": "id-1", "metadata.tenant_uid": "org-1", "status": "Failure", "time": 1795375440000.0,
		} {
			if got := at(e, path); got != want {
				t.Errorf("%s: %s is %v", operation, path, got)
			}
		}
	}
	t.Logf("%d of %d operations have no number: %s", len(others), len(list), strings.Join(others, "; "))
	if len(others)*10 > len(list) {
		t.Errorf("%d of %d operations are of no numbered activity", len(others), len(list))
	}
}

func TestClasses(t *testing.T) {
	t.Parallel()
	for operation, want := range map[string]float64{
		"UserLoggedIn": 300201, "UserLoginFailed": 300201, "UserLoggedOff": 300202, "MailboxLogin": 300201, "TeamsSessionStarted": 300201,
		"Add user.": 300101, "Add user": 300101, "Delete user.": 300106, "Change user password.": 300103, "Reset user password.": 300104,
		"Update user.": 300199, "Add member to role.": 300501, "Remove member from role.": 300502,
		"Add member to group.": 300603, "Remove member from group.": 300604, "Add-MailboxPermission": 300501,
		"FileAccessed": 600102, "FileDownloaded": 600107, "FileUploaded": 600106, "FileModified": 600103, "FileDeleted": 600104, "SharingSet": 600108,
		"FileSyncDownloadedFull": 600107, "AnonymousLinkCreated": 600101, "PageViewed": 600102, "SearchQueryPerformed": 600105,
		"Consent to application.": 600199, "Set-MailboxImportRequest": 600103, "New-InboxRule": 600101, "MoveToDeletedItems": 600104,
		"DlpRuleMatch": 200401, "DlpRuleUndo": 200402, "AlertTriggered": 200401, "AlertUpdated": 200402,
		"WidgetDeleted": 600104, "Frobnicated": 600199,
	} {
		if e := toOCSF(t, rich(operation)); e["type_uid"] != want {
			t.Errorf("%s: %v %v, not %v", operation, e["type_uid"], e["type_name"], want)
		}
	}
}

// TestMembers breaks a record at one place each.
func TestMembers(t *testing.T) {
	t.Parallel()
	all := records(t)
	for _, test := range []struct {
		operation, from, to, path string
		want                      any
	}{
		{"UserLoggedIn", "", "", "user.email_addr", "ada.okafor@contoso.example"},
		{"UserLoginFailed", "", "", "service.name", "AzureActiveDirectory"},
		{"UserLoggedIn", "", "", "service.uid", "app-1"},
		{"UserLoggedIn", `"Workload": "AzureActiveDirectory"`, `"ApplicationDisplayName": "Portal"`, "service.name", "Portal"},
		{"UserLoggedIn", "", "", "http_request.user_agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"},
		{"UserLoggedIn", "", "", "device.uid", "dev-1"},
		{"UserLoggedIn", "", "", "device.name", "Laptop Köln"},
		{"UserLoggedIn", "", "", "device.os.type_id", 100.0},
		{"UserLoggedIn", "", "", "session.uid", "s-1"},
		{"UserLoggedIn", "", "", "metadata.correlation_uid", "is-1"},
		{"UserLoggedIn", "", "", "status", "Success"},
		{"UserLoggedIn", "", "", "unmapped.DeviceProperties[3].Value", "Edge"},
		{"UserLoggedIn", `"ErrorNumber": "0"`, `"LogonError": "Flow"`, "status", "Failure"},
		{"UserLoginFailed", "", "", "status", "Failure"},
		{"UserLoginFailed", "", "", "status_detail", "InvalidUserNameOrPassword"},
		{"UserLoginFailed", "", "", "status_code", "50126"},
		{"UserLoginFailed", "", "", "src_endpoint.ip", "2001:db8::1"},
		{"UserLoginFailed", "", "", "src_endpoint.port", 52113.0},
		{"UserLoginFailed", "", "", "device.ip", "2001:db8::1"},
		{"Add user.", "", "", "user.name", "zoe.mueller@contoso.example"},
		{"Add user.", "", "", "user.uid", "1c0a4c9e-02"},
		{"Add user.", "", "", "unmapped.ClientIP", "<null>"},
		{"Add member to role.", "", "", "privileges", "Global Reader"},
		{"Add member to role.", "Role.DisplayName", "Role.TemplateId", "type_uid", 600103.0},
		{"Remove member from group.", "", "", "group.name", "営業"},
		{"Remove member from group.", "", "", "group.uid", "g-1"},
		{"Remove member from group.", "", "", "user.email_addr", "zoe.mueller@contoso.example"},
		{"FileDownloaded", "", "", "web_resources.name", "Übersicht.docx"},
		{"FileDownloaded", "", "", "web_resources.uid", "li-1"},
		{"FileDownloaded", "", "", "web_resources.type", "File"},
		{"FileDownloaded", "", "", "src_endpoint.ip", "203.0.113.9"},
		{"FileDownloaded", "", "", "status", nil},
		{"AddedToGroup", "", "", "group.name", "Site Members"},
		{"AddedToGroup", "", "", "user.email_addr", "zoe.mueller@contoso.example"},
		{"MemberAdded", "", "", "user.name", "Zoë Müller"},
		{"MemberAdded", "", "", "group.name", "Vertrieb 営業"},
		{"Add-MailboxPermission", "", "", "privileges", "FullAccess"},
		{"Add-MailboxPermission", "", "", "user.email_addr", "ada.okafor@contoso.example"},
		{"Add-MailboxPermission", "", "", "resource.name", "zoe"},
		{"Add-MailboxPermission", "", "", "actor.user.type", "Admin"},
		{"New-InboxRule", "", "", "status", "Failure"},
		{"MailItemsAccessed", "", "", "web_resources.name", "zoe.mueller@contoso.example"},
		{"MailItemsAccessed", "", "", "src_endpoint.ip", "2001:db8::7"},
		{"MailItemsAccessed", "", "", "http_request.user_agent", "Client=OWA;Action=ViaProxy"},
		{"MailItemsAccessed", "", "", "actor.user.name", `NT AUTHORITY\SYSTEM (w3wp)`},
		{"MailItemsAccessed", "", "", "actor.user.type", "System"},
		{"Send", "", "", "web_resources.name", "Angebot – 見積り"},
		{"Send", "", "", "actor.session.uid", "s-9"},
		{"AlertTriggered", "", "", "finding_info.title", "Elevation of Exchange admin privilege"},
		{"AlertTriggered", "", "", "finding_info.uid", "al-1"},
		{"AlertTriggered", "", "", "severity", "Low"},
		{"DlpRuleMatch", "", "", "finding_info.title", "Finanzdaten"},
		{"DlpRuleMatch", "", "", "severity", "High"},
		{"DlpRuleMatch", "", "", "unmapped.PolicyDetails[0].Rules[0].RuleName", "Low volume"},
		{"AppInstalled", "", "", "activity_name", "Install ThirdParty App"},
		{"AppInstalled", "", "", "web_resources.name", "MicrosoftTeams"},
		{"x", "", "", "web_resources.name", "Microsoft 365"},
		{"x", "2026-11-22T19:24:00", "2026-11-22T19:24:00.5Z", "time", 1795375440500.0},
	} {
		record := strings.Replace(all[test.operation], test.from, test.to, 1)
		if test.from != "" && record == all[test.operation] {
			t.Fatalf("there is no %s", test.from)
		}
		if got := at(toOCSF(t, record), test.path); got != test.want {
			t.Errorf("%s, %s: %s is %v, not %v", test.operation, test.to, test.path, got, test.want)
		}
	}
}

// TestNothingLost: every leaf of a record is in the event, in an attribute or
// under its path in unmapped.
func TestNothingLost(t *testing.T) {
	t.Parallel()
	for operation, record := range records(t) {
		e := toOCSF(t, record)
		delete(e, "raw_data")
		all, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var root any
		if err := json.Unmarshal([]byte(record), &root); err != nil {
			t.Fatal(err)
		}
		leaves(root, func(text string) {
			switch text {
			// They have become ids, names of attributes or parts of them.
			case "Success", "Succeeded", "True", "False", "Low", "High", "2026-11-22T19:24:00", "[2001:db8::1]:52113", "203.0.113.9:49152":
			case "UserAgent", "Id", "DisplayName", "OS", "SessionId", "Identity", "User", "AccessRights", "User_1c0a4c9e-02":
			case "Role.DisplayName", "Group.ObjectID", "Group.DisplayName", `"Global Reader"`:
			default:
				if quoted, _ := ocsf.AppendQuoted(nil, text); !bytes.Contains(all, marshalled(t, quoted)) {
					t.Errorf("%s: %q is nowhere in %s", operation, text, all)
				}
			}
		})
	}
}

// marshalled is a quoted text as json.Marshal writes it, without the quotes.
func marshalled(t *testing.T, quoted []byte) []byte {
	t.Helper()
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Trim(b, `"`)
}

func leaves(value any, yield func(string)) {
	switch v := value.(type) {
	case map[string]any:
		for _, one := range v {
			leaves(one, yield)
		}
	case []any:
		for _, one := range v {
			leaves(one, yield)
		}
	case string:
		if v != "" {
			yield(v)
		}
	}
}

// TestSimulatedRecords: whatever the simulated feeds show is an event of a class.
func TestSimulatedRecords(t *testing.T) {
	t.Parallel()
	for _, raw := range simulator.New(simulator.Options{Seed: 7}).M365AuditLogs().Generate(500) {
		toOCSF(t, string(raw))
	}
}

// FuzzNormalize: any bytes become a valid event.
func FuzzNormalize(f *testing.F) {
	seeds := []string{rich("UserLoggedIn"), rich("Add member to group."), rich("x")}
	for _, record := range records(f) {
		seeds = append(seeds, record)
	}
	connectortest.FuzzNormalize(f, m365auditlogs.App(), "general", seeds...)
}
