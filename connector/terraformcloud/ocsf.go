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
		Version: "2026-11-22",
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
		Read:   []string{"auth.type", "resource.type", "resource.action", "resource.id"},
		Rules:  rules(),
		Words:  map[string]mapping.Verb{"index": mapping.Read, "lock": mapping.Update, "unlock": mapping.Update},
		Finish: finish,
	}
}

// rules: everything is an activity on the resource that the trail names, but
// for members of the organization, whose accounts these are.
func rules() []mapping.Rule {
	return []mapping.Rule{
		{Type: "organization_user.create", Class: ocsf.AccountChange, Activity: 1},
		{Type: "organization_user.update", Class: ocsf.AccountChange, Activity: ocsf.Other, Name: "Update", Else: 3},
		{Type: "organization_user.destroy", Class: ocsf.AccountChange, Activity: 6},
		// The trail names the team, not the member.
		{Type: "team.add_member", Class: ocsf.WebResources, Activity: 3},
		{Type: "team.remove_member", Class: ocsf.WebResources, Activity: 3},
		{Type: "project.add_team", Class: ocsf.WebResources, Activity: 3},
	}
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
		e.User = ocsf.User{UID: r.Take("resource.id")}
	case ocsf.WebResources:
		what := ocsf.Resource{UID: r.Take("resource.id"), Type: r.Text("resource.type")}
		if what.UID == "" {
			what.Name = what.Type
		}
		if what.Name == "" && what.UID == "" {
			what.Name = "Terraform Cloud"
		}
		e.WebResources = append(e.WebResources, what)
	}
}
