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

type session struct {
	rest *rest.Client
	now  func() time.Time
}

func open(env connector.Env) *session {
	return &session{rest: rest.New("m365", auth(), env, dialect()), now: env.Now}
}

// Connect shows the organization of the token, which must be the tenant. That
// is all which AppFabric's permissions reach; the logs are for the streams to try.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	a, err := s.rest.Do(ctx, rest.Request{Op: opConnect, Ref: orgPath, Query: url.Values{"$select": {"id"}}})
	if err != nil {
		return nil, err
	}
	answer, err := rest.Parse(a.Body)
	if err != nil {
		return nil, a.Malformed(err)
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
// From. A finished live walk goes on where it began in time, not at the newest
// record seen, so that what arrived during the walk is read by the next.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	f, ok := feeds(stream)
	if !ok {
		return connector.Page{}, s.rest.Fail(opPoll, connector.Forbidden, "there is no stream "+strconv.Quote(stream))
	}
	trail, err := s.trail(at)
	if err != nil {
		return connector.Page{}, err
	}
	if at.Token == "" && !at.To.IsZero() && !at.From.Before(at.To) {
		return connector.Page{Next: end(trail, at), Done: true}, nil
	}
	a, err := s.rest.Do(ctx, request(f, trail, at))
	if err != nil {
		return connector.Page{}, expired(err, at)
	}
	if at.Token == "" && trail.Began.After(a.Dated(trail.Began)) {
		// Our clock is ahead: going on from it would leave records unread.
		trail.Began = a.Dated(trail.Began)
	}
	next, records, err := page(a, f)
	if err != nil {
		return connector.Page{}, a.Malformed(err)
	}
	p := connector.Page{Records: records, Next: end(trail, at), Done: next == ""}
	if !p.Done {
		p.Next = connector.Cursor{From: at.From, To: at.To, Token: trail.Next(next).Token()}
	}
	return p, nil
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

// request asks for the first page by time, and for others by what the page
// before has told: the query of its next link.
func request(f feed, trail rest.Trail, at connector.Cursor) rest.Request {
	if trail.After != "" {
		return rest.Request{Op: opPoll, Ref: f.path + "?" + trail.After}
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
	return rest.Request{Op: opPoll, Ref: f.path, Query: query}
}

// ticks is the spelling of times: to 100 ns, cut off.
const ticks = "2006-01-02T15:04:05.0000000Z"

// page reads the records, and the query of the link to the next page.
func page(a *rest.Answer, f feed) (next string, records []connector.Record, err error) {
	doc, err := rest.Parse(a.Body)
	if err != nil {
		return "", nil, err
	}
	u, err := a.Follow(doc.Text(`@odata\.nextLink`))
	switch {
	case err != nil:
		return "", nil, err
	case u == nil:
	case !strings.EqualFold(u.EscapedPath(), f.path) || u.RawQuery == "":
		return "", nil, errors.New("the link to the next page leads out of the log")
	default:
		next = u.RawQuery
	}
	records, err = doc.Records("value", func(record rest.Doc) (string, time.Time) {
		return record.Text("id"), rest.Time(record.Text(f.time))
	})
	return next, records, err
}

// end is where a finished walk leaves the cursor.
func end(trail rest.Trail, at connector.Cursor) connector.Cursor {
	if at.To.IsZero() {
		return connector.Cursor{From: trail.Began}
	}
	return connector.Cursor{From: at.To, To: at.To}
}

// expired tells a refused link from other failures: links are made by
// Microsoft, so a 400 on one says that it is no longer known (its code is
// unverified).
func expired(err error, at connector.Cursor) error {
	e, ok := errors.AsType[*connector.Error](err)
	if ok && at.Token != "" && (e.Status == http.StatusBadRequest || e.Status == http.StatusGone) {
		e.Kind = connector.CursorExpired
	}
	return err
}
