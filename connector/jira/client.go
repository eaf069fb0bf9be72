package jira

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

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
	now   func() time.Time
	cloud string // the site's id; empty before the first connection
}

func open(env connector.Env) *session {
	return &session{rest: rest.New("jira", auth(), env, dialect()), now: env.Now, cloud: env.Facts[factCloud]}
}

// Connect finds the site among those that the grant covers and reads one
// record: a person who does not administer Jira is refused there.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	a, err := s.rest.Do(ctx, rest.Request{Op: opSites, Ref: sitesPath})
	if err != nil {
		return nil, err
	}
	cloud, err := s.site(a)
	if err != nil {
		return nil, err
	}
	a, err = s.rest.Do(ctx, rest.Request{Op: opConnect, Ref: sitePath + url.PathEscape(cloud) + recordsPath, Query: url.Values{"limit": {"1"}}})
	if err != nil {
		return nil, err
	}
	if _, _, err := records(a); err != nil {
		return nil, a.Malformed(err)
	}
	return map[string]string{factCloud: cloud, "site": s.rest.Var("site")}, nil
}

// site returns the cloud id of the tenant's site. A site is listed once for
// each product, always with the same id.
func (s *session) site(a *rest.Answer) (string, error) {
	list, err := rest.Parse(a.Body)
	if err != nil {
		return "", a.Malformed(err)
	}
	var cloud string
	var others []string
	want := "https://" + s.rest.Var("site") + ".atlassian.net"
	_, err = list.Records("", func(site rest.Doc) (string, time.Time) {
		if at := strings.TrimSuffix(site.Text("url"), "/"); strings.EqualFold(at, want) {
			cloud = site.Text("id")
		} else if at != "" {
			others = append(others, at)
		}
		return "", time.Time{}
	})
	switch {
	case err != nil:
		return "", a.Malformed(err)
	case cloud != "":
		return cloud, nil
	case len(others) == 0:
		return "", s.rest.Fail(opSites, connector.Forbidden, "the grant covers no site; it must cover "+want)
	}
	return "", s.rest.Fail(opSites, connector.Forbidden, fmt.Sprintf("the grant does not cover %s; it covers %s", want, strings.Join(others, ", ")))
}

// Poll reads one page of the walk from the newest record back to the cursor's
// From. Both bounds of the feed are inclusive: what happened at a window's end
// is left out. The place counts records, not pages: where Jira gives fewer than
// it was asked for, none is skipped. A finished live walk goes on where it
// began in time, so that what arrived during the walk is read by the next.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	if stream != streamRecords {
		return connector.Page{}, s.rest.Fail(opPoll, connector.Forbidden, "there is no stream "+strconv.Quote(stream))
	}
	walk, err := s.walk(at)
	if err != nil {
		return connector.Page{}, err
	}
	if at.Token == "" && !at.To.IsZero() && !at.From.Before(at.To) {
		return connector.Page{Next: end(walk, at), Done: true}, nil
	}
	if s.cloud == "" {
		return connector.Page{}, s.rest.Fail(opPoll, connector.Forbidden, "the site's cloud id is not known: connect the authorization again")
	}
	a, err := s.rest.Do(ctx, rest.Request{Op: opPoll, Ref: sitePath + url.PathEscape(s.cloud) + recordsPath, Query: query(walk, at)})
	if err != nil {
		return connector.Page{}, err
	}
	if at.Token == "" && walk.Began.After(a.Dated(walk.Began)) {
		// Our clock is ahead: going on from it would leave records unread.
		walk.Began = a.Dated(walk.Began)
	}
	page, list, err := records(a)
	if err != nil {
		e := a.Malformed(err)
		e.Next = behind(walk, pageMax, at)
		return connector.Page{}, e
	}
	if !more(page, walk.Page-1, len(list)) {
		return connector.Page{Records: rest.Within(list, at.To), Next: end(walk, at), Done: true}, nil
	}
	return connector.Page{Records: rest.Within(list, at.To), Next: behind(walk, len(list), at)}, nil
}

// query asks for the page at a place. Upper bounds are sent for windows only:
// on the live tail, records that arrive push the others to higher offsets,
// where they are seen twice.
func query(walk rest.Walk, at connector.Cursor) url.Values {
	q := url.Values{"offset": {strconv.Itoa(walk.Page - 1)}, "limit": {strconv.Itoa(pageMax)}}
	if !at.From.IsZero() {
		q.Set("from", at.From.UTC().Format(created))
	}
	if !at.To.IsZero() {
		q.Set("to", at.To.UTC().Format(created))
	}
	return q
}

// records reads a page of the audit log.
func records(a *rest.Answer) (rest.Doc, []connector.Record, error) {
	page, err := rest.Parse(a.Body)
	if err != nil {
		return nil, nil, err
	}
	list, err := page.Records("records", identify)
	return page, list, err
}

// more tells whether records follow. Without a usable total, some follow a full
// page: a call too many loses nothing.
func more(page rest.Doc, offset, records int) bool {
	total, err := strconv.Atoi(page.Scalar("total"))
	if err != nil {
		return records >= pageMax
	}
	return records > 0 && offset+records < total
}

// walk returns the place of a cursor: the first record of a new walk where it
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

// behind is the place so many records further.
func behind(walk rest.Walk, records int, at connector.Cursor) connector.Cursor {
	walk.Page += records
	return connector.Cursor{From: at.From, To: at.To, Token: walk.Token()}
}

// end is where a finished walk leaves the cursor.
func end(walk rest.Walk, at connector.Cursor) connector.Cursor {
	if at.To.IsZero() {
		return connector.Cursor{From: walk.Began}
	}
	return connector.Cursor{From: at.To, To: at.To}
}

// FindUser searches by address. Jira compares the search with the beginnings of
// names and addresses, so that others are found as well
// (https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-user-search/,
// checked 2026-11-22). Only one who shows the address asked for is taken: of one
// who hides it, what the search has compared cannot be known.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !strings.Contains(email, "@") {
		return connector.User{}, connector.ErrNoUser // the beginning of anybody's name
	}
	if s.cloud == "" {
		return connector.User{}, s.rest.Fail(opUser, connector.Forbidden, "the site's cloud id is not known: connect the authorization again")
	}
	a, err := s.rest.Do(ctx, rest.Request{Op: opUser, Ref: sitePath + url.PathEscape(s.cloud) + usersPath, Query: url.Values{"query": {email}}})
	if err != nil {
		return connector.User{}, err
	}
	list, err := rest.Parse(a.Body)
	if err != nil {
		return connector.User{}, a.Malformed(err)
	}
	found, err := list.Records("", func(user rest.Doc) (string, time.Time) { return user.Text("accountId"), time.Time{} })
	if err != nil {
		return connector.User{}, a.Malformed(err)
	}
	for _, r := range found {
		user := rest.Doc(r.Raw)
		shown := user.Text("emailAddress")
		if !strings.EqualFold(shown, email) {
			continue
		}
		if r.ID == "" {
			return connector.User{}, a.Malformed(errors.New("the user's accountId is missing from the answer"))
		}
		return connector.User{ID: r.ID, Email: shown, FullName: user.Text("displayName"), Status: status(user)}, nil
	}
	return connector.User{}, connector.ErrNoUser
}

// status puts the member active into a word.
func status(user rest.Doc) string {
	switch active, _ := user.Member("active"); string(active) {
	case "true":
		return "active"
	case "false":
		return "inactive"
	}
	return ""
}
