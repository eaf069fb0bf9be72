package google_test

import (
	"flag"
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/google"
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
		App: google.App(), Stream: "admin", Update: *update, Tables: google.Tables(), // of several applications: one mapping is theirs
		OfStream: func(stream string) string { return activity(stream, "download", "") },
		Types:    connectortest.KindAndNames, AtLeast: 700,
		Record: func(typ connectortest.EventType) string { return activity(typ.Kind, typ.Name, named) },
		Filled: func(typ connectortest.EventType) map[string]any {
			return map[string]any{
				"actor.user.uid": "11", "actor.user.email_addr": "ada@example.com", "actor.user.type": "User", "device.ip": "203.0.113.7",
				"device.location.country": "DE", "metadata.event_code": typ.Name, "metadata.uid": "2026-11-22T19:24:00.500Z/-213", "metadata.tenant_uid": "C03",
				"time": 1795375440500.0, "unmapped.events[1].name": "second", "unmapped.events[0].parameters[0].value": "n", "unmapped.ownerDomain": "example.com",
			}
		},
		Needed:  []string{"id.time", "events", "events[].name"},
		Sparse:  []string{"actor", "ipAddress,networkInfo", "actor,ipAddress"},
		Classes: classes(),
		Edits:   edits(),
		Unheard: func(verb string) connectortest.EventType { return of("meet", "gadget_"+verb) },
		Apart: []connectortest.EventType{
			of("login", "login_success"), of("admin", "CREATE_USER"), of("admin", "ASSIGN_ROLE"), of("admin", "ADD_GROUP_MEMBER"),
			of("drive", "view"), of("login", "gov_attack_warning"),
		},
		Goes: []connectortest.Gone{
			{Type: of("admin", "CREATE_USER"), Member: "events[0].parameters[1].value", Attribute: "user"},
			{Type: of("admin", "ADD_GROUP_MEMBER"), Member: "events[0].parameters[2].value", Attribute: "group"},
			{Type: of("admin", "ASSIGN_ROLE"), Member: "events[0].parameters[3].value", Attribute: "privileges="},
		},
		// The type of the actor tells it.
		Silent: []string{"actor.callerType"},
		// Names of parameters, which their values' attributes tell.
		Becomes: []string{
			"USER", "USER_EMAIL", "GROUP_EMAIL", "ROLE_NAME", "doc_id", "doc_title", "doc_type", "client_id", "app_name", "login_failure_type",
		},
		Simulated: func() [][]byte { return simulator.New(simulator.Options{Seed: 7}).Google().Generate(500) },
		Seeds:     []string{`{"events":[]}`, `{"events":[{}],"id":{"time":"2026-11-22T19:24:00Z"}}`},
	}
}

