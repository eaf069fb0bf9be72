// Package slack is the application SLACK: the audit log of one Slack
// organization on Enterprise Grid, read as an owner of the organization.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/slack.html
//   - sign-in: https://docs.slack.dev/authentication/installing-with-oauth
//   - token rotation: https://docs.slack.dev/authentication/using-token-rotation
//   - audit log: https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference
package slack

import (
	"time"

	"selvedge/connector"
)

// App describes the application.
func App() connector.App {
	return connector.App{Name: "SLACK", Title: "Slack", Auth: auth()}
}

// auth is an installation on the organization. The tenant is in no address:
// the answer to the sign-in says which organization consented.
func auth() connector.Auth {
	const name = `(?P<name>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)`
	return connector.Auth{
		Grant: connector.AuthorizationCode,
		Tenant: connector.Tenant{
			Forms: []connector.TenantForm{
				{Pattern: `(?:https://)?` + name + `\.(?:enterprise\.)?slack\.com/?`},
				{Pattern: name},
			},
			Example: `example`,
			Hint: `the name of the workspace or organization in lower case, such as "example" of https://example.slack.com ` +
				`or https://example.enterprise.slack.com; it is in the browser's address bar`,
		},
		Origin:       "https://api.slack.com", // of the audit log
		AuthorizeURL: "https://slack.com/oauth/v2/authorize",
		TokenURL:     "https://slack.com/api/oauth.v2.access",
		// The audit log takes the token of a user, an owner of the
		// organization, not that of a bot.
		ScopeParam:     "user_scope",
		ScopeSeparator: ",",
		Scopes:         []string{"auditlogs:read", "users:read.email", "users:read"},
		TokenPath:      "authed_user",
		ClientAuth:     connector.ClientPost,
		// Of an app with token rotation, which AppFabric's guide asks for.
		Rotating: true,
		Lifetime: 12 * time.Hour,
		Signing:  "bearer",
	}
}
