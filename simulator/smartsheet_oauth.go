package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// signInRules is Smartsheet's server as data. The hash that may stand in for the
// client's secret is not simulated.
// https://developers.smartsheet.com/api/smartsheet/guides/advanced-topics/oauth and
// https://smartsheet.redoc.ly/tag/token/ (checked 2026-11-22): the errors with their
// texts, a secret in the body, a lifetime of 604799 s. That a refresh token is taken
// once, and that refusals are 400 and 401, is unverified.
func (s *Smartsheet) signInRules() provider {
	const (
		bad     = http.StatusBadRequest
		client  = "The client information is invalid. Ensure your client id is correct."
		grant   = "The authorization code or refresh token is invalid or expired or the hash value does not match the app secret and/or code."
		request = "The request parameters are invalid or missing."
	)
	return provider{
		title: "Smartsheet", client: s.options.ClientID, secret: s.options.ClientSecret,
		redirects: s.options.RedirectURIs, people: s.options.Users,
		authorizePath: smartsheetAuthorizePath, rules: smartsheetAuthorizeRules(), post: true,
		words: map[failure]refusal{
			badMedia: {bad, "invalid_request", request}, manySecrets: {bad, "invalid_request", request},
			noSecret: {bad, "invalid_request", request}, unknownClient: {http.StatusUnauthorized, "invalid_client", client},
			wrongSecret: {bad, "invalid_grant", grant}, noGrantType: {bad, "invalid_request", request},
			otherGrantType: {bad, "unsupported_grant_type", "grant_type must equal authorization_code or refresh_token."},
			badCode:        {bad, "invalid_grant", grant}, badRedirect: {bad, "invalid_request", request},
			badVerifier: {bad, "invalid_grant", grant}, badRefresh: {bad, "invalid_grant", grant},
			badScope: {bad, "invalid_scope", "One or more of the requested access scopes is invalid. Please check the list of access scopes."},
		},
		fail: func(_ failure, r refusal) answer {
			return jsonAnswer(r.status, "application/json;charset=UTF-8", map[string]string{"error": r.code, "error_description": r.text})
		},
		document: func(_ url.Values, t tokenAnswer, _ User) any {
			return map[string]any{
				"access_token": t.AccessToken, "token_type": "bearer", "refresh_token": t.RefreshToken, "expires_in": t.ExpiresIn,
			}
		},
	}
}

// smartsheetScopes is the list of access scopes.
// https://developers.smartsheet.com/api/smartsheet/guides/advanced-topics/oauth; that
// the list is complete is unverified
const smartsheetScopes = "ADMIN_SHEETS ADMIN_SIGHTS ADMIN_USERS ADMIN_WEBHOOKS ADMIN_WORKSPACES CREATE_SHEETS CREATE_SIGHTS " +
	"DELETE_SHEETS DELETE_SIGHTS READ_CONTACTS READ_EVENTS READ_SHEETS READ_SIGHTS READ_USERS SHARE_SHEETS SHARE_SIGHTS WRITE_SHEETS"

func smartsheetAuthorizeRules() []authorizeRule {
	known := strings.Fields(smartsheetScopes)
	return []authorizeRule{
		{func(q url.Values) bool { return q.Get("response_type") != "code" },
			oauthError{"unsupported_response_type", "response_type must be set to code."}},
		{func(q url.Values) bool {
			asked := strings.Fields(q.Get("scope"))
			return len(asked) == 0 || slices.ContainsFunc(asked, func(scope string) bool { return !slices.Contains(known, scope) })
		}, oauthError{"invalid_scope", "One or more of the requested access scopes is invalid. Please check the list of access scopes."}},
	}
}
