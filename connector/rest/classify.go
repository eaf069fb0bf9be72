package rest

import (
	"net/http"
	"strings"
	"time"

	"selvedge/connector"
)

// Dialect says how an application refuses, as data.
type Dialect struct {
	// Rules are asked before the general table, the first match deciding.
	Rules []Rule

	// Code and Reasons are paths into the body of a refusal, such as
	// "errorCode" or "errors.0.title": the provider's code, and its words,
	// which are joined by ": ".
	Code    string
	Reasons []string

	// Plain is the status of refusals whose body is plain text, the provider's
	// words; zero: there are none.
	Plain int

	// Says is the member that is false in an answer that refuses in spite of its
	// status; empty: the status tells.
	Says string

	// Waits are the headers that tell how long to wait, the first present
	// deciding.
	Waits []Wait
}

// Rule gives refusals of one status, and of one code where Code is set, a kind.
type Rule struct {
	Status int // zero: any
	Code   string
	Words  string // part of the reason
	Placed bool   // only of calls for what lies behind a place, which an answer has told
	Kind   connector.Kind
}

// Forgotten are the rules of a provider that refuses a place with one of these
// statuses: places are its own, so that it no longer knows this one.
func Forgotten(statuses ...int) []Rule {
	rules := make([]Rule, 0, len(statuses))
	for _, status := range statuses {
		rules = append(rules, Rule{Status: status, Placed: true, Kind: connector.CursorExpired})
	}
	return rules
}

// Wait is a header that tells when to call again.
type Wait = connector.Wait

// The dialects of waiting.
const (
	Seconds = connector.Seconds
	Epoch   = connector.Epoch
)

// refusal classifies an answer that is no success.
func (a *Answer) refusal() *connector.Error {
	d := a.client.dialect
	body := parsed(a.Body)
	e := &connector.Error{Op: a.client.op(a.op), Status: a.Status, Reason: d.reason(body, a.Header)}
	if text := string(a.Body); e.Reason == "" && a.Status == d.Plain && !strings.Contains(strings.ToLower(text), "authorization") {
		e.Reason = Line(text) // one that speaks of the Authorization header may quote it
	}
	e.Kind = d.kind(e, d.code(body), a.placed)
	if e.Kind == connector.Throttled {
		e.Until = d.until(a.Header, a.client.now())
	}
	return e
}

// Code returns the provider's own code of a refusal, empty where it gives none.
func (a *Answer) Code() string { return a.client.dialect.code(parsed(a.Body)) }

// parsed reads a refusal's body; an empty Doc where it is no JSON.
func parsed(body []byte) Doc {
	d, err := Parse(body)
	if err != nil {
		return nil
	}
	return d
}

func (d Dialect) code(body Doc) string {
	if d.Code == "" {
		return ""
	}
	return body.Scalar(d.Code)
}

// Is says whether the answer, nil if there was none, has this status, and this
// code unless it is empty.
func (a *Answer) Is(status int, code string) bool {
	return a != nil && a.Status == status && (code == "" || a.Code() == code)
}

// Malformed returns the error for an answer that cannot be decoded, with its
// body. The text of err is shown as the reason: it must be of our making.
func (a *Answer) Malformed(err error) *connector.Error {
	e := &connector.Error{Kind: connector.Malformed, Op: a.client.op(a.op), Status: a.Status, Body: a.Body, Err: err, Reason: Line(err.Error())}
	if body := strings.TrimLeft(string(a.Body[:min(len(a.Body), 64)]), "\ufeff \t\r\n"); strings.HasPrefix(body, "<") {
		e.Reason = "the answer is a web page, not JSON"
	}
	return e
}

// kind asks the application's rules, then the general table. What a provider
// calls not found is beyond the grant: several hide so what a token may not see.
func (d Dialect) kind(e *connector.Error, code string, placed bool) connector.Kind {
	for _, r := range d.Rules {
		if (r.Status == 0 || r.Status == e.Status) && (r.Code == "" || r.Code == code) &&
			strings.Contains(e.Reason, r.Words) && (placed || !r.Placed) {
			return r.Kind
		}
	}
	switch e.Status {
	case http.StatusUnauthorized:
		return connector.Unauthorized
	case http.StatusPaymentRequired, http.StatusForbidden, http.StatusNotFound:
		return connector.Forbidden
	case http.StatusTooManyRequests:
		return connector.Throttled
	}
	return connector.Unavailable
}

// reason collects the provider's words. Bearer tokens are refused with words
// in WWW-Authenticate and often with no body (RFC 6750, section 3).
func (d Dialect) reason(body Doc, h http.Header) string {
	var words []string
	for _, path := range d.Reasons {
		if s := body.Scalar(path); s != "" {
			words = append(words, s)
		}
	}
	if len(words) == 0 {
		_, params := parseParams(h.Get("WWW-Authenticate"))
		for _, name := range []string{"error", "error_description"} {
			if s := params[name]; s != "" {
				words = append(words, s)
			}
		}
	}
	return Line(strings.Join(words, ": "))
}

// until reads the first of the application's headers that holds a time; zero
// where none does.
func (d Dialect) until(h http.Header, now time.Time) time.Time {
	for _, w := range d.Waits {
		if at, ok := w.Until(h, now); ok {
			return at
		}
	}
	return time.Time{}
}
