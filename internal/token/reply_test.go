package token_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

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

func FuzzReadAnswer(f *testing.F) {
	f.Add(200, []byte(`{"access_token":"A","expires_in":"1"}`))
	f.Add(400, []byte(`{"error":{"code":1}}`))
	f.Add(400, []byte(`{"error":"a","error_description":"canary\u0007"}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		outcome, access, _, reason, life := token.ReadAnswer(connector.Auth{Facts: []string{"team"}}, status, body, []string{"canary"})
		if (outcome == "granted") != (access != "") || (outcome == "granted") == (reason != "") {
			t.Errorf("%s with access %q and reason %q", outcome, access, reason)
		}
		if life < 0 || utf8.RuneCountInString(reason) > 300 || strings.ContainsAny(reason, "\n\r\x00\x1b") || strings.Contains(reason, "canary") {
			t.Errorf("life %s, reason %q", life, reason)
		}
	})
}
