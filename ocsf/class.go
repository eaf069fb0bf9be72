package ocsf

// Version is the version of the schema.
const Version = "1.1.0"

// Class is the class_uid of an event.
type Class int32

// The classes that mappings use.
const (
	BaseEvent            Class = 0
	DetectionFinding     Class = 2004
	AccountChange        Class = 3001
	Authentication       Class = 3002
	AuthorizeSession     Class = 3003
	EntityManagement     Class = 3004
	UserAccess           Class = 3005
	GroupManagement      Class = 3006
	WebResources         Class = 6001
	ApplicationLifecycle Class = 6002
	APIActivity          Class = 6003
	WebResourceAccess    Class = 6004
	FileHosting          Class = 6006
)

// Other is the activity, and the value of any enum, that the schema has no
// name for: the source's own text stands beside it.
const Other = 99

// Attr names attributes of an event that not every class has.
type Attr uint32

// The attributes.
const (
	AttrActor Attr = 1 << iota
	AttrUser
	AttrGroup
	AttrPrivileges
	AttrResource
	AttrWebResources
	AttrEntity
	AttrApp
	AttrAPI
	AttrFile
	AttrFinding
	AttrDevice
	AttrSrcEndpoint
	AttrDstEndpoint
	AttrHTTPRequest
	AttrSession
	AttrService
	AttrAuth // auth_protocol and is_mfa
	AttrPolicy
)

// classInfo is what the schema says of a class.
type classInfo struct {
	uid        Class
	category   int
	name       string
	attrs      Attr
	host       Attr // those of attrs that the class has by the profile "host"
	need       Attr // all of these
	anyOf      Attr // at least one of these
	oneOf      Attr // exactly one of these
	activities []string
}

