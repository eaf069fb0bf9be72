package zoom

import (
	"strings"
	"sync"

	"selvedge/connector"
	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// Normalize fills e from one record of either report.
//
// The reports' members:
// https://developers.zoom.us/docs/api/meetings/#tag/reports (checked 2026-11-22).
func Normalize(_ string, raw []byte, e *ocsf.Event) error {
	return mapper().Normalize(raw, e)
}

// shapes: the reports have no member in common but the time.
func shapes(stream string) []connector.Shape {
	if stream == streamActivities {
		return []connector.Shape{{{Path: typePath}}, {{Path: "email"}}}
	}
	return []connector.Shape{{{Path: actionPath}}, {{Path: categoryPath}}, {{Path: "operator"}}}
}

// mapper is the table made ready, once. The reports have one, for they share no
// member but the time.
var mapper = sync.OnceValue(func() *mapping.Mapper { return mapping.MustNew(table()) })

// Paths that Finish and Code read.
const (
	typePath     = "type"
	categoryPath = "category_type"
	actionPath   = "action"
	detailPath   = "operation_detail"
	clientPath   = "client_type"
)

func table() mapping.Table {
	return mapping.Table{
		Version: "2026-11-22",
		Product: ocsf.Product{Name: "Zoom", UID: "zoom", Vendor: "Zoom"},
		Time:    "time",
		Code:    code,
		Rows: []mapping.Row{
			{From: "email", To: "actor.user.login"},
			{From: "operator", To: "actor.user.login"},
			{From: detailPath, To: "message"},
			{From: "ip_address", To: "device.ip"},
			{From: "ip_address", To: "src_endpoint.ip"},
		},
		Read:   []string{typePath, categoryPath, actionPath, detailPath, clientPath},
		Rules:  rules(),
		Words:  words(),
		Finish: finish,
	}
}

// code is what AppFabric makes of a record's type: "Sign in" is sign_in, and the
// action AddGroupAdmin of the category User Group is usergroup_addgroupadmin.
func code(r *mapping.Record) string {
	if t := r.Take(typePath); t != "" {
		return strings.ReplaceAll(strings.ToLower(t), " ", "_")
	}
	category, action := r.Take(categoryPath), r.Take(actionPath)
	if category == "" || action == "" {
		return strings.ToLower(category + action)
	}
	return strings.ToLower(strings.ReplaceAll(category, " ", "") + "_" + strings.ReplaceAll(action, " ", ""))
}

// finish fills what takes a decision. A record is of what was done: what fails is
// not reported.
func finish(r *mapping.Record, e *ocsf.Event) {
	e.Status = ocsf.Pick(ocsf.StatusSuccess)
	if e.Actor.User.UIDAlt != "" && e.Actor.User.Email == "" {
		// An operator without an address is known by the name only.
		e.Actor.User.Name, e.Actor.User.UIDAlt = e.Actor.User.UIDAlt, ""
	}
	if e.Actor.User.Email != "" || e.Actor.User.Name != "" {
		e.Actor.User.Type = ocsf.Pick(ocsf.UserRegular)
	}
	if e.Device.IP != "" {
		client(r, e)
	}
	detail := r.Text(detailPath)
	switch e.Class {
	case ocsf.Authentication:
		e.User = e.Actor.User
		e.Service = ocsf.Service{Name: "Zoom", UID: "zoom"}
	case ocsf.AccountChange:
		e.User = ocsf.User{Email: address(detail), Type: ocsf.Pick(ocsf.UserRegular)}
		account(e, detail)
	case ocsf.GroupManagement:
		e.Group = ocsf.Group{Name: group(detail)}
		if email := address(detail); email != "" {
			e.User = ocsf.User{Email: email, Type: ocsf.Pick(ocsf.UserRegular)}
		}
	case ocsf.WebResources:
		resource(r, e, detail)
	}
}

// client puts the kind of client into a kind of device, and into a system where
// it names one.
func client(r *mapping.Record, e *ocsf.Event) {
	kind := r.Take(clientPath)
	switch kind {
	case "":
	case "Browser":
		e.Device.Type = ocsf.Pick(ocsf.DeviceBrowser)
	case "Mac", "Windows", "Linux":
		e.Device.Type = ocsf.Pick(ocsf.DeviceDesktop)
	case "iPhone", "Android":
		e.Device.Type = ocsf.Pick(ocsf.DeviceMobile)
	case "iPad":
		e.Device.Type = ocsf.Pick(ocsf.DeviceTablet)
	default:
		e.Device.Type = ocsf.Vendor(kind)
	}
	if osType, ok := systems()[kind]; ok {
		e.Device.OS = ocsf.OS{Name: kind, Type: ocsf.Pick(osType)}
	}
}

func systems() map[string]int {
	return map[string]int{
		"Mac": ocsf.OSMacOS, "Windows": ocsf.OSWindows, "Linux": ocsf.OSLinux, "iPhone": ocsf.OSIOS, "iPad": ocsf.OSIPadOS, "Android": ocsf.OSAndroid,
	}
}

// account: an update of a user is told in words.
func account(e *ocsf.Event, detail string) {
	if e.Metadata.EventCode != userUpdate {
		return
	}
	for _, how := range []struct {
		words    string
		activity int
	}{{"Activate User", enable}, {"Deactivate User", disable}, {"Unlock User", enable}, {"Lock User", lock}} {
		if strings.HasPrefix(detail, how.words) {
			e.Activity, e.ActivityName = how.activity, ""
		}
	}
}

// group is the name of the group that a detail tells; the whole where nothing
// marks it.
func group(detail string) string {
	_, name, marked := strings.Cut(detail, "Group:")
	if !marked {
		return strings.TrimSpace(detail)
	}
	name, _, _ = strings.Cut(name, ",")
	return strings.TrimSpace(name)
}

// address is the first e-mail address of a text.
func address(text string) string {
	for word := range strings.FieldsFuncSeq(text, func(c rune) bool { return strings.ContainsRune(" \t\r\n,;:()<>[]\"'", c) }) {
		if word = strings.TrimRight(word, "."); ocsf.ValidEmail(word) {
			return word
		}
	}
	return ""
}

// resource: whoever the detail names, of the category; or the category.
func resource(r *mapping.Record, e *ocsf.Event, detail string) {
	what := ocsf.Resource{Name: address(detail), Type: r.Text(categoryPath)}
	if what.Name == "" {
		what = ocsf.Resource{Name: what.Type, Type: "Category"}
	}
	if what.Name == "" {
		what = ocsf.Resource{Name: "Zoom", Type: "Account"}
	}
	e.WebResources = append(e.WebResources, what)
}
