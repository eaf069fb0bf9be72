package simulator

import (
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// webexFeed is how one of the feeds is asked.
type webexFeed struct {
	stream, scope string
	from, to      string // names of the bounds, which are both outside
	needs         []string
	page          int  // most records of a page
	offset        bool // pages by number of the first record too
	past          bool // the upper bound must not lie in the future
}

// adminAudit: https://developer.webex.com/docs/api/v1/admin-audit-events/list-admin-audit-events (checked 2026-11-22)
func (c *Cisco) adminAudit(r *http.Request) answer {
	return c.list(r, webexFeed{webexAdmin, "audit:events_read", "from", "to", []string{"orgId", "from", "to"}, 200, true, false})
}

// securityAudit: https://developer.webex.com/docs/api/v1/security-audit-events/list-security-audit-events (checked 2026-11-22)
func (c *Cisco) securityAudit(r *http.Request) answer {
	if c.options.NoLogins {
		if _, refusal := c.permit(r, "audit:events_read"); refusal != nil {
			return *refusal
		}
		return c.fail(http.StatusForbidden, "User authentication data is not allowed for this organization.") // its wording is unverified
	}
	return c.list(r, webexFeed{webexSecurity, "audit:events_read", "startTime", "endTime", []string{"orgId", "startTime", "endTime"}, 1000, false, false})
}

// events has memberships alone: other resources are refused rather than ignored.
// https://developer.webex.com/docs/api/v1/events/list-events (checked 2026-11-22)
func (c *Cisco) events(r *http.Request) answer {
	const scope = "spark-compliance:events_read"
	if _, refusal := c.permit(r, scope); refusal != nil {
		return *refusal
	}
	switch {
	case c.options.NoOfficer:
		return c.fail(http.StatusForbidden, "The user is not a compliance officer.") // its wording is unverified
	case r.URL.Query().Get("resource") != "memberships":
		return c.fail(http.StatusBadRequest, "The resource is not simulated.")
	}
	return c.list(r, webexFeed{webexMembership, scope, "from", "to", nil, 1000, false, true})
}

// list answers a page, newest first (the order is undocumented), with a link to
// the next one.
// https://developer.webex.com/docs/basics#pagination (checked 2026-11-22)
func (c *Cisco) list(r *http.Request, f webexFeed) answer {
	if _, refusal := c.permit(r, f.scope); refusal != nil {
		return *refusal
	}
	q := r.URL.Query()
	for _, name := range f.needs {
		if q.Get(name) == "" {
			return c.fail(http.StatusBadRequest, "Required request parameter '"+name+"' for method parameter type String is not present")
		}
	}
	if q.Has("orgId") && q.Get("orgId") != webexID("ORGANIZATION", webexOrg) {
		return c.fail(http.StatusForbidden, "The caller may not manage the organization.") // its wording is unverified
	}
	from, to, size, skip, why := c.webexQuery(q, f)
	if why == "" && f.past && q.Has(f.to) && to.After(c.now()) {
		why = "The " + f.to + " parameter must not be in the future." // its wording is unverified
	}
	if why != "" {
		return c.fail(http.StatusBadRequest, why)
	}
	all := slices.Clone(ofStream(c.published(from, to), f.stream))
	slices.Reverse(all)
	page := all[min(skip, len(all)):min(skip+size, len(all))]
	ans := c.json(http.StatusOK, nil)
	ans.body = slices.Concat([]byte(`{"items":`), array(page), []byte(`}`))
	if skip+len(page) < len(all) {
		next := skip + len(page)
		if f.offset {
			q.Set("offset", strconv.Itoa(next))
		} else {
			q.Set("cursor", c.sealOffset(next))
		}
		ans.header.Set("Link", "<"+origin(r)+r.URL.Path+"?"+q.Encode()+`>; rel="next"`)
	}
	ans.sent = func() { c.show(page) }
	return ans
}

// webexQuery reads the bounds and the page; why is what is wrong with them.
func (c *Cisco) webexQuery(q url.Values, f webexFeed) (from, to time.Time, size, skip int, why string) {
	read := func(name string, otherwise time.Time) time.Time {
		if !q.Has(name) {
			return otherwise
		}
		at, err := time.Parse("2006-01-02T15:04:05.000Z", q.Get(name))
		if err != nil {
			why = "The " + name + " parameter must be a date and time such as 2016-04-21T17:00:00.000Z."
		}
		return at
	}
	now := c.now()
	from, to = read(f.from, now.AddDate(-1, 0, 0)).Add(1), read(f.to, now.Add(1))
	if why == "" && (to.Sub(from) > 366*24*time.Hour || to.Before(from)) {
		why = "The range must not be longer than a year."
	}
	size = 100
	for name, to := range map[string]*int{"max": &size, "offset": &skip} {
		if q.Has(name) {
			n, err := strconv.Atoi(q.Get(name))
			if *to = n; err != nil || n < 0 || name == "max" && (n < 1 || n > f.page) || name == "offset" && !f.offset {
				why = "The " + name + " parameter is invalid."
			}
		}
	}
	if q.Has("cursor") {
		var ok bool
		if skip, ok = c.openOffset(q.Get("cursor")); !ok || f.offset {
			why = "The cursor is invalid."
		}
	}
	return from, to, size, skip, why
}

func (c *Cisco) sealOffset(n int) string {
	text := strconv.Itoa(n)
	return base64.RawURLEncoding.EncodeToString([]byte(text + "." + hex.EncodeToString(c.mint.mac([]byte(text))[:6])))
}

func (c *Cisco) openOffset(sealed string) (int, bool) {
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	text, _, _ := strings.Cut(string(b), ".")
	n, aerr := strconv.Atoi(text)
	return n, err == nil && aerr == nil && c.sealOffset(n) == sealed
}

// webexKind is one kind of admin audit event.
// https://help.webex.com/n3b0w6x/ (checked 2026-11-22)
type webexKind struct{ description, category, target, action string }

func webexKinds() []webexKind {
	return []webexKind{
		{"An Admin logged in", "LOGINS", "ORG", "logged into organization Acme GmbH & Co. KG"},
		{"A user attempted logging in", "LOGINS", "USER", "attempted logging in to Developer Portal"},
		{"User was added", "USERS", "USER", "added user"},
		{"User was deleted", "USERS", "USER", "deleted user"},
		{"User was updated", "USERS", "USER", "updated user „Müller“"},
		{"Admin roles were changed for a user", "USERS", "USER", "changed roles to Full_Admin"},
		{"Group was created", "GROUPS", "GROUP", "created group 営業"},
		{"User was added to a group", "GROUPS", "GROUP", "added a user to group"},
		{"Device was activated", "DEVICES", "DEVICE", "activated Board 55 \"Köln\""},
		{"Organization settings were updated", "ORG_SETTINGS", "ORG", "updated settings\tpin lock"},
		{"Licenses were assigned", "USERS", "USER", "assigned licences"},
		{"Integration was authorized", "APPS", "APPLICATION", "authorized an integration"},
		{"Meeting site was created", "MEETINGS", "SITE", "created site acme.webex.com"},
	}
}

func (c composer) webexActor(w *jsonWriter, rng *rand.Rand) (User, []string) {
	u := pick(rng, c.users...)
	return u, []string{
		"actorOrgName", w.text("Acme GmbH & Co. KG"), "actorName", w.text(u.First + " " + u.Last), "actorEmail", w.text(u.Login),
		"actorUserAgent", w.text(pick(rng, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_0) AppleWebKit/537.36", "jakarta/\"1.0\"", "")),
		"actorIp", w.text(pick(rng, "198.51.100.7", "2001:db8::8a2e:370:7334", "203.0.113.240", "")), "trackingId", w.text("ATLAS_" + newUUID(rng) + "_0"),
	}
}

