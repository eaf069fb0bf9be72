package asana

import (
	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// rules gives classes to Asana's types of events: where AppFabric's own output
// was observed, the same class and activity, for the others what that suggests.
// Types without a rule are activities on web resources, by their verb.
//
// The types: https://developers.asana.com/docs/audit-log-events (checked 2026-11-22).
func rules() []mapping.Rule {
	logon, assign := mapping.LogonRule, mapping.AssignRule
	const grant = "Grant App Privileges"
	all := []mapping.Rule{
		logon("user_login_*"), {Type: "user_logged_out", Class: ocsf.Authentication, Activity: 2, Else: 3},

		assign("user_workspace_admin_role_changed"), assign("user_division_admin_role_changed"),
		{Type: "team_member_added", Class: ocsf.GroupManagement, Activity: 3, Else: 3},
		{Type: "team_member_removed", Class: ocsf.GroupManagement, Activity: 4, Else: 3},
		assign("project_member_added"), {Type: "project_member_removed", Class: ocsf.UserAccess, Activity: 2, Else: 3},

		// What AppFabric has for grants to applications.
		{Type: "user_app_authorized", Class: ocsf.WebResources, Activity: ocsf.Other, Name: grant},
		{Type: "user_personal_access_token_authorized", Class: ocsf.WebResources, Activity: ocsf.Other, Name: grant},

		{Type: "user_csv_import_started", Class: ocsf.WebResources, Activity: 6},
	}
	return append(all, accounts()...)
}

// accounts: where no user is named, the update of a web resource.
func accounts() []mapping.Rule {
	const create, enable, passwordChange, passwordReset, disable, remove, mfaEnable, mfaDisable = 1, 2, 3, 4, 5, 6, 10, 11
	change := func(t string, activity int) mapping.Rule {
		return mapping.Rule{Type: t, Class: ocsf.AccountChange, Activity: activity, Else: 3}
	}
	update := func(t string) mapping.Rule {
		r := change(t, ocsf.Other)
		r.Name = "Update"
		return r
	}
	return []mapping.Rule{
		change("user_invited", create), change("user_deprovisioned", disable), change("user_reprovisioned", enable),
		change("user_forgot_password_started", passwordReset), change("user_password_reset", passwordReset),
		change("user_password_changed", passwordChange),
		change("user_two_factor_auth_enabled", mfaEnable), change("user_two_factor_auth_disabled", mfaDisable),
		update("domain_user_billing_*"),
		change("service_account_created", create), change("service_account_deleted", remove), update("service_account_name_changed"),
	}
}

// words are verbs of Asana's that others do not use, or not as such: what is
// started is an export.
func words() map[string]mapping.Verb {
	return map[string]mapping.Verb{"started": mapping.Export, "undeleted": mapping.Update}
}
