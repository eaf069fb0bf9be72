package ocsf

import "strconv"

// Setter puts a text into an attribute.
type Setter struct {
	Attr Attr // what the class must have for it; 0: every class has it

	// Set reports whether the text was taken. It is not if it is not of the
	// attribute's form, or if the attribute has a value: the first one counts.
	Set func(e *Event, text string) bool

	// Shown reports whether the event, now complete, will show the attribute: a
	// location is not shown with nothing but a provider, nor a system without a
	// name. Nil: it is shown if the event shows Attr.
	Shown func(e *Event) bool
}

// Shows tells whether AppendJSON will write the attribute: whether the class
// has it and the event has enough of it.
func (s Setter) Shows(e *Event, shown Attr) bool {
	return shown&s.Attr == s.Attr && (s.Shown == nil || s.Shown(e))
}

// Shown returns the attributes that AppendJSON will write.
func (e *Event) Shown() Attr { return e.filled(e.Class.info()) }

// Setters returns a setter for each attribute that a mapping can name by its
// path, such as "src_endpoint.ip". Two names are not the schema's:
// "user.login", an e-mail address or else the user's other identifier, and
// "os.agent", an operating system in whatever words.
func Setters() map[string]Setter {
	m := map[string]Setter{}
	text := func(path string, a Attr, field func(*Event) *string) {
		m[path] = Setter{Attr: a, Set: func(e *Event, s string) bool { return put(field(e), s) }}
	}
	addHead(m, text)
	addUser(m, "actor.user", AttrActor, func(e *Event) *User { return &e.Actor.User })
	addUser(m, "user", AttrUser, func(e *Event) *User { return &e.User })
	addThings(m, text)
	addPlaces(m, text)
	addLocation(m, "device.location", AttrDevice, func(e *Event) *Location { return &e.Device.Location })
	addLocation(m, "src_endpoint.location", AttrSrcEndpoint, func(e *Event) *Location { return &e.SrcEndpoint.Location })
	return m
}

func put(field *string, s string) bool {
	if s == "" || *field != "" {
		return false
	}
	*field = s
	return true
}

type textAdder func(path string, a Attr, field func(*Event) *string)

func addHead(m map[string]Setter, text textAdder) {
	text("activity_name", 0, func(e *Event) *string { return &e.ActivityName })
	text("message", 0, func(e *Event) *string { return &e.Message })
	text("status_code", 0, func(e *Event) *string { return &e.StatusCode })
	text("status_detail", 0, func(e *Event) *string { return &e.StatusDetail })
	text("metadata.uid", 0, func(e *Event) *string { return &e.Metadata.UID })
	text("metadata.event_code", 0, func(e *Event) *string { return &e.Metadata.EventCode })
	text("metadata.original_time", 0, func(e *Event) *string { return &e.Metadata.OriginalTime })
	text("metadata.correlation_uid", 0, func(e *Event) *string { return &e.Metadata.CorrelationUID })
	text("metadata.tenant_uid", 0, func(e *Event) *string { return &e.Metadata.TenantUID })
	text("metadata.product.version", 0, func(e *Event) *string { return &e.Metadata.Product.Version })
	m["is_mfa"] = Setter{Attr: AttrAuth, Set: func(e *Event, s string) bool {
		b, err := strconv.ParseBool(s)
		if err != nil || e.IsMFA != Unset {
			return false
		}
		if e.IsMFA = False; b {
			e.IsMFA = True
		}
		return true
	}}
}

func addUser(m map[string]Setter, path string, a Attr, user func(*Event) *User) {
	add := func(name string, set func(*User, string) bool) {
		m[path+"."+name] = Setter{
			Attr:  a,
			Set:   func(e *Event, s string) bool { return set(user(e), s) },
			Shown: func(e *Event) bool { return user(e).ok() },
		}
	}
	text := func(name string, field func(*User) *string) {
		add(name, func(u *User, s string) bool { return put(field(u), s) })
	}
	text("uid", func(u *User) *string { return &u.UID })
	text("uid_alt", func(u *User) *string { return &u.UIDAlt })
	text("name", func(u *User) *string { return &u.Name })
	text("full_name", func(u *User) *string { return &u.FullName })
	text("domain", func(u *User) *string { return &u.Domain })
	text("credential_uid", func(u *User) *string { return &u.CredentialUID })
	add("email_addr", func(u *User, s string) bool { return ValidEmail(s) && put(&u.Email, s) })
	add("login", (*User).SetLogin)
}

// SetLogin takes an e-mail address as that and anything else as the user's
// other identifier. It reports whether there was a place for it.
func (u *User) SetLogin(s string) bool {
	if ValidEmail(s) {
		return put(&u.Email, s)
	}
	return put(&u.UIDAlt, s)
}

