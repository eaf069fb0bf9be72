package ocsf_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"selvedge/ocsf"
	"selvedge/ocsf/ocsftest"
)

// classes lists the classes.
func classes() []ocsf.Class {
	return []ocsf.Class{
		ocsf.BaseEvent, ocsf.DetectionFinding, ocsf.AccountChange, ocsf.Authentication, ocsf.AuthorizeSession, ocsf.EntityManagement, ocsf.UserAccess,
		ocsf.GroupManagement, ocsf.WebResources, ocsf.ApplicationLifecycle, ocsf.APIActivity, ocsf.WebResourceAccess, ocsf.FileHosting,
	}
}

// full is an event with a value in every field.
func full(class ocsf.Class) *ocsf.Event {
	resource := ocsf.Resource{Name: "r", UID: "1", Type: "t", Desc: "d", Version: "2", URL: "https://x/"}
	place := ocsf.Location{City: "Köln", Region: "NW", Country: "DE", PostalCode: "50667", Continent: "EU", ISP: "i", Desc: "d", Point: ocsf.Point{Lon: 6.96, Lat: 50.94, Set: true}}
	user := ocsf.User{Name: "Ada", UID: "u1", UIDAlt: "alt", FullName: "Ada O", Email: "ada@example.com", Domain: "d", CredentialUID: "c", Type: ocsf.Pick(ocsf.UserAdmin)}
	session := ocsf.Session{UID: "s1", Issuer: "i", CredentialUID: "c"}
	e := &ocsf.Event{
		Class: class, Activity: 1, Time: 1700000000000,
		Severity: ocsf.Vendor("LOUD"), Status: ocsf.Pick(ocsf.StatusFailure), StatusCode: "E1", StatusDetail: "no", Message: "m",
		Metadata: ocsf.Metadata{
			UID: "id", EventCode: "code", OriginalTime: "yesterday", ProcessedTime: 1700000001000, LogProvider: "Selvedge", LogVersion: "1",
			CorrelationUID: "co", TenantUID: "te", Product: ocsf.Product{Name: "Okta", UID: "okta", Vendor: "Okta", Version: "9"},
		},
		Actor: ocsf.Actor{User: user, Session: session, InvokedBy: "cron"}, User: user,
		Group:      ocsf.Group{Name: "g", UID: "g1", Type: "t", Desc: "d", Domain: "d"},
		Privileges: []string{"admin", "reader"}, Resource: resource, WebResources: []ocsf.Resource{resource, {UID: "2"}}, Entity: resource,
		App: ocsf.Product{Name: "App", Vendor: "V"}, API: ocsf.API{Operation: "op", Version: "1", Service: "svc", RequestUID: "rq"},
		File:    ocsf.File{Name: "f", UID: "f1", Path: "/f", MIMEType: "text/plain", Desc: "d", Type: ocsf.Pick(ocsf.FileFolder)},
		Finding: ocsf.Finding{Title: "t", UID: "f", Desc: "d", Type: "ty"},
		Policy:  ocsf.Policy{Name: "p", UID: "p1", Desc: "d", Version: "1"},
		Device: ocsf.Device{
			IP: "10.0.0.1", UID: "d1", Name: "n", Hostname: "h.example", Type: ocsf.Pick(ocsf.DeviceLaptop),
			OS: ocsf.OS{Name: "Debian", Version: "13", Type: ocsf.Pick(ocsf.OSLinux)}, Location: place, IsManaged: ocsf.True, IsCompliant: ocsf.False,
		},
		SrcEndpoint: ocsf.Endpoint{IP: "2001:db8::1", UID: "e", Name: "n", Hostname: "h", Domain: "d", Service: "s", Port: 443, Location: place},
		DstEndpoint: ocsf.Endpoint{Name: "n"},
		HTTPRequest: ocsf.HTTPRequest{
			UID: "h", Method: "GET", UserAgent: "ua", Referrer: "r", Version: "1.1",
			URL: ocsf.URL{Text: "https://h/p?q", Path: "/p", Hostname: "h", Query: "q", Scheme: "https"},
		},
		Session: session, Service: ocsf.Service{Name: "svc", UID: "s", Version: "1"}, AuthProtocol: ocsf.Pick(ocsf.AuthSAML), IsMFA: ocsf.True,
		Raw: []byte(`{"a": [1, "b"]}`),
	}
	if class == ocsf.BaseEvent {
		e.Activity = ocsf.Other
	}
	e.AddUnmapped([]byte("x.y[0]"), []byte("<v>"))
	return e
}

