package simulator

import (
	"net/http"
	"regexp"
	"strings"
)

// https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/ (checked 2026-11-22)
type oktaUser struct {
	ID          string            `json:"id"`
	Status      string            `json:"status"`
	Created     string            `json:"created"`
	Activated   *string           `json:"activated"`
	LastLogin   *string           `json:"lastLogin"`
	LastUpdated string            `json:"lastUpdated"`
	Profile     oktaProfile       `json:"profile"`
	Links       map[string]oktaTo `json:"_links"`
}

type oktaProfile struct {
	First       string  `json:"firstName"`
	Last        string  `json:"lastName"`
	MobilePhone *string `json:"mobilePhone"`
	SecondEmail *string `json:"secondEmail"`
	Login       string  `json:"login"`
	Email       string  `json:"email"`
}

type oktaTo struct {
	Href string `json:"href"`
}

// lookupUser finds a user by id, login, or the login's part before the @.
func (o *Okta) lookupUser(key string) (User, bool) {
	for _, u := range o.options.Users {
		short, _, _ := strings.Cut(u.Login, "@")
		if key == u.ID || strings.EqualFold(key, u.Login) || strings.EqualFold(key, short) {
			return u, true
		}
	}
	return User{}, false
}

// user answers /api/v1/users/{id, login or short login} and .../me.
func (o *Okta) user(r *http.Request) answer {
	self, refusal := o.permit(r, oktaUsersRead)
	if refusal != nil {
		return *refusal
	}
	key := r.PathValue("login")
	if key == "me" {
		return o.json(http.StatusOK, oktaUserOf(self, r))
	}
	found, ok := o.lookupUser(key)
	if !ok {
		return o.fail(http.StatusNotFound, "E0000007", "Not found: Resource not found: "+key+" (User)")
	}
	return o.json(http.StatusOK, oktaUserOf(found, r))
}

var oktaSearch = regexp.MustCompile(`^profile\.(?:email|login) eq "([^"]*)"$`)

// searchUsers answers the one form of search that a look-up by e-mail needs;
// every other is refused.
func (o *Okta) searchUsers(r *http.Request) answer {
	if _, refusal := o.permit(r, oktaUsersRead); refusal != nil {
		return *refusal
	}
	terms := oktaSearch.FindStringSubmatch(r.URL.Query().Get("search"))
	if terms == nil {
		return o.fail(http.StatusBadRequest, "E0000031", "Invalid search criteria.")
	}
	list := []oktaUser{}
	for _, u := range o.options.Users {
		if strings.EqualFold(u.Login, terms[1]) {
			list = append(list, oktaUserOf(u, r))
		}
	}
	return o.json(http.StatusOK, list)
}

func oktaUserOf(u User, r *http.Request) oktaUser {
	const joined, seen = "2024-02-29T08:15:00.000Z", "2025-11-03T07:58:21.000Z"
	out := oktaUser{
		ID: u.ID, Status: u.Status, Created: joined, LastUpdated: seen,
		Profile: oktaProfile{First: u.First, Last: u.Last, Login: u.Login, Email: u.Login},
		Links:   map[string]oktaTo{"self": {origin(r) + oktaUsersPath + "/" + u.ID}},
	}
	if u.Status != "STAGED" {
		activated, login := joined, seen
		out.Activated, out.LastLogin = &activated, &login
	}
	return out
}

// oktaCompany is the default organisation: names beyond ASCII, and people who may
// not read the log.
func oktaCompany() []User {
	return []User{
		{ID: "00u1admin5im00000001", Login: "ada.okafor@example.com", First: "Ada", Last: "Okafor", Status: "ACTIVE", Admin: true},
		{ID: "00u1user5im000000002", Login: "zoe.mueller@example.com", First: "Zoë", Last: "Müller", Status: "ACTIVE"},
		{ID: "00u1user5im000000003", Login: "jose.nunez@example.com", First: "José", Last: "Núñez", Status: "SUSPENDED"},
		{ID: "00u1user5im000000004", Login: "taro.yamada@example.co.jp", First: "太郎", Last: "山田", Status: "ACTIVE"},
		{ID: "00u1user5im000000005", Login: "grainne.oneil@example.com", First: "Gráinne", Last: "O'Neil", Status: "DEPROVISIONED"},
		{ID: "00u1user5im000000006", Login: "lukasz.zak@example.com", First: "Łukasz", Last: "Żak 🛠", Status: "STAGED"},
	}
}
