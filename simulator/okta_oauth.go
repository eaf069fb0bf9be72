package simulator

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Okta's org authorization server. https://developer.okta.com/docs/reference/api/oidc/
// and https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/OrgAS/
// (checked 2026-11-22). Error codes are documented; of the texts beside them, those
// for a client secret and an authorization code are, the others are unverified.

var (
	oktaState     = regexp.MustCompile(`^[A-Za-z0-9,._-]+$`)
	oktaChallenge = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
)

func oktaAuthorizeRules() []authorizeRule {
	grantable := []string{oktaLogsRead, oktaUsersRead, offlineAccess}
	return []authorizeRule{
		{func(q url.Values) bool {
			for _, values := range q {
				if len(values) > 1 {
					return true
				}
			}
			return false
		}, oauthError{"invalid_request", "A parameter is included more than once."}},
		{func(q url.Values) bool { return q.Get("response_type") != "code" },
			oauthError{"unsupported_response_type", "The response type is not supported by the authorization server."}},
		{func(q url.Values) bool { return q.Has("response_mode") && q.Get("response_mode") != "query" },
			oauthError{"unsupported_response_mode", "The response mode is not supported by the authorization server."}},
		// The state is required, and of letters, digits, comma, period, underscore and hyphen.
		{func(q url.Values) bool { return !oktaState.MatchString(q.Get("state")) },
			oauthError{"invalid_request", "The authentication request has an invalid 'state' parameter."}},
		{func(q url.Values) bool { return strings.TrimSpace(q.Get("scope")) == "" },
			oauthError{"invalid_scope", "The authentication request has an invalid 'scope' parameter."}},
		{func(q url.Values) bool { return !subset(strings.Fields(q.Get("scope")), grantable) },
			oauthError{"invalid_scope", "One or more scopes are not configured for the authorization server resource."}},
		// S256 is the only method that Okta takes; the challenge is 43 characters of base64url (RFC 7636).
		{func(q url.Values) bool {
			pkce := q.Has("code_challenge") || q.Has("code_challenge_method")
			return pkce && (q.Get("code_challenge_method") != "S256" || !oktaChallenge.MatchString(q.Get("code_challenge")))
		}, oauthError{"invalid_request", "The code challenge is invalid, or its method is not S256."}},
	}
}

// signInRules is Okta's server as data.
// https://developer.okta.com/docs/api/openapi/okta-oauth/guides/client-auth/ (checked 2026-11-22)
func (o *Okta) signInRules() provider {
	const bad, denied = http.StatusBadRequest, http.StatusUnauthorized
	return provider{
		title: "Okta", client: o.options.ClientID, secret: o.options.ClientSecret,
		redirects: o.options.RedirectURIs, people: o.options.Users,
		authorizePath: oktaAuthorizePath, rules: oktaAuthorizeRules(), basic: true, post: true,
		refreshes: func(_ url.Values, scopes []string) bool { return slices.Contains(scopes, offlineAccess) },
		words: map[failure]refusal{
			badMedia:       {bad, "invalid_request", "The 'Content-Type' header must be 'application/x-www-form-urlencoded'."},
			manySecrets:    {bad, "invalid_request", "Cannot supply multiple client credentials. Use one of the following: credentials in the Authorization header, credentials in the post body, or a client_assertion in the post body."},
			noSecret:       {bad, "invalid_request", "Client authentication is required, in the Authorization header or in the body."},
			unknownClient:  {denied, "invalid_client", "Invalid value for 'client_id' parameter."},
			wrongSecret:    {denied, "invalid_client", "The client secret supplied for a confidential client is invalid."},
			noGrantType:    {bad, "invalid_request", "The token request must specify a 'grant_type'."},
			otherGrantType: {bad, "unsupported_grant_type", "The authorization grant type is not supported by the authorization server."},
			badCode:        {bad, "invalid_grant", "The authorization code is invalid or has expired."},
			badRedirect:    {bad, "invalid_grant", "The 'redirect_uri' does not match the redirection URI used in the authorization request."},
			badVerifier:    {bad, "invalid_grant", "PKCE verification failed."},
			badRefresh:     {bad, "invalid_grant", "The refresh token is invalid or expired."},
			badScope:       {bad, "invalid_scope", "One or more scopes were not granted with the refresh token."},
		},
		fail:     o.refuseTokens,
		document: func(_ url.Values, t tokenAnswer, _ User) any { return t },
	}
}

// refuseTokens words a refusal. A client that is not known is refused in the
// management API's error object, unlike all other OAuth errors.
func (o *Okta) refuseTokens(f failure, r refusal) answer {
	if f == unknownClient {
		return o.json(r.status, oktaError{
			ErrorCode: r.code, ErrorSummary: r.text, ErrorLink: r.code,
			ErrorID: o.mint.id("oae", 22), ErrorCauses: []oktaReason{},
		})
	}
	return oktaOAuthError(r.status, oauthError{r.code, r.text})
}

// revokeToken succeeds for tokens it does not know too.
// https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/orgas/revoke (checked 2026-11-22)
func (o *Okta) revokeToken(r *http.Request) answer {
	if f, ok := o.authenticate(r, r.PostForm); !ok {
		ans, _ := o.no(f)
		return ans
	}
	hints := []string{"", "access_token", "refresh_token", "device_secret"}
	switch {
	case !r.PostForm.Has("token"):
		return oktaOAuthError(http.StatusBadRequest, oauthError{"invalid_request", "The 'token' parameter is missing."})
	case !slices.Contains(hints, r.PostForm.Get("token_type_hint")):
		return oktaOAuthError(http.StatusBadRequest, oauthError{"unsupported_token_type", "The 'token_type_hint' is not supported."})
	}
	o.grants.revoke(r.PostForm.Get("token"))
	return newAnswer(http.StatusOK, "application/json", nil)
}

func oktaOAuthError(status int, e oauthError) answer {
	ans := jsonAnswer(status, "application/json", map[string]string{"error": e.code, "error_description": e.text})
	if status == http.StatusUnauthorized {
		ans.header.Set("WWW-Authenticate", "Basic")
	}
	return ans
}