func addThings(m map[string]Setter, text textAdder) {
	text("actor.session.uid", AttrActor, func(e *Event) *string { return &e.Actor.Session.UID })
	text("actor.session.issuer", AttrActor, func(e *Event) *string { return &e.Actor.Session.Issuer })
	text("actor.invoked_by", AttrActor, func(e *Event) *string { return &e.Actor.InvokedBy })
	text("session.uid", AttrSession, func(e *Event) *string { return &e.Session.UID })
	text("session.issuer", AttrSession, func(e *Event) *string { return &e.Session.Issuer })
	text("group.uid", AttrGroup, func(e *Event) *string { return &e.Group.UID })
	text("group.name", AttrGroup, func(e *Event) *string { return &e.Group.Name })
	text("group.type", AttrGroup, func(e *Event) *string { return &e.Group.Type })
	text("resource.uid", AttrResource, func(e *Event) *string { return &e.Resource.UID })
	text("resource.name", AttrResource, func(e *Event) *string { return &e.Resource.Name })
	text("resource.type", AttrResource, func(e *Event) *string { return &e.Resource.Type })
	text("entity.uid", AttrEntity, func(e *Event) *string { return &e.Entity.UID })
	text("entity.name", AttrEntity, func(e *Event) *string { return &e.Entity.Name })
	text("entity.type", AttrEntity, func(e *Event) *string { return &e.Entity.Type })
	text("service.name", AttrService, func(e *Event) *string { return &e.Service.Name })
	text("service.uid", AttrService, func(e *Event) *string { return &e.Service.UID })
	text("api.operation", AttrAPI, func(e *Event) *string { return &e.API.Operation })
	text("policy.uid", AttrPolicy, func(e *Event) *string { return &e.Policy.UID })
	text("policy.name", AttrPolicy, func(e *Event) *string { return &e.Policy.Name })
	text("file.name", AttrFile, func(e *Event) *string { return &e.File.Name })
	text("file.uid", AttrFile, func(e *Event) *string { return &e.File.UID })
	text("file.path", AttrFile, func(e *Event) *string { return &e.File.Path })
	m["privileges"] = Setter{Attr: AttrPrivileges, Set: func(e *Event, s string) bool {
		if s == "" {
			return false
		}
		e.Privileges = append(e.Privileges, s)
		return true
	}}
}

func addPlaces(m map[string]Setter, text textAdder) {
	text("device.uid", AttrDevice, func(e *Event) *string { return &e.Device.UID })
	text("device.name", AttrDevice, func(e *Event) *string { return &e.Device.Name })
	text("src_endpoint.uid", AttrSrcEndpoint, func(e *Event) *string { return &e.SrcEndpoint.UID })
	text("src_endpoint.name", AttrSrcEndpoint, func(e *Event) *string { return &e.SrcEndpoint.Name })
	text("src_endpoint.domain", AttrSrcEndpoint, func(e *Event) *string { return &e.SrcEndpoint.Domain })
	text("http_request.uid", AttrHTTPRequest, func(e *Event) *string { return &e.HTTPRequest.UID })
	text("http_request.user_agent", AttrHTTPRequest, func(e *Event) *string { return &e.HTTPRequest.UserAgent })
	text("http_request.referrer", AttrHTTPRequest, func(e *Event) *string { return &e.HTTPRequest.Referrer })
	text("http_request.url.url_string", AttrHTTPRequest, func(e *Event) *string { return &e.HTTPRequest.URL.Text })
	text("http_request.url.path", AttrHTTPRequest, func(e *Event) *string { return &e.HTTPRequest.URL.Path })
	form := func(path string, a Attr, valid func(string) bool, field func(*Event) *string) {
		m[path] = Setter{Attr: a, Set: func(e *Event, s string) bool { return valid(s) && put(field(e), s) }}
	}
	m["device.ip"] = Setter{Attr: AttrDevice, Set: func(e *Event, s string) bool {
		ip, _ := host(s)
		return put(&e.Device.IP, ip)
	}}
	form("device.hostname", AttrDevice, ValidHostname, func(e *Event) *string { return &e.Device.Hostname })
	m["src_endpoint.ip"] = Setter{Attr: AttrSrcEndpoint, Set: func(e *Event, s string) bool {
		ip, port := host(s)
		if !put(&e.SrcEndpoint.IP, ip) {
			return false
		}
		if port != 0 {
			e.SrcEndpoint.Port = port
		}
		return true
	}}
	form("src_endpoint.hostname", AttrSrcEndpoint, ValidHostname, func(e *Event) *string { return &e.SrcEndpoint.Hostname })
	form("http_request.http_method", AttrHTTPRequest, ValidMethod, func(e *Event) *string { return &e.HTTPRequest.Method })
	named := func(e *Event) bool { return e.Device.OS.Name != "" }
	m["device.os.version"] = Setter{AttrDevice, func(e *Event, s string) bool { return put(&e.Device.OS.Version, s) }, named}
	m["device.os.agent"] = Setter{AttrDevice, func(e *Event, s string) bool {
		if !put(&e.Device.OS.Name, s) {
			return false
		}
		e.Device.OS.Type = osOf(s)
		return true
	}, named}
}

func addLocation(m map[string]Setter, path string, a Attr, place func(*Event) *Location) {
	text := func(name string, field func(*Location) *string) {
		m[path+"."+name] = Setter{
			Attr:  a,
			Set:   func(e *Event, s string) bool { return put(field(place(e)), s) },
			Shown: func(e *Event) bool { return place(e).ok() },
		}
	}
	text("city", func(l *Location) *string { return &l.City })
	text("region", func(l *Location) *string { return &l.Region })
	text("country", func(l *Location) *string { return &l.Country })
	text("postal_code", func(l *Location) *string { return &l.PostalCode })
	text("continent", func(l *Location) *string { return &l.Continent })
	text("isp", func(l *Location) *string { return &l.ISP })
}
