package cisco

import (
	"context"
	"encoding/base64"
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
	opMe   = "show who consented"
	opPoll = "list events"
	opUser = "list people"

	mePath     = "/v1/people/me"
	peoplePath = "/v1/people"

	factOrg = "org_id" // in the API's spelling
)

type session struct {
	rest *rest.Client
	now  func() time.Time
	org  string // in the API's spelling; empty: not known yet
}

func open(env connector.Env) *session {
	return &session{rest: rest.New("cisco", auth(), env, dialect()), now: env.Now, org: env.Facts[factOrg]}
}

// orgID is the tenant as the API spells it.
func (s *session) orgID() string {
	if s.org != "" {
		return s.org
	}
	tenant := s.rest.Var("organization")
	if strings.Contains(tenant, "-") && uuidOf(tenant) == strings.ToLower(tenant) {
		return base64.RawURLEncoding.EncodeToString([]byte("ciscospark://us/ORGANIZATION/" + strings.ToLower(tenant)))
	}
	return tenant
}

// uuidOf is what the two spellings of an identifier have in common.
func uuidOf(id string) string {
	if b, err := base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(id)); err == nil {
		if text := string(b); strings.HasPrefix(text, "ciscospark://") {
			id = text[strings.LastIndex(text, "/")+1:]
		}
	}
	return strings.ToLower(id)
}

// Connect shows who consented, whose organization must be the tenant, and reads
// one admin audit event and one compliance event: AppFabric's guide asks for a full
// administrator who is a compliance officer.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	a, err := s.rest.Do(ctx, rest.Request{Op: opMe, Ref: mePath})
	switch {
	case err == nil:
		if err := s.own(a); err != nil {
			return nil, err
		}
	case a == nil || a.Status != http.StatusForbidden:
		return nil, err
	}
	// Where the scopes do not show who consented, that the organization can be
	// read by its id has to do.
	for _, stream := range []string{streamAdmin, streamMemberships} {
		f, _ := feeds(stream)
		query := s.query(f, connector.Cursor{From: s.now().Add(-24 * time.Hour)}, s.now())
		query.Set("max", "1")
		a, err := s.rest.Do(ctx, rest.Request{Op: opPoll, Ref: f.path, Query: query})
		if err != nil {
			return nil, err
		}
		if _, err := records(a); err != nil {
			return nil, a.Malformed(err)
		}
	}
	return map[string]string{factOrg: s.orgID()}, nil
}

// own takes the organization from the person who consented.
func (s *session) own(a *rest.Answer) error {
	me, err := rest.Parse(a.Body)
	if err != nil {
		return a.Malformed(err)
	}
	org := me.Text("orgId")
	switch {
	case org == "":
		return a.Malformed(errors.New("the organization is missing from the answer"))
	case uuidOf(org) != uuidOf(s.rest.Var("organization")):
		return s.rest.Fail(opMe, connector.Forbidden, "the grant is of another organization, "+uuidOf(org))
	}
	s.org = org
	return nil
}

// Poll reads one page of the walk through all that lies between the cursor's
// From and now, or the window's end. The bounds stay as they were, and a record
// that comes within them while they are walked only moves others to later pages. A
// finished live walk goes on where it began in time.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	f, ok := feeds(stream)
	if !ok {
		return connector.Page{}, s.rest.Fail(opPoll, connector.Forbidden, "there is no stream "+strconv.Quote(stream))
	}
	trail, err := s.trail(at, f)
	if err != nil {
		return connector.Page{}, err
	}
	if at.Token == "" && !at.To.IsZero() && !at.From.Before(at.To) {
		return connector.Page{Next: end(trail, at), Done: true}, nil
	}
	request := rest.Request{Op: opPoll, Ref: trail.After}
	if trail.After == "" {
		request = rest.Request{Op: opPoll, Ref: f.path, Query: s.query(f, at, trail.Began)}
	}
	a, err := s.rest.Do(ctx, request)
	if err != nil {
		return connector.Page{}, expired(err, at)
	}
	if at.Token == "" && trail.Began.After(a.Dated(trail.Began)) {
		// Our clock is ahead: going on from it would leave records unread.
		trail.Began = a.Dated(trail.Began)
	}
	next, err := a.Next()
	if err != nil {
		return connector.Page{}, a.Malformed(err)
	}
	p := connector.Page{Next: end(trail, at), Done: next == ""}
	if !p.Done {
		p.Next = connector.Cursor{From: at.From, To: at.To, Token: trail.Next(next).Token()}
	}
	if p.Records, err = records(a); err != nil {
		e := a.Malformed(err)
		if !p.Done {
			e.Next = p.Next
		}
		return connector.Page{}, e
	}
	p.Records = rest.Within(p.Records, at.To)
	return p, nil
}

