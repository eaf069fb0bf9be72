package simulator

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The scopes of Okta's management API that the simulated integration is granted.
// https://developer.okta.com/docs/api/oauth2/ (checked 2026-11-22)
const (
	oktaLogsRead  = "okta.logs.read"
	oktaUsersRead = "okta.users.read"
)

const (
	oktaAuthorizePath = "/oauth2/v1/authorize"
	oktaTokenPath     = "/oauth2/v1/token"
	oktaRevokePath    = "/oauth2/v1/revoke"
	oktaLogsPath      = "/api/v1/logs"
	oktaUsersPath     = "/api/v1/users"
)

// OktaOptions configures the simulated Okta organisation and the one web
// integration that is registered there.
type OktaOptions struct {
	ClientID, ClientSecret string   // defaults: see [Okta.Client]
	RedirectURIs           []string // registered sign-in redirects, compared whole; empty: any loopback address
	Users                  []User   // the first one signs in unless another is chosen; default: a small company

	// Persistent keeps one refresh token for ever, Okta's default for web
	// integrations. Otherwise each use gives a new one, and the old one is taken for
	// Grace longer (Okta: 0 to 60 s); after that its reuse ends the whole grant.
	Persistent bool
	Grace      time.Duration

	AccessLife time.Duration // default: an hour
	CursorLife time.Duration // age at which a feed cursor is refused; 0: never
	PerMinute  int           // requests to the API per minute; 0: 6000, negative: no limit
}

// User is a person of a simulated organisation.
type User struct {
	ID, Login, First, Last string
	Status                 string // the provider's own word
	Admin                  bool   // may read the audit log
}

// Okta is a simulated Okta organisation.
type Okta struct {
	*app
	signIn
	options OktaOptions
}

func newOkta(options Options) *Okta {
	o := &Okta{options: options.Okta}
	set := &o.options
	if set.ClientID == "" {
		set.ClientID, set.ClientSecret = "0oa5im5elvedge0app7", "simulated-okta-client-secret"
	}
	if set.AccessLife == 0 {
		set.AccessLife = time.Hour
	}
	if set.PerMinute == 0 {
		set.PerMinute = 6000
	}
	if len(set.Users) == 0 {
		set.Users = oktaCompany()
	}
	// https://developer.okta.com/docs/reference/rl-best-practices/ (checked
	// 2026-11-22): the reset time is in seconds of UTC epoch time.
	o.app = newApp("OKTA", "okta.localhost", options, &limiter{
		limit: set.PerMinute, window: time.Minute, prefix: "X-Rate-Limit-",
		reset: func(at, _ time.Time) string {
			return strconv.FormatInt(int64(math.Ceil(float64(at.UnixMilli())/1000)), 10)
		},
	})
	o.idKey, o.timeKey = "uuid", "published"
	o.compose = newComposer(set.Users).oktaRecord
	o.signIn = signIn{app: o.app, grants: newGrants(o.mint), provider: o.signInRules()}
	o.grants.persistent, o.grants.grace = set.Persistent, set.Grace
	o.grants.accessLife, o.grants.idleLife = set.AccessLife, 7*24*time.Hour
	o.serve(o, []route{
		{method: http.MethodGet, path: oktaAuthorizePath, limited: false, handle: o.authorize},
		{method: http.MethodPost, path: oktaAuthorizePath, limited: false, handle: o.consent},
		{method: http.MethodPost, path: oktaTokenPath, limited: true, handle: o.token},
		{method: http.MethodPost, path: oktaRevokePath, limited: true, handle: o.revokeToken},
		{method: http.MethodGet, path: oktaLogsPath, limited: true, handle: o.logs},
		{method: http.MethodGet, path: oktaUsersPath, limited: true, handle: o.searchUsers},
		{method: http.MethodGet, path: oktaUsersPath + "/{login}", limited: true, handle: o.user},
	})
	return o
}

// Account is the organisation with its registered integration.
func (o *Okta) Account() Account {
	return Account{
		Tenant: "demo.okta.com", Origins: []string{"https://demo.okta.com"},
		ClientID: o.options.ClientID, ClientSecret: o.options.ClientSecret, Consent: true,
		User: o.options.Users[0].Login,
	}
}

// tooMany has no Retry-After: the client reads X-Rate-Limit-Reset.
// https://developer.okta.com/docs/reference/rl-best-practices/ (checked 2026-11-22)
func (o *Okta) tooMany(wait time.Duration) answer {
	ans := o.fail(http.StatusTooManyRequests, "E0000047", "API call exceeded rate limit due to too many requests.")
	o.limiter.exhausted(ans.header, wait, o.now())
	return ans
}