func of(application, name string) connectortest.EventType {
	return connectortest.EventType{Kind: application, Name: name}
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

func parameter(name, member, value string) string {
	return `,{"name":"` + name + `","` + member + `":` + value + `}`
}

func classes() []connectortest.Class {
	class := func(application, name string, uid float64, activity string) connectortest.Class {
		return connectortest.Class{Type: of(application, name), UID: uid, Name: activity}
	}
	return []connectortest.Class{
		class("login", "login_verification", 300201, "Logon"),
		class("login", "logout", 300202, "Logoff"),
		class("login", "2sv_enroll", 300110, "MFA Factor Enable"),
		class("login", "password_edit", 300103, "Password Change"),
		class("admin", "CHANGE_FIRST_NAME", 300199, "Update"),
		class("drive", "edit", 600103, "Update"),
		class("drive", "trash", 600104, "Delete"),
		class("drive", "download", 600107, "Export"),
		class("drive", "upload", 600106, "Import"),
		class("drive", "change_user_access", 600108, "Share"),
		class("drive", "create_script_trigger", 600101, "Create"),
		class("token", "activity", 600102, "Read"),
		class("meet", "never_heard_of_it", 600199, "never_heard_of_it"),
	}
}

// edits are activities with other parameters than those of the other tests.
func edits() []connectortest.Edit {
	return append(signIns(), things()...)
}

func signIns() []connectortest.Edit {
	shows := connectortest.Shows
	login := func(name, parameters string) string { return activity("login", name, parameters) }
	return []connectortest.Edit{
		shows(login("login_success", ""), "user.email_addr", "ada@example.com"),
		shows(login("login_success", ""), "service.name", "Google"),
		shows(login("login_success", ""), "type_uid", 300201.0),
		shows(login("login_success", parameter("is_second_factor", "boolValue", "true")), "is_mfa", true),
		shows(login("login_success", parameter("is_second_factor", "boolValue", "false")), "unmapped.events[0].parameters[1].boolValue", "false"),
		shows(login("login_verification", ""), "is_mfa", true),
		shows(login("login_failure", parameter("login_failure_type", "value", `"login_failure_invalid_password"`)), "status_detail", "login_failure_invalid_password"),
		shows(login("login_failure", ""), "status", "Failure"),
		shows(login("login_success", parameter("login_type", "value", `"saml"`)), "auth_protocol", "SAML"),
		shows(login("login_success", parameter("login_type", "value", `"reauth"`)), "unmapped.events[0].parameters[1].value", "reauth"),
		shows(activity("saml", "login_success", parameter("application_name", "value", `"Workday"`)), "service.name", "Workday"),
		shows(activity("saml", "login_success", ""), "auth_protocol", "SAML"),
		shows(login("logout", ""), "status", "Success"),
		shows(login("2sv_enroll", ""), "user.uid", "11"),
		shows(login("password_edit", ""), "user.uid", "11"),
		shows(login("account_disabled_hijacked", parameter("affected_email_address", "value", `"bo@example.com"`)), "user.email_addr", "bo@example.com"),
		shows(login("account_disabled_hijacked", ""), "type_uid", 300105.0),
		shows(login("gov_attack_warning", ""), "type_uid", 200401.0),
		shows(login("gov_attack_warning", ""), "finding_info.title", "gov_attack_warning"),
	}
}

func things() []connectortest.Edit {
	shows := connectortest.Shows
	drive := func(name, parameters string) string { return activity("drive", name, parameters) }
	removed := activity("groups", "remove_user", parameter("group_email", "value", `"all@example.com"`)+parameter("user_email", "value", `"bo@example.com"`))
	token := activity("token", "authorize", parameter("client_id", "value", `"c"`)+parameter("app_name", "value", `"A"`))
	event := activity("calendar", "delete_event", parameter("event_id", "value", `"e"`)+parameter("calendar_id", "value", `"c"`))
	const system = `{"id":{"time":"2026-11-22T19:24:00Z"},"actor":{"callerType":"KEY","key":"SYSTEM"},"events":[{"name":"CREATE_GROUP"}]}`
	return []connectortest.Edit{
		shows(activity("admin", "CREATE_USER", named), "user.email_addr", "bo@example.com"),
		shows(activity("admin", "CREATE_USER", named), "type_uid", 300101.0),
		shows(activity("admin", "CREATE_USER", ""), "type_uid", 600101.0),
		shows(activity("admin", "CREATE_USER", ""), "web_resources.0.name", "admin"),
		shows(activity("admin", "CHANGE_FIRST_NAME", named), "user.name", "bo@example.com"),
		shows(activity("admin", "ASSIGN_ROLE", named), "privileges.0", "_GROUPS_ADMIN_ROLE"),
		shows(activity("admin", "ASSIGN_ROLE", named), "type_uid", 300501.0),
		shows(activity("admin", "REVOKE_ADMIN_PRIVILEGE", parameter("USER_EMAIL", "value", `"bo@example.com"`)), "privileges.0", "ADMIN_PRIVILEGE"),
		shows(activity("admin", "ADD_GROUP_MEMBER", named), "group.name", "all@example.com"),
		shows(activity("admin", "ADD_GROUP_MEMBER", named), "type_uid", 300603.0),
		shows(removed, "type_uid", 300604.0),
		shows(removed, "user.email_addr", "bo@example.com"),
		shows(activity("groups", "remove_user", ""), "type_uid", 600103.0),
		shows(activity("groups", "remove_user", ""), "web_resources.0.name", "groups"),
		shows(drive("view", parameter("doc_id", "value", `"1x"`)+parameter("doc_type", "value", `"pdf"`)), "web_resources.0.type", "pdf"),
		shows(drive("view", parameter("doc_id", "value", `"1x"`)+parameter("doc_title", "value", `"Plan"`)), "web_resources.0.name", "Plan"),
		shows(drive("create", parameter("doc_id", "value", `"1x"`)), "web_resources.0.uid", "1x"),
		shows(drive("edit", ""), "web_resources.0.name", "drive"),
		shows(drive("edit", parameter("doc_id", "intValue", `"7"`)), "web_resources.0.uid", "7"),
		shows(drive("trash", ""), "status", "Success"),
		shows(token, "activity_name", "Grant App Privileges"),
		shows(token, "web_resources.0.type", "OAuth app"),
		shows(event, "web_resources.0.uid", "e"),
		shows(activity("context_aware_access", "ACCESS_DENY_EVENT", ""), "status", "Failure"),
		shows(activity("context_aware_access", "ACCESS_DENY_EVENT", ""), "type_uid", 600102.0),
		shows(system, "actor.invoked_by", "SYSTEM"),
		shows(system, "metadata.uid", nil),
		shows(system, "web_resources.0.name", "Google Workspace"),
	}
}
