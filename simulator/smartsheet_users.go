package simulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

const (
	smartsheetAccountID   = "8116448283224964"
	smartsheetAccountName = "Beispiel & Co"
)

// users lists the account's users; email takes several addresses between commas.
// status is told to System Admins only.
// https://smartsheet.redoc.ly/tag/users (list-users; checked 2026-11-22)
func (s *Smartsheet) users(r *http.Request, self User) answer {
	q := r.URL.Query()
	emails := strings.Split(strings.ToLower(q.Get("email")), ",")
	found := []any{}
	for _, u := range s.options.Users {
		if q.Get("email") != "" && !slices.Contains(emails, strings.ToLower(u.Login)) {
			continue
		}
		user := map[string]any{
			"id": json.Number(u.ID), "email": u.Login, "firstName": u.First, "lastName": u.Last, "name": u.First + " " + u.Last,
		}
		if self.Admin {
			user["status"], user["admin"], user["licensedSheetCreator"] = u.Status, u.Admin, true
			user["groupAdmin"], user["resourceViewer"] = false, true
		}
		found = append(found, user)
	}
	return jsonAnswer(http.StatusOK, "application/json;charset=UTF-8", map[string]any{
		"pageNumber": 1, "pageSize": 100, "totalPages": 1, "totalCount": len(found), "data": found,
	})
}

// me is the current user, with the account.
// https://smartsheet.redoc.ly/tag/users (get-current-user; checked 2026-11-22)
func (s *Smartsheet) me(_ *http.Request, self User) answer {
	return jsonAnswer(http.StatusOK, "application/json;charset=UTF-8", map[string]any{
		"id": json.Number(self.ID), "email": self.Login, "firstName": self.First, "lastName": self.Last, "locale": "de_DE",
		"timeZone": "Europe/Berlin", "account": map[string]any{"id": json.Number(smartsheetAccountID), "name": smartsheetAccountName},
		"admin": self.Admin, "licensedSheetCreator": true, "groupAdmin": false, "resourceViewer": true, "alternateEmails": []any{},
	})
}

func smartsheetCompany() []User {
	return []User{
		{ID: "48569348493401200", Login: "ada.okafor@example.com", First: "Ada", Last: "Okafor", Status: "ACTIVE", Admin: true},
		{ID: "48569348493401201", Login: "zoe.mueller@example.com", First: "Zoë", Last: "Müller", Status: "ACTIVE"},
		{ID: "48569348493401202", Login: "taro.yamada@example.co.jp", First: "太郎", Last: "山田", Status: "ACTIVE"},
		{ID: "48569348493401203", Login: "grainne.oneil+sheets@example.com", First: "Gráinne", Last: "O'Neil", Status: "PENDING"},
		{ID: "48569348493401204", Login: "lukasz.zak@example.com", First: "Łukasz", Last: "Żak 🛠", Status: "DEACTIVATED"},
	}
}
