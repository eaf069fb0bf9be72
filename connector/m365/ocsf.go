package m365

import (
	"bytes"
	"strings"
	"sync"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// Normalize fills e from one record of either log of Microsoft Entra ID. Of a
// record whose stream is not said, its time tells which it is of.
//
// The members: https://learn.microsoft.com/en-us/graph/api/resources/directoryaudit and
// https://learn.microsoft.com/en-us/graph/api/resources/signin (checked
// 2026-11-22).
func Normalize(stream string, raw []byte, e *ocsf.Event) error {
	if stream == streamSignIn || stream != streamAudits && !bytes.Contains(raw, []byte(`"activityDateTime"`)) {
		return signIns().Normalize(raw, e)
	}
	return audits().Normalize(raw, e)
}

// The tables made ready, once.
var (
	audits  = sync.OnceValue(func() *mapping.Mapper { return mapping.MustNew(auditTable()) })
	signIns = sync.OnceValue(func() *mapping.Mapper { return mapping.MustNew(signInTable()) })
)

const (
	version  = "2026-11-22"
	entraID  = "Microsoft Entra ID"
	activity = "activityDisplayName"
)

func product() ocsf.Product {
	return ocsf.Product{Name: "Microsoft 365", UID: "m365", Vendor: "Microsoft"}
}

// Paths of the audit log that functions read.
const (
	resultPath  = "result"
	appNamePath = "initiatedBy.app.displayName"
	appIDPath   = "initiatedBy.app.servicePrincipalId"
	appPath     = "initiatedBy.app.appId"
	targetPath  = "targetResources"
	detailPath  = "additionalDetails"
	changePath  = "modifiedProperties"
)

func auditTable() mapping.Table {
	return mapping.Table{
		Version: version,
		Product: product(),
		Time:    "activityDateTime",
		Type:    activity,
		Rows: []mapping.Row{
			{From: "id", To: "metadata.uid"},
			{From: "correlationId", To: "metadata.correlation_uid"},
			{From: "resultReason", To: "status_detail"},
			{From: "initiatedBy.user.id", To: "actor.user.uid"},
			{From: "initiatedBy.user.displayName", To: "actor.user.name"},
			{From: "initiatedBy.user.userPrincipalName", To: "actor.user.login"},
			{From: "initiatedBy.user.ipAddress", To: "device.ip"},
			{From: "initiatedBy.user.ipAddress", To: "src_endpoint.ip"},
		},
		Read: []string{
			resultPath, appNamePath, appIDPath, appPath,
			detailPath + "[].key", detailPath + "[].value",
			targetPath + "[].id", targetPath + "[].displayName", targetPath + "[].type", targetPath + "[].userPrincipalName",
			targetPath + "[]." + changePath + "[].displayName",
			targetPath + "[]." + changePath + "[].oldValue", targetPath + "[]." + changePath + "[].newValue",
		},
		Rules:  rules(),
		Words:  words(),
		Finish: finishAudit,
	}
}

func finishAudit(r *mapping.Record, e *ocsf.Event) {
	e.Message = r.Text(activity)
	e.Status = status(r.Take(resultPath))
	actor(r, e)
	for _, el := range r.Each(detailPath) {
		if el.Text("key") == "User-Agent" && e.Allows(ocsf.AttrHTTPRequest) && e.HTTPRequest.UserAgent == "" {
			el.Use("key")
			e.HTTPRequest.UserAgent = el.Take("value")
		}
	}
	switch e.Class {
	case ocsf.AccountChange:
		e.User = targetUser(r)
	case ocsf.UserAccess:
		e.User = targetUser(r)
		privileges(r, e)
	case ocsf.GroupManagement:
		e.User = targetUser(r)
		e.Group = targetGroup(r)
	case ocsf.WebResources:
		resources(r, e)
	}
}

func status(s string) ocsf.Choice {
	switch s {
	case "success":
		return ocsf.Pick(ocsf.StatusSuccess)
	case "failure":
		return ocsf.Pick(ocsf.StatusFailure)
	default:
		return ocsf.Vendor(s)
	}
}

// actor is a user, or an application that did it by itself.
func actor(r *mapping.Record, e *ocsf.Event) {
	if !e.Allows(ocsf.AttrActor) {
		return
	}
	u := &e.Actor.User
	if u.UID != "" || u.Name != "" || u.Email != "" || u.UIDAlt != "" {
		e.Actor.InvokedBy = r.Take(appNamePath)
		return
	}
	u.Name, u.UID = r.Take(appNamePath), r.Take(appIDPath)
	if u.UID == "" {
		u.UID = r.Take(appPath)
	}
	if u.Name != "" || u.UID != "" {
		u.Type = ocsf.Pick(ocsf.UserSystem)
	}
}

// targetUser is the first target that is a user; the zero User if none is.
func targetUser(r *mapping.Record) ocsf.User {
	for _, el := range r.Each(targetPath) {
		id, name, login := el.Text("id"), el.Text("displayName"), el.Text("userPrincipalName")
		if el.Text("type") != "User" || id == "" && name == "" && login == "" {
			continue
		}
		el.Use("type")
		u := ocsf.User{UID: el.Take("id"), Name: el.Take("displayName"), Type: ocsf.Pick(ocsf.UserRegular)}
		u.SetLogin(el.Take("userPrincipalName"))
		return u
	}
	return ocsf.User{}
}

// targetGroup is the target that is a group, or what the changes of another
// target say of one.
func targetGroup(r *mapping.Record) ocsf.Group {
	for _, el := range r.Each(targetPath) {
		if el.Text("type") == "Group" && (el.Text("id") != "" || el.Text("displayName") != "") {
			return ocsf.Group{UID: el.Take("id"), Name: el.Take("displayName"), Type: el.Take("type")}
		}
	}
	return ocsf.Group{UID: changed(r, "Group.ObjectID"), Name: changed(r, "Group.DisplayName")}
}

// privileges is the role, or the application's role, that a user was given.
// Where neither is named, it is the use of what else is a target.
func privileges(r *mapping.Record, e *ocsf.Event) {
	for _, el := range r.Each(targetPath) {
		switch kind := el.Text("type"); {
		case kind == "User":
		case kind == "Role" && el.Text("displayName") != "":
			e.Privileges = append(e.Privileges, el.Take("displayName"))
		case e.Resource == (ocsf.Resource{}) && el.Text("displayName")+el.Text("id") != "":
			e.Resource = resource(el)
		}
	}
	for _, property := range []string{"Role.DisplayName", "AppRole.DisplayName", "AppRole.Value"} {
		if len(e.Privileges) == 0 {
			if name := changed(r, property); name != "" {
				e.Privileges = append(e.Privileges, name)
			}
		}
	}
	if len(e.Privileges) == 0 && e.Resource.Name != "" {
		e.Privileges = append(e.Privileges, e.Resource.Name)
	}
}

// changed is what a property of a target became, or what it was before it
// went. Values are JSON texts within the text.
func changed(r *mapping.Record, property string) string {
	for _, el := range r.Each(targetPath) {
		for _, change := range el.Each(changePath) {
			if change.Text("displayName") != property {
				continue
			}
			for _, side := range []string{"newValue", "oldValue"} {
				if text := strings.Trim(change.Text(side), `"`); text != "" && text != "null" {
					change.Use("displayName")
					change.Use(side)
					return text
				}
			}
		}
	}
	return ""
}

// resources: every target, and where there is none, the directory itself.
func resources(r *mapping.Record, e *ocsf.Event) {
	for _, el := range r.Each(targetPath) {
		if what := resource(el); what != (ocsf.Resource{}) {
			e.WebResources = append(e.WebResources, what)
		}
	}
	if len(e.WebResources) == 0 {
		e.WebResources = append(e.WebResources, ocsf.Resource{Name: entraID, Type: "Directory"})
	}
}

// resource returns the target as a resource; the zero Resource if nothing tells
// which.
func resource(el mapping.Element) ocsf.Resource {
	what := ocsf.Resource{UID: el.Take("id"), Name: el.Take("displayName")}
	if what.Name == "" {
		what.Name = el.Take("userPrincipalName")
	}
	if what != (ocsf.Resource{}) {
		what.Type = el.Take("type")
	}
	return what
}
