package m365

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

// basic is what User.ReadBasic.All shows of a user; whether the account is
// enabled is only for User.Read.All.
// https://learn.microsoft.com/en-us/graph/permissions-reference (checked 2026-11-22)
const basic = "id,displayName,givenName,surname,mail,userPrincipalName"

// FindUser looks a user up by address or principal name. One person's address
// may be another's principal name: the principal name, which nobody shares, goes
// first. Of an address that several have and that is nobody's principal name, it
// cannot be told who is meant: that is ErrNoUser too. A grant that does not reach
// the account's state is asked for the rest.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !strings.Contains(email, "@") {
		return connector.User{}, connector.ErrNoUser
	}
	a, err := s.users(ctx, email, basic+",accountEnabled")
	if err != nil && a != nil && a.Status == http.StatusForbidden {
		a, err = s.users(ctx, email, basic)
	}
	if err != nil {
		return connector.User{}, err
	}
	answer, err := rest.Parse(a.Body)
	if err != nil {
		return connector.User{}, a.Malformed(err)
	}
	list, err := answer.Records("value", func(user rest.Doc) (string, time.Time) { return user.Text("id"), time.Time{} })
	if err != nil {
		return connector.User{}, a.Malformed(err)
	}
	found, ok := choose(list, email)
	if !ok {
		return connector.User{}, connector.ErrNoUser
	}
	user := rest.Doc(found.Raw)
	if found.ID == "" {
		return connector.User{}, a.Malformed(errors.New("the user's id is missing from the answer"))
	}
	return connector.User{
		ID:        found.ID,
		Email:     mailOf(user),
		FullName:  user.Text("displayName"),
		FirstName: user.Text("givenName"),
		LastName:  user.Text("surname"),
		Status:    state(user),
	}, nil
}

// choose takes the one whose principal name the address is, else the only one
// whose mail it is.
func choose(list []connector.Record, email string) (found connector.Record, ok bool) {
	mails := 0
	for _, r := range list {
		user := rest.Doc(r.Raw)
		if strings.EqualFold(user.Text("userPrincipalName"), email) {
			return r, true
		}
		if strings.EqualFold(user.Text("mail"), email) {
			found, mails = r, mails+1
		}
	}
	return found, mails == 1
}

func (s *session) users(ctx context.Context, email, members string) (*rest.Answer, error) {
	// Of an OData string, a quote is written twice.
	quoted := "'" + strings.ReplaceAll(email, "'", "''") + "'"
	return s.rest.Do(ctx, rest.Request{Op: opUser, Ref: usersPath, Query: url.Values{
		"$filter": {"mail eq " + quoted + " or userPrincipalName eq " + quoted},
		"$select": {members},
	}})
}

// mailOf is the user's address; one without a mailbox has its principal name.
func mailOf(user rest.Doc) string {
	if mail := user.Text("mail"); mail != "" {
		return mail
	}
	return user.Text("userPrincipalName")
}

// state says in words what accountEnabled does.
func state(user rest.Doc) string {
	switch v, _ := user.Member("accountEnabled"); string(v) {
	case "true":
		return "Enabled"
	case "false":
		return "Disabled"
	}
	return ""
}