func webexEnvelope(w *jsonWriter, rng *rand.Rand, at time.Time, u User, data []string) []byte {
	return respace(w.object(
		"data", w.object(data...), "created", w.text(at.UTC().Format("2006-01-02T15:04:05.000Z")),
		"actorOrgId", w.text(webexID("ORGANIZATION", webexOrg)), "id", w.text(base64.RawURLEncoding.EncodeToString([]byte(newUUID(rng)))),
		"actorId", w.text(webexID("PEOPLE", u.ID)),
	), pick(rng, 0, 0, 0, 1, 2, 3), rng)
}

// webexAdmin writes an admin audit event.
func (c composer) webexAdmin(rng *rand.Rand, at time.Time) []byte {
	w := &jsonWriter{escapes: pick(rng, escapeLeast, escapeLeast, escapeLower, escapeUpper)}
	kind := pick(rng, webexKinds()...)
	u, data := c.webexActor(w, rng)
	target := pick(rng, c.users...)
	data = append(data,
		"eventDescription", w.text(kind.description), "eventCategory", w.text(kind.category), "actionText", w.text(u.First+" "+u.Last+" "+kind.action),
		"adminRoles", w.list(w.text("User"), w.text("Full_Admin")), "targetType", w.text(kind.target),
		"targetId", w.text(webexID("PEOPLE", target.ID)), "targetName", w.text(pick(rng, target.Login, "Acme GmbH & Co. KG", "")),
		"targetOrgId", w.text(webexID("ORGANIZATION", webexOrg)), "targetOrgName", w.text("Acme GmbH & Co. KG"))
	if rng.IntN(8) == 0 {
		data = append(data, "errorMessage", w.text("User already exists"), "errorCode", w.text("400"))
	}
	return webexEnvelope(w, rng, at, u, data)
}

