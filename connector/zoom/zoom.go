// Package zoom is the application ZOOM: the sign-in and operation logs of one
// Zoom account, read by a server-to-server OAuth app. Nobody consents in a
// browser: client id, secret and account id are the grant.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/zoom.html
//   - sign-in: https://developers.zoom.us/docs/internal-apps/s2s-oauth/
package zoom

import (
	"time"

	"selvedge/connector"
)

// App describes the application.
func App() connector.App {
	return connector.App{Name: "ZOOM", Title: "Zoom", Auth: auth()}
}

func auth() connector.Auth {
	return connector.Auth{
		Grant: connector.AccountCredentials,
		Tenant: connector.Tenant{
			// Zoom does not say what an account id is made of; these are the
			// characters that those seen have (unverified).
			Forms:   []connector.TenantForm{{Pattern: `(?P<account>[A-Za-z0-9_-]+)`}},
			Example: `aBcDeFgHiJkLmNoPqRsTuV`,
			Hint:    `the Zoom account ID, such as "aBcDeFgHiJkLmNoPqRsTuV"; the server-to-server OAuth app shows it under App Credentials`,
		},
		Origin:   "https://api.zoom.us",
		TokenURL: "https://zoom.us/oauth/token?grant_type=account_credentials&account_id={account}",
		// Given to the app in Zoom's Marketplace, not asked for. An app of the
		// classic kind has report:read:admin and user:read:admin in their place.
		Scopes: []string{
			"report:read:user_activities:admin", "report:read:operation_logs:admin",
			"user:read:email:admin", "user:read:user:admin",
		},
		ClientAuth: connector.ClientBasic,
		Lifetime:   time.Hour,
		Facts:      []string{"api_url"}, // the account's own API host (unverified: where it is missing, Origin counts)
		Signing:    "bearer",
	}
}
