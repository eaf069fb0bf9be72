package ocsf

import "math"

// AppendJSON appends the event as one JSON object, without a line end. Where
// Fits is false the event is written as a base event, so that what is appended
// is valid whatever the event holds.
func (e *Event) AppendJSON(dst []byte) []byte {
	o := object{dst: append(dst, '{')}
	e.append(&o)
	e.appendRest(&o)
	o.end()
	return o.dst[:len(o.dst)-1]
}

// append writes the members but for the last two.
func (e *Event) append(o *object) {
	i := e.Class.info()
	activity := e.Activity
	if !e.Fits() {
		i, activity = &classes[0], 0
	}
	has := e.filled(i)
	e.appendClass(o, i, activity)
	o.num("time", e.Time)
	o.choice("severity_id", "severity", e.severity(), severityCaption)
	o.choice("status_id", "status", e.Status, statusCaption)
	o.text("status_code", e.StatusCode)
	o.text("status_detail", e.StatusDetail)
	o.text("message", e.Message)
	e.Metadata.append(o, has&i.host != 0)
	e.appendPeople(o, has)
	e.appendThings(o, has)
	e.appendPlaces(o, has)
}

func (e *Event) severity() Choice {
	if e.Severity.IsSet() {
		return e.Severity
	}
	return Pick(SeverityUnknown)
}

func (e *Event) appendClass(o *object, i *classInfo, activity int) {
	caption, _ := i.activity(activity)
	name := caption
	if activity == Other && e.ActivityName != "" {
		name = e.ActivityName
	}
	o.num("activity_id", int64(activity))
	o.text("activity_name", name)
	o.num("category_uid", int64(i.category))
	o.text("category_name", categoryName(i.category))
	o.num("class_uid", int64(i.uid))
	o.text("class_name", i.name)
	o.num("type_uid", int64(i.uid)*100+int64(activity))
	o.pair("type_name", i.name, caption)
}

func (m *Metadata) append(o *object, host bool) {
	o.open("metadata")
	o.text("uid", m.UID)
	o.text("event_code", m.EventCode)
	o.text("correlation_uid", m.CorrelationUID)
	o.text("tenant_uid", m.TenantUID)
	o.text("original_time", m.OriginalTime)
	if m.ProcessedTime != 0 {
		o.num("processed_time", m.ProcessedTime)
	}
	o.text("log_provider", m.LogProvider)
	o.text("log_version", m.LogVersion)
	product := m.Product
	if !product.ok() {
		// Required: an event of nobody is one of ours.
		product = Product{Name: "Selvedge", Vendor: "Selvedge"}
	}
	product.append(o, "product")
	if host {
		o.list("profiles")
		o.element("host")
		o.endList()
	}
	o.text("version", Version)
	o.end()
}

func (p *Product) append(o *object, key string) {
	o.open(key)
	o.text("name", p.Name)
	o.text("uid", p.UID)
	o.text("vendor_name", p.Vendor)
	o.text("version", p.Version)
	o.end()
}

func (e *Event) appendPeople(o *object, has Attr) {
	if has&AttrActor != 0 {
		o.open("actor")
		e.Actor.User.append(o)
		e.Actor.Session.append(o)
		o.text("invoked_by", e.Actor.InvokedBy)
		o.end()
	}
	if has&AttrUser != 0 {
		e.User.append(o)
	}
	if has&AttrGroup != 0 {
		o.open("group")
		o.text("name", e.Group.Name)
		o.text("uid", e.Group.UID)
		o.text("type", e.Group.Type)
		o.text("desc", e.Group.Desc)
		o.text("domain", e.Group.Domain)
		o.end()
	}
	if has&AttrPrivileges != 0 {
		o.list("privileges")
		for _, p := range e.Privileges {
			if p != "" {
				o.element(p)
			}
		}
		o.endList()
	}
	if has&AttrSession != 0 {
		e.Session.append(o)
	}
}

func (u *User) append(o *object) {
	if !u.ok() {
		return
	}
	email, name := u.Email, u.Name
	if !ValidEmail(email) {
		email = ""
	}
	if name == "" {
		name = email
	}
	o.open("user")
	o.text("name", name)
	o.text("uid", u.UID)
	o.text("uid_alt", u.UIDAlt)
	o.text("full_name", u.FullName)
	o.text("email_addr", email)
	o.text("domain", u.Domain)
	o.text("credential_uid", u.CredentialUID)
	o.choice("type_id", "type", u.Type, userCaption)
	o.end()
}

func (s *Session) append(o *object) {
	if !s.ok() {
		return
	}
	o.open("session")
	o.text("uid", s.UID)
	o.text("issuer", s.Issuer)
	o.text("credential_uid", s.CredentialUID)
	o.end()
}

func (e *Event) appendThings(o *object, has Attr) {
	if has&AttrResource != 0 {
		e.Resource.append(o, "resource", AttrResource)
	}
	if has&AttrWebResources != 0 {
		o.list("web_resources")
		for n := range e.WebResources {
			if e.WebResources[n].ok() {
				e.WebResources[n].append(o, "", AttrWebResources)
			}
		}
		o.endList()
	}
	if has&AttrEntity != 0 {
		e.Entity.append(o, "entity", AttrEntity)
	}
	if has&AttrApp != 0 {
		e.App.append(o, "app")
	}
	if has&AttrAPI != 0 {
		e.API.append(o)
	}
	if has&AttrFile != 0 {
		e.File.append(o)
	}
	if has&AttrFinding != 0 {
		e.Finding.append(o)
	}
	if has&AttrPolicy != 0 {
		o.open("policy")
		o.text("name", e.Policy.Name)
		o.text("uid", e.Policy.UID)
		o.text("desc", e.Policy.Desc)
		o.text("version", e.Policy.Version)
		o.end()
	}
	if has&AttrService != 0 {
		o.open("service")
		o.text("name", e.Service.Name)
		o.text("uid", e.Service.UID)
		o.text("version", e.Service.Version)
		o.end()
	}
	if has&AttrAuth != 0 {
		o.choice("auth_protocol_id", "auth_protocol", e.AuthProtocol, authCaption)
		o.flag("is_mfa", e.IsMFA)
	}
}

