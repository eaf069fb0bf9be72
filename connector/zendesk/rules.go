package zendesk

import (
	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// rules gives classes to what was done to what, "user_update": where
// AppFabric's own output was observed, the same class and activity. All else is
// an activity on the source that the record names: of a membership of a group,
// say, neither the user nor the group are told.
//
// The actions: https://developer.zendesk.com/api-reference/ticketing/account-configuration/audit_logs/
// (checked 2026-11-22).
func rules() []mapping.Rule {
	const create, remove, logon = 1, 6, 1
	account := func(t string, activity int) mapping.Rule {
		return mapping.Rule{Type: t, Class: ocsf.AccountChange, Activity: activity, Else: 3}
	}
	update := account("user_update", ocsf.Other)
	update.Name = "Update"
	return []mapping.Rule{
		account("user_create", create), account("user_destroy", remove), update,
		{Type: "user_login", Class: ocsf.Authentication, Activity: logon, Else: 2},
	}
}
