package jira

import (
	"strings"
	"sync"
	"time"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// Normalize fills e from one audit record.
//
// The records' members:
// https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-audit-records/
// (checked 2026-11-22).
func Normalize(_ string, raw []byte, e *ocsf.Event) error {
	return mapper().Normalize(raw, e)
}

// mapper is the table made ready, once.
var mapper = sync.OnceValue(func() *mapping.Mapper { return mapping.MustNew(table()) })

// Paths that Finish reads.
const (
	objectPath     = "objectItem"
	associatedPath = "associatedItems"
	changesPath    = "changedValues"
)

// The types of items that a record names, and what else the names below mean.
const (
	userItem  = "USER"
	groupItem = "GROUP"
	roleItem  = "PROJECT_ROLE"
)

func table() mapping.Table {
	t := mapping.Table{
		Version: "2026-11-22",
		Product: ocsf.Product{Name: "Jira", UID: "jira", Vendor: "Atlassian"},
		Time:    "created",
		Clock: func(s string) (time.Time, bool) {
			at := parseTime(s)
			return at, !at.IsZero()
		},
		// There is no name for a type of record but its summary.
		Type: "summary",
		Rows: []mapping.Row{
			{From: "id", To: "metadata.uid"},
			{From: "description", To: "message"},
			{From: "authorAccountId", To: "actor.user.uid"},
			{From: "authorKey", To: "actor.user.uid_alt"},
			{From: "remoteAddress", To: "device.ip"},
			{From: "remoteAddress", To: "src_endpoint.ip"},
		},
		Rules:  rules(),
		Words:  words(),
		Finish: finish,
	}
	for _, name := range []string{"id", "name", "typeName"} {
		t.Read = append(t.Read, objectPath+"."+name, associatedPath+"[]."+name)
	}
	for _, name := range []string{"fieldName", "changedFrom", "changedTo"} {
		t.Read = append(t.Read, changesPath+"[]."+name)
	}
	return t
}

// finish fills what takes a decision. A record is of what was done: what fails is
// not recorded.
func finish(r *mapping.Record, e *ocsf.Event) {
	e.Status = ocsf.Pick(ocsf.StatusSuccess)
	if e.Message == "" {
		e.Message = e.Metadata.EventCode
	}
	if e.Actor.User.UID != "" {
		e.Actor.User.Type = ocsf.Pick(ocsf.UserRegular)
	}
	list := items(r)
	switch e.Class {
	case ocsf.AccountChange:
		e.User = user(list)
	case ocsf.GroupManagement:
		groups(r, list, e)
	case ocsf.WebResources:
		resources(list, e)
	}
}

// item is what a record is about: its object, or something associated with it.
type item struct {
	id, name, kind string

	r  *mapping.Record
	el *mapping.Element // nil: the object
}

// items returns the object and what is associated with it, as far as they tell
// what they are.
func items(r *mapping.Record) []item {
	var list []item
	object := item{id: r.Text(objectPath + ".id"), name: r.Text(objectPath + ".name"), kind: r.Text(objectPath + ".typeName"), r: r}
	if object.id != "" || object.name != "" {
		list = append(list, object)
	}
	for _, el := range r.Each(associatedPath) {
		it := item{id: el.Text("id"), name: el.Text("name"), kind: el.Text("typeName"), r: r, el: &el}
		if it.id != "" || it.name != "" {
			list = append(list, it)
		}
	}
	return list
}

// use marks the members of the item as used: they are in the event.
func (it item) use() {
	for _, name := range []string{"id", "name", "typeName"} {
		if it.el != nil {
			it.el.Use(name)
		} else {
			it.r.Use(objectPath + "." + name)
		}
	}
}

// find returns the first item of one of the types.
func find(list []item, kinds ...string) (item, bool) {
	for _, kind := range kinds {
		for _, it := range list {
			if it.kind == kind {
				return it, true
			}
		}
	}
	return item{}, false
}

// user returns the user among the items; the zero User if there is none. The
// name of a user is as often as not the account id again.
func user(list []item) ocsf.User {
	it, ok := find(list, userItem)
	if !ok {
		return ocsf.User{}
	}
	it.use()
	u := ocsf.User{UID: it.id, Type: ocsf.Pick(ocsf.UserRegular)}
	if it.name != it.id {
		u.Name = it.name
	}
	return u
}

// groups: a group or the role of a project, who joined or left it, or what it may.
func groups(r *mapping.Record, list []item, e *ocsf.Event) {
	if it, ok := find(list, groupItem, roleItem); ok {
		it.use()
		e.Group = ocsf.Group{Name: it.name, UID: it.id, Type: it.kind}
	} else if it, ok := find(list, "PROJECT"); ok && e.Metadata.EventCode == rolesChanged {
		it.use()
		e.Group = ocsf.Group{Name: it.name, UID: it.id, Type: it.kind}
	}
	e.User = user(list)
	gained, lost := changes(r, e)
	if e.Metadata.EventCode == rolesChanged {
		// AppFabric was seen to take a change of roles for a revocation; one
		// by which somebody only gains a role is none.
		if gained && !lost {
			e.Activity = assignPrivileges
		}
		if len(e.Privileges) == 0 && e.Group.Name != "" {
			e.Privileges = append(e.Privileges, e.Group.Name)
		}
	}
}

// changes reads the permissions among the changed values, and tells whether
// something was there only after the change, or only before it.
func changes(r *mapping.Record, e *ocsf.Event) (gained, lost bool) {
	for _, el := range r.Each(changesPath) {
		from, to := el.Text("changedFrom"), el.Text("changedTo")
		gained = gained || len(to) > len(from)
		lost = lost || len(to) < len(from)
		if !strings.EqualFold(el.Text("fieldName"), "Permission") {
			continue
		}
		el.Use("fieldName")
		if to = el.Take("changedTo"); to == "" {
			to = el.Take("changedFrom")
		}
		if to != "" {
			e.Privileges = append(e.Privileges, to)
		}
	}
	return gained, lost
}

// resources: every item, and where there is none, the site itself.
func resources(list []item, e *ocsf.Event) {
	for _, it := range list {
		it.use()
		e.WebResources = append(e.WebResources, ocsf.Resource{Name: it.name, UID: it.id, Type: it.kind})
	}
	if len(e.WebResources) == 0 {
		e.WebResources = append(e.WebResources, ocsf.Resource{Name: "Jira", Type: "Site"})
	}
}
