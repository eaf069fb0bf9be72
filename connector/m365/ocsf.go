package m365

import (
	"sync"

	"selvedge/connector"
	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// Normalize fills e from one record of either log of Microsoft Entra ID.
//
// The members: https://learn.microsoft.com/en-us/graph/api/resources/directoryaudit and
// https://learn.microsoft.com/en-us/graph/api/resources/signin (checked
// 2026-11-22).
func Normalize(stream string, raw []byte, e *ocsf.Event) error {
	if stream == streamSignIn {
		return signIns().Normalize(raw, e)
	}
	return audits().Normalize(raw, e)
}

// shapes: the logs have other names for the time, and for who it was.
func shapes(stream string) []connector.Shape {
	if stream == streamSignIn {
		return []connector.Shape{{{Path: signInTime}}, {{Path: "userPrincipalName"}}}
	}
	return []connector.Shape{{{Path: auditTime}}, {{Path: activity}}}
}

// The tables made ready, once.
var (
	audits  = sync.OnceValue(func() *mapping.Mapper { return mapping.MustNew(auditTable()) })
	signIns = sync.OnceValue(func() *mapping.Mapper { return mapping.MustNew(signInTable()) })
)

const (
	version  = "2026-11-23"
	entraID  = "Microsoft Entra ID"
	activity = "activityDisplayName"

	auditTime  = "activityDateTime"
	signInTime = "createdDateTime"
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
		Time:    auditTime,
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
		// A target that is nothing of the directory is "N/A" (unverified).
		Absent:    map[string][]string{targetPath + "[].displayName": {"N/A"}, targetPath + "[].type": {"N/A"}},
		Choices:   map[string]map[string]ocsf.Choice{resultPath: {"success": ocsf.Pick(ocsf.StatusSuccess), "failure": ocsf.Pick(ocsf.StatusFailure)}},
		Rules:     rules(),
		Words:     words(),
		VerbFirst: true,
		Finish:    finishAudit,
	}
}

func finishAudit(r *mapping.Record, e *ocsf.Event) {
	e.Message = r.Text(activity)
	e.Status = r.Choose(resultPath)
	actor(r, e)
	if e.Allows(ocsf.AttrHTTPRequest) {
		e.HTTPRequest.UserAgent = r.Pair(details(), "User-Agent")
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
	if *u = r.User(ocsf.User{UID: appIDPath + "|" + appPath, Name: appNamePath}); *u != (ocsf.User{}) {
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
	return ocsf.Group{UID: r.Pair(changes(), "Group.ObjectID"), Name: r.Pair(changes(), "Group.DisplayName")}
}

// privileges is the role, or the application's role, that a user was given.
// Where neither is named, it is the use of what else is a target.
func privileges(r *mapping.Record, e *ocsf.Event) {
	for _, el := range r.Each(targetPath) {
		switch kind := el.Text("type"); {
		case kind == "User":
		case kind == "Role" && el.Text("displayName") != "":
			e.Privileges = append(e.Privileges, el.Take("displayName"))
		case e.Resource == (ocsf.Resource{}):
			e.Resource = el.Resource(target())
		}
	}
	if len(e.Privileges) == 0 {
		if name := r.Pair(changes(), "Role.DisplayName", "AppRole.DisplayName", "AppRole.Value"); name != "" {
			e.Privileges = append(e.Privileges, name)
		}
	}
	if len(e.Privileges) == 0 && e.Resource.Name != "" {
		e.Privileges = append(e.Privileges, e.Resource.Name)
	}
}

// details are what an activity adds of its own.
func details() mapping.Pairs {
	return mapping.Pairs{List: detailPath, Name: "key", Values: "value"}
}

// changes are what properties of the targets became, or what they were before
// they went. Values are JSON texts within the text.
func changes() mapping.Pairs {
	return mapping.Pairs{List: targetPath + "[]." + changePath, Name: "displayName", Values: "newValue|oldValue", Trim: `"`}
}

// resources: every target, and where there is none, the directory itself.
func resources(r *mapping.Record, e *ocsf.Event) {
	for _, el := range r.Each(targetPath) {
		if what := el.Resource(target()); what != (ocsf.Resource{}) {
			e.WebResources = append(e.WebResources, what)
		}
	}
	if len(e.WebResources) == 0 {
		e.WebResources = append(e.WebResources, ocsf.Resource{Name: entraID, Type: "Directory"})
	}
}

// target returns where the members of a target stand.
func target() ocsf.Resource {
	return ocsf.Resource{UID: "id", Name: "displayName|userPrincipalName", Type: "type"}
}
