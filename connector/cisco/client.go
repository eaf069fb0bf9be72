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
	a, me, err := s.rest.Get(ctx, rest.Request{Op: opMe, Ref: mePath})
	switch {
	case err == nil:
		if err := s.own(a, me); err != nil {
			return nil, err
		}
	case !a.Is(http.StatusForbidden, ""):
		return nil, err
	}
	// Where the scopes do not show who consented, that the organization can be
	// read by its id has to do.
	for _, stream := range []string{streamAdmin, streamMemberships} {
		f, _ := feeds(stream)
		query := s.query(f, connector.Cursor{From: s.now().Add(-24 * time.Hour)}, s.now())
		query.Set("max", "1")
		if _, _, err := s.rest.List(ctx, rest.Request{Op: opPoll, Ref: f.path, Query: query}, "items", identify); err != nil {
			return nil, err
		}
	}
	return map[string]string{factOrg: s.orgID()}, nil
}

// own takes the organization from the person who consented.
func (s *session) own(a *rest.Answer, me rest.Doc) error {
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
// From and now, or the window's end. The bounds stay as they were: a link leads
// to each page but the first.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	f, ok := feeds(stream)
	if !ok {
		return connector.Page{}, s.rest.NoStream(opPoll, stream)
	}
	return s.rest.Walk(ctx, at, rest.Feed{
		Op: opPoll,
		Ask: func(t rest.Trail) (rest.Request, error) {
			if t.After == "" {
				return rest.Request{Ref: f.path, Query: s.query(f, at, t.Until)}, nil
			}
			_, err := rest.Place(t.After, f.path)
			return rest.Request{Ref: t.After}, err
		},
		Read: func(a *rest.Answer, _ rest.Trail) (rest.Sheet, error) {
			next, err := a.Next()
			if err != nil {
				return rest.Sheet{}, err
			}
			_, list, err := a.Records("items", identify)
			return rest.Sheet{Records: list, Next: next}, err
		},
	})
}

// query asks for the first page. Events are shown after the lower bound and
// before the upper one: those at From and at the present millisecond are wanted
// too. Both bounds have to be given, but for the compliance events: of those an
// upper bound "cannot be set to a future date", and without one they are listed up
// to the present (https://developer.webex.com/docs/api/v1/events/list-events,
// checked 2026-11-22). It is sent for what ended an hour ago, since clocks differ.
func (s *session) query(f feed, at connector.Cursor, until time.Time) url.Values {
	from, to := at.From, until
	if at.To.IsZero() {
		to = to.Add(time.Millisecond)
	}
	if oldest := s.now().Add(time.Hour - year); from.Before(oldest) {
		from = oldest
	}
	query := url.Values{"max": {strconv.Itoa(f.page)}, f.from: {rest.Since(from.Add(-time.Millisecond))}}
	if !f.open || to.Before(s.now().Add(-time.Hour)) {
		query.Set(f.to, rest.Until(to))
	}
	if f.resource != "" {
		query.Set("resource", f.resource)
	} else {
		query.Set("orgId", s.orgID())
	}
	return query
}

// FindUser looks a user up among the people of the organization: the list has
// those of others as well, whom the caller may see. What is no address to Webex
// (a 400) is nobody's.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !rest.Address(email) {
		return connector.User{}, connector.ErrNoUser
	}
	a, people, err := s.rest.List(ctx, rest.Request{Op: opUser, Ref: peoplePath, Query: url.Values{"email": {email}}}, "items", rest.By("id"))
	if a.Is(http.StatusBadRequest, "") {
		return connector.User{}, connector.ErrNoUser
	}
	if err != nil {
		return connector.User{}, err
	}
	for _, p := range people {
		person := rest.Doc(p.Raw)
		if uuidOf(person.Text("orgId")) == uuidOf(s.rest.Var("organization")) && hasAddress(person, email) {
			return a.User(person, connector.User{
				ID: "id", Email: "emails.0", FullName: "displayName", FirstName: "firstName", LastName: "lastName", Status: "status",
			})
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
