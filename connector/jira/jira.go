// Package jira is the application JIRA: the audit records of one Jira Cloud
// site, newest first, paged by offset.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/jira.html
//   - sign-in (3LO): https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/
//   - refresh tokens: https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens
//   - audit records: https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-audit-records/
//   - user search: https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-user-search/
//   - rate limits: https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
package jira

import (
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	streamRecords = "audit_records"
	pageMax       = 1000 // the most that limit takes, and its default
	factCloud     = "cloudId"
)

// App describes the application.
func App() connector.App {
	return connector.App{
		Name:  "JIRA",
		Title: "Jira",
		Guide: connector.Guide{
			Plan: "Standard or above", Role: "organization admin",
			Steps: []string{
				"Create an OAuth 2.0 (3LO) app in the Atlassian developer console.",
				"Give it the redirect URL, and the scopes above.",
			},
			Fields: connector.Fields{Tenant: "Name of the site", ClientSecret: "Secret"},
		},

		Auth: auth(),
		Streams: []connector.Stream{{
			Name:    streamRecords,
			Newest:  true,
			PageMax: pageMax,
			Overlap: time.Hour, // how late a record may come is not documented
			// How long records are kept is a setting of the site.
		}},
		// 100 reads a second of one endpoint are documented, and an hourly
		// budget of points that depends on the app: far less does. What is left
		// of it is told, but when there is more only as a time of the day.
		Pace:      connector.Pace{PerSecond: 10, Burst: 20},
		Open:      func(env connector.Env) connector.Session { return open(env) },
		Normalize: Normalize,
	}
}

// auth is sign-in at Atlassian's one authorization server. Calls go to one host
// for all sites, with the site's cloud id in the path: which that is, and that
// the grant covers this site, only the API can tell. PKCE and a way to revoke
// are not documented for these apps. Nor is that the answer's scope names
// offline_access, so it is not compared.
func auth() connector.Auth {
	const site = `(?P<site>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)`
	return connector.Auth{
		Grant: connector.AuthorizationCode,
		Tenant: connector.Tenant{
			Forms: []connector.TenantForm{
				{Pattern: `(?:https://)?` + site + `\.atlassian\.net(?:/.*)?`},
				{Pattern: site},
			},
			Example: `example`,
			Hint:    `the site's name in lower case, such as "example" of https://example.atlassian.net; it is in the browser's address bar`,
		},
		Origin:       "https://api.atlassian.com",
		AuthorizeURL: "https://auth.atlassian.com/authorize",
		TokenURL:     "https://auth.atlassian.com/oauth/token",
		Scopes:       []string{"read:jira-user", "read:audit-log:jira", "read:user:jira", "offline_access"},
		Params:       map[string]string{"audience": "api.atlassian.com", "prompt": "consent"},
		ClientAuth:   connector.ClientPost, // documented as JSON; that a form is taken too is unverified
		Rotating:     true,
		Lifetime:     time.Hour,
		Signing:      "bearer",
	}
}

// dialect is how Atlassian refuses: the gateway with code and message, Jira
// itself with errorMessages. A scope that is missing is a 401 with words of its
// own, as seen in the field
// (https://community.atlassian.com/forums/Jira-Service-Management/Having-problems-with-Jira-scope-for-rule-management-API/qaq-p/3135618,
// checked 2026-11-22); asking for another token would not help.
func dialect() rest.Dialect {
	return rest.Dialect{
		Rules:   []rest.Rule{{Status: 401, Code: "Unauthorized; scope does not match", Kind: connector.Forbidden}},
		Code:    "message",
		Reasons: []string{"errorMessages.0", "message", "error", "error_description"},
		Waits:   []rest.Wait{{Header: "Retry-After", Unit: rest.Seconds}},
	}
}

// created is how Jira writes a time: RFC 3339 but for the missing colon.
const created = "2006-01-02T15:04:05.000-0700"

// identify finds id and created in an audit record.
func identify(record rest.Doc) (string, time.Time) {
	return record.Scalar("id"), parseTime(record.Text("created"))
}

func parseTime(s string) time.Time {
	if t, err := time.Parse(created, s); err == nil {
		return t.UTC()
	}
	return rest.Time(s)
}
