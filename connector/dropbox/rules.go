package dropbox

import (
	"strings"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// rules gives classes to Dropbox's types of events: where AppFabric's own
// output was observed, the same class and activity, for the others what that
// suggests. Types without a rule are activities on web resources, by their verb.
//
// The types: https://github.com/dropbox/dropbox-api-spec/blob/main/team_log.stone
// (checked 2026-11-22).
func rules() []mapping.Rule {
	var all []mapping.Rule
	for _, part := range [][]mapping.Rule{observed(), signOns(), accounts(), accesses(), others()} {
		all = append(all, part...)
	}
	return all
}

// observed is what AppFabric was seen to emit and no general rule would give.
func observed() []mapping.Rule {
	web := mapping.WebRule
	return []mapping.Rule{
		{Type: "app_link_team", Class: ocsf.WebResources, Activity: ocsf.Other, Name: "Other"},
		{Type: "app_link_user", Class: ocsf.WebResources, Activity: ocsf.Other, Name: "Other"},
		web("file_add", 6),
		{Type: "member_change_status", Class: ocsf.AccountChange, Activity: ocsf.Other, Name: "Update", Else: 3},
		{Type: "member_change_admin_role", Class: ocsf.UserAccess, Activity: 1, Else: 3},
	}
}

func signOns() []mapping.Rule {
	logon, logoff := mapping.LogonRule, mapping.LogoffRule
	return []mapping.Rule{
		logon("login_success"), logon("login_fail"), logoff("logout"), logon("sso_error"), logon("emm_error"),
		logon("sign_in_as_session_start"), logoff("sign_in_as_session_end"),
		logon("reseller_support_session_start"), logoff("reseller_support_session_end"),
		logon("guest_admin_signed_in*"), logoff("guest_admin_signed_out*"),
		logon("started_enterprise_admin_session"), logoff("ended_enterprise_admin_session*"),
	}
}

func accounts() []mapping.Rule {
	change, update := mapping.AccountRule, mapping.UpdateRule
	const passwordChange, passwordReset, lock, mfaEnable, mfaDisable = 3, 4, 9, 10, 11
	return []mapping.Rule{
		change("account_lock_or_unlocked", lock), change("password_change", passwordChange), change("password_reset", passwordReset),
		change("tfa_change_status", mfaEnable), change("tfa_reset", mfaDisable),
		change("tfa_add_backup_phone", mfaEnable), change("tfa_add_security_key", mfaEnable), change("passkey_add", mfaEnable),
		change("tfa_remove_backup_phone", mfaDisable), change("tfa_remove_security_key", mfaDisable), change("passkey_remove", mfaDisable),
		update("tfa_change_backup_phone"),
		update("member_add_external_id"), update("member_add_name"), update("member_change_email"), update("member_change_external_id"),
		update("member_change_membership_type"), update("member_change_name"), update("member_remove_external_id"),
		update("member_delete_profile_photo"), update("member_set_profile_photo"),
		update("pending_secondary_email_added"), update("secondary_email_deleted"), update("secondary_email_verified"),
	}
}

func accesses() []mapping.Rule {
	return []mapping.Rule{
		{Type: "member_change_reseller_role", Class: ocsf.UserAccess, Activity: 1, Else: 3},
		{Type: "changed_enterprise_admin_role", Class: ocsf.UserAccess, Activity: 1, Else: 3},
		{Type: "group_add_member", Class: ocsf.GroupManagement, Activity: 3, Else: 3},
		{Type: "group_remove_member", Class: ocsf.GroupManagement, Activity: 4, Else: 3},
		{Type: "admin_alerting_triggered_alert", Class: ocsf.DetectionFinding, Activity: 1, Else: 1},
	}
}

func others() []mapping.Rule {
	web := mapping.WebRule
	const create, view, change, remove, export, share = 1, 2, 3, 4, 7, 8
	return []mapping.Rule{
		web("app_blocked_by_permissions", create), web("delete_team_invite_link", remove), web("device_link_*", create), web("emm_refresh_auth_token", change),
		web("file_add_from_automation", 6), web("file_transfers_file_add", 6), web("file_save_copy_reference", create), web("file_get_copy_reference", view),
		web("dash_shared_link_to_stack", share), web("dash_opened_shared_link_to_stack", view),
		web("dash_removed_shared_link_to_stack", remove), web("dash_changed_audience_of_shared_link_to_stack", change),
		web("dash_first_launched_*", view), web("dash_viewed_*", view), web("dash_external_user_opened_stack", view),
		web("legal_holds_report_a_hold", export), web("legal_holds_export_a_hold", export),
		web("legal_holds_release_a_hold", remove), web("legal_holds_activate_a_hold", change),
		web("shared_content_add_invitees", share), web("shared_content_add_member", share), web("paper_content_add_member", share),
		web("showcase_add_member", share), web("paper_doc_team_invite", share), web("paper_folder_team_invite", share),
		web("sf_*", share), web("sf_fb_uninvite", change), web("sf_team_uninvite", change), web("sf_external_invite_warn", change),
		web("shared_content_remove_invitees", change), web("shared_content_remove_member", change), web("paper_content_remove_member", change),
		web("showcase_remove_member", change), web("shared_content_unshare", change), web("protect_action_stop_sharing", change),
		web("note_acl_*", change), web("note_shared", share), web("open_note_shared", view), web("shared_note_opened", view),
		web("sso_add_*", create), web("sso_change_*", change), web("sso_remove_*", remove),
		web("external_drive_backup_eligibility_status_checked", view),
		web("risc_security_event", change), web("external_sharing_report_failed", create),
		web("no_expiration_link_gen_report_failed", create), web("no_password_link_gen_report_failed", create),
		web("no_password_link_view_report_failed", create), web("outdated_link_view_report_failed", create),
		web("paper_external_view_*", change), web("paper_enabled_users_group_*", change),
		web("team_merge_request_reminder*", share), web("team_merge_request_sent*", share), web("team_merge_request_accepted*", change),
		web("data_residency_migration_request_*", change), web("enterprise_settings_locking", change),
		web("sign_signature_request_*", change), web("sign_signature_request_opened", view), web("sign_signature_request_sent", share),
		web("sign_signature_request_reminder_sent", share),
		web("file_requests_emails_*", change), web("smart_sync_not_opt_out", change), web("smart_sync_opt_out", change),
	}
}

// words are verbs of Dropbox's that others have not, or mean otherwise.
func words() map[string]mapping.Verb {
	list := map[mapping.Verb]string{
		mapping.Create: "copy post gen",
		mapping.Update: "archive archived unarchived revert rollback rewind nest followed mention pinned unpinned like unlike resolve unresolve " +
			"untrashed organize undo satisfy decline migrate relinquish reorder downgrade rotation subscription availability " +
			"capture locking policy settings",
		mapping.Delete: "trashed disposed",
		mapping.Import: "receive",
		mapping.Share:  "send sent email",
		mapping.Add:    "mount claim suggest",
		mapping.Remove: "unlink unmount unenroll unenrollment disconnected release",
	}
	m := map[string]mapping.Verb{}
	for verb, words := range list {
		for word := range strings.FieldsSeq(words) {
			m[word] = verb
		}
	}
	return m
}
