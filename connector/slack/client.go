package slack

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
	webOrigin = "https://slack.com" // of the Web API

	logsPath = "/audit/v1/logs"
	testPath = "/api/auth.test"
	userPath = "/api/users.lookupByEmail"

	opConnect = "read the first record"
	opWho     = "ask whose the grant is"
	opPoll    = "list audit log"
	opUser    = "look up user"

	codeNoUser = "users_not_found"
)

type session struct {
	rest *rest.Client
	now  func() time.Time
}

func open(env connector.Env) *session {
	return &session{rest: rest.New("slack", auth(), env, dialect()), now: env.Now}
}

// do calls, and takes an answer that says "ok":false for the refusal that it is.
func (s *session) do(ctx context.Context, r rest.Request) (*rest.Answer, rest.Doc, error) {
	a, err := s.rest.Do(ctx, r)
	if err != nil {
		return a, nil, err
	}
	doc, err := rest.Parse(a.Body)
	if err != nil {
		return a, nil, a.Malformed(err)
	}
	if ok, found := doc.Member("ok"); found && string(ok) == "false" {
		return a, nil, a.Refusal()
	}
	return a, doc, nil
}

// Connect reads one record and asks whose the token is: the log is that of the
// token's own organization, whatever the tenant identifier says.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	a, doc, err := s.do(ctx, rest.Request{Op: opConnect, Ref: logsPath, Query: url.Values{"limit": {"1"}}})
	if err != nil {
		return nil, err
	}
	if _, err := doc.Records("entries", identify); err != nil {
		return nil, a.Malformed(err)
	}
	_, who, err := s.do(ctx, rest.Request{Op: opWho, Method: http.MethodPost, Origin: webOrigin, Ref: testPath})
	if err != nil {
		return nil, err
	}
	name := domain(who.Text("url"))
	if name != "" && name != s.rest.Var("name") {
		return nil, s.rest.Fail(opWho, connector.Forbidden, "the grant is for "+who.Text("url")+", not for the tenant "+
			strconv.Quote(s.rest.Var("name"))+": either consent there, or name "+strconv.Quote(name)+" as the tenant")
	}
	return map[string]string{
		"domain":        cmp.Or(name, s.rest.Var("name")),
		"enterprise_id": cmp.Or(who.Text("enterprise_id"), who.Text("team_id")),
		"team":          who.Text("team"),
	}, nil
}

// domain is the name in the address of an organization or a workspace, such as
// "acme" of https://acme.enterprise.slack.com/; empty for any other address.
func domain(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	host, ok := strings.CutSuffix(strings.ToLower(u.Hostname()), ".slack.com")
	if !ok {
		return ""
	}
	return strings.TrimSuffix(host, ".enterprise")
}

// Poll reads one page of the walk from the newest record back to the cursor's
// From. A finished live walk goes on where it began in time, not at the newest
// record seen: what arrived during the walk is read by the next. Each page is
// asked for with the same bounds, as Slack's paging wants it.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	if stream != streamAudit {
		return connector.Page{}, s.rest.Fail(opPoll, connector.Forbidden, "there is no stream "+strconv.Quote(stream))
	}
	trail, err := s.trail(at)
	if err != nil {
		return connector.Page{}, err
	}
	if at.Token == "" && !at.To.IsZero() && !at.From.Before(at.To) {
		return connector.Page{Next: end(trail, at), Done: true}, nil
	}
	a, doc, err := s.do(ctx, rest.Request{Op: opPoll, Ref: logsPath, Query: query(trail, at)})
	if err != nil {
		return connector.Page{}, err
	}
	if at.Token == "" && trail.Began.After(a.Dated(trail.Began)) {
		// Our clock is ahead: going on from it would leave records unread.
		trail.Began = a.Dated(trail.Began)
	}
	records, err := doc.Records("entries", identify)
	if err != nil {
		return connector.Page{}, a.Malformed(err)
	}
	page := connector.Page{Records: within(records, at)}
	if after := doc.Text("response_metadata.next_cursor"); after != "" {
		page.Next = connector.Cursor{From: at.From, To: at.To, Token: trail.Next(after).Token()}
		return page, nil
	}
	page.Next, page.Done = end(trail, at), true
	return page, nil
}

// trail returns the place of a cursor: the first page of a new walk where it
// has no token. A token that is no place is as good as expired.
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

// query asks for whole seconds, all that oldest and latest can say; both take
// in what they name.
func query(trail rest.Trail, at connector.Cursor) url.Values {
	q := url.Values{"limit": {strconv.Itoa(pageMax)}}
	if !at.From.IsZero() {
		q.Set("oldest", strconv.FormatInt(max(at.From.Unix(), oldest), 10))
	}
	if !at.To.IsZero() {
		q.Set("latest", strconv.FormatInt(at.To.Unix(), 10))
	}
	if trail.After != "" {
		q.Set("cursor", trail.After)
	}
	return q
}

// end is where a finished walk leaves the cursor.
func end(trail rest.Trail, at connector.Cursor) connector.Cursor {
	if at.To.IsZero() {
		return connector.Cursor{From: trail.Began}
	}
	return connector.Cursor{From: at.To, To: at.To}
}

// within leaves out what happened beyond a window's bounds.
func within(records []connector.Record, at connector.Cursor) []connector.Record {
	if at.To.IsZero() {
		return records
	}
	kept := records[:0]
	for _, r := range records {
		if r.Time.IsZero() || !r.Time.Before(at.From) && r.Time.Before(at.To) {
			kept = append(kept, r)
		}
	}
	return kept
}

// FindUser looks a user up by e-mail address.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !strings.Contains(email, "@") {
		return connector.User{}, connector.ErrNoUser
	}
	a, doc, err := s.do(ctx, rest.Request{
		Op: opUser, Origin: webOrigin, Ref: userPath, Query: url.Values{"email": {email}},
	})
	if err != nil {
		if a != nil && a.Code() == codeNoUser {
			return connector.User{}, connector.ErrNoUser
		}
		return connector.User{}, err
	}
	user, _ := doc.Member("user")
	if user.Text("id") == "" {
		return connector.User{}, a.Malformed(errors.New("the user's id is missing from the answer"))
	}
	status := "active"
	if deleted, _ := user.Member("deleted"); string(deleted) == "true" {
		status = "deleted"
	}
	return connector.User{
		ID:        user.Text("id"),
		Email:     user.Text("profile.email"),
		FullName:  cmp.Or(user.Text("profile.real_name"), user.Text("real_name")),
		FirstName: user.Text("profile.first_name"),
		LastName:  user.Text("profile.last_name"),
		Status:    status,
	}, nil
}
