package mapping

import "selvedge/ocsf"

// Verb is what a word of an event's type says was done.
type Verb uint8

// The verbs. None says nothing.
const (
	None Verb = iota
	Create
	Read
	Update
	Delete
	Search
	Import
	Export
	Share
	Enable
	Disable
	Add
	Remove
	Grant
	Revoke
	Lock
	Reset
	Logon
	Logoff
	Install
	Start
	Stop
)

// verbs is the meaning of the words that types of events are made of. A word
// that is not here is not a verb. Read only.
var verbs = words(common())

// common lists the words of each verb.
func common() map[Verb]string {
	return map[Verb]string{
		Create: "create created creates register registered generate generated issue issued enroll enrolled duplicate clone cloned initiate request requested upsert bootstrap provision",
		Read:   "read view viewed views open opened show shown index list get reveal accessed preview previewed evaluate evaluation verify verified validate check discovered",
		Update: "update updated updates change changed changes edit edited modify modified rename renamed move moved set save saved rotate rotated renew sync synced " +
			"push pushed apply applied close closed complete completed finish finished cancel canceled cancelled approve approved deny denied reject rejected resolve resolved expire expired " +
			"decide remediate override hold bind schedule scheduled merge transfer restore restored publish discard invalidate rollover execute executed run processed trigger triggered",
		Delete:  "delete deleted deletes destroy destroyed erase erased clear cleared cleanup purge",
		Search:  "search searched query",
		Import:  "import imported importing upload uploaded",
		Export:  "export exported download downloaded downloads",
		Share:   "share shared",
		Enable:  "enable enabled activate activated reactivate unsuspend unsuspended unlock unlocked",
		Disable: "disable disabled deactivate deactivated suspend suspended deprovision",
		Add:     "add added adds assign assigned join joined invite invited",
		Remove:  "remove removed removes unassign unassigned leave left",
		Grant:   "grant granted authorize authorized",
		Revoke:  "revoke revoked",
		Lock:    "lock locked",
		Reset:   "reset",
		Logon:   "login logon signin",
		Logoff:  "logout logoff signout",
		Install: "install installed",
		Start:   "start started connect connected reconnect launch",
		Stop:    "stop stopped end ended disconnect",
	}
}

func words(table map[Verb]string) map[string]Verb {
	m := map[string]Verb{}
	for verb, list := range table {
		from := 0
		for i := 0; i <= len(list); i++ {
			if i == len(list) || list[i] == ' ' {
				m[list[from:i]] = verb
				from = i + 1
			}
		}
	}
	return m
}

// activities gives the activity of a class that a verb is. A verb that a class
// has nothing for is Other. Read only.
var activities = map[ocsf.Class]map[Verb]int{
	ocsf.DetectionFinding: {Create: 1, Add: 1, Start: 1, Update: 2, Stop: 3, Delete: 3},
	ocsf.AccountChange: {
		Create: 1, Add: 1, Import: 1, Enable: 2, Reset: 4, Disable: 5, Delete: 6, Remove: 6, Lock: 9,
	},
	ocsf.Authentication:    {Logon: 1, Start: 1, Create: 1, Logoff: 2, Stop: 2, Delete: 2, Revoke: 2},
	ocsf.AuthorizeSession:  {Grant: 1, Add: 1},
	ocsf.EntityManagement:  {Create: 1, Add: 1, Read: 2, Update: 3, Enable: 3, Disable: 3, Reset: 3, Delete: 4, Remove: 4},
	ocsf.UserAccess:        {Grant: 1, Add: 1, Create: 1, Enable: 1, Revoke: 2, Remove: 2, Delete: 2, Disable: 2},
	ocsf.GroupManagement:   {Grant: 1, Revoke: 2, Add: 3, Remove: 4, Delete: 5, Create: 6},
	ocsf.WebResourceAccess: {Grant: 1, Revoke: 3},
	ocsf.WebResources: {
		Create: 1, Add: 1, Install: 1, Read: 2, Update: 3, Enable: 3, Disable: 3, Lock: 3, Reset: 3, Grant: 3, Revoke: 3, Start: 3, Stop: 3,
		Logon: 2, Delete: 4, Remove: 4, Search: 5, Import: 6, Export: 7, Share: 8,
	},
	ocsf.ApplicationLifecycle: {Install: 1, Create: 1, Add: 1, Delete: 2, Remove: 2, Start: 3, Enable: 3, Stop: 4, Disable: 4},
	ocsf.APIActivity:          {Create: 1, Add: 1, Read: 2, Update: 3, Enable: 3, Disable: 3, Reset: 3, Delete: 4, Remove: 4},
	ocsf.FileHosting:          {Create: 1, Import: 1, Add: 1, Export: 2, Update: 3, Delete: 4, Remove: 4, Read: 14, Share: 12, Lock: 10},
}