// append writes the resource as the object that the attribute wants; the
// three differ in which members they have.
func (r *Resource) append(o *object, key string, as Attr) {
	o.open(key)
	o.text("name", r.Name)
	o.text("uid", r.UID)
	o.text("type", r.Type)
	if as == AttrWebResources {
		o.text("desc", r.Desc)
		o.text("url_string", r.URL)
	} else {
		o.text("version", r.Version)
	}
	o.end()
}

func (a *API) append(o *object) {
	o.open("api")
	o.text("operation", a.Operation)
	o.text("version", a.Version)
	if a.Service != "" {
		o.open("service")
		o.text("name", a.Service)
		o.end()
	}
	if a.RequestUID != "" {
		o.open("request")
		o.text("uid", a.RequestUID)
		o.end()
	}
	o.end()
}

func (f *File) append(o *object) {
	o.open("file")
	o.text("name", f.Name)
	o.text("uid", f.UID)
	o.text("path", f.Path)
	o.text("mime_type", f.MIMEType)
	o.text("desc", f.Desc)
	o.choice("type_id", "type", orUnknown(f.Type), fileCaption)
	o.end()
}

func (f *Finding) append(o *object) {
	o.open("finding_info")
	o.text("title", f.Title)
	o.text("uid", f.UID)
	o.text("desc", f.Desc)
	if f.Type != "" {
		o.list("types")
		o.element(f.Type)
		o.endList()
	}
	o.end()
}

// orUnknown fills a choice that the schema requires.
func orUnknown(c Choice) Choice {
	if c.IsSet() {
		return c
	}
	return Pick(0)
}

func (e *Event) appendPlaces(o *object, has Attr) {
	if has&AttrDevice != 0 {
		e.Device.append(o)
	}
	if has&AttrSrcEndpoint != 0 {
		e.SrcEndpoint.append(o, "src_endpoint")
	}
	if has&AttrDstEndpoint != 0 {
		e.DstEndpoint.append(o, "dst_endpoint")
	}
	if has&AttrHTTPRequest != 0 {
		e.HTTPRequest.append(o)
	}
}

func (d *Device) append(o *object) {
	o.open("device")
	o.checked("ip", d.IP, ValidIP)
	o.text("uid", d.UID)
	o.text("name", d.Name)
	o.checked("hostname", d.Hostname, ValidHostname)
	o.choice("type_id", "type", orUnknown(d.Type), deviceCaption)
	if d.OS.Name != "" {
		o.open("os")
		o.text("name", d.OS.Name)
		o.text("version", d.OS.Version)
		o.choice("type_id", "type", orUnknown(d.OS.Type), osCaption)
		o.end()
	}
	d.Location.append(o)
	o.flag("is_managed", d.IsManaged)
	o.flag("is_compliant", d.IsCompliant)
	o.end()
}

func (n *Endpoint) append(o *object, key string) {
	o.open(key)
	o.checked("ip", n.IP, ValidIP)
	o.text("uid", n.UID)
	o.text("name", n.Name)
	o.checked("hostname", n.Hostname, ValidHostname)
	o.text("domain", n.Domain)
	o.text("svc_name", n.Service)
	if n.Port > 0 && n.Port <= math.MaxUint16 {
		o.num("port", int64(n.Port))
	}
	n.Location.append(o)
	o.end()
}

func (l *Location) append(o *object) {
	if !l.ok() {
		return
	}
	o.open("location")
	o.text("city", l.City)
	o.text("region", l.Region)
	o.text("country", l.Country)
	o.text("postal_code", l.PostalCode)
	o.text("continent", l.Continent)
	o.text("isp", l.ISP)
	o.text("desc", l.Desc)
	if l.Point.ok() {
		o.list("coordinates")
		o.float(l.Point.Lon)
		o.float(l.Point.Lat)
		o.endList()
	}
	o.end()
}

func (h *HTTPRequest) append(o *object) {
	o.open("http_request")
	o.text("uid", h.UID)
	o.checked("http_method", h.Method, ValidMethod)
	o.text("user_agent", h.UserAgent)
	o.text("referrer", h.Referrer)
	o.text("version", h.Version)
	if h.URL.ok() {
		o.open("url")
		o.text("url_string", h.URL.Text)
		o.text("path", h.URL.Path)
		o.checked("hostname", h.URL.Hostname, ValidHostname)
		o.text("query_string", h.URL.Query)
		o.text("scheme", h.URL.Scheme)
		o.end()
	}
	o.end()
}

func (e *Event) appendRest(o *object) {
	if len(e.unmapped) > 0 {
		o.open("unmapped")
		o.dst = append(o.dst, e.unmapped...)
		o.end()
	}
	e.Replaced = 0
	before := len(o.dst)
	o.key("raw_data")
	text := len(o.dst)
	if e.RawText {
		o.dst = appendQuoted(o.dst, view(e.Raw), &e.Replaced)
	} else {
		o.dst = appendRaw(o.dst, e.Raw, &e.Replaced)
	}
	if len(o.dst) == text+len(`""`) {
		o.dst = o.dst[:before]
		return
	}
	o.dst = append(o.dst, ',')
}
