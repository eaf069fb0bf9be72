package simulator

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// zoomKind is one category of operations with its actions.
// https://support.zoom.com/hc/en/article?id=zm_kb&sysparm_article=KB0063188 and the
// samples of https://developers.zoom.us/docs/api/meetings/#tag/reports (checked 2026-11-22)
type zoomKind struct{ category, actions, details string }

func zoomKinds() []zoomKind {
	return []zoomKind{
		{"User", "Add|Update|Delete|Activate|Deactivate|Unlink", "Add User %s|Update User %s  - Department: Change from \"\" to \"Büro/Köln\"|Activate User %s|Deactivate User %s"},
		{"User Settings", "Update", "Update %s - Security: Waiting Room: from Off to On"},
		{"User Group", "Add|Update|Delete|Add Member|Delete Member|AddGroupAdmin|DeleteGroupAdmin", "Add Group Member %s|Group: Vertrieb – Süd, %s"},
		{"Account", "Update", "Security: Passcode: from Off to On (%s)|Account Name: 太郎 <%s>"},
		{"Role", "Add|Update|Delete", "Role \"Auditor\": Assign to %s"},
		{"Billing", "Update|Add", "Update Billing Contact: %s"},
		{"Recording", "Delete|Download|Update|View|Recover", "Delete 1 meeting recording - Meeting ID: 123 456 789, %s"},
		{"Webinar", "Add|Update|Delete", "Webinar \"Q&A\" of %s"},
		{"Zoom Rooms", "Add|Update|Delete", "Zoom Room Büro 1 by %s"},
		{"Phone Contacts", "Import|Delete", "Import 12 contacts, %s"},
		{"IM", "Export|Update", "Chat history of %s"},
		{"Sub Account", "Add|Delete", "Sub account %s"},
		{"Entity", "RestAPI-Add|RestAPI-Update|RestAPI-Delete", "App id 5im: %s"},
		{"Single Sign-On", "Update", "SAML response mapping, %s"},
	}
}

// operation writes one operation log.
func (z *Zoom) operation(rng *rand.Rand, at time.Time) []byte {
	w := &jsonWriter{escapes: pick(rng, escapeLeast, escapeLeast, escapeLower, escapeUpper)}
	kind, u, target := pick(rng, zoomKinds()...), pick(rng, z.options.Users...), pick(rng, z.options.Users...)
	detail := fmt.Sprintf(pick(rng, strings.Split(kind.details, "|")...), target.Login) + "\n#" + randomID(rng, "", 12)
	return respace(w.object(
		"time", w.text(at.UTC().Format("2006-01-02T15:04:05Z")),
		"operator", pick(rng, w.text(u.Login), w.text(u.Login), w.text(u.Login), `""`),
		"category_type", w.text(kind.category),
		"action", w.text(pick(rng, strings.Split(kind.actions, "|")...)),
		"operation_detail", w.text(detail),
	), pick(rng, 0, 0, 0, 1, 2, 3), rng)
}

// activity writes one sign-in or sign-out.
func (z *Zoom) activity(rng *rand.Rand, at time.Time) []byte {
	w := &jsonWriter{escapes: pick(rng, escapeLeast, escapeLeast, escapeLower, escapeUpper)}
	return respace(w.object(
		"email", w.text(pick(rng, z.options.Users...).Login),
		"time", w.text(at.UTC().Format("2006-01-02T15:04:05Z")),
		"type", w.text(pick(rng, "Sign in", "Sign in", "Sign out")),
		"ip_address", w.text(pick(rng, "198.51.100.7", "203.0.113.240", "2001:db8::8a2e:370:7334", fmt.Sprintf("192.0.2.%d", rng.IntN(250)))),
		"client_type", w.text(pick(rng, "Browser", "Mac", "Windows", "iPhone", "Android", "Zoom Rooms (Büro)")),
		"version", w.text(fmt.Sprintf("5.%d.%d.%d", rng.IntN(20), rng.IntN(10), rng.IntN(100000))),
	), pick(rng, 0, 0, 0, 1, 2, 3), rng)
}
