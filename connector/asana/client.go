package asana

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	workspacesPath = "/api/1.0/workspaces/"
	usersPath      = "/api/1.0/users/"

	opConnect = "read the first event"
	opPoll    = "list audit log events"
	opUser    = "get user"

	// notEmail is of a 400 for what can be no user (seen in the field:
	// `Not an email, GID, or "me": x`).
	notEmail = "Not an email"
)

type session struct{ rest *rest.Client }

func open(env connector.Env) *session {
	return &session{rest: rest.New("asana", auth(), env, dialect())}
}

func (s *session) logPath() string {
	return workspacesPath + s.rest.Var("workspace") + "/audit_log_events"
}

// Connect reads one event. The domain is in the path, so a log that can be read
// is the tenant's; a token that is no service account's of the domain, and a
// plan without the log, are Forbidden.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	request := rest.Request{Op: opConnect, Ref: s.logPath(), Query: url.Values{"limit": {"1"}}}
	if _, _, err := s.rest.List(ctx, request, "data", identify); err != nil {
		return nil, err
	}
	return map[string]string{"workspace": s.rest.Var("workspace")}, nil
}

// Poll reads one page. While no event matches there is no offset, and the log is
// asked by time; from the first answer with one it is followed by its offset,
// that of the last page too, behind which later events come.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	if stream != streamAudit {
		return connector.Page{}, s.rest.NoStream(opPoll, stream)
	}
	return s.rest.Tail(ctx, at, rest.Feed{
		Op: opPoll,
		Ask: func(t rest.Trail) (rest.Request, error) {
			q, err := query(t, at)
			return rest.Request{Ref: s.logPath(), Query: q}, err
		},
		Read: func(a *rest.Answer, t rest.Trail) (rest.Sheet, error) { return read(a, t, at) },
	})
}

// query is the filters of a cursor. They have to be sent again with each offset,
// so they go along with it in the token.
func query(t rest.Trail, at connector.Cursor) (url.Values, error) {
	q := url.Values{}
	if t.After != "" {
		var err error
		if q, err = url.ParseQuery(t.After); err != nil || q.Get("offset") == "" || q.Encode() != t.After {
			return nil, errPlace
		}
		for name := range q {
			if name != "start_at" && name != "end_at" && name != "offset" {
				return nil, errPlace
			}
		}
		return q, nil
	}
	if !at.From.IsZero() {
		q.Set("start_at", rest.Since(at.From))
	}
	if !at.To.IsZero() {
		q.Set("end_at", rest.Until(at.To))
	}
	return q, nil
}

var errPlace = errors.New("the stored place is none of this log's")

// read takes a page apart. The live log has more at once only behind a full page. A
// window ends at an empty page: there is an offset behind its last event too, for
// ever.
func read(a *rest.Answer, t rest.Trail, at connector.Cursor) (rest.Sheet, error) {
	page, list, err := a.Records("data", identify)
	if err != nil {
		return rest.Sheet{}, err
	}
	sheet := rest.Sheet{Records: list, Next: t.After}
	if offset := page.Text("next_page.offset"); offset != "" {
		q, err := query(t, at)
		if err != nil {
			return rest.Sheet{}, err
		}
		q.Set("offset", offset)
		sheet.Next = q.Encode()
	}
	if at.To.IsZero() {
		sheet.More = sheet.Next != "" && len(list) >= pageMax
	} else {
		sheet.More = sheet.Next != "" && len(list) > 0
	}
	return sheet, nil
}

// FindUser gets a user by e-mail address, and takes only one of the tenant: a
// person may have workspaces elsewhere, of which those are told that the service
// account is in as well.
func (s *session) FindUser(ctx context.Context, email string) (connector.User, error) {
	if !rest.Address(email) {
		return connector.User{}, connector.ErrNoUser
	}
	a, answer, err := s.rest.Get(ctx, rest.Request{
		Op: opUser, Ref: usersPath + url.PathEscape(email), Query: url.Values{"opt_fields": {"name,email,workspaces"}},
	})
	if a.Is(http.StatusNotFound, "") || a.Is(http.StatusBadRequest, "") && strings.Contains(string(a.Body), notEmail) {
		return connector.User{}, connector.ErrNoUser
	}
	if err != nil {
		return connector.User{}, err
	}
	doc, _ := answer.Member("data")
	user, err := a.User(doc, connector.User{ID: "gid", Email: "email", FullName: "name"})
	if err == nil && !s.within(doc) {
		return connector.User{}, connector.ErrNoUser
	}
	return user, err
}

// within tells whether a user is in the tenant, as far as the answer says.
func (s *session) within(user rest.Doc) bool {
	list, err := user.Records("workspaces", rest.By("gid"))
	return err != nil || slices.ContainsFunc(list, func(w connector.Record) bool { return w.ID == s.rest.Var("workspace") })
}
