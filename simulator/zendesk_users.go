package simulator

import (
	"net/http"
	"strconv"
	"strings"
)

// searchUsers answers search by the language's email: keyword, whose value is
// whole, and by plain words, which are parts of names and addresses.
// https://developer.zendesk.com/api-reference/ticketing/users/users/#search-users,
// https://support.zendesk.com/hc/en-us/articles/4408886879258 (checked 2026-11-22)
func (z *Zendesk) searchUsers(r *http.Request) answer {
	if _, refusal := z.permit(r, zendeskUsersScope); refusal != nil {
		return *refusal
	}
	query := r.URL.Query().Get("query")
	if query == "" {
		return z.fail(http.StatusBadRequest, "BadRequest", "query or external_id is required")
	}
	email, exact := strings.CutPrefix(query, "email:")
	email = strings.Trim(email, `"`)
	list := []any{}
	for _, u := range z.options.Users {
		words := strings.ToLower(u.First + " " + u.Last + " " + u.Login)
		if exact && strings.EqualFold(u.Login, email) || !exact && strings.Contains(words, strings.ToLower(query)) {
			list = append(list, zendeskUser(r, u))
		}
	}
	return z.json(http.StatusOK, map[string]any{"users": list, "count": len(list), "next_page": nil, "previous_page": nil})
}

func zendeskUser(r *http.Request, u User) any {
	id, err := strconv.ParseInt(u.ID, 10, 64)
	if err != nil {
		id = 1 // of a user of a test's own
	}
	role := "end-user"
	if u.Admin {
		role = "admin"
	}
	return map[string]any{
		"id": id, "url": origin(r) + "/api/v2/users/" + u.ID + ".json", "name": u.First + " " + u.Last, "email": u.Login,
		"active": u.Status != "deleted", "suspended": u.Status == "suspended", "role": role, "verified": true,
		"created_at": "2024-02-29T08:15:00Z", "updated_at": "2025-11-03T07:58:21Z", "time_zone": "Berlin", "locale": "de",
		"phone": nil, "organization_id": nil, "external_id": nil,
	}
}
