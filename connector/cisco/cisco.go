// Package cisco is the application CISCO, which is Webex: the admin and
// security audit events of one Webex organization.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/webex.html
//   - sign-in: https://developer.webex.com/docs/integrations
//   - organization ids: https://developer.webex.com/docs/api/v1/identity-organization
package cisco

import (
	"time"

	"selvedge/connector"
)

// App describes the application.
func App() connector.App {
	return connector.App{Name: "CISCO", Title: "Webex by Cisco", Auth: auth()}
}

// auth is sign-in by a full administrator who is a compliance officer too.
func auth() connector.Auth {
	return connector.Auth{
		Grant: connector.AuthorizationCode,
		Tenant: connector.Tenant{
			Forms: []connector.TenantForm{
				{Pattern: `(?P<organization>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})`},
				// The API's spelling: ciscospark://us/ORGANIZATION/ and the
				// UUID, in base64.
				{Pattern: `(?P<organization>Y2lzY29zcGFyazovL[A-Za-z0-9+/_-]+=*)`},
			},
			Example: `01234567-89ab-cdef-0123-456789abcdef`,
			Hint: `the Webex organization ID, a UUID such as "01234567-89ab-cdef-0123-456789abcdef"; ` +
				`Control Hub shows it under Account`,
		},
		Origin:       "https://webexapis.com",
		AuthorizeURL: "https://webexapis.com/v1/authorize",
		TokenURL:     "https://webexapis.com/v1/access_token",
		Scopes:       []string{"spark-compliance:events_read", "audit:events_read", "spark-admin:people_read"},
		ClientAuth:   connector.ClientPost,
		// Whether PKCE is taken beside a client secret is unverified: it is not
		// sent. Whether refresh tokens rotate is unverified too.
		Rotating: true,
		// Said to be 14 days (unverified). The shorter one is refreshed sooner.
		Lifetime: 24 * time.Hour,
		Signing:  "bearer",
	}
}
