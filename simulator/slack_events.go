package simulator

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// slackKind is one action of the audit log, on one type of entity.
// https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference (checked 2026-11-22)
type slackKind struct {
	action, entity string
	details        byte // I inviter, S scopes, P a preference, E an export, R a reason of an anomaly; 0: none
}

func slackKinds() []slackKind {
	return []slackKind{
		{"user_login", "user", 0}, {"user_login", "user", 0}, {"user_login_failed", "user", 0}, {"user_logout", "user", 0},
		{"user_created", "user", 0}, {"user_deactivated", "user", 0}, {"user_reactivated", "user", 0},
		{"user_session_reset_by_admin", "user", 0}, {"user_email_updated", "user", 0},
		{"role_change_to_admin", "user", 0}, {"guest_created", "user", 'I'}, {"guest_expired", "user", 0},
		{"file_downloaded", "file", 0}, {"file_uploaded", "file", 0}, {"file_shared", "file", 0}, {"file_public_link_created", "file", 0},
		{"file_deleted", "file", 0}, {"file_downloaded_blocked", "file", 0},
		{"user_channel_join", "channel", 'I'}, {"user_channel_leave", "channel", 0}, {"private_channel_created", "channel", 0},
		{"public_channel_archive", "channel", 0}, {"channel_renamed", "channel", 'P'}, {"external_shared_channel_connected", "channel", 0},
		{"app_installed", "app", 'S'}, {"app_uninstalled", "app", 0}, {"app_scopes_expanded", "app", 'S'}, {"app_approved", "app", 'S'},
		{"workflow_created", "workflow", 0}, {"message_tombstoned", "message", 0}, {"barrier_created", "barrier", 0},
		{"emoji_added", "workspace", 0}, {"manual_export_started", "workspace", 'E'}, {"pref.sso_setting_changed", "enterprise", 'P'},
		{"pref.two_factor_auth_changed", "enterprise", 'P'}, {"idp_configuration_added", "enterprise", 0}, {"domain_verified", "enterprise", 0},
		{"permissions_assigned", "role", 0}, {"anomaly", "user", 'R'}, {"cli_app_deploy", "app", 0}, {"huddle_joined", "huddle", 0},
	}
}

// slackComposer writes entries about an organisation.
type slackComposer struct {
	users  []User
	domain string
	kinds  []slackKind
}

func newSlackComposer(users []User, domain string) slackComposer {
	return slackComposer{users: users, domain: domain, kinds: slackKinds()}
}

func (c slackComposer) record(rng *rand.Rand, at time.Time) []byte {
	kind := pick(rng, c.kinds...)
	w := &jsonWriter{escapes: pick(rng, escapeLeast, escapeLeast, escapeLower, escapeUpper)}
	members := []string{
		"id", w.text(newUUID(rng)),
		"date_create", strconv.FormatInt(at.Unix(), 10),
		"action", w.text(kind.action),
		"actor", w.object("type", w.text("user"), "user", c.person(w, pick(rng, c.users...))),
		"entity", w.object("type", w.text(kind.entity), kind.entity, c.entity(w, rng, kind.entity)),
		"context", c.context(w, rng),
	}
	switch details := c.details(w, rng, kind); {
	case details != "":
		members = append(members, "details", details)
	case rng.IntN(2) == 0:
		members = append(members, "details", "{}")
	}
	return respace(w.object(members...), pick(rng, 0, 0, 0, 1, 2, 3), rng)
}

func (c slackComposer) person(w *jsonWriter, u User) string {
	return w.object("id", w.text(u.ID), "name", w.text(u.First+" "+u.Last), "email", w.text(u.Login), "team", w.text(slackEnterprise))
}

