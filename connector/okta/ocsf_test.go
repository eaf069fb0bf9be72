package okta_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector/connectortest"
	"selvedge/connector/okta"
	"selvedge/internal/encode"
	"selvedge/ocsf"
	"selvedge/ocsf/ocsftest"
)

var updateOCSF = flag.Bool("update", false, "write the golden files of the mapping")

func normalizer() *encode.Normalizer {
	return encode.NewNormalizer(okta.App())
}

// toOCSF returns the event of a record, which must be valid and not the base
// event.
func toOCSF(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	line, outcome := normalizer().Append(nil, "logs", "", raw, connectortest.Processed())
	ocsftest.MustValidate(t, line)
	if outcome.Base {
		t.Fatalf("a base event: %v\n%s", outcome.Why, raw)
	}
	return decode(t, line)
}

func decode(t *testing.T, line []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(line, &m); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return m
}

// at returns what stands at a path of a decoded event, nil for nothing.
func at(value any, path ...string) any {
	for _, name := range path {
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// TestGoldenOCSF: run with -update after a change that is meant.
func TestGoldenOCSF(t *testing.T) {
	t.Parallel()
	connectortest.Golden(t, okta.App(), "system_log", *updateOCSF)
}

// eventTypes lists the documented types.
func eventTypes(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "ocsf-event-types.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 0 && words[0] != "#" {
			for _, end := range words[1:] {
				types = append(types, words[0]+end)
			}
		}
	}
	if len(types) < 1100 {
		t.Fatalf("only %d types", len(types))
	}
	return types
}

// rich is a record with a value in every member that the mapping knows.
func rich(eventType string) string {
	return `{
	"uuid": "9f2c7d1e-0000-11f0-8de9-0242ac120002", "published": "2026-11-22T19:24:00.500Z", "eventType": "` + eventType + `", "version": "0",
	"severity": "WARN", "legacyEventType": "core.x", "displayMessage": "Something happened",
	"actor": {"id": "00u1", "type": "User", "alternateId": "ada@example.com", "displayName": "Ada Okafor", "detailEntry": null},
	"client": {
		"userAgent": {"rawUserAgent": "Mozilla/5.0", "os": "Mac OS X", "browser": "CHROME"}, "zone": "OFF_NETWORK", "device": "Mobile", "id": "cl1",
		"ipAddress": "203.0.113.7",
		"geographicalContext": {"city": "Köln", "state": "NRW", "country": "Germany", "postalCode": "50667", "geolocation": {"lat": 50.94, "lon": 6.96}}
	},
	"outcome": {"result": "FAILURE", "reason": "INVALID_CREDENTIALS"},
	"target": [
		{"id": "00u2", "type": "User", "alternateId": "bo@example.com", "displayName": "Bo Smith", "detailEntry": null},
		{"id": "0oa1", "type": "AppInstance", "alternateId": "Salesforce", "displayName": "Salesforce.com", "detailEntry": {"signOnModeType": "SAML_2_0"}},
		{"id": "00g1", "type": "UserGroup", "alternateId": "unknown", "displayName": "Engineering", "detailEntry": null}
	],
	"transaction": {"type": "WEB", "id": "tx1", "detail": {}},
	"debugContext": {"debugData": {"requestId": "rq1", "requestUri": "/api/v1/authn", "signOnMode": "SAML 2.0", "privilegeGranted": "Super administrator, Read-only administrator"}},
	"authenticationContext": {"authenticationStep": 0, "externalSessionId": "sess1", "issuer": {"id": "0oaIssuer", "type": "OKTA"}},
	"securityContext": {"asNumber": 3320, "asOrg": "telekom", "isp": "example isp", "domain": "isp.example", "isProxy": false},
	"request": {"ipChain": [{"ip": "203.0.113.7", "version": "V4", "source": null, "geographicalContext": {}}]}
}`
}

