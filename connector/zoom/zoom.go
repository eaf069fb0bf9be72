// Package zoom is the application ZOOM: the sign-in and operation logs of one
// Zoom account, read by a server-to-server OAuth app. Nobody consents in a
// browser: client id, secret and account id are the grant.
//
// Both logs are reports: asked for by the day, newest record first, a month at
// the most, and their records have no identifiers.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/zoom.html
//   - sign-in: https://developers.zoom.us/docs/internal-apps/s2s-oauth/
//   - reports: https://developers.zoom.us/docs/api/meetings/#tag/reports
//   - users: https://developers.zoom.us/docs/api/users/
//   - errors: https://developers.zoom.us/docs/api/errors/
//   - rate limits: https://developers.zoom.us/docs/api/rate-limits/
package zoom

import (
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	streamActivities = "activities"

	pageMax = 300 // the most that page_size takes
	day     = 24 * time.Hour

	// window is how much one walk reads: a month is the most, and a day more
	// is asked for than is wanted.
	window = 28 * day

	// reach is how far back a report may be asked for: six months.
	reach = 178 * day
)

// feed is one report.
type feed struct {
	stream, path, list string
}

func feeds() []feed {
	return []feed{
		{streamActivities, "/v2/report/activities", "activity_logs"},
		{"operation_logs", "/v2/report/operationlogs", "operation_logs"},
	}
}

// App describes the application.
func App() connector.App {
	app := connector.App{
		Name:  "ZOOM",
		Title: "Zoom",
		Guide: connector.Guide{
			Plan: "Pro or above", Role: "administrator",
			Steps: []string{
				"Create a server-to-server OAuth app in the Marketplace.",
				"Give it the scopes above, and activate it.",
			},
			Fields: connector.Fields{Tenant: "Account ID", ClientSecret: "Client Secret"},
		},

		Auth: auth(),
		// Reports are of the heavy kind: 10 calls a second of all apps together
		// on the smallest plan that has them.
		Pace:      connector.Pace{PerSecond: 5, Burst: 5},
		Open:      func(env connector.Env) connector.Session { return open(env) },
		Normalize: Normalize,
	}
	for _, f := range feeds() {
		app.Streams = append(app.Streams, connector.Stream{
			Name:    f.stream,
			Shapes:  shapes(f.stream),
			Newest:  true,
			Day:     true,
			PageMax: pageMax,
			Window:  window,
			// How late a record may come is not documented. A day holds many
			// pages, and calls are counted by the day: so no more than this.
			Overlap:   6 * time.Hour,
			Retention: 180 * day,
		})
	}
	return app
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
		Origin:  "https://api.zoom.us",
		Origins: []string{"https://*.zoom.us"}, // where api_url leads
		// In the body, as documented. In the query, as it was once, they are
		// refused at times
		// (https://devforum.zoom.us/t/oauth-token-400-bad-request-params-in-query-string/124925, checked 2026-11-22).
		TokenURL:    "https://zoom.us/oauth/token",
		TokenParams: map[string]string{"grant_type": "account_credentials", "account_id": "{account}"},
		// Given to the app in Zoom's Marketplace, not asked for. An app of the
		// classic kind has report:read:admin and user:read:admin in their place,
		// so what the token answer tells is not compared.
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

// dialect is how Zoom refuses: a number as code, and a message. A scope that is
// missing, or a plan or role that is too small, is a 400; a place whose token
// has expired is one too, and told by the call (see expired).
func dialect() rest.Dialect {
	return rest.Dialect{
		Rules: []rest.Rule{
			{Status: 400, Code: "4711", Kind: connector.Forbidden},
			{Status: 400, Code: "4700", Kind: connector.Forbidden},
			{Status: 400, Code: "200", Kind: connector.Forbidden},
			// A page's token is good for 15 minutes; with what code it is refused
			// after that is not documented.
			{Status: 400, Placed: true, Kind: connector.CursorExpired},
		},
		Code:    "code",
		Reasons: []string{"code", "message"},
		Waits:   []rest.Wait{{Header: "Retry-After", Unit: rest.Seconds}},
	}
}

// identify finds the time of a record. Zoom gives it no identifier.
func identify(record rest.Doc) (string, time.Time) { return "", rest.Time(record.Text("time")) }
