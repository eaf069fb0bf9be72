package google

import (
	"strings"
	"sync"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// Normalize fills e from one activity of any application. An activity may hold
// several events: it is of the type of the first, the others are in `unmapped`.
//
// The activities' members:
// https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities/list#Activity
// (checked 2026-11-22).
func Normalize(_ string, raw []byte, e *ocsf.Event) error {
	return mapper().Normalize(raw, e)
}

// mapper is the table made ready, once.
var mapper = sync.OnceValue(func() *mapping.Mapper { return mapping.MustNew(table()) })

// Paths that Finish and Code read.
const (
	eventsPath      = "events"
	qualifierPath   = "id.uniqueQualifier"
	timePath        = "id.time"
	applicationPath = "id.applicationName"
	callerPath      = "actor.callerType"
	keyPath         = "actor.key"
)

func table() mapping.Table {
	t := mapping.Table{
		Version: "2026-11-23",
		Product: ocsf.Product{Name: "Google Workspace", UID: "google", Vendor: "Google"},
		Time:    timePath,
		Code: func(r *mapping.Record) string {
			if list := r.Each(eventsPath); len(list) > 0 {
				return list[0].Take("name")
			}
			return ""
		},
		Rows: []mapping.Row{
			{From: "id.customerId", To: "metadata.tenant_uid"},
			{From: "actor.profileId", To: "actor.user.uid"},
			{From: "actor.email", To: "actor.user.login"},
			{From: "ipAddress", To: "device.ip"},
			{From: "ipAddress", To: "src_endpoint.ip"},
			{From: "networkInfo.regionCode", To: "device.location.country"},
			{From: "networkInfo.regionCode", To: "src_endpoint.location.country"},
			{From: "networkInfo.subdivisionCode", To: "device.location.region"},
			{From: "networkInfo.subdivisionCode", To: "src_endpoint.location.region"},
		},
		Read:   []string{qualifierPath, applicationPath, callerPath, keyPath, eventsPath + "[].name"},
		Rules:  rules(),
		Words:  words(),
		Finish: finish,
	}
	for _, name := range []string{"name", "value", "boolValue", "intValue"} {
		t.Read = append(t.Read, eventsPath+"[].parameters[]."+name)
	}
	return t
}

// finish fills what takes a decision.
func finish(r *mapping.Record, e *ocsf.Event) {
	if r.Text(qualifierPath) != "" {
		e.Metadata.UID = r.Join(timePath, "/", qualifierPath)
	}
	e.Status = status(e.Metadata.EventCode)
	actor(r, e)
	list := r.Each(eventsPath)
	if len(list) == 0 {
		return
	}
	event := list[0]
	switch e.Class {
	case ocsf.Authentication:
		authentication(r, event, e)
	case ocsf.AccountChange:
		account(event, e)
	case ocsf.UserAccess:
		e.User = user(event)
		privileges(event, e)
	case ocsf.GroupManagement:
		e.Group = ocsf.Group{Name: parameter(event, "GROUP_EMAIL", "group_email", "group_id"), Type: "group"}
		e.User = user(event)
		privileges(event, e)
	case ocsf.WebResources:
		resources(r, event, e)
	case ocsf.DetectionFinding:
		e.Finding = ocsf.Finding{Title: e.Metadata.EventCode, UID: e.Metadata.UID, Type: e.Metadata.EventCode}
	}
}

// status: an activity is of what happened, but for those whose name says that it
// did not.
func status(name string) ocsf.Choice {
	for _, part := range []string{"_failure", "_FAILURE", "FAILED_", "ACCESS_DENY", "_blocked"} {
		if strings.Contains(name, part) {
			return ocsf.Pick(ocsf.StatusFailure)
		}
	}
	return ocsf.Pick(ocsf.StatusSuccess)
}

// actor: a person, or a key of Google's own, which has no account.
func actor(r *mapping.Record, e *ocsf.Event) {
	u := &e.Actor.User
	switch {
	case u.UID != "" || u.Email != "":
		u.Type = ocsf.Pick(ocsf.UserRegular)
		if r.Text(callerPath) == "USER" {
			r.Use(callerPath)
		}
	case e.Allows(ocsf.AttrActor):
		e.Actor.InvokedBy = r.Take(keyPath)
	}
}

// parameter is the value of the first of these parameters that an event has.
func parameter(event mapping.Element, names ...string) string {
	for _, name := range names {
		for _, p := range event.Each("parameters") {
			if p.Text("name") != name {
				continue
			}
			for _, member := range []string{"value", "boolValue", "intValue"} {
				if value := p.Take(member); value != "" {
					p.Use("name")
					return value
				}
			}
		}
	}
	return ""
}

// user is whom an event names beside the actor; the zero User if it names nobody.
func user(event mapping.Element) ocsf.User {
	who := parameter(event, "USER_EMAIL", "user_email", "affected_email_address", "member_id", "target_user", "email_address")
	if who == "" {
		return ocsf.User{}
	}
	u := ocsf.User{Type: ocsf.Pick(ocsf.UserRegular)}
	if ocsf.ValidEmail(who) {
		u.Email = who
	} else {
		u.Name = who
	}
	return u
}

// authentication: whoever signs in is the user; the service is the application
// behind SAML, or Google itself.
func authentication(r *mapping.Record, event mapping.Element, e *ocsf.Event) {
	if e.User = user(event); e.User == (ocsf.User{}) {
		e.User = e.Actor.User
	}
	e.Service = ocsf.Service{Name: parameter(event, "application_name")}
	if e.Service.Name == "" {
		e.Service = ocsf.Service{Name: "Google", UID: "google"}
	}
	e.StatusDetail = parameter(event, "login_failure_type", "failure_type")
	if says(event, "login_type", "value", "saml") || r.Text(applicationPath) == "saml" {
		e.AuthProtocol = ocsf.Pick(ocsf.AuthSAML)
	}
	if says(event, "is_second_factor", "boolValue", "true") || e.Metadata.EventCode == "login_verification" {
		e.IsMFA = ocsf.True
	}
}

// says tells whether an event has a parameter with this value, and uses it if so:
// any other value stays for `unmapped`.
func says(event mapping.Element, name, member, value string) bool {
	for _, p := range event.Each("parameters") {
		if p.Text("name") == name && p.Text(member) == value {
			p.Use("name")
			p.Use(member)
			return true
		}
	}
	return false
}

// account: who changes an account without naming one changes his own.
func account(event mapping.Element, e *ocsf.Event) {
	e.User = user(event)
	if own := strings.ToLower(e.Metadata.EventCode) == e.Metadata.EventCode; e.User == (ocsf.User{}) && own {
		e.User = e.Actor.User
	}
}

// privileges: the roles and privileges that an event names.
func privileges(event mapping.Element, e *ocsf.Event) {
	for _, name := range []string{"ROLE_NAME", "PRIVILEGE_NAME", "member_role"} {
		if p := parameter(event, name); p != "" {
			e.Privileges = append(e.Privileges, p)
		}
	}
	if len(e.Privileges) == 0 && e.Class == ocsf.UserAccess {
		// GRANT_ADMIN_PRIVILEGE and its like name the privilege themselves.
		if _, what, ok := strings.Cut(e.Metadata.EventCode, "_"); ok {
			e.Privileges = append(e.Privileges, what)
		}
	}
}

// thing is how an application names what its events are about: the parameters of
// its identifier, its name and its type.
type thing struct{ uid, name, kind, is string }

// things are tried in this order: the narrower before the wider.
func things() []thing {
	return []thing{
		{"doc_id", "doc_title", "doc_type", "document"}, {"event_id", "event_title", "", "event"}, {"client_id", "app_name", "", "OAuth app"},
		{"calendar_id", "", "", "calendar"}, {"message_id", "", "", "message"}, {"room_id", "room_name", "", "space"},
		{"conference_id", "meeting_code", "", "meeting"}, {"ASSET_ID", "ASSET_NAME", "ASSET_TYPE", "asset"}, {"resource_id", "resource_title", "resource_type", "resource"},
		{"course_id", "course_title", "", "course"}, {"matter_id", "matter_name", "", "matter"}, {"note_name", "", "", "note"},
		{"rule_resource_name", "rule_name", "", "rule"}, {"DEVICE_ID", "DEVICE_MODEL", "DEVICE_TYPE", "device"},
		{"", "GROUP_EMAIL", "", "group"}, {"", "group_email", "", "group"}, {"", "group_id", "", "group"}, {"", "USER_EMAIL", "", "user"}, {"", "SETTING_NAME", "", "setting"},
		{"", "ROLE_NAME", "", "role"}, {"", "RULE_NAME", "", "rule"}, {"", "APPLICATION_NAME", "", "application"}, {"", "application_name", "", "application"},
		{"", "ORG_UNIT_NAME", "", "organizational unit"}, {"", "DOMAIN_NAME", "", "domain"},
	}
}

// resources: what the parameters name first, and the application where they name
// nothing.
func resources(r *mapping.Record, event mapping.Element, e *ocsf.Event) {
	for _, t := range things() {
		what := ocsf.Resource{Type: t.is}
		if t.uid != "" {
			what.UID = parameter(event, t.uid)
		}
		if t.name != "" {
			what.Name = parameter(event, t.name)
		}
		if what.UID == "" && what.Name == "" {
			continue
		}
		if t.kind != "" {
			if kind := parameter(event, t.kind); kind != "" {
				what.Type = kind
			}
		}
		e.WebResources = append(e.WebResources, what)
		return
	}
	name := r.Take(applicationPath)
	if name == "" {
		name = "Google Workspace"
	}
	e.WebResources = append(e.WebResources, ocsf.Resource{Name: name, Type: "application"})
}
