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
	unreadable                // an answer that leaves open whether anything was done
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
// the members that others use for errors: Okta's and Smartsheet's errorCode
// (text there, a number here), Zoom's reason, Slack's ok.
type document struct {
	issued

	OK               *bool           `json:"ok"`
	Error            json.RawMessage `json:"error"` // a string; some send an object
	ErrorDescription string          `json:"error_description"`
	ErrorCode        json.RawMessage `json:"errorCode"`
	ErrorSummary     string          `json:"errorSummary"`
	Message          string          `json:"message"`
	Reason           string          `json:"reason"`
}

// issued is the tokens of an answer.
type issued struct {
	AccessToken  string          `json:"access_token"`
	RefreshToken string          `json:"refresh_token"`
	ExpiresIn    json.RawMessage `json:"expires_in"` // a number; some send a string
	TokenType    string          `json:"token_type"`
	Scope        json.RawMessage `json:"scope"` // text; a list is taken too
}

// read reads an answer. Any bytes give a reply; secrets are taken out of what
// it says.
func read(auth connector.Auth, a answer, secrets []string) reply {
	var doc document
	// A member of another type than expected fails the decoding of itself
	// alone: it must not cost the tokens beside it.
	_ = json.Unmarshal(a.Body, &doc)
	code, text := doc.failure()
	if a.Status < 200 || a.Status >= 300 || doc.OK != nil && !*doc.OK {
		return reply{outcome: classify(a.Status, code), reason: words(a.Status, code, text, secrets)}
	}
	got, strange := tokensIn(auth, doc, a.Body)
	if strange != "" {
		return reply{outcome: refused, reason: strange}
	}
	if got.AccessToken == "" {
		return reply{outcome: classify(a.Status, code), reason: words(a.Status, code, text, secrets)}
	}
	facts := keep(auth.Facts, a.Body)
	if scope := scopeText(got.Scope); scope != "" {
		facts[factScope] = scope
	}
	return reply{
		outcome: granted, access: got.AccessToken, refresh: got.RefreshToken,
		life: lifetime(got.ExpiresIn, auth.Lifetime), facts: facts,
	}
}

// tokensIn finds the tokens where the application has them, else in the answer
// itself: Slack answers a sign-in with the person's tokens in authed_user and
// the bot's beside it, but a refresh with those that were refreshed at the top
// (https://docs.slack.dev/authentication/using-token-rotation,
// https://slack.dev/python-slack-sdk/api-docs/slack_sdk/oauth/token_rotation/rotator.html,
// checked 2026-11-22). A bot's token is never taken for a person's: strange says so.
func tokensIn(auth connector.Auth, doc document, body []byte) (got issued, strange string) {
	if auth.TokenPath == "" {
		return doc.issued, ""
	}
	_ = json.Unmarshal(member(body, auth.TokenPath), &got)
	if got.AccessToken != "" {
		return got, ""
	}
	if doc.AccessToken != "" && doc.TokenType == "bot" {
		return issued{}, fmt.Sprintf("the provider granted a bot's token and none of a person in %q", auth.TokenPath)
	}
	return doc.issued, ""
}

// transient lists the codes by which providers say that nothing is wrong with
// the request: RFC 6749, section 4.1.2.1 and RFC 8628, section 3.5; Google's
// internal_failure (https://github.com/googleads/google-ads-java/issues/117);
// Slack's (https://docs.slack.dev/reference/methods/oauth.v2.access), of which
// org_login_required and team_added_to_org pass with a migration, and
// accesslimited is about the network that the call came from. All checked
// 2026-11-22. Microsoft's AADSTS numbers are left alone: clients must not
// depend on them (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
func transient(code string) bool {
	switch code {
	case "temporarily_unavailable", "server_error", "slow_down", "rate_limited", "ratelimited", "rate_limit_exceeded",
		"internal_failure", "service_unavailable", "request_timeout", "accesslimited", "team_added_to_org", "org_login_required":
		return true
	}
	return false
}

// unclear lists the codes after which the provider may have done what was asked:
// of both Slack says that "some aspect of the operation" may have succeeded
// (https://docs.slack.dev/reference/methods/oauth.v2.access, checked 2026-11-22).
func unclear(code string) bool { return code == "internal_error" || code == "fatal_error" }

// refusing lists the codes by which OAuth refuses (RFC 6749, section 5.2, and
// OpenID Connect Core, section 3.1.2.6). Under 400 and 401 any code does;
// a 403, as Atlassian answers a dead refresh token with
// (https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens,
// checked 2026-11-22), may be a gateway's as well.
func refusing(code string) bool {
	switch code {
	case "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
		"access_denied", "invalid_token", "interaction_required", "login_required", "consent_required":
		return true
	}
	return false
}

// classify goes by the status first: behind a 429 or 5xx no token endpoint has
// done anything, whatever the body says.
func classify(status int, code string) outcome {
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status == http.StatusTooEarly, status >= 500:
		return passing
	case transient(code):
		return passing
	case unclear(code):
		return unreadable
	case status >= 300 && status < 400:
		return rejected
	case code != "" && (status < 300 || status == http.StatusBadRequest || status == http.StatusUnauthorized || refusing(code)):
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
			code, text = plain(nested.Code), nested.Message
		}
	}
	if code == "" {
		code = plain(d.ErrorCode)
	}
	for _, other := range []string{d.ErrorDescription, d.ErrorSummary, d.Reason, d.Message} {
		if text == "" {
			text = other
		}
	}
	return code, text
}

// plain is the text or number of a member; empty for anything else.
func plain(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var number json.Number
	if json.Unmarshal(raw, &number) == nil {
		return number.String()
	}
	return ""
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

// keep picks the members of the answer that the application wants kept, each
// under the name that the application has for it, such as "team.id".
func keep(names []string, body []byte) map[string]string {
	facts := map[string]string{}
	for _, name := range names {
		if value := plain(member(body, name)); value != "" {
			facts[name] = value
		}
	}
	return facts
}

// member is the member of a document at a path of names with dots between them.
func member(body []byte, path string) json.RawMessage {
	raw := json.RawMessage(body)
	for name := range strings.SplitSeq(path, ".") {
		var members map[string]json.RawMessage
		if json.Unmarshal(raw, &members) != nil {
			return nil
		}
		raw = members[name]
	}
	return raw
}
