package simulator

import (
	"net/http"
	"net/url"
	"strings"
)

// Sign-in to Slack. https://docs.slack.dev/authentication/installing-with-oauth,
// https://docs.slack.dev/reference/methods/oauth.v2.access and
// https://docs.slack.dev/authentication/using-token-rotation (checked 2026-11-22)

const (
	slackAuditScope = "auditlogs:read"
	slackEmailScope = "users:read.email"
	slackUsersScope = "users:read"

	slackEnterprise = "E01SELVEDGE"
	slackAppID      = "A01SELVEDGE"
)

// slackAuthorizeRules: scopes of users are in user_scope and separated by commas.
// How a request that asks for what the app does not have is reported is not
// documented (unverified).
func slackAuthorizeRules() []authorizeRule {
	grantable := []string{slackAuditScope, slackEmailScope, slackUsersScope}
	return []authorizeRule{
		{func(q url.Values) bool { return q.Get("scope") != "" },
			oauthError{"invalid_scope", "The app has no bot scopes."}},
		{func(q url.Values) bool { return q.Get("user_scope") == "" },
			oauthError{"invalid_scope", "No scopes requested."}},
		{func(q url.Values) bool { return !subset(strings.Split(q.Get("user_scope"), ","), grantable) },
			oauthError{"invalid_scope", "Invalid permissions requested."}},
		// https://docs.slack.dev/authentication/using-pkce: arguments of PKCE are
		// for apps for which it is enabled, which makes them public clients.
		{func(q url.Values) bool { return q.Has("code_challenge") },
			oauthError{"pkce_not_allowed", "PKCE is not enabled for the app."}},
	}
}

// signInRules is Slack's server as data. Every refusal is a 200; the codes are
// those of the page of oauth.v2.access, but for a verifier (unverified), which is
// never wrong where no challenge is taken.
func (s *Slack) signInRules() provider {
	const status = http.StatusOK
	return provider{
		title: "Slack", client: s.options.ClientID, secret: s.options.ClientSecret,
		redirects: s.options.RedirectURIs, people: s.options.Users,
		authorizePath: slackAuthorizePath, rules: slackAuthorizeRules(), scopeParam: "user_scope", between: ",",
		// "If possible, avoid sending client_id and client_secret as parameters";
		// without grant_type, a code is meant.
		basic: true, post: true, bareCode: true,
		refreshes: func(url.Values, []string) bool { return !s.options.NoRotation },
		words: map[failure]refusal{
			badMedia:       {status, "invalid_post_type", ""},
			manySecrets:    {status, "invalid_arguments", ""},
			noSecret:       {status, "bad_client_secret", ""},
			unknownClient:  {status, "invalid_client_id", ""},
			wrongSecret:    {status, "bad_client_secret", ""},
			noGrantType:    {status, "invalid_code", ""},
			otherGrantType: {status, "invalid_grant_type", ""},
			badCode:        {status, "invalid_code", ""},
			badRedirect:    {status, "bad_redirect_uri", ""},
			badVerifier:    {status, "invalid_code_verifier", ""},
			badRefresh:     {status, "invalid_refresh_token", ""},
			badScope:       {status, "invalid_scope", ""},
		},
		fail:     func(_ failure, r refusal) answer { return s.fail(r.status, r.code) },
		document: s.grantDocument,
		page: func(string) answer {
			return htmlAnswer(http.StatusOK, "<h1>Something went wrong when authorizing this app.</h1><p>Try going back and authorizing again.</p>")
		},
	}
}

// grantDocument: a code brings the person's tokens in authed_user, a refresh those
// that were refreshed at the top. An app without token rotation gets tokens that
// never end, and is told of no end.
func (s *Slack) grantDocument(form url.Values, t tokenAnswer, user User) any {
	tokens := map[string]any{
		"access_token": t.AccessToken, "token_type": "user", "scope": strings.ReplaceAll(t.Scope, " ", ","),
	}
	if t.RefreshToken != "" {
		tokens["refresh_token"], tokens["expires_in"] = t.RefreshToken, t.ExpiresIn
	}
	document := map[string]any{
		"ok": true, "app_id": slackAppID, "team": nil, "is_enterprise_install": true,
		"enterprise": map[string]string{"id": slackEnterprise, "name": slackName(s.options.Domain)},
	}
	if form.Get("grant_type") == "refresh_token" {
		for name, value := range tokens {
			document[name] = value
		}
		document["user_id"] = user.ID
		return document
	}
	tokens["id"] = user.ID
	document["authed_user"] = tokens
	return document
}

func slackName(domain string) string {
	return strings.ToUpper(domain[:1]) + domain[1:] + " Grid – Ünited"
}
