// Package okta is the application OKTA: the System Log of one Okta
// organization, read by polling requests, whose next link is the cursor.
//
// Facts checked 2026-11-22:
//   - System Log: https://developer.okta.com/docs/reference/system-log-query/
//   - OAuth for Okta APIs: https://developer.okta.com/docs/guides/implement-oauth-for-okta/
//   - refresh tokens: https://developer.okta.com/docs/guides/refresh-tokens/main/
//   - rate limits: https://developer.okta.com/docs/reference/rl-best-practices/
package okta

import (
	"net/http"
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	streamLog   = "system_log"
	pageMax     = 1000 // the most that limit takes
	pageDefault = 100  // without a limit

	// sinceReach is how far back since may lie: Okta refuses 180 days and more
	// (E0000053), and shows 90 days of what it takes.
	sinceReach = 180*24*time.Hour - time.Hour
)

// App describes the application.
func App() connector.App {
	return connector.App{
		Name:  "OKTA",
		Title: "Okta",
		Guide: connector.Guide{
			Plan: "any", Role: "Super Admin, who creates the integration and consents",
			Steps: []string{
				"Create an OIDC web application with the grants authorization code and refresh token.",
				"Grant it the Okta API scopes above.",
				"Give it the redirect URL.",
			},
			Fields: connector.Fields{Tenant: "Okta domain"},
		},

		Auth: auth(),
		Streams: []connector.Stream{{
			Name:    streamLog,
			Arrival: true,
			PageMax: pageMax,
			// Read again after a cursor has expired. Polling requests filter
			// by the time at which Okta stored the event, which lies behind
			// published, so an hour is ample.
			Overlap:   time.Hour,
			Retention: 90 * 24 * time.Hour,
		}},
		// Each answer has both. Okta counts by kind of endpoint and tells what
		// is left of the one called; the look-ups wait with the polls.
		Pace: connector.Pace{
			Remaining: "X-Rate-Limit-Remaining",
			Reset:     connector.Wait{Header: "X-Rate-Limit-Reset", Unit: connector.Epoch},
		},
		Open:      func(env connector.Env) connector.Session { return open(env) },
		Normalize: Normalize,
	}
}

// auth is sign-in at the organization's own authorization server: custom ones
// cannot grant scopes of Okta's APIs.
func auth() connector.Auth {
	return connector.Auth{
		Grant: connector.AuthorizationCode,
		Tenant: connector.Tenant{
			Forms: []connector.TenantForm{
				// The address of the admin console, as it is often copied.
				{
					Pattern: `(?:https://)?(?P<sub>[a-z0-9][a-z0-9-]*)-admin\.(?P<cell>okta|oktapreview|okta-emea)\.com(?:/.*)?`,
					Vars:    map[string]string{"domain": "{sub}.{cell}.com"},
				},
				{Pattern: `(?:https://)?(?P<domain>(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,})/?`},
				{
					Pattern: `(?P<sub>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)`,
					Vars:    map[string]string{"domain": "{sub}.okta.com"},
				},
			},
			Example: `dev-1234.okta.com`,
			Hint:    `the Okta domain in lower case, such as "dev-1234.okta.com"; it is in the user menu of the Okta dashboard`,
		},
		Origin:       "https://{domain}",
		AuthorizeURL: "https://{domain}/oauth2/v1/authorize",
		TokenURL:     "https://{domain}/oauth2/v1/token",
		RevokeURL:    "https://{domain}/oauth2/v1/revoke",
		Scopes:       []string{"okta.logs.read", "okta.users.read", "offline_access"},
		ClientAuth:   connector.ClientBasic,
		PKCE:         true,
		// Whether refresh tokens rotate is a setting of the organization's
		// app integration that the token answer does not tell.
		Rotating: true,
		Lifetime: time.Hour,
		Signing:  "bearer",
	}
}

// dialect is how Okta refuses: an error object with errorCode and
// errorSummary, and on a 429 the second at which the limit is lifted.
func dialect() rest.Dialect {
	return rest.Dialect{
		// The documentation names no code of its own for a forgotten link
		// (unverified).
		Rules:   rest.Forgotten(http.StatusBadRequest, http.StatusGone),
		Code:    "errorCode",
		Reasons: []string{"errorCode", "errorSummary"},
		Waits: []rest.Wait{
			{Header: "Retry-After", Unit: rest.Seconds},
			{Header: "X-Rate-Limit-Reset", Unit: rest.Epoch},
		},
	}
}

// identify finds uuid and published in a LogEvent.
func identify(event rest.Doc) (string, time.Time) {
	return event.Text("uuid"), rest.Time(event.Text("published"))
}
