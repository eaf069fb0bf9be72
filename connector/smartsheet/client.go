package smartsheet

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	eventsPath = "/2.0/events"
	usersPath  = "/2.0/users"
	mePath     = "/2.0/users/me"

	opConnect = "read the first event"
	opMe      = "show current user"
	opPoll    = "list events"
	opUser    = "look up user"
)

type session struct {
	rest *rest.Client
	now  func() time.Time
}

func open(env connector.Env) *session {
	return &session{rest: rest.New("smartsheet", auth(), env, dialect()), now: env.Now}
}

// Connect asks for one event, and for the person who consented. That the account
// is the one that the tenant's label means, nobody can tell; it is kept.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	query := url.Values{"since": {spell(s.now())}, "maxCount": {"1"}}
	if _, _, err := s.rest.List(ctx, rest.Request{Op: opConnect, Ref: eventsPath, Query: query}, "data", identify); err != nil {
		return nil, err
	}
	a, me, err := s.rest.Get(ctx, rest.Request{Op: opMe, Ref: mePath})
	if err != nil {
		return nil, err
	}
	if me.Scalar("id") == "" {
		return nil, a.Malformed(errors.New("the user's id is missing from the answer"))
	}
	return map[string]string{"account_id": me.Scalar("account.id"), "account": me.Text("account.name")}, nil
}

// spell writes the full hour before t. Smartsheet counts times to the nearest
// hour: any other might be taken for a later one.
func spell(t time.Time) string { return t.UTC().Truncate(time.Hour).Format(time.RFC3339) }

// Poll reads one page. The position behind a page may be asked for ever, and
// shows what has arrived since. Of a window, whose bounds count to the hour, what
// lies outside is left out.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	if stream != streamEvents {
		return connector.Page{}, s.rest.NoStream(opPoll, stream)
	}
	return s.rest.Tail(ctx, at, rest.Feed{
		Op:   opPoll,
		Ask:  func(t rest.Trail) (rest.Request, error) { return request(t, at), nil },
		Read: read,
	})
}

// request names the place where to read. Without a time, the stream is read
// from its beginning.
//
// Smartsheet asks for an end beside since, "to keep event responses manageable"
// (https://developers.smartsheet.com/api/smartsheet/openapi/events/list-events,
// checked 2026-11-22). A live walk sends none: whether a position remembers the
// end is nowhere written, and one that did would never show what arrives later.
func request(t rest.Trail, at connector.Cursor) rest.Request {
	query := url.Values{"maxCount": {strconv.Itoa(pageMax)}}
	switch {
	case t.After != "":
		query.Set("streamPosition", t.After)
	case at.From.IsZero():
		query.Set("since", spell(time.Unix(0, 0)))
	default:
		query.Set("since", spell(at.From))
	}
	if t.After == "" && !at.To.IsZero() {
		query.Set("to", spell(at.To.Add(time.Hour-time.Nanosecond)))
	}
	return rest.Request{Ref: eventsPath, Query: query}
}

// read takes a page apart. Whether a position remembers the end that was asked for
// is nowhere written: a page that lies wholly behind it, by more than events are
// late, ends a window too.
func read(a *rest.Answer, t rest.Trail) (rest.Sheet, error) {
	page, list, err := a.Records("data", identify)
	if err != nil {
		return rest.Sheet{}, err
	}
	more, known := page.Flag("moreAvailable")
	next := page.Text("nextStreamPosition")
	if next == "" || !known {
		return rest.Sheet{}, errors.New("the position behind the page or moreAvailable is missing from the answer")
	}
	far := t.Until.Add(overlap)
	if !t.Until.IsZero() && len(list) > 0 && !slices.ContainsFunc(list, func(r connector.Record) bool { return !r.Time.After(far) }) {
		more = false
	}
	return rest.Sheet{Records: list, Next: next, More: more}, nil
}

// FindUser looks a user up in the account's list. A comma would make two
// addresses of one.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !rest.Address(email) || strings.Contains(email, ",") {
		return connector.User{}, connector.ErrNoUser
	}
	a, users, err := s.rest.List(ctx, rest.Request{Op: opUser, Ref: usersPath, Query: url.Values{"email": {email}}}, "data", rest.By("id"))
	if err != nil {
		return connector.User{}, err
	}
	for _, r := range users {
		if user := rest.Doc(r.Raw); strings.EqualFold(user.Text("email"), email) && r.ID != "" {
			return a.User(user, connector.User{
				ID: "id", Email: "email", FullName: "name", FirstName: "firstName", LastName: "lastName", Status: "status",
			})
		}
	}
	return connector.User{}, connector.ErrNoUser
}
