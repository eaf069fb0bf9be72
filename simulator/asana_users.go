package simulator

import (
	"net/http"
	"slices"
	"strings"
)

// user answers /users/{gid, e-mail address or me}; of more than gid, name and type
// what opt_fields names. Workspaces are those that the asker is in as well.
// https://github.com/Asana/openapi/blob/master/defs/asana_oas.yaml, getUser (checked
// 2026-11-22); the words for what is no user and for an unknown one are seen in the field.
func (a *Asana) user(r *http.Request) answer {
	if refusal := a.permit(r, false); refusal != nil {
		return *refusal
	}
	key := r.PathValue("user")
	if strings.Trim(key, "0123456789") != "" && key != "me" && !asanaEmail(key) {
		return a.fail(http.StatusBadRequest, `user: Not an email, GID, or "me": `+key)
	}
	for _, u := range a.options.Users {
		if u.ID == key || strings.EqualFold(u.Login, key) || key == "me" {
			return a.json(http.StatusOK, map[string]any{"data": a.userDocument(u, strings.Split(r.URL.Query().Get("opt_fields"), ","))})
		}
	}
	return a.fail(http.StatusNotFound, "user: Unknown object: "+key)
}

func asanaEmail(key string) bool {
	name, domain, found := strings.Cut(key, "@")
	return found && name != "" && strings.Contains(domain, ".") && !strings.ContainsAny(key, "/\" %")
}

func (a *Asana) userDocument(u User, fields []string) map[string]any {
	document := map[string]any{"gid": u.ID}
	if fields[0] == "" {
		fields = []string{"name", "resource_type", "email", "photo", "workspaces"}
	}
	workspace := map[string]string{"gid": a.options.Workspace, "resource_type": "workspace", "name": "Büro & Söhne"}
	workspaces := []any{workspace}
	if u.Status == "elsewhere" {
		workspaces = []any{map[string]string{"gid": "1209999999999999", "resource_type": "workspace", "name": "example.org"}}
	}
	for name, value := range map[string]any{
		"name": u.First + " " + u.Last, "resource_type": "user", "email": u.Login, "photo": nil, "workspaces": workspaces,
	} {
		if slices.Contains(fields, name) {
			document[name] = value
		}
	}
	return document
}
