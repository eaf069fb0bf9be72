package simulator

import (
	"math/rand/v2"
	"strings"
	"time"
)

const terraformOrgID = "org-AGLwRmx1snv34Yts"

// terraformKind is one resource type with its actions.
// https://developer.hashicorp.com/terraform/cloud-docs/api-docs/audit-trails#standard-response-fields (checked 2026-11-22)
type terraformKind struct{ resource, prefix, actions string }

func terraformKinds() []terraformKind {
	return []terraformKind{
		{"agent", "agent-", "destroy"},
		{"authentication_token", "at-", "create show destroy"},
		{"configuration_version", "cv-", "show download"},
		{"notification_configuration", "nc-", "create update destroy enable"},
		{"oauth_client", "oc-", "create update destroy"},
		{"organization", "org-", "update"},
		{"organization_user", "ou-", "create update destroy"},
		{"policy_check", "polchk-", "override"},
		{"project", "prj-", "create update destroy add_team"},
		{"registry_module", "mod-", "update destroy"},
		{"run", "run-", "apply cancel force_cancel discard create"},
		{"saml_configuration", "saml-", "enable disable update"},
		{"ssh_key", "sshkey-", "index show create destroy"},
		{"state_version", "sv-", "index show create soft_delete_backing_data"},
		{"team", "team-", "create destroy add_member remove_member"},
		{"user", "user-", "index"},
		{"var", "var-", "index show create update destroy"},
		{"vcs_repo", "ghain-", "create"},
		{"workspace", "ws-", "create update destroy lock unlock"},
	}
}

// terraformRecord writes one audit event.
func (c composer) terraformRecord(rng *rand.Rand, at time.Time) []byte {
	kind := pick(rng, c.terraform...)
	w := &jsonWriter{escapes: pick(rng, escapeLeast, escapeLeast, escapeLower, escapeUpper)}
	u := pick(rng, c.users...)
	auth, impersonator := pick(rng, "Client", "Client", "Client", "Impersonated", "System"), ""
	if auth == "Impersonated" {
		impersonator = randomID(rng, "user-", 16)
	}
	accessor, description := u.ID, u.First+" "+u.Last
	if auth == "System" {
		accessor, description = "", ""
	}
	record := w.object(
		"id", w.text(newUUID(rng)),
		"version", w.text("0"),
		"type", w.text("Resource"),
		"timestamp", w.text(at.UTC().Format("2006-01-02T15:04:05.000Z")),
		"auth", w.object("accessor_id", w.text(accessor), "description", w.text(description), "type", w.text(auth),
			"impersonator_id", w.text(impersonator), "organization_id", w.text(terraformOrgID)),
		"request", w.object("id", w.text(pick(rng, newUUID(rng), ""))),
		"resource", w.object("id", w.text(randomID(rng, kind.prefix, 16)), "type", w.text(kind.resource),
			"action", w.text(pick(rng, strings.Fields(kind.actions)...)), "meta", terraformMeta(w, rng)),
	)
	return respace(record, pick(rng, 0, 0, 0, 1, 2, 3), rng)
}

func terraformMeta(w *jsonWriter, rng *rand.Rand) string {
	return pick(rng, "null", "null", "{}",
		w.object("workspace", w.object("id", w.text(randomID(rng, "ws-", 16)), "name", w.text("prod/büro-köln"))),
		w.object("run", w.object("id", w.text(randomID(rng, "run-", 16)), "message", w.text("Triggered via \"UI\"\n\tby 太郎")), "passed", "1.0e2", "total_failed", "0"),
		w.object("team", w.text("owners"), "permissions", w.list(w.text("read"), w.text("plan"), "null")))
}

func terraformCompany() []User {
	return []User{
		{ID: "user-MaPuLxAXvtq2PWTH", Login: "ada.okafor@example.com", First: "Ada", Last: "Okafor", Status: "active", Admin: true},
		{ID: "user-V3R563qtJNcExAkN", Login: "zoe.mueller@example.com", First: "Zoë", Last: "Müller", Status: "active"},
		{ID: "user-oqCgH7NgTn95jTGc", Login: "taro.yamada@example.co.jp", First: "太郎", Last: "山田", Status: "active"},
		{ID: "user-UntUdBTHsVRQMzC8", Login: "grainne.oneil@example.com", First: "Gráinne", Last: "O'Neil", Status: "invited"},
	}
}
