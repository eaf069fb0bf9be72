package m365auditlogs

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	opList  = "list subscriptions"
	opStart = "start subscription"
	opPoll  = "list content"
	opBlob  = "retrieve content"

	// lateness is how long after it happened an event may still become
	// available. Nothing is promised; Microsoft speaks of up to 24 hours
	// (https://learn.microsoft.com/en-us/purview/audit-search, checked 2026-11-22).
	lateness = 24 * time.Hour
)

type session struct {
	rest *rest.Client
	now  func() time.Time
	log  *slog.Logger
}

func open(env connector.Env) *session {
	return &session{rest: rest.New("m365auditlogs", auth(), env, dialect()), now: env.Now, log: env.Log}
}

func (s *session) path(operation string) string {
	return "/api/v1.0/" + s.rest.Var("tenant") + "/activity/feed/" + operation
}

// publisher gives the tenant a quota of its own: calls without it share one.
func (s *session) publisher() string { return "PublisherIdentifier=" + s.rest.Var("tenant") }

// Connect lists the subscriptions and starts those that are missing. The tenant
// in the path must be the token's (AF20010), so the grant is this tenant's.
func (s *session) Connect(ctx context.Context) (map[string]string, error) {
	_, subscriptions, err := s.rest.List(ctx, rest.Request{Op: opList, Ref: s.path("subscriptions/list") + "?" + s.publisher()}, "", rest.By("contentType"))
	if err != nil {
		return nil, err
	}
	for _, f := range feeds() {
		if slices.ContainsFunc(subscriptions, func(r connector.Record) bool {
			return r.ID == f.contentType && rest.Doc(r.Raw).Text("status") != "disabled"
		}) {
			continue
		}
		if err := s.start(ctx, f.contentType); err != nil {
			return nil, err
		}
	}
	return map[string]string{"tenant_id": s.rest.Var("tenant")}, nil
}

// start starts a subscription; one that is on already stays as it is.
func (s *session) start(ctx context.Context, contentType string) error {
	a, err := s.rest.Do(ctx, rest.Request{
		Op: opStart, Method: http.MethodPost,
		Ref: s.path("subscriptions/start") + "?contentType=" + contentType + "&" + s.publisher(),
	})
	if err != nil && a != nil && a.Code() == codeOn {
		return nil
	}
	return err
}

// Poll reads the next page of the list, or the next blob of it. What the list
// has is by the time at which it became available, so that From is such a time
// too; of a window, what happened outside of it is left out of the blobs.
func (s *session) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	contentType := typeOf(stream)
	if contentType == "" {
		return connector.Page{}, s.rest.NoStream(opPoll, stream)
	}
	p, err := s.place(at)
	if err != nil {
		return connector.Page{}, err
	}
	if p.Until.IsZero() {
		return connector.Page{Next: connector.Cursor{From: at.To, To: at.To}, Done: true}, nil // an empty window
	}
	if len(p.Blobs) > 0 {
		return s.blob(ctx, p, at)
	}
	return s.list(ctx, contentType, p, at)
}

// place returns where the poll stands, at the beginning of a new one where the
// cursor does not say. Whole seconds are what the API takes: an interval reaches
// to the end of the present one.
func (s *session) place(at connector.Cursor) (place, error) {
	p := place{From: at.From}
	if at.Token != "" {
		var err error
		if p, err = parsePlace(at.Token); err != nil {
			return place{}, s.rest.Fail(opPoll, connector.CursorExpired, err.Error())
		}
	}
	now := s.now().UTC()
	// A little less than the seven days, for clocks that differ.
	oldest := now.Add(again - retention).Truncate(time.Second)
	if !p.Until.IsZero() {
		p.clamp(oldest)
		return p, nil
	}
	until := now.Truncate(time.Second).Add(time.Second)
	if !at.To.IsZero() {
		if !at.From.Before(at.To) {
			return place{}, nil
		}
		if last := at.To.Add(lateness).UTC(); last.Before(until) {
			until = last.Truncate(time.Second).Add(time.Second)
		}
	}
	from := p.From.UTC().Truncate(time.Second)
	if from.Before(oldest) {
		from = oldest
	}
	if until.Before(from) {
		until = from.Add(time.Second)
	}
	p.To, p.Until = from, until
	p.interval()
	return p, nil
}

