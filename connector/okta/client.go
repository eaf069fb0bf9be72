package okta

import (
	"cmp"
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
	logsPath  = "/api/v1/logs"
	usersPath = "/api/v1/users/"

	opConnect = "read the first record"
	opPoll    = "list system log"
	opUser    = "look up user"

	codeNotFound = "E0000007"
)

type session struct {
	rest *rest.Client
	now  func() time.Time
}

func open(env connector.Env) *session {
	return &session{rest: rest.New("okta", auth(), env, dialect()), now: env.Now}
}

// Connect reads one record. Tokens of an organization are good at its own
// domain only, so a feed that can be read is the tenant's.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	a, err := s.rest.Do(ctx, rest.Request{Op: opConnect, Ref: logsPath, Query: url.Values{"limit": {"1"}}})
	if err != nil {
		return nil, err
	}
	if _, err := records(a); err != nil {
		return nil, a.Malformed(err)
	}
	return map[string]string{"domain": s.rest.Var("domain")}, nil
}

// Poll reads one page. The live tail is a polling request (no until, ascending):
// ordered by the time at which Okta stored the events, with a next link on
// every page, the empty one too. A window is a bounded request: ordered by
// published, the last page without a link.
//
// The link is kept in Token without its host. From goes along as the newest
// published seen, for going on by time when Okta no longer knows the link.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	if stream != streamLog {
		return connector.Page{}, s.rest.Fail(opPoll, connector.Forbidden, "there is no stream "+strconv.Quote(stream))
	}
	at.From = s.reachable(at.From)
	if at.Token == "" && !at.To.IsZero() && !at.From.Before(at.To) {
		return connector.Page{Next: connector.Cursor{From: at.To, To: at.To}, Done: true}, nil
	}
	request, limit, err := s.request(at)
	if err != nil {
		return connector.Page{}, err
	}
	a, err := s.rest.Do(ctx, request)
	if err != nil {
		return connector.Page{}, expired(err, at)
	}
	next, linkErr := a.Next()
	list, err := records(a)
	if err = cmp.Or(linkErr, err); err != nil {
		return connector.Page{}, malformed(a, err, at, next)
	}
	return s.page(list, at, next, limit), nil
}

func records(a *rest.Answer) ([]connector.Record, error) {
	page, err := rest.Parse(a.Body)
	if err != nil {
		return nil, err
	}
	return page.Records("", identify)
}

// request builds the call for a cursor and tells how many records fill a page.
func (s *session) request(at connector.Cursor) (rest.Request, int, error) {
	if at.Token != "" {
		query, err := rest.Place(at.Token, logsPath)
		if err != nil {
			// A token that cannot be of this feed is as good as expired: the
			// engine goes on by time.
			return rest.Request{}, 0, s.rest.Fail(opPoll, connector.CursorExpired, err.Error())
		}
		limit, err := strconv.Atoi(query.Get("limit"))
		if err != nil {
			limit = pageDefault
		}
		return rest.Request{Op: opPoll, Ref: at.Token}, limit, nil
	}
	query := url.Values{"sortOrder": {"ASCENDING"}, "limit": {strconv.Itoa(pageMax)}}
	if !at.From.IsZero() {
		query.Set("since", rest.Since(at.From))
	}
	if !at.To.IsZero() {
		query.Set("until", rest.Until(at.To))
	}
	return rest.Request{Op: opPoll, Ref: logsPath, Query: query}, pageMax, nil
}

// page makes the page and the cursor behind it. A polling request has more at
// once only behind a full page; a bounded one wherever there is a link.
func (s *session) page(records []connector.Record, at connector.Cursor, next string, limit int) connector.Page {
	p := connector.Page{Records: records, Next: connector.Cursor{From: at.From, To: at.To, Token: next}}
	for _, r := range records {
		// A time from the future would lead past what is yet to come.
		if r.Time.After(p.Next.From) && !r.Time.After(s.now()) {
			p.Next.From = r.Time
		}
	}
	switch {
	case next == "" && !at.To.IsZero():
		p.Next.From, p.Done = at.To, true
	case next == "":
		p.Done = true
	case at.To.IsZero():
		p.Done = len(records) < limit
	}
	return p
}

// reachable keeps a lower bound within what Okta accepts.
func (s *session) reachable(from time.Time) time.Time {
	if oldest := s.now().Add(-sinceReach); !from.IsZero() && from.Before(oldest) {
		return oldest
	}
	return from
}

// malformed keeps the place behind the page, where the headers tell it.
func malformed(a *rest.Answer, err error, at connector.Cursor, next string) error {
	e := a.Malformed(err)
	if next != "" {
		e.Next = connector.Cursor{From: at.From, To: at.To, Token: next}
	}
	return e
}

// expired tells a refused link from other failures. Links are made by Okta, so
// a 400 on one says that Okta no longer knows it; the documentation names no
// code of its own for that (unverified).
func expired(err error, at connector.Cursor) error {
	e, ok := errors.AsType[*connector.Error](err)
	if ok && at.Token != "" && (e.Status == http.StatusBadRequest || e.Status == http.StatusGone) {
		e.Kind = connector.CursorExpired
	}
	return err
}

// FindUser looks a user up by login, which is the e-mail address unless the
// organization has its own form.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !strings.Contains(email, "@") {
		// "me" and short names would find somebody else.
		return connector.User{}, connector.ErrNoUser
	}
	a, err := s.rest.Do(ctx, rest.Request{Op: opUser, Ref: usersPath + url.PathEscape(email)})
	if err != nil {
		if a != nil && a.Status == http.StatusNotFound && a.Code() == codeNotFound {
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
	first, last := user.Text("profile.firstName"), user.Text("profile.lastName")
	return connector.User{
		ID:        user.Text("id"),
		Email:     user.Text("profile.email"),
		FullName:  cmp.Or(user.Text("profile.displayName"), strings.TrimSpace(first+" "+last)),
		FirstName: first,
		LastName:  last,
		Status:    user.Text("status"),
	}, nil
}
