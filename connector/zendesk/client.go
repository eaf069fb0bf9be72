package zendesk

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
	logsPath   = "/api/v2/audit_logs"
	searchPath = "/api/v2/users/search"

	opConnect = "read the first record"
	opPoll    = "list audit logs"
	opUser    = "search users"
)

type session struct {
	rest *rest.Client
	now  func() time.Time
}

func open(env connector.Env) *session {
	return &session{rest: rest.New("zendesk", auth(), env, dialect()), now: env.Now}
}

// Connect reads one record. A token is good at its own account's host only, so
// a log that can be read there is the tenant's. That the account has no
// Enterprise plan, or who consented is no administrator, shows as Forbidden.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	a, err := s.rest.Do(ctx, rest.Request{Op: opConnect, Ref: logsPath, Query: url.Values{"page[size]": {"1"}}})
	if err != nil {
		return nil, err
	}
	if _, _, err := records(a); err != nil {
		return nil, a.Malformed(err)
	}
	return map[string]string{"subdomain": s.rest.Var("subdomain")}, nil
}

func records(a *rest.Answer) (rest.Doc, []connector.Record, error) {
	page, err := rest.Parse(a.Body)
	if err != nil {
		return nil, nil, err
	}
	list, err := page.Records("audit_logs", identify)
	return page, list, err
}

// Poll reads one page of the walk from the cursor's From to its To, of a live
// one to the time at which it began: the filter by time wants both ends. A live
// walk goes on from where it began in time, so that what came late behind its
// back is read by the next.
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
	a, err := s.rest.Do(ctx, rest.Request{Op: opPoll, Ref: logsPath, Query: query(trail, at)})
	if err != nil {
		return connector.Page{}, expired(err, at)
	}
	page, list, err := records(a)
	if err != nil {
		return connector.Page{}, a.Malformed(err)
	}
	out := connector.Page{Records: within(list, at), Done: true}
	if more, _ := page.Member("meta.has_more"); string(more) == "true" {
		after := page.Text("meta.after_cursor")
		if after == "" {
			return connector.Page{}, a.Malformed(errors.New("the cursor of the next page is missing from the answer"))
		}
		out.Next, out.Done = connector.Cursor{From: at.From, To: at.To, Token: trail.Next(after).Token()}, false
		return out, nil
	}
	// Where our clock is ahead, going on from it would leave records unread. It
	// is put right at the last page and not before: the filter, which a cursor is
	// good for, must stay the same from page to page.
	trail.Began = a.Corrected(trail.Began, s.now())
	out.Next = end(trail, at)
	return out, nil
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

// query asks for a second more on either side: whether the filter takes in what
// it names is not documented, and records are dated to the second.
func query(trail rest.Trail, at connector.Cursor) url.Values {
	q := url.Values{"sort": {"created_at"}, "page[size]": {strconv.Itoa(pageMax)}}
	to := at.To
	if to.IsZero() {
		to = trail.Began
	}
	if !at.From.IsZero() {
		q["filter[created_at][]"] = []string{second(at.From, -time.Second), second(to, time.Second)}
	}
	if trail.After != "" {
		q.Set("page[after]", trail.After)
	}
	return q
}

func second(at time.Time, by time.Duration) string {
	return at.UTC().Truncate(time.Second).Add(by).Format(time.RFC3339)
}

// end is where a finished walk leaves the cursor.
func end(trail rest.Trail, at connector.Cursor) connector.Cursor {
	if at.To.IsZero() {
		return connector.Cursor{From: trail.Began}
	}
	return connector.Cursor{From: at.To, To: at.To}
}

// within leaves out what happened beyond a window's bounds.
func within(list []connector.Record, at connector.Cursor) []connector.Record {
	if at.To.IsZero() {
		return list
	}
	kept := list[:0]
	for _, r := range list {
		if r.Time.IsZero() || !r.Time.Before(at.From) && r.Time.Before(at.To) {
			kept = append(kept, r)
		}
	}
	return kept
}

// expired tells a refused cursor from other failures: cursors are Zendesk's, so
// that a 400 or 422 on one says that it is no longer known; which code comes
// with it is not documented (unverified).
func expired(err error, at connector.Cursor) error {
	e, ok := errors.AsType[*connector.Error](err)
	if ok && at.Token != "" && (e.Status == http.StatusBadRequest || e.Status == http.StatusUnprocessableEntity) {
		e.Kind = connector.CursorExpired
	}
	return err
}

// FindUser searches for the address, and takes nobody with another: the search
// finds parts of values too.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !strings.Contains(email, "@") {
		return connector.User{}, connector.ErrNoUser
	}
	a, err := s.rest.Do(ctx, rest.Request{Op: opUser, Ref: searchPath, Query: url.Values{"query": {"email:" + term(email)}}})
	if err != nil {
		return connector.User{}, err
	}
	page, err := rest.Parse(a.Body)
	if err != nil {
		return connector.User{}, a.Malformed(err)
	}
	users, err := page.Records("users", func(rest.Doc) (string, time.Time) { return "", time.Time{} })
	if err != nil {
		return connector.User{}, a.Malformed(err)
	}
	for _, r := range users {
		if user := rest.Doc(r.Raw); strings.EqualFold(user.Text("email"), email) && user.Scalar("id") != "" {
			return connector.User{
				ID: user.Scalar("id"), Email: user.Text("email"), FullName: user.Text("name"), Status: status(user),
			}, nil
		}
	}
	return connector.User{}, connector.ErrNoUser
}

// term spells an address as one term of the search's language.
func term(email string) string {
	if !strings.ContainsAny(email, " \t\r\n\"\\:") {
		return email
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(email) + `"`
}

// status is told by two members: a deleted user is not active.
func status(user rest.Doc) string {
	active, known := user.Member("active")
	suspended, _ := user.Member("suspended")
	switch {
	case known && string(active) == "false":
		return "deleted"
	case string(suspended) == "true":
		return "suspended"
	case known:
		return "active"
	}
	return ""
}
