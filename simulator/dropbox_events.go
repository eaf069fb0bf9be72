package simulator

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// dropboxKind is one type of event.
// https://github.com/dropbox/dropbox-api-spec/blob/main/team_log.stone (checked 2026-11-22)
type dropboxKind struct {
	event, category, description string
	actor                        byte   // U user, A admin, P app, D Dropbox itself, ? nobody signed in
	assets                       string // one letter an asset: F file, D folder, P Paper document
	participants                 string // one letter each: U user, G group, X somebody of no team
	details                      string // members of the details, JSON without braces
}

func dropboxKinds() []dropboxKind {
	return []dropboxKind{
		{"login_success", "logins", "Signed in", 'U', "", "", `"login_method":{".tag":"saml"},"is_emm_managed":false`},
		{"login_fail", "logins", "Failed to sign in", 'U', "", "", `"login_method":{".tag":"password"},"error_details":{"user_friendly_message":"Invalid email or password. – Ungültig"}`},
		{"login_fail", "logins", "Failed to sign in", '?', "", "", `"is_emm_managed":false,"login_method":{".tag":"two_factor_authentication"},"error_details":{"technical_error_message":"bad code","user_friendly_message":"Wrong code"}`},
		{"logout", "logins", "Signed out", 'U', "", "", `"login_id":"17"`},
		{"sign_in_as_session_start", "logins", "Started admin sign-in-as session", 'A', "", "U", ""},
		{"account_lock_or_unlocked", "logins", "Unlocked/locked account after failed sign in attempts", 'D', "", "U", `"previous_value":{".tag":"unlocked"},"new_value":{".tag":"locked"}`},
		{"file_add", "file_operations", "Added files and/or folders", 'U', "FF", "", ""},
		{"file_edit", "file_operations", "Edited files", 'U', "F", "", ""},
		{"file_download", "file_operations", "Downloaded files and/or folders", 'U', "FD", "", ""},
		{"file_preview", "file_operations", "Previewed files and/or folders", 'U', "F", "", ""},
		{"file_delete", "file_operations", "Deleted files and/or folders", 'U', "F", "", ""},
		{"file_permanently_delete", "file_operations", "Permanently deleted files and/or folders", 'A', "F", "", ""},
		{"file_move", "file_operations", "Moved files and/or folders", 'U', "FD", "", `"relocate_action_details":[{"src_asset_index":0,"dest_asset_index":1}]`},
		{"file_rename", "file_operations", "Renamed files and/or folders", 'U', "FF", "", `"relocate_action_details":[{"src_asset_index":0,"dest_asset_index":1}]`},
		{"shared_link_create", "sharing", "Created shared link", 'U', "F", "", `"shared_link_access_level":{".tag":"viewer"}`},
		{"shared_link_view", "sharing", "Opened shared link", '?', "F", "U", ""},
		{"shared_link_download", "sharing", "Downloaded file/folder from shared link", '?', "F", "U", ""},
		{"shared_content_add_member", "sharing", "Added users and/or groups to shared file/folder", 'U', "D", "UGX", `"shared_content_access_level":{".tag":"editor"}`},
		{"shared_content_remove_member", "sharing", "Removed user/group from shared file/folder", 'U', "D", "X", ""},
		{"app_link_team", "apps", "Linked app for team", 'A', "", "", `"app_info":{".tag":"team_linked_app","app_id":"dbaid:AADl2tWD2BPsZHNUH2vcSzRVDpqUlZVy6cQ","display_name":"SIEM \"prod\""}`},
		{"app_link_user", "apps", "Linked app for member", 'U', "", "", `"app_info":{".tag":"user_linked_app","app_id":"dbaid:AABl2tWD2BPsZHNUH2vcSzRVDpqUlZVy6cQ","display_name":"日程"}`},
		{"app_unlink_user", "apps", "Unlinked app for member", 'U', "", "", `"app_info":{".tag":"user_linked_app","app_id":"dbaid:AABl2tWD2BPsZHNUH2vcSzRVDpqUlZVy6cQ"}`},
		{"device_link_success", "devices", "Linked device", 'U', "", "", `"device_session_info":{".tag":"desktop_device_session","host_name":"Zoës-MacBook","client_type":{".tag":"mac"},"platform":"Mac OS X","is_delete_on_unlink_supported":true,"ip_address":"198.51.100.7"}`},
		{"device_change_ip_web", "devices", "Changed IP address associated with active web session", 'U', "", "", `"user_agent":"Mozilla\/5.0 (X11; Linux x86_64)"`},
		{"member_change_status", "members", "Changed member status (invited, joined, suspended, etc.)", 'A', "", "U", `"previous_value":{".tag":"active"},"new_value":{".tag":"suspended"}`},
		{"member_change_admin_role", "members", "Changed team member admin role", 'A', "", "U", `"previous_value":{".tag":"member_only"},"new_value":{".tag":"user_management_admin"}`},
		{"member_change_email", "members", "Changed team member email", 'A', "", "U", `"new_value":"zoe@example.com","previous_value":"zoe.mueller@example.com"`},
		{"member_change_name", "members", "Changed team member name", 'P', "", "U", `"new_value":{"given_name":"Zoë","surname":"Müller"},"previous_value":{"given_name":"Zoe","surname":"Mueller"}`},
		{"group_create", "groups", "Created group", 'A', "", "G", `"is_company_managed":true,"join_policy":{".tag":"request_to_join"}`},
		{"group_add_member", "groups", "Added team members to group", 'A', "", "UG", `"is_group_owner":false`},
		{"group_remove_member", "groups", "Removed team members from group", 'A', "", "UG", ""},
		{"password_reset", "passwords", "Reset password", 'D', "", "", ""},
		{"tfa_change_status", "tfa", "Enabled/disabled/changed two-factor authentication setting", 'U', "", "", `"new_value":{".tag":"authenticator"},"previous_value":{".tag":"disabled"},"used_rescue_code":false`},
		{"sso_add_cert", "sso", "Added X.509 certificate for SSO", 'A', "", "", `"certificate_details":{"subject":"CN=büro","issuer":"CN=büro","issue_date":"2026-01-01","expiration_date":"2027-01-01","serial_number":"00:ff","sha1_fingerprint":"aa:bb"}`},
		{"export_members_report", "reports", "Created member data report", 'A', "", "", ""},
		{"tfa_change_policy", "team_policies", "Changed two-factor authentication setting for team", 'A', "", "", `"new_value":{".tag":"required"},"previous_value":{".tag":"optional"}`},
		{"team_folder_create", "team_folders", "Created team folder in active status", 'A', "D", "", ""},
		{"paper_doc_edit", "paper", "Edited Paper doc", 'U', "P", "", `"event_uuid":"4b6d45a4-5b0e-4f19-8b5a-1f7f2f0d9d3a"`},
		{"file_request_create", "file_requests", "Created file request", 'U', "D", "", `"file_request_id":"oaCAVmEyrqYnkZX9955Y","request_details":{"asset_index":0,"deadline":{"deadline":"2026-12-31T00:00:00Z"}}`},
		{"admin_alerting_triggered_alert", "admin_alerting", "Triggered security alert", 'D', "", "U", `"alert_name":"Mass deletion","alert_severity":{".tag":"high"},"alert_category":{".tag":"massive_file_operation"},"alert_instance_id":"abc"`},
	}
}