// list reads a page of the list.
func (s *session) list(ctx context.Context, contentType string, p place, at connector.Cursor) (connector.Page, error) {
	query := p.Next
	if query == "" {
		query = url.Values{
			"contentType": {contentType},
			"startTime":   {p.From.Format("2006-01-02T15:04:05")}, "endTime": {p.To.Format("2006-01-02T15:04:05")},
		}.Encode()
	}
	if !strings.Contains(query, "PublisherIdentifier=") {
		query += "&" + s.publisher()
	}
	a, err := s.rest.Do(ctx, rest.Request{Op: opPoll, Ref: s.path("subscriptions/content") + "?" + query})
	if err != nil {
		return connector.Page{}, s.off(ctx, a, contentType, err)
	}
	// To the end of the second, as where the poll began.
	if dated := a.Dated(p.Until).UTC().Add(time.Second); at.To.IsZero() && dated.Before(p.Until) {
		// Our clock is ahead: going on from it would leave blobs unread.
		p.Until = dated
	}
	if err := s.read(a, &p); err != nil {
		return connector.Page{}, a.Malformed(err)
	}
	return p.page(nil, at), nil
}

// read notes the blobs of a page of the list, and where the next page is.
func (s *session) read(a *rest.Answer, p *place) error {
	_, blobs, err := a.Records("", func(blob rest.Doc) (string, time.Time) {
		return blob.Text("contentUri"), rest.Time(blob.Text("contentCreated"))
	})
	if err != nil {
		return err
	}
	for _, b := range blobs {
		id, err := s.blobID(a, b.ID)
		if err != nil {
			return err
		}
		p.take(id, b.Time)
	}
	p.Next = ""
	next, err := a.Follow(a.Header.Get("NextPageUri"))
	if err != nil {
		return err
	}
	if next != nil {
		if !strings.HasSuffix(strings.ToLower(next.EscapedPath()), "/activity/feed/subscriptions/content") || next.RawQuery == "" {
			return errors.New("the link to the next page leads out of the list")
		}
		p.Next = next.RawQuery
	}
	return nil
}

// blobID is what a contentUri ends in, escaped as it stands there.
func (s *session) blobID(a *rest.Answer, contentURI string) (string, error) {
	u, err := a.Follow(contentURI)
	if err != nil {
		return "", err
	}
	if u == nil {
		return "", errors.New("the list has content without a contentUri")
	}
	prefix, path := s.path("audit/"), u.EscapedPath()
	if len(path) <= len(prefix) || !strings.EqualFold(path[:len(prefix)], prefix) || strange(path[len(prefix):]) {
		return "", errors.New("the list has content of another feed")
	}
	return path[len(prefix):], nil
}

// off starts a subscription again that somebody has stopped or disabled. The
// list was refused all the same: it is asked for at the next attempt. Only where
// the start is refused as well is there something for a person to mend.
func (s *session) off(ctx context.Context, a *rest.Answer, contentType string, err error) error {
	if a == nil || a.Code() != codeOff && a.Code() != codeDisabled {
		return err
	}
	if startErr := s.start(ctx, contentType); startErr != nil {
		return startErr
	}
	return s.rest.Fail(opPoll, connector.Unavailable, "the subscription to "+contentType+" was off and has been started again")
}

// blob fetches the first of those that are to be fetched.
func (s *session) blob(ctx context.Context, p place, at connector.Cursor) (connector.Page, error) {
	id := p.Blobs[0]
	p.Blobs = p.Blobs[1:]
	a, err := s.rest.Do(ctx, rest.Request{Op: opBlob, Ref: s.path("audit/") + id + "?" + s.publisher()})
	if err != nil {
		if a != nil && a.Code() == codeNoContent {
			// One of the last minutes is asked for again by the next poll; an
			// older one must not stop those behind it.
			s.log.WarnContext(ctx, "content that was listed does not exist", "content", id)
			p.forget(id)
			return p.page(nil, at), nil
		}
		return connector.Page{}, err
	}
	_, records, err := a.Records("", identify)
	if err != nil {
		e := a.Malformed(err)
		e.Next = p.page(nil, at).Next
		return connector.Page{}, e
	}
	return p.page(rest.Within(records, at), at), nil
}

// page is the page with the place behind it.
func (p place) page(records []connector.Record, at connector.Cursor) connector.Page {
	if len(p.Blobs) > 0 || !p.listed() {
		p.interval()
		return connector.Page{Records: records, Next: connector.Cursor{From: at.From, To: at.To, Token: p.token()}}
	}
	if !at.To.IsZero() {
		return connector.Page{Records: records, Next: connector.Cursor{From: at.To, To: at.To}, Done: true}
	}
	from := p.Until.Add(-again)
	next := place{From: from, Old: p.New}
	return connector.Page{Records: records, Next: connector.Cursor{From: from, Token: next.token()}, Done: true}
}
