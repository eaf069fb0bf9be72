package m365

import (
	"slices"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// rules gives classes to the activities of the audit log. AppFabric's output of
// them was not observed: they follow what it makes of the like of other
// applications. Activities without a rule are on web resources, by their verb.
//
// The activities:
// https://learn.microsoft.com/en-us/entra/identity/monitoring-health/reference-audit-activities
// (checked 2026-11-22).
func rules() []mapping.Rule {
	return slices.Concat(accounts(), factors(), accesses(), groups(), others())
}

func accounts() []mapping.Rule {
	change, update := mapping.AccountRule, mapping.UpdateRule
	const create, enable, passwordChange, passwordReset, disable, remove = 1, 2, 3, 4, 5, 6
	return []mapping.Rule{
		change("Add user", create), change("Invite external user", create), change("User_Create", create),
		change("Delete user", remove), change("Hard Delete user", remove), change("User_Delete", remove),
		change("Restore user", enable), change("Enable account", enable), change("Disable account", disable),
		change("Unlock user account*", enable), change("Fraud reported - user is blocked*", disable),
		change("Add blocked user", disable), change("Clear block on user", enable),
		change("Change user password", passwordChange), change("Change password*", passwordChange),
		change("User started password change", passwordChange),
		change("Reset password*", passwordReset), change("Reset user password", passwordReset),
		change("Set force change user password", passwordReset), change("Admin started password reset", passwordReset),
		change("user started password reset", passwordReset), change("Self-service password reset flow*", passwordReset),
		change("Blocked from self-service password reset", passwordReset),
		update("Update user"), update("Change user license"), update("Set user manager"), update("Convert federated user to managed"),
		update("Update StsRefreshTokenValidFrom Timestamp"), update("Redeem extern user invite"),
		update("Update attribute values assigned to a user"), update("Create application password for user"),
		update("Delete application password for user"), update("Set user oath token metadata enabled"),
	}
}

// factors are what else than a password an account is opened with.
func factors() []mapping.Rule {
	change, update := mapping.AccountRule, mapping.UpdateRule
	const mfaEnable, mfaDisable = 10, 11
	list := []mapping.Rule{
		change("Enable Strong Authentication", mfaEnable), change("Disable Strong Authentication", mfaDisable),
		change("Add users strong authentication phone app detail", mfaEnable),
		change("Remove users strong authentication phone app detail", mfaDisable),
		change("User registered security info", mfaEnable), change("User registered all required security info", mfaEnable),
		change("Admin registered security info", mfaEnable), change("Security info saved*", mfaEnable),
		change("User deleted security info", mfaDisable), change("Admin deleted security info", mfaDisable),
		update("User updated security info"), update("Admin updated security info"), update("User changed default security info"),
		update("User reviewed security info"), update("User started security info registration"), update("User canceled security info*"),
		change("Assign Hardware Oath Token", mfaEnable), change("Add bypass user", mfaDisable), change("Remove bypassed user", mfaEnable),
	}
	for _, credential := range []string{"FIDO2 security key", "Windows Hello for Business credential", "passwordless phone sign-in credential", "platform credential"} {
		list = append(list, change("Add "+credential+"*", mfaEnable), change("Delete "+credential+"*", mfaDisable))
	}
	return list
}

func accesses() []mapping.Rule {
	assign, revoke := mapping.AssignRule, mapping.RevokeRule
	return []mapping.Rule{
		assign("Add member to role*"), assign("Add eligible member to role*"), assign("Add scoped member to role*"),
		assign("Add role assignment to role definition"), assign("Add EligibleRoleAssignment to RoleDefinition"),
		assign("Restore member from role*"), assign("Restore eligible member from role*"),
		assign("Restore permanent direct role assignment"), assign("Restore permanent eligible role assignment"),
		revoke("Remove member from role*"), revoke("Remove eligible member from role*"), revoke("Remove scoped member from role*"),
		revoke("Remove role assignment from role definition"), revoke("Remove EligibleRoleAssignment from RoleDefinition"),
		revoke("Remove permanent direct role assignment"), revoke("Remove permanent eligible role assignment"),
		assign("Add app role assignment grant to user"), assign("Add app role assignment to user"),
		revoke("Remove app role assignment from user"),
		assign("Administrator directly assigns user to access package"),
		revoke("Administrator directly removes user access package assignment"),
		assign("Add member to administrative unit"), revoke("Remove member from administrative unit"),
	}
}

func groups() []mapping.Rule {
	group := mapping.GroupRule
	const grant, withdraw, add, leave, end, begin = 1, 2, 3, 4, 5, 6
	made, gone := group("Add group", begin), group("Delete group", end)
	made.Else, gone.Else = 1, 4
	return []mapping.Rule{
		group("Add member to group", add), group("Remove member from group", leave),
		group("Group_AddMember", add), group("Group_RemoveMember", leave),
		group("Add owner to group", grant), group("Remove owner from group", withdraw), made, gone,
	}
}

func others() []mapping.Rule {
	assign, web := mapping.AssignRule, mapping.WebRule
	const made, read, updated, deleted, imported = 1, 2, 3, 4, 6
	return []mapping.Rule{
		web("Bulk create *", made), web("Bulk invite *", made), web("Bulk delete *", deleted), web("Bulk remove *", deleted), web("Bulk import *", imported),
		// What AppFabric calls so where an application is given rights.
		{Type: "Consent to application", Class: ocsf.WebResources, Activity: ocsf.Other, Name: "Grant App Privileges"},
		{Type: "Add delegated permission grant", Class: ocsf.WebResources, Activity: ocsf.Other, Name: "Grant App Privileges"},
		web("Device no longer *", updated), web("Features_IsFeatureEnabledAsync", read), web("Hard Delete *", deleted), web("Hard delete *", deleted),
		web("Directory deleted*", deleted), web("Group_ValidateDynamicMembership", read), web("Group_BatchValidateDynamicMembership", read),
		// Of privileged identity management, what is only asked for, or was not
		// given.
		web("Add member to role request*", updated), assign("Add member to role request approved*"),
		web("Add member to role approval requested*", updated), web("Add member to role canceled*", updated),
		web("Add member to role in PIM requested*", updated), web("Add member to role in PIM canceled*", updated),
		web("Add eligible member to role in PIM requested*", updated), web("Add eligible member to role in PIM canceled*", updated),
		web("Remove member from role requested*", updated), web("Remove member from role in PIM requested*", updated),
		web("Remove eligible member from role in PIM requested*", updated),
	}
}

// words are verbs of Microsoft's that others do not use, or not as such.
func words() map[string]mapping.Verb {
	return map[string]mapping.Verb{
		// "Request approved": there it is no verb.
		"request":    mapping.None,
		"unregister": mapping.Delete, "promote": mapping.Update, "demote": mapping.Update, "convert": mapping.Update,
		"consent": mapping.Grant, "accept": mapping.Update, "decline": mapping.Update, "dismiss": mapping.Update, "redeem": mapping.Update,
		"renew": mapping.Update, "act": mapping.Update, "unset": mapping.Update, "offboarded": mapping.Remove, "onboarded": mapping.Add,
		"reported": mapping.Create, "quarantine": mapping.Update, "fulfill": mapping.Update, "extend": mapping.Update, "revoke": mapping.Revoke,
	}
}
