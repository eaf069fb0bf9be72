package token_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/internal/token"
)

func TestReadAnswer(t *testing.T) {
	t.Parallel()
	const long = 10 * 365 * 24 * time.Hour
	tests := map[string]struct {
		status  int
		body    string
		outcome string
		reason  string
		life    time.Duration
	}{
		"tokens":              {200, `{"access_token":"A","refresh_token":"R","expires_in":3600}`, "granted", "", time.Hour},
		"life as a string":    {200, `{"access_token":"A","expires_in":"60"}`, "granted", "", time.Minute},
		"fraction":            {200, `{"access_token":"A","expires_in":1.5}`, "granted", "", 1500 * time.Millisecond},
		"no life":             {200, `{"access_token":"A"}`, "granted", "", 2 * time.Hour},
		"life of null":        {200, `{"access_token":"A","expires_in":null}`, "granted", "", 2 * time.Hour},
		"negative life":       {200, `{"access_token":"A","expires_in":-5}`, "granted", "", 2 * time.Hour},
		"life without end":    {200, `{"access_token":"A","expires_in":1e300}`, "granted", "", long},
		"not a number":        {200, `{"access_token":"A","expires_in":"NaN"}`, "granted", "", 2 * time.Hour},
		"member of odd type":  {200, `{"message":5,"access_token":"A","error_description":[]}`, "granted", "", 2 * time.Hour},
		"created":             {201, `{"access_token":"A"}`, "granted", "", 2 * time.Hour},
		"invalid_grant":       {400, `{"error":"invalid_grant","error_description":"gone"}`, "refused", "invalid_grant: gone", 0},
		"without description": {401, `{"error":"invalid_client"}`, "refused", "invalid_client", 0},
		"Okta's own form":     {400, `{"errorCode":"E0000021","errorSummary":"Bad request"}`, "refused", "E0000021: Bad request", 0},
		"error as an object":  {400, `{"error":{"code":"x","message":"y"}}`, "refused", "x: y", 0},
		"error in a 200":      {200, `{"ok":false,"error":"invalid_refresh_token"}`, "refused", "invalid_refresh_token", 0},
		"no JSON":             {400, `nope`, "rejected", "the token endpoint answered HTTP 400 without saying why", 0},
		"empty":               {403, ``, "rejected", "the token endpoint answered HTTP 403 without saying why", 0},
		"redirect":            {302, ``, "rejected", "the token endpoint answered HTTP 302 without saying why", 0},
		"too many":            {429, `{"error":"invalid_grant"}`, "passing", "invalid_grant", 0},
		"timeout":             {408, ``, "passing", "the token endpoint answered HTTP 408 without saying why", 0},
		"broken":              {500, `{"error":"invalid_grant"}`, "passing", "invalid_grant", 0},
		"unavailable":         {400, `{"error":"temporarily_unavailable"}`, "passing", "temporarily_unavailable", 0},
		"page":                {200, `<html>`, "unreadable", "the token endpoint answered HTTP 200 without saying why", 0},
		"cut":                 {200, `{"access_token":"A","refresh`, "unreadable", "the token endpoint answered HTTP 200 without saying why", 0},
		"nothing in it":       {200, `{}`, "unreadable", "the token endpoint answered HTTP 200 without saying why", 0},
		"a number":            {400, `{"errorCode":1003,"message":"Your Access Token has expired."}`, "refused", "1003: Your Access Token has expired.", 0},
		"Zoom's reason":       {400, `{"reason":"Invalid client_id or client_secret","error":"invalid_client"}`, "refused", "invalid_client: Invalid client_id or client_secret", 0},
		"Atlassian's 403":     {403, `{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}`, "refused", "invalid_grant: Unknown or invalid refresh token.", 0},
		"a gateway's 403":     {403, `{"error":"Forbidden"}`, "rejected", "Forbidden", 0},
		"a gateway's object":  {403, `{"error":{"code":403,"message":"blocked"}}`, "rejected", "403: blocked", 0},
		"not ok":              {200, `{"ok":false,"access_token":"A","error":"token_revoked"}`, "refused", "token_revoked", 0},
		"not ok, no reason":   {200, `{"ok":false}`, "unreadable", "the token endpoint answered HTTP 200 without saying why", 0},
		"Slack's limit":       {200, `{"ok":false,"error":"ratelimited"}`, "passing", "ratelimited", 0},
		"Slack's outage":      {200, `{"ok":false,"error":"service_unavailable"}`, "passing", "service_unavailable", 0},
		"Slack, half done":    {200, `{"ok":false,"error":"internal_error"}`, "unreadable", "internal_error", 0},
		"Google's failure":    {400, `{"error":"internal_failure"}`, "passing", "internal_failure", 0},
		"Microsoft's outage":  {400, `{"error":"temporarily_unavailable","error_codes":[90033]}`, "passing", "temporarily_unavailable", 0},
		"Microsoft's person":  {400, `{"error":"interaction_required"}`, "refused", "interaction_required", 0},
		"secret repeated":     {400, `{"error":"invalid_grant","error_description":"bad s3cret canary"}`, "refused", "invalid_grant: bad [redacted]", 0},
		"several lines":       {400, "{\"error\":\"e\",\"error_description\":\"a\\nb\\u0000c\\u202e\"}", "refused", "e: a b c", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			auth := connector.Auth{Lifetime: 2 * time.Hour}
			outcome, access, _, reason, life := token.ReadAnswer(auth, test.status, []byte(test.body), []string{"", "s3cret canary"})
			if outcome != test.outcome || reason != test.reason || life != test.life {
				t.Errorf("%s, %q, %s; want %s, %q, %s", outcome, reason, life, test.outcome, test.reason, test.life)
			}
			if (access == "A") != (outcome == "granted") {
				t.Errorf("access %q of a reply that is %s", access, outcome)
			}
		})
	}
}

