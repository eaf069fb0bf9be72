package google

import (
	"context"
	"errors"
	"net/http"
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

type session struct {
	rest *rest.Client
	now  func() time.Time
}

func open(env connector.Env) *session {
	return &session{rest: rest.New("google", auth(), env, dialect()), now: env.Now}
}

// Connect reads one activity, which takes an administrator's grant. Whose
// Workspace it is cannot be compared with the tenant, which names a project of
// Google Cloud; an activity tells it.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	a, err := s.rest.Do(ctx, rest.Request{Op: opConnect, Ref: activitiesPath + firstApplication, Query: url.Values{"maxResults": {"1"}}})
	if err != nil {
		return nil, refused(err, a)
	}
	_, list, err := activities(a)
	if err != nil {
		return nil, a.Malformed(err)
	}
	facts := map[string]string{"project": s.rest.Var("project")}
	for _, r := range list {
		if customer := rest.Doc(r.Raw).Text("id.customerId"); customer != "" {
			facts["customerId"] = customer
		}
	}
	return facts, nil
}

// Poll reads one page of the walk from the newest activity back to the cursor's
// From. A finished live walk goes on where it began in time, so that what arrived
// during the walk is read by the next. An upper bound is sent for windows, and for
// Gmail, which wants one.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	if _, ok := App().FindStream(stream); !ok {
		return connector.Page{}, s.rest.Fail(opPoll, connector.Forbidden, "there is no stream "+strconv.Quote(stream))
	}
	trail, err := s.trail(at)
	if err != nil {
		return connector.Page{}, err
	}
	if at.Token == "" && !at.To.IsZero() && !at.From.Before(at.To) {
		return connector.Page{Next: end(trail, at), Done: true}, nil
	}
	a, err := s.rest.Do(ctx, rest.Request{Op: opPoll, Ref: activitiesPath + stream, Query: s.query(stream, trail, at)})
	if err != nil {
		return connector.Page{}, expired(refused(err, a), at)
	}
	bounded := stream == gmailApplication
	if first := at.Token == ""; first && !bounded {
		trail.Began = a.Corrected(trail.Began, s.now())
	}
	next, list, err := activities(a)
	if err != nil {
		return connector.Page{}, a.Malformed(err)
	}
	list = rest.Within(list, at.To)
	if next != "" {
		return connector.Page{Records: list, Next: connector.Cursor{From: at.From, To: at.To, Token: trail.Next(next).Token()}}, nil
	}
	if bounded { // not before: the bound must stay the same from page to page
		trail.Began = a.Corrected(trail.Began, s.now())
	}
	return connector.Page{Records: list, Next: end(trail, at), Done: true}, nil
}

// trail returns the place of a cursor: the first page of a new walk where it has
// no token. A token that is no place is as good as expired.
func (s *session) trail(at connector.Cursor) (rest.Trail, error) {
	if at.Token == "" {
		return rest.Trail{Began: s.now()}, nil
	}
	trail, err := rest.ParseTrail(at.Token)
	if err != nil {
		return rest.Trail{}, s.rest.Fail(opPoll, connector.CursorExpired, err.Error())
	}
	return trail, nil
}

// query asks for the page at a place. The same parameters must come with every
// token. Gmail's range is 30 days at the most, and those are all that is kept.
func (s *session) query(stream string, trail rest.Trail, at connector.Cursor) url.Values {
	q := url.Values{"maxResults": {strconv.Itoa(pageMax)}}
	from, to := at.From, at.To
	if stream == gmailApplication {
		if to.IsZero() {
			to = trail.Began
		}
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
	if trail.After != "" {
		q.Set("pageToken", trail.After)
	}
	return q
}

// activities reads a page, and the token of the one behind it. A page without
// activities has no list of them.
func activities(a *rest.Answer) (string, []connector.Record, error) {
	page, err := rest.Parse(a.Body)
	if err != nil {
		return "", nil, err
	}
	if _, ok := page.Member("items"); !ok && page.Text("kind") == kindActivities {
		return page.Text("nextPageToken"), nil, nil
	}
	list, err := page.Records("items", identify)
	return page.Text("nextPageToken"), list, err
}

// end is where a finished walk leaves the cursor.
func end(trail rest.Trail, at connector.Cursor) connector.Cursor {
	if at.To.IsZero() {
		return connector.Cursor{From: trail.Began}
	}
	return connector.Cursor{From: at.To, To: at.To}
}

// refused tells a grant of a person who is no administrator from one that has
// ended. Google refuses both with 401, the first with words of its own (unverified):
// another token would not help.
func refused(err error, a *rest.Answer) error {
	e, ok := errors.AsType[*connector.Error](err)
	if ok && a != nil && a.Status == http.StatusUnauthorized && strings.Contains(e.Reason, "Access denied") {
		e.Kind = connector.Forbidden
	}
	return err
}

// expired tells a refused page token from other failures: it is Google's, so a
// 400 on one says that it is no longer taken (unverified).
func expired(err error, at connector.Cursor) error {
	e, ok := errors.AsType[*connector.Error](err)
	if ok && at.Token != "" && e.Status == http.StatusBadRequest {
		e.Kind = connector.CursorExpired
	}
	return err
}

// FindUser searches by address. A search answers the same for an address of
// another domain as for one that nobody has; a look-up would not.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !strings.Contains(email, "@") || strings.ContainsAny(email, " \t\r\n'\"\\:=*()[],") {
		return connector.User{}, connector.ErrNoUser // no address, and it could say more than an address in a search
	}
	a, err := s.rest.Do(ctx, rest.Request{
		Op: opUser, Ref: usersPath, Query: url.Values{"customer": {"my_customer"}, "query": {"email=" + email}, "maxResults": {"2"}},
	})
	if err != nil {
		return connector.User{}, refused(err, a)
	}
	answer, err := rest.Parse(a.Body)
	if err != nil {
		return connector.User{}, a.Malformed(err)
	}
	if answer.Text("kind") != kindUsers {
		return connector.User{}, a.Malformed(errors.New("the list of users is missing from the answer"))
	}
	user, ok := answer.Member("users.0")
	if !ok {
		return connector.User{}, connector.ErrNoUser
	}
	if user.Text("id") == "" {
		return connector.User{}, a.Malformed(errors.New("the user's id is missing from the answer"))
	}
	return connector.User{
		ID: user.Text("id"), Email: user.Text("primaryEmail"), FullName: user.Text("name.fullName"),
		FirstName: user.Text("name.givenName"), LastName: user.Text("name.familyName"), Status: userStatus(user),
	}, nil
}

// userStatus puts the members suspended and archived into a word.
func userStatus(user rest.Doc) string {
	for _, name := range []string{"suspended", "archived"} {
		if set, _ := user.Member(name); string(set) == "true" {
			return name
		}
	}
	return "active"
}
