// Package simulator simulates SaaS applications on loopback: sign-in, audit feed
// and user look-up, strictly as their providers document them, with faults on
// demand. It is for tests, for "selvedge demo" and for "selvedge simulate".
//
// It imports the standard library only, and shares no constant with the
// connectors: a mistake made in one shows against the other. Each rule names the
// provider's page beside the code, and has a test that breaks it and sees the
// documented answer. One [Server] holds all applications; each has one mutex, and
// there are no goroutines.
//
// What a provider showed is known: [Okta.Shown] and [TerraformCloud.Shown] have
// the bytes of every record that was in an answer sent whole.
//
// # Asana
//
//   - 401 for an absent or unknown token; the audit log is for the service account
//     of an Enterprise domain, all else is 403.
//   - The audit log is followed by offset: null while nothing matches, then in every
//     answer, and good for the same filters only. 1000 events a page, 90 days.
//   - Users by gid, address or me, with the workspaces that the asker is in too.
//   - 1500 requests per minute; a 429 has Retry-After, no other answer tells of limits.
//
// # Webex
//
//   - Sign-in: the client's secret in the form; the registered scopes; a refresh
//     gives the same refresh token again.
//   - Admin audit, security audit and the compliance events about memberships: each
//     needs its scope, an administrator, and the organization by name; newest first,
//     by link, at most a year at once. The person and people by address.
//   - 429 with Retry-After.
//
// # Microsoft 365
//
//   - Sign-in: one server for both applications; the scope says whose a request
//     is. Scopes are of one resource; .default gives what was consented to and
//     stands beside none but OpenID Connect's. A refresh gives a new refresh token
//     and does not revoke the old one, which ends after 90 days without use.
//   - Microsoft Graph: each call needs its permissions; the logs newest first, by
//     $skiptoken, 1000 to a page, 30 days, 5 requests in 10 seconds, sign-ins with a
//     licence only. The organisation; users by address.
//   - The activity API: subscriptions for each content type, blobs listed by the
//     time at which they were made, a day at a time and seven days back, and fetched
//     one by one; the tenant of the path is the token's; error codes AF...
//
// # Google Workspace
//
//   - Authorize: access_type=offline for a refresh token, at the first consent or
//     with prompt=consent; scopes with spaces between them, of which the person may
//     refuse some; PKCE.
//   - Refresh: the same refresh token for ever, which its answer does not repeat.
//     Revoke takes either token and no client.
//   - Reports: activities of each application, newest first, 1000 to a page, tokens
//     good for the same query; an empty page has no items; 180 days. Gmail wants
//     both bounds, and has 30 days.
//   - The search of users by address. Both want an administrator and the scope.
//   - Too many calls are 503 with a reason, and no time to wait.
//
// # Jira
//
//   - Authorize: audience, prompt=consent, response_type=code, state, scopes with
//     spaces between them. Token requests are JSON or a form, with the secret in
//     the body.
//   - Refresh: each token is taken once, its reuse ends the grant, without grace.
//   - The sites that the grant covers; then the audit log by offset, newest first,
//     both bounds inclusive, for who administers Jira; and the users by what their
//     name or address begins with, some of whom hide the address.
//   - A missing scope is a 401 with words of its own. A 429 has Retry-After.
//
// # Okta
//
//   - Authorize: an unknown client or redirect address is answered by a page, all
//     else by redirect: state (required, [A-Za-z0-9,._-]), response_type=code,
//     response_mode=query, granted scopes, PKCE by S256 only.
//   - Token: client_secret_basic or client_secret_post, not both. A code lives
//     60 s, is redeemed once, with its redirect address and, if a challenge was
//     sent, its verifier. offline_access gives a refresh token.
//   - Refresh: by default each token is taken once and its reuse ends the whole
//     grant; [OktaOptions] has persistent tokens and a grace time. Unused for seven
//     days, a refresh token ends.
//   - Revoke: succeeds for unknown tokens; a refresh token takes all with it.
//   - Log: without until and ascending it is polled, by arrival, and has a next
//     link always; with until it is bounded, by publication, and ends. since and
//     after exclude each other, limit is 0 to 1000, retention 90 days.
//   - Users by id, login or short login, and me; the management API needs the
//     scope and an administrator.
//   - Every API answer has X-Rate-Limit-*; a 429 has no Retry-After.
//
// # Slack
//
//   - Authorize: scopes of the user in user_scope, between commas; no bot scopes,
//     no PKCE. A code lives ten minutes.
//   - Token: client_secret_basic or client_secret_post; every refusal is a 200 with
//     "ok":false. A code brings the person's tokens in authed_user, a refresh at the
//     top; a refresh token is taken once.
//   - The audit log on api.slack.com, with auditlogs:read and an owner's token of an
//     Enterprise plan: newest first, bounds in whole seconds, a cursor for the same
//     bounds. It refuses under statuses, the Web API on slack.com in a 200.
//   - auth.test for every token, users.lookupByEmail with users:read.email.
//   - 50 requests per minute; a 429 has Retry-After, no other answer tells of limits.
//
// # HCP Terraform
//
//   - 401 for an absent or unknown token, 404 for all that a good one may not see.
//   - The audit trail needs the organization token; newest first, by page number,
//     events after since, 14 days.
//   - The organisation, and its memberships by filter[email].
//   - 30 requests per second; X-RateLimit-Reset is the seconds to wait.
//
// # Zendesk
//
//   - Authorize: response_type=code, scopes between spaces, PKCE by S256 only.
//   - Token: the client's secret in the body, which may be JSON; a code wants its
//     redirect address and a scope. expires_in is 300 to 172800, for refresh tokens
//     604800 to 7776000; without them 30 minutes and 30 days. A refresh deletes both
//     tokens before it.
//   - The audit log, with auditlogs:read or read and an administrator's token of an
//     Enterprise plan: 100 a page by cursor, newest first unless sorted, filtered by
//     two times; kept for ever.
//   - Search of users by email: or by words, with users:read or read.
//   - 700 requests per minute; ratelimit-* in every answer, Retry-After in a 429.
//
// # Dropbox
//
//   - Authorize: scopes within the app's permissions; token_access_type=offline
//     gives a refresh token, which stays good and is not told again on use.
//   - Every call is a POST of JSON; what is wrong with it is told in plain text (400),
//     the credential and a missing scope by 401, an endpoint's own errors by 409.
//   - The log is read by arrival with cursors that never end, unless the first request
//     had an end_time; an answer may be empty with more behind it. Events have no
//     identifier: All and Shown have them by the hash of their bytes.
//   - Members by e-mail address of the documented pattern; the team.
//
// # Smartsheet
//
//   - Authorize: scopes of the documented list between spaces. Token: the secret in the
//     body; a refresh token is taken once.
//   - Events by since or streamPosition, never both; times count to the nearest hour;
//     for System Admins with the add-on. 300 requests per minute, errors by errorCode.
//   - Users by email, several between commas; the current user, with the account.
//
// # Zoom
//
//   - Tokens: the client alone, by account_credentials and the account's id in the
//     body, the secret in the header; no refresh tokens.
//   - Reports of sign-ins and of operations: each with its scope (granular, or the
//     classic one of both); whole days, a month at the most, six months back; newest
//     first, 300 to a page, tokens of pages for 15 minutes; records without id.
//   - A missing scope is a 400 with code 4711, a plan that is too small one with 200.
//     A 429 tells the end of the wait as a time.
//
// # To add an application
//
// One file with its options, its routes, its dialect and its permit, one with its
// records, and a line in [New]. Faults, the feed and the control surface come with
// the embedded app, the consent page and the token endpoint with the embedded
// signIn, which takes the provider's rules and words as data. A route says with on
// which of the provider's hosts it is at.
//
// # Control surface
//
// Under /simulator/v1/, JSON, with the application's name as "app" in the body or
// the query: POST events, POST trickle, POST faults, DELETE faults, POST revoke,
// GET shown, GET all, GET token-requests. Keeping it on loopback is the caller's
// business.
package simulator
