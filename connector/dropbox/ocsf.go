package dropbox

import (
	"strings"
	"sync"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// Normalize fills e from one event of a team's log.
//
// The event's members: https://github.com/dropbox/dropbox-api-spec/blob/main/team_log.stone
// (TeamEvent; checked 2026-11-22). A union is an object whose member .tag says
// which it is; the members of a structure stand beside the tag, unless the
// structure has kinds of its own: then they stand below the tag's name.
func Normalize(_ string, raw []byte, e *ocsf.Event) error {
	return mapper().Normalize(raw, e)
}

// mapper is the table made ready, once.
var mapper = sync.OnceValue(func() *mapping.Mapper { return mapping.MustNew(table()) })

// Paths that Finish reads, and the functions below name.
const (
	tag = `\.tag`

	actorTagPath     = `actor.\.tag`
	actorKindPath    = `actor.user.\.tag`
	sessionKindPath  = `origin.access_method.end_user.\.tag`
	contextTagPath   = `context.\.tag`
	loginMethodPath  = `details.login_method.\.tag`
	newValuePath     = `details.new_value.\.tag`
	alertNamePath    = `details.alert_name`
	alertIDPath      = `details.alert_instance_id`
	severityPath     = `details.alert_severity.\.tag`
	participantsPath = "participants"
	assetsPath       = "assets"
	appPath          = "details.app_info"
	devicePath       = "details.device_session_info"
)

func table() mapping.Table {
	t := mapping.Table{
		Version: "2026-11-22",
		Product: ocsf.Product{Name: "Dropbox", UID: "dropbox", Vendor: "Dropbox"},
		Time:    "timestamp",
		Type:    `event_type.\.tag`,
		Rows:    rows(),
		Read: []string{
			actorTagPath, actorKindPath, sessionKindPath, contextTagPath, loginMethodPath, newValuePath,
			alertNamePath, alertIDPath, severityPath,
			appPath + ".app_id", appPath + ".display_name", appPath + "." + tag,
			devicePath + ".host_name", devicePath + ".device_name", devicePath + "." + tag,
			participantsPath + "[]." + tag, participantsPath + "[].group_id", participantsPath + "[].display_name",
			assetsPath + "[]." + tag, assetsPath + "[].display_name", assetsPath + "[].doc_title",
		},
		Choices: choices(),
		Rules:   rules(),
		Words:   words(),
		Finish:  finish,
	}
	for _, member := range []string{"team_member_id", "account_id", "email", "display_name", tag} {
		t.Read = append(t.Read, "context."+member, participantsPath+"[].user."+member)
	}
	for id := range strings.SplitSeq(assets().UID, "|") {
		t.Read = append(t.Read, assetsPath+"[]."+id)
	}
	return t
}

// choices: a web session has no device that is known, and that a user is of
// another team is left in Dropbox's words.
func choices() map[string]map[string]ocsf.Choice {
	user := map[string]ocsf.Choice{"team_member": ocsf.Pick(ocsf.UserRegular)}
	return map[string]map[string]ocsf.Choice{
		actorKindPath: user, contextTagPath: user, participantsPath + "[].user." + tag: user,
		sessionKindPath: {"desktop": ocsf.Pick(ocsf.DeviceDesktop), "mobile": ocsf.Pick(ocsf.DeviceMobile)},
		severityPath: {
			"info": ocsf.Pick(ocsf.SeverityInformational), "low": ocsf.Pick(ocsf.SeverityLow),
			"medium": ocsf.Pick(ocsf.SeverityMedium), "high": ocsf.Pick(ocsf.SeverityHigh),
		},
	}
}

func rows() []mapping.Row {
	list := []mapping.Row{
		{From: "event_type.description", To: "message"},
		{From: "details.error_details.user_friendly_message", To: "status_detail"},
		{From: "details.error_details.technical_error_message", To: "status_detail"},
		{From: "details.failure_reason", To: "status_detail"},

		{From: "actor.app.display_name", To: "actor.invoked_by"},
		{From: "actor.app.app_id", To: "actor.invoked_by"},
		{From: "actor.reseller_name", To: "actor.user.name"},
		{From: "actor.reseller_email", To: "actor.user.email_addr"},

		{From: "origin.access_method.end_user.session_id", To: "actor.session.uid"},
		{From: "origin.access_method.session_id", To: "actor.session.uid"},
		{From: "origin.access_method.end_user.session_id", To: "session.uid"},
		{From: "origin.access_method.session_id", To: "session.uid"},
		{From: "origin.access_method.request_id", To: "http_request.uid"},
		{From: "details.user_agent", To: "http_request.user_agent"},
	}
	for _, who := range []string{"actor.user.", "actor.admin."} {
		list = append(list,
			mapping.Row{From: who + "team_member_id", To: "actor.user.uid"},
			mapping.Row{From: who + "account_id", To: "actor.user.uid"},
			mapping.Row{From: who + "account_id", To: "actor.user.uid_alt"},
			mapping.Row{From: who + "display_name", To: "actor.user.name"},
			mapping.Row{From: who + "email", To: "actor.user.email_addr"})
	}
	const geo = "origin.geo_location."
	for _, place := range []string{"device", "src_endpoint"} {
		list = append(list,
			mapping.Row{From: geo + "ip_address", To: place + ".ip"},
			mapping.Row{From: geo + "city", To: place + ".location.city"},
			mapping.Row{From: geo + "region", To: place + ".location.region"},
			mapping.Row{From: geo + "country", To: place + ".location.country"})
	}
	return list
}

// finish fills what takes a decision.
func finish(r *mapping.Record, e *ocsf.Event) {
	e.Status = status(e.Metadata.EventCode)
	actor(r, e)
	if e.Device.IP != "" {
		if e.Device.Type = r.Choose(sessionKindPath); !e.Device.Type.IsSet() {
			e.Device.Type = ocsf.Pick(ocsf.DeviceUnknown)
		}
	}
	switch e.Class {
	case ocsf.Authentication:
		authentication(r, e)
	case ocsf.AccountChange:
		account(r, e)
	case ocsf.UserAccess:
		e.User = participant(r)
		e.Privileges = append(e.Privileges, r.Take(newValuePath))
	case ocsf.GroupManagement:
		e.User, e.Group = participant(r), group(r)
	case ocsf.DetectionFinding:
		finding(r, e)
	case ocsf.WebResources:
		resources(r, e)
	}
}

// status: an event is of what happened, but for those whose type says that it
// did not.
func status(code string) ocsf.Choice {
	for _, end := range []string{"_fail", "_failed", "_error", "_unsuccessful"} {
		if strings.HasSuffix(code, end) {
			return ocsf.Pick(ocsf.StatusFailure)
		}
	}
	if code == "app_blocked_by_permissions" {
		return ocsf.Pick(ocsf.StatusFailure)
	}
	return ocsf.Pick(ocsf.StatusSuccess)
}

// actor: an administrator is one; of Dropbox itself, and of somebody who is not
// signed in, there is but the tag.
func actor(r *mapping.Record, e *ocsf.Event) {
	kind := r.Text(actorTagPath)
	switch {
	case e.Actor.User.UID != "" || e.Actor.User.Name != "" || e.Actor.User.Email != "":
		switch kind {
		case "admin":
			e.Actor.User.Type = ocsf.Pick(ocsf.UserAdmin)
		case "user":
			e.Actor.User.Type = r.Choose(actorKindPath)
		}
		r.Use(actorTagPath)
	case e.Actor.InvokedBy == "" && (kind == "dropbox" || kind == "anonymous") && e.Allows(ocsf.AttrActor):
		e.Actor.InvokedBy = r.Take(actorTagPath)
	}
}

// authentication: whoever signs in is the user: the one on whose behalf it is
// done, where an administrator signs in as somebody.
func authentication(r *mapping.Record, e *ocsf.Event) {
	e.User = affected(r, e.Actor.User)
	e.Service = ocsf.Service{Name: "Dropbox", UID: "dropbox"}
	method := r.Text(loginMethodPath)
	switch {
	case method == "saml":
		e.AuthProtocol = ocsf.Pick(ocsf.AuthSAML)
	case strings.HasSuffix(method, "_oauth"):
		e.AuthProtocol = ocsf.Pick(ocsf.AuthOAuth2)
	case method == "two_factor_authentication":
		e.IsMFA = ocsf.True
	default:
		return
	}
	// Whose OAuth it was is told by the method alone.
	if method == "saml" || method == "two_factor_authentication" {
		r.Use(loginMethodPath)
	}
}

// account: the user is a participant, or the one in whose account it was done.
// Of some types the value tells which way the change went.
func account(r *mapping.Record, e *ocsf.Event) {
	e.User = affected(r, e.Actor.User)
	const enable, mfaDisable = 2, 11
	switch code, value := e.Metadata.EventCode, r.Text(newValuePath); {
	case code == "account_lock_or_unlocked" && value == "unlocked":
		e.Activity = enable
	case code == "tfa_change_status" && value == "disabled":
		e.Activity = mfaDisable
	}
}

// somebody returns where the members of a user stand, below prefix. The account
// is the identifier where there is no membership.
func somebody(prefix string) ocsf.User {
	return ocsf.User{
		UID: prefix + "team_member_id|" + prefix + "account_id", UIDAlt: prefix + "account_id", Name: prefix + "display_name", Email: prefix + "email",
	}
}

// participant is the first user whom the action affected; the zero User if
// there is none that is told.
func participant(r *mapping.Record) ocsf.User {
	for _, el := range r.Each(participantsPath) {
		if el.Text(tag) != "user" {
			continue
		}
		if u := el.User(somebody("user.")); u != (ocsf.User{}) {
			u.Type = el.Choose("user." + tag)
			el.Use(tag)
			return u
		}
	}
	return ocsf.User{}
}

// affected is a participant, or the member in whose account the action was done,
// or else who did it, if that is told.
func affected(r *mapping.Record, actor ocsf.User) ocsf.User {
	u := participant(r)
	if u == (ocsf.User{}) && strings.HasSuffix(r.Text(contextTagPath), "_member") {
		if u = r.User(somebody("context.")); u != (ocsf.User{}) {
			u.Type = r.Choose(contextTagPath)
		}
	}
	if u == (ocsf.User{}) && (actor.UID != "" || actor.Name != "") {
		return actor
	}
	return u
}

// group is the first group among the participants.
func group(r *mapping.Record) ocsf.Group {
	for _, el := range r.Each(participantsPath) {
		if el.Text(tag) == "group" && (el.Text("group_id") != "" || el.Text("display_name") != "") {
			el.Use(tag)
			return ocsf.Group{Name: el.Take("display_name"), UID: el.Take("group_id")}
		}
	}
	return ocsf.Group{}
}

func finding(r *mapping.Record, e *ocsf.Event) {
	e.Finding = ocsf.Finding{Title: r.Take(alertNamePath), UID: r.Take(alertIDPath), Type: e.Metadata.EventCode}
	e.Severity = r.Choose(severityPath)
}

// resources: every asset; where there is none, the application, the device or
// the group that the event is about, or else the team itself.
func resources(r *mapping.Record, e *ocsf.Event) {
	for _, el := range r.Each(assetsPath) {
		if what := el.Resource(assets()); what != (ocsf.Resource{}) {
			e.WebResources = append(e.WebResources, what)
		}
	}
	if len(e.WebResources) > 0 {
		return
	}
	what := r.Resource(things()...)
	if what == (ocsf.Resource{}) {
		g := group(r)
		what = ocsf.Resource{Name: g.Name, UID: g.UID, Type: "group"}
	}
	if what.Name == "" && what.UID == "" {
		what = ocsf.Resource{Name: "Dropbox", Type: "Organization"}
	}
	e.WebResources = append(e.WebResources, what)
}

// assets returns where the members of an asset stand: what identifies it is by
// its kind.
func assets() ocsf.Resource {
	return ocsf.Resource{Name: "display_name|doc_title", UID: "file_id|folder_id|doc_id|folder_name|showcase_id", Type: tag}
}

// things is what else an event may be about.
func things() []ocsf.Resource {
	return []ocsf.Resource{
		{Name: appPath + ".display_name", UID: appPath + ".app_id", Type: appPath + "." + tag},
		{Name: devicePath + ".host_name|" + devicePath + ".device_name", Type: devicePath + "." + tag},
	}
}
