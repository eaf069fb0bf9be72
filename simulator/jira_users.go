package simulator

import (
	"net/http"
	"slices"
	"strings"
)

// https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-user-search/#api-rest-api-3-user-search-get (checked 2026-11-22)
type jiraUser struct {
	Self        string `json:"self"`
	AccountID   string `json:"accountId"`
	AccountType string `json:"accountType"`
	Email       string `json:"emailAddress,omitempty"`
	DisplayName string `json:"displayName"`
	Active      bool   `json:"active"`
	TimeZone    string `json:"timeZone,omitempty"`
}

// searchUsers finds those whose name or address begins with the query. One who
// hides the address is found by it all the same (unverified), and shown without.
func (j *Jira) searchUsers(r *http.Request) answer {
	_, refusal := j.permit(r, []string{jiraReadUser}, []string{jiraReadUsers, "read:application-role:jira", "read:avatar:jira", "read:group:jira"})
	if refusal != nil {
		return *refusal
	}
	query := strings.ToLower(r.URL.Query().Get("query"))
	if query == "" {
		return j.refused(http.StatusBadRequest, "At least one of the query parameters 'accountId', 'query' and 'property' must be given.")
	}
	list := []jiraUser{}
	for _, u := range j.options.Users {
		name, email := u.First+" "+u.Last, strings.ToLower(u.Login)
		hidden := slices.Contains(j.options.Hidden, u.ID)
		if !strings.HasPrefix(strings.ToLower(name), query) && !strings.HasPrefix(email, query) {
			continue
		}
		found := jiraUser{
			Self:      "https://" + jiraAPIHost + strings.Replace(jiraSitePath, "{cloud}", j.CloudID(), 1) + "/rest/api/3/user?accountId=" + u.ID,
			AccountID: u.ID, AccountType: "atlassian", Email: u.Login, DisplayName: name, Active: u.Status == "active", TimeZone: "Europe/Berlin",
		}
		if hidden {
			found.Email, found.TimeZone = "", ""
		}
		list = append(list, found)
	}
	return jsonAnswer(http.StatusOK, "application/json;charset=UTF-8", list)
}
