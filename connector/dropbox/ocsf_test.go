package dropbox_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/dropbox"
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
	line, outcome := encode.NewNormalizer(dropbox.App()).Append(nil, "team_events", "", []byte(raw), connectortest.Processed())
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
	connectortest.Golden(t, dropbox.App(), "team_events", *updateOCSF)
}

// eventTypes lists the documented types.
func eventTypes(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "ocsf-event-types.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] == "#" {
			continue
		}
		for _, end := range words[2:] {
			types = append(types, strings.TrimPrefix(words[1], "-")+end)
		}
	}
	if len(types) < 500 {
		t.Fatalf("only %d types", len(types))
	}
	return types
}

// record is an event with a value in every member that the mapping knows.
func record(eventType string) string {
	member := func(id, name, email string) string {
		return `".tag":"team_member","account_id":"dbid:` + id + `","display_name":"` + name + `","email":"` + email + `","team_member_id":"dbmid:` + id + `"`
	}
	return `{"timestamp":"2026-11-22T19:24:00Z","event_category":{".tag":"x"},` +
		`"actor":{".tag":"user","user":{` + member("1", "Ada Okafor", "ada@example.com") + `}},` +
		`"origin":{"geo_location":{"city":"Köln","region":"NRW","country":"DE","ip_address":"203.0.113.7"},` +
		`"access_method":{".tag":"end_user","end_user":{".tag":"web","session_id":"dbwsid:9"}}},"involve_non_team_member":false,` +
		`"context":{` + member("2", "Bo Smith", "bo@example.com") + `},` +
		`"participants":[{".tag":"group","group_id":"g:1","display_name":"Vertrieb"},{".tag":"user","user":{` + member("3", "Cy Zak", "cy@example.com") + `}}],` +
		`"assets":[{".tag":"file","path":{"contextual":"/Büro.pdf"},"display_name":"Büro.pdf","file_id":"id:7","file_size":12}],` +
		`"event_type":{".tag":"` + eventType + `","description":"Something happened"},` +
		`"details":{".tag":"` + eventType + `_details","new_value":{".tag":"team_admin"},"login_method":{".tag":"saml"},"user_agent":"Mozilla/5.0",` +
		`"error_details":{"user_friendly_message":"because"},"alert_name":"Mass deletion","alert_instance_id":"a1","alert_severity":{".tag":"high"}}}`
}

// TestEventTypes: every documented type is an event of a class, with who, from
// where, when and what, and few are of an activity that has no number.
func TestEventTypes(t *testing.T) {
	t.Parallel()
	types, others := eventTypes(t), 0
	for _, eventType := range types {
		e := toOCSF(t, record(eventType))
		if e["activity_id"] == float64(ocsf.Other) {
			others++
			t.Logf("%s is %v", eventType, e["type_name"])
		}
		if e["class_uid"] == 0.0 || e["activity_id"] == 0.0 {
			t.Errorf("%s is %v", eventType, e["type_name"])
		}
		for path, want := range map[string]any{
			"actor.user.uid": "dbmid:1", "actor.user.email_addr": "ada@example.com", "device.ip": "203.0.113.7", "device.location.city": "Köln",
			"metadata.event_code": eventType, "time": 1795375440000.0, "message": "Something happened", "status_detail": "because",
		} {
			if got := at(e, path); got != want {
				t.Errorf("%s: %s is %v", eventType, path, got)
			}
		}
	}
	t.Logf("%d of %d types are of no numbered activity, %.1f %%", others, len(types), 100*float64(others)/float64(len(types)))
	if others*10 > len(types) {
		t.Errorf("%d of %d types are of no numbered activity", others, len(types))
	}
}

