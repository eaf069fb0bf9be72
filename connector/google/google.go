// Package google is the application GOOGLE: the audit activities of one Google
// Workspace, by the Admin SDK's Reports API.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/google-workspace.html
//   - sign-in and revocation: https://developers.google.com/identity/protocols/oauth2/web-server
//   - activities: https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities
//   - project ids: https://cloud.google.com/resource-manager/docs/creating-managing-projects
package google

import (
	"time"

	"selvedge/connector"
)

// App describes the application.
func App() connector.App {
	return connector.App{Name: "GOOGLE", Title: "Google Workspace", Auth: auth()}
}

// auth is sign-in at Google's one authorization server. The tenant is a label:
// the API answers for the Workspace of the person who consented.
func auth() connector.Auth {
	return connector.Auth{
		Grant: connector.AuthorizationCode,
		Tenant: connector.Tenant{
			// Old projects of a domain have it before the name.
			Forms:   []connector.TenantForm{{Pattern: `(?:[a-z0-9.-]+:)?(?P<project>[a-z][a-z0-9-]{4,28}[a-z0-9])`}},
			Example: `my-project-123456`,
			Hint: `the ID of the Google Cloud project that holds the OAuth client, such as "my-project-123456" (not its name ` +
				`or number); the Google Cloud console shows it on its dashboard under Project info`,
		},
		Origin:       "https://admin.googleapis.com",
		AuthorizeURL: "https://accounts.google.com/o/oauth2/v2/auth",
		TokenURL:     "https://oauth2.googleapis.com/token",
		RevokeURL:    "https://oauth2.googleapis.com/revoke",
		// AppFabric's guide names admin.directory.user, which may write too;
		// looking users up needs to read only.
		Scopes: []string{
			"https://www.googleapis.com/auth/admin.reports.audit.readonly",
			"https://www.googleapis.com/auth/admin.directory.user.readonly",
		},
		// Without the first there is no refresh token, and without the second
		// only one for the first consent ever.
		Params:     map[string]string{"access_type": "offline", "prompt": "consent"},
		ClientAuth: connector.ClientPost,
		PKCE:       true,
		Lifetime:   time.Hour,
		Signing:    "bearer",
	}
}
