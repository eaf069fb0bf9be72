// Package slack is the application SLACK: the audit log of one Slack
// organization on an Enterprise plan, read as an owner of the organization,
// newest record first.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/slack.html
//   - sign-in: https://docs.slack.dev/authentication/installing-with-oauth and
//     https://docs.slack.dev/reference/methods/oauth.v2.access
//   - token rotation: https://docs.slack.dev/authentication/using-token-rotation
//   - PKCE, which makes an app a public client for good and is left alone
//     therefore: https://docs.slack.dev/authentication/using-pkce
//   - audit log: https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference
//   - the shape of its answers, refusals with them: https://github.com/slackapi/java-slack-sdk/blob/main/json-logs/samples/audit/v1/logs.json
//   - who a token belongs to: https://docs.slack.dev/reference/methods/auth.test
//   - user look-up: https://docs.slack.dev/reference/methods/users.lookupByEmail
//   - rate limits: https://docs.slack.dev/apis/web-api/rate-limits
package slack

import (
	"strconv"
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

const (
	streamAudit = "audit"

	// pageMax is well below the 9999 that limit takes "optimistically": with
	// detailed records those would be more than one answer may have. Records of
	// the very same second may come beyond it.
	pageMax = 1000

	// oldest is when the log begins, March 2018: an earlier bound may be
	// refused as invalid_range.
	oldest = 1519862400
)

// App describes the application.
func App() connector.App {
	return connector.App{
		Name:  "SLACK",
		Title: "Slack",
		Guide: connector.Guide{
			Plan: "Enterprise Grid", Role: "Org Owner",
			Steps: []string{
				"Create an app with token rotation and public distribution.",
				"Give it the redirect URL, and the scopes above as user token scopes.",
			},
			Fields: connector.Fields{Tenant: "Name of the workspace or organization", ClientSecret: "Client Secret"},
		},

		Auth: auth(),
		// Tier 3, "up to 50 calls per minute, with an allowance for sporadic
		// bursts", of the whole organization: its other readers need some too.
		Pace: connector.Pace{PerSecond: 0.6, Burst: 10},
		Streams: []connector.Stream{{
			Name:    streamAudit,
			Newest:  true,
			PageMax: pageMax,
			// How late a record may come is not documented (unverified).
			Overlap: time.Hour,
		}},
		Open:      func(env connector.Env) connector.Session { return open(env) },
		Normalize: Normalize,
	}
}

// auth is an installation on the organization. The tenant is in no address:
// Connect asks which organization consented.
func auth() connector.Auth {
	const name = `(?P<name>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)`
	return connector.Auth{
		Grant: connector.AuthorizationCode,
		Tenant: connector.Tenant{
			Forms: []connector.TenantForm{
				{Pattern: `(?:https://)?` + name + `\.(?:enterprise\.)?slack\.com/?`},
				{Pattern: name},
			},
			Example: `example`,
			Hint: `the name of the workspace or organization in lower case, such as "example" of https://example.slack.com ` +
				`or https://example.enterprise.slack.com; it is in the browser's address bar`,
		},
		Origin:       "https://api.slack.com", // of the audit log
		Origins:      []string{webOrigin},
		AuthorizeURL: "https://slack.com/oauth/v2/authorize",
		TokenURL:     "https://slack.com/api/oauth.v2.access",
		// The audit log takes the token of a user, an owner of the
		// organization, not that of a bot.
		ScopeParam:     "user_scope",
		ScopeSeparator: ",",
		Scopes:         []string{"auditlogs:read", "users:read.email", "users:read"},
		TokenPath:      "authed_user",
		ScopesTold:     true, // authed_user.scope
		// The page of oauth.v2.access prefers HTTP Basic to parameters.
		ClientAuth: connector.ClientBasic,
		// Of an app with token rotation, which AppFabric's guide asks for. There
		// is no address to revoke a refresh token at: auth.revoke takes access
		// tokens, and says no with a 200.
		Rotating: true,
		Lifetime: 12 * time.Hour,
		Signing:  "bearer",
	}
}

// dialect is how Slack refuses: {"ok":false,"error":CODE}, with the scopes that
// are needed and provided beside missing_scope. The Web API does so in a 200,
// the audit log under "standard HTTP status codes"; which code comes with which
// of them is not documented, so the code counts. What an Enterprise plan, an
// installation on the organization and its owner's consent would mend is
// Forbidden. The codes of the audit log's own are those of its page, the others
// the Web API's; invalid_authentication is said of an owner's missing and of a
// scope's as well.
func dialect() rest.Dialect {
	d := rest.Dialect{
		Code:    "error",
		Reasons: []string{"error", "needed"},
		Waits:   []rest.Wait{{Header: "Retry-After", Unit: rest.Seconds}},
		Says:    "ok",
	}
	for kind, codes := range map[connector.Kind][]string{
		connector.Unauthorized: {
			"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired",
			"invalid_authentication", "missing_authentication",
		},
		connector.Forbidden: {
			"missing_scope", "not_allowed_token_type", "no_permission", "access_denied", "accesslimited", "ekm_access_denied",
			"method_not_allowed", "enterprise_is_restricted", "two_factor_setup_required", "team_access_not_granted", "not_an_enterprise",
			"feature_not_enabled", "invalid_workspace", "team_not_authorized", "user_not_authorized", "paid_only",
		},
		connector.Throttled:     {"ratelimited", "rate_limited"},
		connector.CursorExpired: {"invalid_cursor"},
	} {
		for _, code := range codes {
			d.Rules = append(d.Rules, rest.Rule{Code: code, Kind: kind})
		}
	}
	return d
}

// identify finds id and date_create, which counts seconds, in an entry.
func identify(entry rest.Doc) (string, time.Time) {
	seconds, err := strconv.ParseInt(entry.Scalar("date_create"), 10, 64)
	if err != nil || seconds <= 0 || seconds > latest {
		return entry.Text("id"), time.Time{}
	}
	return entry.Text("id"), time.Unix(seconds, 0).UTC()
}

// latest is the last second of the year 9999, the last that JSON can spell.
const latest = 253402300799
