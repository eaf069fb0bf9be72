package google

import (
	"strings"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// The activities of AccountChange.
const (
	create         = 1
	enable         = 2
	passwordChange = 3
	passwordReset  = 4
	disable        = 5
	remove         = 6
	mfaEnable      = 10
	mfaDisable     = 11
)

// The activities of web resources.
const (
	webCreate = 1
	webRead   = 2
	webUpdate = 3
	webDelete = 4
	webImport = 6
	webExport = 7
	webShare  = 8
)

// rules gives classes to names of events. Names are the same where applications
// mean the same, so the application need not be asked. What is not here is an
// activity on a web resource, by its verb.
//
// The names: https://developers.google.com/workspace/admin/reports/v1/appendix/activity
// (checked 2026-11-22).
func rules() []mapping.Rule {
	var all []mapping.Rule
	add := func(class ocsf.Class, activity, instead int, name, types string) {
		for t := range strings.FieldsSeq(types) {
			all = append(all, mapping.Rule{Type: t, Class: class, Activity: activity, Else: instead, Name: name})
		}
	}
	add(ocsf.Authentication, 1, webRead, "", "login_success login_failure login_challenge login_verification CHROME_OS_LOGIN_EVENT CHROME_OS_LOGIN_LOGOUT_EVENT CHROME_OS_LOGIN_FAILURE_EVENT")
	add(ocsf.Authentication, 2, webUpdate, "", "logout user_signed_out_due_to_suspicious_session_cookie CHROME_OS_LOGOUT_EVENT")
	add(ocsf.DetectionFinding, 1, webRead, "", "gov_attack_warning suspicious_login suspicious_login_less_secure_app suspicious_programmatic_login "+
		"SUSPICIOUS_ACTIVITY_EVENT DEVICE_COMPROMISED_EVENT")
	accounts(add)
	accesses(add)
	sharing(add)
	add(ocsf.WebResources, ocsf.Other, ocsf.Other, "Grant App Privileges", "authorize")
	add(ocsf.WebResources, ocsf.Other, ocsf.Other, "Revoke App Privileges", "revoke")
	add(ocsf.WebResources, webRead, webRead, "", "activity feature_utilization")
	return append(all, firstWords()...)
}

type adder func(class ocsf.Class, activity, instead int, name, types string)

func accounts(add adder) {
	account := func(activity, instead int, types string) { add(ocsf.AccountChange, activity, instead, "", types) }
	account(create, webCreate, "CREATE_USER")
	account(remove, webDelete, "DELETE_USER")
	account(enable, webUpdate, "UNDELETE_USER UNSUSPEND_USER UNARCHIVE_USER UNBLOCK_USER_SESSION")
	account(disable, webUpdate, "SUSPEND_USER ARCHIVE_USER account_disabled_password_leak account_disabled_generic account_disabled_hijacked "+
		"account_disabled_spamming account_disabled_spamming_through_relay")
	account(passwordChange, webUpdate, "CHANGE_PASSWORD password_edit PASSWORD_CHANGED")
	account(passwordReset, webUpdate, "CHANGE_PASSWORD_ON_NEXT_LOGIN GMAIL_RESET_USER")
	account(mfaEnable, webUpdate, "2sv_enroll titanium_enroll passkey_enrolled USER_ENROLLED_IN_TWO_STEP_VERIFICATION SECURITY_KEY_REGISTERED_FOR_USER GENERATE_2SV_SCRATCH_CODES")
	account(mfaDisable, webUpdate, "2sv_disable titanium_unenroll passkey_removed TURN_OFF_2_STEP_VERIFICATION UNENROLL_USER_FROM_STRONG_AUTH "+
		"UNENROLL_USER_FROM_TITANIUM REVOKE_SECURITY_KEY PASSKEY_REVOKED USER_CREATED_PASSKEY_REVOKE DELETE_2SV_SCRATCH_CODES")
	add(ocsf.AccountChange, ocsf.Other, webUpdate, "Update", "RENAME_USER CHANGE_DISPLAY_NAME CHANGE_FIRST_NAME CHANGE_LAST_NAME CHANGE_RECOVERY_EMAIL "+
		"CHANGE_RECOVERY_PHONE MOVE_USER_TO_ORG_UNIT recovery_email_edit recovery_phone_edit recovery_secret_qa_edit")
}

func accesses(add adder) {
	add(ocsf.UserAccess, 1, webUpdate, "", "ASSIGN_ROLE GRANT_ADMIN_PRIVILEGE GRANT_DELEGATED_ADMIN_PRIVILEGES")
	add(ocsf.UserAccess, 2, webUpdate, "", "UNASSIGN_ROLE REVOKE_ADMIN_PRIVILEGE")
	add(ocsf.GroupManagement, 3, webUpdate, "", "ADD_GROUP_MEMBER add_user add_member approve_join_request")
	add(ocsf.GroupManagement, 4, webUpdate, "", "REMOVE_GROUP_MEMBER remove_user remove_member ban_user_with_moderation ban_member_with_moderation")
	add(ocsf.GroupManagement, 1, webUpdate, "", "add_member_role")
	add(ocsf.GroupManagement, 2, webUpdate, "", "remove_member_role")
	// Who joins names no member: he is the actor.
	add(ocsf.WebResources, webUpdate, webUpdate, "", "join join_via_mail accept_invitation request_to_join request_to_join_via_mail unsubscribe_via_mail "+
		"invite_user reinvite_user invite_member add_room_member remove_room_member")
}

func sharing(add adder) {
	add(ocsf.WebResources, webShare, webShare, "", "change_user_access change_user_access_hierarchy_reconciled change_document_visibility "+
		"change_document_visibility_hierarchy_reconciled change_document_access_scope change_document_access_scope_hierarchy_reconciled change_acl_editors "+
		"shared_drive_membership_change sheets_import_range_access_change publish_change email_collaborators change_calendar_acls change_acl_permission modified_acl "+
		"CHANGE_USER_ACCESS CHANGE_USER_ACCESS_TO_ASSET_VIA_WORKSPACE CHANGE_ASSET_LINK_SHARING_ACCESS_TYPE CHANGE_ASSET_LINK_SHARING_VISIBILITY")
	add(ocsf.WebResources, webExport, webExport, "", "email_as_attachment print print_preview_calendar DATA_EXPORT")
	add(ocsf.WebResources, webImport, webImport, "", "sheets_import_url sheets_import_range")
	add(ocsf.WebResources, webDelete, webDelete, "", "trash TRASH MOBILE_DEVICE_DELETE guardian_removed_for_student")
	add(ocsf.WebResources, webUpdate, webUpdate, "", "untrash RESTORE")
	add(ocsf.WebResources, webCreate, webCreate, "", "copy source_copy")
}

// firstWords: where a name begins with its verb, that is the one, whatever words
// follow: create_script_trigger, CHANGE_LOGIN_BORDER_COLOR.
func firstWords() []mapping.Rule {
	var all []mapping.Rule
	for activity, list := range map[int]string{
		webCreate: "add create created insert generate request commented multiple_add",
		webRead:   "view access verify prefetch",
		webUpdate: "change changed edit edited update updated rename move toggle enable disable allow disallow block unblock trust untrust revoke assign unassign " +
			"enforce skip use reset reject rejected accept approve release drop mobile device reorder authorize issue apply published pin unpin " +
			"send_chrome set unset approval share guardian default_guardian cancel deny expire",
		webDelete: "delete deleted remove",
		webImport: "upload uploaded import",
		webExport: "download",
	} {
		for word := range strings.FieldsSeq(list) {
			for _, spelt := range []string{word, strings.ToUpper(word)} {
				all = append(all, mapping.Rule{Type: spelt + "_*", Class: ocsf.WebResources, Activity: activity})
			}
		}
	}
	return all
}

// words are the verbs of names beyond the common ones.
func words() map[string]mapping.Verb {
	own := map[mapping.Verb]string{
		mapping.Create: "creation posted reported submitted sent send scored copy post",
		mapping.Read:   "watched see match access",
		mapping.Update: "assignment reassignment conversion wiped blocked unblocked allowed redeemed unenroll provisioning setup operation claim undelete reset " +
			"encrypt pause resume transferred owns responded gained archived accepted answered moderate reparented reconciled reassign reopen starting stopped " +
			"notification deprovision selected features report preview_access turned unban suspended decline accept reject",
		mapping.Delete: "deletion wipe",
		mapping.Search: "search query",
		mapping.Export: "print",
		mapping.Start:  "invoked dialed",
	}
	out := map[string]mapping.Verb{}
	for verb, list := range own {
		for word := range strings.FieldsSeq(list) {
			out[word] = verb
		}
	}
	return out
}
