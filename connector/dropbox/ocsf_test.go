package dropbox_test

import (
	"flag"
	"strings"
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/dropbox"
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
		App: dropbox.App(), Stream: "team_events", Update: *update, Tables: dropbox.Tables(),
		Types: connectortest.KindAndEnds, AtLeast: 500,
		Record: func(typ connectortest.EventType) string { return record(typ.Name) },
		Filled: func(typ connectortest.EventType) map[string]any {
			return map[string]any{
				"actor.user.uid": "dbmid:1", "actor.user.email_addr": "ada@example.com", "device.ip": "203.0.113.7", "device.location.city": "Köln",
				"metadata.event_code": typ.Name, "time": 1795375440000.0, "message": "Something happened", "status_detail": "because",
			}
		},
		Needed:  []string{"timestamp", "event_type..tag"},
		Sparse:  []string{"participants", "actor,context", "assets,participants", "origin", "actor,context,participants,assets,details,origin"},
		Classes: classes(),
		Edits:   edits(),
		Unheard: func(verb string) connectortest.EventType { return connectortest.EventType{Name: "gadget_" + verb} },
		Apart:   connectortest.Named("file_add", "login_success", "group_add_member", "member_change_admin_role", "admin_alerting_triggered_alert"),
		Becomes: []string{"team_member", "admin", "user", "desktop", "mobile", "high", "saml", "two_factor_authentication"},
		Silent:  []string{"context..tag"}, // a member of the team is a user, as others are
		Simulated: func() [][]byte {
			return simulator.New(simulator.Options{Now: func() time.Time { return now }}).Dropbox().Generate(500)
		},
	}
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

// classes: what AppFabric was seen to make of a type.
func classes() []connectortest.Class {
	return []connectortest.Class{
		{Type: connectortest.EventType{Name: "delete_team_invite_link"}, UID: 600104, Name: "Delete"}, // not observed
		{Type: connectortest.EventType{Name: "app_link_team"}, UID: 600199, Name: "Other"},
		{Type: connectortest.EventType{Name: "app_link_user"}, UID: 600199, Name: "Other"},
		{Type: connectortest.EventType{Name: "device_change_ip_web"}, UID: 600103, Name: "Update"},
		{Type: connectortest.EventType{Name: "export_members_report"}, UID: 600107, Name: "Export"},
		{Type: connectortest.EventType{Name: "file_add"}, UID: 600106, Name: "Import"},
		{Type: connectortest.EventType{Name: "file_download"}, UID: 600107, Name: "Export"},
		{Type: connectortest.EventType{Name: "file_preview"}, UID: 600102, Name: "Read"},
		{Type: connectortest.EventType{Name: "login_success"}, UID: 300201, Name: "Logon"},
		{Type: connectortest.EventType{Name: "logout"}, UID: 300202, Name: "Logoff"},
		{Type: connectortest.EventType{Name: "member_change_admin_role"}, UID: 300501, Name: "Assign Privileges"},
		{Type: connectortest.EventType{Name: "member_change_status"}, UID: 300199, Name: "Update"},
		{Type: connectortest.EventType{Name: "shared_link_create"}, UID: 600101, Name: "Create"},
		{Type: connectortest.EventType{Name: "shared_link_download"}, UID: 600107, Name: "Export"},
	}
}

// edits: who and what an event is about.
func edits() []connectortest.Edit {
	edited := func(eventType string, pairs ...string) string {
		return strings.NewReplacer(pairs...).Replace(record(eventType))
	}
	var list []connectortest.Edit
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
		{edited("login_fail", `{".tag":"user","user":{`, `{".tag":"x","x":{`), map[string]any{
			"user.uid": "dbmid:2", "auth_protocol": "SAML", "service.name": "Dropbox", "status": "Failure", "status_detail": "because",
		}},
		{edited("login_fail", "user_friendly_message", "technical_error_message"), map[string]any{"status_detail": "because"}},
		{edited("login_fail", `"error_details":{"user_friendly_message":"because"}`, `"failure_reason":"no"`), map[string]any{"status_detail": "no"}},
		{edited("file_add", `"team_member_id":"dbmid:1"`, `"x":1`), map[string]any{"actor.user.uid": "dbid:1"}},
		{edited("file_add", `{".tag":"user","user":{`, `{".tag":"admin","admin":{`, `"team_member_id":"dbmid:1"`, `"x":1`), map[string]any{"actor.user.uid": "dbid:1"}},
		{edited("file_add", `"file_id":"id:7"`, `"folder_name":"Büro"`), map[string]any{"web_resources.0.uid": "Büro"}},
		{edited("file_add", `"file_id":"id:7"`, `"showcase_id":"s:1"`), map[string]any{"web_resources.0.uid": "s:1"}},
		{edited("device_link_success", `"new_value"`, `"device_session_info":{".tag":"mobile_device_session","device_name":"Telefon"},"new_value"`, `"assets":[{`, `"x":[{`), map[string]any{
			"web_resources.0.name": "Telefon",
		}},
		{`{"timestamp":"2026-11-22T19:24:00Z","actor":{".tag":"reseller","reseller_name":"Acme","reseller_email":"sales@acme.example"},"event_type":{".tag":"file_add"}}`, map[string]any{
			"actor.user.name": "Acme", "actor.user.email_addr": "sales@acme.example",
		}},
		{`{"timestamp":"2026-11-22T19:24:00Z","actor":{".tag":"app","app":{".tag":"team_linked_app","app_id":"dbaid:1"}},"event_type":{".tag":"file_add"}}`, map[string]any{
			"actor.invoked_by": "dbaid:1",
		}},
		{edited("login_success", `"saml"`, `"two_factor_authentication"`), map[string]any{"is_mfa": true}},
		{edited("login_success", `"saml"`, `"google_oauth"`), map[string]any{"auth_protocol": "OAUTH 2.0", "unmapped.details.login_method..tag": "google_oauth"}},
		{edited("tfa_change_status", `"team_admin"`, `"disabled"`), map[string]any{"type_uid": 300111.0}},
		{edited("tfa_change_status", `"team_admin"`, `"authenticator"`), map[string]any{"type_uid": 300110.0}},
		{edited("account_lock_or_unlocked", `"team_admin"`, `"unlocked"`), map[string]any{"type_uid": 300102.0}},
		{edited("account_lock_or_unlocked", `"team_admin"`, `"locked"`), map[string]any{"type_uid": 300109.0}},
		{record("admin_alerting_triggered_alert"), map[string]any{"type_uid": 200401.0, "severity": "High", "finding_info.title": "Mass deletion", "finding_info.uid": "a1"}},
		{edited("password_reset", `{".tag":"user","user":{`, `{".tag":"dropbox","x":{`), map[string]any{"type_uid": 300104.0, "user.uid": "dbmid:2"}},
		{edited("file_add", `{".tag":"user","user":{".tag":"team_member","account_id":"dbid:1"`, `{".tag":"admin","admin":{".tag":"team_member","account_id":"dbid:1"`), map[string]any{
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
		for path, want := range test.want {
			list = append(list, connectortest.Shows(test.raw, path, want))
		}
	}
	return list
}
