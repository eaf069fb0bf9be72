package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Atlassian's authorization server for 3LO apps.
// https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/ and
// https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens (checked 2026-11-22).
// Of the refusals, that of a refresh token is documented; the others' words are
// unverified.

// jiraRefreshIdle is how long an unused refresh token stays good.
// https://community.developer.atlassian.com/t/refresh-token-expire-after-36000-seconds/60806/2 (checked 2026-11-22)
const jiraRefreshIdle = 90 * 24 * time.Hour

func jiraAuthorizeRules() []authorizeRule {
	grantable := []string{jiraReadUser, jiraReadAudit, jiraReadUsers, jiraConfigure, offlineAccess}
	one := func(name, value, text string) authorizeRule {
		return authorizeRule{func(q url.Values) bool { return q.Get(name) != value }, oauthError{"invalid_request", text}}
	}
	return []authorizeRule{
		one("audience", "api.atlassian.com", "The audience must be api.atlassian.com."),
		one("prompt", "consent", "The prompt must be consent."),
		one("response_type", "code", "The response type must be code."),
		{func(q url.Values) bool { return q.Get("state") == "" }, oauthError{"invalid_request", "The state is required."}},
		// Scopes have spaces between them.
		{func(q url.Values) bool {
			asked := strings.Fields(q.Get("scope"))
			return len(asked) == 0 || !subset(asked, grantable)
		}, oauthError{"invalid_scope", "The app has not been configured for one or more of the scopes."}},
	}
}

// signInRules is Atlassian's server as data. Token requests are documented as
// JSON; that a form is taken too is what common OAuth clients rely on
// (unverified).
func (j *Jira) signInRules() provider {
	const bad, denied, forbidden = http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden
	return provider{
		title: "Atlassian", client: j.options.ClientID, secret: j.options.ClientSecret,
		redirects: j.options.RedirectURIs, people: j.options.Users,
		authorizePath: jiraAuthorize, rules: jiraAuthorizeRules(), post: true, json: true,
		refreshes: func(_ url.Values, scopes []string) bool { return slices.Contains(scopes, offlineAccess) },
		words: map[failure]refusal{
			badMedia:       {bad, "invalid_request", "The body must be JSON or a form."},
			manySecrets:    {bad, "invalid_request", "The client must be authenticated in one way."},
			noSecret:       {denied, "access_denied", "Unauthorized"},
			unknownClient:  {denied, "access_denied", "Unauthorized"},
			wrongSecret:    {denied, "access_denied", "Unauthorized"},
			noGrantType:    {bad, "invalid_request", "The grant_type is required."},
			otherGrantType: {forbidden, "unauthorized_client", "Grant type is not allowed for the client."},
			badCode:        {forbidden, "invalid_grant", "Invalid authorization code"},
			badRedirect:    {forbidden, "invalid_grant", "The redirect_uri does not match."},
			badVerifier:    {forbidden, "invalid_grant", "Failed to verify code verifier"},
			badRefresh:     {forbidden, "invalid_grant", "Unknown or invalid refresh token."},
			badScope:       {forbidden, "invalid_scope", "More scopes than were granted."},
		},
		fail: func(_ failure, r refusal) answer {
			return jsonAnswer(r.status, "application/json", map[string]string{"error": r.code, "error_description": r.text})
		},
	}
}

// sites lists what the grant covers. The scopes of an entry are those that are
// of use there.
// https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/#3-1-get-the-cloudid-for-your-site (checked 2026-11-22)
func (j *Jira) sites(r *http.Request) answer {
	granted, _, good := j.bearer(r)
	if !good {
		return j.gateway(http.StatusUnauthorized, "Unauthorized")
	}
	type site struct {
		ID     string   `json:"id"`
		URL    string   `json:"url"`
		Name   string   `json:"name"`
		Scopes []string `json:"scopes"`
		Avatar string   `json:"avatarUrl"`
	}
	scopes := slices.DeleteFunc(slices.Clone(granted.scopes), func(s string) bool { return s == offlineAccess })
	list := []site{}
	for _, name := range append(slices.Clone(j.options.OtherSites), j.options.Site) {
		list = append(list, site{
			ID: jiraCloudID(name), URL: "https://" + name + ".atlassian.net", Name: name, Scopes: scopes,
			Avatar: "https://site-admin-avatar-cdn.prod.public.atl-paas.net/avatars/240/site.png",
		})
	}
	return jsonAnswer(http.StatusOK, "application/json", list)
}
