package simulator

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

const (
	dropboxTeamID   = "dbtid:AAFdgehTzw7WlXhZJsbGCLePe8RvQGYDr-I"
	dropboxTeamName = "Müller & Søn"
)

// teamInfo takes no argument, which is written null.
// https://github.com/dropbox/dropbox-api-spec/blob/main/team.stone (checked 2026-11-22)
func (d *Dropbox) teamInfo(r *http.Request) answer {
	var void any
	if refusal := dropboxArgument(r, &void); refusal != nil {
		return *refusal
	}
	if void != nil {
		return dropboxText(http.StatusBadRequest, `Error in call to API function "team/get_info": request body: expected null`)
	}
	return jsonAnswer(http.StatusOK, "application/json", map[string]any{
		"name": dropboxTeamName, "team_id": dropboxTeamID, "num_licensed_users": 25, "num_used_licenses": 6,
		"num_provisioned_users": len(d.options.Users),
		"policies": map[string]any{
			"sharing":      map[string]any{"shared_folder_member_policy": dropboxTag("team"), "shared_link_create_policy": dropboxTag("team_only")},
			"emm_state":    dropboxTag("disabled"),
			"office_addin": dropboxTag("enabled"),
		},
	})
}

// dropboxAddress is common.stone's EmailAddress (checked 2026-11-22).
var dropboxAddress = regexp.MustCompile(`^['#&A-Za-z0-9._%+-]+@[A-Za-z0-9-][A-Za-z0-9.-]*\.[A-Za-z]{2,15}$`)

// memberInfo looks members up by e-mail address or by id; who is not in the team is
// answered by the key itself.
// https://github.com/dropbox/dropbox-api-spec/blob/main/team_members.stone (checked 2026-11-22)
func (d *Dropbox) memberInfo(r *http.Request) answer {
	var arg struct {
		Members []struct {
			Tag   string `json:".tag"`
			Email string `json:"email"`
			ID    string `json:"team_member_id"`
		} `json:"members"`
	}
	if refusal := dropboxArgument(r, &arg); refusal != nil {
		return *refusal
	}
	found := []any{}
	for i, m := range arg.Members {
		key := m.ID
		switch {
		case m.Tag == "email" && !dropboxAddress.MatchString(m.Email):
			return dropboxText(http.StatusBadRequest, fmt.Sprintf("Error in call to API function \"team/members/get_info:2\": request body: members[%d].email: '%s' did not match pattern", i, m.Email))
		case m.Tag == "email":
			key = m.Email
		case m.Tag != "team_member_id":
			return dropboxText(http.StatusBadRequest, fmt.Sprintf("Error in call to API function \"team/members/get_info:2\": request body: members[%d]: unknown tag '%s'", i, m.Tag))
		}
		found = append(found, d.memberItem(key))
	}
	return jsonAnswer(http.StatusOK, "application/json", map[string]any{"members_info": found})
}

func (d *Dropbox) memberItem(key string) any {
	for _, u := range d.options.Users {
		if key != u.ID && !strings.EqualFold(key, u.Login) {
			continue
		}
		roles := []any{}
		if u.Admin {
			roles = append(roles, map[string]string{"role_id": "pid_dbtmr:2345", "name": "Team", "description": "Manage everything and access all permissions"})
		}
		return map[string]any{
			".tag": "member_info", "roles": roles,
			"profile": map[string]any{
				"team_member_id": u.ID, "account_id": "dbid:" + strings.TrimPrefix(u.ID, "dbmid:"), "email": u.Login,
				"email_verified": u.Status == "active", "status": dropboxTag(u.Status), "membership_type": dropboxTag("full"),
				"name": map[string]string{
					"given_name": u.First, "surname": u.Last, "familiar_name": u.First,
					"display_name": u.First + " " + u.Last, "abbreviated_name": u.First,
				},
				"groups": []string{"g:e2db7665347abcd600000000001a2b3c"}, "member_folder_id": "20", "joined_on": "2015-05-12T15:50:38Z",
			},
		}
	}
	return map[string]any{".tag": "id_not_found", "id_not_found": key}
}

func dropboxCompany() []User {
	return []User{
		{ID: "dbmid:AAHhy7WsR0x-u4ZCqiDl5Fz5zvuL3kmspwU", Login: "ada.okafor@example.com", First: "Ada", Last: "Okafor", Status: "active", Admin: true},
		{ID: "dbmid:AAFoi-tmvRuQR0jU-3fN4B-9nZo6nHcDO9Q", Login: "zoe.mueller@example.com", First: "Zoë", Last: "Müller", Status: "active"},
		{ID: "dbmid:AACDkwmPsPlqd6tHmoFUdIVbPBcz8x-ej6Y", Login: "taro.yamada@example.co.jp", First: "太郎", Last: "山田", Status: "active"},
		{ID: "dbmid:AAE2Lk3kvUtPOGGKlHs9iGj1l-t2sJTQy0A", Login: "grainne.oneil@example.com", First: "Gráinne", Last: "O'Neil", Status: "suspended"},
		{ID: "dbmid:AABq9zB0ww2rnCbsxEXcT4SJ0hk2eWRqIeM", Login: "lukasz.zak@example.com", First: "Łukasz", Last: "Żak 🛠", Status: "invited"},
	}
}
