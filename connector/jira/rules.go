package jira

import (
	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// rolesChanged is the summary of a change of who has a role in a project.
const rolesChanged = "Project roles changed"

// The activities that the rules name.
const (
	assignPrivileges = 1
	revokePrivileges = 2
	update           = 3
)

// rules gives classes to summaries: as AppFabric was seen to for "User created",
// "User added to group" and "Project roles changed", the others likewise. What
// is not here is an activity on the items that the record names, by its verb.
//
// The events that are recorded:
// https://support.atlassian.com/jira-cloud-administration/docs/audit-activities-in-jira-applications/
// (checked 2026-11-22).
func rules() []mapping.Rule {
	account := func(summary string, activity int) mapping.Rule {
		return mapping.Rule{Type: summary, Class: ocsf.AccountChange, Activity: activity}
	}
	group := func(summary string, activity, instead int) mapping.Rule {
		return mapping.Rule{Type: summary, Class: ocsf.GroupManagement, Activity: activity, Else: instead}
	}
	all := []mapping.Rule{
		account("User created", 1), account("User deleted", 6), account("User removed", 6),
		account("User activated", 2), account("User reactivated", 2), account("User deactivated", 5),
		account("User password changed", 3), account("User's password changed", 3),
		{Type: "User updated", Class: ocsf.AccountChange, Activity: ocsf.Other, Name: "Update", Else: update},
		{Type: "User renamed", Class: ocsf.AccountChange, Activity: ocsf.Other, Name: "Update", Else: update},
		{Type: "User anonymized", Class: ocsf.AccountChange, Activity: ocsf.Other, Name: "Update", Else: update},

		group("User added to group", 3, update), group("User removed from group", 4, update),
		group("Group created", 6, 1), group("Group deleted", 5, 4), group("Group removed", 5, 4),
		group(rolesChanged, revokePrivileges, update),
		group("Global permission added", assignPrivileges, update), group("Global permission added to a group", assignPrivileges, update),
		group("Global permission deleted", revokePrivileges, update), group("Global permission removed", revokePrivileges, update),
		group("Global permission removed from a group", revokePrivileges, update),
	}
	return append(all, parts()...)
}

// parts lists what is added to something or removed from it, which neither makes
// nor ends the scheme that it is about.
func parts() []mapping.Rule {
	var all []mapping.Rule
	for _, scheme := range []string{"Permission scheme", "Workflow scheme", "Notification scheme", "Issue security scheme", "Issue type scheme", "Field configuration scheme", "Scheme"} {
		for _, how := range []string{"added to", "removed from", "assigned to", "unassigned from"} {
			all = append(all, mapping.Rule{Type: scheme + " " + how + "*", Class: ocsf.WebResources, Activity: update})
		}
	}
	for _, what := range []string{
		"Permission added to scheme", "Permission removed from scheme", "Notification added to scheme", "Notification removed from scheme",
		"Field added to screen", "Field removed from screen", "Tab added to screen", "Tab updated in screen", "Tab removed from screen",
	} {
		all = append(all, mapping.Rule{Type: what, Class: ocsf.WebResources, Activity: update})
	}
	return all
}

// words are the verbs of summaries beyond the common ones.
func words() map[string]mapping.Verb {
	return map[string]mapping.Verb{
		"copied": mapping.Create, "trashed": mapping.Delete, "reopened": mapping.Update, "archived": mapping.Update, "unarchived": mapping.Update,
		// A draft that is published, permissions and settings that change.
		"published": mapping.Update, "configured": mapping.Update, "migrated": mapping.Update,
	}
}
