package ocsf

// Fits tells whether the event has what its class demands: its required
// objects, and one of those of which it wants one.
func (e *Event) Fits() bool {
	i := e.Class.info()
	if i.uid != e.Class {
		return false
	}
	if _, known := i.activity(e.Activity); !known {
		return false
	}
	has := e.filled(i)
	return has&i.need == i.need && (i.anyOf == 0 || has&i.anyOf != 0) && (i.oneOf == 0 || has&i.oneOf != 0)
}

// filled returns the attributes that the event has, its class allows and the
// schema accepts.
func (e *Event) filled(i *classInfo) Attr {
	var has Attr
	set := func(a Attr, ok bool) {
		if ok {
			has |= a
		}
	}
	set(AttrActor, e.Actor.ok())
	set(AttrUser, e.User.ok())
	set(AttrGroup, e.Group.Name != "" || e.Group.UID != "")
	for _, p := range e.Privileges {
		set(AttrPrivileges, p != "")
	}
	set(AttrResource, e.Resource.ok())
	set(AttrEntity, e.Entity.ok())
	set(AttrApp, e.App.ok())
	set(AttrAPI, e.API.Operation != "")
	set(AttrFile, e.File.Name != "")
	set(AttrFinding, e.Finding.Title != "" && e.Finding.UID != "")
	set(AttrDevice, e.Device.ok())
	set(AttrSrcEndpoint, e.SrcEndpoint.ok())
	set(AttrDstEndpoint, e.DstEndpoint.ok())
	set(AttrHTTPRequest, e.HTTPRequest.ok())
	set(AttrSession, e.Session.ok())
	set(AttrService, e.Service.Name != "" || e.Service.UID != "")
	set(AttrAuth, e.AuthProtocol.IsSet() || e.IsMFA != Unset)
	set(AttrPolicy, e.Policy.Name != "" || e.Policy.UID != "")
	for n := range e.WebResources {
		set(AttrWebResources, e.WebResources[n].ok())
	}
	has &= i.attrs
	// Exactly one: a group is named among other things, privileges are not.
	if i.oneOf != 0 && has&i.oneOf == i.oneOf {
		has &^= AttrGroup
	}
	return has
}

func (u *User) ok() bool { return u.UID != "" || u.Name != "" || ValidEmail(u.Email) }

func (a *Actor) ok() bool { return a.User.ok() || a.Session.ok() || a.InvokedBy != "" }

func (s *Session) ok() bool { return s.UID != "" || s.Issuer != "" || s.CredentialUID != "" }

func (r *Resource) ok() bool { return r.Name != "" || r.UID != "" }

func (p *Product) ok() bool { return p.Vendor != "" && (p.Name != "" || p.UID != "") }

func (d *Device) ok() bool {
	return d.UID != "" || d.Name != "" || ValidIP(d.IP) || ValidHostname(d.Hostname)
}

func (n *Endpoint) ok() bool {
	return n.UID != "" || n.Name != "" || n.Service != "" || ValidIP(n.IP) || ValidHostname(n.Hostname)
}

func (l *Location) ok() bool {
	return l.City != "" || l.Region != "" || l.Country != "" || l.PostalCode != "" || l.Point.ok()
}

func (p Point) ok() bool {
	return p.Set && p.Lon >= -180 && p.Lon <= 180 && p.Lat >= -90 && p.Lat <= 90
}

func (h *HTTPRequest) ok() bool {
	return h.UID != "" || ValidMethod(h.Method) || h.UserAgent != "" || h.Referrer != "" || h.Version != "" || h.URL.ok()
}

func (u *URL) ok() bool { return u.Text != "" || u.Path != "" }