func (c slackComposer) entity(w *jsonWriter, rng *rand.Rand, kind string) string {
	switch kind {
	case "user":
		return c.person(w, pick(rng, c.users...))
	case "file":
		return w.object("id", w.text(randomID(rng, "F", 10)), "name", w.text(pick(rng, `Büro "Q3".xlsx`, "計画.pdf", "notes")),
			"filetype", w.text(pick(rng, "xlsx", "application/pdf", "text/plain")), "title", w.text(pick(rng, "Zahlen für Köln", "2027 計画")))
	case "channel":
		return w.object("id", w.text(randomID(rng, "C", 10)), "name", w.text(pick(rng, "büro-köln", "général", "ops")),
			"privacy", w.text(pick(rng, "public", "private")), "is_shared", pick(rng, "true", "false"), "is_org_shared", "false",
			"teams_shared_with", pick(rng, "[]", w.list(w.text("T0123ABCD"))))
	case "app":
		return c.app(w, rng)
	case "workspace":
		return w.object("id", w.text("T01SELVEDGE"), "name", w.text("Vertrieb & Einkauf"), "domain", w.text(c.domain+"-sales"))
	case "enterprise":
		return w.object("id", w.text(slackEnterprise), "name", w.text(slackName(c.domain)), "domain", w.text(c.domain))
	case "message":
		return w.object("team", w.text("T01SELVEDGE"), "channel", w.text(randomID(rng, "C", 10)), "timestamp", w.text("1732273200.000100"))
	case "barrier":
		return w.object("id", w.text(randomID(rng, "bar", 10)), "primary_usergroup", w.text(randomID(rng, "S", 10)),
			"barriered_from_usergroups", w.list(w.text(randomID(rng, "S", 10)), w.text(randomID(rng, "S", 10))),
			"restricted_subjects", w.list(w.text("im"), w.text("mpim"), w.text("call")))
	case "huddle":
		return w.object("id", w.text(randomID(rng, "R", 10)), "date_start", "1732273200", "date_end", "0",
			"participants", w.list(w.text(pick(rng, c.users...).ID)))
	case "role":
		return w.object("id", w.text("Rl0A"), "name", w.text("Channel Admin"), "type", w.text("system"))
	}
	return w.object("id", w.text(randomID(rng, "Wf", 10)), "name", w.text("Urlaub beantragen 🏖"))
}

func (c slackComposer) app(w *jsonWriter, rng *rand.Rand) string {
	return w.object("id", w.text(randomID(rng, "A", 10)), "name", w.text(pick(rng, "Expenses / Reisekosten", "CI")),
		"is_distributed", "true", "is_directory_approved", "false", "is_workflow_app", "false",
		"scopes", w.list(w.text("files:read"), w.text("chat:write")), "creator", w.text(pick(rng, c.users...).ID))
}

// context: what the system does has neither an address nor a user agent, and
// sessions are numbers in old records and text in new ones.
func (c slackComposer) context(w *jsonWriter, rng *rand.Rand) string {
	location := w.object("type", w.text("enterprise"), "id", w.text(slackEnterprise), "name", w.text(slackName(c.domain)), "domain", w.text(c.domain))
	if rng.IntN(3) == 0 {
		location = w.object("type", w.text("workspace"), "id", w.text("T01SELVEDGE"), "name", w.text("Vertrieb & Einkauf"), "domain", w.text(c.domain+"-sales"))
	}
	members := []string{
		"location", location,
		"ua", w.text(pick(rng, "", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36", "com.tinyspeck.chatlyio/24.11.10 (iPhone; iOS 18.1; Scale/3.00)")),
		"ip_address", w.text(pick(rng, "", "198.51.100.7", "203.0.113.240", "2001:db8::8a2e:370:7334")),
		"session_id", pick(rng, "null", "6245132100", w.text("6245132100")),
	}
	if rng.IntN(8) == 0 {
		members = append(members, "app", c.app(w, rng))
	}
	return w.object(members...)
}

func (c slackComposer) details(w *jsonWriter, rng *rand.Rand, kind slackKind) string {
	switch kind.details {
	case 'I':
		return w.object("inviter", w.object("type", w.text("user"), "user", c.person(w, pick(rng, c.users...))))
	case 'S':
		return w.object("scopes", w.list(w.text("chat:write"), w.text("files:read")), "is_internal_integration", "false",
			"bot_scopes", "[]", "installer_user_id", w.text(pick(rng, c.users...).ID))
	case 'P':
		return w.object("old_value", pick(rng, "null", w.text("off"), "1.0e2"), "new_value", w.object("value", w.text("größer <&> \"on\"\n")))
	case 'E':
		return w.object("export_type", w.text("manual"), "export_start_ts", w.text("1514764800"), "export_end_ts", w.text("1732273200"))
	case 'R':
		return w.object("action_timestamp", "1732273200000000", "location", w.text("Köln, Germany"), "previous_ip_address", w.text("192.0.2.1"),
			"previous_ua", w.text(""), "reason", w.list(w.text("asn"), w.text("ip_address")))
	}
	return ""
}
