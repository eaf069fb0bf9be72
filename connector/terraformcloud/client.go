package terraformcloud

import (
	"context"
	"encoding/json"
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
	trailPath = "/api/v2/organization/audit-trail"
	orgsPath  = "/api/v2/organizations/"

	opConnect = "read the first record"
	opOrg     = "show organization"
	opPoll    = "list audit trail"
	opUser    = "list organization memberships"
)

type session struct {
	rest *rest.Client
	now  func() time.Time
}

func open(env connector.Env) *session {
	return &session{rest: rest.New("terraformcloud", auth(), env, dialect()), now: env.Now}
}

// Connect reads one record and shows the organization. The trail is that of
// the token's own organization, whatever the tenant identifier says, and an
// organization token sees no other: so the second call proves the tenant.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	a, err := s.rest.Do(ctx, rest.Request{Op: opConnect, Ref: trailPath, Query: pageQuery(1, 1)})
	if err != nil {
		return nil, err
	}
	_, records, err := trail(a)
	if err != nil {
		return nil, a.Malformed(err)
	}
	id, err := s.organization(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		if owner := rest.Doc(r.Raw).Text("auth.organization_id"); owner != "" && id != "" && owner != id {
			return nil, s.rest.Fail(opConnect, connector.Forbidden, "the token belongs to another organization, "+owner)
		}
	}
	return map[string]string{"organization": s.rest.Var("org"), "organization_id": id}, nil
}

// organization returns the identifier that audit records have for the tenant.
func (s *session) organization(ctx context.Context) (string, error) {
	org := s.rest.Var("org")
	a, err := s.rest.Do(ctx, rest.Request{Op: opOrg, Ref: orgsPath + org})
	if err != nil {
		if a != nil && a.Status == http.StatusNotFound {
			return "", s.rest.Fail(opOrg, connector.Forbidden, "the token does not show the organization "+
				strconv.Quote(org)+": a token of that organization itself is needed")
		}
		return "", err
	}
	answer, err := rest.Parse(a.Body)
	if err != nil {
		return "", a.Malformed(err)
	}
	if _, ok := answer.Member("data.attributes"); !ok {
		return "", a.Malformed(errors.New("the organization is missing from the answer"))
	}
	return answer.Text("data.attributes.external-id"), nil
}

// trail reads a page of the audit trail.
func trail(a *rest.Answer) (rest.Doc, []connector.Record, error) {
	page, err := rest.Parse(a.Body)
	if err != nil {
		return nil, nil, err
	}
	records, err := page.Records("data", identify)
	return page, records, err
}

// Poll reads one page of the walk from the newest record back to the cursor's
// From. The feed knows no upper bound: of a window, what lies behind its end
// is left out. A finished live walk goes on where it began in time, not at the
// newest record seen, so that what arrived during the walk is read by the next.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	if stream != streamTrail {
		return connector.Page{}, s.rest.Fail(opPoll, connector.Forbidden, "there is no stream "+strconv.Quote(stream))
	}
	walk, err := s.walk(at)
	if err != nil {
		return connector.Page{}, err
	}
	if at.Token == "" && !at.To.IsZero() && !at.From.Before(at.To) {
		return connector.Page{Next: end(walk, at), Done: true}, nil
	}
	query := pageQuery(walk.Page, pageMax)
	if !at.From.IsZero() {
		// Records strictly behind since are shown: one at From is wanted too.
		query.Set("since", rest.Since(at.From.Add(-time.Millisecond)))
	}
	a, err := s.rest.Do(ctx, rest.Request{Op: opPoll, Ref: trailPath, Query: query})
	if err != nil {
		return connector.Page{}, err
	}
	if at.Token == "" && walk.Began.After(a.Dated(walk.Began)) {
		// Our clock is ahead: going on from it would leave records unread.
		walk.Began = a.Dated(walk.Began)
	}
	behind := connector.Cursor{From: at.From, To: at.To, Token: walk.Next().Token()}
	page, records, err := trail(a)
	if err != nil {
		e := a.Malformed(err)
		e.Next = behind
		return connector.Page{}, e
	}
	if !more(page, walk.Page, len(records)) {
		return connector.Page{Records: rest.Within(records, at.To), Next: end(walk, at), Done: true}, nil
	}
	return connector.Page{Records: rest.Within(records, at.To), Next: behind}, nil
}

// walk returns the place of a cursor: the first page of a new walk where it
// has no token. A token that is no place is as good as expired.
func (s *session) walk(at connector.Cursor) (rest.Walk, error) {
	if at.Token == "" {
		return rest.Walk{Page: 1, Began: s.now()}, nil
	}
	walk, err := rest.ParseWalk(at.Token)
	if err != nil {
		return rest.Walk{}, s.rest.Fail(opPoll, connector.CursorExpired, err.Error())
	}
	return walk, nil
}

// end is where a finished walk leaves the cursor.
func end(walk rest.Walk, at connector.Cursor) connector.Cursor {
	if at.To.IsZero() {
		return connector.Cursor{From: walk.Began}
	}
	return connector.Cursor{From: at.To, To: at.To}
}

func pageQuery(page, size int) url.Values {
	return url.Values{"page[number]": {strconv.Itoa(page)}, "page[size]": {strconv.Itoa(size)}}
}

// more tells whether a page follows. Without a usable next_page, one follows a
// full page: a call too many loses nothing.
func more(page rest.Doc, number, records int) bool {
	full := records >= pageMax
	member, ok := page.Member("pagination.next_page")
	if !ok {
		return full
	}
	var next *int
	if json.Unmarshal(member, &next) != nil {
		return full
	}
	return next != nil && *next > number
}

// FindUser looks a user up among the organization's memberships.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	a, err := s.rest.Do(ctx, rest.Request{
		Op:    opUser,
		Ref:   orgsPath + s.rest.Var("org") + "/organization-memberships",
		Query: url.Values{"filter[email]": {email}},
	})
	if err != nil {
		return connector.User{}, err
	}
	var answer struct {
		Data []struct {
			Attributes struct {
				Email  string `json:"email"`
				Status string `json:"status"`
			} `json:"attributes"`
			Relationships struct {
				User struct {
					Data struct {
						ID string `json:"id"`
					} `json:"data"`
				} `json:"user"`
			} `json:"relationships"`
		} `json:"data"`
	}
	if err := json.Unmarshal(a.Body, &answer); err != nil {
		return connector.User{}, a.Malformed(err)
	}
	for _, m := range answer.Data {
		if strings.EqualFold(m.Attributes.Email, email) {
			return connector.User{ID: m.Relationships.User.Data.ID, Email: m.Attributes.Email, Status: m.Attributes.Status}, nil
		}
	}
	return connector.User{}, connector.ErrNoUser
}
