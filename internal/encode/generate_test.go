package encode_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// oktaRecords makes records that look like those of Okta's System Log, of about
// 2.3 KB each. One seed gives one list.
func oktaRecords(tb testing.TB, n int, seed uint64) [][]byte {
	tb.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	records := make([][]byte, n)
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	for i := range records {
		at = at.Add(time.Duration(rng.IntN(5000)) * time.Millisecond)
		b, err := json.Marshal(oktaRecord(rng, at))
		if err != nil {
			tb.Fatal(err)
		}
		records[i] = b
	}
	return records
}

type m = map[string]any

func one[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

func word(rng *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[rng.IntN(62)])
	}
	return b.String()
}

func oktaRecord(rng *rand.Rand, at time.Time) m {
	eventType := one(rng, "user.session.start", "user.session.end", "user.authentication.sso", "user.authentication.auth_via_mfa",
		"policy.evaluate_sign_on", "app.oauth2.token.grant.access_token", "application.user_membership.add", "group.user_membership.add",
		"user.account.update_password", "user.mfa.factor.activate", "application.lifecycle.update", "security.threat.detected",
		"system.import.complete", "system.org.rate_limit.warning", "user.lifecycle.create", "device.lifecycle.activate")
	first, last := one(rng, "Ada", "Björn", "Chidi", "Dana", "Élise", "太郎"), one(rng, "Okafor", "Müller", "O'Neil", "Smith", "Nakamura")
	ip := fmt.Sprintf("%d.%d.%d.%d", 1+rng.IntN(222), rng.IntN(256), rng.IntN(256), 1+rng.IntN(254))
	if rng.IntN(5) == 0 {
		ip = fmt.Sprintf("2001:db8::%x:%x", rng.IntN(65536), rng.IntN(65536))
	}
	place := m{
		"city": one(rng, "Köln", "Seattle", "Nairobi", "São Paulo"), "state": one(rng, "NRW", "Washington", "Nairobi County"),
		"country": one(rng, "Germany", "United States", "Kenya", "Brazil"), "postalCode": fmt.Sprint(10000 + rng.IntN(80000)),
		"geolocation": m{"lat": float64(rng.IntN(1800000)-900000) / 10000, "lon": float64(rng.IntN(3600000)-1800000) / 10000},
	}
	login := strings.ToLower(word(rng, 7)) + "@example.com"
	user := m{"id": "00u" + word(rng, 17), "type": "User", "alternateId": login, "displayName": first + " " + last, "detailEntry": nil}
	targets := []m{
		{"id": "0oa" + word(rng, 17), "type": "AppInstance", "alternateId": "Example " + word(rng, 5), "displayName": one(rng, "Salesforce.com", "Slack", "AWS \"prod\""), "detailEntry": m{"signOnModeType": "SAML_2_0"}},
		{"id": "00u" + word(rng, 17), "type": "User", "alternateId": login, "displayName": first + " " + last, "detailEntry": nil},
		{"id": "00g" + word(rng, 17), "type": "UserGroup", "alternateId": "unknown", "displayName": "Everyone", "detailEntry": nil},
	}
	return m{
		"uuid": fmt.Sprintf("%08x-aaaa-11f0-8de9-%012x", rng.Uint32(), rng.Uint64()>>16), "published": at.Format("2006-01-02T15:04:05.000Z"),
		"eventType": eventType, "version": "0", "severity": one(rng, "INFO", "INFO", "INFO", "WARN", "ERROR", "DEBUG"),
		"legacyEventType": "core." + eventType, "displayMessage": one(rng, "User login to Okta", "User single sign on to app", "Evaluation of sign-on policy"),
		"actor": user,
		"client": m{
			"userAgent": m{
				"rawUserAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/" + fmt.Sprint(100+rng.IntN(40)) + ".0.0.0 Safari/537.36",
				"os":           one(rng, "Mac OS X", "Windows 10", "Linux", "iOS (iPhone)", "Android 14"), "browser": one(rng, "CHROME", "SAFARI", "FIREFOX"),
			},
			"zone": "null", "device": one(rng, "Computer", "Mobile", "Unknown"), "id": nil, "ipAddress": ip, "geographicalContext": place,
		},
		"outcome":     m{"result": one(rng, "SUCCESS", "SUCCESS", "FAILURE", "ALLOW", "CHALLENGE"), "reason": one[any](rng, nil, "INVALID_CREDENTIALS", "Sign-on policy evaluation resulted in CHALLENGE")},
		"target":      targets[:rng.IntN(4)],
		"transaction": m{"type": "WEB", "id": word(rng, 27), "detail": m{}},
		"debugContext": m{"debugData": m{
			"requestId": word(rng, 27), "dtHash": strings.ToLower(word(rng, 64)), "requestUri": "/api/v1/authn/factors/" + word(rng, 20) + "/verify",
			"threatSuspected": "false", "url": "/api/v1/authn/factors/" + word(rng, 20) + "/verify?rememberDevice=false", "deviceFingerprint": strings.ToLower(word(rng, 32)),
			"logOnlySecurityData": `{"risk":{"level":"LOW"},"behaviors":{"New Geo-Location":"NEGATIVE","New Device":"NEGATIVE","New IP":"NEGATIVE","Velocity":"NEGATIVE"}}`,
			"origin":              "https://acme.okta.com", "promptingPolicyTypes": "OKTA_SIGN_ON", "factor": "OKTA_VERIFY_PUSH",
		}},
		"authenticationContext": m{
			"authenticationProvider": nil, "credentialProvider": nil, "credentialType": nil, "issuer": nil, "interface": nil,
			"authenticationStep": 0, "rootSessionId": "idx" + word(rng, 20), "externalSessionId": "idx" + word(rng, 20),
		},
		"securityContext": m{"asNumber": 3320 + rng.IntN(50), "asOrg": "example telekom ag", "isp": "example telekom ag", "domain": one(rng, ".", "example-isp.net"), "isProxy": false},
		"request":         m{"ipChain": []m{{"ip": ip, "version": "V4", "source": nil, "geographicalContext": place}}},
	}
}
