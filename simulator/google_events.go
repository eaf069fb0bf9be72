package simulator

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

const googleCustomer = "C03az79cb"

// googleKind is one kind of event: its type, its names, and the parameters that
// come with it, one letter each (see parameter).
// https://developers.google.com/workspace/admin/reports/v1/appendix/activity/admin-event-names,
// https://developers.google.com/workspace/admin/reports/v1/appendix/activity/login and its neighbours (checked 2026-11-22)
type googleKind struct{ kind, names, parameters string }

func googleKinds(application string) []googleKind {
	kinds := map[string][]googleKind{
		"login": {
			{"login", "login_success logout login_verification", "tms"},
			{"login", "login_failure", "tf"},
			{"login", "login_challenge", "tc"},
			{"2sv_change", "2sv_enroll 2sv_disable", ""},
			{"password_change", "password_edit", ""},
			{"recovery_info_change", "recovery_email_edit recovery_phone_edit", ""},
			{"account_warning", "account_disabled_hijacked suspicious_login", "e"},
		},
		"admin": {
			{"USER_SETTINGS", "CREATE_USER DELETE_USER SUSPEND_USER UNSUSPEND_USER CHANGE_PASSWORD RENAME_USER", "U"},
			{"DELEGATED_ADMIN_SETTINGS", "ASSIGN_ROLE UNASSIGN_ROLE CREATE_ROLE", "UR"},
			{"GROUP_SETTINGS", "CREATE_GROUP DELETE_GROUP", "G"},
			{"GROUP_SETTINGS", "ADD_GROUP_MEMBER REMOVE_GROUP_MEMBER", "UG"},
			{"APPLICATION_SETTINGS", "CHANGE_APPLICATION_SETTING CREATE_APPLICATION_SETTING", "ASno"},
			{"DOMAIN_SETTINGS", "ADD_APPLICATION REMOVE_APPLICATION TOGGLE_SERVICE_ENABLED", "A"},
			{"SECURITY_SETTINGS", "ENFORCE_STRONG_AUTHENTICATION", "n"},
		},
		"drive": {
			{"access", "view edit create delete download upload trash rename move copy print", "dvb"},
			{"acl_change", "change_user_access change_document_visibility change_acl_editors", "dvT"},
		},
		"token":         {{"auth", "authorize revoke", "kKp"}, {"auth", "activity", "kKx"}},
		"saml":          {{"login", "login_success", "a"}, {"login", "login_failure", "af"}},
		"groups":        {{"moderator_action", "approve_join_request", "gU"}, {"group_change", "add_user remove_user create_group delete_group change_acl_permission", "gU"}},
		"calendar":      {{"event_change", "create_event delete_event change_event_title", "ct"}, {"calendar_change", "change_calendar_acls", "c"}},
		"user_accounts": {{"2sv_change", "2sv_enroll 2sv_disable", ""}, {"password_change", "password_edit", ""}},
		"gmail":         {{"delivery", "delivery", "mM"}},
	}
	if found, ok := kinds[application]; ok {
		return found
	}
	return []googleKind{{application + "_event", "view create update delete start_call_ended", "n"}}
}

