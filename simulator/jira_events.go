package simulator

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// jiraKind is one kind of record. Summaries are free text: these are of
// Atlassian's page, of samples in its documentation, and of records seen.
// https://support.atlassian.com/jira-cloud-administration/docs/audit-activities-in-jira-applications/ (checked 2026-11-22)
type jiraKind struct {
	summary, category string
	object            string // typeName of objectItem; "": none
	associated        string // one letter each: U user, G group, P project, R role, S scheme
	changes           string // fields, separated by |
}

func jiraKinds() []jiraKind {
	return []jiraKind{
		{"User created", "user management", "USER", "", "Username|Email|Active / Inactive"},
		{"User updated", "user management", "USER", "", "Full name"},
		{"User deleted", "user management", "USER", "", ""},
		{"User deactivated", "user management", "USER", "", "Active / Inactive"},
		{"User added to group", "group management", "GROUP", "U", ""},
		{"User removed from group", "group management", "GROUP", "U", ""},
		{"Group created", "group management", "GROUP", "", ""},
		{"Group deleted", "group management", "GROUP", "", ""},
		{"Global permission added", "permissions", "", "G", "Permission|Group"},
		{"Global permission deleted", "permissions", "", "G", "Permission|Group"},
		{"Permission scheme added to project", "permissions", "SCHEME", "P", ""},
		{"Permission scheme updated", "permissions", "SCHEME", "R", "Permission|Type|Value"},
		{"Permission scheme deleted", "permissions", "SCHEME", "", ""},
		{"Project created", "projects", "PROJECT", "U", "Name|Key|Project lead"},
		{"Project updated", "projects", "PROJECT", "", "Name"},
		{"Project deleted", "projects", "PROJECT", "", ""},
		{"Project roles changed", "projects", "PROJECT_ROLE", "PU", "Users|Groups"},
		{"Custom field created", "fields", "CUSTOM_FIELD", "", "Name|Type"},
		{"Custom field updated", "fields", "CUSTOM_FIELD", "", "Description"},
		{"Workflow created", "workflows", "WORKFLOW", "", "Name|Status|Transition"},
		{"Workflow updated", "workflows", "WORKFLOW", "", "Transition"},
		{"Workflow scheme added to project", "workflows", "SCHEME", "P", ""},
		{"Notification scheme updated", "notifications", "SCHEME", "", "Event|Type"},
		{"Issue security scheme created", "permissions", "SCHEME", "", ""},
		{"Dashboard deleted", "system", "DASHBOARD", "", ""},
		{"Filter deleted", "filters", "FILTER", "", ""},
		{"Jira settings changed", "general configuration", "", "", "Allow unassigned issues"},
		{"Audit log exported", "auditing", "", "", ""},
		{"Space access requested (büro-köln)", "system", "", "U", ""},
	}
}

// record writes one audit record. They are numbered in the order in which they are
// made, from wherever the seed has them begin.
func (j *Jira) record(rng *rand.Rand, at time.Time) []byte {
	if j.last == 0 {
		j.last = 10_000 + rng.IntN(1<<30)
	}
	j.last++
	w := &jsonWriter{escapes: pick(rng, escapeLeast, escapeLeast, escapeLower, escapeUpper)}
	kind, author := pick(rng, jiraKinds()...), pick(rng, j.options.Users...)
	members := []string{
		"id", strconv.Itoa(j.last),
		"summary", w.text(kind.summary),
	}
	if rng.IntN(4) > 0 {
		members = append(members, "remoteAddress", w.text(pick(rng, "198.51.100.7", "203.0.113.240", "2001:db8::8a2e:370:7334", "192.0.2.1")))
	}
	if rng.IntN(6) > 0 { // what Jira itself does has no author
		members = append(members, "authorKey", w.text("ug:"+randomID(rng, "", 8)), "authorAccountId", w.text(author.ID))
	}
	members = append(members,
		"created", w.text(at.UTC().Format(jiraTime)),
		"category", w.text(kind.category),
		"eventSource", pick(rng, `""`, w.text("Jira Connect Plugin"), w.text("SCIM (Überprüfung)")),
	)
	if rng.IntN(5) == 0 {
		members = append(members, "description", w.text("Triggered via \"UI\"\n\tby 太郎"))
	}
	if kind.object != "" {
		members = append(members, "objectItem", j.item(w, rng, kind.object))
	}
	if kind.changes != "" {
		members = append(members, "changedValues", jiraChanges(w, rng, kind.changes))
	}
	if kind.associated != "" {
		members = append(members, "associatedItems", j.associated(w, rng, kind.associated))
	}
	return respace(w.object(members...), pick(rng, 0, 0, 0, 1, 2, 3), rng)
}

func (j *Jira) item(w *jsonWriter, rng *rand.Rand, kind string) string {
	id, name := strconv.Itoa(10000+rng.IntN(9000)), pick(rng, "Büro / Köln", "site-admins", "Default \"2\" Scheme")
	if kind == "USER" {
		u := pick(rng, j.options.Users...)
		id, name = u.ID, pick(rng, u.ID, u.First+" "+u.Last)
	}
	members := []string{"id", w.text(id), "name", w.text(name), "typeName", w.text(kind)}
	if kind == "USER" || kind == "GROUP" {
		members = append(members, "parentId", w.text("10000"), "parentName", w.text("com.atlassian.crowd.directory.IdentityPlatformRemoteDirectory"))
	}
	return w.object(members...)
}

func (j *Jira) associated(w *jsonWriter, rng *rand.Rand, letters string) string {
	kinds := map[rune]string{'U': "USER", 'G': "GROUP", 'P': "PROJECT", 'R': "PROJECT_ROLE", 'S': "SCHEME"}
	var items []string
	for _, letter := range letters {
		items = append(items, j.item(w, rng, kinds[letter]))
	}
	return w.list(items...)
}

func jiraChanges(w *jsonWriter, rng *rand.Rand, fields string) string {
	var changes []string
	for _, field := range strings.Split(fields, "|") {
		members := []string{"fieldName", w.text(field)}
		if rng.IntN(2) == 0 {
			members = append(members, "changedFrom", w.text("Zoë"))
		}
		changes = append(changes, w.object(append(members, "changedTo", w.text(pick(rng, "Active", "jira-users", "ü <b>&amp;</b>")))...))
	}
	return w.list(changes...)
}
