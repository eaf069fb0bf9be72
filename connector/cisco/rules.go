package cisco

import (
	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// rules gives classes to descriptions, in lower case: where AppFabric's own
// output was observed, the same class and activity, for the others what that
// suggests. Descriptions without a rule are activities on web resources, by
// their verb. A closed list of them is not published.
func rules() []mapping.Rule {
	logon, logoff, change, update, group := mapping.LogonRule, mapping.LogoffRule, mapping.AccountRule, mapping.UpdateRule, mapping.GroupRule
	return []mapping.Rule{
		// Observed.
		other("a user attempted logging in"), other("a user attempted logging out"), other("user was updated"),
		logon("an admin logged in"), logon("an user logged in"),
		change("user was deleted", remove), change("memberships created", create),
		{Type: "admin has revoked an account*", Class: ocsf.UserAccess, Activity: 2, Else: updated},

		// By the same rules.
		logon("a user logged in*"), logon("an admin logged in *"), logon("user logged in*"),
		logoff("a user logged out*"), logoff("an user logged out*"), logoff("an admin logged out*"), logoff("user logged out*"),
		change("memberships deleted", remove), update("memberships updated"),
		change("user was added", create), change("user was created", create), change("user was removed", remove),
		change("user was activated", enable), change("user was deactivated", disable), change("user was reactivated", enable),
		change("password was reset*", passwordReset), change("user password was reset*", passwordReset),
		change("user password was changed*", passwordChange),
		update("admin roles were changed for a user"), update("licenses were assigned"),
		group("user was added to a group", addUser), group("user was removed from a group", removeUser),
	}
}

// The activities of AccountChange, WebResources and GroupManagement.
const (
	create         = 1
	enable         = 2
	passwordChange = 3
	passwordReset  = 4
	disable        = 5
	remove         = 6

	read    = 2
	updated = 3

	addUser    = 3
	removeUser = 4
)

func other(t string) mapping.Rule {
	return mapping.Rule{Type: t, Class: ocsf.WebResources, Activity: ocsf.Other, Name: "Other"}
}

// words are verbs of Webex's that others do not use, or not as such.
func words() map[string]mapping.Verb {
	return map[string]mapping.Verb{
		"logged": mapping.Logon, "claimed": mapping.Add, "onboarded": mapping.Add, "configured": mapping.Update, "linked": mapping.Update,
		"unlinked": mapping.Update, "migrated": mapping.Update, "paired": mapping.Add, "upgraded": mapping.Update,
	}
}
