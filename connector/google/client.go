package google

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	activitiesPath = "/admin/reports/v1/activity/users/all/applications/"
	usersPath      = "/admin/directory/v1/users"

	// firstApplication is read to connect: every edition has it.
	firstApplication = "login"

	opConnect = "read the first activity"
	opPoll    = "list activities"
	opUser    = "search users"

	kindActivities = "admin#reports#activities"
	kindUsers      = "admin#directory#users"
)

type session struct{ rest *rest.Client }

func open(env connector.Env) *session {
	return &session{rest: rest.New("google", auth(), env, dialect())}
}

// Connect reads one activity, which takes an administrator's grant. Whose
// Workspace it is cannot be compared with the tenant, which names a project of
// Google Cloud; an activity tells it.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	a, err := s.rest.Do(ctx, rest.Request{Op: opConnect, Ref: activitiesPath + firstApplication, Query: url.Values{"maxResults": {"1"}}})
	if err != nil {
		return nil, err
	}
	first, err := read(a, rest.Trail{})
	if err != nil {
		return nil, a.Malformed(err)
	}
	facts := map[string]string{"project": s.rest.Var("project")}
	for _, r := range first.Records {
		if customer := rest.Doc(r.Raw).Text("id.customerId"); customer != "" {
			facts["customerId"] = customer
		}
	}
	return facts, nil
}

// Poll reads one page of the walk from the newest activity back to the cursor's
// From. The same parameters must come with every token. An upper bound is sent
// for windows, and for Gmail, which wants one; Gmail's range is 30 days at the most,
// and those are all that is kept.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	if _, ok := App().FindStream(stream); !ok {
		return connector.Page{}, s.rest.NoStream(opPoll, stream)
	}
	return s.rest.Walk(ctx, at, rest.Feed{
		Op: opPoll,
		Ask: func(t rest.Trail) (rest.Request, error) {
			q := url.Values{"maxResults": {strconv.Itoa(pageMax)}}
			from, to := at.From, at.To
			if stream == gmailApplication {
				to = t.Until
				if oldest := to.Add(time.Minute - retention(stream)); from.Before(oldest) {
					from = oldest
				}
			}
			if !from.IsZero() {
				q.Set("startTime", rest.Since(from))
			}
			if !to.IsZero() {
				q.Set("endTime", rest.Until(to))
			}
			if t.After != "" {
				q.Set("pageToken", t.After)
			}
			return rest.Request{Ref: activitiesPath + stream, Query: q}, nil
		},
		Read: read,
	})
}

// read takes a page apart. One without activities has no list of them.
func read(a *rest.Answer, _ rest.Trail) (rest.Sheet, error) {
	page, list, err := a.Records("items", identify)
	if _, ok := page.Member("items"); !ok && page.Text("kind") == kindActivities {
		err = nil
	}
	return rest.Sheet{Records: list, Next: page.Text("nextPageToken")}, err
}

// FindUser searches by address. A search answers the same for an address of
// another domain as for one that nobody has; a look-up would not.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !rest.Address(email) || strings.ContainsAny(email, " \t\r\n'\"\\:=*()[],") {
		return connector.User{}, connector.ErrNoUser // no address, and it could say more than an address in a search
	}
	a, answer, err := s.rest.Get(ctx, rest.Request{
		Op: opUser, Ref: usersPath, Query: url.Values{"customer": {"my_customer"}, "query": {"email=" + email}, "maxResults": {"2"}},
	})
	if err != nil {
		return connector.User{}, err
	}
	if answer.Text("kind") != kindUsers {
		return connector.User{}, a.Malformed(errors.New("the list of users is missing from the answer"))
	}
	doc, ok := answer.Member("users.0")
	if !ok {
		return connector.User{}, connector.ErrNoUser
	}
	user, err := a.User(doc, connector.User{
		ID: "id", Email: "primaryEmail", FullName: "name.fullName", FirstName: "name.givenName", LastName: "name.familyName",
	})
	user.Status = userStatus(doc)
	return user, err
}

// userStatus puts the members suspended and archived into a word.
func userStatus(user rest.Doc) string {
	for _, name := range []string{"suspended", "archived"} {
		if set, _ := user.Flag(name); set {
			return name
		}
	}
	return "active"
}
