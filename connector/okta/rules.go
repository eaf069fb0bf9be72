package okta

import (
	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// rules gives classes to Okta's types of events: where AppFabric's own output
// was observed, the same class and activity, for the others what that suggests.
// Types without a rule are activities on web resources, by their verb.
//
// The types: https://developer.okta.com/docs/reference/api/event-types/
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
	const install, grant, enable = "Install ThirdParty App", "Grant App Privileges", "Enable Resource"
	return []mapping.Rule{
		{Type: "app.oauth2.client.lifecycle.activate", Class: ocsf.WebResources, Activity: ocsf.Other, Name: enable},
		{Type: "app.oauth2.credentials.lifecycle.create", Class: ocsf.WebResources, Activity: ocsf.Other, Name: "Other"},
		{Type: "app.oauth2.token.grant*", Class: ocsf.WebResources, Activity: ocsf.Other, Name: grant},
		{Type: "app.oauth2.as.token.grant*", Class: ocsf.WebResources, Activity: ocsf.Other, Name: grant},
		{Type: "oauth2.as.created", Class: ocsf.WebResources, Activity: ocsf.Other, Name: install},
		{Type: "policy.evaluate_sign_on", Class: ocsf.WebResources, Activity: 3},
		{Type: "policy.rule.add", Class: ocsf.WebResources, Activity: 3},
		{Type: "application.user_membership.update", Class: ocsf.AccountChange, Activity: ocsf.Other, Name: "Update", Else: 3},
		{Type: "system.sms.send*", Class: ocsf.AccountChange, Activity: ocsf.Other, Name: "Other", Else: ocsf.Other},
	}
}

func signOns() []mapping.Rule {
	logon, logoff := mapping.LogonRule, mapping.LogoffRule
	return []mapping.Rule{
		logon("user.session.start"), logoff("user.session.end"), logoff("user.session.expire"), logoff("user.session.clear"),
		logon("user.session.impersonation.initiate"), logoff("user.session.impersonation.end"),
		logon("user.authentication.*"), logoff("user.authentication.slo"), logoff("user.authentication.universal_logout*"),
		logon("user.mfa.okta_verify*"), logon("user.mfa.attempt_bypass"),
		logon("user.device_session.start"), logoff("user.device_session.end"),
		logon("app.oauth2.signon"), logon("app.oauth2.authorize*"), logon("app.oauth2.as.authorize*"),
		logon("app.oauth2.invalid_client_credentials"),
		logon("app.inbound_del_auth.login_success"), logon("app.kerberos_rich_client.*"),
		logon("application.policy.sign_on.deny_access"), logon("system.email.challenge_factor_redeemed"),
		logon("system.iwa_agentless.auth*"), logon("system.iwa_agentless.user.not_found"),
		logon("system.ldapi.bind"), logoff("system.ldapi.unbind"),
		logon("device.password_sync.authentication"), logon("device.platform_sso.authentication"),
		logoff("device.desktop_mfa.device_logout.*"), logon("pam.server.ssh_login"),
	}
}

func accounts() []mapping.Rule {
	change, update := mapping.AccountRule, mapping.UpdateRule
	const create, enable, passwordChange, passwordReset, disable, remove, lock, mfaEnable, mfaDisable = 1, 2, 3, 4, 5, 6, 9, 10, 11
	return []mapping.Rule{
		change("user.lifecycle.*", 0), change("user.lifecycle.password_mass_expiry", passwordReset),
		change("user.lifecycle.jit.*", create), change("user.lifecycle.delete.*", remove),
		update("user.account.*"), change("user.account.lock*", lock), change("user.account.unlock*", enable),
		change("user.account.reset_password", passwordReset), change("user.account.expire_password", passwordReset),
		change("user.account.update_password", passwordChange), change("user.import.password", passwordChange),
		change("user.mfa.factor.activate", mfaEnable), change("user.mfa.factor.unsuspend", mfaEnable),
		change("user.mfa.factor.deactivate", mfaDisable), change("user.mfa.factor.reset_all", mfaDisable),
		change("user.mfa.factor.suspend", mfaDisable), update("user.mfa.factor.update"),
		change("user.credential.enroll", mfaEnable), change("credential.register", mfaEnable), change("credential.revoke", mfaDisable),
		change("application.user_membership.change_password", passwordChange), update("application.user_membership.change_username"),
		change("application.user_membership.restore_password", passwordReset),
		change("application.provision.user.*", 0), change("application.provision.user.push", create),
		change("application.provision.user.password", passwordChange),
		change("application.provision.user.push_password", passwordChange),
		change("application.provision.user.push_okta_password", passwordChange),
		update("application.provision.user.import_profile"), update("application.provision.user.push_profile"),
		update("application.provision.user.sync"), update("application.provision.user.verify_exists"),
		change("app.realtimesync.import.details.add_user", create), change("app.realtimesync.import.details.delete_user", remove),
		update("app.realtimesync.import.details.update_user"), change("app.ad.api.user_import.account_locked", lock),
		change("app.ldap.password.change.failed", passwordChange),
		change("system.agent.ad.reset_user_password", passwordReset), change("system.agent.ldap.reset_user_password", passwordReset),
		change("system.agent.ad.unlock_user_account", enable), change("system.agent.ldap.unlock_user_account", enable),
		change("system.agent.ldap.change_user_password", passwordChange), change("system.agent.ldap.update_user_password", passwordChange),
		change("system.agent.ldap.create_user_JIT", create), update("system.agent.ad.update_user"), update("system.agent.ldap.update_user"),
		change("system.import.user.create", create), change("system.import.user.delete", remove),
		change("system.import.user.suspend", disable), change("system.import.user.unsuspend*", enable),
		update("system.import.user.update*"),
		change("system.identity_sources.user.*", 0), update("system.identity_sources.user.update"),
		change("scheduled_action.user_suspension.*", disable),
		change("pam.user.create", create), change("pam.user.remove", remove), update("pam.user.update"),
		change("pam.password.change", passwordChange), change("pam.password.reset", passwordReset),
	}
}

