// Package rest is the HTTP side that all applications share: one call out, its
// answer read whole, and whatever went wrong classified as a connector.Error
// by a table that the application gives as data (Dialect).
//
// Beside the call it holds the two ways in which a feed is read: Walk, through a
// range of time page by page, and Tail, behind a cursor that can be asked for ever.
// An application tells how a page is asked for and what an answer holds (Feed).
// Links are kept as relative references (Place, Answer.Next), and a page is cut
// into records that keep each element's own bytes (Doc.Records).
//
// Nothing here waits, tries again or sees a secret.
package rest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"selvedge/connector"
)

// Client makes the calls of one session to one tenant. It keeps no state
// between calls and is safe for concurrent use.
type Client struct {
	name    string // begins every Op, such as "okta"
	auth    connector.Auth
	base    *url.URL // the tenant's origin; nil: bad says why
	bad     error
	vars    map[string]string
	http    *http.Client
	now     func() time.Time
	dialect Dialect
}

// New returns the client of the tenant that env names. An identifier that auth
// does not take makes every call fail as Forbidden, with the text that
// connector.Tenant has for the person who gave it.
func New(name string, auth connector.Auth, env connector.Env, dialect Dialect) *Client {
	c := &Client{name: name, auth: auth, http: env.HTTP, now: env.Now, dialect: dialect}
	if c.vars, c.bad = auth.Tenant.Vars(env.Tenant); c.bad != nil {
		return c
	}
	c.base, c.bad = url.Parse(connector.Expand(auth.Origin, c.vars))
	return c
}

// Var returns a variable of the tenant identifier, such as "domain"; empty
// where the identifier was refused.
func (c *Client) Var(name string) string { return c.vars[name] }

// Request is one call. Its zero Method is a GET.
type Request struct {
	Op          string // what is done, such as "list system log"
	Method      string
	Origin      string // empty: the tenant's; else another that connector.Auth allows, such as "https://slack.com"
	Ref         string // path, escaped, and query if there is one; relative to the origin
	Query       url.Values
	Body        []byte
	ContentType string

	placed bool // goes on from a place that an answer has told
}

// Answer is what the provider sent back, read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte

	client *Client
	op     string
	placed bool
	url    *url.URL // as it was sent in the end
}

// Dated is when the answer was given, by the provider's clock; now where it does
// not say.
func (a *Answer) Dated(now time.Time) time.Time { return connector.Dated(a.Header, now) }

// corrected takes off from a time that our clock told what it is ahead of the
// provider's.
func (a *Answer) corrected(at time.Time) time.Time {
	now := a.client.now()
	if dated := a.Dated(now); dated.Before(now) {
		return at.Add(dated.Sub(now))
	}
	return at
}

// Do makes the call once. A status other than 2xx is an error of the kind that
// the dialect gives it. The answer is returned beside the error where there
// was one. Every error is a *connector.Error.
func (c *Client) Do(ctx context.Context, r Request) (*Answer, error) {
	if c.bad != nil {
		return nil, c.fail(r.Op, connector.Forbidden, c.bad)
	}
	req, err := c.request(ctx, r)
	if err != nil {
		return nil, c.fail(r.Op, connector.Forbidden, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.broken(r.Op, 0, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, c.broken(r.Op, resp.StatusCode, err)
	}
	a := &Answer{Status: resp.StatusCode, Header: resp.Header, Body: body, client: c, op: r.Op, placed: r.placed, url: req.URL}
	if resp.Request != nil && resp.Request.URL != nil {
		a.url = resp.Request.URL
	}
	if a.Status < 200 || a.Status > 299 || a.says(c.dialect.Says) {
		return a, a.refusal()
	}
	return a, nil
}

// says tells whether the answer's member of this name is false.
func (a *Answer) says(name string) bool {
	if name == "" {
		return false
	}
	ok, known := Doc(bytes.TrimLeft(a.Body, "\ufeff"+whitespace)).Flag(name)
	return known && !ok
}

// Get makes a call and reads its answer as JSON.
func (c *Client) Get(ctx context.Context, r Request) (*Answer, Doc, error) {
	a, err := c.Do(ctx, r)
	if err != nil {
		return a, nil, err
	}
	doc, err := Parse(a.Body)
	if err != nil {
		return a, nil, a.Malformed(err)
	}
	return a, doc, nil
}

// List makes a call and cuts the list at path of its answer.
func (c *Client) List(ctx context.Context, r Request, path string, identify Identify) (*Answer, []connector.Record, error) {
	a, err := c.Do(ctx, r)
	if err != nil {
		return a, nil, err
	}
	_, list, err := a.Records(path, identify)
	if err != nil {
		return a, nil, a.Malformed(err)
	}
	return a, list, nil
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	base := c.base
	if r.Origin != "" {
		if !c.auth.Allows(r.Origin, c.vars) {
			return nil, errForeign
		}
		var err error
		if base, err = url.Parse(r.Origin); err != nil {
			return nil, errForeign
		}
	}
	u, err := base.Parse(r.Ref)
	if err != nil {
		return nil, err
	}
	if !sameOrigin(u, base) {
		return nil, errForeign
	}
	if len(r.Query) > 0 {
		u.RawQuery = r.Query.Encode()
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	var body io.Reader
	if r.Body != nil {
		body = bytes.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if r.ContentType != "" {
		req.Header.Set("Content-Type", r.ContentType)
	}
	return req, nil
}

// Fail returns an error of the application's own making: its reason is ours to
// choose, and may be shown.
func (c *Client) Fail(op string, kind connector.Kind, reason string) *connector.Error {
	return &connector.Error{Kind: kind, Op: c.op(op), Reason: Line(reason)}
}

func (c *Client) fail(op string, kind connector.Kind, err error) *connector.Error {
	e := c.Fail(op, kind, err.Error())
	e.Err = err
	return e
}

// broken is the failure of a call that brought no whole answer. A transport
// that has classified the failure itself (a grant that cannot be opened, say)
// is believed.
func (c *Client) broken(op string, status int, err error) *connector.Error {
	e := &connector.Error{Kind: connector.Unavailable, Op: c.op(op), Status: status, Err: err}
	if known, ok := errors.AsType[*connector.Error](err); ok {
		e.Kind, e.Status, e.Reason, e.Until = known.Kind, known.Status, known.Reason, known.Until
	}
	return e
}

func (c *Client) op(op string) string { return c.name + ": " + op }
