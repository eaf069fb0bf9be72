// Package zendesk is the application ZENDESK: the audit log of one Zendesk
// account on an Enterprise plan.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/zendesk.html
//   - tokens and PKCE: https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/
//   - refresh tokens: https://support.zendesk.com/hc/en-us/articles/9182123625370
//   - audit log: https://developer.zendesk.com/api-reference/ticketing/account-configuration/audit_logs/
package zendesk

import (
	"time"

	"selvedge/connector"
)

// App describes the application.
func App() connector.App {
	return connector.App{Name: "ZENDESK", Title: "Zendesk", Auth: auth()}
}

func auth() connector.Auth {
	const subdomain = `(?P<subdomain>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)`
	return connector.Auth{
		Grant: connector.AuthorizationCode,
		Tenant: connector.Tenant{
			Forms: []connector.TenantForm{
				{Pattern: `(?:https://)?` + subdomain + `\.zendesk\.com(?:/.*)?`},
				{Pattern: subdomain},
			},
			Example: `example`,
			Hint:    `the account's subdomain in lower case, such as "example" of https://example.zendesk.com; it is in the browser's address bar`,
		},
		Origin:       "https://{subdomain}.zendesk.com",
		AuthorizeURL: "https://{subdomain}.zendesk.com/oauth/authorizations/new",
		TokenURL:     "https://{subdomain}.zendesk.com/oauth/tokens",
		// AppFabric's guide names none; these two are the least that audit log
		// and user look-up need.
		Scopes:     []string{"auditlogs:read", "users:read"},
		ClientAuth: connector.ClientPost,
		PKCE:       true,
		Rotating:   true, // a refresh deletes both tokens before it
		// A token of an older client never ends and its answer does not say
		// so. Which life others have by default is unverified; this is short.
		Lifetime: 30 * time.Minute,
		Signing:  "bearer",
	}
}
