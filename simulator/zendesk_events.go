package simulator

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// zendeskKind is one type of source with the actions that the log has of it. The
// actions are documented; of the types the page names apitoken, rule, ticket, user
// and zendesk/app_market/app, the others are seen in the field.
// https://developer.zendesk.com/api-reference/ticketing/account-configuration/audit_logs/ (checked 2026-11-22)
type zendeskKind struct{ source, action, label, change string }

func zendeskKinds() []zendeskKind {
	return []zendeskKind{
		{"user", "update", "Updated", "Role changed from End-user to Agent"},
		{"user", "create", "Created", ""},
		{"user", "destroy", "Deleted", ""},
		{"user", "login", "Signed in", "Successful sign-in using Zendesk password from https://demo.zendesk.com/access/login"},
		{"user", "login", "Signed in", "Failed sign-in using Zendesk password"},
		{"ticket", "destroy", "Deleted", "Ticket “Drucker / 打印机” deleted"},
		{"rule", "create", "Created", "Trigger position set to 4"},
		{"rule", "update", "Updated", "Conditions changed\nfrom \"Status is Open\"\nto \"Status is <b>Solved</b>\""},
		{"rule", "destroy", "Deleted", ""},
		{"apitoken", "create", "Created", "Description: CI"},
		{"apitoken", "destroy", "Deleted", ""},
		{"zendesk/app_market/app", "create", "Created", ""},
		{"zendesk/app_market/app", "update", "Updated", "Enabled"},
		{"account_setting", "update", "Updated", "Password policy changed from Low to High"},
		{"organization", "update", "Updated", "Name changed from Müller GmbH to Müller & Söhne"},
		{"group", "create", "Created", ""},
		{"webhook", "update", "Updated", "Status changed from active to inactive"},
		{"report", "exported", "Exported", "12 months of users"},
		{"ticket_field", "update", "Updated", "Titel geändert"},
		{"oauth/client", "create", "Created", ""},
	}
}

// zendeskComposer writes records about an account.
type zendeskComposer struct {
	users     []User
	subdomain string
	kinds     []zendeskKind
}

func newZendeskComposer(users []User, subdomain string) zendeskComposer {
	return zendeskComposer{users: users, subdomain: subdomain, kinds: zendeskKinds()}
}

func (c zendeskComposer) record(rng *rand.Rand, at time.Time) []byte {
	kind := pick(rng, c.kinds...)
	w := &jsonWriter{escapes: pick(rng, escapeLeast, escapeLeast, escapeLower, escapeUpper)}
	id := strconv.FormatUint(rng.Uint64()>>11, 10)
	actor := pick(rng, c.users...)
	actorID, actorName := actor.ID, actor.First+" "+actor.Last
	if _, err := strconv.Atoi(actorID); err != nil || rng.IntN(6) == 0 {
		actorID, actorName = "-1", "Zendesk" // the system
	}
	source, label := strconv.FormatUint(rng.Uint64()>>20, 10), pick(rng, "Notify requester — Köln", `"Eilt!" / 緊急`, "Ticket: 4711")
	if kind.source == "user" {
		u := pick(rng, c.users...)
		label = "Team member: " + u.First + " " + u.Last
		if _, err := strconv.Atoi(u.ID); err == nil {
			source = u.ID
		}
	}
	address := pick(rng, `""`, "null", w.text("198.51.100.7"), w.text("203.0.113.240"), w.text("2001:db8::8a2e:370:7334"))
	return respace(w.object(
		"url", w.text("https://"+c.subdomain+".zendesk.com/api/v2/audit_logs/"+id+".json"),
		"id", id,
		"action", w.text(kind.action),
		"action_label", w.text(kind.label),
		"actor_id", actorID,
		"actor_name", w.text(actorName),
		"source_id", source,
		"source_type", w.text(kind.source),
		"source_label", w.text(label),
		"change_description", pick(rng, w.text(kind.change), w.text(kind.change), `""`),
		"ip_address", address,
		"created_at", w.text(at.UTC().Format("2006-01-02T15:04:05Z")),
	), pick(rng, 0, 0, 0, 1, 2, 3), rng)
}
