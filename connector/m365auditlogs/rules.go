package m365auditlogs

import (
	"slices"
	"time"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// clock reads CreationTime, which is UTC and says no zone.
func clock(s string) (time.Time, bool) {
	t, err := time.Parse("2006-01-02T15:04:05", s)
	if err != nil {
		return mapping.RFC3339(s)
	}
	return t, true
}

// rules gives classes to the operations of the unified audit log. AppFabric's
// output of them was not observed: they follow what it makes of the like of other
// applications. Operations without a rule are on web resources, by their verb.
//
// The operations: https://learn.microsoft.com/en-us/purview/audit-log-activities
// (checked 2026-11-22). Those of the directory end in a full stop, or used to.
func rules() []mapping.Rule {
	var all []mapping.Rule
	for _, rule := range directory() {
		stopped := rule
		stopped.Type += "."
		all = append(all, rule, stopped)
	}
	return slices.Concat(all, signOns(), members(), findings(), cmdlets(), others())
}

// directory are the operations of Microsoft Entra ID.
func directory() []mapping.Rule {
	change, update, assign, revoke, inGroup := mapping.AccountRule, mapping.UpdateRule, mapping.AssignRule, mapping.RevokeRule, mapping.GroupRule
	const create, enable, passwordChange, passwordReset, disable, remove, mfaEnable, mfaDisable, groupAssign, groupRevoke, addUser, removeUser = 1, 2, 3, 4, 5, 6, 10, 11, 1, 2, 3, 4
	const grant = "Grant App Privileges"
	return []mapping.Rule{
		change("Add user", create), change("Delete user", remove), change("Hard Delete user", remove), change("Restore user", enable),
		change("Enable account", enable), change("Disable account", disable), change("Unlock user account (self-service)", enable),
		change("Change user password", passwordChange), change("Change password (self-service)", passwordChange),
		change("Reset user password", passwordReset), change("Reset password (self-service)", passwordReset),
		change("Reset password (by admin)", passwordReset), change("Set force change user password", passwordReset),
		change("Enable Strong Authentication", mfaEnable), change("Disable Strong Authentication", mfaDisable),
		change("User registered security info", mfaEnable), change("User deleted security info", mfaDisable),
		update("Update user"), update("Change user license"), update("Set license properties"), update("Set user manager"),
		update("Update StsRefreshTokenValidFrom Timestamp"), update("Convert federated user to managed"),

		assign("Add member to role"), assign("Add eligible member to role"), assign("Add scoped member to role"),
		revoke("Remove member from role"), revoke("Remove eligible member from role"), revoke("Remove scoped member from role"),
		assign("Add app role assignment grant to user"), revoke("Remove app role assignment from user"),

		inGroup("Add member to group", addUser), inGroup("Remove member from group", removeUser),
		inGroup("Add owner to group", groupAssign), inGroup("Remove owner from group", groupRevoke),

		{Type: "Consent to application", Class: ocsf.WebResources, Activity: ocsf.Other, Name: grant},
		{Type: "Add delegated permission grant", Class: ocsf.WebResources, Activity: ocsf.Other, Name: grant},
	}
}

func signOns() []mapping.Rule {
	logon := mapping.LogonRule
	return []mapping.Rule{
		logon("UserLoggedIn"), logon("UserLoginFailed"), logon("MailboxLogin"), logon("TeamsSessionStarted"), logon("SignInEvent"),
		logon("PasswordLogon*"), logon("ForeignRealmIndexLogon*"), logon("SignInToPowerBI"),
		{Type: "UserLoggedOff", Class: ocsf.Authentication, Activity: 2, Else: 3},
		{Type: "UserLoggedOut", Class: ocsf.Authentication, Activity: 2, Else: 3},
	}
}

// members are of groups of sites, of teams and of Exchange.
func members() []mapping.Rule {
	change, assign, revoke, inGroup := mapping.AccountRule, mapping.AssignRule, mapping.RevokeRule, mapping.GroupRule
	const create, disable, remove, groupAssign, addUser, removeUser = 1, 5, 6, 1, 3, 4
	return []mapping.Rule{
		inGroup("AddedToGroup", addUser), inGroup("RemovedFromGroup", removeUser),
		inGroup("MemberAdded", addUser), inGroup("MemberRemoved", removeUser), inGroup("MemberRoleChanged", groupAssign),
		inGroup("Add-RoleGroupMember", addUser), inGroup("Remove-RoleGroupMember", removeUser),
		inGroup("Add-DistributionGroupMember", addUser), inGroup("Remove-DistributionGroupMember", removeUser),
		inGroup("Add-UnifiedGroupLinks", addUser), inGroup("Remove-UnifiedGroupLinks", removeUser),
		assign("Add-MailboxPermission"), revoke("Remove-MailboxPermission"),
		assign("Add-RecipientPermission"), revoke("Remove-RecipientPermission"),
		assign("Add-MailboxFolderPermission"), revoke("Remove-MailboxFolderPermission"),
		change("NetworkUserSuspended", disable), change("UserSuspension", disable),
		change("New-Mailbox", create), change("Remove-Mailbox", remove), change("New-MailUser", create), change("Remove-MailUser", remove),
	}
}

func found(t string, activity int) mapping.Rule {
	return mapping.Rule{Type: t, Class: ocsf.DetectionFinding, Activity: activity, Else: 2}
}

func findings() []mapping.Rule {
	const detected, changed = 1, 2
	return []mapping.Rule{
		found("DlpRuleMatch", detected), found("DlpInfo", detected), found("DlpRuleUndo", changed),
		found("AlertTriggered", detected), found("AlertEntityGenerated", detected), found("AlertUpdated", changed), found("Alert*", changed),
		found("FileMalwareDetected", detected), found("AtpDetection", detected), found("TIMailData", detected), found("TIUrlClickData", detected),
		found("SupervisionRuleMatch", detected), found("InsiderRiskAlert*", detected),
	}
}

// cmdlets begin with their verb, where the others end with it.
func cmdlets() []mapping.Rule {
	web := mapping.WebRule
	const created, opened, updated, deleted, searched, imported, exported = 1, 2, 3, 4, 5, 6, 7
	var list []mapping.Rule
	for activity, verbs := range map[int][]string{
		created: {"New-", "Add-", "Install-"}, opened: {"Get-", "Test-"},
		updated:  {"Set-", "Update-", "Enable-", "Disable-", "Start-", "Stop-", "Resume-", "Suspend-", "Upgrade-", "Invoke-", "Release-", "Restore-", "Validate-"},
		deleted:  {"Remove-", "Uninstall-", "Clear-"},
		searched: {"Search-"}, imported: {"Import-"}, exported: {"Export-"},
	} {
		for _, verb := range verbs {
			list = append(list, web(verb+"*", activity))
		}
	}
	return list
}

func others() []mapping.Rule {
	web := mapping.WebRule
	const created, opened, updated, deleted, exported, shared = 1, 2, 3, 4, 7, 8
	const install, uninstall = "Install ThirdParty App", "Uninstall ThirdParty App"
	return []mapping.Rule{
		{Type: "AppInstalled", Class: ocsf.WebResources, Activity: ocsf.Other, Name: install},
		{Type: "AppUninstalled", Class: ocsf.WebResources, Activity: ocsf.Other, Name: uninstall},
		web("Remove delegated permission grant.", deleted), web("SharingSet", shared), web("AddedToSecureLink", shared), web("AllowShareFormForCopy", shared), web("DisallowShareFormForCopy", updated),
		web("SiteCollectionAdminAdded", updated), web("SiteCollectionAdminRemoved", updated), web("PermissionLevelAdded", updated),
		web("MoveToDeletedItems", deleted), web("UserLoggedInToPortal", opened),
		web("ViewRuntimeForm", opened), web("GetSummaryLink", created), web("QuarantineViewHeader", opened),
		web("FileUpdateDescription", updated), web("FileUpdateName", updated), web("QuarantineReleaseRequest", updated),
		web("AccessRequestApproved", updated), web("SiteAdminChangeRequest", updated), web("DataExport", exported),
	}
}

// words are verbs of Microsoft's that others do not use, or not as such.
func words() map[string]mapping.Verb {
	return map[string]mapping.Verb{
		"send": mapping.Create, "sent": mapping.Create, "copy": mapping.Create, "copied": mapping.Create, "creation": mapping.Create,
		"bind": mapping.Read, "visited": mapping.Read, "fetched": mapping.Read, "used": mapping.Read, "synced": mapping.Read, "failure": mapping.Read,
		"recycled": mapping.Delete, "deletion": mapping.Delete, "withdrew": mapping.Delete,
		"checked": mapping.Update, "discarded": mapping.Update, "blocked": mapping.Update, "allowed": mapping.Update, "accepted": mapping.Update,
		"broken": mapping.Update, "toggled": mapping.Update, "locked": mapping.Update, "unlocked": mapping.Update, "released": mapping.Update,
		"release": mapping.Update, "preview": mapping.Read, "upgraded": mapping.Update, "assigned": mapping.Update, "reset": mapping.Update,
		"customize": mapping.Update, "archived": mapping.Update, "requested": mapping.Create, "applied": mapping.Update, "process": mapping.Update,
		"settings": mapping.Update, "participated": mapping.Read, "suspension": mapping.Disable, "consent": mapping.Grant, "demoted": mapping.Update,
		"promoted": mapping.Update, "invitation": mapping.Create, "detail": mapping.Read, "declined": mapping.Update, "inherited": mapping.Update,
	}
}
