package simulator

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// oktaKind is one event type of the catalogue.
// https://developer.okta.com/docs/reference/api/event-types/ (checked 2026-11-22)
type oktaKind struct {
	event, legacy, message string
	targets                string // one letter a target: U user, A app, G group, P policy, R rule, F factor, T token, Z zone
	actor                  byte   // U user, A app, S the system itself
	failures               string // reasons, separated by |; empty: it never fails
}

func oktaKinds() []oktaKind {
	return []oktaKind{
		{"user.session.start", "core.user_auth.login_success", "User login to Okta", "", 'U', "INVALID_CREDENTIALS|LOCKED_OUT|VERIFICATION_ERROR"},
		{"user.session.end", "core.user_auth.logout_success", "User logout from Okta", "", 'U', ""},
		{"user.session.access_admin_app", "app.admin.sso.login.success", "User accessing Okta admin app", "A", 'U', ""},
		{"user.session.impersonation.grant", "core.user.impersonation.grant.enabled", "Enable impersonation grant", "U", 'U', ""},
		{"user.authentication.auth_via_mfa", "core.user.factor.attempt_success", "Authentication of user via MFA", "UF", 'U', "INVALID_CREDENTIALS|FASTPASS_DENIED"},
		{"user.authentication.sso", "app.auth.sso", "User single sign on to app", "AU", 'U', ""},
		{"user.authentication.verify", "", "Verify user identity", "A", 'U', "VERIFICATION_ERROR"},
		{"user.mfa.factor.activate", "core.user.factor.activate", "Activate factor or authenticator enrollment for user", "UF", 'U', ""},
		{"user.mfa.factor.deactivate", "core.user.factor.deactivate", "Reset factor for user", "UF", 'U', ""},
		{"user.mfa.okta_verify.deny_push", "", "User rejected Okta push verify", "U", 'U', "User rejected Okta push verify"},
		{"user.lifecycle.create", "core.user.config.user_creation.success", "Create okta user", "U", 'U', ""},
		{"user.lifecycle.activate", "core.user.config.user_activated.success", "Activate Okta user", "U", 'U', ""},
		{"user.lifecycle.suspend", "core.user.config.user_status.suspended", "Suspend Okta user", "U", 'U', ""},
		{"user.lifecycle.deactivate", "core.user.config.user_deactivated.success", "Deactivate Okta user", "U", 'S', ""},
		{"user.account.lock", "core.user_auth.account_locked", "Max sign in attempts exceeded", "U", 'S', "LOCKED_OUT"},
		{"user.account.update_password", "core.user.config.password_update.success", "User update password for Okta", "U", 'U', "Password requirements were not met"},
		{"user.account.reset_password", "core.user.config.password_reset.success", "Fired when the user's Okta password is reset", "U", 'U', ""},
		{"user.account.update_profile", "core.user.config.profile_update.success", "Update user profile for Okta", "U", 'U', ""},
		{"user.account.privilege.grant", "core.user.admin_privilege.granted", "Grant user privilege", "U", 'U', ""},
		{"application.lifecycle.update", "app.generic.config.app_updated", "Update application", "A", 'U', ""},
		{"application.user_membership.add", "app.generic.provision.assign_user_to_app", "Add user to application membership", "UA", 'U', ""},
		{"application.user_membership.remove", "app.generic.provision.deactivate_user_from_app", "Remove user's application membership", "UA", 'S', ""},
		{"group.lifecycle.create", "", "Create Okta group", "G", 'U', ""},
		{"group.user_membership.add", "core.user_group_member.user_add", "Add user to group membership", "UG", 'U', ""},
		{"group.user_membership.remove", "core.user_group_member.user_remove", "Remove user from group membership", "UG", 'U', ""},
		{"policy.lifecycle.update", "policy.lifecycle.update", "Update policy", "P", 'U', ""},
		{"policy.rule.update", "policy.rule.update", "Update policy rule", "RP", 'U', ""},
		{"policy.evaluate_sign_on", "", "Evaluation of sign-on policy", "PR", 'U', "Sign-on policy evaluation resulted in DENY"},
		{"app.oauth2.token.grant.refresh_token", "app.oauth2.token.grant.refresh_token_success", "OIDC refresh token is granted", "AT", 'A', "invalid_grant"},
		{"app.oauth2.token.detect_reuse", "", "One time refresh token reused", "T", 'A', "One time refresh token reused"},
		{"system.api_token.create", "api.token.create", "Create API token", "T", 'U', ""},
		{"system.api_token.revoke", "api.token.revoke", "Revoke API token", "T", 'U', ""},
		{"system.org.rate_limit.violation", "core.framework.ratelimit.exceeded", "Rate limit violation", "", 'S', ""},
		{"security.threat.detected", "", "Request from suspicious actor", "", 'S', "Login failures"},
		{"zone.update", "", "Update of Network Zone", "Z", 'U', ""},
	}
}

