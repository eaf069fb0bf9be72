package ocsf

import "unsafe"

// Event is one OCSF event. Every field is optional, but see Fits; the zero
// value of a field leaves its attribute out.
type Event struct {
	Class        Class
	Activity     int    // of the class; Other needs ActivityName
	ActivityName string // the source's own name, under Other
	Time         int64  // when it happened, milliseconds since 1970

	Severity     Choice
	Status       Choice
	StatusCode   string
	StatusDetail string
	Message      string
	Metadata     Metadata

	Actor        Actor
	User         User // whom the event is about
	Group        Group
	Privileges   []string
	Resource     Resource
	WebResources []Resource
	Entity       Resource
	App          Product
	API          API
	File         File
	Finding      Finding
	Policy       Policy
	Device       Device
	SrcEndpoint  Endpoint
	DstEndpoint  Endpoint
	HTTPRequest  HTTPRequest
	Session      Session
	Service      Service
	AuthProtocol Choice
	IsMFA        Flag

	// Raw is the record as the source gave it. Where it is JSON it is written
	// without its insignificant white space, otherwise as it is.
	Raw     []byte
	RawText bool // Raw is no JSON: each of its bytes counts

	// Replaced is set by AppendJSON: how many bytes of Raw were no UTF-8 and
	// were replaced by U+FFFD.
	Replaced int

	unmapped []byte // members of the object, each with a comma behind it
	arena    []byte
}

// Flag is a boolean that may be absent.
type Flag uint8

// The values of a Flag.
const (
	Unset Flag = iota
	False
	True
)

// Metadata says where an event comes from.
type Metadata struct {
	UID            string // the source's identifier of the event
	EventCode      string // the source's type of the event
	OriginalTime   string // as the source wrote it
	ProcessedTime  int64  // milliseconds since 1970
	LogProvider    string
	LogVersion     string
	CorrelationUID string
	TenantUID      string
	Product        Product
}

// Product is a product, or an application.
type Product struct{ Name, UID, Vendor, Version string }

// Actor is who did it.
type Actor struct {
	User      User
	Session   Session
	InvokedBy string
}

// User is a user. Without a name, its address is the name; without either
// there must be a UID.
type User struct {
	Name, UID, UIDAlt, FullName, Email, Domain, CredentialUID string

	Type Choice
}

// Session is a session of a user.
type Session struct{ UID, Issuer, CredentialUID string }

// Group is a group of users.
type Group struct{ Name, UID, Type, Desc, Domain string }

// Resource is a web resource, an entity, or what else was acted upon.
type Resource struct{ Name, UID, Type, Desc, Version, URL string }

// API is a call of an API.
type API struct{ Operation, Version, Service, RequestUID string }

// File is a file.
type File struct {
	Name, UID, Path, MIMEType, Desc string

	Type Choice
}

// Finding is what a detection found.
type Finding struct{ Title, UID, Desc, Type string }

// Policy is a policy.
type Policy struct{ Name, UID, Desc, Version string }

// Device is the machine that a user sat at.
type Device struct {
	IP, UID, Name, Hostname string

	Type                   Choice
	OS                     OS
	Location               Location
	IsManaged, IsCompliant Flag
}

// OS is an operating system; it needs a name.
type OS struct {
	Name, Version string

	Type Choice
}

// Location is a place on earth.
type Location struct {
	City, Region, Country, PostalCode, Continent, ISP, Desc string

	Point Point
}

// Point is a place in degrees, which is there only if Set.
type Point struct {
	Lon, Lat float64
	Set      bool
}

// Endpoint is one end of a connection.
type Endpoint struct {
	IP, UID, Name, Hostname, Domain, Service string

	Port     int
	Location Location
}

// HTTPRequest is the request by which it was done.
type HTTPRequest struct {
	UID, Method, UserAgent, Referrer, Version string

	URL URL
}

// URL is an address; it needs its text or its path.
type URL struct{ Text, Path, Hostname, Query, Scheme string }

// Service is a service that users sign in to.
type Service struct{ Name, UID, Version string }

// Reset empties the event and keeps its memory. Strings from Keep end.
func (e *Event) Reset() {
	e.Clear()
	e.arena = e.arena[:0]
}

// Clear empties the event; strings from Keep live on.
func (e *Event) Clear() {
	*e = Event{
		Privileges:   e.Privileges[:0],
		WebResources: e.WebResources[:0],
		unmapped:     e.unmapped[:0],
		arena:        e.arena,
	}
}

// Keep copies b into the event's memory. The string is good until Reset.
func (e *Event) Keep(b []byte) string {
	from := len(e.arena)
	e.arena = append(e.arena, b...)
	return view(e.arena[from:])
}

// Arena gives what Keep would have appended to, for text that is made piece by
// piece: append to it, and give the whole to KeepArena.
func (e *Event) Arena() []byte { return e.arena }

// KeepArena takes the grown arena back and returns what was appended to it.
func (e *Event) KeepArena(grown []byte) string {
	from := len(e.arena)
	e.arena = grown
	return view(grown[from:])
}

// AddUnmapped keeps a value that no attribute holds under its path in the
// record. Empty text is nothing to keep. The caller sees to it that no path is
// added twice.
func (e *Event) AddUnmapped(path, text []byte) {
	if len(text) == 0 {
		return
	}
	e.unmapped = appendQuoted(e.unmapped, view(path), nil)
	e.unmapped = append(e.unmapped, ':')
	e.unmapped = appendQuoted(e.unmapped, view(text), nil)
	e.unmapped = append(e.unmapped, ',')
}

// view looks at bytes as a string. What is viewed is either in the arena, which
// only grows until Reset, or not kept beyond the call.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) } //nolint:gosec // see above

// Allows tells whether the event's class has the attributes.
func (e *Event) Allows(a Attr) bool { return e.Class.Has(a) }
