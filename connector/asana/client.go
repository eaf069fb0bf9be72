package asana

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
	workspacesPath = "/api/1.0/workspaces/"
	usersPath      = "/api/1.0/users/"

	opConnect = "read the first event"
	opPoll    = "list audit log events"
	opUser    = "get user"

	// notEmail is of a 400 for what can be no user (seen in the field:
	// `Not an email, GID, or "me": x`).
	notEmail = "Not an email"
)

type session struct {
	rest *rest.Client
	now  func() time.Time
}

func open(env connector.Env) *session {
	return &session{rest: rest.New("asana", auth(), env, dialect()), now: env.Now}
}

func (s *session) logPath() string {
	return workspacesPath + s.rest.Var("workspace") + "/audit_log_events"
}

// Connect reads one event. The domain is in the path, so a log that can be read
// is the tenant's; a token that is no service account's of the domain, and a
// plan without the log, are Forbidden.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	a, err := s.rest.Do(ctx, rest.Request{Op: opConnect, Ref: s.logPath(), Query: url.Values{"limit": {"1"}}})
	if err != nil {
		return nil, err
	}
	if _, _, err := events(a); err != nil {
		return nil, a.Malformed(err)
	}
	return map[string]string{"workspace": s.rest.Var("workspace")}, nil
}

func events(a *rest.Answer) (rest.Doc, []connector.Record, error) {
	page, err := rest.Parse(a.Body)
	if err != nil {
		return nil, nil, err
	}
	list, err := page.Records("data", identify)
	return page, list, err
}

// Poll reads one page. While no event matches there is no offset, and the log is
// asked by time; from the first answer with one it is followed by its offset,
// that of the last page too, behind which later events come. The filters of the
// first call go along with it in the token, as they have to be sent again.
//
// From is the newest time seen, for going on by time when Asana no longer knows
// the offset.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	if stream != streamAudit {
		return connector.Page{}, s.rest.Fail(opPoll, connector.Forbidden, "there is no stream "+strconv.Quote(stream))
	}
	if at.Token == "" && !at.To.IsZero() && !at.From.Before(at.To) {
		return connector.Page{Next: connector.Cursor{From: at.To, To: at.To}, Done: true}, nil
	}
	query, err := s.query(at)
	if err != nil {
		return connector.Page{}, err
	}
	a, err := s.rest.Do(ctx, rest.Request{Op: opPoll, Ref: s.logPath(), Query: query})
	if err != nil {
		return connector.Page{}, expired(err, at)
	}
	page, list, err := events(a)
	if err != nil {
		return connector.Page{}, a.Malformed(err)
	}
	if offset := page.Text("next_page.offset"); offset != "" {
		query.Set("offset", offset)
	}
	return s.page(list, at, query), nil
}

// query is the filters of a cursor, with its offset where it has one. A token
// that cannot be of this log is as good as expired.
func (s *session) query(at connector.Cursor) (url.Values, error) {
	if at.Token == "" {
		query := url.Values{}
		if !at.From.IsZero() {
			query.Set("start_at", rest.Since(at.From))
		}
		if !at.To.IsZero() {
			query.Set("end_at", rest.Until(at.To))
		}
		return query, nil
	}
	query, err := url.ParseQuery(at.Token)
	for name := range query {
		if name != "start_at" && name != "end_at" && name != "offset" {
			err = errPlace
		}
	}
	if err != nil || query.Get("offset") == "" || query.Encode() != at.Token {
		return nil, s.rest.Fail(opPoll, connector.CursorExpired, errPlace.Error())
	}
	return query, nil
}

var errPlace = errors.New("the stored place is none of this log's")

// page makes the page and the cursor behind it. The live log has more at once
// only behind a full page. A window ends at an empty page: there is an offset
// behind its last event too.
func (s *session) page(list []connector.Record, at connector.Cursor, query url.Values) connector.Page {
	p := connector.Page{Records: list, Next: connector.Cursor{From: at.From, To: at.To}, Done: true}
	for _, r := range list {
		// A time from the future would lead past what is yet to come.
		if r.Time.After(p.Next.From) && !r.Time.After(s.now()) {
			p.Next.From = r.Time
		}
	}
	follows := query.Has("offset")
	switch {
	case !at.To.IsZero() && (len(list) == 0 || !follows):
		p.Next = connector.Cursor{From: at.To, To: at.To}
	case follows:
		p.Next.Token = query.Encode()
		p.Done = at.To.IsZero() && len(list) < pageMax
	}
	return p
}

// expired tells a refused offset from other failures: offsets are Asana's, so
// that a 400 on one says that it is no longer known ("Your pagination token has
// expired", seen in the field; no code comes with it).
func expired(err error, at connector.Cursor) error {
	e, ok := errors.AsType[*connector.Error](err)
	if ok && at.Token != "" && e.Status == http.StatusBadRequest {
		e.Kind = connector.CursorExpired
	}
	return err
}

// FindUser gets a user by e-mail address, and takes only one of the tenant: a
// person may have workspaces elsewhere, of which those are told that the service
// account is in as well.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !strings.Contains(email, "@") {
		return connector.User{}, connector.ErrNoUser
	}
	a, err := s.rest.Do(ctx, rest.Request{
		Op: opUser, Ref: usersPath + url.PathEscape(email), Query: url.Values{"opt_fields": {"name,email,workspaces"}},
	})
	if err != nil {
		if a != nil && (a.Status == http.StatusNotFound || a.Status == http.StatusBadRequest && strings.Contains(string(a.Body), notEmail)) {
			return connector.User{}, connector.ErrNoUser
		}
		return connector.User{}, err
	}
	doc, err := rest.Parse(a.Body)
	if err != nil {
		return connector.User{}, a.Malformed(err)
	}
	user, _ := doc.Member("data")
	if user.Text("gid") == "" {
		return connector.User{}, a.Malformed(errors.New("the user's gid is missing from the answer"))
	}
	if !s.within(user) {
		return connector.User{}, connector.ErrNoUser
	}
	return connector.User{ID: user.Text("gid"), Email: user.Text("email"), FullName: user.Text("name")}, nil
}

// within tells whether a user is in the tenant, as far as the answer says.
func (s *session) within(user rest.Doc) bool {
	list, err := user.Records("workspaces", func(w rest.Doc) (string, time.Time) { return w.Text("gid"), time.Time{} })
	if err != nil {
		return true
	}
	for _, w := range list {
		if w.ID == s.rest.Var("workspace") {
			return true
		}
	}
	return false
}