// composer writes records about a set of users.
type composer struct {
	users     []User
	okta      []oktaKind
	terraform []terraformKind
}

func newComposer(users []User) composer {
	return composer{users: users, okta: oktaKinds(), terraform: terraformKinds()}
}

// oktaRecord writes one log event. Every form that the log's documentation allows turns
// up among some hundreds of them: absent and null members, no client, several
// targets, nested debug data, IPv6.
func (c composer) oktaRecord(rng *rand.Rand, at time.Time) []byte {
	kind := pick(rng, c.okta...)
	w := &jsonWriter{escapes: pick(rng, escapeLeast, escapeLeast, escapeLower, escapeUpper)}
	member := c.oktaActor(w, rng, kind.actor)
	system := kind.actor == 'S'
	client := c.oktaClient(w, rng)
	if system {
		client = "null"
	}
	result, reason, severity := "SUCCESS", "", "INFO"
	if kind.failures != "" && rng.IntN(3) == 0 {
		result, severity = pick(rng, "FAILURE", "FAILURE", "DENY"), pick(rng, "WARN", "WARN", "ERROR")
		reason = pick(rng, strings.Split(kind.failures, "|")...)
	}
	members := []string{
		"actor", member,
		"client", client,
		"device", c.oktaDevice(w, rng),
		"authenticationContext", w.object(
			"authenticationProvider", w.text(pick(rng, "", "", "OKTA_AUTHENTICATION_PROVIDER", "FACTOR_PROVIDER")),
			"credentialProvider", "null", "credentialType", w.text(pick(rng, "", "PASSWORD", "OTP")), "issuer", "null",
			"interface", "null", "authenticationStep", strconv.Itoa(rng.IntN(3)),
			"externalSessionId", w.text(pick(rng, "unknown", randomID(rng, "102", 22)))),
		"displayMessage", w.text(kind.message),
		"eventType", w.text(kind.event),
		"outcome", w.object("result", w.text(result), "reason", w.text(reason)),
		"published", w.text(at.UTC().Format("2006-01-02T15:04:05.000Z")),
		"securityContext", oktaSecurity(w, rng, system),
		"severity", w.text(severity),
		"debugContext", w.object("debugData", c.oktaDebug(w, rng)),
		"legacyEventType", w.text(kind.legacy),
		"transaction", w.object("type", w.text(pick(rng, "WEB", "WEB", "JOB")), "id", w.text(randomID(rng, "Wc", 25)), "detail", oktaDetail(w, rng)),
		"uuid", w.text(newUUID(rng)),
		"version", w.text("0"),
		"request", w.object("ipChain", c.oktaChain(w, rng, system)),
		"target", c.oktaTargets(w, rng, kind.targets),
	}
	if system && rng.IntN(2) == 0 {
		members = append(members[:2], members[4:]...) // some events have no client member at all
	}
	return respace(w.object(members...), pick(rng, 0, 0, 0, 1, 2, 3), rng)
}

