// Package smartsheet is the application SMARTSHEET: the event stream of one
// Smartsheet account with Event Reporting.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/smartsheet.html
//   - sign-in: https://developers.smartsheet.com/api/smartsheet/guides/advanced-topics/oauth
//   - tokens: https://developers.smartsheet.com/api/smartsheet/openapi/tokens/tokens-getorrefresh
package smartsheet

import (
	"time"

	"selvedge/connector"
)

// App describes the application.
func App() connector.App {
	return connector.App{Name: "SMARTSHEET", Title: "Smartsheet", Auth: auth()}
}

// auth is sign-in by a System Admin of the account. The tenant is a label: the
// API answers for the account of the person who consented. Smartsheet's other
// regions have hosts of their own, which the origins setting leads to.
func auth() connector.Auth {
	return connector.Auth{
		Grant: connector.AuthorizationCode,
		Tenant: connector.Tenant{
			// What an account id looks like is unverified: whatever could be
			// one is taken.
			Forms:   []connector.TenantForm{{Pattern: `\S+`}},
			Example: `1234567890`,
			Hint:    `the Smartsheet account ID, without blanks; a System Admin of the account can tell it`,
		},
		Origin:       "https://api.smartsheet.com",
		AuthorizeURL: "https://app.smartsheet.com/b/authorize",
		TokenURL:     "https://api.smartsheet.com/2.0/token",
		Scopes:       []string{"READ_EVENTS", "READ_USERS"},
		ClientAuth:   connector.ClientPost,
		// Each refresh brings a new refresh token. That the one before ends is
		// unverified; taking it for good would cost the grant.
		Rotating: true,
		Lifetime: 604799 * time.Second,
		Signing:  "bearer",
	}
}
