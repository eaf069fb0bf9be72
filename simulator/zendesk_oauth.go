package simulator

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Sign-in to Zendesk. https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/,
// https://support.zendesk.com/hc/en-us/articles/10212201463962 (how long tokens live),
// https://support.zendesk.com/hc/en-us/articles/9182123625370 (refresh) and
// https://support.zendesk.com/hc/en-us/articles/4408831387930 (what invalid_grant says),
// all checked 2026-11-22.

const (
	zendeskAccessLife  = 30 * time.Minute
	zendeskRefreshLife = 30 * 24 * time.Hour
)

// zendeskAuthorizeRules: scopes are separated by white space, and required.
func zendeskAuthorizeRules() []authorizeRule {
	grantable := []string{zendeskReadScope, zendeskAuditScope, zendeskUsersScope}
	return []authorizeRule{
		{func(q url.Values) bool { return q.Get("response_type") != "code" },
			oauthError{"unsupported_response_type", "The authorization server does not support obtaining an authorization code using this method."}},
		{func(q url.Values) bool { return strings.TrimSpace(q.Get("scope")) == "" },
			oauthError{"invalid_scope", "The requested scope is invalid, unknown, or malformed."}},
		{func(q url.Values) bool { return !subset(strings.Fields(q.Get("scope")), grantable) },
			oauthError{"invalid_scope", "The requested scope is invalid, unknown, or malformed."}},
		{func(q url.Values) bool {
			return q.Has("code_challenge") && (q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43)
		}, oauthError{"invalid_request", "The code challenge is malformed, or its method is not S256."}},
	}
}

// signInRules is Zendesk's server as data. The client shows its secret in the
// body, which may be JSON; texts other than that of invalid_grant are unverified.
func (z *Zendesk) signInRules() provider {
	const bad, denied = http.StatusBadRequest, http.StatusUnauthorized
	const grant = "The provided access grant is invalid, expired, or revoked (e.g. invalid assertion, expired authorization token, " +
		"bad end-user password credentials, or mismatching authorization code and redirection URI)."
	client := refusal{denied, "invalid_client", "Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method."}
	return provider{
		title: "Zendesk", client: z.options.ClientID, secret: z.options.ClientSecret,
		redirects: z.options.RedirectURIs, people: z.options.Users,
		authorizePath: zendeskAuthorizePath, rules: zendeskAuthorizeRules(),
		post: true, json: true, check: z.checkToken,
		words: map[failure]refusal{
			badMedia: {bad, "invalid_request", "The request is missing a required parameter, includes an unsupported parameter value, or is otherwise malformed."},
			noSecret: client, unknownClient: client, wrongSecret: client, manySecrets: client,
			noGrantType:    {bad, "invalid_request", "The request is missing a required parameter, includes an unsupported parameter value, or is otherwise malformed."},
			otherGrantType: {bad, "unsupported_grant_type", "The authorization grant type is not supported by the authorization server."},
			badCode:        {bad, "invalid_grant", grant},
			badRedirect:    {bad, "invalid_grant", grant},
			badVerifier:    {bad, "invalid_grant", grant},
			badRefresh:     {bad, "invalid_grant", grant},
			badScope:       {bad, "invalid_scope", "The requested scope is invalid, unknown, or malformed."},
		},
		fail: func(_ failure, r refusal) answer {
			return z.json(r.status, map[string]string{"error": r.code, "error_description": r.text})
		},
		document: z.grantDocument,
	}
}

// checkToken holds what the request may say of the tokens that it asks for, and
// sets their lives: an access token's is 5 minutes to 48 hours, a refresh token's
// 7 to 90 days. A code is redeemed for a scope that the request names.
func (z *Zendesk) checkToken(form url.Values) (refusal, bool) {
	bad := refusal{http.StatusBadRequest, "invalid_request", "The request is missing a required parameter, includes an unsupported parameter value, or is otherwise malformed."}
	access, okAccess := seconds(form, "expires_in", zendeskAccessLife, 5*time.Minute, 48*time.Hour)
	refresh, okRefresh := seconds(form, "refresh_token_expires_in", zendeskRefreshLife, 7*24*time.Hour, 90*24*time.Hour)
	if !okAccess || !okRefresh || form.Get("grant_type") == "authorization_code" && form.Get("scope") == "" {
		return bad, true
	}
	z.grants.accessLife, z.grants.idleLife = access, refresh
	return refusal{}, false
}

// seconds is a parameter that counts seconds, within its bounds.
func seconds(form url.Values, name string, standard, least, most time.Duration) (time.Duration, bool) {
	if !form.Has(name) {
		return standard, true
	}
	n, err := strconv.Atoi(form.Get(name))
	d := time.Duration(n) * time.Second
	return d, err == nil && d >= least && d <= most
}

func (z *Zendesk) grantDocument(_ url.Values, t tokenAnswer, _ User) any {
	return map[string]any{
		"access_token": t.AccessToken, "refresh_token": t.RefreshToken, "token_type": "bearer", "scope": t.Scope,
		"expires_in": t.ExpiresIn, "refresh_token_expires_in": int(z.grants.idleLife / time.Second),
	}
}