func (c composer) oktaActor(w *jsonWriter, rng *rand.Rand, kind byte) string {
	var id, name, login, typ string
	switch u := pick(rng, c.users...); kind {
	case 'U':
		id, name, login, typ = u.ID, u.First+" "+u.Last, u.Login, "User"
	case 'A':
		id, name, login, typ = randomID(rng, "0oa", 17), "Expenses / Reisekosten", "unknown", "PublicClientApp"
	default:
		id, name, login, typ = "00u-system", "Okta System", "system@okta.com", "SystemPrincipal"
	}
	return w.object("id", w.text(id), "type", w.text(typ), "alternateId", w.text(login),
		"displayName", w.text(name), "detailEntry", "null")
}

func (c composer) oktaClient(w *jsonWriter, rng *rand.Rand) string {
	agent := w.object(
		"rawUserAgent", w.text(pick(rng, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36", "okta-sdk-golang/5.0.2 golang/go1.26 linux/amd64", "curl/8.9.1")),
		"os", w.text(pick(rng, "Mac OS 14.7 (Sonoma)", "Windows 11", "Linux", "Unknown")), "browser", w.text(pick(rng, "CHROME", "FIREFOX", "UNKNOWN")))
	return w.object("userAgent", agent, "zone", w.text(pick(rng, "OFF_NETWORK", "null", "BlockedIpZone, Büro Köln")),
		"device", w.text(pick(rng, "Computer", "Mobile", "Unknown")), "id", "null",
		"ipAddress", w.text(oktaAddress(rng)), "geographicalContext", oktaPlace(w, rng))
}

func (c composer) oktaDevice(w *jsonWriter, rng *rand.Rand) string {
	if rng.IntN(4) > 0 {
		return "null"
	}
	return w.object("id", w.text(randomID(rng, "guo", 17)), "name", w.text(pick(rng, "MacBookPro16,1", `Zoë's "quiet" laptop`)),
		"os_platform", w.text("OSX"), "os_version", w.text("14.3.0"), "managed", pick(rng, "true", "false"), "registered", "true",
		"device_integrator", "null", "disk_encryption_type", w.text("ALL_INTERNAL_VOLUMES"), "screen_lock_type", w.text("BIOMETRIC"),
		"jailbreak", "null", "secure_hardware_present", "true")
}

func oktaAddress(rng *rand.Rand) string {
	return pick(rng, "198.51.100.7", "203.0.113.240", "2001:db8::8a2e:370:7334", "::ffff:192.0.2.33", "192.0.2.1")
}

// oktaPlace writes numbers in every form of JSON.
func oktaPlace(w *jsonWriter, rng *rand.Rand) string {
	return pick(rng, "null",
		w.object("city", w.text("Ashburn"), "state", w.text("Virginia"), "country", w.text("United States"), "postalCode", w.text("20149"),
			"geolocation", w.object("lat", "39.0469", "lon", "-77.4903")),
		w.object("city", w.text("Köln"), "state", w.text("Nordrhein-Westfalen"), "country", w.text("Germany"), "postalCode", w.text("50667"),
			"geolocation", w.object("lat", "5.094e1", "lon", "6.9590")),
		w.object("city", "null", "state", "null", "country", w.text("日本"), "postalCode", "null",
			"geolocation", w.object("lat", "35.690000000000000001", "lon", "1.0e2")),
		w.object("city", w.text("São Paulo"), "state", "null", "country", w.text("Brazil"), "postalCode", "null",
			"geolocation", w.object("lat", "-0.0", "lon", "-4.66E+1")))
}

func oktaSecurity(w *jsonWriter, rng *rand.Rand, system bool) string {
	if system || rng.IntN(3) == 0 {
		return w.object("asNumber", "null", "asOrg", "null", "isp", "null", "domain", "null", "isProxy", "null")
	}
	return w.object("asNumber", "64496", "asOrg", w.text("example networks"), "isp", w.text("Example Telecom Ltd."),
		"domain", w.text("example.net"), "isProxy", pick(rng, "true", "false"))
}

func (c composer) oktaDebug(w *jsonWriter, rng *rand.Rand) string {
	members := []string{"requestId", w.text(randomID(rng, "Z", 26)), "requestUri", w.text("/api/v1/authn/factors/" + randomID(rng, "ost", 17) + "/verify")}
	switch rng.IntN(6) {
	case 0:
		return "{}"
	case 1:
		members = append(members, "behaviors", w.text("{New Geo-Location=NEGATIVE, New Device=POSITIVE}"),
			"risk", w.object("level", w.text("HIGH"), "reasons", w.list(w.text("Anomalous Device"), w.text("Anomalous Geo-Distance"))))
	case 2:
		members = append(members, "originalPrincipal", w.object("id", w.text("00u1admin5im00000001"), "type", w.text("User"), "detail", w.object("deep", w.list("1", "2.50", "[ ]", "{ }"))))
	case 3:
		members = append(members, "threatSuspected", w.text("false"), "url", w.text("/oauth2/v1/token?grant=a&b=<c>\n"), "dtHash", w.text(strings.Repeat("0f", 32)))
	}
	if rng.IntN(400) == 0 {
		members = append(members, "stack", w.text(strings.Repeat("at com.example.Überprüfung(Policy.java:4711)\n\t", 1500)))
	}
	return w.object(members...)
}

func oktaDetail(w *jsonWriter, rng *rand.Rand) string {
	return pick(rng, "{}", w.object("requestApiTokenId", w.text(randomID(rng, "00T", 17))))
}

func (c composer) oktaChain(w *jsonWriter, rng *rand.Rand, system bool) string {
	if system {
		return "[]"
	}
	var hops []string
	for range 1 + rng.IntN(2) {
		ip := oktaAddress(rng)
		version := "V4"
		if strings.Contains(ip, ":") {
			version = "V6"
		}
		hops = append(hops, w.object("ip", w.text(ip), "geographicalContext", oktaPlace(w, rng), "version", w.text(version), "source", "null"))
	}
	return w.list(hops...)
}

func (c composer) oktaTargets(w *jsonWriter, rng *rand.Rand, letters string) string {
	if letters == "" {
		return pick(rng, "null", "[]")
	}
	var targets []string
	for _, letter := range letters {
		row := c.oktaTarget(rng, letter)
		members := []string{"id", w.text(row[0]), "type", w.text(row[1]), "alternateId", w.text(row[2]), "displayName", w.text(row[3]), "detailEntry", "null"}
		if rng.IntN(5) == 0 {
			members = append(members, "changeDetails", w.object("from", w.object("status", w.text("INACTIVE")), "to", w.object("status", w.text("ACTIVE"))))
		}
		targets = append(targets, w.object(members...))
	}
	return w.list(targets...)
}

// oktaTarget is the id, type, alternate id and name of one target.
func (c composer) oktaTarget(rng *rand.Rand, letter rune) [4]string {
	switch letter {
	case 'A':
		return [4]string{randomID(rng, "0oa", 17), "AppInstance", "Büro/Workday", "Workday (\"prod\")"}
	case 'G':
		return [4]string{randomID(rng, "00g", 17), "UserGroup", "unknown", "Everyone – Alle"}
	case 'P':
		return [4]string{randomID(rng, "00p", 17), "PolicyEntity", "unknown", "Default Policy"}
	case 'R':
		return [4]string{randomID(rng, "0pr", 17), "PolicyRule", "unknown", "Catch-all Rule"}
	case 'F':
		return [4]string{randomID(rng, "ost", 17), "AuthenticatorEnrollment", "unknown", "Okta Verify"}
	case 'T':
		return [4]string{randomID(rng, "00T", 17), "Token", "unknown", "ci/cd token"}
	case 'Z':
		return [4]string{randomID(rng, "nzo", 17), "NetworkZone", "unknown", "Büro Köln"}
	}
	u := pick(rng, c.users...)
	return [4]string{u.ID, "User", u.Login, u.First + " " + u.Last}
}
