package simulator

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// asanaKind is one type of event, on one type of resource.
// https://developers.asana.com/docs/audit-log-events (checked 2026-11-22)
type asanaKind struct {
	event, category, resource string
	details                   byte // V old and new value, L login method, G group; 0: none
}

func asanaKinds() []asanaKind {
	return []asanaKind{
		{"user_login_succeeded", "logins", "user", 'L'}, {"user_login_failed", "logins", "user", 'L'}, {"user_logged_out", "logins", "user", 0},
		{"user_invited", "user_updates", "user", 0}, {"user_deprovisioned", "user_updates", "user", 0}, {"user_reprovisioned", "user_updates", "user", 0},
		{"user_password_changed", "user_updates", "user", 0}, {"user_two_factor_auth_disabled", "user_updates", "user", 0},
		{"workspace_password_requirements_changed", "admin_settings", "workspace", 'V'},
		{"workspace_saml_settings_changed", "admin_settings", "workspace", 'V'},
		{"workspace_associated_email_domain_added", "admin_settings", "email_domain", 'V'},
		{"workspace_guest_invite_permissions_changed", "admin_settings", "workspace", 'V'},
		{"user_workspace_admin_role_changed", "roles", "user", 'V'},
		{"team_member_added", "access_control", "team", 'G'}, {"team_privacy_settings_changed", "access_control", "team", 'V'},
		{"task_deleted", "deletion", "task", 0}, {"project_deleted", "deletion", "project", 0}, {"team_deleted", "deletion", "team", 0},
		{"workspace_export_started", "content_export", "workspace", 0}, {"project_csv_download_started", "content_export", "project", 0},
		{"service_account_created", "apps", "service_account", 'V'}, {"service_account_token_reset", "apps", "service_account", 0},
		{"personal_access_token_revoked", "apps", "personal_access_token", 0}, {"app_authorized", "apps", "app", 0},
		{"attachment_downloaded", "attachments", "attachment", 0}, {"attachment_uploaded", "attachments", "attachment", 0},
		{"rule_created", "creation", "rule", 0}, {"custom_field_renamed", "custom_fields", "custom_field", 'V'},
	}
}

// asanaComposer writes events about a domain.
type asanaComposer struct {
	users []User
	kinds []asanaKind
}

func newAsanaComposer(users []User) asanaComposer {
	return asanaComposer{users: users, kinds: asanaKinds()}
}

func (c asanaComposer) record(rng *rand.Rand, at time.Time) []byte {
	kind := pick(rng, c.kinds...)
	w := &jsonWriter{escapes: pick(rng, escapeLeast, escapeLeast, escapeLower, escapeUpper)}
	members := []string{
		"gid", w.text(asanaGID(rng)),
		"created_at", w.text(at.UTC().Format("2006-01-02T15:04:05.000Z")),
		"event_type", w.text(kind.event),
		"event_category", w.text(kind.category),
		"actor", c.actor(w, rng),
		"resource", c.resource(w, rng, kind.resource),
		"details", c.details(w, rng, kind.details),
		"context", c.context(w, rng),
	}
	return respace(w.object(members...), pick(rng, 0, 0, 0, 1, 2, 3), rng)
}

func asanaGID(rng *rand.Rand) string {
	return strconv.FormatUint(1200000000000000+rng.Uint64N(1<<50), 10)
}

// actor: of others than users only the type is told.
func (c asanaComposer) actor(w *jsonWriter, rng *rand.Rand) string {
	if kind := pick(rng, "user", "user", "user", "user", "asana", "asana_support", "anonymous", "external_administrator"); kind != "user" {
		return w.object("actor_type", w.text(kind))
	}
	u := pick(rng, c.users...)
	return w.object("actor_type", w.text("user"), "gid", w.text(u.ID), "name", w.text(u.First+" "+u.Last), "email", w.text(u.Login))
}

func (c asanaComposer) resource(w *jsonWriter, rng *rand.Rand, kind string) string {
	if kind == "user" {
		u := pick(rng, c.users...)
		return w.object("resource_type", w.text("user"), "gid", w.text(u.ID), "name", w.text(u.First+" "+u.Last), "email", w.text(u.Login))
	}
	members := []string{"resource_type", w.text(kind), "gid", w.text(asanaGID(rng)), "name", w.text(pick(rng, "", "Urlaub – 計画", `Büro "Köln"`, "Q3/Q4"))}
	if kind == "task" {
		members = append(members, "resource_subtype", w.text(pick(rng, "default_task", "milestone")))
	}
	return w.object(members...)
}

func (c asanaComposer) details(w *jsonWriter, rng *rand.Rand, kind byte) string {
	u := pick(rng, c.users...)
	switch kind {
	case 'V':
		return w.object("old_value", pick(rng, "null", w.text("größer <8>"), "false", "1.0e1"), "new_value", pick(rng, w.text("strong"), "true", "12"))
	case 'L':
		return w.object("method", w.list(w.text(pick(rng, "saml", "password", "google_sso"))), "is_two_factor", pick(rng, "true", "false"))
	case 'G':
		return w.object("group", w.object("resource_type", w.text("team"), "gid", w.text(asanaGID(rng)), "name", w.text("Einkauf")),
			"member", w.object("gid", w.text(u.ID), "email", w.text(u.Login)))
	}
	return pick(rng, "{}", "null")
}

// context: what Asana does itself has neither an address nor a user agent.
func (c asanaComposer) context(w *jsonWriter, rng *rand.Rand) string {
	switch kind := pick(rng, "web", "web", "desktop", "mobile", "api", "email", "asana"); kind {
	case "asana", "email":
		return w.object("context_type", w.text(kind), "rule_name", w.text(pick(rng, "", "Wenn „fertig“, dann ablegen")))
	case "api":
		return w.object("context_type", w.text(kind), "api_authentication_method", w.text(pick(rng, "oauth", "personal_access_token", "service_account")),
			"oauth_app_name", w.text(pick(rng, "", "Zeiterfassung ⏱")), "client_ip_address", w.text("203.0.113.240"), "user_agent", w.text("python-asana/5.0.10"))
	default:
		return w.object("context_type", w.text(kind), "client_ip_address", w.text(pick(rng, "198.51.100.7", "2001:db8::8a2e:370:7334")),
			"user_agent", w.text(pick(rng, "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "Asana/8.42 (iPhone; iOS 18.1)")))
	}
}
