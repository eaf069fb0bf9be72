package token

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

// outcome is what an answer of a token endpoint means.
type outcome int

const (
	granted    outcome = iota // there is an access token
	refused                   // the provider says no, in the words of OAuth
	rejected                  // a 4xx that does not say why
	passing                   // nothing was done: try again
	unreadable                // an answer, but of nothing that a token endpoint says
)

// reply is an answer that was read.
type reply struct {
	outcome outcome
	access  string
	refresh string        // empty: the answer has none
	life    time.Duration // of access; zero: not known
	facts   map[string]string
	reason  string // of all but granted: the provider's words, safe to show
}

// document is what token endpoints answer (RFC 6749, sections 5.1 and 5.2), and
// the members that Okta and others use for errors instead.
type document struct {
	AccessToken  string          `json:"access_token"`
	RefreshToken string          `json:"refresh_token"`
	ExpiresIn    json.RawMessage `json:"expires_in"` // a number; some send a string

	Error            json.RawMessage `json:"error"` // a string; some send an object
	ErrorDescription string          `json:"error_description"`
	ErrorCode        string          `json:"errorCode"`
	ErrorSummary     string          `json:"errorSummary"`
	Message          string          `json:"message"`
}

// read reads an answer. Any bytes give a reply; secrets are taken out of what
// it says.
func read(auth connector.Auth, a answer, secrets []string) reply {
	var doc document
	// A member of another type than expected fails the decoding of itself
	// alone: it must not cost the tokens beside it.
	_ = json.Unmarshal(a.Body, &doc)
	code, text := doc.failure()
	if a.Status >= 200 && a.Status < 300 && doc.AccessToken != "" {
		return reply{
			outcome: granted, access: doc.AccessToken, refresh: doc.RefreshToken,
			life: lifetime(doc.ExpiresIn, auth.Lifetime), facts: keep(auth.Facts, a.Body),
		}
	}
	return reply{outcome: classify(a.Status, code), reason: words(a.Status, code, text, secrets)}
}

// classify goes by the status first: behind a 429 or 5xx no token endpoint has
// done anything, whatever the body says.
func classify(status int, code string) outcome {
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status == http.StatusTooEarly, status >= 500:
		return passing
	case code == "temporarily_unavailable", code == "server_error", code == "slow_down", code == "rate_limited", code == "ratelimited":
		return passing
	case status >= 300 && status < 400:
		return rejected
	case code != "":
		return refused // in a 200 too: some providers send errors so
	case status >= 400:
		return rejected
	default:
		return unreadable
	}
}

func (d document) failure() (code, text string) {
	if json.Unmarshal(d.Error, &code) != nil {
		var nested struct {
			Code    json.RawMessage `json:"code"`
			Message string          `json:"message"`
		}
		if json.Unmarshal(d.Error, &nested) == nil {
			code, text = strings.Trim(string(nested.Code), `"`), nested.Message
		}
	}
	if code == "" {
		code = d.ErrorCode
	}
	for _, other := range []string{d.ErrorDescription, d.ErrorSummary, d.Message} {
		if text == "" {
			text = other
		}
	}
	return code, text
}

// words says what the provider said.
func words(status int, code, text string, secrets []string) string {
	if said := clean(strings.Trim(code+": "+text, ": "), secrets); said != "" {
		return said
	}
	return fmt.Sprintf("the token endpoint answered HTTP %d without saying why", status)
}

// clean makes foreign words safe to show: one line, bounded, without secrets.
func clean(s string, secrets []string) string {
	for _, secret := range secrets {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, hidden)
		}
	}
	return rest.Line(s)
}

// longestLife bounds what a provider may claim: beyond, a time would overflow.
const longestLife = 10 * 365 * 24 * time.Hour

// lifetime reads expires_in; otherwise the application's own knowledge counts.
func lifetime(raw json.RawMessage, known time.Duration) time.Duration {
	seconds, err := strconv.ParseFloat(string(bytes.Trim(raw, `"`)), 64)
	if err != nil || !(seconds > 0) {
		return known
	}
	if seconds > longestLife.Seconds() {
		return longestLife
	}
	return time.Duration(seconds * float64(time.Second))
}

// keep picks the members of the answer that the application wants kept.
func keep(names []string, body []byte) map[string]string {
	if len(names) == 0 {
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return nil
	}
	facts := map[string]string{}
	for _, name := range names {
		var value string
		if json.Unmarshal(members[name], &value) == nil && value != "" {
			facts[name] = value
		}
	}
	return facts
}