// Slack's answers, as
// https://docs.slack.dev/reference/methods/oauth.v2.access has them (checked
// 2026-11-22): tokens of a person beside those of a bot.
func TestReadTokensOfAMember(t *testing.T) {
	t.Parallel()
	auth := connector.Auth{TokenPath: "authed_user", Facts: []string{"team.id", "authed_user.id", "nothing.here"}}
	tests := map[string]struct {
		body                             string
		outcome, access, refresh, reason string
	}{
		"exchange": {
			`{"ok":true,"access_token":"BOT","token_type":"bot","refresh_token":"RB","team":{"id":"T1"},` +
				`"authed_user":{"id":"U1","access_token":"A","refresh_token":"R","expires_in":43200}}`,
			"granted", "A", "R", "",
		},
		"refresh":        {`{"ok":true,"access_token":"A2","token_type":"user","refresh_token":"R2"}`, "granted", "A2", "R2", ""},
		"refresh, empty": {`{"ok":true,"access_token":"A2","refresh_token":"R2","authed_user":{"id":"U1"}}`, "granted", "A2", "R2", ""},
		"a bot only": {
			`{"ok":true,"access_token":"BOT","token_type":"bot","authed_user":{"id":"U1"}}`, "refused", "", "",
			`the provider granted a bot's token and none of a person in "authed_user"`,
		},
		"null":    {`{"ok":true,"authed_user":null}`, "unreadable", "", "", "the token endpoint answered HTTP 200 without saying why"},
		"refused": {`{"ok":false,"error":"invalid_refresh_token"}`, "refused", "", "", "invalid_refresh_token"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outcome, access, refresh, reason, _ := token.ReadAnswer(auth, 200, []byte(test.body), nil)
			if outcome != test.outcome || access != test.access || refresh != test.refresh || reason != test.reason {
				t.Errorf("%s, %q, %q, %q; want %+v", outcome, access, refresh, reason, test)
			}
		})
	}
}

func TestMissingScopes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		scope  string
		wanted []string
		want   []string
	}{
		"all":              {"a b", []string{"b", "a"}, nil},
		"one less":         {"a b", []string{"a", "c", "d"}, []string{"c", "d"}},
		"commas":           {"a,b, c", []string{"a", "b", "c"}, nil},
		"case counts":      {"User.read", []string{"User.Read"}, []string{"User.Read"}},
		"without resource": {"User.Read AuditLog.Read.All", []string{"https://graph.microsoft.com/User.Read"}, nil},
		"with resource":    {"https://graph.microsoft.com/User.Read", []string{"User.Read"}, nil},
		"a path":           {"https://www.googleapis.com/auth/a", []string{"https://www.googleapis.com/auth/b"}, []string{"https://www.googleapis.com/auth/b"}},
		"of tokens":        {"a", []string{"offline_access", "openid", "https://graph.microsoft.com/offline_access"}, nil},
		"all there is":     {"a", []string{"https://graph.microsoft.com/.default"}, nil},
		"not known":        {"", []string{"b"}, nil},
	}
	for name, test := range tests {
		g := token.Grant{Facts: map[string]string{"scope": test.scope}}
		if diff := cmp.Diff(test.want, g.Missing(test.wanted)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(200, []byte(`{"access_token":"A","expires_in":"1"}`))
	f.Add(400, []byte(`{"error":{"code":1}}`))
	f.Add(200, []byte(`{"ok":true,"user":{"access_token":"A","scope":["a","b"]},"team":{"id":7}}`))
	f.Add(400, []byte(`{"error":"a","error_description":"canary\u0007"}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		outcome, access, _, reason, life := token.ReadAnswer(connector.Auth{Facts: []string{"team", "team.id"}, TokenPath: "user"}, status, body, []string{"canary"})
		if (outcome == "granted") != (access != "") || (outcome == "granted") == (reason != "") {
			t.Errorf("%s with access %q and reason %q", outcome, access, reason)
		}
		if life < 0 || utf8.RuneCountInString(reason) > 300 || strings.ContainsAny(reason, "\n\r\x00\x1b") || strings.Contains(reason, "canary") {
			t.Errorf("life %s, reason %q", life, reason)
		}
	})
}
