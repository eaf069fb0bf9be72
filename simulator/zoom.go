package simulator

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Zoom's scopes, granular and classic.
// https://developers.zoom.us/docs/integrations/oauth-scopes-granular/ (checked 2026-11-22)
const (
	zoomActivityScope  = "report:read:user_activities:admin"
	zoomOperationScope = "report:read:operation_logs:admin"
	zoomUserScope      = "user:read:user:admin"
	zoomEmailScope     = "user:read:email:admin"
	zoomClassicReport  = "report:read:admin"
	zoomClassicUser    = "user:read:admin"
)

const (
	zoomHost       = "zoom.us"
	zoomAPIHost    = "api.zoom.us"
	zoomTokenPath  = "/oauth/token"
	zoomActivities = "/v2/report/activities"
	zoomOperations = "/v2/report/operationlogs"
	zoomUsersPath  = "/v2/users/{id}"
	zoomAPI        = "/v2/"
)

// ZoomOptions configures the simulated Zoom account and its server-to-server app.
type ZoomOptions struct {
	AccountID              string   // default: see [Zoom.Account]
	ClientID, ClientSecret string   // defaults: see [Zoom.Client]
	Scopes                 []string // of the app; default: those that AppFabric's guide names
	Users                  []User   // default: a small company
	NoReports              bool     // the account's plan is below Pro

	AccessLife time.Duration // default: an hour
	PageLife   time.Duration // of a next_page_token; default: 15 minutes, as documented
	PerSecond  int           // calls per second; 0: 10, as documented for Pro; negative: no limit
}

// Zoom is a simulated Zoom account.
type Zoom struct {
	*app
	signIn
	options ZoomOptions
}

func newZoom(options Options) *Zoom {
	z := &Zoom{options: options.Zoom}
	set := &z.options
	if set.AccountID == "" {
		set.AccountID = "5iMuLaTeDaCcOuNtZoOm_1"
	}
	if set.ClientID == "" {
		set.ClientID, set.ClientSecret = "5imElvedgeZoomS2Sapp01", "simulated-zoom-client-secret-001"
	}
	if set.Scopes == nil {
		set.Scopes = []string{zoomActivityScope, zoomOperationScope, zoomEmailScope, zoomUserScope}
	}
	if set.AccessLife == 0 {
		set.AccessLife = time.Hour
	}
	if set.PageLife == 0 {
		set.PageLife = 15 * time.Minute
	}
	if set.PerSecond == 0 {
		set.PerSecond = 10
	}
	if len(set.Users) == 0 {
		set.Users = zoomCompany()
	}
	z.app = newApp("ZOOM", "zoom.localhost", options, &limiter{limit: set.PerSecond, window: time.Second})
	z.signIn = signIn{app: z.app, provider: z.signInRules(), grants: newGrants(z.mint)}
	z.grants.accessLife, z.grants.own = set.AccessLife, set.Scopes
	z.composers = map[string]composeFunc{zoomActivities: z.activity, zoomOperations: z.operation}
	z.compose = func(rng *rand.Rand, at time.Time) []byte { return pick(rng, z.activity, z.operation)(rng, at) }
	z.tell = zoomTell
	z.serve(z, []route{
		route{method: http.MethodPost, path: zoomTokenPath, handle: z.token}.on(zoomHost),
		route{method: http.MethodGet, path: zoomActivities, limited: true, handle: z.report(zoomActivities, "activity_logs", zoomActivityScope)}.on(zoomAPIHost),
		route{method: http.MethodGet, path: zoomOperations, limited: true, handle: z.report(zoomOperations, "operation_logs", zoomOperationScope)}.on(zoomAPIHost),
		route{method: http.MethodGet, path: zoomUsersPath, limited: true, handle: z.user}.on(zoomAPIHost),
	})
	return z
}

// Account is the account with its app.
func (z *Zoom) Account() Account {
	return Account{
		Tenant: z.options.AccountID, Origins: []string{"https://" + zoomHost, "https://" + zoomAPIHost},
		ClientID: z.options.ClientID, ClientSecret: z.options.ClientSecret, User: z.options.Users[0].Login,
	}
}

// signInRules is Zoom's server as data: the client is granted tokens alone, by
// the account's id. The parameters are in the body, the secret in the header.
// https://developers.zoom.us/docs/internal-apps/s2s-oauth/ (checked 2026-11-22).
// The form of its refusals is as seen in the field
// (https://devforum.zoom.us/t/zoom-appssdk-authorization-reason-invalid-authorization-code-error-invalid-grant/137623,
// checked 2026-11-22), the words are those of
// https://developers.zoom.us/docs/integrations/oauth-error-messages/ or unverified.
func (z *Zoom) signInRules() provider {
	const bad = http.StatusBadRequest
	client := refusal{bad, "invalid_client", "Invalid client_id or client_secret"}
	grant := refusal{bad, "invalid_grant", "Invalid grant"}
	return provider{
		title: "Zoom", client: z.options.ClientID, secret: z.options.ClientSecret, people: z.options.Users,
		basic: true, mints: "account_credentials",
		check: func(form url.Values) (refusal, bool) {
			wrong := form.Get("grant_type") == "account_credentials" && form.Get("account_id") != z.options.AccountID
			return refusal{bad, "invalid_request", "Bad Request"}, wrong
		},
		words: map[failure]refusal{
			badMedia: {bad, "invalid_request", "Bad Request"}, manySecrets: client,
			noSecret:      {bad, "invalid_client", "Client ID or client secret is missing."},
			unknownClient: client, wrongSecret: client,
			noGrantType:    {bad, "invalid_request", "Missing grant type."},
			otherGrantType: {bad, "unsupported_grant_type", "unsupported grant type"},
			badCode:        grant, badRedirect: grant, badVerifier: grant, badRefresh: grant, badScope: grant,
		},
		fail: func(_ failure, r refusal) answer {
			return jsonAnswer(r.status, "application/json", map[string]string{"reason": r.text, "error": r.code})
		},
		document: func(_ url.Values, t tokenAnswer, _ User) any {
			return struct {
				AccessToken string `json:"access_token"`
				TokenType   string `json:"token_type"`
				ExpiresIn   int    `json:"expires_in"`
				Scope       string `json:"scope"`
				APIURL      string `json:"api_url"`
			}{t.AccessToken, "bearer", t.ExpiresIn, t.Scope, "https://" + zoomAPIHost}
		},
	}
}

