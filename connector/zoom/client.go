package zoom

import (
	"context"
	"errors"
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

func (s *session) do(ctx context.Context, op, ref string, query url.Values) (*rest.Answer, error) {
	return s.rest.Do(ctx, rest.Request{Op: op, Origin: s.origin, Ref: ref, Query: query})
}

// Connect reads one record of each report: they have scopes of their own. The
// account is the one that the token was asked for, and a token is good for no
// other.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	today := date(s.now())
	for _, f := range feeds() {
		a, err := s.do(ctx, opConnect, f.path, url.Values{"from": {today}, "to": {today}, "page_size": {"1"}})
		if err != nil {
			return nil, err
		}
		if _, _, err := records(a, f); err != nil {
			return nil, a.Malformed(err)
		}
	}
	return map[string]string{"account": s.rest.Var("account")}, nil
}

// Poll reads one page of the walk from the newest record of a range back to the
// cursor's From. Reports know whole days only, so what lies outside of the
// cursor's bounds is left out, and the walk ends at the first page that reaches
// behind From. A range wider than a report may be is read in parts, the oldest
// first. A finished live walk goes on where it began in time.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	i := slices.IndexFunc(feeds(), func(f feed) bool { return f.stream == stream })
	if i < 0 {
		return connector.Page{}, s.rest.Fail(opPoll, connector.Forbidden, "there is no stream "+strconv.Quote(stream))
	}
	f := feeds()[i]
	if at.Token == "" {
		at.From = s.reachable(at.From)
	}
	trail, err := s.trail(at)
	if err != nil {
		return connector.Page{}, err
	}
	if at.Token == "" && !at.To.IsZero() && !at.From.Before(at.To) {
		return connector.Page{Next: connector.Cursor{From: at.To, To: at.To}, Done: true}, nil
	}
	a, err := s.do(ctx, opPoll, f.path, query(trail, at.From))
	if err != nil {
		return connector.Page{}, expired(err, a, at)
	}
	next, list, err := records(a, f)
	if err != nil {
		return connector.Page{}, a.Malformed(err)
	}
	reached := reaches(list, at.From)
	list = rest.Within(since(list, at.From), at.To)
	if next == "" || reached {
		p := end(list, trail, at)
		if p.Done && at.To.IsZero() {
			// Only now: the days asked for must be the same from page to page.
			p.Next.From = a.Corrected(p.Next.From, s.now())
		}
		return p, nil
	}
	return connector.Page{Records: list, Next: connector.Cursor{From: at.From, To: at.To, Token: trail.Next(next).Token()}}, nil
}

// reachable keeps a lower bound within what Zoom keeps.
func (s *session) reachable(from time.Time) time.Time {
	if oldest := s.now().Add(-reach); from.Before(oldest) {
		return oldest
	}
	return from
}

// trail returns the place of a cursor: the first page of a new walk where it has
// no token. Its Began is where the range ends that the walk reads. A token that
// is no place is as good as expired.
func (s *session) trail(at connector.Cursor) (rest.Trail, error) {
	if at.Token != "" {
		trail, err := rest.ParseTrail(at.Token)
		if err != nil {
			return rest.Trail{}, s.rest.Fail(opPoll, connector.CursorExpired, err.Error())
		}
		return trail, nil
	}
	to := at.To
	if to.IsZero() {
		to = s.now()
	}
	if widest := at.From.Add(window); widest.Before(to) {
		to = widest
	}
	return rest.Trail{Began: to}, nil
}

// query asks for the days of a range. Which zone they are of is not documented:
// the samples' have a Z. The day before the first is asked for too, which costs
// nothing where the order is that of time.
func query(trail rest.Trail, from time.Time) url.Values {
	q := url.Values{"from": {date(from.Add(-day))}, "to": {date(trail.Began)}, "page_size": {strconv.Itoa(pageMax)}}
	if trail.After != "" {
		q.Set("next_page_token", trail.After)
	}
	return q
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// records reads a page of a report, and the token of the one behind it.
func records(a *rest.Answer, f feed) (string, []connector.Record, error) {
	page, err := rest.Parse(a.Body)
	if err != nil {
		return "", nil, err
	}
	list, err := page.Records(f.list, identify)
	return page.Text("next_page_token"), list, err
}

// reaches tells whether a page leads behind from: whether its last record that
// tells its time does.
func reaches(list []connector.Record, from time.Time) bool {
	for _, r := range slices.Backward(list) {
		if !r.Time.IsZero() {
			return r.Time.Before(from)
		}
	}
	return false
}

// since leaves out what happened before from, and keeps what does not tell.
func since(list []connector.Record, from time.Time) []connector.Record {
	return slices.DeleteFunc(list, func(r connector.Record) bool { return !r.Time.IsZero() && r.Time.Before(from) })
}

// end is the last page of a walk. Behind a part of a range comes the next part.
func end(list []connector.Record, trail rest.Trail, at connector.Cursor) connector.Page {
	part := trail.Began.Equal(at.From.Add(window)) && (at.To.IsZero() || trail.Began.Before(at.To))
	if !part && !at.To.IsZero() {
		return connector.Page{Records: list, Next: connector.Cursor{From: at.To, To: at.To}, Done: true}
	}
	return connector.Page{Records: list, Next: connector.Cursor{From: trail.Began, To: at.To}, Done: !part}
}

// expired tells a refused token of a place from other failures: it ends after
// 15 minutes, and with what code is not documented.
func expired(err error, a *rest.Answer, at connector.Cursor) error {
	e, ok := errors.AsType[*connector.Error](err)
	if ok && at.Token != "" && a != nil && a.Status == http.StatusBadRequest && e.Kind == connector.Unavailable {
		e.Kind = connector.CursorExpired
	}
	return err
}

// FindUser looks a user up by address.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !strings.Contains(email, "@") {
		return connector.User{}, connector.ErrNoUser // "me" and identifiers would find somebody
	}
	a, err := s.do(ctx, opUser, usersPath+url.PathEscape(email), nil)
	if err != nil {
		if a != nil && a.Status == http.StatusNotFound && a.Code() == codeNoUser {
			return connector.User{}, connector.ErrNoUser
		}
		return connector.User{}, err
	}
	user, err := rest.Parse(a.Body)
	if err != nil {
		return connector.User{}, a.Malformed(err)
	}
	if user.Text("id") == "" {
		return connector.User{}, a.Malformed(errors.New("the user's id is missing from the answer"))
	}
	first, last := user.Text("first_name"), user.Text("last_name")
	full := user.Text("display_name")
	if full == "" {
		full = strings.TrimSpace(first + " " + last)
	}
	return connector.User{
		ID: user.Text("id"), Email: user.Text("email"), FullName: full, FirstName: first, LastName: last, Status: user.Text("status"),
	}, nil
}
