package zoom

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	usersPath = "/v2/users/"

	opConnect = "read the first record"
	opPoll    = "read report"
	opUser    = "look up user"

	codeNoUser = "1001"
)

type session struct {
	rest   *rest.Client
	now    func() time.Time
	origin string // the account's own; empty: the application's
}

// open takes the API host that the token answer told, if it is one of Zoom's.
func open(env connector.Env) *session {
	s := &session{rest: rest.New("zoom", auth(), env, dialect()), now: env.Now}
	if at := strings.TrimSuffix(env.Facts["api_url"], "/"); auth().Allows(at, nil) {
		s.origin = at
	}
	return s
}

// Connect reads one record of each report: they have scopes of their own. The
// account is the one that the token was asked for, and a token is good for no
// other.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	today := date(s.now())
	for _, f := range feeds() {
		q := url.Values{"from": {today}, "to": {today}, "page_size": {"1"}}
		if _, _, err := s.rest.List(ctx, rest.Request{Op: opConnect, Origin: s.origin, Ref: f.path, Query: q}, f.list, identify); err != nil {
			return nil, err
		}
	}
	return map[string]string{"account": s.rest.Var("account")}, nil
}

// Poll reads one page of the walk from the newest record of a range back to the
// cursor's From. Reports know whole days only, so what lies outside of the
// cursor's bounds is left out, and the walk ends at the first page that reaches
// behind From. A range wider than a report may be is read in parts.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	i := slices.IndexFunc(feeds(), func(f feed) bool { return f.stream == stream })
	if i < 0 {
		return connector.Page{}, s.rest.NoStream(opPoll, stream)
	}
	f := feeds()[i]
	if oldest := s.now().Add(-reach); at.Token == "" && at.From.Before(oldest) {
		at.From = oldest // that is all that Zoom keeps
	}
	return s.rest.Walk(ctx, at, rest.Feed{
		Op:     opPoll,
		Ask:    func(t rest.Trail) (rest.Request, error) { return s.request(f, t, at.From), nil },
		Read:   func(a *rest.Answer, _ rest.Trail) (rest.Sheet, error) { return read(a, f, at.From) },
		Widest: window,
	})
}

// request asks for the days of a range. Which zone they are of is not documented:
// the samples' have a Z. The day before the first is asked for too, which costs
// nothing where the order is that of time.
func (s *session) request(f feed, t rest.Trail, from time.Time) rest.Request {
	q := url.Values{"from": {date(from.Add(-day))}, "to": {date(t.Until)}, "page_size": {strconv.Itoa(pageMax)}}
	if t.After != "" {
		q.Set("next_page_token", t.After)
	}
	return rest.Request{Origin: s.origin, Ref: f.path, Query: q}
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// read takes a page of a report apart. Behind one whose last record that tells its
// time happened before from, there is nothing to read. What happened before is
// left out, what does not tell is kept.
func read(a *rest.Answer, f feed, from time.Time) (rest.Sheet, error) {
	page, list, err := a.Records(f.list, identify)
	if err != nil {
		return rest.Sheet{}, err
	}
	sheet := rest.Sheet{Next: page.Text("next_page_token")}
	for _, r := range slices.Backward(list) {
		if !r.Time.IsZero() {
			if r.Time.Before(from) {
				sheet.Next = ""
			}
			break
		}
	}
	sheet.Records = slices.DeleteFunc(list, func(r connector.Record) bool { return !r.Time.IsZero() && r.Time.Before(from) })
	return sheet, nil
}

// FindUser looks a user up by address.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !rest.Address(email) {
		return connector.User{}, connector.ErrNoUser
	}
	a, user, err := s.rest.Get(ctx, rest.Request{Op: opUser, Origin: s.origin, Ref: usersPath + url.PathEscape(email)})
	if a.Is(http.StatusNotFound, codeNoUser) {
		return connector.User{}, connector.ErrNoUser
	}
	if err != nil {
		return connector.User{}, err
	}
	return a.User(user, connector.User{
		ID: "id", Email: "email", FullName: "display_name", FirstName: "first_name", LastName: "last_name", Status: "status",
	})
}