// TestEventTypes: every documented type is an event of a class, with who, from
// where, when and what, and few are of an activity that has no number.
func TestEventTypes(t *testing.T) {
	t.Parallel()
	types := eventTypes(t)
	others := 0
	for _, eventType := range types {
		e := toOCSF(t, []byte(rich(eventType)))
		if e["activity_id"] == float64(ocsf.Other) {
			others++
		}
		if e["class_uid"] == 0.0 || e["activity_id"] == 0.0 {
			t.Errorf("%s is %v", eventType, e["type_name"])
		}
		source := at(e, "src_endpoint", "ip")
		if source == nil {
			source = at(e, "device", "ip")
		}
		for what, got := range map[string]any{
			"actor": at(e, "actor", "user", "uid"), "source": source, "type": at(e, "metadata", "event_code"), "id": at(e, "metadata", "uid"),
			"message": e["message"], "severity": e["severity"], "status": e["status"],
		} {
			want := map[string]any{
				"actor": "00u1", "source": "203.0.113.7", "type": eventType, "id": "9f2c7d1e-0000-11f0-8de9-0242ac120002",
				"message": "Something happened", "severity": "Medium", "status": "Failure",
			}[what]
			if got != want {
				t.Errorf("%s: %s is %v", eventType, what, got)
			}
		}
		if e["time"] != 1795375440500.0 {
			t.Errorf("%s: time %v", eventType, e["time"])
		}
	}
	if others*10 > len(types) {
		t.Errorf("%d of %d types are of no numbered activity", others, len(types))
	}
}

// TestSparseRecords: what little a record has, its event is valid, and not the
// base event while it has a type and a time.
func TestSparseRecords(t *testing.T) {
	t.Parallel()
	for i, eventType := range eventTypes(t) {
		if i%4 != 0 {
			continue
		}
		for _, without := range []string{"", "target", "actor,client", "actor,target", "client", "target,displayMessage,uuid"} {
			var m map[string]any
			if err := json.Unmarshal([]byte(rich(eventType)), &m); err != nil {
				t.Fatal(err)
			}
			for name := range strings.SplitSeq(without, ",") {
				delete(m, name)
			}
			raw, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			toOCSF(t, raw)
		}
	}
}

// TestObserved: what AppFabric was seen to make of a type.
func TestObserved(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		eventType string
		uid       float64
		name      string
	}{
		{"app.oauth2.client.lifecycle.activate", 600199, "Enable Resource"},
		{"app.oauth2.client.lifecycle.create", 600101, "Create"},
		{"app.oauth2.credentials.lifecycle.create", 600199, "Other"},
		{"app.oauth2.token.grant.access_token", 600199, "Grant App Privileges"},
		{"application.lifecycle.update", 600103, "Update"},
		{"application.user_membership.add", 300501, "Assign Privileges"},
		{"application.user_membership.update", 300199, "Update"},
		{"oauth2.as.created", 600199, "Install ThirdParty App"},
		{"policy.evaluate_sign_on", 600103, "Update"},
		{"policy.rule.add", 600103, "Update"},
		{"system.sms.send_factor_verify_message", 300199, "Other"},
		{"user.account.reset_password", 300104, "Password Reset"},
		{"user.account.update_password", 300103, "Password Change"},
		{"user.authentication.auth_via_mfa", 300201, "Logon"},
		{"user.authentication.sso", 300201, "Logon"},
		{"user.session.end", 300202, "Logoff"},
		{"user.session.start", 300201, "Logon"},
		// Not observed, by the same rules.
		{"group.user_membership.remove", 300604, "Remove User"},
		{"user.account.privilege.grant", 300501, "Assign Privileges"},
		{"user.lifecycle.deactivate", 300105, "Disable"},
		{"user.mfa.factor.deactivate", 300111, "MFA Factor Disable"},
		{"security.threat.detected", 200401, "Create"},
		{"user.lifecycle.delete.completed", 300106, "Delete"},
		{"zone.delete", 600104, "Delete"},
		{"never.heard.of", 600199, "never.heard.of"},
	} {
		e := toOCSF(t, []byte(rich(test.eventType)))
		if e["type_uid"] != test.uid || e["activity_name"] != test.name {
			t.Errorf("%s: %v %v, not %v %s", test.eventType, e["type_uid"], e["activity_name"], test.uid, test.name)
		}
	}
}

