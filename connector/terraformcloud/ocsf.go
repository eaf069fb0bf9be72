package terraformcloud

import (
	"strings"
	"sync"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// Normalize fills e from one event of HCP Terraform's audit trail.
//
// The trail's members:
// https://developer.hashicorp.com/terraform/cloud-docs/api-docs/audit-trails
// (checked 2026-11-22).
func Normalize(_ string, raw []byte, e *ocsf.Event) error {
	return mapper().Normalize(raw, e)
}

// mapper is the table made ready, once.
var mapper = sync.OnceValue(func() *mapping.Mapper { return mapping.MustNew(table()) })

func table() mapping.Table {
	return mapping.Table{
		Version: "2026-11-23",
		Product: ocsf.Product{Name: "Terraform Cloud", UID: "terraformcloud", Vendor: "HashiCorp"},
		Time:    "timestamp",
		// The trail has no name for a type of event: it is what was done to
		// what, "workspace.create".
		Code: func(r *mapping.Record) string { return r.Join("resource.type", ".", "resource.action") },
		Rows: []mapping.Row{
			{From: "id", To: "metadata.uid"},
			{From: "auth.accessor_id", To: "actor.user.uid"},
			{From: "auth.description", To: "actor.user.name"},
			{From: "auth.organization_id", To: "metadata.tenant_uid"},
			{From: "request.id", To: "http_request.uid"},
		},
		Read:   []string{"auth.type", "resource.type", "resource.action", idPath, userPath, teamPath, permissionsPath},
		Rules:  rules(),
		Words:  map[string]mapping.Verb{"index": mapping.Read, "lock": mapping.Update, "unlock": mapping.Update, "callback": mapping.Update},
		Finish: finish,
	}
}

// Paths that finish reads. What an event has beyond the others is within meta, as
// far as it is said (unverified).
const (
	idPath          = "resource.id"
	userPath        = "resource.meta.user"
	teamPath        = "resource.meta.team"
	permissionsPath = "resource.meta.permissions"
)

// rules: everything is an activity on the resource that the trail names, but
// for members of the organization, whose accounts these are, and for teams.
func rules() []mapping.Rule {
	const assign, revoke, add, remove, update = 1, 2, 3, 4, 3
	list := []mapping.Rule{
		{Type: "organization_user.create", Class: ocsf.AccountChange, Activity: 1},
		{Type: "organization_user.update", Class: ocsf.AccountChange, Activity: ocsf.Other, Name: "Update", Else: 3},
		{Type: "organization_user.destroy", Class: ocsf.AccountChange, Activity: 6},
		{Type: "team.add_member", Class: ocsf.GroupManagement, Activity: add, Else: update},
		{Type: "team.remove_member", Class: ocsf.GroupManagement, Activity: remove, Else: update},
		{Type: "policy_check.process_audit_log_event", Class: ocsf.WebResources, Activity: update},
		{Type: "policy_evaluation.process_audit_log_event", Class: ocsf.WebResources, Activity: update},
	}
	for _, what := range []string{"project", "workspace"} {
		list = append(list,
			mapping.Rule{Type: what + ".add_team", Class: ocsf.GroupManagement, Activity: assign, Else: update},
			mapping.Rule{Type: what + ".update_team_permissions", Class: ocsf.GroupManagement, Activity: assign, Else: update},
			mapping.Rule{Type: what + ".remove_team", Class: ocsf.GroupManagement, Activity: revoke, Else: update})
	}
	return list
}

func finish(r *mapping.Record, e *ocsf.Event) {
	by := r.Text("auth.type")
	switch {
	case e.Actor.User.UID == "" && e.Actor.User.Name == "":
		// The platform itself, which has no account.
		if by != "" && e.Allows(ocsf.AttrActor) {
			e.Actor.InvokedBy = r.Take("auth.type")
		}
	case by == "System":
		e.Actor.User.Type = ocsf.Pick(ocsf.UserSystem)
		r.Use("auth.type")
	case strings.HasPrefix(e.Actor.User.UID, "user-"):
		e.Actor.User.Type = ocsf.Pick(ocsf.UserRegular)
	}
	switch e.Class {
	case ocsf.AccountChange:
		e.User = ocsf.User{UID: r.Take(idPath)}
	case ocsf.GroupManagement:
		group(r, e)
	case ocsf.WebResources:
		what := ocsf.Resource{UID: r.Take(idPath), Type: r.Text("resource.type")}
		if what.UID == "" {
			what.Name = what.Type
		}
		if what.Name == "" && what.UID == "" {
			what.Name = "Terraform Cloud"
		}
		e.WebResources = append(e.WebResources, what)
	}
}

// group: who joined or left a team, or what a team may do with the resource.
func group(r *mapping.Record, e *ocsf.Event) {
	if r.Text("resource.type") == "team" {
		if who := r.Take(userPath); who != "" {
			e.Group = ocsf.Group{UID: r.Take(idPath), Type: r.Text("resource.type")}
			e.User = ocsf.User{Name: who}
		}
		return
	}
	e.Group.Name = r.Take(teamPath)
	if what := r.Take(permissionsPath); what != "" {
		e.Privileges = append(e.Privileges, what)
	}
	if e.Allows(ocsf.AttrResource) {
		e.Resource = ocsf.Resource{UID: r.Take(idPath), Type: r.Text("resource.type")}
	}
}