// webexSecurity writes a security audit event: somebody signed in or out.
func (c composer) webexSecurity(rng *rand.Rand, at time.Time) []byte {
	w := &jsonWriter{escapes: pick(rng, escapeLeast, escapeLeast, escapeLower, escapeUpper)}
	u, data := c.webexActor(w, rng)
	kind := pick(rng, [2]string{"A user logged in", "LOGINS"}, [2]string{"A user logged out", "LOGOUT"}, [2]string{"A user attempted logging in", "LOGINS"})
	data = append(data, "eventDescription", w.text(kind[0]), "eventCategory", w.text(kind[1]), "actionText", w.text(u.First+" "+u.Last+" "+strings.ToLower(kind[0][7:])))
	return webexEnvelope(w, rng, at, u, data)
}

// webexMembership writes a compliance event about a membership of a room.
func (c composer) webexMembership(rng *rand.Rand, at time.Time) []byte {
	w := &jsonWriter{escapes: pick(rng, escapeLeast, escapeLeast, escapeLower, escapeUpper)}
	u, by := pick(rng, c.users...), pick(rng, c.users...)
	when := w.text(at.UTC().Format("2006-01-02T15:04:05.000Z"))
	return respace(w.object(
		"id", w.text(webexID("EVENT", newUUID(rng))), "resource", w.text("memberships"), "type", w.text(pick(rng, "created", "updated", "deleted")),
		"appId", pick(rng, "null", w.text(webexID("APPLICATION", "C"+newUUID(rng)))), "actorId", w.text(webexID("PEOPLE", by.ID)),
		"orgId", w.text(webexID("ORGANIZATION", webexOrg)), "created", when,
		"data", w.object("id", w.text(webexID("MEMBERSHIP", newUUID(rng))), "roomId", w.text(webexID("ROOM", newUUID(rng))), "roomType", w.text(pick(rng, "group", "direct")),
			"personId", w.text(webexID("PEOPLE", u.ID)), "personOrgId", w.text(webexID("ORGANIZATION", webexOrg)), "personEmail", w.text(u.Login),
			"personDisplayName", w.text(u.First+" "+u.Last), "isModerator", pick(rng, "true", "false"), "isMonitor", "false", "created", when),
	), pick(rng, 0, 0, 0, 1, 2, 3), rng)
}