// TestClasses writes every class with every activity and every field: what the
// class does not have is left out, and what is left is valid.
func TestClasses(t *testing.T) {
	t.Parallel()
	for _, class := range classes() {
		for activity := range 100 {
			e := full(class)
			e.Activity = activity
			e.ActivityName = "Something Else"
			name, known := class.Activity(activity)
			if known != e.Fits() {
				t.Fatalf("%d/%d: known %t, fits %t", class, activity, known, e.Fits())
			}
			line := e.AppendJSON(nil)
			ocsftest.MustValidate(t, line)
			got := decode(t, line)
			if !known {
				class, activity, name := ocsf.BaseEvent, 0, "Unknown"
				if got["class_uid"] != float64(class) || got["activity_id"] != float64(activity) || got["activity_name"] != name {
					t.Errorf("an unknown activity is written as %v", got["type_name"])
				}
				continue
			}
			if activity == ocsf.Other {
				name = "Something Else"
			}
			if got["activity_name"] != name || got["class_name"] != class.Name() {
				t.Errorf("%d/%d: %v, %v", class, activity, got["activity_name"], got["class_name"])
			}
		}
	}
}

func decode(t *testing.T, line []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(line, &m); err != nil {
		t.Fatalf("%v\n%s", err, line)
	}
	return m
}

// TestSparse takes the objects of an event away, one and two at a time: what
// remains is valid, as the class or as the base event.
func TestSparse(t *testing.T) {
	t.Parallel()
	take := []func(*ocsf.Event){
		func(e *ocsf.Event) { e.Actor = ocsf.Actor{} },
		func(e *ocsf.Event) { e.User = ocsf.User{Type: ocsf.Pick(1), FullName: "x", Email: "not one"} },
		func(e *ocsf.Event) { e.User = ocsf.User{Email: "only@example.com"} },
		func(e *ocsf.Event) { e.Group = ocsf.Group{Desc: "x"} },
		func(e *ocsf.Event) { e.Privileges = []string{""} },
		func(e *ocsf.Event) { e.WebResources = []ocsf.Resource{{Type: "x"}} },
		func(e *ocsf.Event) { e.Resource, e.Entity = ocsf.Resource{}, ocsf.Resource{} },
		func(e *ocsf.Event) { e.App, e.Metadata.Product = ocsf.Product{Name: "x"}, ocsf.Product{} },
		func(e *ocsf.Event) {
			e.API, e.File, e.Finding = ocsf.API{Version: "1"}, ocsf.File{UID: "1"}, ocsf.Finding{UID: "1"}
		},
		func(e *ocsf.Event) { e.Device = ocsf.Device{IP: "nowhere", OS: ocsf.OS{Name: "Linux"}} },
		func(e *ocsf.Event) { e.Device.OS, e.Device.Type = ocsf.OS{Version: "1"}, ocsf.Choice{} },
		func(e *ocsf.Event) { e.Device.Location, e.SrcEndpoint.IP = ocsf.Location{ISP: "x"}, "::1%lo" },
		func(e *ocsf.Event) { e.SrcEndpoint = ocsf.Endpoint{Port: 70000, Domain: "x"} },
		func(e *ocsf.Event) { e.DstEndpoint, e.Service = ocsf.Endpoint{}, ocsf.Service{Version: "1"} },
		func(e *ocsf.Event) { e.HTTPRequest = ocsf.HTTPRequest{Method: "BREW", URL: ocsf.URL{Hostname: "h"}} },
		func(e *ocsf.Event) { e.Session, e.AuthProtocol, e.IsMFA = ocsf.Session{}, ocsf.Pick(55), ocsf.Unset },
		func(e *ocsf.Event) { e.Severity, e.Status = ocsf.Choice{}, ocsf.Vendor("") },
		func(e *ocsf.Event) { e.Metadata = ocsf.Metadata{}; e.Raw = nil },
		func(e *ocsf.Event) { e.Device.Location.Point.Lon, e.SrcEndpoint.Location = 181, ocsf.Location{} },
	}
	for _, class := range classes() {
		for i, a := range take {
			for _, b := range take[i:] {
				e := full(class)
				a(e)
				b(e)
				line := e.AppendJSON(nil)
				ocsftest.MustValidate(t, line)
				if got := decode(t, line)["class_uid"] == float64(class); got != e.Fits() {
					t.Errorf("%d: fits %t, but it is written as %s", class, e.Fits(), line)
				}
			}
		}
	}
}

