package dropbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	eventsPath   = "/2/team_log/get_events"
	continuePath = "/2/team_log/get_events/continue"
	teamPath     = "/2/team/get_info"
	membersPath  = "/2/team/members/get_info_v2"

	opConnect = "read the first event"
	opTeam    = "show team"
	opPoll    = "list team events"
	opUser    = "look up member"

	// timestamps have whole seconds (common.stone, DropboxTimestamp).
	timestamp = "2006-01-02T15:04:05Z"
)

type session struct {
	rest *rest.Client
	now  func() time.Time
}

func open(env connector.Env) *session {
	return &session{rest: rest.New("dropbox", auth(), env, dialect()), now: env.Now}
}

// eventsArg is the argument of get_events. The range begins with its first
// second, and ends before its last.
type eventsArg struct {
	Limit int        `json:"limit"`
	Time  *timeRange `json:"time,omitempty"`
}

type timeRange struct {
	Start string `json:"start_time,omitempty"`
	End   string `json:"end_time,omitempty"`
}

type continueArg struct {
	Cursor string `json:"cursor"`
}

// call makes a call as Dropbox wants all of them: a POST of JSON.
func (s *session) call(ctx context.Context, op, path string, arg any) (*rest.Answer, rest.Doc, error) {
	body, err := json.Marshal(arg)
	if err != nil {
		return nil, nil, s.rest.Fail(op, connector.Malformed, err.Error())
	}
	a, err := s.rest.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Ref: path, Body: body, ContentType: "application/json"})
	if err != nil {
		return a, nil, plain(a, err)
	}
	doc, err := rest.Parse(a.Body)
	if err != nil {
		return a, nil, a.Malformed(err)
	}
	return a, doc, nil
}

// plain takes the words of a 400, which are plain text. One that speaks of the
// Authorization header may quote it, and is not shown.
func plain(a *rest.Answer, err error) error {
	e, ok := errors.AsType[*connector.Error](err)
	if ok && a != nil && a.Status == http.StatusBadRequest && e.Reason == "" && !strings.Contains(strings.ToLower(string(a.Body)), "authorization") {
		e.Reason = rest.Line(string(a.Body))
	}
	return err
}

// Connect asks for one event of the present second, and for the team. That the
// team is the one that the tenant's label means, nobody can tell; it is kept.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	arg := eventsArg{Limit: 1, Time: &timeRange{Start: s.now().UTC().Format(timestamp)}}
	a, page, err := s.call(ctx, opConnect, eventsPath, arg)
	if err != nil {
		return nil, err
	}
	if _, err := page.Records("events", identify); err != nil {
		return nil, a.Malformed(err)
	}
	a, team, err := s.call(ctx, opTeam, teamPath, nil)
	if err != nil {
		return nil, err
	}
	id := team.Text("team_id")
	if id == "" {
		return nil, a.Malformed(errors.New("the team's id is missing from the answer"))
	}
	return map[string]string{"team_id": id, "team": team.Text("name")}, nil
}

// Poll reads one page. Without an end of time the cursor may be asked for ever,
// and shows what has arrived since; with one it comes to an end. A page may be
// empty though more is behind it.
//
// From goes along as the newest time seen, for going on by time after a reset.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	if stream != streamEvents {
		return connector.Page{}, s.rest.Fail(opPoll, connector.Forbidden, "there is no stream "+strconv.Quote(stream))
	}
	if at.Token == "" && !at.To.IsZero() && !at.From.Before(at.To) {
		return connector.Page{Next: connector.Cursor{From: at.To, To: at.To}, Done: true}, nil
	}
	path, arg := eventsPath, any(eventsArg{Limit: pageMax, Time: within(at)})
	if at.Token != "" {
		path, arg = continuePath, continueArg{Cursor: at.Token}
	}
	a, doc, err := s.call(ctx, opPoll, path, arg)
	if err != nil {
		return connector.Page{}, expired(err, at)
	}
	records, err := doc.Records("events", identify)
	more, moreErr := flag(doc, "has_more")
	next := connector.Cursor{From: at.From, To: at.To, Token: doc.Text("cursor")}
	if err = cmp.Or(err, moreErr); err == nil && next.Token == "" {
		err = errors.New("the cursor is missing from the answer")
	}
	if err != nil {
		return connector.Page{}, a.Malformed(err)
	}
	if !more && !at.To.IsZero() {
		return connector.Page{Records: records, Next: connector.Cursor{From: at.To, To: at.To}, Done: true}, nil
	}
	for _, r := range records {
		// A time from the future would lead past what is yet to come.
		if r.Time.After(next.From) && !r.Time.After(s.now()) {
			next.From = r.Time
		}
	}
	return connector.Page{Records: records, Next: next, Done: !more}, nil
}

// within is the range of a cursor, in whole seconds: down at its start, up at
// its end. Nil: all that there is.
func within(at connector.Cursor) *timeRange {
	if at.From.IsZero() && at.To.IsZero() {
		return nil
	}
	r := new(timeRange)
	if !at.From.IsZero() {
		r.Start = at.From.UTC().Format(timestamp)
	}
	if !at.To.IsZero() {
		r.End = at.To.UTC().Add(time.Second - time.Nanosecond).Format(timestamp)
	}
	return r
}

func flag(doc rest.Doc, path string) (bool, error) {
	value, _ := doc.Member(path)
	b, err := strconv.ParseBool(string(value))
	if err != nil {
		return false, errors.New(path + " is missing from the answer")
	}
	return b, nil
}

// expired: what Dropbox cannot read of a cursor is a 400, as good as a reset.
func expired(err error, at connector.Cursor) error {
	e, ok := errors.AsType[*connector.Error](err)
	if ok && at.Token != "" && e.Status == http.StatusBadRequest {
		e.Kind = connector.CursorExpired
	}
	return err
}

// address is what Dropbox takes for an e-mail address (common.stone,
// EmailAddress); all else is refused with a 400, so nobody can have it.
const address = `^['#&A-Za-z0-9._%+-]+@[A-Za-z0-9-][A-Za-z0-9.-]*\.[A-Za-z]{2,15}$`

type membersArg struct {
	Members []memberArg `json:"members"`
}

type memberArg struct {
	Tag   string `json:".tag"`
	Email string `json:"email"`
}

// FindUser looks a member of the team up.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if ok, err := regexp.MatchString(address, email); err != nil || !ok || len(email) > 255 {
		return connector.User{}, connector.ErrNoUser
	}
	a, doc, err := s.call(ctx, opUser, membersPath, membersArg{[]memberArg{{"email", email}}})
	if err != nil {
		return connector.User{}, err
	}
	member, _ := doc.Member("members_info.0")
	switch member.Text(`\.tag`) {
	case "id_not_found":
		return connector.User{}, connector.ErrNoUser
	case "member_info":
		return connector.User{
			ID:        cmp.Or(member.Text("profile.team_member_id"), member.Text("profile.account_id")),
			Email:     member.Text("profile.email"),
			FullName:  member.Text("profile.name.display_name"),
			FirstName: member.Text("profile.name.given_name"),
			LastName:  member.Text("profile.name.surname"),
			Status:    member.Text(`profile.status.\.tag`),
		}, nil
	}
	return connector.User{}, a.Malformed(errors.New("the member is missing from the answer"))
}
