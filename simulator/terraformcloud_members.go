package simulator

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// organization answers the parts of an organisation that identify it.
// https://developer.hashicorp.com/terraform/cloud-docs/api-docs/organizations#show-an-organization (checked 2026-11-22)
func (t *TerraformCloud) organization(r *http.Request) answer {
	if refusal := t.permit(r, false); refusal != nil {
		return *refusal
	}
	name := t.options.Organization
	if r.PathValue("organization") != name {
		return t.missing()
	}
	self := "/api/v2/organizations/" + name
	return t.json(http.StatusOK, map[string]any{"data": map[string]any{
		"id": name, "type": "organizations",
		"attributes": map[string]any{
			"name": name, "external-id": terraformOrgID, "email": "admin@example.com", "created-at": "2020-03-26T22:13:38.456Z",
			"collaborator-auth-policy": "password", "plan-expired": false, "plan-expires-at": nil, "saml-enabled": false,
			"two-factor-conformant": true, "permissions": map[string]bool{"can-update": true, "can-traverse": true},
		},
		"relationships": map[string]any{"entitlement-set": map[string]any{
			"data":  map[string]string{"id": terraformOrgID, "type": "entitlement-sets"},
			"links": map[string]string{"related": self + "/entitlement-set"},
		}},
		"links": map[string]string{"self": self},
	}})
}

var terraformFilter = regexp.MustCompile(`^(page|filter)\[[a-z]+\]$`)

// memberships lists the organisation's members; filter[email] takes several
// addresses between commas. The page's sample has status as the one attribute;
// email beside it is what HashiCorp's own client reads.
// https://developer.hashicorp.com/terraform/cloud-docs/api-docs/organization-memberships (checked 2026-11-22)
func (t *TerraformCloud) memberships(r *http.Request) answer {
	if refusal := t.permit(r, false); refusal != nil {
		return *refusal
	}
	if r.PathValue("organization") != t.options.Organization {
		return t.missing()
	}
	q := r.URL.Query()
	number, size, ok := terraformPage(q, 20, 100)
	for name := range q {
		ok = ok && (terraformFilter.MatchString(name) || name == "q" || name == "include")
	}
	if !ok {
		return t.fail(http.StatusBadRequest, "bad request")
	}
	var found []any
	for _, u := range t.options.Users {
		emails := strings.Split(strings.ToLower(q.Get("filter[email]")), ",")
		named := !q.Has("filter[email]") || slices.Contains(emails, strings.ToLower(u.Login))
		state := !q.Has("filter[status]") || q.Get("filter[status]") == u.Status
		if named && state && strings.Contains(strings.ToLower(u.Login), strings.ToLower(q.Get("q"))) {
			found = append(found, t.membership(u))
		}
	}
	p := paginate(number, size, len(found))
	first := min((number-1)*size, len(found))
	return t.json(http.StatusOK, map[string]any{
		"data":  append([]any{}, found[first:min(first+size, len(found))]...),
		"links": map[string]any{"self": origin(r) + r.URL.RequestURI(), "prev": nil, "next": nil},
		"meta": map[string]any{"pagination": map[string]any{
			"current-page": p.Current, "prev-page": p.Prev, "next-page": p.Next, "total-pages": p.Pages, "total-count": p.Count,
		}},
	})
}

func (t *TerraformCloud) membership(u User) any {
	to := func(id, kind string) any { return map[string]any{"data": map[string]string{"id": id, "type": kind}} }
	return map[string]any{
		"id": "ou-" + strings.TrimPrefix(u.ID, "user-"), "type": "organization-memberships",
		"attributes": map[string]any{"status": u.Status, "email": u.Login},
		"relationships": map[string]any{
			"user":         to(u.ID, "users"),
			"organization": to(t.options.Organization, "organizations"),
			"teams":        map[string]any{"data": []any{map[string]string{"id": "team-yUrEehvfG4pdmSjc", "type": "teams"}}},
		},
	}
}
