package asana

import (
	"strings"
	"sync"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// Normalize fills e from one event of Asana's audit log.
//
// The event's members: https://developers.asana.com/docs/audit-log-api,
// https://github.com/Asana/openapi/blob/master/defs/asana_oas.yaml, AuditLogEvent
// (checked 2026-11-22).
func Normalize(_ string, raw []byte, e *ocsf.Event) error {
	return mapper().Normalize(raw, e)
}

// mapper is the table made ready, once.
var mapper = sync.OnceValue(func() *mapping.Mapper { return mapping.MustNew(table()) })

// Paths that Finish reads, and the functions below name.
const (
	actorTypePath = "actor.actor_type"

	resourceTypePath, resourceIDPath = "resource.resource_type", "resource.gid"
	resourceNamePath, emailPath      = "resource.name", "resource.email"

	newValuePath = "details.new_value"
)

func table() mapping.Table {
	return mapping.Table{
		Version: "2026-11-22",
		Product: ocsf.Product{Name: "Asana", UID: "asana", Vendor: "Asana"},
		Time:    "created_at",
		Type:    "event_type",
		Rows: []mapping.Row{
			{From: "gid", To: "metadata.uid"},
			{From: "actor.gid", To: "actor.user.uid"},
			{From: "actor.name", To: "actor.user.name"},
			{From: "actor.email", To: "actor.user.email_addr"},
			{From: "context.oauth_app_name", To: "actor.invoked_by"},
			{From: "context.client_ip_address", To: "device.ip"},
			{From: "context.client_ip_address", To: "src_endpoint.ip"},
			{From: "context.user_agent", To: "http_request.user_agent"},
		},
		Read: append(members(),
			actorTypePath, resourceTypePath, resourceIDPath, resourceNamePath, emailPath, newValuePath),
		Rules:  rules(),
		Words:  words(),
		Finish: finish,
	}
}

// affected lists where the details of an event may name a user. What the
// details of a type are is not documented (unverified).
func affected() []string { return []string{"details.user", "details.member"} }

func members() []string {
	var paths []string
	for _, path := range affected() {
		paths = append(paths, path+".gid", path+".name", path+".email")
	}
	return paths
}

// finish fills what takes a decision.
func finish(r *mapping.Record, e *ocsf.Event) {
	e.Status = ocsf.Pick(ocsf.StatusSuccess)
	if strings.HasSuffix(e.Metadata.EventCode, "_failed") {
		e.Status = ocsf.Pick(ocsf.StatusFailure)
	}
	actor(r, e)
	switch e.Class {
	case ocsf.Authentication:
		if e.User = user(r); e.User == (ocsf.User{}) {
			e.User = e.Actor.User
		}
		e.Service = ocsf.Service{Name: "Asana", UID: "asana"}
	case ocsf.AccountChange:
		e.User = user(r)
	case ocsf.GroupManagement:
		e.User = member(r)
		what := resource(r)
		e.Group = ocsf.Group{Name: what.Name, UID: what.UID, Type: what.Type}
	case ocsf.UserAccess:
		access(r, e)
	case ocsf.WebResources:
		what := resource(r)
		if what == (ocsf.Resource{}) {
			what = ocsf.Resource{Name: "Asana", Type: "Organization"}
		}
		e.WebResources = append(e.WebResources, what)
	}
}

// actor: of others than users only the type is told: "asana" itself, its
// support, somebody without an account.
func actor(r *mapping.Record, e *ocsf.Event) {
	kind := r.Text(actorTypePath)
	switch {
	case e.Actor.User.UID != "" || e.Actor.User.Name != "":
		if kind == "user" {
			e.Actor.User.Type = ocsf.Pick(ocsf.UserRegular)
		} else {
			e.Actor.User.Type = ocsf.Vendor(kind)
		}
		r.Use(actorTypePath)
	case e.Actor.InvokedBy == "" && kind != "" && e.Allows(ocsf.AttrActor):
		e.Actor.InvokedBy = r.Take(actorTypePath)
	}
}

// user is the resource as a user; the zero User if it is none, or nothing
// tells which.
func user(r *mapping.Record) ocsf.User {
	if r.Text(resourceIDPath) == "" && r.Text(resourceNamePath) == "" {
		return ocsf.User{}
	}
	u := ocsf.User{UID: r.Take(resourceIDPath), Name: r.Take(resourceNamePath)}
	if ocsf.ValidEmail(r.Text(emailPath)) {
		u.Email = r.Take(emailPath)
	}
	if r.Text(resourceTypePath) == "user" {
		u.Type = ocsf.Pick(ocsf.UserRegular)
		r.Use(resourceTypePath)
	}
	return u
}

// member is the user whom the details name.
func member(r *mapping.Record) ocsf.User {
	for _, path := range affected() {
		if r.Text(path+".gid") == "" && r.Text(path+".name") == "" {
			continue
		}
		u := ocsf.User{UID: r.Take(path + ".gid"), Name: r.Take(path + ".name"), Type: ocsf.Pick(ocsf.UserRegular)}
		if ocsf.ValidEmail(r.Text(path + ".email")) {
			u.Email = r.Take(path + ".email")
		}
		return u
	}
	return ocsf.User{}
}

// access: a user has a new role, or the use of a project.
func access(r *mapping.Record, e *ocsf.Event) {
	if r.Text(resourceTypePath) == "user" {
		e.User = user(r)
		if role := r.Take(newValuePath); role != "" {
			e.Privileges = append(e.Privileges, role)
		}
		return
	}
	e.User, e.Resource = member(r), resource(r)
	for _, name := range []string{e.Resource.Name, e.Resource.UID} {
		if name != "" && len(e.Privileges) == 0 {
			e.Privileges = append(e.Privileges, name)
		}
	}
}

// resource is the zero Resource if nothing tells which.
func resource(r *mapping.Record) ocsf.Resource {
	what := ocsf.Resource{UID: r.Take(resourceIDPath), Name: r.Take(resourceNamePath)}
	if what != (ocsf.Resource{}) {
		what.Type = r.Take(resourceTypePath)
	}
	return what
}