// dropboxComposer writes events about a set of users.
type dropboxComposer struct {
	users []User
	kinds []dropboxKind
}

// record writes one event. Members that an event lacks are left out, as Dropbox
// does; their times have whole seconds.
func (c dropboxComposer) record(rng *rand.Rand, at time.Time) []byte {
	kind := pick(rng, c.kinds...)
	w := &jsonWriter{escapes: pick(rng, escapeLeast, escapeLeast, escapeLower, escapeUpper)}
	u := pick(rng, c.users...)
	members := []string{
		"timestamp", w.text(at.UTC().Format(dropboxTimestamp)),
		"event_category", dropboxUnion(w, kind.category),
	}
	if actor := c.actor(w, rng, kind.actor, u); actor != "" {
		members = append(members, "actor", actor)
	}
	if kind.actor != 'D' {
		members = append(members, "origin", dropboxOrigin(w, rng, kind.actor))
	}
	members = append(members, "involve_non_team_member", strconv.FormatBool(kind.actor == '?' || strings.Contains(kind.participants, "X")))
	switch kind.actor {
	case 'U', '?':
		members = append(members, "context", w.object(append([]string{`.tag`, w.text("team_member")}, dropboxMember(w, u)...)...))
	case 'A':
		members = append(members, "context", dropboxUnion(w, "team"))
	}
	if kind.participants != "" {
		members = append(members, "participants", c.participants(w, rng, kind.participants))
	}
	if kind.assets != "" {
		members = append(members, "assets", dropboxAssets(w, rng, kind.assets))
	}
	details := `{".tag":"` + kind.event + `_details"`
	if kind.details != "" {
		details += "," + kind.details
	}
	members = append(members,
		"event_type", w.object(".tag", w.text(kind.event), "description", w.text("("+kind.category+") "+kind.description)),
		"details", details+"}")
	return respace(w.object(members...), pick(rng, 0, 0, 0, 1, 2, 3), rng)
}