// TestSparseRecords: what little an event has, its OCSF is valid, and not the
// base event while it has a type and a time.
func TestSparseRecords(t *testing.T) {
	t.Parallel()
	for _, eventType := range eventTypes(t) {
		for _, without := range []string{"participants", "actor,context", "assets,participants", "origin", "actor,context,participants,assets,details,origin"} {
			var m map[string]any
			if err := json.Unmarshal([]byte(record(eventType)), &m); err != nil {
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
}

// TestObserved: what AppFabric was seen to make of a type.
func TestObserved(t *testing.T) {
	t.Parallel()
	for eventType, want := range map[string]struct {
		uid  float64
		name string
	}{
		"app_link_team": {600199, "Other"}, "app_link_user": {600199, "Other"}, "device_change_ip_web": {600103, "Update"},
		"export_members_report": {600107, "Export"}, "file_add": {600106, "Import"}, "file_download": {600107, "Export"},
		"file_preview": {600102, "Read"}, "login_success": {300201, "Logon"}, "logout": {300202, "Logoff"},
		"member_change_admin_role": {300501, "Assign Privileges"}, "member_change_status": {300199, "Update"},
		"shared_link_create": {600101, "Create"}, "shared_link_download": {600107, "Export"},
	} {
		e := toOCSF(t, record(eventType))
		if e["type_uid"] != want.uid || e["activity_name"] != want.name {
			t.Errorf("%s is %v %v, want %v %s", eventType, e["type_uid"], e["activity_name"], want.uid, want.name)
		}
	}
}

// TestMembers: who and what an event is about.
func TestMembers(t *testing.T) {
	t.Parallel()
	edit := func(eventType string, pairs ...string) string {
		return strings.NewReplacer(pairs...).Replace(record(eventType))
	}
	for _, test := range []struct {
		raw  string
		want map[string]any
	}{
		{record("file_download"), map[string]any{
			"web_resources.0.name": "Büro.pdf", "web_resources.0.uid": "id:7", "web_resources.0.type": "file", "status": "Success",
			"device.type": "web", "device.type_id": 99.0, "http_request.user_agent": "Mozilla/5.0", "actor.session.uid": "dbwsid:9",
			"unmapped.assets[0].path.contextual": "/Büro.pdf", "unmapped.event_category..tag": "x",
		}},
		{record("group_add_member"), map[string]any{"group.uid": "g:1", "group.name": "Vertrieb", "user.uid": "dbmid:3", "type_uid": 300603.0}},
		{record("member_change_admin_role"), map[string]any{"privileges.0": "team_admin", "user.email_addr": "cy@example.com"}},
		{edit("login_fail", `{".tag":"user","user":{`, `{".tag":"x","x":{`), map[string]any{
			"user.uid": "dbmid:2", "auth_protocol": "SAML", "service.name": "Dropbox", "status": "Failure", "status_detail": "because",
		}},
		{edit("login_success", `"saml"`, `"two_factor_authentication"`), map[string]any{"is_mfa": true}},
		{edit("login_success", `"saml"`, `"google_oauth"`), map[string]any{"auth_protocol": "OAUTH 2.0", "unmapped.details.login_method..tag": "google_oauth"}},
		{edit("tfa_change_status", `"team_admin"`, `"disabled"`), map[string]any{"type_uid": 300111.0}},
		{edit("tfa_change_status", `"team_admin"`, `"authenticator"`), map[string]any{"type_uid": 300110.0}},
		{edit("account_lock_or_unlocked", `"team_admin"`, `"unlocked"`), map[string]any{"type_uid": 300102.0}},
		{edit("account_lock_or_unlocked", `"team_admin"`, `"locked"`), map[string]any{"type_uid": 300109.0}},
		{record("admin_alerting_triggered_alert"), map[string]any{"type_uid": 200401.0, "severity": "High", "finding_info.title": "Mass deletion", "finding_info.uid": "a1"}},
		{edit("password_reset", `{".tag":"user","user":{`, `{".tag":"dropbox","x":{`), map[string]any{"type_uid": 300104.0, "user.uid": "dbmid:2"}},
		{edit("file_add", `{".tag":"user","user":{".tag":"team_member","account_id":"dbid:1"`, `{".tag":"admin","admin":{".tag":"team_member","account_id":"dbid:1"`), map[string]any{
			"actor.user.type": "Admin", "actor.user.uid": "dbmid:1",
		}},
		{`{"timestamp":"2026-11-22T19:24:00Z","actor":{".tag":"app","app":{".tag":"team_linked_app","display_name":"SIEM"}},"event_type":{".tag":"file_add"}}`, map[string]any{
			"actor.invoked_by": "SIEM", "web_resources.0.name": "Dropbox",
		}},
		{`{"timestamp":"2026-11-22T19:24:00Z","event_type":{".tag":"app_link_user"},"details":{"app_info":{".tag":"user_linked_app","app_id":"dbaid:1","display_name":"日程"}}}`, map[string]any{
			"web_resources.0.name": "日程", "web_resources.0.uid": "dbaid:1", "web_resources.0.type": "user_linked_app",
		}},
		{`{"timestamp":"2026-11-22T19:24:00Z","event_type":{".tag":"widget_frobnicated_and_deleted"}}`, map[string]any{"type_uid": 600104.0}},
	} {
		e := toOCSF(t, test.raw)
		for path, want := range test.want {
			if got := at(e, path); got != want {
				t.Errorf("%s of %v is %v, want %v", path, at(e, "metadata.event_code"), got, want)
			}
		}
	}
}

// TestSimulated: what the simulated team logs becomes valid events, none of them
// the base event.
func TestSimulated(t *testing.T) {
	t.Parallel()
	server := simulator.New(simulator.Options{Now: func() time.Time { return now }})
	for _, raw := range server.Dropbox().Generate(500) {
		toOCSF(t, string(raw))
	}
}

func FuzzNormalize(f *testing.F) {
	connectortest.FuzzNormalize(f, dropbox.App(), "team_events", record("file_add"), record("login_success"), record("group_add_member"))
}