// TestMembers takes each member of a record away that is mapped: its attribute
// goes, and nothing else keeps its value.
func TestMembers(t *testing.T) {
	t.Parallel()
	logonEvent, assign, web := "user.authentication.sso", "application.user_membership.add", "application.lifecycle.update"
	for _, test := range []struct{ eventType, member, attribute string }{
		{logonEvent, "uuid", "metadata.uid"},
		{logonEvent, "displayMessage", "message"},
		{logonEvent, "outcome.result", "status"},
		{logonEvent, "outcome.result", "status_id"},
		{logonEvent, "outcome.reason", "status_detail"},
		{logonEvent, "transaction.id", "metadata.correlation_uid"},
		{logonEvent, "actor.id", "actor.user.uid"},
		{logonEvent, "actor.displayName", "actor.user.name="},
		{logonEvent, "actor.alternateId", "actor.user.email_addr"},
		{logonEvent, "actor.type", "actor.user.type_id"},
		{logonEvent, "authenticationContext.externalSessionId", "actor.session.uid"},
		{logonEvent, "authenticationContext.externalSessionId", "session.uid"},
		{logonEvent, "authenticationContext.issuer.id", "actor.session.issuer"},
		{logonEvent, "client.ipAddress", "src_endpoint.ip"},
		{logonEvent, "client.ipAddress", "device.ip"},
		{logonEvent, "client.device", "device.type="},
		{logonEvent, "client.userAgent.os", "device.os"},
		{logonEvent, "client.userAgent.rawUserAgent", "http_request.user_agent"},
		{logonEvent, "client.geographicalContext.city", "device.location.city"},
		{logonEvent, "client.geographicalContext.state", "device.location.region"},
		{logonEvent, "client.geographicalContext.country", "src_endpoint.location.country"},
		{logonEvent, "client.geographicalContext.postalCode", "src_endpoint.location.postal_code"},
		{logonEvent, "client.geographicalContext.geolocation.lat", "device.location.coordinates"},
		{logonEvent, "client.geographicalContext.geolocation.lon", "src_endpoint.location.coordinates"},
		{logonEvent, "securityContext.isp", "device.location.isp"},
		{logonEvent, "securityContext.domain", "src_endpoint.domain"},
		{logonEvent, "debugContext.debugData.requestId", "http_request.uid"},
		{logonEvent, "debugContext.debugData.requestUri", "http_request.url"},
		{logonEvent, "debugContext.debugData.signOnMode", "auth_protocol"},
		{logonEvent, "severity", "severity="},
		{logonEvent, "target.1.displayName", "service.name="},
		{logonEvent, "target.1.id", "service.uid"},
		{logonEvent, "target.0.id", "user.uid"},
		{logonEvent, "target.0.displayName", "user.name="},
		{logonEvent, "target.0.alternateId", "user.email_addr"},
		{assign, "target.1.id", "resource.uid"},
		{assign, "target.1.type", "resource"},
		{assign, "debugContext.debugData.privilegeGranted", "privileges.1"},
		{"group.user_membership.add", "target.2.displayName", "group.name="},
		{"group.user_membership.add", "target.2.id", "group.uid"},
		{web, "target.2.id", "web_resources.2.uid"},
		{web, "target.1.displayName", "web_resources.1.name="},
		{web, "target.0.type", "web_resources.0.type"},
		{"security.threat.detected", "displayMessage", "finding_info.title="},
	} {
		attribute, changed := strings.CutSuffix(test.attribute, "=")
		path := strings.Split(attribute, ".")
		before := at(toOCSF(t, []byte(rich(test.eventType))), path...)
		after := at(toOCSF(t, without(t, rich(test.eventType), strings.Split(test.member, "."))), path...)
		switch {
		case before == nil:
			t.Errorf("%s: %s is not there", test.eventType, attribute)
		case !changed && after != nil:
			t.Errorf("%s: without %s, %s is still %v", test.eventType, test.member, attribute, after)
		case changed && cmp.Equal(before, after):
			t.Errorf("%s: without %s, %s is the same, %v", test.eventType, test.member, attribute, after)
		}
	}
}