// classes is read only.
var classes = [...]classInfo{
	{uid: BaseEvent, name: "Base Event", activities: []string{"Unknown"}},
	{
		uid: DetectionFinding, category: 2, name: "Detection Finding",
		attrs: AttrFinding | AttrActor | AttrDevice, host: AttrActor | AttrDevice, need: AttrFinding,
		activities: []string{"Unknown", "Create", "Update", "Close"},
	},
	{
		uid: AccountChange, category: 3, name: "Account Change",
		attrs: AttrActor | AttrUser | AttrDevice | AttrSrcEndpoint | AttrHTTPRequest | AttrPolicy, host: AttrDevice, need: AttrUser,
		activities: []string{
			"Unknown", "Create", "Enable", "Password Change", "Password Reset", "Disable", "Delete",
			"Attach Policy", "Detach Policy", "Lock", "MFA Factor Enable", "MFA Factor Disable",
		},
	},
	{
		uid: Authentication, category: 3, name: "Authentication",
		attrs: AttrActor | AttrUser | AttrDevice | AttrSrcEndpoint | AttrDstEndpoint | AttrHTTPRequest | AttrSession | AttrService | AttrAuth,
		host:  AttrDevice, need: AttrUser, anyOf: AttrService | AttrDstEndpoint,
		activities: []string{"Unknown", "Logon", "Logoff", "Authentication Ticket", "Service Ticket Request", "Service Ticket Renew"},
	},
	{
		uid: AuthorizeSession, category: 3, name: "Authorize Session",
		attrs: AttrActor | AttrUser | AttrDevice | AttrDstEndpoint | AttrGroup | AttrPrivileges | AttrSession,
		host:  AttrActor | AttrDevice, need: AttrUser, oneOf: AttrPrivileges | AttrGroup,
		activities: []string{"Unknown", "Assign Privileges", "Assign Groups"},
	},
	{
		uid: EntityManagement, category: 3, name: "Entity Management",
		attrs: AttrActor | AttrDevice | AttrEntity, host: AttrDevice, need: AttrEntity,
		activities: []string{"Unknown", "Create", "Read", "Update", "Delete"},
	},
	{
		uid: UserAccess, category: 3, name: "User Access Management",
		attrs: AttrActor | AttrUser | AttrDevice | AttrPrivileges | AttrResource,
		host:  AttrActor | AttrDevice, need: AttrUser | AttrPrivileges,
		activities: []string{"Unknown", "Assign Privileges", "Revoke Privileges"},
	},
	{
		uid: GroupManagement, category: 3, name: "Group Management",
		attrs: AttrActor | AttrUser | AttrDevice | AttrPrivileges | AttrResource | AttrGroup,
		host:  AttrActor | AttrDevice, need: AttrGroup, anyOf: AttrPrivileges | AttrUser,
		activities: []string{"Unknown", "Assign Privileges", "Revoke Privileges", "Add User", "Remove User", "Delete", "Create"},
	},
	{
		uid: WebResources, category: 6, name: "Web Resources Activity",
		attrs: AttrActor | AttrDevice | AttrSrcEndpoint | AttrDstEndpoint | AttrHTTPRequest | AttrWebResources,
		host:  AttrActor | AttrDevice, need: AttrWebResources,
		activities: []string{"Unknown", "Create", "Read", "Update", "Delete", "Search", "Import", "Export", "Share"},
	},
	{
		uid: ApplicationLifecycle, category: 6, name: "Application Lifecycle",
		attrs: AttrActor | AttrDevice | AttrApp, host: AttrActor | AttrDevice, need: AttrApp,
		activities: []string{"Unknown", "Install", "Remove", "Start", "Stop"},
	},
	{
		uid: APIActivity, category: 6, name: "API Activity",
		attrs: AttrActor | AttrAPI | AttrSrcEndpoint | AttrDstEndpoint | AttrHTTPRequest, need: AttrActor | AttrAPI | AttrSrcEndpoint,
		activities: []string{"Unknown", "Create", "Read", "Update", "Delete"},
	},
	{
		uid: WebResourceAccess, category: 6, name: "Web Resource Access Activity",
		attrs: AttrActor | AttrDevice | AttrSrcEndpoint | AttrHTTPRequest | AttrWebResources,
		host:  AttrActor | AttrDevice, need: AttrHTTPRequest | AttrWebResources,
		activities: []string{"Unknown", "Access Grant", "Access Deny", "Access Revoke", "Access Error"},
	},
	{
		uid: FileHosting, category: 6, name: "File Hosting Activity",
		attrs: AttrActor | AttrSrcEndpoint | AttrDstEndpoint | AttrFile, need: AttrActor | AttrSrcEndpoint | AttrFile,
		activities: []string{
			"Unknown", "Upload", "Download", "Update", "Delete", "Rename", "Copy", "Move", "Restore", "Preview",
			"Lock", "Unlock", "Share", "Unshare", "Open", "Sync", "Unsync",
		},
	},
}

// info returns what the schema says of c; of a class that is not listed, what
// it says of the base event.
func (c Class) info() *classInfo {
	for i := range classes {
		if classes[i].uid == c {
			return &classes[i]
		}
	}
	return &classes[0]
}

// Name returns the class's name, "Account Change".
func (c Class) Name() string { return c.info().name }

// Has tells whether events of the class have the attributes.
func (c Class) Has(a Attr) bool { return c.info().attrs&a == a }

// Activity returns the name of one of the class's activities; known is false
// for an id that the class does not have.
func (c Class) Activity(id int) (name string, known bool) {
	return c.info().activity(id)
}

func (i *classInfo) activity(id int) (name string, known bool) {
	switch {
	case id == Other:
		return "Other", true
	case id >= 0 && id < len(i.activities):
		return i.activities[id], true
	default:
		return "", false
	}
}

// categoryName returns the caption of a category_uid.
func categoryName(uid int) string {
	switch uid {
	case 2:
		return "Findings"
	case 3:
		return "Identity & Access Management"
	case 6:
		return "Application Activity"
	default:
		return "Uncategorized"
	}
}
