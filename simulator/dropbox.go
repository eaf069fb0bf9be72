package simulator

import (
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The scopes that the endpoints want.
// https://github.com/dropbox/dropbox-api-spec (team_log.stone, team.stone, team_members.stone; checked 2026-11-22)
const (
	dropboxEventsRead  = "events.read"
	dropboxMembersRead = "members.read"
	dropboxTeamRead    = "team_info.read"
)

const (
	dropboxAuthorizePath = "/oauth2/authorize"
	dropboxTokenPath     = "/oauth2/token"
	dropboxEventsPath    = "/2/team_log/get_events"
	dropboxContinuePath  = "/2/team_log/get_events/continue"
	dropboxTeamPath      = "/2/team/get_info"
	dropboxMembersPath   = "/2/team/members/get_info_v2"
)

// DropboxOptions configures the simulated Dropbox team and the one scoped app
// that is registered for it.
type DropboxOptions struct {
	AppKey, AppSecret string   // defaults: see [Dropbox.Client]
	RedirectURIs      []string // registered, compared whole; empty: any loopback address
	Permissions       []string // that the app is registered with; default: those of the audit log and of the team
	Users             []User   // the first one signs in unless another is chosen; default: a small company

	AccessLife time.Duration // default: four hours
	CursorLife time.Duration // age at which a cursor is reset; 0: never
	Hollow     int           // each n-th answer of the log is empty, with more behind it; 0: none is
	PerMinute  int           // calls per minute; 0: no limit, as none is documented
}

// Dropbox is a simulated Dropbox team.
type Dropbox struct {
	*app
	signIn
	options DropboxOptions
	answers int // of the log
}

func newDropbox(options Options) *Dropbox {
	d := &Dropbox{options: options.Dropbox}
	set := &d.options
	if set.AppKey == "" {
		set.AppKey, set.AppSecret = "s5elvedge7app3k", "simulated-dropbox-app-secret"
	}
	if len(set.Permissions) == 0 {
		set.Permissions = []string{"account_info.read", "team_data.member", dropboxEventsRead, dropboxMembersRead, dropboxTeamRead}
	}
	if set.AccessLife == 0 {
		set.AccessLife = 4 * time.Hour
	}
	if set.PerMinute == 0 {
		set.PerMinute = -1
	}
	if len(set.Users) == 0 {
		set.Users = dropboxCompany()
	}
	// Answers tell nothing of limits but how long to wait, once they are passed.
	d.app = newApp("DROPBOX", "dropbox.localhost", options, &limiter{limit: set.PerMinute, window: time.Minute})
	d.tell, d.compose = dropboxTell, dropboxComposer{set.Users, dropboxKinds()}.record
	d.signIn = signIn{app: d.app, grants: newGrants(d.mint), provider: d.signInRules()}
	// A refresh token stays good until it is revoked, and is not told again.
	// https://dropbox.tech/developers/using-oauth-2-0-with-offline-access (checked 2026-11-22)
	d.grants.persistent, d.grants.silent, d.grants.accessLife = true, true, set.AccessLife
	const www, api = "www.dropbox.com", "api.dropboxapi.com"
	rpc := func(path, scope string, handle func(*http.Request) answer) route {
		return route{method: http.MethodPost, path: path, limited: true, handle: func(r *http.Request) answer {
			if refusal := d.permit(r, scope); refusal != nil {
				return *refusal
			}
			return handle(r)
		}}.on(api)
	}
	d.serve(d, []route{
		route{method: http.MethodGet, path: dropboxAuthorizePath, handle: d.authorize}.on(www),
		route{method: http.MethodPost, path: dropboxAuthorizePath, handle: d.consent}.on(www),
		route{method: http.MethodPost, path: dropboxTokenPath, handle: d.token}.on(api),
		rpc(dropboxEventsPath, dropboxEventsRead, d.getEvents),
		rpc(dropboxContinuePath, dropboxEventsRead, d.continueEvents),
		rpc(dropboxTeamPath, dropboxTeamRead, d.teamInfo),
		rpc(dropboxMembersPath, dropboxMembersRead, d.memberInfo),
	})
	return d
}

// Account is the team with its registered app. The tenant is any label.
func (d *Dropbox) Account() Account {
	return Account{
		Tenant: dropboxTeamName, Origins: []string{"https://www.dropbox.com", "https://api.dropboxapi.com"},
		ClientID: d.options.AppKey, ClientSecret: d.options.AppSecret, Consent: true, User: d.options.Users[0].Login,
	}
}

// tooMany tells the wait in the header, and in the body in whole seconds.
// https://www.dropbox.com/developers/documentation/http/documentation#error-handling,
// auth.stone, RateLimitError (checked 2026-11-22)
func (d *Dropbox) tooMany(wait time.Duration) answer {
	seconds := int((wait + time.Second - 1) / time.Second)
	ans := jsonAnswer(http.StatusTooManyRequests, "application/json", map[string]any{
		"error_summary": "too_many_requests/..",
		"error":         map[string]any{"reason": dropboxTag("too_many_requests"), "retry_after": seconds},
	})
	ans.header.Set("Retry-After", strconv.Itoa(seconds))
	return ans
}

func (d *Dropbox) broken() answer {
	return newAnswer(http.StatusInternalServerError, "text/plain; charset=utf-8", []byte("Internal Server Error"))
}

// unknown is in plain text, as every complaint about the request itself. Its words
// are unverified.
func (d *Dropbox) unknown(r *http.Request, method bool) answer {
	if method {
		return dropboxText(http.StatusMethodNotAllowed, "Method Not Allowed")
	}
	return dropboxText(http.StatusBadRequest, fmt.Sprintf("Unknown API function: %q", strings.TrimPrefix(r.URL.Path, "/2/")))
}

func dropboxText(status int, text string) answer {
	return newAnswer(status, "text/plain; charset=utf-8", []byte(text))
}

func (d *Dropbox) applies(kind Kind, r *http.Request) bool {
	api := strings.HasPrefix(r.URL.Path, "/2/")
	switch kind {
	case InvalidGrant, SlowToken:
		return r.URL.Path == dropboxTokenPath
	case ExpiredCursor:
		return r.URL.Path == dropboxContinuePath
	case ExpiredToken:
		return api
	case RevokedGrant:
		return api || r.URL.Path == dropboxTokenPath
	}
	return true
}

func (d *Dropbox) refuse(kind Kind, r *http.Request) (answer, bool) {
	switch kind {
	case InvalidGrant:
		d.grants.record(r.PostForm, d.now()).Error = "invalid_grant"
		ans, _ := d.no(badRefresh)
		return ans, true
	case ExpiredCursor:
		return d.resetCursor(d.now()), true
	case ExpiredToken:
		clear(d.grants.access)
	case RevokedGrant:
		d.grants.revokeAll()
	}
	return answer{}, false
}

// dropboxTag is a member of a union without a value.
func dropboxTag(tag string) map[string]any { return map[string]any{".tag": tag} }

// dropboxError is an error that the API has a type for. The summary is the error's
// path, with dots to keep clients from parsing it.
// https://www.dropbox.com/developers/documentation/http/documentation#error-handling (checked 2026-11-22)
func dropboxError(status int, tag string, members map[string]any) answer {
	e := dropboxTag(tag)
	for name, value := range members {
		e[name] = value
	}
	return jsonAnswer(status, "application/json", map[string]any{"error_summary": tag + "/...", "error": e})
}

// permit checks what comes before the argument: the credential (none at all is a
// complaint in plain text; unknown, expired or without the scope is 401), who gave
// it (endpoints of a team are not for members who are no administrators: 403), and
// the type of the body.
// https://developers.dropbox.com/error-handling-guide, auth.stone (checked 2026-11-22)
func (d *Dropbox) permit(r *http.Request, scope string) *answer {
	granted, sent, good := d.bearer(r)
	complain := func(text string) *answer {
		ans := dropboxText(http.StatusBadRequest, fmt.Sprintf("Error in call to API function %q: %s", strings.TrimPrefix(r.URL.Path, "/2/"), text))
		return &ans
	}
	if !sent {
		return complain(`Must provide HTTP header "Authorization" or URL parameter "authorization".`)
	}
	var ans answer
	switch media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); {
	case !good && granted.family != nil && !granted.family.revoked:
		ans = dropboxError(http.StatusUnauthorized, "expired_access_token", nil)
	case !good:
		ans = dropboxError(http.StatusUnauthorized, "invalid_access_token", nil)
	case !slices.Contains(granted.scopes, scope):
		ans = dropboxError(http.StatusUnauthorized, "missing_scope", map[string]any{"required_scope": scope})
	case !d.person(granted.family.user).Admin:
		ans = dropboxError(http.StatusForbidden, "invalid_account_type", map[string]any{"invalid_account_type": dropboxTag("endpoint")})
	case err != nil || media != "application/json":
		return complain(fmt.Sprintf(`Bad HTTP "Content-Type" header: %q.  Expecting one of "application/json", "application/json; charset=utf-8", "text/plain; charset=dropbox-cors-hack".`,
			r.Header.Get("Content-Type")))
	default:
		return nil
	}
	return &ans
}
