package smartsheet

import (
	"slices"
	"strings"
	"sync"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// Normalize fills e from one event of the stream.
//
// The event's members: https://developers.smartsheet.com/api/smartsheet/event-types,
// https://smartsheet.redoc.ly/tag/eventsObjects (checked 2026-11-22).
func Normalize(_ string, raw []byte, e *ocsf.Event) error {
	return mapper().Normalize(raw, e)
}

// mapper is the table made ready, once.
var mapper = sync.OnceValue(func() *mapping.Mapper { return mapping.MustNew(table()) })

// Paths that Finish reads, and the functions below name.
const (
	objectPath = "objectType"
	actionPath = "action"
	idPath     = "objectId"
	idTextPath = "objectIdStr" // since June 2026; objectId is deprecated

	detailsPath  = "additionalDetails."
	memberPath   = detailsPath + "memberUserId"
	inviteePath  = detailsPath + "inviteeEmail"
	scopesPath   = detailsPath + "accessScopes"
	displayPath  = detailsPath + "tokenDisplayValue"
	newAdminPath = detailsPath + "newAdmin"
)

// systemUsers act where nobody did: Smartsheet's own parts, and people who are
// not signed in. https://smartsheet.redoc.ly/tag/eventsDescription (checked 2026-11-22)
func systemUsers() []string {
	return []string{
		"1688855062570884", "2814754969413508", "3377704922834820", "3940654876256132",
		"5066554783098756", "5629504736520068", "6192454689941380", "7881304550205316",
	}
}

// names are the members of the details that hold what the object is called, by
// the object's type; a rename tells the new one.
func names(object string) []string {
	switch object {
	case "ACCESS_TOKEN":
		return []string{detailsPath + "tokenName", detailsPath + "appName"}
	case "ATTACHMENT":
		return []string{detailsPath + "attachmentName", detailsPath + "fileName"}
	case "DASHBOARD", "FOLDER", "FORM", "GROUP", "REPORT", "SHEET", "WORKSPACE":
		return []string{detailsPath + strings.ToLower(object) + "Name", detailsPath + "newName", detailsPath + "name"}
	default:
		return []string{detailsPath + "newName", detailsPath + "name"}
	}
}

func table() mapping.Table {
	t := mapping.Table{
		Version: "2026-11-23",
		Product: ocsf.Product{Name: "Smartsheet", UID: "smartsheet", Vendor: "Smartsheet"},
		Time:    "eventTimestamp",
		// The type of an event is what was done to what: "SHEET - UPDATE".
		Code: func(r *mapping.Record) string { return r.Join(objectPath, " - ", actionPath) },
		Rows: []mapping.Row{
			{From: "eventId", To: "metadata.uid"},
			{From: "userId", To: "actor.user.uid"},
			{From: detailsPath + "emailAddress", To: "actor.user.email_addr"},
			{From: "accessTokenName", To: "actor.invoked_by"},
			{From: detailsPath + "sourceIpAddress", To: "device.ip"},
			{From: detailsPath + "sourceIpAddress", To: "src_endpoint.ip"},
		},
		Read:   []string{"requestUserId", "userId", objectPath, actionPath, idPath, idTextPath, memberPath, inviteePath, scopesPath, displayPath, newAdminPath},
		Rules:  rules(),
		Words:  words(),
		Finish: finish,
	}
	for _, object := range objects() {
		for _, path := range names(object) {
			if !slices.Contains(t.Read, path) {
				t.Read = append(t.Read, path)
			}
		}
	}
	return t
}

// finish fills what takes a decision. The stream tells of what happened, so it
// was a success.
func finish(r *mapping.Record, e *ocsf.Event) {
	e.Status = ocsf.Pick(ocsf.StatusSuccess)
	if uid := e.Actor.User.UID; uid != "" {
		e.Actor.User.Type = ocsf.Pick(ocsf.UserRegular)
		if slices.Contains(systemUsers(), uid) {
			e.Actor.User.Type = ocsf.Pick(ocsf.UserSystem)
		}
		// Whose credential was used is told apart only where it was another's.
		if r.Text("requestUserId") == uid {
			r.Use("requestUserId")
		}
	}
	switch e.Class {
	case ocsf.Authentication:
		e.User, e.Service = self(e), ocsf.Service{Name: "Smartsheet", UID: "smartsheet"}
		for _, path := range []string{idPath, idTextPath} {
			if r.Text(path) == e.User.UID {
				r.Use(path)
			}
		}
	case ocsf.AccountChange:
		e.User = account(r)
	case ocsf.GroupManagement:
		groups(r, e)
	case ocsf.WebResources:
		e.WebResources = append(e.WebResources, resource(r))
	}
}

// self is who did it, as the user to whom it was done.
func self(e *ocsf.Event) ocsf.User {
	if e.Actor.User.UID == "" {
		return ocsf.User{}
	}
	return e.Actor.User
}

// id is the object's identifier, as text where there is one.
func id(r *mapping.Record) string {
	number := r.Take(idPath)
	if text := r.Take(idTextPath); text != "" {
		return text
	}
	return number
}

// account is the user that the event is about, its object.
func account(r *mapping.Record) ocsf.User {
	uid := id(r)
	if uid == "" {
		return ocsf.User{}
	}
	u := ocsf.User{UID: uid, Type: ocsf.Pick(ocsf.UserRegular)}
	if r.Text(newAdminPath) == "true" {
		u.Type = ocsf.Pick(ocsf.UserAdmin)
	}
	if ocsf.ValidEmail(r.Text(inviteePath)) {
		u.Email = r.Take(inviteePath)
	}
	return u
}

// groups: who was added to which group. Of an access token, which AppFabric
// shows so too, the group is the token: what it may do are the privileges.
func groups(r *mapping.Record, e *ocsf.Event) {
	what := resource(r)
	e.Group = ocsf.Group{Name: what.Name, UID: what.UID, Type: what.Type}
	if !strings.HasPrefix(e.Metadata.EventCode, "ACCESS_TOKEN ") {
		if member := r.Take(memberPath); member != "" {
			e.User = ocsf.User{UID: member, Type: ocsf.Pick(ocsf.UserRegular)}
		}
		return
	}
	if e.Group.Name == "" {
		e.Group.Name = r.Take(displayPath)
	}
	e.User = self(e)
	for scope := range strings.SplitSeq(r.Take(scopesPath), ",") {
		if scope = strings.TrimSpace(scope); scope != "" {
			e.Privileges = append(e.Privileges, scope)
		}
	}
}

// resource is the object; where nothing tells which, the account.
func resource(r *mapping.Record) ocsf.Resource {
	object := r.Text(objectPath)
	what := ocsf.Resource{UID: id(r), Type: object}
	for _, path := range names(object) {
		if what.Name == "" {
			what.Name = r.Take(path)
		}
	}
	if what.Name == "" && what.UID == "" {
		return ocsf.Resource{Name: "Smartsheet", Type: "Organization"}
	}
	return what
}
