package m365

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
	opConnect = "show organization"
	opPoll    = "list log"
	opUser    = "look up user"

	// orgPath needs no more than User.Read:
	// https://learn.microsoft.com/en-us/graph/api/organization-list (checked 2026-11-22).
	orgPath   = "/v1.0/organization"
	usersPath = "/v1.0/users"
)

// feed is one log: where it is, and which member of a record has its time.
type feed struct{ path, time string }

func feeds(stream string) (feed, bool) {
	f, ok := map[string]feed{
		streamAudits: {"/v1.0/auditLogs/directoryAudits", "activityDateTime"},
		streamSignIn: {"/v1.0/auditLogs/signIns", "createdDateTime"},
	}[stream]
	return f, ok
}

type session struct{ rest *rest.Client }

func open(env connector.Env) *session {
	return &session{rest: rest.New("m365", auth(), env, dialect())}
}

// Connect shows the organization of the token, which must be the tenant. That
// is all which AppFabric's permissions reach; the logs are for the streams to try.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	a, answer, err := s.rest.Get(ctx, rest.Request{Op: opConnect, Ref: orgPath, Query: url.Values{"$select": {"id"}}})
	if err != nil {
		return nil, err
	}
	id := answer.Text("value.0.id")
	switch {
	case id == "":
		return nil, a.Malformed(errors.New("the organization is missing from the answer"))
	case !strings.EqualFold(id, s.rest.Var("tenant")):
		return nil, s.rest.Fail(opConnect, connector.Forbidden, "the grant is of another tenant, "+id)
	}
	return map[string]string{"tenant_id": id}, nil
}

// Poll reads one page of the walk from the newest record back to the cursor's
// From.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	f, ok := feeds(stream)
	if !ok {
		return connector.Page{}, s.rest.NoStream(opPoll, stream)
	}
	return s.rest.Walk(ctx, at, rest.Feed{
		Op:   opPoll,
		Ask:  func(t rest.Trail) (rest.Request, error) { return request(f, t, at), nil },
		Read: func(a *rest.Answer, _ rest.Trail) (rest.Sheet, error) { return read(a, f) },
	})
}

// request asks for the first page by time, and for others by what the page
// before has told: the query of its next link.
func request(f feed, t rest.Trail, at connector.Cursor) rest.Request {
	if t.After != "" {
		return rest.Request{Ref: f.path + "?" + t.After}
	}
	query := url.Values{"$top": {strconv.Itoa(pageMax)}}
	var bounds []string
	if !at.From.IsZero() {
		bounds = append(bounds, f.time+" ge "+at.From.UTC().Format(ticks))
	}
	if !at.To.IsZero() {
		// There is le and no lt, and times are counted in units of 100 ns.
		bounds = append(bounds, f.time+" le "+at.To.UTC().Add(-1).Format(ticks))
	}
	if len(bounds) > 0 {
		query.Set("$filter", strings.Join(bounds, " and "))
	}
	return rest.Request{Ref: f.path, Query: query}
}

// ticks is the spelling of times: to 100 ns, cut off.
const ticks = "2006-01-02T15:04:05.0000000Z"

// read takes a page apart; of the link to the next one, its query.
func read(a *rest.Answer, f feed) (rest.Sheet, error) {
	doc, records, err := a.Records("value", func(record rest.Doc) (string, time.Time) {
		return record.Text("id"), rest.Time(record.Text(f.time))
	})
	if err != nil {
		return rest.Sheet{}, err
	}
	u, err := a.Follow(doc.Text(`@odata\.nextLink`))
	switch {
	case err != nil:
		return rest.Sheet{}, err
	case u == nil:
		return rest.Sheet{Records: records}, nil
	case !strings.EqualFold(u.EscapedPath(), f.path) || u.RawQuery == "":
		return rest.Sheet{}, errors.New("the link to the next page leads out of the log")
	}
	return rest.Sheet{Records: records, Next: u.RawQuery}, nil
}

// basic is what User.ReadBasic.All shows of a user; whether the account is
// enabled is only for User.Read.All.
// https://learn.microsoft.com/en-us/graph/permissions-reference (checked 2026-11-22)
const basic = "id,displayName,givenName,surname,mail,userPrincipalName"

// FindUser looks a user up by address or principal name. One person's address
// may be another's principal name: the principal name, which nobody shares, goes
// first. Of an address that several have and that is nobody's principal name, it
// cannot be told who is meant: that is ErrNoUser too. A grant that does not reach
// the account's state is asked for the rest.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !rest.Address(email) {
		return connector.User{}, connector.ErrNoUser
	}
	a, list, err := s.users(ctx, email, basic+",accountEnabled")
	if a.Is(http.StatusForbidden, "") {
		a, list, err = s.users(ctx, email, basic)
	}
	if err != nil {
		return connector.User{}, err
	}
	found, ok := choose(list, email)
	if !ok {
		return connector.User{}, connector.ErrNoUser
	}
	user, err := a.User(found, connector.User{
		ID: "id", Email: "mail|userPrincipalName", FullName: "displayName", FirstName: "givenName", LastName: "surname",
	})
	user.Status = state(found)
	return user, err
}

// choose takes the one whose principal name the address is, else the only one
// whose mail it is.
func choose(list []connector.Record, email string) (found rest.Doc, ok bool) {
	mails := 0
	for _, r := range list {
		user := rest.Doc(r.Raw)
		if strings.EqualFold(user.Text("userPrincipalName"), email) {
			return user, true
		}
		if strings.EqualFold(user.Text("mail"), email) {
			found, mails = user, mails+1
		}
	}
	return found, mails == 1
}

func (s *session) users(ctx context.Context, email, members string) (*rest.Answer, []connector.Record, error) {
	// Of an OData string, a quote is written twice.
	quoted := "'" + strings.ReplaceAll(email, "'", "''") + "'"
	return s.rest.List(ctx, rest.Request{Op: opUser, Ref: usersPath, Query: url.Values{
		"$filter": {"mail eq " + quoted + " or userPrincipalName eq " + quoted},
		"$select": {members},
	}}, "value", rest.By("id"))
}

// state says in words what accountEnabled does.
func state(user rest.Doc) string {
	switch enabled, known := user.Flag("accountEnabled"); {
	case enabled:
		return "Enabled"
	case known:
		return "Disabled"
	}
	return ""
}
