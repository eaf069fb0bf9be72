package m365auditlogs

import (
	"net/netip"
	"strings"
	"sync"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// Normalize fills e from one record of the unified audit log, of any content
// type: they have a schema in common, to which each type of record adds.
//
// The members:
// https://learn.microsoft.com/en-us/office/office-365-management-api/office-365-management-activity-api-schema
// (checked 2026-11-22).
func Normalize(_ string, raw []byte, e *ocsf.Event) error {
	return mapper().Normalize(raw, e)
}

// mapper is the table made ready, once.
var mapper = sync.OnceValue(func() *mapping.Mapper { return mapping.MustNew(table()) })

// Paths that functions read.
const (
	operationPath = "Operation"
	workloadPath  = "Workload"
	objectPath    = "ObjectId"
	resultPath    = "ResultStatus"
	errorPath     = "LogonError"
	userTypePath  = "UserType"
	targetPath    = "Target"
	changedPath   = "ModifiedProperties"
	extendedPath  = "ExtendedProperties"
	devicePath    = "DeviceProperties"
	parameterPath = "Parameters"
	memberPath    = "Members"
	policyPath    = "PolicyDetails"
	granteePath   = "TargetUserOrGroupName"
	eventDataPath = "EventData"
	teamPath      = "TeamName"
	teamIDPath    = "TeamGuid"
	severityPath  = "Severity"
)

// addressPaths are where the address of the client may be, some of them with
// a port.
func addressPaths() []string { return []string{"ClientIP", "ClientIPAddress", "ActorIpAddress"} }

func table() mapping.Table {
	return mapping.Table{
		Version: "2026-11-22",
		Product: ocsf.Product{Name: "Microsoft 365", UID: "m365auditlogs", Vendor: "Microsoft"},
		Time:    "CreationTime",
		Clock:   clock,
		Type:    operationPath,
		Rows:    rows(),
		Read:    read(),
		Rules:   rules(),
		Words:   words(),
		Finish:  finish,
	}
}

func rows() []mapping.Row {
	list := []mapping.Row{
		{From: "Id", To: "metadata.uid"},
		{From: "OrganizationId", To: "metadata.tenant_uid"},
		{From: "CorrelationId", To: "metadata.correlation_uid"},
		{From: "InterSystemsId", To: "metadata.correlation_uid"},
		{From: errorPath, To: "status_detail"},
		{From: "ErrorNumber", To: "status_code"},

		{From: "UserKey", To: "actor.user.uid"},
		{From: "UserId", To: "actor.user.name"},
		{From: "UserId", To: "actor.user.email_addr"},
		{From: "SessionId", To: "actor.session.uid"},
		{From: "AppAccessContext.AADSessionId", To: "actor.session.uid"},
		{From: "UserAgent", To: "http_request.user_agent"},
		{From: "ApplicationDisplayName", To: "service.name"},
		{From: "ApplicationId", To: "service.uid"},
	}
	for _, path := range addressPaths() {
		list = append(list, mapping.Row{From: path, To: "device.ip"}, mapping.Row{From: path, To: "src_endpoint.ip"})
	}
	return list
}

func read() []string {
	list := []string{
		workloadPath, objectPath, resultPath, userTypePath, granteePath, eventDataPath, teamPath, teamIDPath, severityPath,
		"SourceFileName", "ListItemUniqueId", "ItemType", "SiteUrl", "ClientInfoString",
		"MailboxOwnerUPN", "MailboxGuid", "Item.Subject", "Item.Id", "ItemName",
		"AlertId", "IncidentId", "Name",
		targetPath + "[].ID", targetPath + "[].Type",
		changedPath + "[].Name", changedPath + "[].NewValue", changedPath + "[].OldValue",
		memberPath + "[].UPN", memberPath + "[].DisplayName",
		policyPath + "[].PolicyName", policyPath + "[].Rules[].Severity",
	}
	for _, path := range []string{extendedPath, devicePath, parameterPath} {
		list = append(list, path+"[].Name", path+"[].Value")
	}
	return list
}

func finish(r *mapping.Record, e *ocsf.Event) {
	status(r, e)
	if e.Allows(ocsf.AttrActor) && (e.Actor.User.UID != "" || e.Actor.User.Name != "") {
		e.Actor.User.Type = userType(r.Text(userTypePath))
		if e.Actor.User.Type.IsSet() {
			r.Use(userTypePath)
		}
	}
	whereabouts(r, e)
	switch e.Class {
	case ocsf.Authentication:
		authentication(r, e)
	case ocsf.AccountChange:
		e.User = user(r)
	case ocsf.UserAccess:
		access(r, e)
	case ocsf.GroupManagement:
		group(r, e)
	case ocsf.DetectionFinding:
		finding(r, e)
	case ocsf.WebResources:
		e.WebResources = append(e.WebResources, resource(r))
	}
}

// status: of a sign-in, that the request succeeded does not mean that somebody
// is signed in.
func status(r *mapping.Record, e *ocsf.Event) {
	result, failed := r.Text(resultPath), r.Text(errorPath) != "" || e.Metadata.EventCode == "UserLoginFailed"
	switch lower := strings.ToLower(result); {
	case lower == "failed", lower == "failure", lower == "false":
		e.Status = ocsf.Pick(ocsf.StatusFailure)
	case failed:
		// What the request came to stays for unmapped.
		e.Status = ocsf.Pick(ocsf.StatusFailure)
		return
	case lower == "succeeded", lower == "success", lower == "true":
		e.Status = ocsf.Pick(ocsf.StatusSuccess)
	default:
		e.Status = ocsf.Vendor(result)
	}
	r.Use(resultPath)
}

// userType is the enumeration UserType.
func userType(s string) ocsf.Choice {
	switch s {
	case "0":
		return ocsf.Pick(ocsf.UserRegular)
	case "2", "3":
		return ocsf.Pick(ocsf.UserAdmin)
	case "4", "5", "6", "7", "8":
		return ocsf.Pick(ocsf.UserSystem)
	case "1":
		return ocsf.Vendor("Reserved")
	case "9":
		return ocsf.Vendor("PartnerTechnician")
	default:
		return ocsf.Choice{}
	}
}

// whereabouts fills where the actor was, and with what.
func whereabouts(r *mapping.Record, e *ocsf.Event) {
	if e.Allows(ocsf.AttrDevice) && e.Device.IP == "" || e.Allows(ocsf.AttrSrcEndpoint) && e.SrcEndpoint.IP == "" {
		for _, path := range addressPaths() {
			if withPort(r, e, path) {
				break
			}
		}
	}
	if e.Allows(ocsf.AttrDevice) {
		e.Device.UID, e.Device.Name = named(r, devicePath, "Id"), named(r, devicePath, "DisplayName")
	}
	if e.Allows(ocsf.AttrDevice) && (e.Device.IP != "" || e.Device.UID != "" || e.Device.Name != "") {
		if os := named(r, devicePath, "OS"); os != "" {
			setOS().Set(e, os)
		}
	}
	if e.Allows(ocsf.AttrHTTPRequest) && e.HTTPRequest.UserAgent == "" {
		if e.HTTPRequest.UserAgent = named(r, extendedPath, "UserAgent"); e.HTTPRequest.UserAgent == "" {
			e.HTTPRequest.UserAgent = r.Take("ClientInfoString")
		}
	}
	if e.Allows(ocsf.AttrActor) && e.Actor.Session.UID == "" {
		e.Actor.Session.UID = named(r, devicePath, "SessionId")
	}
}

// setOS takes an operating system in whatever words.
var setOS = sync.OnceValue(func() ocsf.Setter { return ocsf.Setters()["device.os.agent"] })

// withPort takes an address such as "203.0.113.9:49152" or "[2001:db8::1]:1".
func withPort(r *mapping.Record, e *ocsf.Event, path string) bool {
	at, err := netip.ParseAddrPort(r.Text(path))
	if err != nil {
		return false
	}
	r.Use(path)
	if e.Allows(ocsf.AttrDevice) && e.Device.IP == "" {
		e.Device.IP = at.Addr().String()
	}
	if e.Allows(ocsf.AttrSrcEndpoint) && e.SrcEndpoint.IP == "" {
		e.SrcEndpoint.IP, e.SrcEndpoint.Port = at.Addr().String(), int(at.Port())
	}
	return true
}

// named is the value of a property of a list of names and values; "" where there
// is none.
func named(r *mapping.Record, path, name string) string {
	for _, el := range r.Each(path) {
		if value := el.Text("Value"); el.Text("Name") == name && value != "" {
			el.Use("Name")
			return el.Take("Value")
		}
	}
	return ""
}

// changed is what a property became, or what it was before it went; each may be
// a list of one, as JSON.
func changed(r *mapping.Record, name string) string {
	for _, el := range r.Each(changedPath) {
		if el.Text("Name") != name {
			continue
		}
		for _, side := range []string{"NewValue", "OldValue"} {
			if text := strings.Trim(el.Text(side), "[]\" \r\n\t"); text != "" && text != "null" {
				el.Use("Name")
				el.Use(side)
				return text
			}
		}
	}
	return ""
}

// authentication: whoever signs in is the user; the service is the application,
// or the workload.
func authentication(r *mapping.Record, e *ocsf.Event) {
	e.User = e.Actor.User
	if e.Service == (ocsf.Service{}) {
		e.Service.Name = r.Take(workloadPath)
	}
	if e.Service == (ocsf.Service{}) {
		e.Service.Name = "Microsoft 365"
	}
	e.Session.UID = e.Actor.Session.UID
}

// user is whom a record is about: a member, whom something was shared with, or
// the object of a directory's or an administrator's operation.
func user(r *mapping.Record) ocsf.User {
	var u ocsf.User
	for _, el := range r.Each(memberPath) {
		if el.Text("UPN") != "" {
			return person(el.Take("UPN"), el.Take("DisplayName"))
		}
	}
	if grantee := r.Take(granteePath); grantee != "" {
		return person(grantee, "")
	}
	for _, name := range []string{"Member", "User", "Links"} {
		if member := named(r, parameterPath, name); member != "" {
			return person(member, "")
		}
	}
	if object := r.Take(objectPath); object != "" {
		u = person(object, "")
	}
	for _, el := range r.Each(targetPath) {
		if id, ok := strings.CutPrefix(el.Text("ID"), "User_"); ok && u.UID == "" {
			u.UID = id
			el.Use("ID")
		}
	}
	return u
}

func person(login, name string) ocsf.User {
	if name == "" {
		name = login
	}
	u := ocsf.User{Name: name}
	if u.SetLogin(login) && u.UIDAlt == u.Name {
		u.UIDAlt = "" // it is the name already
	}
	return u
}

// access is the role, or the rights, that a user was given.
func access(r *mapping.Record, e *ocsf.Event) {
	e.User = user(r)
	for _, name := range []string{"Role.DisplayName", "AppRole.DisplayName", "AppRole.Value"} {
		if role := changed(r, name); role != "" && len(e.Privileges) == 0 {
			e.Privileges = append(e.Privileges, role)
		}
	}
	if rights := named(r, parameterPath, "AccessRights"); rights != "" && len(e.Privileges) == 0 {
		e.Privileges = append(e.Privileges, rights)
	}
	if identity := named(r, parameterPath, "Identity"); identity != "" {
		e.Resource = ocsf.Resource{Name: identity}
	}
}

// group is a group of the directory, a team, or one of a site.
func group(r *mapping.Record, e *ocsf.Event) {
	e.User = user(r)
	e.Group = ocsf.Group{Name: changed(r, "Group.DisplayName"), UID: changed(r, "Group.ObjectID")}
	if e.Group == (ocsf.Group{}) {
		e.Group = ocsf.Group{Name: r.Take(teamPath), UID: r.Take(teamIDPath)}
	}
	if e.Group == (ocsf.Group{}) {
		e.Group.Name = named(r, parameterPath, "Identity")
	}
	if e.Group == (ocsf.Group{}) {
		_, rest, _ := strings.Cut(r.Text(eventDataPath), "<Group>")
		if name, _, ok := strings.Cut(rest, "</Group>"); ok && name != "" {
			e.Group.Name = name
		}
	}
}

// finding is an alert, or a rule against the loss of data that was met.
func finding(r *mapping.Record, e *ocsf.Event) {
	f := ocsf.Finding{UID: e.Metadata.UID, Type: e.Metadata.EventCode}
	for _, path := range []string{"IncidentId", "AlertId"} {
		if id := r.Take(path); id != "" {
			f.UID = id
		}
	}
	f.Title = r.Take("Name")
	severity := r.Take(severityPath)
	for _, policy := range r.Each(policyPath) {
		if f.Title == "" {
			f.Title = policy.Take("PolicyName")
		}
		for _, rule := range policy.Each("Rules") {
			if severity == "" {
				severity = rule.Take("Severity")
			}
		}
	}
	if f.Title == "" {
		f.Title = e.Metadata.EventCode
	}
	e.Finding = f
	e.Severity = severityOf(severity)
}

func severityOf(s string) ocsf.Choice {
	switch s {
	case "Informational":
		return ocsf.Pick(ocsf.SeverityInformational)
	case "Low":
		return ocsf.Pick(ocsf.SeverityLow)
	case "Medium":
		return ocsf.Pick(ocsf.SeverityMedium)
	case "High":
		return ocsf.Pick(ocsf.SeverityHigh)
	default:
		return ocsf.Vendor(s)
	}
}

// resource is what was acted upon: a file, an item of a mailbox, a mailbox, a
// team, or whatever the record names; else the workload.
func resource(r *mapping.Record) ocsf.Resource {
	switch {
	case r.Text("SourceFileName") != "":
		return ocsf.Resource{Name: r.Take("SourceFileName"), UID: r.Take("ListItemUniqueId"), Type: r.Take("ItemType"), URL: r.Take(objectPath)}
	case r.Text("Item.Subject") != "" || r.Text("Item.Id") != "":
		return ocsf.Resource{Name: r.Take("Item.Subject"), UID: r.Take("Item.Id"), Type: "Item"}
	case r.Text(objectPath) != "":
		return ocsf.Resource{Name: r.Take(objectPath), UID: r.Take("ListItemUniqueId"), Type: r.Take("ItemType")}
	case r.Text("MailboxOwnerUPN") != "" || r.Text("MailboxGuid") != "":
		return ocsf.Resource{Name: r.Take("MailboxOwnerUPN"), UID: r.Take("MailboxGuid"), Type: "Mailbox"}
	case r.Text(teamPath) != "" || r.Text(teamIDPath) != "":
		return ocsf.Resource{Name: r.Take(teamPath), UID: r.Take(teamIDPath), Type: "Team"}
	case r.Text("ItemName") != "":
		return ocsf.Resource{Name: r.Take("ItemName")}
	case r.Text(workloadPath) != "":
		return ocsf.Resource{Name: r.Take(workloadPath), Type: workloadPath}
	}
	return ocsf.Resource{Name: "Microsoft 365"}
}
