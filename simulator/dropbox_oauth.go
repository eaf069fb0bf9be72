package simulator

import (
	"net/http"
	"net/url"
	"strings"
)

// signInRules is Dropbox's server as data.
// https://developers.dropbox.com/oauth-guide,
// https://www.dropbox.com/developers/documentation/http/documentation#authorization,
// https://dropbox.tech/developers/using-oauth-2-0-with-offline-access (checked 2026-11-22).
// Of the texts, those for a code and for a malformed refresh token were seen in
// answers of Dropbox; the others are unverified.
func (d *Dropbox) signInRules() provider {
	const bad = http.StatusBadRequest
	return provider{
		title: "Dropbox", client: d.options.AppKey, secret: d.options.AppSecret,
		redirects: d.options.RedirectURIs, people: d.options.Users,
		authorizePath: dropboxAuthorizePath, rules: d.authorizeRules(), basic: true, post: true,
		refreshes: func(consent url.Values, _ []string) bool { return consent.Get("token_access_type") == "offline" },
		words: map[failure]refusal{
			badMedia:       {bad, "invalid_request", "the body must be application/x-www-form-urlencoded"},
			manySecrets:    {bad, "invalid_request", "the client must be shown in the header or in the body, not in both"},
			noSecret:       {bad, "invalid_request", "No auth function available for given request"},
			unknownClient:  {bad, "invalid_client", "Invalid client_id or client_secret"},
			wrongSecret:    {bad, "invalid_client", "Invalid client_id or client_secret"},
			noGrantType:    {bad, "unsupported_grant_type", "missing grant_type"},
			otherGrantType: {bad, "unsupported_grant_type", "unsupported grant_type"},
			badCode:        {bad, "invalid_grant", "code doesn't exist or has expired"},
			badRedirect:    {bad, "invalid_grant", "redirect_uri mismatch"},
			badVerifier:    {bad, "invalid_grant", "invalid code verifier"},
			badRefresh:     {bad, "invalid_grant", "refresh token is malformed"},
			badScope:       {bad, "invalid_scope", "scope was not granted"},
		},
		fail: func(_ failure, r refusal) answer {
			return jsonAnswer(r.status, "application/json", map[string]string{"error": r.code, "error_description": r.text})
		},
		document: dropboxGrant,
	}
}

func (d *Dropbox) authorizeRules() []authorizeRule {
	return []authorizeRule{
		{func(q url.Values) bool { return q.Get("response_type") != "code" },
			oauthError{"unsupported_response_type", "response_type must be code"}},
		{func(q url.Values) bool { return len(q.Get("state")) > 2000 },
			oauthError{"invalid_request", "state is longer than 2000 bytes"}},
		// Legacy tokens, that never expire, are given no more.
		{func(q url.Values) bool {
			kind := q.Get("token_access_type")
			return kind != "" && kind != "online" && kind != "offline"
		}, oauthError{"invalid_request", "token_access_type must be online or offline"}},
		// Those of the Permissions tab are the most that may be asked for.
		{func(q url.Values) bool { return !subset(strings.Fields(q.Get("scope")), d.options.Permissions) },
			oauthError{"invalid_scope", "the app is not registered with this scope"}},
		// Challenges of the method plain, which Dropbox takes, are not simulated.
		{func(q url.Values) bool {
			pkce := q.Has("code_challenge") || q.Has("code_challenge_method")
			return pkce && (q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43)
		}, oauthError{"invalid_request", "the code challenge is invalid"}},
	}
}

// dropboxGrant: a code brings the scopes and the team beside the tokens, a refresh
// neither of them.
func dropboxGrant(form url.Values, t tokenAnswer, _ User) any {
	answer := map[string]any{"access_token": t.AccessToken, "token_type": "bearer", "expires_in": t.ExpiresIn}
	if form.Get("grant_type") == "refresh_token" {
		return answer
	}
	answer["scope"], answer["uid"], answer["team_id"] = t.Scope, "", dropboxTeamID
	if t.RefreshToken != "" {
		answer["refresh_token"] = t.RefreshToken
	}
	return answer
}
