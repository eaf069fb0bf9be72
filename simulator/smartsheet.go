package simulator

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The access scopes that the endpoints want.
// https://developers.smartsheet.com/api/smartsheet/guides/advanced-topics/oauth (checked 2026-11-22)
const (
	smartsheetReadEvents = "READ_EVENTS"
	smartsheetReadUsers  = "READ_USERS"
)

const (
	smartsheetAuthorizePath = "/b/authorize"
	smartsheetTokenPath     = "/2.0/token"
	smartsheetEventsPath    = "/2.0/events"
	smartsheetUsersPath     = "/2.0/users"
)

// SmartsheetOptions configures the simulated Smartsheet account and the one app
// that is registered for it.
type SmartsheetOptions struct {
	ClientID, ClientSecret string   // defaults: see [Smartsheet.Client]
	RedirectURIs           []string // registered, compared whole; empty: any loopback address
	Users                  []User   // the first one signs in unless another is chosen; default: a small company
	NoEventReporting       bool     // the plan lacks the add-on

	// OpenPositions lets the positions of a request with an end forget it. Whether
	// real ones do is nowhere written.
	OpenPositions bool

	PageMax      int           // most events in an answer, whatever maxCount asks for; default: 10000
	AccessLife   time.Duration // default: a week
	PositionLife time.Duration // age at which a stream position is refused; 0: never
	PerMinute    int           // requests per minute; 0: 300, as documented; negative: no limit
}

// Smartsheet is a simulated Smartsheet account.
type Smartsheet struct {
	*app
	signIn
	options SmartsheetOptions
}

func newSmartsheet(options Options) *Smartsheet {
	s := &Smartsheet{options: options.Smartsheet}
	set := &s.options
	if set.ClientID == "" {
		set.ClientID, set.ClientSecret = "s5elvedge7sheet1", "simulated-smartsheet-app-secret"
	}
	if set.PageMax == 0 {
		set.PageMax = smartsheetEventsMax
	}
	if set.AccessLife == 0 {
		set.AccessLife = 604799 * time.Second
	}
	if set.PerMinute == 0 {
		set.PerMinute = 300
	}
	if len(set.Users) == 0 {
		set.Users = smartsheetCompany()
	}
	// 300 requests per minute: https://developers.smartsheet.com/blog/smartsheet-api-best-practices.
	// That the headers count in seconds since 1970 is unverified. (checked 2026-11-22)
	s.app = newApp("SMARTSHEET", "smartsheet.localhost", options, &limiter{
		limit: set.PerMinute, window: time.Minute, prefix: "X-RateLimit-",
		reset: func(at, _ time.Time) string {
			return strconv.FormatInt(int64(math.Ceil(float64(at.UnixMilli())/1000)), 10)
		},
	})
	s.idKey, s.timeKey = "eventId", "eventTimestamp"
	s.compose = smartsheetComposer{set.Users, smartsheetKinds()}.record
	s.signIn = signIn{app: s.app, grants: newGrants(s.mint), provider: s.signInRules()}
	s.grants.accessLife, s.grants.codeLife = set.AccessLife, 10*time.Minute
	const www, api = "app.smartsheet.com", "api.smartsheet.com"
	get := func(path, scope string, handle func(*http.Request, User) answer) route {
		return route{method: http.MethodGet, path: path, limited: true, handle: func(r *http.Request) answer {
			user, refusal := s.permit(r, scope)
			if refusal != nil {
				return *refusal
			}
			return handle(r, user)
		}}.on(api)
	}
	s.serve(s, []route{
		route{method: http.MethodGet, path: smartsheetAuthorizePath, handle: s.authorize}.on(www),
		route{method: http.MethodPost, path: smartsheetAuthorizePath, handle: s.consent}.on(www),
		route{method: http.MethodPost, path: smartsheetTokenPath, handle: s.token}.on(api),
		get(smartsheetEventsPath, smartsheetReadEvents, s.events),
		get(smartsheetUsersPath, smartsheetReadUsers, s.users),
		get(smartsheetUsersPath+"/me", smartsheetReadUsers, s.me),
	})
	return s
}