func dropboxUnion(w *jsonWriter, tag string) string { return w.object(".tag", w.text(tag)) }

func dropboxMember(w *jsonWriter, u User) []string {
	return []string{
		"account_id", w.text("dbid:" + strings.TrimPrefix(u.ID, "dbmid:")), "display_name", w.text(u.First + " " + u.Last),
		"email", w.text(u.Login), "team_member_id", w.text(u.ID),
	}
}

func dropboxUser(w *jsonWriter, u User) string {
	return w.object(append([]string{".tag", w.text("team_member")}, dropboxMember(w, u)...)...)
}

func (c dropboxComposer) actor(w *jsonWriter, rng *rand.Rand, kind byte, u User) string {
	switch kind {
	case 'U':
		return w.object(".tag", w.text("user"), "user", dropboxUser(w, u))
	case 'A':
		return w.object(".tag", w.text("admin"), "admin", dropboxUser(w, c.users[0]))
	case 'P':
		return w.object(".tag", w.text("app"), "app", w.object(".tag", w.text("team_linked_app"), "app_id", w.text("dbaid:1"), "display_name", w.text("SIEM")))
	case 'D':
		return dropboxUnion(w, "dropbox")
	}
	return pick(rng, "", dropboxUnion(w, "anonymous"))
}

func dropboxOrigin(w *jsonWriter, rng *rand.Rand, actor byte) string {
	session := func(kind, prefix string) string {
		return w.object(".tag", w.text(kind), "session_id", w.text(randomID(rng, prefix, 28)))
	}
	method := pick(rng,
		w.object(".tag", w.text("end_user"), "end_user", session("web", "dbwsid:")),
		w.object(".tag", w.text("end_user"), "end_user", session("desktop", "dbdsid:")),
		w.object(".tag", w.text("end_user"), "end_user", session("mobile", "dbmsid:")),
		w.object(".tag", w.text("api"), "request_id", w.text(randomID(rng, "dbarod:", 18))))
	if actor == 'A' {
		method = w.object(".tag", w.text("admin_console"), "session_id", w.text(randomID(rng, "dbwsid:", 28)))
	}
	return pick(rng, w.object("access_method", method),
		w.object("geo_location", w.object("city", w.text("Köln"), "region", w.text("Nordrhein-Westfalen"), "country", w.text("DE"), "ip_address", w.text("198.51.100.7")), "access_method", method),
		w.object("geo_location", w.object("country", w.text("JP"), "ip_address", w.text("2001:db8::8a2e:370:7334")), "access_method", method),
		w.object("geo_location", w.object("ip_address", w.text("192.0.2.1")), "access_method", method))
}

func (c dropboxComposer) participants(w *jsonWriter, rng *rand.Rand, letters string) string {
	var list []string
	for _, letter := range letters {
		switch letter {
		case 'U':
			list = append(list, w.object(".tag", w.text("user"), "user", dropboxUser(w, pick(rng, c.users...))))
		case 'G':
			list = append(list, w.object(".tag", w.text("group"), "group_id", w.text(randomID(rng, "g:", 32)), "display_name", w.text("Vertrieb – Süd")))
		default:
			list = append(list, w.object(".tag", w.text("user"), "user", w.object(".tag", w.text("non_team_member"), "email", w.text("gast@example.net"), "display_name", w.text("Gäst"))))
		}
	}
	return w.list(list...)
}

func dropboxAssets(w *jsonWriter, rng *rand.Rand, letters string) string {
	var list []string
	for _, letter := range letters {
		name := pick(rng, "Übersicht.xlsx", "plan \"B\".pdf", "写真/2026.jpg", "a\tb.txt")
		path := w.object("contextual", w.text("/Team/"+name), "namespace_relative",
			w.object("ns_id", w.text("1234"), "relative_path", w.text("/"+name), "is_shared_namespace", "false"))
		switch letter {
		case 'F':
			list = append(list, w.object(".tag", w.text("file"), "path", path, "display_name", w.text(name),
				"file_id", w.text(randomID(rng, "id:", 22)), "file_size", pick(rng, "0", "4.096e3", "18446744073709551615")))
		case 'D':
			list = append(list, w.object(".tag", w.text("folder"), "path", path, "display_name", w.text("Team"), "folder_id", w.text(randomID(rng, "id:", 22))))
		default:
			list = append(list, w.object(".tag", w.text("paper_document"), "doc_id", w.text(randomID(rng, "", 21)), "doc_title", w.text("Notizen – "+name)))
		}
	}
	return w.list(list...)
}
