// Package asana is the application ASANA: the audit log of one Asana domain on
// an Enterprise plan, read with the token of a service account and followed by
// its offset, which is a cursor for events yet to come.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/asana.html
//   - audit log: https://developers.asana.com/docs/audit-log-api and
//     https://developers.asana.com/reference/getauditlogevents
//   - events, and that they are kept for 90 days: https://developers.asana.com/docs/audit-log-events
//   - identifiers and the shapes of answers: https://github.com/Asana/openapi/blob/master/defs/asana_oas.yaml
//   - errors: https://developers.asana.com/docs/errors
//   - rate limits: https://developers.asana.com/docs/rate-limits
package asana

import (
	"net/http"
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	streamAudit = "audit_log_events"

	// pageMax is the endpoint's default, which is asked for by naming none: what
	// limit takes at most is 100 by the general rule for it, which is less.
	pageMax = 1000
)

// App describes the application.
func App() connector.App {
	return connector.App{
		Name:  "ASANA",
		Title: "Asana",
		Guide: connector.Guide{
			Plan: "Enterprise", Role: "Super Admin",
			Steps: []string{
				"Create a service account in the admin console.",
				"Copy its token.",
			},
			Fields: connector.Fields{Tenant: "Domain ID", APIKey: "Service account token"},
		},

		Auth: auth(),
		// 1,500 requests per minute and token.
		Pace: connector.Pace{PerSecond: 20, Burst: 50},
		Streams: []connector.Stream{{
			Name: streamAudit,
			// That offsets run by arrival is unverified: the endpoint is
			// documented as sorted by creation time
			// (https://developers.asana.com/reference/getauditlogevents,
			// checked 2026-11-22).
			Arrival: true,
			PageMax: pageMax,
			// Read again after an offset has expired.
			Overlap:   time.Hour,
			Retention: 90 * 24 * time.Hour,
		}},
		Open:      func(env connector.Env) connector.Session { return open(env) },
		Normalize: Normalize,
	}
}

func auth() connector.Auth {
	return connector.Auth{
		Grant: connector.APIKey,
		Tenant: connector.Tenant{
			Forms:   []connector.TenantForm{{Pattern: `(?P<workspace>[0-9]+)`}},
			Example: `1234567890123456`,
			Hint:    `the Asana domain ID, a number such as "1234567890123456"; the admin console shows it under Settings, Domain settings`,
		},
		Origin:  "https://app.asana.com",
		Signing: "bearer",
	}
}

// dialect is how Asana refuses: a list of errors with a message, and a phrase
// to quote in the case of a 500. What a plan does not have is a 402 or 403.
func dialect() rest.Dialect {
	return rest.Dialect{
		// "Your pagination token has expired" (seen in the field; no code comes
		// with it).
		Rules:   rest.Forgotten(http.StatusBadRequest),
		Reasons: []string{"errors.0.message", "errors.0.phrase"},
		Waits:   []rest.Wait{{Header: "Retry-After", Unit: rest.Seconds}},
	}
}

// identify finds gid and created_at in an event.
func identify(event rest.Doc) (string, time.Time) {
	return event.Text("gid"), rest.Time(event.Text("created_at"))
}
