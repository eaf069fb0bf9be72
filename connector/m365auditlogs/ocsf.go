package m365auditlogs

import (
	"cmp"
	"strings"
	"sync"

	"selvedge/connector"
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

// shapes, by stream: the workload tells the content type, but for what was found of
// the loss of data, wherever that was. All else is of the general type.
func shapes() map[string][]connector.Shape {
	operation := connector.Mark{Path: operationPath}
	of := func(workloads ...string) []connector.Shape {
		load := connector.Mark{Path: workloadPath, Is: workloads}
		return []connector.Shape{{load}, {load, operation}}
	}
	found := connector.Mark{Path: operationPath, Is: []string{"DlpRuleMatch", "DlpRuleUndo", "DlpInfo"}}
	record := connector.Mark{Path: "RecordType"}
	return map[string][]connector.Shape{
		streamDirectory: of("AzureActiveDirectory"), streamExchange: of("Exchange"), streamSharePoint: of("SharePoint", "OneDrive"),
		streamGeneral: {{operation}}, streamDLP: {{found}, {found, record}, {found, record, {Path: workloadPath}}},
	}
}

// mapper is the table made ready, once.
var mapper = sync.OnceValue(func() *mapping.Mapper { return mapping.MustNew(table()) })

// Paths that functions read.
const (
	operationPath = "Operation"
	microsoft     = "Microsoft 365"
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
		Version: "2026-11-23",
		Product: ocsf.Product{Name: microsoft, UID: "m365auditlogs", Vendor: "Microsoft"},
		Time:    "CreationTime",
		Clock:   clock,
		Type:    operationPath,
		Rows:    rows(),
		Read:    read(),
		Absent:  absent(),
		Choices: choices(),
		Rules:   rules(),
		Words:   words(),
		Finish:  finish,
	}
}

// absent: of who could not be found out there is a word instead of a name or an
// object (https://www.michev.info/blog/post/2151/login-events-in-the-office-365-audit-log-for-the-unknown-principal,
// https://github.com/elastic/detection-rules/issues/2278, checked 2026-11-23;
// "Not Available" is in records that others show and not documented).
func absent() map[string][]string {
	nobody := []string{"Not Available", "Unknown", "N/A"}
	return map[string][]string{
		"UserId": nobody, "UserKey": nobody, objectPath: nobody, granteePath: nobody, targetPath + "[].ID": nobody,
		memberPath + "[].UPN": nobody, memberPath + "[].DisplayName": nobody, "MailboxOwnerUPN": nobody, "ApplicationDisplayName": nobody,
	}
}

