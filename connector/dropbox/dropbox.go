// Package dropbox is the application DROPBOX: the event log of one Dropbox
// team.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/dropbox.html
//   - sign-in: https://developers.dropbox.com/oauth-guide
//   - offline access: https://dropbox.tech/developers/using-oauth-2-0-with-offline-access
package dropbox

import (
	"time"

	"selvedge/connector"
)

// App describes the application.
func App() connector.App {
	return connector.App{Name: "DROPBOX", Title: "Dropbox", Auth: auth()}
}

// auth is sign-in by an administrator of the team. The tenant is a label: the
// API answers for the team of the person who consented.
func auth() connector.Auth {
	return connector.Auth{
		Grant: connector.AuthorizationCode,
		Tenant: connector.Tenant{
			Forms:   []connector.TenantForm{{Pattern: `(?s:.+)`}},
			Example: `Example & Co`,
			Hint:    `any text that names the team, such as its own name`,
		},
		Origin:       "https://api.dropboxapi.com",
		AuthorizeURL: "https://www.dropbox.com/oauth2/authorize",
		TokenURL:     "https://api.dropboxapi.com/oauth2/token",
		Scopes:       []string{"account_info.read", "team_data.member", "events.read", "members.read", "team_info.read"},
		Params:       map[string]string{"token_access_type": "offline"}, // without it there is no refresh token
		ClientAuth:   connector.ClientPost,
		PKCE:         true,
		Lifetime:     4 * time.Hour,
		Facts:        []string{"team_id"}, // of apps linked to a team (unverified)
		Signing:      "bearer",
	}
}