func accesses() []mapping.Rule {
	assign, revoke, group := mapping.AssignRule, mapping.RevokeRule, mapping.GroupRule
	const groupAssign, groupRevoke, addUser, removeUser = 1, 2, 3, 4
	return []mapping.Rule{
		assign("application.user_membership.add"), assign("application.user_membership.approve"),
		assign("application.user_membership.provision"), assign("application.user_membership.restore"),
		assign("master_application.user_membership.add"),
		revoke("application.user_membership.remove"), revoke("application.user_membership.revoke"),
		revoke("application.user_membership.deprovision"),
		assign("user.account.privilege.grant"), revoke("user.account.privilege.revoke"),
		assign("iam.resourceset.bindings.add"), revoke("iam.resourceset.bindings.delete"),
		assign("workflows.user.role.user.add"), revoke("workflows.user.role.user.remove"),

		group("workflows.user.role.group.add", groupAssign), group("workflows.user.role.group.remove", groupRevoke),
		group("group.privilege.grant", groupAssign), group("group.privilege.revoke", groupRevoke),
		group("group.application_assignment.add", groupAssign), group("group.application_assignment.remove", groupRevoke),
		group("group.user_membership.add", addUser), group("group.user_membership.remove", removeUser),
		group("directory.external.group.membership.add", addUser), group("directory.external.group.membership.remove", removeUser),
		group("application.provision.group_membership.add", addUser), group("application.provision.group_membership.remove", removeUser),
		group("system.identity_sources.group.user.assign", addUser), group("system.identity_sources.group.user.revoke", removeUser),
		group("pam.member.add", addUser), group("pam.member.remove", removeUser),
	}
}

func found(t string, activity int) mapping.Rule {
	return mapping.Rule{Type: t, Class: ocsf.DetectionFinding, Activity: activity, Else: 2}
}

func findings() []mapping.Rule {
	const detected, changed, closed = 1, 2, 3
	return []mapping.Rule{
		found("security.threat.detected", detected), found("security.attack.start", detected), found("security.attack.end", closed),
		found("security.breached_credential.detected", detected), found("security.request.blocked", detected),
		found("security.session.detect_client_roaming", detected), found("security.events.provider.receive_event", detected),
		found("app.oauth2.token.detect_reuse", detected), found("app.oauth2.as.token.detect_reuse", detected),
		found("user.account.report_suspicious_activity_by_enduser", detected),
		found("user.risk.detect", detected), found("user.risk.change", changed),
	}
}

func others() []mapping.Rule {
	web := mapping.WebRule
	const created, read, updated, imported = 1, 2, 3, 6
	return []mapping.Rule{
		web("user.session.access_admin_app", read), web("app.generic.unauth_app_access_attempt", read),
		web("application.user_membership.show_password", read), web("support.org.view", read),
		web("system.import.*", imported),
		web("mim.createEnrollment.*", created), web("mim.command.*", updated),
		web("app.office365.dirsync.*", updated), web("app.office365.clientplatform.*", updated),
		web("policy.auth_reevaluate.*", read), web("policy.auth_reevaluate.action", updated), web("system.custom_url_domain.cert_upload", updated),
	}
}

// words are verbs of Okta's that others do not use, or not as such.
func words() map[string]mapping.Verb {
	return map[string]mapping.Verb{
		"provide": mapping.Create, "capture": mapping.Import, "checkout": mapping.Read, "invoke": mapping.Read, "redirect": mapping.Read,
		"removal": mapping.Delete, "action": mapping.Update, "make": mapping.Update, "reassign": mapping.Update, "extend": mapping.Update,
		"reauthorize": mapping.Update, "promote": mapping.Update, "overwrite": mapping.Update, "upgrade": mapping.Update,
		"write": mapping.Update, "go": mapping.Update, "realtimesync": mapping.Update, "failover": mapping.Update,
		"failback": mapping.Update, "reconcile": mapping.Update, "migrate": mapping.Update,
	}
}
