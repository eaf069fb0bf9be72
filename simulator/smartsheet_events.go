package simulator

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// smartsheetKinds are types of events, with the members of their additional
// details beside emailAddress.
// https://developers.smartsheet.com/api/smartsheet/event-types,
// https://smartsheet-platform.github.io/event-reporting-docs/ (checked 2026-11-22)
func smartsheetKinds() [][2]string {
	return [][2]string{
		{"ACCESS_TOKEN AUTHORIZE", `"tokenName":"CI \"prod\"","tokenDisplayValue":"ab12","accessScopes":"READ_EVENTS,READ_USERS","tokenExpirationTimestamp":"2036-01-01T00:00:00Z"`},
		{"ACCESS_TOKEN REFRESH", `"tokenDisplayValue":"cd34","appClientId":"0tl1wxyz","appName":"Büro-App"`},
		{"ACCESS_TOKEN REVOKE", `"tokenDisplayValue":"cd34","tokenUserId":48569348493401201`},
		{"ACCOUNT BULK_UPDATE", ``},
		{"ACCOUNT DOWNLOAD_USER_LIST", ``},
		{"ACCOUNT IMPORT_USERS", ``},
		{"ACCOUNT RENAME", `"oldName":"Beispiel","newName":"Beispiel & Co"`},
		{"ATTACHMENT CREATE", `"attachmentName":"Übersicht.xlsx","sheetId":4583173393803140`},
		{"ATTACHMENT DELETE", `"attachmentName":"a\tb.txt","sheetId":4583173393803140`},
		{"ATTACHMENT LOAD", `"attachmentName":"plan.pdf","sheetId":4583173393803140`},
		{"DASHBOARD CREATE", `"dashboardName":"Kennzahlen"`},
		{"DASHBOARD ADD_SHARE", `"accessLevel":"VIEWER","userId":48569348493401202`},
		{"DASHBOARD ADD_PUBLISH", `"publishType":"DASHBOARD","accessibleBy":"ORG"`},
		{"DISCUSSION SEND", `"recipientEmail":"gast@example.net","sheetId":4583173393803140`},
		{"FOLDER EXPORT", `"folderName":"日程"`},
		{"FORM UPDATE", `"formName":"Anfrage","sheetId":4583173393803140`},
		{"GROUP CREATE", `"groupName":"Vertrieb – Süd"`},
		{"GROUP ADD_MEMBER", `"memberUserId":48569348493401202,"groupName":"Vertrieb – Süd"`},
		{"GROUP REMOVE_MEMBER", `"memberUserId":48569348493401202`},
		{"REPORT CREATE", `"reportName":"Offen"`},
		{"REPORT SEND_AS_ATTACHMENT", `"recipientEmail":"gast@example.net","formatType":"PDF"`},
		{"SHEET ADD_SHARE", `"userId":48569348493401202,"accessLevel":"EDITOR","message":"bitte\nansehen"`},
		{"SHEET COPY_ROW", `"rowCount":3,"destinationSheetId":4583173393803141`},
		{"SHEET CREATE", `"sheetName":"Plan – 2026"`},
		{"SHEET DELETE", `"sheetName":"alt"`},
		{"SHEET EXPORT", `"formatType":"EXCEL"`},
		{"SHEET LOAD", ``},
		{"SHEET PURGE", ``},
		{"SHEET REMOVE_SHARE", `"groupId":1951894238291844`},
		{"SHEET TRANSFER_OWNERSHIP", `"oldUserId":48569348493401201,"newUserId":48569348493401202`},
		{"SHEET UPDATE", ``},
		{"USER ACCEPT_INVITE", ``},
		{"USER ADD_TO_ACCOUNT", `"declineUrl":"https://app.smartsheet.com/b/x"`},
		{"USER DECLINE_INVITE", ``},
		{"USER REMOVE_FROM_ACCOUNT", ``},
		{"USER SEND_INVITE", `"inviteeEmail":"neu@example.com"`},
		{"USER UPDATE_USER", `"oldAdmin":false,"newAdmin":true`},
		{"UPDATE_REQUEST CREATE", `"sheetId":4583173393803140,"includeAttachments":true`},
		{"WORKSPACE CREATE", `"workspaceName":"Büro Köln"`},
		{"WORKSPACE ADD_SHARE_MEMBER", `"userId":48569348493401202,"accessLevel":"ADMIN"`},
	}
}

// smartsheetComposer writes events about a set of users.
type smartsheetComposer struct {
	users []User
	kinds [][2]string
}

// record writes one event. A user without a known one is a system user; the source
// address is told of the web application only.
func (c smartsheetComposer) record(rng *rand.Rand, at time.Time) []byte {
	kind := pick(rng, c.kinds...)
	object, action, _ := strings.Cut(kind[0], " ")
	w := &jsonWriter{escapes: pick(rng, escapeLeast, escapeLeast, escapeLower, escapeUpper)}
	u := pick(rng, c.users...)
	source := pick(rng, "WEB_APP", "WEB_APP", "MOBILE_IOS", "MOBILE_ANDROID", "API_INTEGRATED_APP", "API_UNDEFINED_APP", "UNKNOWN")
	details := []string{}
	user := u.ID
	if rng.IntN(8) == 0 {
		user = "3940654876256132" // the automation system
	} else {
		details = append(details, `"emailAddress":`+w.text(u.Login))
	}
	if source == "WEB_APP" && rng.IntN(3) > 0 {
		details = append(details, `"sourceIpAddress":`+w.text(pick(rng, "198.51.100.7", "2001:db8::8a2e:370:7334")))
	}
	if kind[1] != "" {
		details = append(details, kind[1])
	}
	id := strconv.FormatInt(1_000_000_000_000_000+rng.Int64N(8_000_000_000_000_000), 10)
	members := []string{
		"eventId", w.text(newUUID(rng)),
		"objectType", w.text(object), "action", w.text(action), "objectId", id, "objectIdStr", w.text(id),
		"eventTimestamp", w.text(at.UTC().Format("2006-01-02T15:04:05Z")),
		"userId", user, "requestUserId", user,
	}
	if strings.HasPrefix(source, "API") {
		members = append(members, "accessTokenName", w.text(pick(rng, "CI/CD", "Schnittstelle Köln")))
	}
	members = append(members, "source", w.text(source), "additionalDetails", "{"+strings.Join(details, ",")+"}")
	return respace(w.object(members...), pick(rng, 0, 0, 0, 1, 2, 3), rng)
}
