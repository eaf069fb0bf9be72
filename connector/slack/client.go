package slack

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

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

type session struct{ rest *rest.Client }

func open(env connector.Env) *session {
	return &session{rest: rest.New("slack", auth(), env, dialect())}
}

// Connect reads one record and asks whose the token is: the log is that of the
// token's own organization, whatever the tenant identifier says.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	if _, _, err := s.rest.List(ctx, rest.Request{Op: opConnect, Ref: logsPath, Query: url.Values{"limit": {"1"}}}, "entries", identify); err != nil {
		return nil, err
	}
	_, who, err := s.rest.Get(ctx, rest.Request{Op: opWho, Method: http.MethodPost, Origin: webOrigin, Ref: testPath})
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
// From. Each page is asked for with the same bounds, as Slack's paging wants it:
// whole seconds, all that oldest and latest can say; both take in what they name.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	if stream != streamAudit {
		return connector.Page{}, s.rest.NoStream(opPoll, stream)
	}
	return s.rest.Walk(ctx, at, rest.Feed{
		Op: opPoll,
		Ask: func(t rest.Trail) (rest.Request, error) {
			q := url.Values{"limit": {strconv.Itoa(pageMax)}}
			if !at.From.IsZero() {
				q.Set("oldest", strconv.FormatInt(max(at.From.Unix(), oldest), 10))
			}
			if !at.To.IsZero() {
				q.Set("latest", strconv.FormatInt(at.To.Unix(), 10))
			}
			if t.After != "" {
				q.Set("cursor", t.After)
			}
			return rest.Request{Ref: logsPath, Query: q}, nil
		},
		Read: func(a *rest.Answer, _ rest.Trail) (rest.Sheet, error) {
			doc, records, err := a.Records("entries", identify)
			return rest.Sheet{Records: records, Next: doc.Text("response_metadata.next_cursor")}, err
		},
	})
}

// FindUser looks a user up by e-mail address.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !rest.Address(email) {
		return connector.User{}, connector.ErrNoUser
	}
	a, answer, err := s.rest.Get(ctx, rest.Request{Op: opUser, Origin: webOrigin, Ref: userPath, Query: url.Values{"email": {email}}})
	if err != nil {
		if a != nil && a.Code() == codeNoUser {
			return connector.User{}, connector.ErrNoUser
		}
		return connector.User{}, err
	}
	doc, _ := answer.Member("user")
	user, err := a.User(doc, connector.User{
		ID: "id", Email: "profile.email", FullName: "profile.real_name|real_name", FirstName: "profile.first_name", LastName: "profile.last_name",
	})
	if err != nil {
		return connector.User{}, err
	}
	user.Status = "active"
	if deleted, _ := doc.Flag("deleted"); deleted {
		user.Status = "deleted"
	}
	return user, nil
}
