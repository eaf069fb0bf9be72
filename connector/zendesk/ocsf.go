package zendesk

import (
	"strings"
	"sync"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// Normalize fills e from one record of Zendesk's audit log.
//
// The record's members: https://developer.zendesk.com/api-reference/ticketing/account-configuration/audit_logs/
// (checked 2026-11-22).
func Normalize(_ string, raw []byte, e *ocsf.Event) error {
	return mapper().Normalize(raw, e)
}

// mapper is the table made ready, once.
var mapper = sync.OnceValue(func() *mapping.Mapper { return mapping.MustNew(table()) })

const (
	actorIDPath = "actor_id"

	sourceIDPath, sourceTypePath, sourceLabelPath = "source_id", "source_type", "source_label"

	changePath = "change_description"
)

func table() mapping.Table {
	return mapping.Table{
		Version: "2026-11-22",
		Product: ocsf.Product{Name: "Zendesk", UID: "zendesk", Vendor: "Zendesk"},
		Time:    "created_at",
		// The log has no name for a type of event: it is what was done to what,
		// "user_update".
		Code: func(r *mapping.Record) string { return r.Join(sourceTypePath, "_", "action") },
		Rows: []mapping.Row{
			{From: "id", To: "metadata.uid"},
			{From: actorIDPath, To: "actor.user.uid"},
			{From: "actor_name", To: "actor.user.name"},
			{From: "ip_address", To: "device.ip"},
			{From: "ip_address", To: "src_endpoint.ip"},
			{From: changePath, To: "message"},
		},
		Read:   []string{sourceTypePath, "action", sourceIDPath, sourceLabelPath},
		Rules:  rules(),
		Finish: finish,
	}
}

// system is the actor_id of what Zendesk does itself (seen in the field).
const system = "-1"

// finish fills what takes a decision.
func finish(r *mapping.Record, e *ocsf.Event) {
	e.Status = ocsf.Pick(ocsf.StatusSuccess)
	switch {
	case e.Actor.User.UID == "" && e.Actor.User.Name == "":
	case e.Actor.User.UID == system:
		e.Actor.User.Type = ocsf.Pick(ocsf.UserSystem)
	default:
		// An administrator, an agent or somebody else: a user.
		e.Actor.User.Type = ocsf.Pick(ocsf.UserRegular)
	}
	switch e.Class {
	case ocsf.Authentication:
		// The words are seen in the field; another language's are not known.
		if strings.Contains(strings.ToLower(e.Message), "failed") {
			e.Status = ocsf.Pick(ocsf.StatusFailure)
		}
		if e.User = user(r); e.User == (ocsf.User{}) {
			e.User = e.Actor.User
		}
		e.Service = ocsf.Service{Name: "Zendesk", UID: "zendesk"}
	case ocsf.AccountChange:
		e.User = user(r)
	case ocsf.WebResources:
		e.WebResources = append(e.WebResources, resource(r))
	}
}

// user is the source as a user. Its label is a kind and a name, "Team member:
// Ada Okafor", and is kept whole beside the name.
func user(r *mapping.Record) ocsf.User {
	if r.Text(sourceIDPath) == "" && r.Text(sourceLabelPath) == "" {
		return ocsf.User{}
	}
	name := r.Text(sourceLabelPath)
	if _, after, ok := strings.Cut(name, ": "); ok && after != "" {
		name = after
	} else {
		r.Use(sourceLabelPath)
	}
	return ocsf.User{UID: r.Take(sourceIDPath), Name: name, Type: ocsf.Pick(ocsf.UserRegular)}
}

// resource is the source, and where nothing tells which, the account.
func resource(r *mapping.Record) ocsf.Resource {
	what := ocsf.Resource{UID: r.Take(sourceIDPath), Name: r.Take(sourceLabelPath), Type: r.Text(sourceTypePath)}
	if what.UID == "" && what.Name == "" {
		return ocsf.Resource{Name: "Zendesk", Type: "Account"}
	}
	return what
}