// Account is the account with its registered app. The tenant is any label.
func (s *Smartsheet) Account() Account {
	return Account{
		Tenant: smartsheetAccountID, Origins: []string{"https://app.smartsheet.com", "https://api.smartsheet.com"},
		ClientID: s.options.ClientID, ClientSecret: s.options.ClientSecret, Consent: true, User: s.options.Users[0].Login,
	}
}

// fail is Smartsheet's error object.
// https://developers.smartsheet.com/api/smartsheet/error-codes; the texts of 4000
// and 4003 are unverified
func (s *Smartsheet) fail(status, code int, message string) answer {
	return jsonAnswer(status, "application/json;charset=UTF-8", struct {
		RefID   string `json:"refId"`
		Code    int    `json:"errorCode"`
		Message string `json:"message"`
	}{s.mint.id("", 12), code, message})
}

func (s *Smartsheet) tooMany(wait time.Duration) answer {
	ans := s.fail(http.StatusTooManyRequests, 4003, "Rate limit exceeded.")
	s.limiter.exhausted(ans.header, wait, s.now())
	return ans
}

func (s *Smartsheet) broken() answer {
	return s.fail(http.StatusInternalServerError, 4000, "An unexpected error has occurred. Please contact our Support team at https://help.smartsheet.com/contact for assistance.")
}

func (s *Smartsheet) unknown(_ *http.Request, method bool) answer {
	if method {
		return s.fail(http.StatusMethodNotAllowed, 1010, "HTTP Method not supported.")
	}
	return s.fail(http.StatusNotFound, 1006, "Not Found.")
}

func (s *Smartsheet) applies(kind Kind, r *http.Request) bool {
	api := strings.HasPrefix(r.URL.Path, "/2.0/") && r.URL.Path != smartsheetTokenPath
	switch kind {
	case InvalidGrant, SlowToken:
		return r.URL.Path == smartsheetTokenPath
	case ExpiredCursor:
		return r.URL.Path == smartsheetEventsPath && r.URL.Query().Has("streamPosition")
	case ExpiredToken:
		return api
	case RevokedGrant:
		return api || r.URL.Path == smartsheetTokenPath
	}
	return true
}

func (s *Smartsheet) refuse(kind Kind, r *http.Request) (answer, bool) {
	switch kind {
	case InvalidGrant:
		s.grants.record(r.PostForm, s.now()).Error = "invalid_grant"
		ans, _ := s.no(badRefresh)
		return ans, true
	case ExpiredCursor:
		return s.badValue(r.URL.Query().Get("streamPosition"), "streamPosition"), true
	case ExpiredToken:
		for token, granted := range s.grants.access {
			granted.expires = s.now()
			s.grants.access[token] = granted
		}
	case RevokedGrant:
		s.grants.revokeAll()
	}
	return answer{}, false
}

func (s *Smartsheet) badValue(value, name string) answer {
	return s.fail(http.StatusBadRequest, 1018, "The value "+value+" was not valid for the parameter "+name+".")
}

// permit checks the access token and its scopes.
func (s *Smartsheet) permit(r *http.Request, scope string) (User, *answer) {
	granted, sent, good := s.bearer(r)
	var ans answer
	switch {
	case !sent:
		ans = s.fail(http.StatusUnauthorized, 1001, "An Access Token is required.")
	case !good && granted.family != nil && !granted.family.revoked:
		ans = s.fail(http.StatusUnauthorized, 1003, "Your Access Token has expired.")
	case !good:
		ans = s.fail(http.StatusUnauthorized, 1002, "Your Access Token is invalid.")
	case !slices.Contains(granted.scopes, scope):
		ans = s.fail(http.StatusForbidden, 1004, "You are not authorized to perform this action.")
	default:
		return s.person(granted.family.user), nil
	}
	return User{}, &ans
}
