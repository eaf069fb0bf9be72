package terraformcloud

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
	trailPath = "/api/v2/organization/audit-trail"
	orgsPath  = "/api/v2/organizations/"

	opConnect = "read the first record"
	opOrg     = "show organization"
	opPoll    = "list audit trail"
	opUser    = "list organization memberships"
)

type session struct{ rest *rest.Client }

func open(env connector.Env) *session {
	return &session{rest: rest.New("terraformcloud", auth(), env, dialect())}
}

// Connect reads one record and shows the organization. The trail is that of
// the token's own organization, whatever the tenant identifier says, and an
// organization token sees no other: so the second call proves the tenant.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	_, records, err := s.rest.List(ctx, rest.Request{Op: opConnect, Ref: trailPath, Query: pageQuery(1, 1)}, "data", identify)
	if err != nil {
		return nil, err
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
	a, answer, err := s.rest.Get(ctx, rest.Request{Op: opOrg, Ref: orgsPath + org})
	if a.Is(http.StatusNotFound, "") {
		return "", s.rest.Fail(opOrg, connector.Forbidden, "the token does not show the organization "+
			strconv.Quote(org)+": a token of that organization itself is needed")
	}
	if err != nil {
		return "", err
	}
	if _, ok := answer.Member("data.attributes"); !ok {
		return "", a.Malformed(errors.New("the organization is missing from the answer"))
	}
	return answer.Text("data.attributes.external-id"), nil
}

// Poll reads one page of the walk from the newest record back to the cursor's
// From. The feed knows no upper bound. Records strictly behind since are shown: one
// at From is wanted too.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	if stream != streamTrail {
		return connector.Page{}, s.rest.NoStream(opPoll, stream)
	}
	return s.rest.Walk(ctx, at, rest.Feed{
		Op: opPoll,
		Ask: func(t rest.Trail) (rest.Request, error) {
			page, err := t.Number(1)
			q := pageQuery(page, pageMax)
			if !at.From.IsZero() {
				q.Set("since", rest.Since(at.From.Add(-time.Millisecond)))
			}
			return rest.Request{Ref: trailPath, Query: q}, err
		},
		Read: read,
	})
}

func pageQuery(page, size int) url.Values {
	return url.Values{"page[number]": {strconv.Itoa(page)}, "page[size]": {strconv.Itoa(size)}}
}

// read takes a page apart. Without a usable next_page, one follows a full page: a
// call too many loses nothing.
func read(a *rest.Answer, t rest.Trail) (rest.Sheet, error) {
	number, err := t.Number(1)
	if err != nil {
		return rest.Sheet{}, err
	}
	behind := strconv.Itoa(number + 1)
	page, list, err := a.Records("data", identify)
	if err != nil {
		return rest.Sheet{Next: behind}, err
	}
	more := len(list) >= pageMax
	if next, _ := page.Member("pagination.next_page"); string(next) == "null" {
		more = false
	} else if n, err := strconv.Atoi(string(next)); err == nil {
		more = n > number
	}
	if !more {
		behind = ""
	}
	return rest.Sheet{Records: list, Next: behind}, nil
}

// FindUser looks a user up among the organization's memberships.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !rest.Address(email) {
		return connector.User{}, connector.ErrNoUser
	}
	request := rest.Request{
		Op: opUser, Ref: orgsPath + s.rest.Var("org") + "/organization-memberships", Query: url.Values{"filter[email]": {email}},
	}
	a, members, err := s.rest.List(ctx, request, "data", rest.By("attributes.email"))
	if err != nil {
		return connector.User{}, err
	}
	for _, m := range members {
		if strings.EqualFold(m.ID, email) {
			return a.User(m.Raw, connector.User{
				ID: "relationships.user.data.id", Email: "attributes.email", Status: "attributes.status",
			})
		}
	}
	return connector.User{}, connector.ErrNoUser
}