func (o *Okta) broken() answer {
	return o.fail(http.StatusInternalServerError, "E0000009", "Internal Server Error")
}

// https://developer.okta.com/docs/reference/error-codes/ (checked 2026-11-22):
// E0000022 is a method that an endpoint lacks, E0000007 what is not there.
func (o *Okta) unknown(r *http.Request, method bool) answer {
	if method {
		return o.fail(http.StatusMethodNotAllowed, "E0000022", "The endpoint does not support the provided HTTP method")
	}
	return o.fail(http.StatusNotFound, "E0000007", "Not found: Resource not found: "+r.URL.Path+" (Endpoint)")
}

func (o *Okta) applies(kind Kind, r *http.Request) bool {
	switch kind {
	case InvalidGrant, SlowToken:
		return r.URL.Path == oktaTokenPath
	case ExpiredCursor:
		return r.URL.Path == oktaLogsPath && r.URL.Query().Has("after")
	case ExpiredToken:
		return strings.HasPrefix(r.URL.Path, "/api/")
	case RevokedGrant:
		return strings.HasPrefix(r.URL.Path, "/api/") || r.URL.Path == oktaTokenPath
	}
	return true
}

func (o *Okta) refuse(kind Kind, r *http.Request) (answer, bool) {
	switch kind {
	case InvalidGrant:
		o.grants.record(r.PostForm, o.now()).Error = "invalid_grant"
		ans, _ := o.no(badRefresh)
		return ans, true
	case ExpiredCursor:
		return o.expiredCursor(), true
	case ExpiredToken:
		clear(o.grants.access)
	case RevokedGrant:
		o.grants.revokeAll()
	}
	return answer{}, false
}

// oktaError is the error object of the management API.
// https://developer.okta.com/docs/reference/error-codes/ (checked 2026-11-22)
type oktaError struct {
	ErrorCode    string       `json:"errorCode"`
	ErrorSummary string       `json:"errorSummary"`
	ErrorLink    string       `json:"errorLink"`
	ErrorID      string       `json:"errorId"`
	ErrorCauses  []oktaReason `json:"errorCauses"`
}

type oktaReason struct {
	ErrorSummary string `json:"errorSummary"`
}

func (o *Okta) fail(status int, code, summary string, causes ...string) answer {
	document := oktaError{
		ErrorCode: code, ErrorSummary: summary, ErrorLink: code,
		ErrorID: o.mint.id("oae", 22), ErrorCauses: []oktaReason{},
	}
	for _, cause := range causes {
		document.ErrorCauses = append(document.ErrorCauses, oktaReason{cause})
	}
	return o.json(status, document)
}

func (o *Okta) json(status int, document any) answer {
	ans := jsonAnswer(status, "application/json", document)
	ans.header.Set("X-Okta-Request-Id", o.mint.id("", 27))
	ans.header.Set("Cache-Control", "no-cache, no-store")
	return ans
}

// permit checks the bearer token. Without a credential: E0000005. With one that
// is unknown, expired or revoked: 401, E0000011. Without the scope, or signed in
// by someone who may not do it: 403, E0000006. The challenge header is what Okta
// sends beside (RFC 6750 section 3); that 403 for a missing scope may come with
// an empty body was seen in the field, so clients should go by the status.
// https://developer.okta.com/docs/reference/error-codes/,
// https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/ (checked 2026-11-22)
func (o *Okta) permit(r *http.Request, scope string) (User, *answer) {
	refusal := func(ans answer, code, text string) (User, *answer) {
		ans.header.Set("WWW-Authenticate", `Bearer authorization_uri="`+origin(r)+oktaAuthorizePath+`", realm="`+origin(r)+
			`", scope="`+scope+`", error="`+code+`", error_description="`+text+`", resource="`+r.URL.Path+`"`)
		return User{}, &ans
	}
	header := r.Header.Get("Authorization")
	if header == "" {
		ans := o.fail(http.StatusUnauthorized, "E0000005", "Invalid session")
		return User{}, &ans
	}
	scheme, token, _ := strings.Cut(header, " ")
	granted, ok := o.grants.lookup(token, o.now())
	if !strings.EqualFold(scheme, "Bearer") || !ok {
		return refusal(o.fail(http.StatusUnauthorized, "E0000011", "Invalid token provided"),
			"invalid_token", "The access token is invalid.")
	}
	forbidden := o.fail(http.StatusForbidden, "E0000006", "You do not have permission to perform the requested action")
	if !slices.Contains(granted.scopes, scope) {
		return refusal(forbidden, "insufficient_scope", "The access token provided does not contain the required scopes.")
	}
	user, found := o.lookupUser(granted.family.user)
	if !found || !user.Admin {
		return User{}, &forbidden
	}
	return user, nil
}