// TestCut: a text is cut behind a whole character, raw_data is not.
func TestCut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", ocsf.MaxLen+5)
	e := full(ocsf.WebResources)
	e.Message, e.Raw = long, []byte(`"`+long+`"`)
	line := e.AppendJSON(nil)
	ocsftest.MustValidate(t, line)
	got := decode(t, line)
	if got["message"] != long[:2*ocsf.MaxLen] {
		t.Errorf("the message has %d bytes", len(got["message"].(string)))
	}
	if got["raw_data"] != `"`+long+`"` {
		t.Error("raw_data is cut")
	}
	if !ocsf.TooLong(long) || ocsf.TooLong(long[:2*ocsf.MaxLen]) || ocsf.TooLong("x") {
		t.Error("TooLong counts something else than characters")
	}
}

// TestReuse: a reset event is as good as new, and a warm one does not allocate.
func TestReuse(t *testing.T) {
	t.Parallel()
	e := full(ocsf.Authentication)
	e.Reset()
	e.Class, e.Activity, e.Time = ocsf.WebResources, 1, 1
	e.WebResources = append(e.WebResources, ocsf.Resource{Name: e.Keep([]byte("kept"))})
	fresh := &ocsf.Event{Class: ocsf.WebResources, Activity: 1, Time: 1, WebResources: []ocsf.Resource{{Name: "kept"}}}
	if got, want := string(e.AppendJSON(nil)), string(fresh.AppendJSON(nil)); got != want {
		t.Errorf("reused  %s\nfresh %s", got, want)
	}
}

// TestNoAllocations is alone, because it counts.
func TestNoAllocations(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	e, line := full(ocsf.Authentication), make([]byte, 0, 1<<16)
	if n := testing.AllocsPerRun(100, func() { line = e.AppendJSON(line[:0]) }); n != 0 {
		t.Errorf("AppendJSON allocates %v times", n)
	}
}

func TestReplaced(t *testing.T) {
	t.Parallel()
	e := full(ocsf.BaseEvent)
	e.Raw = []byte("{\"a\":\"\xff\xfe\"}")
	for range 2 {
		line := e.AppendJSON(nil)
		ocsftest.MustValidate(t, line)
		if e.Replaced != 2 {
			t.Errorf("%d bytes replaced", e.Replaced)
		}
	}
}

// TestAddressesWithPorts: providers write a client's port behind its address.
func TestAddressesWithPorts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]ocsf.Endpoint{
		"203.0.113.9":              {IP: "203.0.113.9"},
		"203.0.113.9:49152":        {IP: "203.0.113.9", Port: 49152},
		"[2001:db8::1]:1":          {IP: "2001:db8::1", Port: 1},
		"2001:db8::1":              {IP: "2001:db8::1"},
		"[2001:db8::1]":            {},
		"[fe80::1%eth0]:1":         {},
		"203.0.113.9:70000":        {},
		"203.0.113.9:":             {},
		"host.example:443":         {},
		"203.0.113.9, 203.0.113.1": {},
	} {
		var e ocsf.Event
		src, device := ocsf.Setters()["src_endpoint.ip"].Set(&e, text), ocsf.Setters()["device.ip"].Set(&e, text)
		if e.SrcEndpoint != want || e.Device.IP != want.IP || src != (want.IP != "") || device != src {
			t.Errorf("%q is %+v and %q, taken %t and %t", text, e.SrcEndpoint, e.Device.IP, src, device)
		}
	}
}

