package okta

import (
	"strings"
	"sync"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// Normalize fills e from one event of Okta's System Log.
//
// The log's members: https://developer.okta.com/docs/reference/api/system-log/
// (checked 2026-11-22).
func Normalize(_ string, raw []byte, e *ocsf.Event) error {
	return mapper().Normalize(raw, e)
}

// mapper is the table made ready, once.
var mapper = sync.OnceValue(func() *mapping.Mapper { return mapping.MustNew(table()) })

// Paths that Finish reads, and the functions below name.
const (
	severityPath   = "severity"
	resultPath     = "outcome.result"
	actorTypePath  = "actor.type"
	devicePath     = "client.device"
	latPath        = "client.geographicalContext.geolocation.lat"
	lonPath        = "client.geographicalContext.geolocation.lon"
	signOnModePath = "debugContext.debugData.signOnMode"
	grantedPath    = "debugContext.debugData.privilegeGranted"
	revokedPath    = "debugContext.debugData.privilegeRevoked"
	targetPath     = "target"
)

func table() mapping.Table {
	return mapping.Table{
		Version: "2026-11-23",
		Product: ocsf.Product{Name: "Okta", UID: "okta", Vendor: "Okta"},
		Time:    "published",
		Type:    "eventType",
		Rows:    rows(),
		Read: []string{
			severityPath, resultPath, actorTypePath, devicePath, latPath, lonPath, signOnModePath, grantedPath, revokedPath,
			targetPath + "[].id", targetPath + "[].type", targetPath + "[].alternateId", targetPath + "[].displayName",
		},
		Absent: absent(),
		Rules:  rules(),
		Words:  words(),
		Finish: finish,
	}
}

// absent: who has no name or session is "unknown", and so is the alternateId of
// all that has no login. That is in records that others show and not documented
// (unverified).
func absent() map[string][]string {
	unknown := []string{"unknown"}
	list := map[string][]string{"authenticationContext.externalSessionId": unknown}
	for _, name := range []string{"id", "alternateId", "displayName"} {
		list["actor."+name], list[targetPath+"[]."+name] = unknown, unknown
	}
	return list
}

func rows() []mapping.Row {
	return []mapping.Row{
		{From: "uuid", To: "metadata.uid"},
		{From: "displayMessage", To: "message"},
		{From: "outcome.reason", To: "status_detail"},
		{From: "transaction.id", To: "metadata.correlation_uid"},

		{From: "actor.id", To: "actor.user.uid"},
		{From: "actor.displayName", To: "actor.user.name"},
		{From: "actor.alternateId", To: "actor.user.name"}, // whoever fails to sign in may have no more than what was typed
		{From: "actor.alternateId", To: "actor.user.login"},
		{From: "authenticationContext.externalSessionId", To: "actor.session.uid"},
		{From: "authenticationContext.externalSessionId", To: "session.uid"},
		{From: "authenticationContext.issuer.id", To: "actor.session.issuer"},

		{From: "client.ipAddress", To: "device.ip"},
		{From: "client.ipAddress", To: "src_endpoint.ip"},
		{From: "client.userAgent.os", To: "device.os.agent"},
		{From: "client.userAgent.rawUserAgent", To: "http_request.user_agent"},
		{From: "debugContext.debugData.requestId", To: "http_request.uid"},
		{From: "debugContext.debugData.requestUri", To: "http_request.url.path"},
		{From: "securityContext.domain", To: "src_endpoint.domain"},

		{From: "client.geographicalContext.city", To: "device.location.city"},
		{From: "client.geographicalContext.state", To: "device.location.region"},
		{From: "client.geographicalContext.country", To: "device.location.country"},
		{From: "client.geographicalContext.postalCode", To: "device.location.postal_code"},
		{From: "securityContext.isp", To: "device.location.isp"},
		{From: "client.geographicalContext.city", To: "src_endpoint.location.city"},
		{From: "client.geographicalContext.state", To: "src_endpoint.location.region"},
		{From: "client.geographicalContext.country", To: "src_endpoint.location.country"},
		{From: "client.geographicalContext.postalCode", To: "src_endpoint.location.postal_code"},
		{From: "securityContext.isp", To: "src_endpoint.location.isp"},
	}
}

// finish fills what takes a decision.
func finish(r *mapping.Record, e *ocsf.Event) {
	e.Severity = severity(r.Take(severityPath))
	e.Status = status(r.Take(resultPath))
	if e.Actor.User.UID != "" || e.Actor.User.Name != "" || e.Actor.User.Email != "" {
		e.Actor.User.Type = userType(r.Take(actorTypePath))
	}
	place(r, e)
	switch e.Class {
	case ocsf.Authentication:
		authentication(r, e)
	case ocsf.AccountChange:
		account(r, e)
	case ocsf.UserAccess, ocsf.GroupManagement:
		access(r, e)
	case ocsf.WebResources:
		resources(r, e)
	case ocsf.DetectionFinding:
		e.Finding = ocsf.Finding{Title: e.Message, UID: e.Metadata.UID, Type: e.Metadata.EventCode}
		if e.Finding.Title == "" {
			e.Finding.Title = e.Metadata.EventCode
		}
	}
}

// severity follows the log's own levels, of which WARN is for what an
// administrator should look at.
func severity(s string) ocsf.Choice {
	switch s {
	case "DEBUG", "INFO":
		return ocsf.Pick(ocsf.SeverityInformational)
	case "WARN":
		return ocsf.Pick(ocsf.SeverityMedium)
	case "ERROR":
		return ocsf.Pick(ocsf.SeverityHigh)
	default:
		return ocsf.Vendor(s)
	}
}

// status knows success and failure; that a step was skipped, challenged or put
// off is neither.
func status(s string) ocsf.Choice {
	switch s {
	case "SUCCESS", "ALLOW":
		return ocsf.Pick(ocsf.StatusSuccess)
	case "FAILURE", "DENY":
		return ocsf.Pick(ocsf.StatusFailure)
	case "UNKNOWN":
		return ocsf.Pick(ocsf.StatusUnknown)
	default:
		return ocsf.Vendor(s)
	}
}

func userType(s string) ocsf.Choice {
	switch s {
	case "User", "AppUser":
		return ocsf.Pick(ocsf.UserRegular)
	case "SystemPrincipal":
		return ocsf.Pick(ocsf.UserSystem)
	default:
		return ocsf.Vendor(s)
	}
}

// place fills where the actor was. Neither the type of the device nor the
// coordinates are shown without an address.
func place(r *mapping.Record, e *ocsf.Event) {
	device, source := e.Device.IP != "", e.SrcEndpoint.IP != ""
	if device {
		e.Device.Type = deviceType(r.Take(devicePath))
	}
	if !device && !source {
		return
	}
	point := r.Point(latPath, lonPath)
	if device {
		e.Device.Location.Point = point
	}
	if source {
		e.SrcEndpoint.Location.Point = point
	}
}

// deviceType leaves "Computer" in Okta's words: it is a desktop or a laptop.
func deviceType(s string) ocsf.Choice {
	switch s {
	case "", "Unknown":
		return ocsf.Pick(ocsf.DeviceUnknown)
	case "Mobile":
		return ocsf.Pick(ocsf.DeviceMobile)
	case "Tablet":
		return ocsf.Pick(ocsf.DeviceTablet)
	default:
		return ocsf.Vendor(s)
	}
}

// authentication: whoever signs in is the user, where no target says otherwise;
// the service is the application, or Okta itself.
func authentication(r *mapping.Record, e *ocsf.Event) {
	targetUser(r, e)
	if e.User == (ocsf.User{}) {
		e.User = e.Actor.User
	}
	for _, el := range r.Each(targetPath) {
		if el.Text("type") == "AppInstance" && e.Service == (ocsf.Service{}) {
			e.Service.Name, e.Service.UID = named(el)
		}
	}
	if e.Service == (ocsf.Service{}) {
		e.Service = ocsf.Service{Name: "Okta", UID: "okta"}
	}
	code := e.Metadata.EventCode
	e.AuthProtocol = protocol(r.Text(signOnModePath), code)
	if e.AuthProtocol.ID() != 0 {
		r.Use(signOnModePath)
	}
	if strings.HasSuffix(code, ".auth_via_mfa") || strings.HasPrefix(code, "user.mfa.okta_verify") {
		e.IsMFA = ocsf.True
	}
}

func protocol(mode, code string) ocsf.Choice {
	switch {
	case strings.HasPrefix(mode, "SAML"), strings.HasSuffix(code, "_SAML"):
		return ocsf.Pick(ocsf.AuthSAML)
	case mode == "OPENID_CONNECT", mode == "OpenID Connect", code == "app.oauth2.signon":
		return ocsf.Pick(ocsf.AuthOpenID)
	case strings.HasPrefix(code, "app.oauth2."):
		return ocsf.Pick(ocsf.AuthOAuth2)
	case strings.HasSuffix(code, "_radius"):
		return ocsf.Pick(ocsf.AuthRADIUS)
	case strings.HasPrefix(code, "app.kerberos_"):
		return ocsf.Pick(ocsf.AuthKerberos)
	default:
		return ocsf.Choice{}
	}
}

// account: the user is a target, the account of an application if none else.
// Who changes an account without naming one changes his own.
func account(r *mapping.Record, e *ocsf.Event) {
	targetUser(r, e)
	for _, el := range r.Each(targetPath) {
		if el.Text("type") == "AppUser" && e.User == (ocsf.User{}) {
			e.User = user(el)
		}
	}
	code := e.Metadata.EventCode
	own := strings.HasPrefix(code, "user.account.") || strings.HasPrefix(code, "user.mfa.")
	if e.User == (ocsf.User{}) && own && e.Actor.User.Type == ocsf.Pick(ocsf.UserRegular) {
		e.User = e.Actor.User
	}
}

// access: what the user or the group was given. Where the log does not list
// roles, it is the use of an application.
func access(r *mapping.Record, e *ocsf.Event) {
	targetUser(r, e)
	for _, path := range []string{grantedPath, revokedPath} {
		list := r.Take(path)
		for part := range strings.SplitSeq(list, ",") {
			if part = strings.TrimSpace(part); part != "" {
				e.Privileges = append(e.Privileges, part)
			}
		}
	}
	for _, el := range r.Each(targetPath) {
		switch t := el.Text("type"); {
		case t == "UserGroup" && e.Allows(ocsf.AttrGroup) && e.Group == (ocsf.Group{}):
			what := resource(el)
			e.Group = ocsf.Group{Name: what.Name, UID: what.UID, Type: what.Type}
		case strings.EqualFold(t, "role"):
			e.Privileges = append(e.Privileges, el.Take("displayName"))
		case t == "AppInstance" && e.Resource == (ocsf.Resource{}):
			e.Resource = resource(el)
		}
	}
	if len(e.Privileges) == 0 && e.Resource.Name != "" {
		e.Privileges = append(e.Privileges, e.Resource.Name)
	}
}

// resources: every target, and where there is none, the organization itself.
func resources(r *mapping.Record, e *ocsf.Event) {
	for _, el := range r.Each(targetPath) {
		if what := resource(el); what != (ocsf.Resource{}) {
			e.WebResources = append(e.WebResources, what)
		}
	}
	if len(e.WebResources) == 0 {
		e.WebResources = append(e.WebResources, ocsf.Resource{Name: "Okta", Type: "Organization"})
	}
}

// targetUser makes the first target that is a user the event's.
func targetUser(r *mapping.Record, e *ocsf.Event) {
	for _, el := range r.Each(targetPath) {
		if el.Text("type") == "User" {
			if e.User = user(el); e.User != (ocsf.User{}) {
				return
			}
		}
	}
}

// user returns the target as a user; the zero User if nothing tells which.
func user(el mapping.Element) ocsf.User {
	if el.Text("id") == "" && el.Text("displayName") == "" {
		return ocsf.User{}
	}
	u := ocsf.User{UID: el.Take("id"), Name: el.Take("displayName"), Type: userType(el.Take("type"))}
	u.SetLogin(el.Take("alternateId"))
	return u
}

// resource returns the target as a resource; the zero Resource if nothing tells
// which.
func resource(el mapping.Element) ocsf.Resource {
	var what ocsf.Resource
	if what.Name, what.UID = named(el); what != (ocsf.Resource{}) {
		what.Type = el.Take("type")
	}
	return what
}

// named returns what a target is called.
func named(el mapping.Element) (name, uid string) {
	name, uid = el.Take("displayName"), el.Take("id")
	if name == "" {
		name = el.Take("alternateId")
	}
	return name, uid
}
