// Package smartsheet is the application SMARTSHEET: the event stream of one
// Smartsheet account with Event Reporting, read by stream positions.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/smartsheet.html
//   - sign-in: https://developers.smartsheet.com/api/smartsheet/guides/advanced-topics/oauth
//   - tokens: https://developers.smartsheet.com/api/smartsheet/openapi/tokens/tokens-getorrefresh
//     and https://smartsheet.redoc.ly/tag/token/
//   - events: https://developers.smartsheet.com/api/smartsheet/openapi/events/list-events
//   - users: https://smartsheet.redoc.ly/tag/users
//   - errors: https://developers.smartsheet.com/api/smartsheet/error-codes
//   - rate limit: https://developers.smartsheet.com/blog/smartsheet-api-best-practices
package smartsheet

import (
	"cmp"
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	streamEvents = "events"
	pageMax      = 10000 // the most that maxCount takes
	overlap      = 2 * time.Hour
)

// App describes the application.
func App() connector.App {
	return connector.App{
		Name:  "SMARTSHEET",
		Title: "Smartsheet",
		Guide: connector.Guide{
			Plan: "Business or above",
			Steps: []string{
				"Register as a developer and create an app under Developer Tools.",
				"Give it the redirect URL.",
			},
			Fields: connector.Fields{Tenant: "Tenant ID", ClientID: "App client id", ClientSecret: "App secret"},
		},

		Auth: auth(),
		Streams: []connector.Stream{{
			Name:    streamEvents,
			Arrival: true,
			PageMax: pageMax,
			// Read again after a position is no longer known. Times in queries
			// count to the hour.
			Overlap: overlap,
		}},
		// 300 requests a minute for each access token.
		Pace: connector.Pace{
			PerSecond: 4.5, Burst: 10,
			Reset: connector.Wait{Header: "X-RateLimit-Reset", Unit: connector.Epoch},
		},
		Open:      func(env connector.Env) connector.Session { return open(env) },
		Normalize: Normalize,
	}
}

// auth is sign-in by a System Admin of the account. The tenant is a label: the
// API answers for the account of the person who consented. Smartsheet's other
// regions have hosts of their own, which the origins setting leads to.
//
// Tokens are ended by a DELETE with the token itself, which is not RFC 7009: so
// there is no RevokeURL.
func auth() connector.Auth {
	return connector.Auth{
		Grant: connector.AuthorizationCode,
		Tenant: connector.Tenant{
			// What an account id looks like is unverified: whatever could be
			// one is taken.
			Forms:   []connector.TenantForm{{Pattern: `\S+`}},
			Example: `1234567890`,
			Hint:    `the Smartsheet account ID, without blanks; the Admin Center shows it as the tenant ID, under Security & Controls`,
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

// dialect is how Smartsheet refuses: an error object with errorCode and message.
// How long to wait behind a 429 is told by a header that its guide names without
// saying what it counts (unverified: seconds since 1970, as others of this name).
func dialect() rest.Dialect {
	return rest.Dialect{
		Rules: []rest.Rule{
			// Codes of their own, should the status be another.
			{Status: 400, Code: "4003", Kind: connector.Throttled},
			{Status: 403, Code: "4003", Kind: connector.Throttled},
			// The documentation names no code of its own for a position that is no
			// longer known (unverified).
			{Status: 400, Placed: true, Kind: connector.CursorExpired},
		},
		Code:    "errorCode",
		Reasons: []string{"errorCode", "message"},
		Waits: []rest.Wait{
			{Header: "Retry-After", Unit: rest.Seconds},
			{Header: "X-RateLimit-Reset", Unit: rest.Epoch},
		},
	}
}

// identify finds eventId and eventTimestamp, which the reference spells in two
// ways.
func identify(event rest.Doc) (string, time.Time) {
	return event.Scalar("eventId"), rest.Time(cmp.Or(event.Text("eventTimestamp"), event.Text("eventTimeStamp")))
}