// TestSetters: what a setter takes is in the event at the setter's path, if the
// class has the attribute.
func TestSetters(t *testing.T) {
	t.Parallel()
	samples := map[string]string{
		"is_mfa": "true", "src_endpoint.ip": "1.2.3.4", "device.ip": "1.2.3.4", "http_request.http_method": "GET",
		"user.email_addr": "a@b.cd", "actor.user.email_addr": "a@b.cd",
	}
	setters := ocsf.Setters()
	for _, path := range slices.Sorted(maps.Keys(setters)) {
		s, text := setters[path], samples[path]
		if text == "" {
			text = "value-1"
		}
		for _, class := range classes() {
			e := &ocsf.Event{Class: class, Activity: ocsf.Other, Metadata: ocsf.Metadata{Product: ocsf.Product{Name: "n", Vendor: "v"}}}
			if !e.Allows(s.Attr) {
				continue
			}
			require(e, path)
			if !s.Set(e, text) {
				t.Errorf("%s does not take %q", path, text)
				continue
			}
			if path != "privileges" && s.Set(e, text+"2") {
				t.Errorf("%s takes a second value", path)
			}
			if s.Set(e, "") {
				t.Errorf("%s takes nothing for something", path)
			}
			line := e.AppendJSON(nil)
			ocsftest.MustValidate(t, line)
			if !s.Shows(e, e.Shown()) || !strings.Contains(string(line), text) {
				t.Errorf("%d %s: shows %t: %s", class, path, s.Shows(e, e.Shown()), line)
			}
		}
	}
}

// require fills what the classes and the path's own object require, but for the
// path itself.
func require(e *ocsf.Event, path string) {
	for own, field := range map[string]*string{
		"user.uid": &e.User.UID, "actor.user.uid": &e.Actor.User.UID, "group.uid": &e.Group.UID, "service.uid": &e.Service.UID,
		"entity.uid": &e.Entity.UID, "resource.uid": &e.Resource.UID, "policy.uid": &e.Policy.UID, "device.uid": &e.Device.UID,
		"src_endpoint.uid": &e.SrcEndpoint.UID, "http_request.uid": &e.HTTPRequest.UID, "api.operation": &e.API.Operation,
		"file.name": &e.File.Name,
	} {
		if path != own {
			*field = "x"
		}
	}
	if !strings.HasPrefix(path, "group.") || e.Class != ocsf.AuthorizeSession {
		e.Privileges = []string{"p"}
	}
	e.WebResources = []ocsf.Resource{{UID: "w"}}
	e.App = ocsf.Product{Name: "a", Vendor: "v"}
	e.Finding = ocsf.Finding{Title: "t", UID: "f"}
	if path != "device.os.agent" {
		e.Device.OS.Name = "x"
	}
	if !strings.HasSuffix(path, "location.city") {
		e.Device.Location.City, e.SrcEndpoint.Location.City = "c", "c"
	}
}

func TestOSAgent(t *testing.T) {
	t.Parallel()
	set := ocsf.Setters()["device.os.agent"].Set
	for name, want := range map[string]int{
		"Mac OS X": ocsf.OSMacOS, "Windows 10": ocsf.OSWindows, "Windows Phone": ocsf.OSWindowsMobile, "iOS (iPhone)": ocsf.OSIOS,
		"iPadOS": ocsf.OSIPadOS, "Android 14": ocsf.OSAndroid, "Linux": ocsf.OSLinux, "Unknown": ocsf.OSUnknown, "Haiku": ocsf.Other,
	} {
		e := full(ocsf.Authentication)
		e.Device.OS = ocsf.OS{}
		if !set(e, name) || e.Device.OS.Type.ID() != want {
			t.Errorf("%s is %d, not %d", name, e.Device.OS.Type.ID(), want)
		}
		ocsftest.MustValidate(t, e.AppendJSON(nil))
	}
}

// FuzzEvent puts any text everywhere: what comes out is valid.
func FuzzEvent(f *testing.F) {
	f.Add("a@b.c", 1, 3002)
	f.Add("1.2.3.4\xff", 99, 6001)
	f.Fuzz(func(t *testing.T, s string, activity, class int) {
		e := full(ocsf.Class(class))
		e.Activity, e.ActivityName = activity, s
		e.Message, e.User = s, ocsf.User{Name: s, Email: s, Type: ocsf.Vendor(s)}
		e.Device = ocsf.Device{IP: s, Hostname: s, Type: ocsf.Vendor(s), OS: ocsf.OS{Name: s}}
		e.SrcEndpoint = ocsf.Endpoint{IP: s, Hostname: s, Port: activity}
		e.Severity, e.Status = ocsf.Pick(activity), ocsf.Vendor(s)
		e.HTTPRequest.Method, e.Raw, e.RawText = s, []byte(s), class%2 == 0
		e.AddUnmapped([]byte("p"+fmt.Sprint(len(s))), []byte(s))
		ocsftest.MustValidate(t, e.AppendJSON(nil))
	})
}
