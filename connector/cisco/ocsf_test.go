package cisco_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"selvedge/connector/cisco"
	"selvedge/connector/connectortest"
	"selvedge/internal/encode"
	"selvedge/ocsf"
	"selvedge/ocsf/ocsftest"
	"selvedge/simulator"
)

var updateOCSF = flag.Bool("update", false, "write the golden files of the mapping")

// TestGoldenOCSF: run with -update after a change that is meant.
func TestGoldenOCSF(t *testing.T) {
	t.Parallel()
	connectortest.Golden(t, cisco.App(), "admin_audit", *updateOCSF)
}

// toOCSF returns the event of a record, which must be valid and not the base
// event.
func toOCSF(t *testing.T, raw string) map[string]any {
	t.Helper()
	line, outcome := encode.NewNormalizer(cisco.App()).Append(nil, "admin_audit", "", []byte(raw), connectortest.Processed())
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
	return value
}

func lines(t testing.TB, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
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

// TestDescriptions: every known description is an event of a class, with who,
// from where, when and what, and few are of an activity that has no number but
// those that AppFabric has none for either.
func TestDescriptions(t *testing.T) {
	t.Parallel()
	observed := map[string]bool{"a user attempted logging in": true, "a user attempted logging out": true, "user was updated": true}
	known, others := 0, []string{}
	for _, description := range lines(t, "ocsf-event-types.txt") {
		if strings.HasPrefix(description, "#") {
			continue
		}
		known++
		e := toOCSF(t, rich(description))
		lower := strings.ToLower(description)
		if e["activity_id"] == float64(ocsf.Other) && !observed[lower] {
			others = append(others, description)
		}
		for path, want := range map[string]any{
			"actor.user.uid": "a1", "device.ip": "203.0.113.7", "metadata.event_code": lower, "metadata.uid": "e1", "metadata.tenant_uid": "o1",
			"status": "Failure", "time": 1795375440500.0,
		} {
			if got := at(e, path); got != want {
				t.Errorf("%s: %s is %v", description, path, got)
			}
		}
	}
	t.Logf("%d of %d descriptions have no number: %s", len(others), known, strings.Join(others, "; "))
	if known < 30 || len(others)*10 > known {
		t.Errorf("%d of %d descriptions are of no numbered activity", len(others), known)
	}
}

// TestObserved: what AppFabric was seen to make of a description, and the like.
func TestObserved(t *testing.T) {
	t.Parallel()
	for description, want := range map[string]float64{
		"A user attempted logging in": 600199, "A user attempted logging out": 600199, "User was updated": 600199,
		"An Admin logged in": 300201, "An user logged in": 300201, "memberships created": 300101, "User was deleted": 300106,
		// 3005 needs a privilege, which such an event does not name.
		"Admin has revoked an account from an external user": 600103,
		// Not observed.
		"memberships deleted": 300106, "A user logged out": 300202, "User was added": 300101, "Group was deleted": 600104,
		"Recording was downloaded": 600107, "Something never heard of": 600199,
	} {
		if e := toOCSF(t, rich(description)); e["type_uid"] != want {
			t.Errorf("%s: %v %v, not %v", description, e["type_uid"], e["type_name"], want)
		}
	}
}

// TestMembers breaks a record at one place each.
func TestMembers(t *testing.T) {
	t.Parallel()
	all := lines(t, "ocsf-records.ndjson")
	for _, test := range []struct {
		record         int
		from, to, path string
		want           any
	}{
		{0, "", "", "actor.user.name", "Zoë Müller"},
		{0, "", "", "actor.user.email_addr", "zoe.mueller@example.com"},
		{0, "", "", "actor.user.type", "Admin"},
		{0, "", "", "user.name", "Zoë Müller"},
		{0, "", "", "service.name", "Webex"},
		{0, "", "", "message", "Zoë Müller an admin logged in"},
		{0, "", "", "metadata.correlation_uid", "ATLAS_6f23a878_0"},
		{0, "", "", "http_request.user_agent", "Mozilla/5.0 (Macintosh)"},
		{0, "", "", "src_endpoint.ip", "203.0.113.7"},
		{0, "", "", "status", nil},
		{0, "", "", "unmapped.data.eventDescription", "An Admin logged in"},
		{0, "", "", "unmapped.data.targetName", "Acme"},
		{0, `"User", "Full_Admin"`, `"User"`, "actor.user.type", "User"},
		{0, `["User", "Full_Admin"]`, `[]`, "actor.user.type", nil},
		{1, "", "", "service.name", "Developer Portal"},
		{1, "", "", "status", "Success"},
		{2, "", "", "status", "Failure"},
		{2, "", "", "status_detail", "Invalid password"},
		{2, "", "", "activity_name", "Other"},
		{2, "", "", "web_resources.name", "Acme GmbH & Co. KG"},
		{3, "", "", "status", "N/A"},
		{3, "", "", "src_endpoint.ip", "2001:db8::7"},
		{4, "", "", "user.uid", "Y2lzT-2"},
		{4, "", "", "user.email_addr", "taro.yamada@example.co.jp"},
		{4, `"USER"`, `"ORG"`, "type_uid", 600103.0},
		{5, "", "", "web_resources.uid", "Y2lzT-2"},
		{5, "", "", "web_resources.type", "USER"},
		{6, "", "", "status", "Failure"},
		{6, "", "", "status_code", "400"},
		{6, "", "", "status_detail", "User already exists"},
		{7, "", "", "web_resources.name", "営業"},
		{10, "", "", "metadata.event_code", "memberships created"},
		{10, "", "", "user.name", "太郎 山田"},
		{10, "", "", "user.uid", "p-2"},
		{10, "", "", "unmapped.data.roomId", "r-1"},
		{11, "", "", "type_uid", 600103.0},
		{11, "", "", "web_resources.name", "Webex"},
	} {
		record := strings.Replace(all[test.record], test.from, test.to, 1)
		if test.from != "" && record == all[test.record] {
			t.Fatalf("there is no %s", test.from)
		}
		if got := at(toOCSF(t, record), test.path); got != test.want {
			t.Errorf("%d, %s: %s is %v, not %v", test.record, test.to, test.path, got, test.want)
		}
	}
}

// TestNothingLost: every leaf of a record is in the event, in an attribute or
// under its path in unmapped.
func TestNothingLost(t *testing.T) {
	t.Parallel()
	for _, record := range lines(t, "ocsf-records.ndjson") {
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
			case "SUCCESS", "FAILURE", "USER": // they have become ids
			case "memberships", "created", "deleted": // parts of the code
			default:
				quoted, err := json.Marshal(text)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Contains(all, bytes.Trim(quoted, `"`)) {
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
	for _, raw := range simulator.New(simulator.Options{Seed: 7}).Cisco().Generate(500) {
		toOCSF(t, string(raw))
	}
}

// FuzzNormalize: any bytes become a valid event.
func FuzzNormalize(f *testing.F) {
	connectortest.FuzzNormalize(f, cisco.App(), "admin_audit", append(lines(f, "ocsf-records.ndjson"), rich("An Admin logged in"), rich("x"))...)
}
