package google_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/google"
	"selvedge/internal/encode"
	"selvedge/ocsf"
	"selvedge/ocsf/ocsftest"
	"selvedge/simulator"
)

var updateOCSF = flag.Bool("update", false, "write the golden files of the mapping")

// toOCSF returns the event of a record, which must be valid and not the base
// event.
func toOCSF(t *testing.T, raw string) map[string]any {
	t.Helper()
	line, outcome := encode.NewNormalizer(google.App()).Append(nil, "login", "", []byte(raw), connectortest.Processed())
	ocsftest.MustValidate(t, line)
	if outcome.Base {
		t.Fatalf("a base event: %v\n%s", outcome.Why, raw)
	}
	var m map[string]any
	if err := json.Unmarshal(line, &m); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return m
}

// at returns what stands at a path of a decoded event, nil for nothing;
// unmapped has paths for names.
func at(e map[string]any, path string) any {
	if rest, ok := strings.CutPrefix(path, "unmapped."); ok {
		unmapped, _ := e["unmapped"].(map[string]any)
		return unmapped[rest]
	}
	var value any = e
	for name := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// TestGoldenOCSF: run with -update after a change that is meant.
func TestGoldenOCSF(t *testing.T) {
	t.Parallel()
	connectortest.Golden(t, google.App(), "login", *updateOCSF)
}

// eventTypes lists the documented names of events, each with its application.
func eventTypes(t *testing.T) [][2]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "ocsf-event-types.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var types [][2]string
	for line := range strings.Lines(string(text)) {
		application, names, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if strings.HasPrefix(line, "#") || !ok {
			continue
		}
		for name := range strings.FieldsSeq(names) {
			types = append(types, [2]string{application, name})
		}
	}
	if len(types) < 700 {
		t.Fatalf("only %d types", len(types))
	}
	return types
}

// activity has a value in every member that the mapping knows; parameters are
// members of the list, with a comma before each.
func activity(application, name, parameters string) string {
	return `{"kind":"admin#reports#activity","id":{"time":"2026-11-22T19:24:00.500Z","uniqueQualifier":"-213","applicationName":"` + application + `","customerId":"C03"},` +
		`"etag":"x","actor":{"callerType":"USER","email":"ada@example.com","profileId":"11"},"ipAddress":"203.0.113.7","ownerDomain":"example.com",` +
		`"networkInfo":{"ipAsn":[64496],"regionCode":"DE","subdivisionCode":"DE-NW"},` +
		`"events":[{"type":"t","name":"` + name + `","parameters":[{"name":"note","value":"n"}` + parameters + `]},{"type":"t2","name":"second"}]}`
}

const named = `,{"name":"USER_EMAIL","value":"bo@example.com"},{"name":"GROUP_EMAIL","value":"all@example.com"},{"name":"ROLE_NAME","value":"_GROUPS_ADMIN_ROLE"}`

// TestEventTypes: every documented name is an event of a class, with who, from
// where, when and what, and few are of an activity that has no number.
func TestEventTypes(t *testing.T) {
	t.Parallel()
	types, others := eventTypes(t), 0
	for _, it := range types {
		e := toOCSF(t, activity(it[0], it[1], named))
		if e["activity_id"] == float64(ocsf.Other) {
			others++
			t.Logf("no numbered activity: %s %s", it[0], it[1])
		}
		if e["class_uid"] == 0.0 || e["activity_id"] == 0.0 {
			t.Errorf("%s is %v", it[1], e["type_name"])
		}
		for path, want := range map[string]any{
			"actor.user.uid": "11", "actor.user.email_addr": "ada@example.com", "actor.user.type": "User", "device.ip": "203.0.113.7",
			"device.location.country": "DE", "metadata.event_code": it[1], "metadata.uid": "2026-11-22T19:24:00.500Z/-213", "metadata.tenant_uid": "C03",
			"time": 1795375440500.0, "unmapped.events[1].name": "second", "unmapped.events[0].parameters[0].value": "n", "unmapped.ownerDomain": "example.com",
		} {
			if got := at(e, path); got != want {
				t.Errorf("%s: %s is %v, not %v", it[1], path, got, want)
			}
		}
	}
	t.Logf("%d of %d types are of no numbered activity", others, len(types))
	if others*10 > len(types) {
		t.Errorf("%d of %d types are of no numbered activity", others, len(types))
	}
}