// activity writes one activity of an application.
func (g *Google) activity(rng *rand.Rand, application string, at time.Time) []byte {
	w := &jsonWriter{escapes: pick(rng, escapeLeast, escapeLeast, escapeLower, escapeUpper)}
	u := pick(rng, g.options.Users...)
	kinds := googleKinds(application)
	events := []string{g.event(w, rng, pick(rng, kinds...))}
	for rng.IntN(4) == 0 && len(events) < 3 {
		events = append(events, g.event(w, rng, pick(rng, kinds...)))
	}
	actor := w.object("callerType", w.text("USER"), "email", w.text(u.Login), "profileId", w.text(u.ID))
	if rng.IntN(6) == 0 {
		actor = w.object("callerType", w.text("KEY"), "key", w.text("SYSTEM"))
	}
	members := []string{
		"kind", w.text("admin#reports#activity"),
		"id", w.object("time", w.text(at.UTC().Format("2006-01-02T15:04:05.000Z")), "uniqueQualifier", w.text(strconv.FormatInt(int64(rng.Uint64()), 10)),
			"applicationName", w.text(application), "customerId", w.text(googleCustomer)),
		"etag", w.text(`"` + randomID(rng, "", 27) + `"`),
		"actor", actor,
	}
	if rng.IntN(3) > 0 {
		members = append(members, "ipAddress", w.text(pick(rng, "198.51.100.7", "203.0.113.240", "2001:db8::8a2e:370:7334")))
	}
	if rng.IntN(4) == 0 {
		members = append(members, "ownerDomain", w.text("example.com"))
	}
	if rng.IntN(4) == 0 {
		members = append(members, "networkInfo", w.object("ipAsn", w.list("64496"), "regionCode", w.text("DE"), "subdivisionCode", w.text("DE-NW")))
	}
	return respace(w.object(append(members, "events", w.list(events...))...), pick(rng, 0, 0, 0, 1, 2, 3), rng)
}

func (g *Google) event(w *jsonWriter, rng *rand.Rand, kind googleKind) string {
	members := []string{"type", w.text(kind.kind), "name", w.text(pick(rng, strings.Fields(kind.names)...))}
	var parameters []string
	for _, letter := range kind.parameters {
		parameters = append(parameters, g.parameter(w, rng, letter))
	}
	if len(parameters) > 0 {
		members = append(members, "parameters", w.list(parameters...))
	}
	return w.object(members...)
}

// parameter is a name and a value of one of the kinds that there are.
func (g *Google) parameter(w *jsonWriter, rng *rand.Rand, letter rune) string {
	other := pick(rng, g.options.Users...).Login
	text := func(name, value string) string { return w.object("name", w.text(name), "value", w.text(value)) }
	texts := map[rune][2]string{
		't': {"login_type", pick(rng, "google_password", "saml", "reauth")}, 'f': {"login_failure_type", pick(rng, "login_failure_invalid_password", "login_failure_unknown")},
		'e': {"affected_email_address", other}, 'U': {"USER_EMAIL", other}, 'R': {"ROLE_NAME", "_GROUPS_ADMIN_ROLE"}, 'G': {"GROUP_EMAIL", "vertrieb-süd@example.com"},
		'A': {"APPLICATION_NAME", "Drive and Docs"}, 'S': {"SETTING_NAME", "SharingSettingsProto \"v1\""}, 'n': {"NEW_VALUE", "true"}, 'o': {"OLD_VALUE", "<none>"},
		'd': {"doc_id", randomID(rng, "1", 43)}, 'v': {"visibility", pick(rng, "private", "people_with_link", "shared_externally")}, 'T': {"target_user", other},
		'k': {"app_name", "Reisekosten / Büro"}, 'K': {"client_id", "123456789012.apps.googleusercontent.com"}, 'x': {"api_name", "drive"},
		'a': {"application_name", "Workday (prod)"}, 'g': {"group_email", "alle@example.com"}, 'c': {"calendar_id", other}, 'm': {"subject", "Überprüfung\n太郎"},
	}
	switch letter {
	case 's':
		return w.object("name", w.text("is_suspicious"), "boolValue", pick(rng, "true", "false"))
	case 'b':
		return w.object("name", w.text("billable"), "boolValue", "true")
	case 'p':
		return w.object("name", w.text("scope"), "multiValue", w.list(w.text("https://www.googleapis.com/auth/drive"), w.text("openid")))
	case 'M':
		return w.object("name", w.text("message_info"), "messageValue", w.object("parameter", w.list(w.object("name", w.text("size"), "intValue", w.text("1024")))))
	}
	if found, ok := texts[letter]; ok {
		return text(found[0], found[1])
	}
	return w.object("name", w.text("login_challenge_method"), "multiValue", w.list(w.text("password"), w.text(fmt.Sprintf("otp_%d", rng.IntN(9)))))
}
