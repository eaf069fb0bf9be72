package okta

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
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
	request := rest.Request{Op: opConnect, Ref: logsPath, Query: url.Values{"limit": {"1"}}}
	if _, _, err := s.rest.List(ctx, request, "", identify); err != nil {
		return nil, err
	}
	return map[string]string{"domain": s.rest.Var("domain")}, nil
}

// Poll reads one page. The live tail is a polling request (no until, ascending):
// ordered by the time at which Okta stored the events, with a next link on
// every page, the empty one too. A window is a bounded request: ordered by
// published, the last page without a link.
//
// The link is kept in Token without its host.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	if stream != streamLog {
		return connector.Page{}, s.rest.NoStream(opPoll, stream)
	}
	if oldest := s.now().Add(-sinceReach); !at.From.IsZero() && at.From.Before(oldest) {
		at.From = oldest // Okta accepts no other
	}
	return s.rest.Tail(ctx, at, rest.Feed{
		Op:   opPoll,
		Ask:  func(t rest.Trail) (rest.Request, error) { return request(t, at) },
		Read: read,
	})
}

func request(t rest.Trail, at connector.Cursor) (rest.Request, error) {
	if t.After != "" {
		_, err := rest.Place(t.After, logsPath)
		return rest.Request{Ref: t.After}, err
	}
	query := url.Values{"sortOrder": {"ASCENDING"}, "limit": {strconv.Itoa(pageMax)}}
	if !at.From.IsZero() {
		query.Set("since", rest.Since(at.From))
	}
	if !at.To.IsZero() {
		query.Set("until", rest.Until(at.To))
	}
	return rest.Request{Ref: logsPath, Query: query}, nil
}

// read takes a page apart. A polling request has more at once only behind a full
// page; a bounded one wherever there is a link.
func read(a *rest.Answer, t rest.Trail) (rest.Sheet, error) {
	next, err := a.Next()
	if err != nil {
		return rest.Sheet{}, err
	}
	_, list, err := a.Records("", identify)
	return rest.Sheet{Records: list, Next: next, More: next != "" && (!t.Until.IsZero() || len(list) >= limit(t))}, err
}

// limit is how many records fill a page.
func limit(t rest.Trail) int {
	query, err := rest.Place(t.After, logsPath)
	if err != nil {
		return pageMax
	}
	n, err := strconv.Atoi(query.Get("limit"))
	if err != nil {
		return pageDefault
	}
	return n
}

// FindUser looks a user up by login, which is the e-mail address unless the
// organization has its own form.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !rest.Address(email) {
		return connector.User{}, connector.ErrNoUser
	}
	a, user, err := s.rest.Get(ctx, rest.Request{Op: opUser, Ref: usersPath + url.PathEscape(email)})
	if a.Is(http.StatusNotFound, codeNotFound) {
		return connector.User{}, connector.ErrNoUser
	}
	if err != nil {
		return connector.User{}, err
	}
	return a.User(user, connector.User{
		ID: "id", Email: "profile.email", FullName: "profile.displayName",
		FirstName: "profile.firstName", LastName: "profile.lastName", Status: "status",
	})
}
