package smartsheet

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
	a, err := s.rest.Do(ctx, rest.Request{Op: opConnect, Ref: eventsPath, Query: query})
	if err != nil {
		return nil, err
	}
	if _, _, err := events(a); err != nil {
		return nil, a.Malformed(err)
	}
	a, err = s.rest.Do(ctx, rest.Request{Op: opMe, Ref: mePath})
	if err != nil {
		return nil, err
	}
	me, err := rest.Parse(a.Body)
	if err != nil {
		return nil, a.Malformed(err)
	}
	if me.Scalar("id") == "" {
		return nil, a.Malformed(errors.New("the user's id is missing from the answer"))
	}
	return map[string]string{"account_id": me.Scalar("account.id"), "account": me.Text("account.name")}, nil
}

// events reads a page of the stream.
func events(a *rest.Answer) (rest.Doc, []connector.Record, error) {
	page, err := rest.Parse(a.Body)
	if err != nil {
		return nil, nil, err
	}
	records, err := page.Records("data", identify)
	return page, records, err
}

// spell writes the full hour before t. Smartsheet counts times to the nearest
// hour: any other might be taken for a later one.
func spell(t time.Time) string { return t.UTC().Truncate(time.Hour).Format(time.RFC3339) }

// Poll reads one page. The position behind a page may be asked for ever, and
// shows what has arrived since. Of a window, whose bounds count to the hour, what
// lies outside is left out.
//
// From goes along as the newest time seen, for going on by time when Smartsheet
// no longer knows the position.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	if stream != streamEvents {
		return connector.Page{}, s.rest.Fail(opPoll, connector.Forbidden, "there is no stream "+strconv.Quote(stream))
	}
	if at.Token == "" && !at.To.IsZero() && !at.From.Before(at.To) {
		return connector.Page{Next: connector.Cursor{From: at.To, To: at.To}, Done: true}, nil
	}
	query := request(at)
	query.Set("maxCount", strconv.Itoa(pageMax))
	a, err := s.rest.Do(ctx, rest.Request{Op: opPoll, Ref: eventsPath, Query: query})
	if err != nil {
		return connector.Page{}, expired(err, at)
	}
	doc, records, err := events(a)
	next := connector.Cursor{From: at.From, To: at.To, Token: doc.Text("nextStreamPosition")}
	more, moreErr := flag(doc, "moreAvailable")
	if err = cmp.Or(err, moreErr); err == nil && next.Token == "" {
		err = errors.New("the position behind the page is missing from the answer")
	}
	if err != nil {
		return connector.Page{}, a.Malformed(err)
	}
	if !at.To.IsZero() {
		return window(records, at, next, more), nil
	}
	for _, r := range records {
		// A time from the future would lead past what is yet to come.
		if r.Time.After(next.From) && !r.Time.After(s.now()) {
			next.From = r.Time
		}
	}
	return connector.Page{Records: records, Next: next, Done: !more}, nil
}

// request names the place where to read. Without a time, the stream is read
// from its beginning.
//
// Smartsheet asks for an end beside since, "to keep event responses manageable"
// (https://developers.smartsheet.com/api/smartsheet/openapi/events/list-events,
// checked 2026-11-22). A live walk sends none: whether a position remembers the
// end is nowhere written, and one that did would never show what arrives later.
func request(at connector.Cursor) url.Values {
	if at.Token != "" {
		return url.Values{"streamPosition": {at.Token}}
	}
	query := url.Values{"since": {spell(time.Unix(0, 0))}}
	if !at.From.IsZero() {
		query.Set("since", spell(at.From))
	}
	if !at.To.IsZero() {
		query.Set("to", spell(at.To.Add(time.Hour-time.Nanosecond)))
	}
	return query
}

// window keeps what happened within the bounds of the cursor, which stay what they
// are. Whether a position remembers the end that was asked for is nowhere
// written: a page that lies wholly behind it, by more than events are late, ends
// the window too.
func window(records []connector.Record, at, next connector.Cursor, more bool) connector.Page {
	kept, behind := records[:0:0], len(records) > 0
	for _, r := range records {
		if r.Time.IsZero() || !r.Time.Before(at.From) && r.Time.Before(at.To) {
			kept = append(kept, r)
		}
		behind = behind && r.Time.After(at.To.Add(overlap))
	}
	if !more || behind {
		return connector.Page{Records: kept, Next: connector.Cursor{From: at.To, To: at.To}, Done: true}
	}
	return connector.Page{Records: kept, Next: next}
}

func flag(doc rest.Doc, path string) (bool, error) {
	value, _ := doc.Member(path)
	b, err := strconv.ParseBool(string(value))
	if err != nil {
		return false, errors.New(path + " is missing from the answer")
	}
	return b, nil
}

// expired tells a refused position from other failures. Positions are made by
// Smartsheet, so a 400 on one says that it no longer knows it; the documentation
// names no code of its own for that (unverified).
func expired(err error, at connector.Cursor) error {
	e, ok := errors.AsType[*connector.Error](err)
	if ok && at.Token != "" && e.Status == http.StatusBadRequest && e.Kind == connector.Unavailable {
		e.Kind = connector.CursorExpired
	}
	return err
}

// FindUser looks a user up in the account's list. A comma would make two
// addresses of one.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !strings.Contains(email, "@") || strings.Contains(email, ",") {
		return connector.User{}, connector.ErrNoUser
	}
	a, err := s.rest.Do(ctx, rest.Request{Op: opUser, Ref: usersPath, Query: url.Values{"email": {email}}})
	if err != nil {
		return connector.User{}, err
	}
	doc, err := rest.Parse(a.Body)
	if err != nil {
		return connector.User{}, a.Malformed(err)
	}
	users, err := doc.Records("data", func(user rest.Doc) (string, time.Time) { return user.Scalar("id"), time.Time{} })
	if err != nil {
		return connector.User{}, a.Malformed(err)
	}
	for _, r := range users {
		user := rest.Doc(r.Raw)
		if !strings.EqualFold(user.Text("email"), email) || r.ID == "" {
			continue
		}
		first, last := user.Text("firstName"), user.Text("lastName")
		return connector.User{
			ID: r.ID, Email: user.Text("email"), FirstName: first, LastName: last, Status: user.Text("status"),
			FullName: cmp.Or(user.Text("name"), strings.TrimSpace(first+" "+last)),
		}, nil
	}
	return connector.User{}, connector.ErrNoUser
}
