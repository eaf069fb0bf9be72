package slack

import (
	"slices"
	"strings"
	"sync"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// Normalize fills e from one entry of Slack's audit log.
//
// The entry's members: https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference,
// https://github.com/slackapi/java-slack-sdk/blob/main/json-logs/samples/audit/v1/logs.json
// (checked 2026-11-22).
func Normalize(_ string, raw []byte, e *ocsf.Event) error {
	return mapper().Normalize(raw, e)
}

// mapper is the table made ready, once.
var mapper = sync.OnceValue(func() *mapping.Mapper { return mapping.MustNew(table()) })

// Paths that Finish reads, and the functions below name.
const (
	actorTypePath  = "actor.type"
	entityTypePath = "entity.type"

	placeTypePath, placeIDPath, placeNamePath = "context.location.type", "context.location.id", "context.location.name"

	targetIDPath, targetPath = "details.target_user_id", "details.target_user"
)

// entities are the types of what an entry is about. Its own members are below
// the type's name.
func entities() []string {
	return []string{
		"user", "workspace", "enterprise", "file", "channel", "app", "workflow", "workflow_v2", "usergroup", "barrier", "message",
		"role", "account_type_role", "canvas", "huddle", "list", "function", "template",
	}
}

func table() mapping.Table {
	t := mapping.Table{
		Version: "2026-11-22",
		Product: ocsf.Product{Name: "Slack", UID: "slack", Vendor: "Slack"},
		Time:    "date_create",
		Clock:   mapping.EpochSeconds,
		Type:    "action",
		Rows:    rows(),
		Read:    []string{actorTypePath, entityTypePath, placeTypePath, placeIDPath, placeNamePath, targetIDPath, targetPath},
		Rules:   rules(),
		Words:   words(),
		Finish:  finish,
	}
	for _, kind := range entities() {
		for _, member := range []string{"id", "name", "title"} {
			t.Read = append(t.Read, "entity."+kind+"."+member)
		}
	}
	t.Read = append(t.Read, "entity.user.email", "entity.message.timestamp")
	return t
}

func rows() []mapping.Row {
	return []mapping.Row{
		{From: "id", To: "metadata.uid"},
		{From: placeIDPath, To: "metadata.tenant_uid"},
		{From: "details.reason", To: "status_detail"},

		{From: "actor.user.id", To: "actor.user.uid"},
		{From: "actor.user.name", To: "actor.user.name"},
		{From: "actor.user.email", To: "actor.user.email_addr"},
		{From: "context.session_id", To: "actor.session.uid"},
		{From: "context.session_id", To: "session.uid"},

		{From: "context.ip_address", To: "device.ip"},
		{From: "context.ip_address", To: "src_endpoint.ip"},
		{From: "context.ua", To: "http_request.user_agent"},
	}
}

// finish fills what takes a decision.
func finish(r *mapping.Record, e *ocsf.Event) {
	e.Status = status(e.Metadata.EventCode)
	if e.Actor.User.UID != "" || e.Actor.User.Name != "" || e.Actor.User.Email != "" {
		e.Actor.User.Type = userType(r.Take(actorTypePath))
	}
	switch e.Class {
	case ocsf.Authentication:
		e.User = affected(r, e)
		e.Service = ocsf.Service{Name: "Slack", UID: "slack"}
	case ocsf.AccountChange:
		e.User = affected(r, e)
	case ocsf.UserAccess:
		access(r, e)
	case ocsf.GroupManagement:
		groups(r, e)
	case ocsf.WebResources:
		resources(r, e)
	case ocsf.DetectionFinding:
		e.Finding = ocsf.Finding{Title: e.Metadata.EventCode, UID: e.Metadata.UID, Type: e.Metadata.EventCode}
	}
}

// status: an entry is of what happened, but for those whose action says that it
// did not.
func status(action string) ocsf.Choice {
	for _, end := range []string{"_failed", "_failure", ".failure", "_blocked"} {
		if strings.HasSuffix(action, end) {
			return ocsf.Pick(ocsf.StatusFailure)
		}
	}
	return ocsf.Pick(ocsf.StatusSuccess)
}

func userType(s string) ocsf.Choice {
	if s == "user" {
		return ocsf.Pick(ocsf.UserRegular)
	}
	return ocsf.Vendor(s)
}

// affected is the user that an entry is about: its entity, or the target that
// its details name, or else who did it.
func affected(r *mapping.Record, e *ocsf.Event) ocsf.User {
	if r.Text(entityTypePath) == "user" {
		if u := user(r); u.UID != "" || u.Name != "" {
			r.Use(entityTypePath)
			return u
		}
	}
	if u := target(r); u.UID != "" {
		return u
	}
	return actor(e)
}

// actor is who did it, as the user to whom it was done.
func actor(e *ocsf.Event) ocsf.User {
	if e.Actor.User.UID == "" && e.Actor.User.Name == "" {
		return ocsf.User{}
	}
	return e.Actor.User
}

func user(r *mapping.Record) ocsf.User {
	if r.Text("entity.user.id") == "" && r.Text("entity.user.name") == "" {
		return ocsf.User{}
	}
	u := ocsf.User{UID: r.Take("entity.user.id"), Name: r.Take("entity.user.name"), Type: ocsf.Pick(ocsf.UserRegular)}
	if ocsf.ValidEmail(r.Text("entity.user.email")) {
		u.Email = r.Take("entity.user.email")
	}
	return u
}

// target is the user whom the details of some entries name.
func target(r *mapping.Record) ocsf.User {
	if id := r.Take(targetIDPath); id != "" {
		return ocsf.User{UID: id}
	}
	return ocsf.User{UID: r.Take(targetPath)}
}

// access: who was given what. Of those who join a channel the entity is the
// channel; a workspace that is joined is the place of the entry; a role is in
// the action's own name, or the entity.
func access(r *mapping.Record, e *ocsf.Event) {
	code := e.Metadata.EventCode
	joins := strings.HasSuffix(code, "_join") || strings.HasSuffix(code, "_leave") || strings.HasSuffix(code, "_joined_workspace")
	switch {
	case r.Text(entityTypePath) == "user":
		e.User = affected(r, e)
	case joins:
		e.User = actor(e)
	default:
		// Whoever gave the role is not the one who has it.
		e.User = target(r)
	}
	if r.Text(entityTypePath) != "user" {
		e.Resource = entity(r)
	} else if strings.HasSuffix(code, "_joined_workspace") {
		e.Resource = ocsf.Resource{Name: r.Take(placeNamePath), UID: r.Text(placeIDPath), Type: r.Take(placeTypePath)}
	}
	if role, ok := strings.CutPrefix(code, "role_change_to_"); ok {
		e.Privileges = append(e.Privileges, role)
	} else if code == "owner_transferred" {
		e.Privileges = append(e.Privileges, "owner")
	}
	if len(e.Privileges) == 0 {
		e.Privileges = append(e.Privileges, named(e.Resource))
	}
}

func named(what ocsf.Resource) string {
	if what.Name != "" {
		return what.Name
	}
	return what.UID
}

// groups: which group, and who or what was added to it.
func groups(r *mapping.Record, e *ocsf.Event) {
	if r.Text(entityTypePath) == "usergroup" {
		what := entity(r)
		e.Group = ocsf.Group{Name: what.Name, UID: what.UID, Type: what.Type}
	}
	e.User = target(r)
}

// resources: the entity, and where there is none that is named, the place of
// the entry, or Slack itself.
func resources(r *mapping.Record, e *ocsf.Event) {
	what := entity(r)
	if what.Name == "" && what.UID == "" {
		what = ocsf.Resource{Name: r.Text(placeNamePath), UID: r.Text(placeIDPath), Type: r.Text(placeTypePath)}
		if what.UID != "" || what.Name != "" {
			r.Use(placeNamePath)
			r.Use(placeTypePath)
		}
	}
	if what.Name == "" && what.UID == "" {
		what = ocsf.Resource{Name: "Slack", Type: "Organization"}
	}
	e.WebResources = append(e.WebResources, what)
}

// entity returns what an entry is about; the zero Resource if nothing tells
// which. A file and a canvas may have a title and no name, a message has
// neither, and is known by its time.
func entity(r *mapping.Record) ocsf.Resource {
	kind := r.Text(entityTypePath)
	if !slices.Contains(entities(), kind) {
		return ocsf.Resource{}
	}
	below := "entity." + kind + "."
	what := ocsf.Resource{UID: r.Take(below + "id"), Name: r.Take(below + "name")}
	if what.Name == "" {
		what.Name = r.Take(below + "title")
	}
	if what.UID == "" && kind == "message" {
		what.UID = r.Take(below + "timestamp")
	}
	if what != (ocsf.Resource{}) {
		what.Type = r.Take(entityTypePath)
	}
	return what
}
