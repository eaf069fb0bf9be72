package m365_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/m365"
	"selvedge/internal/encode"
	"selvedge/ocsf"
	"selvedge/ocsf/ocsftest"
	"selvedge/simulator"
)

var updateOCSF = flag.Bool("update", false, "write the golden files of the mapping")

// TestGoldenOCSF: run with -update after a change that is meant. The records
// are of both streams, which their members tell.
func TestGoldenOCSF(t *testing.T) {
	t.Parallel()
	connectortest.Golden(t, m365.App(), "", *updateOCSF)
}

// toOCSF returns the event of a record, which must be valid and not the base
// event.
func toOCSF(t *testing.T, stream, raw string) map[string]any {
	t.Helper()
	line, outcome := encode.NewNormalizer(m365.App()).Append(nil, stream, "", []byte(raw), connectortest.Processed())
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
		if list, ok := value.([]any); ok {
			if len(list) == 0 {
				return nil
			}
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

// records are those of the golden file.
func records(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "ocsf-records.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
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

// activities lists the documented ones.
func activities(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "ocsf-event-types.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(text)) {
		begin, ends, ok := strings.Cut(strings.TrimRight(line, "\n"), ":")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		for end := range strings.SplitSeq(ends, "|") {
			if strings.HasSuffix(begin, "_") {
				end = strings.TrimSpace(end)
			}
			list = append(list, begin+end)
		}
	}
	if len(list) < 350 {
		t.Fatalf("only %d activities", len(list))
	}
	return list
}

// TestActivities: every documented activity is an event of a class, with who,
// from where, when and what, and few are of an activity that has no number.
func TestActivities(t *testing.T) {
	t.Parallel()
	list := activities(t)
	var others []string
	for _, activity := range list {
		e := toOCSF(t, "directory_audits", rich(activity))
		if e["activity_id"] == float64(ocsf.Other) {
			others = append(others, activity)
		}
		for path, want := range map[string]any{
			"actor.user.uid": "u1", "device.ip": "203.0.113.7", "metadata.event_code": activity, "metadata.uid": "D1", "message": activity,
			"status": "Failure", "status_detail": "Because", "time": 1795375440500.0, "metadata.correlation_uid": "c1",
		} {
			if got := at(e, path); got != want {
				t.Errorf("%s: %s is %v", activity, path, got)
			}
		}
	}
	t.Logf("%d of %d activities have no number: %s", len(others), len(list), strings.Join(others, "; "))
	if len(others)*10 > len(list) {
		t.Errorf("%d of %d activities are of no numbered activity", len(others), len(list))
	}
}

func TestClasses(t *testing.T) {
	t.Parallel()
	for activity, want := range map[string]float64{
		"Add user": 300101, "Hard Delete user": 300106, "Disable account": 300105, "Unlock user account (self-service)": 300102,
		"Change password (self-service)": 300103, "Reset password (by admin)": 300104, "Update user": 300199,
		"Add FIDO2 security key": 300110, "User deleted security info": 300111,
		"Add member to role": 300501, "Remove member from role completed (PIM deactivate)": 300502,
		"Add member to role requested (PIM activation)": 600103, "Add member to role request approved (PIM activation)": 300501,
		"Add member to group": 300603, "Remove member from group": 300604, "Delete group": 300605,
		"Consent to application": 600199, "Delete Conditional Access policy": 600104, "GroupLifecyclePolicies_Get": 600102,
		"Never heard of": 600199, "Delete what nobody knows": 600104,
	} {
		if e := toOCSF(t, "directory_audits", rich(activity)); e["type_uid"] != want {
			t.Errorf("%s: %v %v, not %v", activity, e["type_uid"], e["type_name"], want)
		}
	}
}

// TestMembers breaks a record at one place each.
func TestMembers(t *testing.T) {
	t.Parallel()
	lines := records(t)
	signIn, failed := lines[10], lines[11]
	for _, test := range []struct {
		record, from, to, path string
		want                   any
	}{
		{rich("Add user"), "", "", "user.uid", "u2"},
		{rich("Add user"), "", "", "user.email_addr", "bo@example.com"},
		{rich("Add user"), "", "", "user.type", "User"},
		{rich("Add user"), "", "", "actor.user.name", "Ada Okafor"},
		{rich("Add user"), "", "", "actor.invoked_by", "Portal"},
		{rich("Add user"), "", "", "http_request.user_agent", "curl/8"},
		{rich("Add user"), "", "", "unmapped.additionalDetails[1].value", "x"},
		{rich("Add user"), "", "", "unmapped.targetResources[1].displayName", "Engineering"},
		{rich("Add user"), `"failure"`, `"success"`, "status_id", 1.0},
		{rich("Add user"), `"failure"`, `"timeout"`, "status", "timeout"},
		{rich("Add user"), `"User"`, `"Other"`, "type_uid", 600103.0},
		{rich("Add user"), `{"id":"u1","displayName":"Ada Okafor","userPrincipalName":"ada@example.com","ipAddress":"203.0.113.7"}`, `null`, "actor.user.name", "Portal"},
		{rich("Add user"), `{"id":"u1","displayName":"Ada Okafor","userPrincipalName":"ada@example.com","ipAddress":"203.0.113.7"}`, `null`, "actor.user.uid", "a1"},
		{rich("Add user"), `{"id":"u1","displayName":"Ada Okafor","userPrincipalName":"ada@example.com","ipAddress":"203.0.113.7"}`, `null`, "actor.user.type", "System"},
		{rich("Add member to role"), "", "", "privileges", "Reader"},
		{rich("Add member to role"), "", "", "resource.name", "Engineering"},
		{rich("Add member to role"), `Role.DisplayName`, `Role.TemplateId`, "privileges", "Engineering"},
		{rich("Add member to group"), "", "", "group.name", "Engineering"},
		{rich("Update policy"), "", "", "web_resources.uid", "u2"},
		{rich("Update policy"), "", "", "web_resources.type", "User"},
		{signIn, "", "", "type_uid", 300201.0},
		{signIn, "", "", "user.name", "Zoë Müller"},
		{signIn, "", "", "service.name", "Graph Explorer"},
		{signIn, "", "", "device.os.type_id", 100.0},
		{signIn, "", "", "device.location.city", "Köln"},
		{signIn, "", "", "device.is_managed", false},
		{signIn, "", "", "src_endpoint.location.country", "DE"},
		{signIn, "", "", "device.location.coordinates", 6.959},
		{signIn, "", "", "status", "Success"},
		{signIn, "", "", "severity", "Informational"},
		{signIn, "", "", "metadata.event_code", "signIn"},
		{signIn, `"appDisplayName": "Graph Explorer"`, `"appDisplayName": null`, "service.uid", "de8bc8b5-d9f9-48b1-a8ad-b748da725064"},
		{failed, "", "", "status", "Failure"},
		{failed, "", "", "status_code", "50126"},
		{failed, "", "", "severity_id", 3.0},
		{failed, "", "", "is_mfa", true},
		{failed, "", "", "src_endpoint.ip", "2001:db8::7"},
		{lines[12], "", "", "device.uid", "d-1"},
		{lines[12], "", "", "device.is_compliant", true},
		{lines[12], "", "", "service.name", "Microsoft Entra ID"},
		{lines[12], "", "", "unmapped.riskLevelDuringSignIn", "hidden"},
		{lines[13], "", "", "type_uid", 600102.0},
	} {
		record := strings.Replace(test.record, test.from, test.to, 1)
		if test.from != "" && record == test.record {
			t.Fatalf("there is no %s", test.from)
		}
		if got := at(toOCSF(t, "", record), test.path); got != test.want {
			t.Errorf("%s for %s: %s is %v, not %v", test.to, test.from, test.path, got, test.want)
		}
	}
}

// TestNothingLost: every leaf of a record is in the event, in an attribute or
// under its path in unmapped.
func TestNothingLost(t *testing.T) {
	t.Parallel()
	for _, record := range append(records(t), rich("Add user"), rich("Add member to role"), rich("Update policy")) {
		e := toOCSF(t, "", record)
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
			case "User", "failure", "success", "User-Agent", "none", "medium", "multiFactorAuthentication": // they have become ids, or a name
			case "Role.DisplayName", "Group.ObjectID", "Group.DisplayName", `"Reader"`, `"Global Reader"`, `"5b0d"`, `"Köln"`:
			default:
				if quoted, _ := ocsf.AppendQuoted(nil, text); !bytes.Contains(all, bytes.Trim(quoted, `"`)) {
					t.Errorf("%q is nowhere in %s", text, all)
				}
			}
		})
	}
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
	for _, raw := range simulator.New(simulator.Options{Seed: 7}).M365().Generate(500) {
		toOCSF(t, "", string(raw))
	}
}

// FuzzNormalize: any bytes become a valid event.
func FuzzNormalize(f *testing.F) {
	text, err := os.ReadFile(filepath.Join("testdata", "ocsf-records.ndjson"))
	if err != nil {
		f.Fatal(err)
	}
	connectortest.FuzzNormalize(f, m365.App(), "", append(strings.Split(string(text), "\n"), rich("Add member to group"), rich("x"))...)
}
