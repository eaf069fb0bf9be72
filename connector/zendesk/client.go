package zendesk

import (
	"context"
	"errors"
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

type session struct{ rest *rest.Client }

func open(env connector.Env) *session {
	return &session{rest: rest.New("zendesk", auth(), env, dialect())}
}

// Connect reads one record. A token is good at its own account's host only, so
// a log that can be read there is the tenant's. That the account has no
// Enterprise plan, or who consented is no administrator, shows as Forbidden.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	request := rest.Request{Op: opConnect, Ref: logsPath, Query: url.Values{"page[size]": {"1"}}}
	if _, _, err := s.rest.List(ctx, request, "audit_logs", identify); err != nil {
		return nil, err
	}
	return map[string]string{"subdomain": s.rest.Var("subdomain")}, nil
}

// Poll reads one page of the walk from the cursor's From to its To, of a live
// one to the time at which it began: the filter by time wants both ends. It asks
// for a second more on either side: whether the filter takes in what it names is
// not documented, and records are dated to the second.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	if stream != streamAudit {
		return connector.Page{}, s.rest.NoStream(opPoll, stream)
	}
	return s.rest.Walk(ctx, at, rest.Feed{
		Op: opPoll,
		Ask: func(t rest.Trail) (rest.Request, error) {
			q := url.Values{"sort": {"created_at"}, "page[size]": {strconv.Itoa(pageMax)}}
			if !at.From.IsZero() {
				q["filter[created_at][]"] = []string{second(at.From, -time.Second), second(t.Until, time.Second)}
			}
			if t.After != "" {
				q.Set("page[after]", t.After)
			}
			return rest.Request{Ref: logsPath, Query: q}, nil
		},
		Read: read,
	})
}

func second(at time.Time, by time.Duration) string {
	return at.UTC().Truncate(time.Second).Add(by).Format(time.RFC3339)
}

// read takes a page apart. That one follows is told beside its cursor, which stands
// there on the last page too.
func read(a *rest.Answer, _ rest.Trail) (rest.Sheet, error) {
	page, list, err := a.Records("audit_logs", identify)
	if err != nil {
		return rest.Sheet{}, err
	}
	sheet := rest.Sheet{Records: list}
	if more, _ := page.Flag("meta.has_more"); more {
		if sheet.Next = page.Text("meta.after_cursor"); sheet.Next == "" {
			return rest.Sheet{}, errors.New("the cursor of the next page is missing from the answer")
		}
	}
	return sheet, nil
}

// FindUser searches for the address, and takes nobody with another: the search
// finds parts of values too.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !rest.Address(email) {
		return connector.User{}, connector.ErrNoUser
	}
	request := rest.Request{Op: opUser, Ref: searchPath, Query: url.Values{"query": {"email:" + term(email)}}}
	a, users, err := s.rest.List(ctx, request, "users", rest.By("id"))
	if err != nil {
		return connector.User{}, err
	}
	for _, r := range users {
		if doc := rest.Doc(r.Raw); strings.EqualFold(doc.Text("email"), email) && r.ID != "" {
			user, err := a.User(doc, connector.User{ID: "id", Email: "email", FullName: "name"})
			user.Status = status(doc)
			return user, err
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
	active, known := user.Flag("active")
	suspended, _ := user.Flag("suspended")
	switch {
	case known && !active:
		return "deleted"
	case suspended:
		return "suspended"
	case known:
		return "active"
	}
	return ""
}