// without returns a record less one member.
func without(t *testing.T, record string, path []string) []byte {
	t.Helper()
	var root any
	if err := json.Unmarshal([]byte(record), &root); err != nil {
		t.Fatal(err)
	}
	last := len(path) - 1
	parent, ok := at(root, path[:last]...).(map[string]any)
	if _, there := parent[path[last]]; !ok || !there {
		t.Fatalf("there is no %v", path)
	}
	delete(parent, path[last])
	b, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestNothingLost: every leaf of a record is in the event, in an attribute or
// under its path in unmapped.
func TestNothingLost(t *testing.T) {
	t.Parallel()
	for _, eventType := range []string{
		"user.session.start", "user.account.update_password", "application.user_membership.add", "group.user_membership.add", "zone.update", "security.threat.detected",
	} {
		for _, record := range []string{rich(eventType), string(without(t, rich(eventType), []string{"client", "ipAddress"})), string(without(t, rich(eventType), []string{"target"}))} {
			e := toOCSF(t, []byte(record))
			delete(e, "raw_data")
			all, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			var root any
			if err := json.Unmarshal([]byte(record), &root); err != nil {
				t.Fatal(err)
			}
			leaves(root, func(text string) {
				switch text {
				case "WARN", "FAILURE", "Mobile", "SAML 2.0": // they have become ids
				case "User", "UserGroup": // likewise
				case "Super administrator, Read-only administrator":
				default:
					if quoted, _ := ocsf.AppendQuoted(nil, text); !bytes.Contains(all, bytes.Trim(quoted, `"`)) {
						t.Errorf("%s: %q is nowhere in %s", eventType, text, all)
					}
				}
			})
		}
	}
}

func leaves(value any, yield func(string)) {
	switch v := value.(type) {
	case map[string]any:
		for _, one := range v {
			leaves(one, yield)
		}
	case []any:
		for _, one := range v {
			leaves(one, yield)
		}
	case string:
		if _, err := time.Parse(time.RFC3339, v); err != nil {
			yield(v)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		from, to string
		path     []string
		want     any
	}{
		{`"WARN"`, `"DEBUG"`, []string{"severity_id"}, 1.0},
		{`"WARN"`, `"INFO"`, []string{"severity_id"}, 1.0},
		{`"WARN"`, `"ERROR"`, []string{"severity_id"}, 4.0},
		{`"WARN"`, `"FATAL?"`, []string{"severity"}, "FATAL?"},
		{`"WARN"`, `null`, []string{"severity_id"}, 0.0},
		{`"FAILURE"`, `"ALLOW"`, []string{"status"}, "Success"},
		{`"FAILURE"`, `"DENY"`, []string{"status"}, "Failure"},
		{`"FAILURE"`, `"UNKNOWN"`, []string{"status_id"}, 0.0},
		{`"FAILURE"`, `"SKIPPED"`, []string{"status"}, "SKIPPED"},
		{`"FAILURE"`, `"CHALLENGE"`, []string{"status_id"}, 99.0},
		{`"FAILURE"`, `null`, []string{"status"}, nil},
		{`"User", "alternateId": "ada`, `"SystemPrincipal", "alternateId": "ada`, []string{"actor", "user", "type"}, "System"},
		{`"User", "alternateId": "ada`, `"PublicClientApp", "alternateId": "ada`, []string{"actor", "user", "type"}, "PublicClientApp"},
		{`ada@example.com`, `system`, []string{"actor", "user", "uid_alt"}, "system"},
		{`"Mobile"`, `"Computer"`, []string{"device", "type"}, "Computer"},
		{`"Mobile"`, `"Tablet"`, []string{"device", "type_id"}, 4.0},
		{`"Mobile"`, `"Unknown"`, []string{"device", "type_id"}, 0.0},
		{`203.0.113.7`, `2001:db8::7`, []string{"src_endpoint", "ip"}, "2001:db8::7"},
		{`SAML 2.0`, `OPENID_CONNECT`, []string{"auth_protocol"}, "OpenID"},
		{`SAML 2.0`, `AUTO_LOGIN`, []string{"unmapped", "debugContext.debugData.signOnMode"}, "AUTO_LOGIN"},
		{`6.96`, `196.96`, []string{"unmapped", "client.geographicalContext.geolocation.lon"}, "196.96"},
		{`user.authentication.sso`, `user.authentication.auth_via_mfa`, []string{"is_mfa"}, true},
	} {
		record := strings.Replace(rich("user.authentication.sso"), test.from, test.to, 1)
		if record == rich("user.authentication.sso") {
			t.Errorf("there is no %s", test.from)
		}
		if got := at(toOCSF(t, []byte(record)), test.path...); got != test.want {
			t.Errorf("%s: %v is %v, not %v", test.to, test.path, got, test.want)
		}
	}
}

// FuzzNormalize: any bytes become a valid event.
func FuzzNormalize(f *testing.F) {
	connectortest.FuzzNormalize(f, okta.App(), "system_log", rich("user.session.start"), rich("zone.update"), rich("application.user_membership.add"), "{}", "nope", "[]", `{"eventType":"x","published":"2026-11-22T19:24:00Z"}`)
}
