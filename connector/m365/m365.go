// Package m365 is the application M365: the users of one Microsoft 365 tenant,
// by Microsoft Graph, and where its permissions reach so far, the directory's
// own audit log and sign-ins. The unified audit log is the application
// M365AUDITLOGS.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/microsoft-365.html
//   - sign-in: https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow
//   - scopes: https://learn.microsoft.com/en-us/entra/identity-platform/scopes-oidc
//   - lifetimes: https://learn.microsoft.com/en-us/entra/identity-platform/access-tokens
//   - audits: https://learn.microsoft.com/en-us/graph/api/directoryaudit-list
//   - sign-ins: https://learn.microsoft.com/en-us/graph/api/signin-list
//   - limits: https://learn.microsoft.com/en-us/graph/throttling-limits
//   - retention: https://learn.microsoft.com/en-us/entra/identity/monitoring-health/reference-reports-data-retention
package m365

import (
	"net/http"
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	streamAudits = "directory_audits"
	streamSignIn = "sign_ins"
	pageMax      = 1000 // the most that $top takes, and what a page of sign-ins has without it
)

// App describes the application.
func App() connector.App {
	return connector.App{
		Name:  "M365",
		Title: "Microsoft 365",
		Guide: connector.Guide{
			Plan: "Enterprise", Role: "an administrator who can consent for the tenant",
			Steps: []string{
				"Register an application of a single tenant in Microsoft Entra, with a Web redirect URL.",
				"Add the delegated permissions of the scopes above, and grant admin consent.",
				"Create a client secret.",
			},
			Fields: connector.Fields{Tenant: "Directory (tenant) ID", ClientID: "Application (client) ID", ClientSecret: "Client secret value"},
		},

		Auth:    auth(),
		Streams: []connector.Stream{stream(streamAudits), stream(streamSignIn)},
		// Of the logs: 5 requests in 10 seconds for one application and tenant.
		Pace:      connector.Pace{PerSecond: 0.45, Burst: 4},
		Open:      func(env connector.Env) connector.Session { return open(env) },
		Normalize: Normalize,
	}
}

// stream describes either log. Both are beyond what AppFabric's guide asks for:
// they need permissions that an administrator has to consent to, the sign-ins a
// licence (P1 or P2) as well. Where those are missing, the stream rests.
func stream(name string) connector.Stream {
	return connector.Stream{
		Name:    name,
		Shapes:  shapes(name),
		Scopes:  []string{"AuditLog.Read.All", "Directory.Read.All"},
		Newest:  true,
		PageMax: pageMax,
		// Records show within minutes, most of them
		// (https://learn.microsoft.com/en-us/entra/identity/monitoring-health/reference-reports-latencies,
		// checked 2026-11-22).
		Overlap:   time.Hour,
		Retention: 30 * 24 * time.Hour, // with a licence; seven days without
	}
}

// scope asks for all that was consented to. Named one by one, permissions for
// the streams would have to be asked of everybody, and the sign-in of a tenant
// whose administrator did not consent to them would fail; with .default the
// token has what there is, and a person is only asked where nothing was
// consented to. Scopes of no resource may stand beside it
// (https://github.com/AzureAD/microsoft-authentication-library-for-js/issues/1718,
// checked 2026-11-22).
const scope = "https://graph.microsoft.com/.default"

// auth is sign-in at the tenant's own endpoints. A token is good for one
// resource, here Microsoft Graph.
func auth() connector.Auth {
	return connector.Auth{
		Grant: connector.AuthorizationCode,
		Tenant: connector.Tenant{
			Forms:   []connector.TenantForm{{Pattern: `(?P<tenant>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})`}},
			Example: `01234567-89ab-cdef-0123-456789abcdef`,
			Hint: `the Microsoft Entra tenant ID, a GUID such as "01234567-89ab-cdef-0123-456789abcdef"; ` +
				`the Microsoft Entra admin center shows it on its overview page`,
		},
		Origin:       "https://graph.microsoft.com",
		AuthorizeURL: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
		TokenURL:     "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
		Scopes:       []string{scope, "offline_access"},
		Params:       map[string]string{"response_mode": "query"},
		// Some refresh tokens are taken only where the scope is named again
		// (AADSTS90023: https://learn.microsoft.com/en-us/answers/questions/1822191/,
		// checked 2026-11-22).
		TokenParams: map[string]string{"scope": scope + " offline_access"},
		ClientAuth:  connector.ClientPost,
		PKCE:        true,
		// Each refresh brings a new refresh token, and the one before is not
		// revoked by it.
		Lifetime: time.Hour, // the least: Microsoft chooses 60 to 90 minutes
		Signing:  "bearer",
	}
}

// dialect is how Microsoft Graph refuses.
// https://learn.microsoft.com/en-us/graph/errors and
// https://learn.microsoft.com/en-us/graph/throttling (checked 2026-11-22)
func dialect() rest.Dialect {
	return rest.Dialect{
		// The code that a forgotten link is refused with is unverified.
		Rules:   rest.Forgotten(http.StatusBadRequest, http.StatusGone),
		Code:    "error.code",
		Reasons: []string{"error.code", "error.message"},
		Waits:   []rest.Wait{{Header: "Retry-After", Unit: rest.Seconds}},
	}
}
