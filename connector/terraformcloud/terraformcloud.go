// Package terraformcloud is the application TERRAFORMCLOUD: the audit trail of
// one HCP Terraform organization, newest record first, paged by number.
//
// Facts checked 2026-11-22:
//   - audit trail: https://developer.hashicorp.com/terraform/cloud-docs/api-docs/audit-trails
//   - organizations: https://developer.hashicorp.com/terraform/cloud-docs/api-docs/organizations
//   - memberships: https://developer.hashicorp.com/terraform/cloud-docs/api-docs/organization-memberships
//   - errors and rate limits: https://developer.hashicorp.com/terraform/cloud-docs/api-docs
package terraformcloud

import (
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	streamTrail = "audit_trail"
	pageMax     = 1000 // what a page has when no size is asked for; taken to be the most (unverified)
)

// App describes the application.
func App() connector.App {
	return connector.App{
		Name:  "TERRAFORMCLOUD",
		Title: "Terraform Cloud",
		Guide: connector.Guide{
			Plan: "Plus", Role: "owner of the organization",
			Steps: []string{
				"Create an organization token.",
			},
			Fields: connector.Fields{Tenant: "Organization", APIKey: "Organization token"},
		},

		Auth: auth(),
		Streams: []connector.Stream{{
			Name:      streamTrail,
			Newest:    true,
			PageMax:   pageMax,
			Overlap:   time.Hour,
			Retention: 14 * 24 * time.Hour,
		}},
		Open:      func(env connector.Env) connector.Session { return open(env) },
		Normalize: Normalize,
	}
}

func auth() connector.Auth {
	return connector.Auth{
		Grant: connector.APIKey,
		Tenant: connector.Tenant{
			Forms: []connector.TenantForm{
				{Pattern: `(?:https://)?app\.terraform\.io/app/(?P<org>[A-Za-z0-9_-]+)(?:/[^?#]*)?`},
				{Pattern: `(?P<org>[A-Za-z0-9_-]+)`},
			},
			Example: `https://app.terraform.io/app/my-org`,
			Hint:    `the organization's address, such as "https://app.terraform.io/app/my-org", or its name alone`,
		},
		Origin:  "https://app.terraform.io",
		Signing: "bearer",
	}
}

// dialect is how HCP Terraform refuses: JSON:API errors, and on a 429 the
// seconds to wait as a decimal number.
func dialect() rest.Dialect {
	return rest.Dialect{
		Reasons: []string{"errors.0.title", "errors.0.detail"},
		Waits: []rest.Wait{
			{Header: "Retry-After", Unit: rest.Seconds},
			{Header: "X-RateLimit-Reset", Unit: rest.Seconds},
		},
	}
}

// identify finds id and timestamp in an audit event.
func identify(event rest.Doc) (string, time.Time) {
	return event.Text("id"), rest.Time(event.Text("timestamp"))
}