func TestClasses(t *testing.T) {
	t.Parallel()
	parameter := func(name, member, value string) string {
		return `,{"name":"` + name + `","` + member + `":` + value + `}`
	}
	for _, test := range []struct {
		application, name, parameters string
		uid                           float64
		activity                      string
		path                          string
		want                          any
	}{
		{"login", "login_success", "", 300201, "Logon", "user.email_addr", "ada@example.com"},
		{"login", "login_success", "", 300201, "Logon", "service.name", "Google"},
		{"login", "login_success", parameter("is_second_factor", "boolValue", "true"), 300201, "Logon", "is_mfa", true},
		{"login", "login_verification", "", 300201, "Logon", "is_mfa", true},
		{"login", "login_failure", parameter("login_failure_type", "value", `"login_failure_invalid_password"`), 300201, "Logon", "status_detail", "login_failure_invalid_password"},
		{"login", "login_success", parameter("login_type", "value", `"saml"`), 300201, "Logon", "auth_protocol", "SAML"},
		{"login", "login_success", parameter("login_type", "value", `"reauth"`), 300201, "Logon", "unmapped.events[0].parameters[1].value", "reauth"},
		{"login", "login_success", parameter("is_second_factor", "boolValue", "false"), 300201, "Logon", "unmapped.events[0].parameters[1].boolValue", "false"},
		{"login", "login_failure", "", 300201, "Logon", "status", "Failure"},
		{"saml", "login_success", parameter("application_name", "value", `"Workday"`), 300201, "Logon", "service.name", "Workday"},
		{"saml", "login_success", "", 300201, "Logon", "auth_protocol", "SAML"},
		{"login", "logout", "", 300202, "Logoff", "status", "Success"},
		{"login", "2sv_enroll", "", 300110, "MFA Factor Enable", "user.uid", "11"},
		{"login", "password_edit", "", 300103, "Password Change", "user.uid", "11"},
		{"login", "account_disabled_hijacked", parameter("affected_email_address", "value", `"bo@example.com"`), 300105, "Disable", "user.email_addr", "bo@example.com"},
		{"login", "gov_attack_warning", "", 200401, "Create", "finding_info.title", "gov_attack_warning"},
		{"admin", "CREATE_USER", named, 300101, "Create", "user.email_addr", "bo@example.com"},
		{"admin", "CREATE_USER", "", 600101, "Create", "web_resources.0.name", "admin"},
		{"admin", "CHANGE_FIRST_NAME", named, 300199, "Update", "user.name", "bo@example.com"},
		{"admin", "ASSIGN_ROLE", named, 300501, "Assign Privileges", "privileges.0", "_GROUPS_ADMIN_ROLE"},
		{"admin", "REVOKE_ADMIN_PRIVILEGE", parameter("USER_EMAIL", "value", `"bo@example.com"`), 300502, "Revoke Privileges", "privileges.0", "ADMIN_PRIVILEGE"},
		{"admin", "ADD_GROUP_MEMBER", named, 300603, "Add User", "group.name", "all@example.com"},
		{"groups", "remove_user", parameter("group_email", "value", `"all@example.com"`) + parameter("user_email", "value", `"bo@example.com"`), 300604, "Remove User", "user.email_addr", "bo@example.com"},
		{"groups", "remove_user", "", 600103, "Update", "web_resources.0.name", "groups"},
		{"drive", "view", parameter("doc_id", "value", `"1x"`) + parameter("doc_title", "value", `"Plan"`) + parameter("doc_type", "value", `"pdf"`), 600102, "Read", "web_resources.0.type", "pdf"},
		{"drive", "edit", "", 600103, "Update", "web_resources.0.name", "drive"},
		{"drive", "create", parameter("doc_id", "value", `"1x"`), 600101, "Create", "web_resources.0.uid", "1x"},
		{"drive", "trash", "", 600104, "Delete", "status", "Success"},
		{"drive", "download", "", 600107, "Export", "status", "Success"},
		{"drive", "upload", "", 600106, "Import", "status", "Success"},
		{"drive", "change_user_access", "", 600108, "Share", "status", "Success"},
		{"drive", "create_script_trigger", "", 600101, "Create", "status", "Success"},
		{"token", "authorize", parameter("client_id", "value", `"c"`) + parameter("app_name", "value", `"A"`), 600199, "Grant App Privileges", "web_resources.0.type", "OAuth app"},
		{"token", "activity", "", 600102, "Read", "status", "Success"},
		{"calendar", "delete_event", parameter("event_id", "value", `"e"`) + parameter("calendar_id", "value", `"c"`), 600104, "Delete", "web_resources.0.uid", "e"},
		{"context_aware_access", "ACCESS_DENY_EVENT", "", 600102, "Read", "status", "Failure"},
		{"meet", "never_heard_of_it", "", 600199, "never_heard_of_it", "web_resources.0.name", "meet"},
	} {
		e := toOCSF(t, activity(test.application, test.name, test.parameters))
		if e["type_uid"] != test.uid || e["activity_name"] != test.activity || at(e, test.path) != test.want {
			t.Errorf("%s %s: %v %v, %s is %v, not %v", test.application, test.name, e["type_uid"], e["activity_name"], test.path, at(e, test.path), test.want)
		}
	}
}

// TestSparse: what little an activity has, its event is valid.
func TestSparse(t *testing.T) {
	t.Parallel()
	for i, it := range eventTypes(t) {
		if i%4 != 0 {
			continue
		}
		for _, without := range []string{"actor", "ipAddress,networkInfo", "actor,ipAddress"} {
			var m map[string]any
			if err := json.Unmarshal([]byte(activity(it[0], it[1], "")), &m); err != nil {
				t.Fatal(err)
			}
			for name := range strings.SplitSeq(without, ",") {
				delete(m, name)
			}
			raw, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			toOCSF(t, string(raw))
		}
	}
	e := toOCSF(t, `{"id":{"time":"2026-11-22T19:24:00Z"},"actor":{"callerType":"KEY","key":"SYSTEM"},"events":[{"name":"CREATE_GROUP"}]}`)
	if at(e, "actor.invoked_by") != "SYSTEM" || at(e, "metadata.uid") != nil || at(e, "web_resources.0.name") != "Google Workspace" {
		t.Errorf("%v", e)
	}
}

// TestSimulated: whatever the simulated Workspace shows is an event of a class.
func TestSimulated(t *testing.T) {
	t.Parallel()
	for _, raw := range simulator.New(simulator.Options{}).Google().Generate(500) {
		toOCSF(t, string(raw))
	}
}

// FuzzNormalize: any bytes become a valid event.
func FuzzNormalize(f *testing.F) {
	connectortest.FuzzNormalize(f, google.App(), "login", activity("login", "login_success", ""), activity("admin", "ASSIGN_ROLE", named), activity("drive", "view", ""), `{"events":[]}`, `{"events":[{}],"id":{"time":"2026-11-22T19:24:00Z"}}`)
}
