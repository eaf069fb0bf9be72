// Package jira is the application JIRA: the audit records of one Jira Cloud
// site.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/jira.html
//   - sign-in (3LO): https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/
//   - refresh tokens: https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens
//   - audit records: https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-audit-records/
package jira

import (
	"time"

	"selvedge/connector"
)

// App describes the application.
func App() connector.App {
	return connector.App{Name: "JIRA", Title: "Jira", Auth: auth()}
}

// auth is sign-in at Atlassian's one authorization server. Calls go to one host
// for all sites, with the site's cloud id in the path: which that is, and that
// the grant covers this site, only the API can tell.
func auth() connector.Auth {
	const site = `(?P<site>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)`
	return connector.Auth{
		Grant: connector.AuthorizationCode,
		Tenant: connector.Tenant{
			Forms: []connector.TenantForm{
				{Pattern: `(?:https://)?` + site + `\.atlassian\.net(?:/.*)?`},
				{Pattern: site},
			},
			Example: `example`,
			Hint:    `the site's name in lower case, such as "example" of https://example.atlassian.net; it is in the browser's address bar`,
		},
		Origin:       "https://api.atlassian.com",
		AuthorizeURL: "https://auth.atlassian.com/authorize",
		TokenURL:     "https://auth.atlassian.com/oauth/token",
		Scopes:       []string{"read:jira-user", "read:audit-log:jira", "read:user:jira", "offline_access"},
		Params:       map[string]string{"audience": "api.atlassian.com", "prompt": "consent"},
		ClientAuth:   connector.ClientPost, // documented as JSON; that a form is taken too is unverified
		Rotating:     true,
		Lifetime:     time.Hour,
		Signing:      "bearer",
	}
}