// choices: UserType is an enumeration of numbers.
func choices() map[string]map[string]ocsf.Choice {
	admin, system := ocsf.Pick(ocsf.UserAdmin), ocsf.Pick(ocsf.UserSystem)
	severities := map[string]ocsf.Choice{
		"Informational": ocsf.Pick(ocsf.SeverityInformational), "Low": ocsf.Pick(ocsf.SeverityLow),
		"Medium": ocsf.Pick(ocsf.SeverityMedium), "High": ocsf.Pick(ocsf.SeverityHigh),
	}
	return map[string]map[string]ocsf.Choice{
		userTypePath: {
			"0": ocsf.Pick(ocsf.UserRegular), "1": ocsf.Vendor("Reserved"), "2": admin, "3": admin,
			"4": system, "5": system, "6": system, "7": system, "8": system, "9": ocsf.Vendor("PartnerTechnician"),
		},
		severityPath: severities, policyPath + "[].Rules[]." + severityPath: severities,
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
		"SourceFileName", "ListItemUniqueId", "ItemType", "ClientInfoString",
		"MailboxOwnerUPN", "MailboxGuid", "Item.Subject", "Item.Id", "ItemName",
		"AlertId", "IncidentId", "Name",
		targetPath + "[].ID",
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
		e.Actor.User.Type = r.Pick(userTypePath)
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
		what := r.Resource(things()...)
		if what == (ocsf.Resource{}) {
			what.Name = microsoft
		}
		e.WebResources = append(e.WebResources, what)
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

// whereabouts fills where the actor was, and with what.
func whereabouts(r *mapping.Record, e *ocsf.Event) {
	if e.Allows(ocsf.AttrDevice) {
		e.Device.UID, e.Device.Name = r.Pair(pairs(devicePath), "Id"), r.Pair(pairs(devicePath), "DisplayName")
	}
	if e.Allows(ocsf.AttrDevice) && (e.Device.IP != "" || e.Device.UID != "" || e.Device.Name != "") {
		if os := r.Pair(pairs(devicePath), "OS"); os != "" {
			setOS().Set(e, os)
		}
	}
	if e.Allows(ocsf.AttrHTTPRequest) && e.HTTPRequest.UserAgent == "" {
		if e.HTTPRequest.UserAgent = r.Pair(pairs(extendedPath), "UserAgent"); e.HTTPRequest.UserAgent == "" {
			e.HTTPRequest.UserAgent = r.Take("ClientInfoString")
		}
	}
	if e.Allows(ocsf.AttrActor) && e.Actor.Session.UID == "" {
		e.Actor.Session.UID = r.Pair(pairs(devicePath), "SessionId")
	}
}

// setOS takes an operating system in whatever words.
var setOS = sync.OnceValue(func() ocsf.Setter { return ocsf.Setters()["device.os.agent"] })

// pairs is a list of names and values.
func pairs(list string) mapping.Pairs {
	return mapping.Pairs{List: list, Name: "Name", Values: "Value"}
}

// changes are what properties became, or what they were before they went; each may
// be a list of one, as JSON.
func changes() mapping.Pairs {
	return mapping.Pairs{List: changedPath, Name: "Name", Values: "NewValue|OldValue", Trim: "[]\" \r\n\t"}
}

// authentication: whoever signs in is the user; the service is the application,
// or the workload.
func authentication(r *mapping.Record, e *ocsf.Event) {
	e.User = e.Actor.User
	if e.Service == (ocsf.Service{}) {
		e.Service.Name = cmp.Or(r.Take(workloadPath), microsoft)
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
	if member := r.Pair(pairs(parameterPath), "Member", "User", "Links"); member != "" {
		return person(member, "")
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
	if role := r.Pair(changes(), "Role.DisplayName", "AppRole.DisplayName", "AppRole.Value"); role != "" {
		e.Privileges = append(e.Privileges, role)
	}
	if rights := r.Pair(pairs(parameterPath), "AccessRights"); rights != "" && len(e.Privileges) == 0 {
		e.Privileges = append(e.Privileges, rights)
	}
	e.Resource.Name = r.Pair(pairs(parameterPath), "Identity")
}

// group is a group of the directory, a team, or one of a site.
func group(r *mapping.Record, e *ocsf.Event) {
	e.User = user(r)
	e.Group = ocsf.Group{Name: r.Pair(changes(), "Group.DisplayName"), UID: r.Pair(changes(), "Group.ObjectID")}
	if e.Group == (ocsf.Group{}) {
		e.Group = ocsf.Group{Name: r.Take(teamPath), UID: r.Take(teamIDPath)}
	}
	if e.Group == (ocsf.Group{}) {
		e.Group.Name = r.Pair(pairs(parameterPath), "Identity")
	}
	if e.Group == (ocsf.Group{}) {
		_, rest, _ := strings.Cut(r.Text(eventDataPath), "<Group>")
		if name, _, ok := strings.Cut(rest, "</Group>"); ok {
			e.Group.Name = name
		}
	}
}

// finding is an alert, or a rule against the loss of data that was met.
func finding(r *mapping.Record, e *ocsf.Event) {
	f := ocsf.Finding{Title: r.Take("Name"), Type: e.Metadata.EventCode}
	f.UID = cmp.Or(r.First("AlertId|IncidentId"), e.Metadata.UID)
	e.Severity = r.Choose(severityPath)
	for _, policy := range r.Each(policyPath) {
		if f.Title == "" {
			f.Title = policy.Take("PolicyName")
		}
		for _, rule := range policy.Each("Rules") {
			if !e.Severity.IsSet() {
				e.Severity = rule.Choose(severityPath)
			}
		}
	}
	f.Title = cmp.Or(f.Title, e.Metadata.EventCode)
	e.Finding = f
}

// things is what may have been acted upon: an item of a mailbox, a file or another
// object, a mailbox, a team, or whatever the record names; else the workload.
func things() []ocsf.Resource {
	return []ocsf.Resource{
		{Name: "Item.Subject", UID: "Item.Id", Type: "=Item"},
		{Name: "SourceFileName|" + objectPath, UID: "ListItemUniqueId", Type: "ItemType", URL: objectPath},
		{Name: "MailboxOwnerUPN", UID: "MailboxGuid", Type: "=Mailbox"},
		{Name: teamPath, UID: teamIDPath, Type: "=Team"},
		{Name: "ItemName"},
		{Name: workloadPath, Type: "=" + workloadPath},
	}
}
