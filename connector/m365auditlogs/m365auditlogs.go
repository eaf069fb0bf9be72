// Package m365auditlogs is the application M365AUDITLOGS: the unified audit log
// of one Microsoft 365 tenant, by the Office 365 Management Activity API. An
// ingestion of it needs the tenant's authorization of M365 as well.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/microsoft-365.html
//   - sign-in: https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow
//   - audit log: https://learn.microsoft.com/en-us/office/office-365-management-api/office-365-management-activity-api-reference
package m365auditlogs

import (
	"time"

	"selvedge/connector"
)

// App describes the application.
func App() connector.App {
	return connector.App{Name: "M365AUDITLOGS", Title: "Microsoft 365 audit logs", Auth: auth(), Requires: "M365"}
}

// auth is sign-in at the tenant's own endpoints, for a resource of its own: a
// token of Microsoft Graph is not accepted at manage.office.com. The clouds of
// governments have other hosts, which the origins setting leads to.
func auth() connector.Auth {
	return connector.Auth{
		Grant: connector.AuthorizationCode,
		Tenant: connector.Tenant{
			Forms:   []connector.TenantForm{{Pattern: `(?P<tenant>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})`}},
			Example: `01234567-89ab-cdef-0123-456789abcdef`,
			Hint: `the Microsoft Entra tenant ID, a GUID such as "01234567-89ab-cdef-0123-456789abcdef", spelled as in the ` +
				`authorization of M365; the Microsoft Entra admin center shows it on its overview page`,
		},
		Origin:       "https://manage.office.com",
		AuthorizeURL: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
		TokenURL:     "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
		Scopes: []string{
			"https://manage.office.com/ActivityFeed.Read", "https://manage.office.com/ActivityFeed.ReadDlp",
			"https://manage.office.com/ServiceHealth.Read", "offline_access",
		},
		ClientAuth: connector.ClientPost,
		PKCE:       true,
		// As of M365: that the refresh token before stays good is unverified.
		Rotating: true,
		Lifetime: time.Hour, // the least: Microsoft chooses 60 to 90 minutes
		Signing:  "bearer",
	}
}
