package slack

import (
	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// rules gives classes to Slack's actions: where AppFabric's own output was
// observed, the same class and activity, for the others what that suggests.
// Actions without a rule are activities on web resources, by their verb.
//
// The actions: https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference
// (checked 2026-11-22).
func rules() []mapping.Rule {
	var all []mapping.Rule
	for _, part := range [][]mapping.Rule{observed(), signOns(), accounts(), accesses(), findings(), others()} {
		all = append(all, part...)
	}
	return all
}

// observed is what AppFabric was seen to emit and no general rule would give.
func observed() []mapping.Rule {
	const install, uninstall = "Install ThirdParty App", "Uninstall ThirdParty App"
	return []mapping.Rule{
		{Type: "app_collaborator_added", Class: ocsf.WebResources, Activity: ocsf.Other, Name: "Other"},
		{Type: "app_installed", Class: ocsf.WebResources, Activity: ocsf.Other, Name: install},
		{Type: "app_uninstalled", Class: ocsf.WebResources, Activity: ocsf.Other, Name: uninstall},
		{Type: "org_app_installed", Class: ocsf.WebResources, Activity: ocsf.Other, Name: install},
		{Type: "org_app_uninstalled", Class: ocsf.WebResources, Activity: ocsf.Other, Name: uninstall},
		{Type: "permissions_removed", Class: ocsf.UserAccess, Activity: ocsf.Other, Name: "Other", Else: 3},
	}
}

func logon(t string) mapping.Rule {
	return mapping.Rule{Type: t, Class: ocsf.Authentication, Activity: 1, Else: 2}
}

func logoff(t string) mapping.Rule {
	return mapping.Rule{Type: t, Class: ocsf.Authentication, Activity: 2, Else: 3}
}

func signOns() []mapping.Rule {
	return []mapping.Rule{
		logon("user_login"), logon("user_login_failed"), logon("cli_login"),
		logoff("user_logout*"), logoff("cli_logout"),
		logoff("user_session_invalidated"), logoff("user_session_reset*"), logoff("user_sessions_reset*"),
	}
}

// change is a change of an account; where no user is named, the update of a
// web resource.
func change(t string, activity int) mapping.Rule {
	return mapping.Rule{Type: t, Class: ocsf.AccountChange, Activity: activity, Else: 3}
}

func update(t string) mapping.Rule {
	r := change(t, ocsf.Other)
	r.Name = "Update"
	return r
}

func accounts() []mapping.Rule {
	const create, enable, passwordReset, disable = 1, 2, 4, 5
	return []mapping.Rule{
		change("user_created", create), change("guest_created", create),
		change("user_reactivated", enable), change("guest_reactivated", enable),
		change("user_deactivated", disable), change("guest_deactivated", disable), change("guest_expired", disable),
		change("user_password_reset*", passwordReset),
		update("user_profile_updated"), update("user_profile_deleted"), update("user_email_updated"), update("user_username_updated"),
		update("user_session_settings_changed"), update("guest_expiration_set"), update("guest_expiration_cleared"),
	}
}

func assign(t string) mapping.Rule {
	return mapping.Rule{Type: t, Class: ocsf.UserAccess, Activity: 1, Else: 3}
}

func revoke(t string) mapping.Rule {
	return mapping.Rule{Type: t, Class: ocsf.UserAccess, Activity: 2, Else: 3}
}

func group(t string, activity int) mapping.Rule {
	return mapping.Rule{Type: t, Class: ocsf.GroupManagement, Activity: activity, Else: 3}
}

func accesses() []mapping.Rule {
	const groupAssign, groupRevoke, addUser, removeUser = 1, 2, 3, 4
	return []mapping.Rule{
		assign("user_channel_join"), assign("guest_channel_join"), assign("user_joined_workspace"), assign("guest_joined_workspace"),
		revoke("user_channel_leave"), revoke("guest_channel_leave"),
		assign("role_change_to_*"), assign("role_assigned"), revoke("role_removed"), assign("permissions_assigned"),
		assign("owner_transferred"),
		group("role_added_to_usergroup", groupAssign), group("role_removed_from_usergroup", groupRevoke),
		group("user_added_to_usergroup", addUser), group("user_removed_from_usergroup", removeUser),
	}
}

func findings() []mapping.Rule {
	found := func(t string) mapping.Rule {
		return mapping.Rule{Type: t, Class: ocsf.DetectionFinding, Activity: 1, Else: 2}
	}
	return []mapping.Rule{
		found("anomaly"), found("file_malicious_content_detected"), found("native_dlp_rule_action_applied"),
		found("workflow_trigger_suspicious_keyword"),
	}
}

// web is an activity on a web resource that the words of the action do not
// tell, or tell wrongly.
func web(t string, activity int) mapping.Rule {
	return mapping.Rule{Type: t, Class: ocsf.WebResources, Activity: activity}
}

func others() []mapping.Rule {
	const read, updated, removed, exported, shared = 2, 3, 4, 7, 8
	all := []mapping.Rule{
		web("pref.*", updated), web("pre.*", updated), web("custom_tos_link_clicked", read), web("custom_tos_accepted", updated),
		web("domain_verified", updated), web("domain_unverified", updated), web("org_verified", updated), web("org_unverified", updated),
		web("organization_verified", updated), web("organization_unverified", updated), web("workspace_copy_*", updated),
		web("audit_logs_export*", exported), web("huddle_screenshare_on", shared), web("huddle_screenshare_off", updated),
	}
	for _, export := range []string{"manual_export_", "manual_user_export_", "scheduled_export_", "channels_export_"} {
		all = append(all, web(export+"*", exported), web(export+"deleted", removed))
	}
	return all
}

// words are verbs of Slack's that others do not use, or not as such.
func words() map[string]mapping.Verb {
	m := map[string]mapping.Verb{
		"send": mapping.Create, "tombstoned": mapping.Delete, "unenrolled": mapping.Delete, "dropped": mapping.Remove,
		"fetched": mapping.Read, "used": mapping.Read, "forwarded": mapping.Share, "sent": mapping.Share,
		"reactivated": mapping.Enable, "uninstalled": mapping.Delete,
	}
	for _, word := range []string{
		"accepted", "aliased", "archive", "archived", "converted", "declined", "deploy", "deployed", "disconnected", "downgraded", "end",
		"expanded", "flagged", "ignored", "merged", "migrated", "moderated", "paused", "preserved", "published", "reconnected", "refreshed",
		"released", "restricted", "resumed", "reverted", "transferred", "unarchive", "unpublished", "unshared", "upgraded", "upserted",
	} {
		m[word] = mapping.Update
	}
	return m
}
