package ocsf

// Choice is the value of an enum attribute together with the text that stands
// beside it. The zero Choice is absent.
type Choice struct {
	set  bool
	id   int
	text string // of Other
}

// Pick chooses an id of the enum.
func Pick(id int) Choice { return Choice{set: true, id: id} }

// Vendor chooses Other, with the source's own text. Without text there is
// nothing to say, and the choice is absent.
func Vendor(text string) Choice { return Choice{set: text != "", id: Other, text: text} }

// IsSet tells whether anything was chosen.
func (c Choice) IsSet() bool { return c.set }

// ID returns the id that was chosen, 0 where none was.
func (c Choice) ID() int { return c.id }

// Severities.
const (
	SeverityUnknown       = 0
	SeverityInformational = 1
	SeverityLow           = 2
	SeverityMedium        = 3
	SeverityHigh          = 4
	SeverityCritical      = 5
	SeverityFatal         = 6
)

// Statuses.
const (
	StatusUnknown = 0
	StatusSuccess = 1
	StatusFailure = 2
)

// Types of users.
const (
	UserUnknown = 0
	UserRegular = 1
	UserAdmin   = 2
	UserSystem  = 3
)

// Types of devices and endpoints.
const (
	DeviceUnknown = 0
	DeviceServer  = 1
	DeviceDesktop = 2
	DeviceLaptop  = 3
	DeviceTablet  = 4
	DeviceMobile  = 5
	DeviceVirtual = 6
	DeviceIOT     = 7
	DeviceBrowser = 8
)

// Authentication protocols.
const (
	AuthNTLM     = 1
	AuthKerberos = 2
	AuthOpenID   = 4
	AuthSAML     = 5
	AuthOAuth2   = 6
	AuthRADIUS   = 10
)

// Types of files.
const (
	FileUnknown = 0
	FileRegular = 1
	FileFolder  = 2
)

// captions gives the caption of an id; "" for an id that the enum does not
// have.
type captions func(id int) string

func severityCaption(id int) string {
	return at(id, "Unknown", "Informational", "Low", "Medium", "High", "Critical", "Fatal")
}

func statusCaption(id int) string { return at(id, "Unknown", "Success", "Failure") }

func userCaption(id int) string { return at(id, "Unknown", "User", "Admin", "System") }

func deviceCaption(id int) string {
	return at(id, "Unknown", "Server", "Desktop", "Laptop", "Tablet", "Mobile", "Virtual", "IOT", "Browser", "Firewall", "Switch", "Hub")
}

func authCaption(id int) string {
	return at(id, "Unknown", "NTLM", "Kerberos", "Digest", "OpenID", "SAML", "OAUTH 2.0", "PAP", "CHAP", "EAP", "RADIUS")
}

func fileCaption(id int) string {
	return at(id, "Unknown", "Regular File", "Folder", "Character Device", "Block Device", "Local Socket", "Named Pipe", "Symbolic Link")
}

// Types of operating systems.
const (
	OSUnknown       = 0
	OSWindows       = 100
	OSWindowsMobile = 101
	OSLinux         = 200
	OSAndroid       = 201
	OSMacOS         = 300
	OSIOS           = 301
	OSIPadOS        = 302
)

func osCaption(id int) string {
	switch id {
	case OSUnknown:
		return "Unknown"
	case OSWindows:
		return "Windows"
	case OSWindowsMobile:
		return "Windows Mobile"
	case OSLinux:
		return "Linux"
	case OSAndroid:
		return "Android"
	case OSMacOS:
		return "macOS"
	case OSIOS:
		return "iOS"
	case OSIPadOS:
		return "iPadOS"
	default:
		return ""
	}
}

func at(id int, names ...string) string {
	if id < 0 || id >= len(names) {
		return ""
	}
	return names[id]
}
