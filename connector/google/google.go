// Package google is the application GOOGLE: the audit activities of one Google
// Workspace, by the Admin SDK's Reports API. Each of its applications (login,
// drive, ...) is a feed of its own, newest activity first.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/google-workspace.html
//   - sign-in and revocation: https://developers.google.com/identity/protocols/oauth2/web-server
//   - activities: https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities
//   - how late they come, and how long they are kept: https://support.google.com/a/answer/7061566
//   - limits: https://developers.google.com/workspace/admin/reports/v1/limits
//   - users: https://developers.google.com/workspace/admin/directory/v1/guides/search-users
//   - project ids: https://cloud.google.com/resource-manager/docs/creating-managing-projects
package google

import (
	"net/http"
	"strings"
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	pageMax = 1000 // the most that maxResults takes, and its default
	day     = 24 * time.Hour

	soon = time.Hour     // reads again what is shown in near real time
	late = 4 * time.Hour // and what may take hours: AppFabric's guide has up to four

	gmailApplication = "gmail"
)

// overlaps gives how far back each application is read again. Not among them are
// gplus and jamboard, whose services have ended.
func overlaps() map[time.Duration]string {
	return map[time.Duration]string{
		soon: "access_evaluation access_transparency admin admin_data_action assignments chat chrome classroom context_aware_access " +
			"data_migration drive gmail meet",
		late: "calendar cloud_search data_studio directory_sync gcp gemini_in_workspace_apps groups groups_enterprise keep ldap login " +
			"meet_hardware mobile profile rules saml tasks token user_accounts vault",
	}
}

// retention is how long Google keeps an application's activities.
func retention(application string) time.Duration {
	if application == gmailApplication {
		return 30 * day
	}
	return 180 * day
}

// App describes the application.
func App() connector.App {
	app := connector.App{
		Name:  "GOOGLE",
		Title: "Google Workspace",
		Guide: connector.Guide{
			Plan: "Enterprise Standard or higher", Role: "an administrator who may read the audit log",
			Steps: []string{
				"In a Google Cloud project of the organization, enable the Admin SDK API and make the consent screen internal.",
				"Create an OAuth client of the type web application with the redirect URL.",
			},
			Fields: connector.Fields{Tenant: "Project ID"},
		},
		Auth: auth(),
		// 2,400 calls a minute of one user and project. What is left is not told.
		Pace:      connector.Pace{PerSecond: 30, Burst: 30},
		Open:      func(env connector.Env) connector.Session { return open(env) },
		Normalize: Normalize,
	}
	for _, overlap := range []time.Duration{soon, late} {
		for name := range strings.FieldsSeq(overlaps()[overlap]) {
			app.Streams = append(app.Streams, connector.Stream{
				Name: name, Newest: true, PageMax: pageMax, Overlap: overlap, Retention: retention(name),
				Shapes: []connector.Shape{{{Path: applicationPath, Is: []string{name}}}},
			})
		}
	}
	return app
}

// auth is sign-in at Google's one authorization server. The tenant is a label:
// the API answers for the Workspace of the person who consented. People may
// refuse single scopes; the answer's scope lists those that they granted.
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
		ScopesTold: true,
		// Without the first there is no refresh token, and without the second
		// only one for the first consent ever.
		Params:     map[string]string{"access_type": "offline", "prompt": "consent"},
		ClientAuth: connector.ClientPost,
		PKCE:       true,
		Lifetime:   time.Hour,
		Signing:    "bearer",
	}
}

// dialect is how Google refuses: reasons within the error, those of quotas under
// 403, 429 and 503 alike, and as a rule without a time to wait.
func dialect() rest.Dialect {
	d := rest.Dialect{
		// That a 400 on a page token says that it is no longer taken is unverified.
		Rules:   rest.Forgotten(http.StatusBadRequest),
		Code:    "error.errors.0.reason",
		Reasons: []string{"error.errors.0.reason", "error.message"},
		Waits:   []rest.Wait{{Header: "Retry-After", Unit: rest.Seconds}},
	}
	for _, status := range []int{403, 503} {
		for _, reason := range []string{"userRateLimitExceeded", "rateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"} {
			d.Rules = append(d.Rules, rest.Rule{Status: status, Code: reason, Kind: connector.Throttled})
		}
	}
	// A grant of a person who is no administrator is refused as one that has
	// ended, but for words of its own (unverified): another token would not help.
	d.Rules = append(d.Rules, rest.Rule{Status: http.StatusUnauthorized, Words: "Access denied", Kind: connector.Forbidden})
	return d
}

// identify finds what tells an activity from all others of its application: its
// time, and the qualifier for those of one time.
func identify(activity rest.Doc) (string, time.Time) {
	at, qualifier := activity.Text("id.time"), activity.Text("id.uniqueQualifier")
	if at == "" || qualifier == "" {
		return "", rest.Time(at)
	}
	return at + "/" + qualifier, rest.Time(at)
}
