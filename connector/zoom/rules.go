package zoom

import (
	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// userUpdate is the type whose detail tells more.
const userUpdate = "user_update"

// The activities that the rules name.
const (
	create     = 1
	enable     = 2
	disable    = 5
	remove     = 6
	lock       = 9
	addUser    = 3
	removeUser = 4
	change     = 3 // of web resources
)

// rules gives classes to types: as AppFabric was seen to for sign-ins and for the
// administrators of groups, the others likewise. What is not here is an activity
// on a web resource, by its verb, as AppFabric was seen to have entity_restapi-add.
//
// The categories:
// https://developers.zoom.us/docs/api/meetings/#tag/reports (checked 2026-11-22);
// actions are free text.
func rules() []mapping.Rule {
	account := func(code string, activity int) mapping.Rule {
		return mapping.Rule{Type: code, Class: ocsf.AccountChange, Activity: activity}
	}
	all := []mapping.Rule{
		{Type: "sign_in", Class: ocsf.Authentication, Activity: 1, Else: 2},
		{Type: "sign_out", Class: ocsf.Authentication, Activity: 2, Else: change},

		account("user_add", create), account("user_create", create), account("user_delete", remove), account("user_remove", remove),
		account("user_activate", enable), account("user_deactivate", disable), account("user_lock", lock), account("user_unlock", enable),
		{Type: userUpdate, Class: ocsf.AccountChange, Activity: ocsf.Other, Name: "Update", Else: change},
		{Type: "user_unlink", Class: ocsf.AccountChange, Activity: ocsf.Other, Name: "Update", Else: change},

		{Type: "usergroup_add", Class: ocsf.WebResources, Activity: 1},
		{Type: "usergroup_update", Class: ocsf.WebResources, Activity: change},
		{Type: "usergroup_delete", Class: ocsf.WebResources, Activity: 4},
	}
	for _, whom := range []string{"groupadmin", "groupmember", "member", "user"} {
		all = append(all,
			mapping.Rule{Type: "usergroup_add" + whom, Class: ocsf.GroupManagement, Activity: addUser, Else: change},
			mapping.Rule{Type: "usergroup_delete" + whom, Class: ocsf.GroupManagement, Activity: removeUser, Else: change},
			mapping.Rule{Type: "usergroup_remove" + whom, Class: ocsf.GroupManagement, Activity: removeUser, Else: change})
	}
	return all
}

// words are the verbs of actions beyond the common ones.
func words() map[string]mapping.Verb { return map[string]mapping.Verb{"recover": mapping.Update} }