// tooMany tells the end of the wait as a time.
// https://developers.zoom.us/docs/api/rate-limits/ (checked 2026-11-22): the
// headers of its example; which of them come with a limit by the second is
// unverified.
func (z *Zoom) tooMany(wait time.Duration) answer {
	ans := z.fail(http.StatusTooManyRequests, 429, "You have reached the maximum per-second rate limit for this API. Try again later.")
	ans.header.Set("X-RateLimit-Category", "Heavy")
	ans.header.Set("X-RateLimit-Type", "QPS")
	ans.header.Set("X-RateLimit-Limit", strconv.Itoa(max(z.options.PerSecond, 1)))
	ans.header.Set("X-RateLimit-Remaining", "0")
	ans.header.Set("Retry-After", z.now().Add(wait+time.Second-1).UTC().Format("2006-01-02T15:04:05Z"))
	return ans
}

func (z *Zoom) broken() answer { return z.fail(http.StatusInternalServerError, 500, "Internal error.") }

func (z *Zoom) unknown(r *http.Request, method bool) answer {
	if method {
		return z.fail(http.StatusMethodNotAllowed, 405, "Method not allowed.")
	}
	return z.fail(http.StatusNotFound, 404, "This API endpoint is not recognized: "+r.URL.Path)
}

func (z *Zoom) applies(kind Kind, r *http.Request) bool {
	switch kind {
	case InvalidGrant, SlowToken:
		return r.URL.Path == zoomTokenPath
	case ExpiredCursor:
		return r.URL.Query().Get("next_page_token") != ""
	case ExpiredToken:
		return strings.HasPrefix(r.URL.Path, zoomAPI)
	case RevokedGrant:
		return strings.HasPrefix(r.URL.Path, zoomAPI) || r.URL.Path == zoomTokenPath
	}
	return true
}

func (z *Zoom) refuse(kind Kind, r *http.Request) (answer, bool) {
	switch kind {
	case InvalidGrant:
		z.grants.record(r.PostForm, z.now()).Error = "invalid_client"
		ans, _ := z.no(wrongSecret)
		return ans, true
	case ExpiredCursor:
		return z.badPage(), true
	case ExpiredToken:
		clear(z.grants.access)
	case RevokedGrant:
		z.grants.revokeAll()
	}
	return answer{}, false
}

// fail is Zoom's error document.
// https://developers.zoom.us/docs/api/errors/ (checked 2026-11-22)
func (z *Zoom) fail(status, code int, message string) answer {
	return jsonAnswer(status, "application/json;charset=UTF-8", struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{code, message})
}

// permit checks the token, then that it has one of the scopes. Both answers are
// as seen in the field, the second under 400:
// https://devforum.zoom.us/t/zoom-rest-api-add-participant-to-meeting-code-124-invalid-access-token-error/95559 and
// https://devforum.zoom.us/t/granular-scopes-specification-change-of-scope-setting-for-creating-oauth-apps-on-the-developer-site/108207
// (checked 2026-11-22).
func (z *Zoom) permit(r *http.Request, scopes ...string) *answer {
	granted, _, good := z.bearer(r)
	if !good {
		ans := z.fail(http.StatusUnauthorized, 124, "Invalid access token.")
		return &ans
	}
	if !slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(granted.scopes, s) }) {
		ans := z.fail(http.StatusBadRequest, 4711, "Invalid access token, does not contain scopes:["+scopes[0]+"].")
		return &ans
	}
	return nil
}

// zoomTell knows a record again by its bytes: it has no identifier.
func zoomTell(raw []byte) (Event, error) {
	var record struct {
		Time   time.Time `json:"time"`
		Client *string   `json:"client_type"`
	}
	if err := json.Unmarshal(raw, &record); err != nil {
		return Event{}, fmt.Errorf("record of Zoom: %w", err)
	}
	stream := zoomOperations
	if record.Client != nil {
		stream = zoomActivities
	}
	return Event{ID: fmt.Sprintf("sha256:%x", sha256.Sum256(raw)), Published: record.Time, Stream: stream}, nil
}

func zoomCompany() []User {
	return []User{
		{ID: "z8dsdsdsdsdCfp8uQ", Login: "ada.okafor@example.com", First: "Ada", Last: "Okafor", Status: "active", Admin: true},
		{ID: "KDcuGIm1QgePTO8WbOqwIQ", Login: "zoe.mueller@example.com", First: "Zoë", Last: "Müller", Status: "active"},
		{ID: "2pyjK5VNQHadb2BY6Z4GbA", Login: "taro.yamada@example.co.jp", First: "太郎", Last: "山田", Status: "inactive"},
		{ID: "FmXbQnLkR1mNh0ZzYt5u_w", Login: "grainne.oneil@example.com", First: "Gráinne", Last: "O'Neil", Status: "active"},
	}
}
