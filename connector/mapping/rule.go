package mapping

import "selvedge/ocsf"

// The rules that the tables of most applications are made of. An event that
// lacks what its class requires, such as a user, is an update of a web resource,
// or of a sign-in that somebody has come.

// LogonRule is of somebody who signs in.
func LogonRule(typ string) Rule {
	return Rule{Type: typ, Class: ocsf.Authentication, Activity: 1, Else: 2}
}

// LogoffRule is of somebody who signs out.
func LogoffRule(typ string) Rule {
	return Rule{Type: typ, Class: ocsf.Authentication, Activity: 2, Else: 3}
}

// AccountRule is of a change of an account.
func AccountRule(typ string, activity int) Rule {
	return Rule{Type: typ, Class: ocsf.AccountChange, Activity: activity, Else: 3}
}

// UpdateRule is of an update of an account, for which the class has no activity.
func UpdateRule(typ string) Rule {
	return Rule{Type: typ, Class: ocsf.AccountChange, Activity: ocsf.Other, Name: "Update", Else: 3}
}

// AssignRule is of a privilege that a user is given.
func AssignRule(typ string) Rule {
	return Rule{Type: typ, Class: ocsf.UserAccess, Activity: 1, Else: 3}
}

// RevokeRule is of a privilege that is taken from a user.
func RevokeRule(typ string) Rule {
	return Rule{Type: typ, Class: ocsf.UserAccess, Activity: 2, Else: 3}
}

// GroupRule is of a change of a group or of its members.
func GroupRule(typ string, activity int) Rule {
	return Rule{Type: typ, Class: ocsf.GroupManagement, Activity: activity, Else: 3}
}

// WebRule is of an activity on a web resource that the words of the type do not
// tell, or tell wrongly.
func WebRule(typ string, activity int) Rule {
	return Rule{Type: typ, Class: ocsf.WebResources, Activity: activity}
}
