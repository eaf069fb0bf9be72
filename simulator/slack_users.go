package simulator

import (
	"net/http"
	"strings"
)

// authTest tells whose the token is; it needs no scope. What team_id is for an
// installation on the organisation is unverified.
// https://docs.slack.dev/reference/methods/auth.test (checked 2026-11-22)
func (s *Slack) authTest(r *http.Request) answer {
	user, refusal := s.permit(r, "", false)
	if refusal != nil {
		return *refusal
	}
	return s.json(http.StatusOK, map[string]any{
		"ok": true, "url": "https://" + s.options.Domain + ".enterprise.slack.com/", "team": slackName(s.options.Domain),
		"user": slackHandle(user), "team_id": slackEnterprise, "user_id": user.ID,
		"enterprise_id": slackEnterprise, "is_enterprise_install": true, "expires_in": 43200,
	})
}

// lookupByEmail needs users:read.email.
// https://docs.slack.dev/reference/methods/users.lookupByEmail (checked 2026-11-22)
func (s *Slack) lookupByEmail(r *http.Request) answer {
	if _, refusal := s.permit(r, slackEmailScope, false); refusal != nil {
		return *refusal
	}
	email := r.URL.Query().Get("email")
	if email == "" {
		return s.fail(http.StatusOK, "invalid_arguments")
	}
	for _, u := range s.options.Users {
		if strings.EqualFold(u.Login, email) {
			return s.json(http.StatusOK, map[string]any{"ok": true, "user": slackUser(u)})
		}
	}
	return s.fail(http.StatusOK, "users_not_found")
}

func slackUser(u User) any {
	name := u.First + " " + u.Last
	return map[string]any{
		"id": u.ID, "team_id": "T01SELVEDGE", "name": slackHandle(u), "deleted": u.Status == "deleted", "real_name": name,
		"profile": map[string]any{
			"email": u.Login, "real_name": name, "first_name": u.First, "last_name": u.Last, "display_name": "", "title": nil,
		},
		"is_admin": u.Admin, "is_owner": u.Admin, "is_bot": false, "updated": 1732273200,
		"enterprise_user": map[string]any{"id": u.ID, "enterprise_id": slackEnterprise, "teams": []string{"T01SELVEDGE"}},
	}
}

func slackHandle(u User) string {
	name, _, _ := strings.Cut(u.Login, "@")
	return name
}
