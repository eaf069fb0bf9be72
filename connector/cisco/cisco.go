// Package cisco is the application CISCO, which is Webex: the admin and
// security audit events of one Webex organization, and the compliance events
// about memberships of its spaces.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/webex.html
//   - sign-in: https://developer.webex.com/docs/integrations
//   - admin audit: https://developer.webex.com/docs/api/v1/admin-audit-events/list-admin-audit-events
//   - security audit: https://developer.webex.com/docs/api/v1/security-audit-events/list-security-audit-events
//   - compliance events: https://developer.webex.com/docs/api/v1/events/list-events
//   - paging, errors and rate limits: https://developer.webex.com/docs/basics
//   - organization ids: https://developer.webex.com/docs/api/v1/identity-organization
package cisco

import (
	"net/http"
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	streamAdmin       = "admin_audit"
	streamSecurity    = "security_audit"
	streamMemberships = "memberships"
)

// feed is how a stream is asked.
type feed struct {
	path, from, to string
	resource       string // of the compliance events; they are those of the token's organization
	open           bool   // the upper bound may be left out, and must not lie in the future
	page           int    // most records of a page
}

func feeds(stream string) (feed, bool) {
	f, ok := map[string]feed{
		streamAdmin:    {path: "/v1/adminAudit/events", from: "from", to: "to", page: 200},
		streamSecurity: {path: "/v1/admin/securityAudit/events", from: "startTime", to: "endTime", page: 1000},
		// Of the compliance events these alone are about access, and have
		// nothing that somebody wrote.
		streamMemberships: {path: "/v1/events", from: "from", to: "to", resource: "memberships", open: true, page: 1000},
	}[stream]
	return f, ok
}

// App describes the application.
func App() connector.App {
	return connector.App{
		Name: "CISCO", Title: "Webex by Cisco",
		Guide: connector.Guide{
			Plan: "Webex Flex with Pro Pack", Role: "Full Administrator who is Compliance Officer too",
			Steps: []string{
				"Create an integration in the Webex developer portal.",
				"Give it the redirect URL, and the scopes above.",
			},
			Fields: connector.Fields{Tenant: "Organization ID", ClientSecret: "Client Secret"},
		},
		Auth: auth(),
		// Sign-ins need Pro Pack, and a setting of the organization ("Allow user
		// authentication data"): without them that stream rests.
		Streams: []connector.Stream{stream(streamAdmin), stream(streamSecurity), stream(streamMemberships)},
		// The limit is not told (it varies by call and load): a 429 says how
		// long to wait.
		Pace:      connector.Pace{PerSecond: 4, Burst: 10},
		Open:      func(env connector.Env) connector.Session { return open(env) },
		Normalize: Normalize,
	}
}

// stream describes a feed. The order of records is not documented: each walk
// reads all of its range, so that none is relied on. How late a record may show
// is not documented either.
func stream(name string) connector.Stream {
	f, _ := feeds(name)
	return connector.Stream{
		Name: name, Shapes: shapes(name), Newest: true, PageMax: f.page, Window: year, Overlap: time.Hour, Retention: year,
	}
}

// year is the widest range of one request.
const year = 365 * 24 * time.Hour

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
		// The answer tells. Where it did not, 14 days and 12 hours are both said
		// (unverified): what is taken for shorter is refreshed sooner.
		Lifetime: 6 * time.Hour,
		Signing:  "bearer",
	}
}

// dialect is how Webex refuses: a message, and on a 429 or 423 the seconds to
// wait. Our requests are well formed: a 400 means an organization or a setting
// that is not as it must be, and no other attempt will mend it.
func dialect() rest.Dialect {
	return rest.Dialect{
		// That a 400 or 410 on a link says that it is forgotten is unverified.
		Rules: append(rest.Forgotten(http.StatusBadRequest, http.StatusGone),
			rest.Rule{Status: http.StatusBadRequest, Kind: connector.Forbidden},
			rest.Rule{Status: http.StatusLocked, Kind: connector.Throttled},
		),
		Reasons: []string{"message"},
		Waits:   []rest.Wait{{Header: "Retry-After", Unit: rest.Seconds}},
	}
}

// identify finds id and created in an event.
func identify(event rest.Doc) (string, time.Time) {
	return event.Text("id"), rest.Time(event.Text("created"))
}