func records(a *rest.Answer) ([]connector.Record, error) {
	page, err := rest.Parse(a.Body)
	if err != nil {
		return nil, err
	}
	return page.Records("items", identify)
}

// trail returns the place of a cursor: the first page of a new walk where it
// has no token. A token that is no place of the feed is as good as expired.
func (s *session) trail(at connector.Cursor, f feed) (rest.Trail, error) {
	if at.Token == "" {
		return rest.Trail{Began: s.now()}, nil
	}
	trail, err := rest.ParseTrail(at.Token)
	if err == nil {
		_, err = rest.Place(trail.After, f.path)
	}
	if err != nil {
		return rest.Trail{}, s.rest.Fail(opPoll, connector.CursorExpired, err.Error())
	}
	return trail, nil
}

// query asks for the first page. Events are shown after the lower bound and
// before the upper one: those at From and at the present millisecond are wanted
// too. Both bounds have to be given, but for the compliance events: of those an
// upper bound "cannot be set to a future date", and without one they are listed up
// to the present (https://developer.webex.com/docs/api/v1/events/list-events,
// checked 2026-11-22). It is sent for what ended an hour ago, since clocks differ.
func (s *session) query(f feed, at connector.Cursor, began time.Time) url.Values {
	from, to := at.From, at.To
	if to.IsZero() {
		to = began.Add(time.Millisecond)
	}
	if oldest := s.now().Add(time.Hour - year); from.Before(oldest) {
		from = oldest
	}
	query := url.Values{"max": {strconv.Itoa(f.page)}, f.from: {rest.Since(from.Add(-time.Millisecond))}}
	if !f.open || to.Before(began.Add(-time.Hour)) {
		query.Set(f.to, rest.Until(to))
	}
	if f.resource != "" {
		query.Set("resource", f.resource)
	} else {
		query.Set("orgId", s.orgID())
	}
	return query
}

// end is where a finished walk leaves the cursor.
func end(trail rest.Trail, at connector.Cursor) connector.Cursor {
	if at.To.IsZero() {
		return connector.Cursor{From: trail.Began}
	}
	return connector.Cursor{From: at.To, To: at.To}
}

// expired tells a refused link from other failures: links are made by Webex, so
// a 400 or 410 on one says that it is no longer known (unverified).
func expired(err error, at connector.Cursor) error {
	e, ok := errors.AsType[*connector.Error](err)
	if ok && at.Token != "" && (e.Status == http.StatusBadRequest || e.Status == http.StatusGone) {
		e.Kind = connector.CursorExpired
	}
	return err
}

// FindUser looks a user up among the people of the organization: the list has
// those of others as well, whom the caller may see. What is no address to Webex
// (a 400) is nobody's.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !strings.Contains(email, "@") {
		return connector.User{}, connector.ErrNoUser
	}
	a, err := s.rest.Do(ctx, rest.Request{Op: opUser, Ref: peoplePath, Query: url.Values{"email": {email}}})
	if err != nil {
		if a != nil && a.Status == http.StatusBadRequest {
			return connector.User{}, connector.ErrNoUser
		}
		return connector.User{}, err
	}
	answer, err := rest.Parse(a.Body)
	if err != nil {
		return connector.User{}, a.Malformed(err)
	}
	people, err := answer.Records("items", func(person rest.Doc) (string, time.Time) { return person.Text("id"), time.Time{} })
	if err != nil {
		return connector.User{}, a.Malformed(err)
	}
	for _, p := range people {
		person := rest.Doc(p.Raw)
		if uuidOf(person.Text("orgId")) == uuidOf(s.rest.Var("organization")) && hasAddress(person, email) {
			return connector.User{
				ID: p.ID, Email: person.Text("emails.0"), FullName: person.Text("displayName"),
				FirstName: person.Text("firstName"), LastName: person.Text("lastName"), Status: person.Text("status"),
			}, nil
		}
	}
	return connector.User{}, connector.ErrNoUser
}

// hasAddress says whether one of a person's addresses is this one.
func hasAddress(person rest.Doc, email string) bool {
	for i := 0; ; i++ {
		address := person.Text("emails." + strconv.Itoa(i))
		if address == "" || strings.EqualFold(address, email) {
			return address != ""
		}
	}
}
