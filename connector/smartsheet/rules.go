package smartsheet

import (
	"strings"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// objects are the types of objects, of which each has its own actions.
// https://developers.smartsheet.com/api/smartsheet/event-types (checked 2026-11-22)
func objects() []string {
	return []string{
		"ACCESS_TOKEN", "ACCOUNT", "ATTACHMENT", "DASHBOARD", "DISCUSSION", "FOLDER", "FORM", "GROUP", "REPORT", "SHEET",
		"UPDATE_REQUEST", "USER", "WORKSPACE",
	}
}

// The activities of WebResources that verbs do not give.
const (
	create = 1
	change = 3
	export = 7
	share  = 8
)

// rules gives classes to Smartsheet's types of events: where AppFabric's own
// output was observed, the same class and activity, for the others what that
// suggests. Types without a rule are activities on web resources, by their verb.
func rules() []mapping.Rule {
	web := mapping.WebRule
	list := []mapping.Rule{
		// AppFabric was seen to emit the refresh so.
		token("REFRESH", 1), token("AUTHORIZE", 1), token("REVOKE", 2),

		{Type: "GROUP - ADD_MEMBER", Class: ocsf.GroupManagement, Activity: 3, Else: change},
		{Type: "GROUP - REMOVE_MEMBER", Class: ocsf.GroupManagement, Activity: 4, Else: change},

		member("ADD_TO_ACCOUNT", 1, ""), member("ACCEPT_INVITE", 2, ""), member("SEND_PASSWORD_RESET", 4, ""),
		member("REMOVE_FROM_ACCOUNT", 6, ""), member("UPDATE_USER", ocsf.Other, "Update"),
		web("USER - SEND_INVITE", create), web("USER - DECLINE_INVITE", change),
		web("ACCOUNT - DOWNLOAD_*", export), web("USER - REMOVE_FROM_GROUPS", change), web("USER - REMOVE_SHARES", change),
	}
	for _, object := range objects() {
		on := object + " - "
		list = append(list,
			web(on+"ADD_SHARE*", share), web(on+"ADD_WORKSPACE_SHARE*", share), web(on+"ADD_PUBLISH", share),
			web(on+"REMOVE_SHARE", change), web(on+"REMOVE_SHARE_MEMBER", change), web(on+"REMOVE_WORKSPACE_SHARE", change),
			web(on+"REMOVE_PUBLISH", change), web(on+"SAVE_AS_*", create), web(on+"COPY_ROW", change))
	}
	// How sign-ins, new in June 2026, are spelled is unverified.
	for _, object := range []string{"USER", "ACCOUNT", "AUTHENTICATION", "SESSION"} {
		list = append(list,
			mapping.Rule{Type: object + " - LOGIN*", Class: ocsf.Authentication, Activity: 1, Else: 2},
			mapping.Rule{Type: object + " - LOGOUT*", Class: ocsf.Authentication, Activity: 2, Else: change},
			mapping.Rule{Type: object + " - LOG_OUT*", Class: ocsf.Authentication, Activity: 2, Else: change},
			mapping.Rule{Type: object + " - LOG_IN*", Class: ocsf.Authentication, Activity: 1, Else: 2})
	}
	return list
}

func token(action string, activity int) mapping.Rule {
	return mapping.Rule{Type: "ACCESS_TOKEN - " + action, Class: ocsf.GroupManagement, Activity: activity, Else: change}
}

func member(action string, activity int, name string) mapping.Rule {
	return mapping.Rule{Type: "USER - " + action, Class: ocsf.AccountChange, Activity: activity, Name: name, Else: change}
}

// words are verbs of Smartsheet's that others have not, or mean otherwise.
func words() map[string]mapping.Verb {
	list := map[mapping.Verb]string{
		mapping.Read:   "load",
		mapping.Update: "refresh",
		mapping.Share:  "send publish",
	}
	m := map[string]mapping.Verb{}
	for verb, words := range list {
		for word := range strings.FieldsSeq(words) {
			m[word] = verb
		}
	}
	return m
}
