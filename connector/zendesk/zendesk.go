// Package zendesk is the application ZENDESK: the audit log of one Zendesk
// account on an Enterprise plan, read by its time of creation.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/zendesk.html
//   - tokens and PKCE: https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/
//   - refresh tokens: https://support.zendesk.com/hc/en-us/articles/9182123625370
//   - how long tokens live: https://support.zendesk.com/hc/en-us/articles/10212201463962
//   - audit log: https://developer.zendesk.com/api-reference/ticketing/account-configuration/audit_logs/
//   - its filter by time, two values of filter[created_at][], as Airbyte's
//     connector sends it: https://docs.airbyte.com/integrations/sources/zendesk-support
//   - cursors: https://developer.zendesk.com/api-reference/introduction/pagination/
//   - user look-up: https://developer.zendesk.com/api-reference/ticketing/users/users/#search-users
//   - rate limits: https://developer.zendesk.com/api-reference/introduction/rate-limits/ and
//     https://developer.zendesk.com/documentation/ticketing/using-the-zendesk-api/best-practices-for-avoiding-rate-limiting/
package zendesk

import (
	"net/http"
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	streamAudit = "audit_logs"
	pageMax     = 100 // the most that page[size] takes

	scopeAudit = "auditlogs:read"
	scopeUsers = "users:read"
)

// App describes the application.
func App() connector.App {
	return connector.App{
		Name:  "ZENDESK",
		Title: "Zendesk",
		Guide: connector.Guide{
			Plan: "Suite or Support Enterprise", Role: "administrator",
			Steps: []string{
				"Create an OAuth client in the Admin Center; the client ID is its unique identifier.",
				"Give it the redirect URL.",
			},
			Fields: connector.Fields{Tenant: "Subdomain", ClientID: "Unique identifier", ClientSecret: "Secret"},
		},

		Auth: auth(),
		// An Enterprise account has 700 requests a minute for all that reads it.
		Pace: connector.Pace{
			PerSecond: 5, Burst: 20,
			Remaining: "Ratelimit-Remaining",
			Reset:     connector.Wait{Header: "Ratelimit-Reset", Unit: connector.Seconds},
		},
		Streams: []connector.Stream{{
			Name:    streamAudit,
			PageMax: pageMax,
			// How late a record may come is not documented (unverified).
			Overlap: time.Hour,
			// Retention: records are kept indefinitely.
		}},
		Open:      func(env connector.Env) connector.Session { return open(env) },
		Normalize: Normalize,
	}
}

func auth() connector.Auth {
	const subdomain = `(?P<subdomain>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)`
	return connector.Auth{
		Grant: connector.AuthorizationCode,
		Tenant: connector.Tenant{
			Forms: []connector.TenantForm{
				{Pattern: `(?:https://)?` + subdomain + `\.zendesk\.com(?:/.*)?`},
				{Pattern: subdomain},
			},
			Example: `example`,
			Hint:    `the account's subdomain in lower case, such as "example" of https://example.zendesk.com; it is in the browser's address bar`,
		},
		Origin:       "https://{subdomain}.zendesk.com",
		AuthorizeURL: "https://{subdomain}.zendesk.com/oauth/authorizations/new",
		TokenURL:     "https://{subdomain}.zendesk.com/oauth/tokens",
		// AppFabric's guide names none; these two are the least that audit log
		// and user look-up need.
		Scopes: []string{scopeAudit, scopeUsers},
		// A request for tokens says again what they are for, and how long they
		// are to live: without that they end by the client's age, those of an old
		// one never. A refresh deletes both tokens before it, so few are better:
		// half a day of the 48 hours allowed, and the most for refresh tokens.
		TokenParams: map[string]string{
			"scope":                    scopeAudit + " " + scopeUsers,
			"expires_in":               "43200",
			"refresh_token_expires_in": "7776000",
		},
		ClientAuth: connector.ClientPost,
		PKCE:       true,
		Rotating:   true,
		Lifetime:   30 * time.Minute, // the default where the answer does not say
		Signing:    "bearer",
		// Tokens are revoked by their number at the API, not as RFC 7009 has it.
	}
}

// dialect is how Zendesk refuses: an error that is a code with its description,
// or an object; a list of them for what concerns paging.
func dialect() rest.Dialect {
	return rest.Dialect{
		// Which status and code a cursor is refused with is not documented
		// (unverified).
		Rules: rest.Forgotten(http.StatusBadRequest, http.StatusUnprocessableEntity),
		Code:  "error",
		Reasons: []string{
			"error", "error_description", "description", "error.title", "error.message",
			"errors.0.code", "errors.0.title", "errors.0.detail",
		},
		Waits: []rest.Wait{
			{Header: "Retry-After", Unit: rest.Seconds},
			{Header: "Ratelimit-Reset", Unit: rest.Seconds},
		},
	}
}

// identify finds id, a number, and created_at in a record.
func identify(record rest.Doc) (string, time.Time) {
	return record.Scalar("id"), rest.Time(record.Text("created_at"))
}
