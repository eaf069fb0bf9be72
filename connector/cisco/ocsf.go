package cisco

import (
	"strings"
	"sync"

	"selvedge/connector"
	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// Normalize fills e from one event of Webex: of the two audits, which have the
// same members, or of compliance.
//
// The members:
// https://developer.webex.com/docs/api/v1/admin-audit-events/list-admin-audit-events,
// https://developer.webex.com/docs/api/v1/security-audit-events/list-security-audit-events,
// https://developer.webex.com/docs/api/v1/events/list-events. That there are more
// than these in some events, an outcome and the name of a client among them, is
// what others read: https://github.com/demisto/content/tree/master/Packs/CiscoWebex
// (all checked 2026-11-22).
func Normalize(_ string, raw []byte, e *ocsf.Event) error {
	return mapper().Normalize(raw, e)
}

// shapes: of the two audits, that of security has sign-ins and sign-outs only,
// and says neither the roles of the actor nor what the target is.
func shapes(stream string) []connector.Shape {
	audit, category := connector.Mark{Path: descriptionPath}, connector.Mark{Path: categoryPath}
	switch stream {
	case streamAdmin:
		return []connector.Shape{{audit}, {audit, category, {Path: rolesPath}}, {audit, category, {Path: targetTypePath}}}
	case streamSecurity:
		category.Is = []string{"LOGINS", "LOGOUT"} // the second is unverified
		return []connector.Shape{{audit, category}}
	default:
		return []connector.Shape{{{Path: resourcePath, Is: []string{stream}}}}
	}
}

// mapper is the table made ready, once.
var mapper = sync.OnceValue(func() *mapping.Mapper { return mapping.MustNew(table()) })

// Paths that functions read.
const (
	descriptionPath = "data.eventDescription"
	resourcePath    = "resource"
	typePath        = "type"
	categoryPath    = "data.eventCategory"
	rolesPath       = "data.adminRoles"
	targetTypePath  = "data.targetType"
	targetIDPath    = "data.targetId"
	targetNamePath  = "data.targetName"
	orgNamePath     = "data.actorOrgName"
	clientPath      = "data.actionClientName"
	errorPath       = "data.errorMessage"
	personIDPath    = "data.personId"
	personNamePath  = "data.personDisplayName"
	personMailPath  = "data.personEmail"
)

// statusPaths are where an event may tell its outcome.
func statusPaths() []string {
	return []string{"data.eventStatus", "data.actionStatus", "data.status"}
}

func table() mapping.Table {
	return mapping.Table{
		Version: "2026-11-23",
		Product: ocsf.Product{Name: "Webex", UID: "cisco", Vendor: "Cisco"},
		Time:    "created",
		Code:    code,
		Rows: []mapping.Row{
			{From: "id", To: "metadata.uid"},
			{From: "data.trackingId", To: "metadata.correlation_uid"},
			{From: "actorOrgId", To: "metadata.tenant_uid"},
			{From: "orgId", To: "metadata.tenant_uid"},
			{From: "data.actionText", To: "message"},
			{From: errorPath, To: "status_detail"},
			{From: "data.failedReason", To: "status_detail"},
			{From: "data.errorCode", To: "status_code"},
			{From: "actorId", To: "actor.user.uid"},
			{From: "data.actorName", To: "actor.user.name"},
			{From: "data.actorEmail", To: "actor.user.login"},
			{From: "data.actorIp", To: "device.ip"},
			{From: "data.actorIp", To: "src_endpoint.ip"},
			{From: "data.actorUserAgent", To: "http_request.user_agent"},
			{From: clientPath, To: "service.name"},
		},
		Read: append([]string{
			descriptionPath, resourcePath, typePath, rolesPath + "[]", targetTypePath, targetIDPath, targetNamePath, orgNamePath,
			personIDPath, personNamePath, personMailPath,
		}, statusPaths()...),
		Absent: absent(),
		Rules:  rules(),
		Words:  words(),
		Finish: finish,
	}
}

// absent: an outcome that does not apply is "N/A" (unverified).
func absent() map[string][]string {
	list := map[string][]string{}
	for _, path := range statusPaths() {
		list[path] = []string{"N/A"}
	}
	return list
}

// code is what AppFabric was seen to use: the description in lower case, or
// what became of what, "memberships created".
func code(r *mapping.Record) string {
	if description := r.Text(descriptionPath); description != "" {
		lower := strings.ToLower(description)
		if lower == description {
			r.Use(descriptionPath)
		}
		return lower
	}
	return r.Join(resourcePath, " ", typePath)
}

func finish(r *mapping.Record, e *ocsf.Event) {
	e.Status = status(r)
	if e.Allows(ocsf.AttrActor) && (e.Actor.User.UID != "" || e.Actor.User.Name != "") {
		e.Actor.User.Type = role(r)
	}
	switch e.Class {
	case ocsf.Authentication:
		e.User = e.Actor.User
		if e.Service == (ocsf.Service{}) {
			e.Service.Name = "Webex"
		}
	case ocsf.AccountChange, ocsf.UserAccess:
		e.User = user(r)
	case ocsf.GroupManagement:
		if kind(r) == "GROUP" {
			e.Group = ocsf.Group{UID: r.Take(targetIDPath), Name: r.Take(targetNamePath)}
		}
	case ocsf.WebResources:
		e.WebResources = append(e.WebResources, resource(r))
	}
}

// status: an event with an error has failed; others tell their outcome or not.
func status(r *mapping.Record) ocsf.Choice {
	if r.Text(errorPath) != "" {
		return ocsf.Pick(ocsf.StatusFailure)
	}
	for _, path := range statusPaths() {
		switch text := r.Take(path); strings.ToUpper(text) {
		case "":
		case "SUCCESS", "SUCCEEDED":
			return ocsf.Pick(ocsf.StatusSuccess)
		case "FAILURE", "FAILED", "FAIL":
			return ocsf.Pick(ocsf.StatusFailure)
		default:
			return ocsf.Vendor(text)
		}
	}
	return ocsf.Choice{}
}

// role makes an administrator of whoever has a role beside that of a user. The
// roles themselves stay for unmapped.
func role(r *mapping.Record) ocsf.Choice {
	choice := ocsf.Choice{}
	for _, el := range r.Each(rolesPath) {
		switch name := el.Text(""); {
		case name == "":
		case name != "User":
			return ocsf.Pick(ocsf.UserAdmin)
		default:
			choice = ocsf.Pick(ocsf.UserRegular)
		}
	}
	return choice
}

// kind is the type of the target: "USER", which some events write as
// "TargetResourceType.USER".
func kind(r *mapping.Record) string {
	text := r.Text(targetTypePath)
	return text[strings.LastIndexByte(text, '.')+1:]
}

// user is the member of a space, or the target that is a user.
func user(r *mapping.Record) ocsf.User {
	if r.Text(personIDPath) != "" || r.Text(personNamePath) != "" || r.Text(personMailPath) != "" {
		u := ocsf.User{UID: r.Take(personIDPath), Name: r.Take(personNamePath), Type: ocsf.Pick(ocsf.UserRegular)}
		u.SetLogin(r.Take(personMailPath))
		return u
	}
	if kind(r) != "USER" {
		return ocsf.User{}
	}
	u := ocsf.User{UID: r.Take(targetIDPath), Name: r.Take(targetNamePath)}
	if ocsf.ValidEmail(u.Name) {
		u.Email = u.Name
	}
	if u.UID != "" || u.Name != "" {
		u.Type = ocsf.Pick(ocsf.UserRegular)
		r.Use(targetTypePath)
	}
	return u
}

// resource is the target, else the organization.
func resource(r *mapping.Record) ocsf.Resource {
	what := ocsf.Resource{UID: r.Take(targetIDPath), Name: r.Take(targetNamePath)}
	if what != (ocsf.Resource{}) {
		what.Type = r.Take(targetTypePath)
		return what
	}
	if name := r.Take(orgNamePath); name != "" {
		return ocsf.Resource{Name: name, Type: "Organization"}
	}
	return ocsf.Resource{Name: "Webex", Type: "Organization"}
}
