package jira

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	sitesPath   = "/oauth/token/accessible-resources"
	sitePath    = "/ex/jira/"
	recordsPath = "/rest/api/3/auditing/record"
	usersPath   = "/rest/api/3/user/search"

	opSites   = "list accessible sites"
	opConnect = "read the first record"
	opPoll    = "list audit records"
	opUser    = "search users"
)

type session struct {
	rest  *rest.Client
	cloud string // the site's id; empty before the first connection
}

func open(env connector.Env) *session {
	return &session{rest: rest.New("jira", auth(), env, dialect()), cloud: env.Facts[factCloud]}
}

// Connect finds the site among those that the grant covers and reads one
// record: a person who does not administer Jira is refused there.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	cloud, err := s.site(ctx)
	if err != nil {
		return nil, err
	}
	request := rest.Request{Op: opConnect, Ref: sitePath + url.PathEscape(cloud) + recordsPath, Query: url.Values{"limit": {"1"}}}
	if _, _, err := s.rest.List(ctx, request, "records", identify); err != nil {
		return nil, err
	}
	return map[string]string{factCloud: cloud, "site": s.rest.Var("site")}, nil
}

// site returns the cloud id of the tenant's site. A site is listed once for
// each product, always with the same id.
func (s *session) site(ctx context.Context) (string, error) {
	_, list, err := s.rest.List(ctx, rest.Request{Op: opSites, Ref: sitesPath}, "", rest.By("id"))
	if err != nil {
		return "", err
	}
	var others []string
	want := "https://" + s.rest.Var("site") + ".atlassian.net"
	for _, site := range list {
		at := strings.TrimSuffix(rest.Doc(site.Raw).Text("url"), "/")
		switch {
		case strings.EqualFold(at, want) && site.ID != "":
			return site.ID, nil
		case at != "":
			others = append(others, at)
		}
	}
	if len(others) == 0 {
		return "", s.rest.Fail(opSites, connector.Forbidden, "the grant covers no site; it must cover "+want)
	}
	return "", s.rest.Fail(opSites, connector.Forbidden, fmt.Sprintf("the grant does not cover %s; it covers %s", want, strings.Join(others, ", ")))
}

// noCloud refuses what cannot be asked before the first connection.
func (s *session) noCloud(op string) error {
	return s.rest.Fail(op, connector.Forbidden, "the site's cloud id is not known: connect the authorization again")
}

// Poll reads one page of the walk from the newest record back to the cursor's
// From. Both bounds of the feed are inclusive. The place counts records, not pages:
// where Jira gives fewer than it was asked for, none is skipped. Upper bounds are
// sent for windows only: on the live tail, records that arrive push the others
// to higher offsets, where they are seen twice.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	if stream != streamRecords {
		return connector.Page{}, s.rest.NoStream(opPoll, stream)
	}
	if s.cloud == "" {
		return connector.Page{}, s.noCloud(opPoll)
	}
	return s.rest.Walk(ctx, at, rest.Feed{
		Op: opPoll,
		Ask: func(t rest.Trail) (rest.Request, error) {
			offset, err := t.Number(0)
			q := url.Values{"offset": {strconv.Itoa(offset)}, "limit": {strconv.Itoa(pageMax)}}
			if !at.From.IsZero() {
				q.Set("from", at.From.UTC().Format(created))
			}
			if !at.To.IsZero() {
				q.Set("to", at.To.UTC().Format(created))
			}
			return rest.Request{Ref: sitePath + url.PathEscape(s.cloud) + recordsPath, Query: q}, err
		},
		Read: read,
	})
}

// read takes a page apart. Without a usable total, some follow a full page: a call
// too many loses nothing.
func read(a *rest.Answer, t rest.Trail) (rest.Sheet, error) {
	offset, err := t.Number(0)
	if err != nil {
		return rest.Sheet{}, err
	}
	page, list, err := a.Records("records", identify)
	if err != nil {
		return rest.Sheet{Next: strconv.Itoa(offset + pageMax)}, err
	}
	total, err := strconv.Atoi(page.Scalar("total"))
	sheet := rest.Sheet{Records: list}
	if behind := offset + len(list); err != nil && len(list) >= pageMax || err == nil && len(list) > 0 && behind < total {
		sheet.Next = strconv.Itoa(behind)
	}
	return sheet, nil
}

// FindUser searches by address. Jira compares the search with the beginnings of
// names and addresses, so that others are found as well
// (https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-user-search/,
// checked 2026-11-22). Only one who shows the address asked for is taken: of one
// who hides it, what the search has compared cannot be known.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !rest.Address(email) {
		return connector.User{}, connector.ErrNoUser
	}
	if s.cloud == "" {
		return connector.User{}, s.noCloud(opUser)
	}
	request := rest.Request{Op: opUser, Ref: sitePath + url.PathEscape(s.cloud) + usersPath, Query: url.Values{"query": {email}}}
	a, found, err := s.rest.List(ctx, request, "", rest.By("accountId"))
	if err != nil {
		return connector.User{}, err
	}
	for _, r := range found {
		if doc := rest.Doc(r.Raw); strings.EqualFold(doc.Text("emailAddress"), email) {
			user, err := a.User(doc, connector.User{ID: "accountId", Email: "emailAddress", FullName: "displayName"})
			user.Status = status(doc)
			return user, err
		}
	}
	return connector.User{}, connector.ErrNoUser
}

// status puts the member active into a word.
func status(user rest.Doc) string {
	switch active, known := user.Flag("active"); {
	case active:
		return "active"
	case known:
		return "inactive"
	}
	return ""
}
