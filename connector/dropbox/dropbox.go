// Package dropbox is the application DROPBOX: the event log of one Dropbox
// team, read with cursors that never end. Its events have no identifier.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/dropbox.html
//   - sign-in: https://developers.dropbox.com/oauth-guide
//   - offline access: https://dropbox.tech/developers/using-oauth-2-0-with-offline-access
//   - event log: https://github.com/dropbox/dropbox-api-spec/blob/main/team_log.stone
//   - members: https://github.com/dropbox/dropbox-api-spec/blob/main/team_members.stone
//   - errors: https://www.dropbox.com/developers/documentation/http/documentation#error-handling
//     and https://developers.dropbox.com/error-handling-guide
package dropbox

import (
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	streamEvents = "team_events"
	pageMax      = 1000 // the most that limit takes
)

// App describes the application. How many calls Dropbox takes is nowhere
// written, so its Pace is what Dropbox says on a 429.
func App() connector.App {
	return connector.App{
		Name:  "DROPBOX",
		Title: "Dropbox",
		Guide: connector.Guide{
			Plan: "Business", Role: "Team Admin",
			Steps: []string{
				"Create an app with scoped access and full Dropbox in the App Console.",
				"Give it the redirect URL, and the scopes above.",
			},
			Fields: connector.Fields{Tenant: "Name of the team", ClientID: "App key", ClientSecret: "App secret"},
		},

		Auth: auth(),
		Streams: []connector.Stream{{
			Name:    streamEvents,
			Arrival: true,
			PageMax: pageMax,
			// Read again after a cursor was reset. How late an event may be
			// logged is nowhere written, and resets are rare.
			Overlap: 24 * time.Hour,
		}},
		Open:      func(env connector.Env) connector.Session { return open(env) },
		Normalize: Normalize,
	}
}

// auth is sign-in by an administrator of the team. The tenant is a label: the
// API answers for the team of the person who consented.
//
// Dropbox ends a grant by /2/auth/token/revoke, called with the token itself,
// which is not RFC 7009: so there is no RevokeURL.
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
		ScopesTold:   true, // in the answer to a code; a refresh does not tell
		Lifetime:     4 * time.Hour,
		Facts:        []string{"team_id"}, // of apps linked to a team
		Signing:      "bearer",
	}
}

// dialect is how Dropbox refuses: 401 for a missing scope too, 409 for what an
// endpoint has to say of its own, 429 with the seconds to wait.
func dialect() rest.Dialect {
	return rest.Dialect{
		Rules: []rest.Rule{
			{Status: 401, Code: "missing_scope", Kind: connector.Forbidden},
			{Status: 401, Code: "user_suspended", Kind: connector.Forbidden},
			{Status: 409, Code: "bad_cursor", Kind: connector.CursorExpired},
			{Status: 409, Code: "reset", Kind: connector.CursorExpired},
			// What Dropbox cannot read of a cursor is as good as a reset.
			{Status: 400, Placed: true, Kind: connector.CursorExpired},
			// Of requests that are well-formed: the app is of another type.
			{Status: 400, Kind: connector.Forbidden},
		},
		Plain:   400,
		Code:    `error.\.tag`,
		Reasons: []string{"error_summary", "error.required_scope", "user_message.text"},
		Waits:   []rest.Wait{{Header: "Retry-After", Unit: rest.Seconds}},
	}
}

// identify finds the time of an event. Identifiers there are none.
func identify(event rest.Doc) (string, time.Time) {
	return "", rest.Time(event.Text("timestamp"))
}
