package dropbox

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
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

// post is a call as Dropbox wants all of them: a POST of JSON.
func post(op, path string, arg any) (rest.Request, error) {
	body, err := json.Marshal(arg)
	return rest.Request{Op: op, Method: http.MethodPost, Ref: path, Body: body, ContentType: "application/json"}, err
}

func (s *session) call(ctx context.Context, op, path string, arg any) (*rest.Answer, rest.Doc, error) {
	request, err := post(op, path, arg)
	if err != nil {
		return nil, nil, s.rest.Fail(op, connector.Malformed, err.Error())
	}
	return s.rest.Get(ctx, request)
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
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	if stream != streamEvents {
		return connector.Page{}, s.rest.NoStream(opPoll, stream)
	}
	return s.rest.Tail(ctx, at, rest.Feed{
		Op: opPoll,
		Ask: func(t rest.Trail) (rest.Request, error) {
			if t.After != "" {
				return post(opPoll, continuePath, continueArg{Cursor: t.After})
			}
			return post(opPoll, eventsPath, eventsArg{Limit: pageMax, Time: within(at)})
		},
		Read: read,
	})
}

// read takes a page apart. Without a cursor or a has_more nobody knows where to go
// on.
func read(a *rest.Answer, _ rest.Trail) (rest.Sheet, error) {
	page, list, err := a.Records("events", identify)
	if err != nil {
		return rest.Sheet{}, err
	}
	more, known := page.Flag("has_more")
	next := page.Text("cursor")
	if next == "" || !known {
		return rest.Sheet{}, errors.New("the cursor or has_more is missing from the answer")
	}
	return rest.Sheet{Records: list, Next: next, More: more}, nil
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
		profile, _ := member.Member("profile")
		return a.User(profile, connector.User{
			ID: "team_member_id|account_id", Email: "email", FullName: "name.display_name",
			FirstName: "name.given_name", LastName: "name.surname", Status: `status.\.tag`,
		})
	}
	return connector.User{}, a.Malformed(errors.New("the member is missing from the answer"))
}
