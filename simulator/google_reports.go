package simulator

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The Reports API.
// https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities/list (checked 2026-11-22)
const (
	googlePageMax   = 1000
	googleRetention = 180 * 24 * time.Hour
	googleGmailKept = 30 * 24 * time.Hour
	googleGmail     = "gmail"

	googleApplications = "access_evaluation access_transparency admin admin_data_action assignments calendar chat chrome classroom cloud_search " +
		"context_aware_access data_migration data_studio directory_sync drive gcp gemini_in_workspace_apps gmail gplus groups groups_enterprise " +
		"jamboard keep ldap login meet meet_hardware mobile profile rules saml tasks token user_accounts vault"
)

// googleQuery is one request for activities.
type googleQuery struct {
	from, to time.Time
	size     int
	before   int    // number of the activity that the last page ended with; 0: the first page
	asked    string // what must be the same on every page
}

// activities answers one page of an application's activities, newest first. The
// token of the next page names the last one shown, so that new ones move nothing.
// A page of none has no items.
func (g *Google) activities(r *http.Request) answer {
	if refusal := g.permit(r, googleReports); refusal != nil {
		return *refusal
	}
	application := r.PathValue("application")
	if !slices.Contains(strings.Fields(googleApplications), application) {
		return g.invalid("applicationName")
	}
	if r.PathValue("user") != "all" {
		return g.invalid("userKey") // people's own activities are not simulated
	}
	q, wrong := g.activityQuery(r.URL.Query(), application)
	if wrong != "" {
		return g.invalid(wrong)
	}
	found := ofStream(g.published(q.from, q.to.Add(1)), application)
	slices.Reverse(found)
	if q.before > 0 {
		at := slices.IndexFunc(found, func(e entry) bool { return e.seq == q.before })
		found = found[at+1:]
	}
	page := found[:min(q.size, len(found))]
	body := fmt.Appendf(nil, `{"kind":"admin#reports#activities","etag":"\"%s\""`, g.mint.id("", 27))
	if len(page) > 0 {
		body = slices.Concat(body, []byte(`,"items":`), array(page))
	}
	if len(page) < len(found) {
		body = fmt.Appendf(body, `,"nextPageToken":%q`, g.sealPage(page[len(page)-1].seq, q.asked))
	}
	ans := newAnswer(http.StatusOK, "application/json; charset=UTF-8", append(body, '}'))
	ans.sent = func() { g.show(page) }
	return ans
}

// activityQuery takes the query apart; wrong is the name of a parameter that is
// refused. How long a time zone's spelling may be, and other refusals, are not
// told beyond that the request fails.
func (g *Google) activityQuery(form url.Values, application string) (q googleQuery, wrong string) {
	now := g.now()
	q = googleQuery{to: now, size: googlePageMax}
	for name, to := range map[string]*time.Time{"startTime": &q.from, "endTime": &q.to} {
		if !form.Has(name) {
			continue
		}
		at, err := time.Parse(time.RFC3339, form.Get(name))
		if err != nil {
			return q, name
		}
		*to = at
	}
	gmail := application == googleGmail
	switch {
	case form.Has("startTime") && (!q.from.Before(q.to) || !q.from.Before(now)):
		return q, "startTime" // must be before the end, and before the time of the request
	case gmail && (!form.Has("startTime") || !form.Has("endTime") || q.to.Sub(q.from) > googleGmailKept):
		return q, "startTime" // Gmail wants both, 30 days apart at the most
	}
	kept := googleRetention
	if gmail {
		kept = googleGmailKept
	}
	q.asked = application + form.Get("startTime") + form.Get("endTime")
	if oldest := now.Add(-kept); q.from.Before(oldest) {
		q.from = oldest
	}
	if form.Has("maxResults") {
		n, err := strconv.Atoi(form.Get("maxResults"))
		if err != nil || n < 1 || n > googlePageMax {
			return q, "maxResults"
		}
		q.size = n
	}
	if form.Has("pageToken") {
		var ok bool
		if q.before, ok = g.openPage(form.Get("pageToken"), q.asked); !ok {
			return q, "pageToken"
		}
	}
	return q, ""
}

// sealPage makes a token opaque, and good for one query.
func (g *Google) sealPage(seq int, asked string) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(seq))
	return base64.RawURLEncoding.EncodeToString(append(b, g.mint.mac(append(slices.Clone(b), asked...))[:8]...))
}

func (g *Google) openPage(sealed, asked string) (int, bool) {
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(b) != 16 || !bytes.Equal(g.mint.mac(append(slices.Clone(b[:8]), asked...))[:8], b[8:]) {
		return 0, false
	}
	return int(binary.BigEndian.Uint64(b)), true //nolint:gosec // a number of ours
}

// searchUsers answers the one form of search that a look-up by address needs:
// email=..., which finds by the primary address and by others of a person.
// https://developers.google.com/workspace/admin/directory/v1/guides/search-users (checked 2026-11-22)
func (g *Google) searchUsers(r *http.Request) answer {
	if refusal := g.permit(r, googleUsers, googleUsersFull); refusal != nil {
		return *refusal
	}
	q := r.URL.Query()
	if q.Get("customer") != "my_customer" {
		return g.fail(http.StatusBadRequest, "badRequest", "Bad Request", "global", "INVALID_ARGUMENT")
	}
	email, ok := strings.CutPrefix(q.Get("query"), "email=")
	if !ok || strings.ContainsAny(email, " '") {
		return g.fail(http.StatusBadRequest, "invalid", "Invalid Input: query", "global", "INVALID_ARGUMENT")
	}
	found := []any{}
	for _, u := range g.options.Users {
		if strings.EqualFold(u.Login, email) {
			found = append(found, map[string]any{
				"kind": "admin#directory#user", "id": u.ID, "etag": `"x"`, "primaryEmail": u.Login,
				"name":    map[string]string{"givenName": u.First, "familyName": u.Last, "fullName": u.First + " " + u.Last},
				"isAdmin": u.Admin, "suspended": u.Status == "suspended", "archived": u.Status == "archived",
				"customerId": googleCustomer, "orgUnitPath": "/", "creationTime": "2024-02-29T08:15:00.000Z",
			})
		}
	}
	document := map[string]any{"kind": "admin#directory#users", "etag": `"x"`}
	if len(found) > 0 {
		document["users"] = found
	}
	return jsonAnswer(http.StatusOK, "application/json; charset=UTF-8", document)
}
