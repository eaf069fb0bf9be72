// Package m365 is the application M365: the users of one Microsoft 365 tenant,
// by Microsoft Graph. Its audit log is the application M365AUDITLOGS.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/microsoft-365.html
//   - sign-in: https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow
//   - lifetimes: https://learn.microsoft.com/en-us/entra/identity-platform/access-tokens
package m365

import (
	"time"

	"selvedge/connector"
)

// App describes the application.
func App() connector.App {
	return connector.App{Name: "M365", Title: "Microsoft 365", Auth: auth()}
}

// auth is sign-in at the tenant's own endpoints. A token is good for one
// resource, here Microsoft Graph.
func auth() connector.Auth {
	return connector.Auth{
		Grant: connector.AuthorizationCode,
		Tenant: connector.Tenant{
			Forms:   []connector.TenantForm{{Pattern: `(?P<tenant>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})`}},
			Example: `01234567-89ab-cdef-0123-456789abcdef`,
			Hint: `the Microsoft Entra tenant ID, a GUID such as "01234567-89ab-cdef-0123-456789abcdef"; ` +
				`the Microsoft Entra admin center shows it on its overview page`,
		},
		Origin:       "https://graph.microsoft.com",
		AuthorizeURL: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
		TokenURL:     "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
		Scopes:       []string{"https://graph.microsoft.com/User.Read", "offline_access"},
		Params:       map[string]string{"response_mode": "query"},
		ClientAuth:   connector.ClientPost,
		PKCE:         true,
		// Each refresh brings a new refresh token. That the one before stays
		// good is unverified, so it is not relied on.
		Rotating: true,
		Lifetime: time.Hour, // the least: Microsoft chooses 60 to 90 minutes
		Signing:  "bearer",
	}
}
