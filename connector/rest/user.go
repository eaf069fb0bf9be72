package rest

import (
	"cmp"
	"errors"
	"strings"

	"selvedge/connector"
)

// Address says whether a text can be an e-mail address. Nobody is looked up by
// anything else: names, identifiers and "me" would find somebody.
func Address(s string) bool { return strings.Contains(s, "@") }

// User reads a user; of paths, each field is where its value stands, with "|"
// between places of which the first that has one counts. Without a full name of
// its own, a user has the two others. One without an identifier is an error, of
// the answer a that it stands in.
func (a *Answer) User(user Doc, paths connector.User) (connector.User, error) {
	u := connector.User{
		ID: user.any(paths.ID), Email: user.any(paths.Email), FullName: user.any(paths.FullName),
		FirstName: user.any(paths.FirstName), LastName: user.any(paths.LastName), Status: user.any(paths.Status),
	}
	if u.ID == "" {
		return connector.User{}, a.Malformed(errors.New("the user's " + paths.ID + " is missing from the answer"))
	}
	u.FullName = cmp.Or(u.FullName, strings.TrimSpace(u.FirstName+" "+u.LastName))
	return u, nil
}

func (d Doc) any(paths string) string {
	for path := range strings.SplitSeq(paths, "|") {
		if s := d.Scalar(path); s != "" && path != "" {
			return s
		}
	}
	return ""
}
