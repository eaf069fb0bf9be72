package okta_test

import (
	"flag"
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/okta"
	"selvedge/simulator"
)

var update = flag.Bool("update", false, "write the golden file and the page of the mapping anew")

func TestMapping(t *testing.T) {
	t.Parallel()
	connectortest.Mapping(t, mappingCase(t))
}

// FuzzNormalize: any bytes become a valid event.
func FuzzNormalize(f *testing.F) {
	connectortest.FuzzMapping(f, mappingCase(f))
}

func mappingCase(testing.TB) connectortest.MappingCase {
	return connectortest.MappingCase{
		App: okta.App(), Stream: "system_log", Update: *update, Tables: okta.Tables(),
		Types: beginAndEnds, AtLeast: 1100,
		Record: func(typ connectortest.EventType) string { return rich(typ.Name) },
		Filled: func(typ connectortest.EventType) map[string]any {
			return map[string]any{
				"actor.user.uid": "00u1", "device.ip": "203.0.113.7", "metadata.event_code": typ.Name, "metadata.uid": "9f2c7d1e-0000-11f0-8de9-0242ac120002",
				"message": "Something happened", "severity": "Medium", "status": "Failure", "time": 1795375440500.0,
			}
		},
		Needed:  []string{"eventType", "published"},
		Sparse:  []string{"target", "actor,client", "actor,target", "client", "target,displayMessage,uuid"},
		Classes: classes(),
		Goes:    goes(),
		Edits:   edits(),
		Unheard: func(verb string) connectortest.EventType { return of("gadget.lifecycle." + verb) },
		Apart: []connectortest.EventType{
			of("user.session.start"), of("user.account.update_password"), of("application.user_membership.add"), of("group.user_membership.add"),
			of("zone.update"), of("security.threat.detected"),
		},
		Becomes:   []string{"WARN", "INFO", "SUCCESS", "FAILURE", "ALLOW", "DENY", "SystemPrincipal", "Organization administrator, Read-only administrator", "Mobile", "SAML 2.0", "User", "UserGroup", "Super administrator, Read-only administrator"}, // ids, and parts
		Simulated: func() [][]byte { return simulator.New(simulator.Options{Seed: 7}).Okta().Generate(500) },
		Seeds:     []string{`{"eventType":"x","published":"2026-11-22T19:24:00Z"}`},
	}
}

func of(name string) connectortest.EventType { return connectortest.EventType{Name: name} }

// beginAndEnds reads what some types begin with, and then the ends of these.
func beginAndEnds(line string) []connectortest.EventType {
	return connectortest.KindAndEnds("- " + line)
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

// classes: what AppFabric was seen to make of a type.
func classes() []connectortest.Class {
	return []connectortest.Class{
		{Type: of("app.oauth2.client.lifecycle.activate"), UID: 600199, Name: "Enable Resource"},
		{Type: of("app.oauth2.client.lifecycle.create"), UID: 600101, Name: "Create"},
		{Type: of("app.oauth2.credentials.lifecycle.create"), UID: 600199, Name: "Other"},
		{Type: of("app.oauth2.token.grant.access_token"), UID: 600199, Name: "Grant App Privileges"},
		{Type: of("application.lifecycle.update"), UID: 600103, Name: "Update"},
		{Type: of("application.user_membership.add"), UID: 300501, Name: "Assign Privileges"},
		{Type: of("application.user_membership.update"), UID: 300199, Name: "Update"},
		{Type: of("oauth2.as.created"), UID: 600199, Name: "Install ThirdParty App"},
		{Type: of("policy.evaluate_sign_on"), UID: 600103, Name: "Update"},
		{Type: of("policy.rule.add"), UID: 600103, Name: "Update"},
		{Type: of("system.sms.send_factor_verify_message"), UID: 300199, Name: "Other"},
		{Type: of("user.account.reset_password"), UID: 300104, Name: "Password Reset"},
		{Type: of("user.account.update_password"), UID: 300103, Name: "Password Change"},
		{Type: of("user.authentication.auth_via_mfa"), UID: 300201, Name: "Logon"},
		{Type: of("user.authentication.sso"), UID: 300201, Name: "Logon"},
		{Type: of("user.session.end"), UID: 300202, Name: "Logoff"},
		{Type: of("user.session.start"), UID: 300201, Name: "Logon"},
		// Not observed, by the same rules.
		{Type: of("group.user_membership.remove"), UID: 300604, Name: "Remove User"},
		{Type: of("user.account.privilege.grant"), UID: 300501, Name: "Assign Privileges"},
		{Type: of("user.lifecycle.deactivate"), UID: 300105, Name: "Disable"},
		{Type: of("user.mfa.factor.deactivate"), UID: 300111, Name: "MFA Factor Disable"},
		{Type: of("security.threat.detected"), UID: 200401, Name: "Create"},
		{Type: of("user.lifecycle.delete.completed"), UID: 300106, Name: "Delete"},
		{Type: of("zone.delete"), UID: 600104, Name: "Delete"},
		{Type: of("never.heard.of"), UID: 600199, Name: "never.heard.of"},
	}
}

// goes lists each member that is mapped.
func goes() []connectortest.Gone {
	logonEvent, assign, web := "user.authentication.sso", "application.user_membership.add", "application.lifecycle.update"
	return []connectortest.Gone{
		{Type: of(logonEvent), Member: "uuid", Attribute: "metadata.uid"},
		{Type: of(logonEvent), Member: "displayMessage", Attribute: "message"},
		{Type: of(logonEvent), Member: "outcome.result", Attribute: "status"},
		{Type: of(logonEvent), Member: "outcome.result", Attribute: "status_id"},
		{Type: of(logonEvent), Member: "outcome.reason", Attribute: "status_detail"},
		{Type: of(logonEvent), Member: "transaction.id", Attribute: "metadata.correlation_uid"},
		{Type: of(logonEvent), Member: "actor.id", Attribute: "actor.user.uid"},
		{Type: of(logonEvent), Member: "actor.displayName", Attribute: "actor.user.name="},
		{Type: of(logonEvent), Member: "actor.alternateId", Attribute: "actor.user.email_addr"},
		{Type: of(logonEvent), Member: "actor.type", Attribute: "actor.user.type_id"},
		{Type: of(logonEvent), Member: "authenticationContext.externalSessionId", Attribute: "actor.session.uid"},
		{Type: of(logonEvent), Member: "authenticationContext.externalSessionId", Attribute: "session.uid"},
		{Type: of(logonEvent), Member: "authenticationContext.issuer.id", Attribute: "actor.session.issuer"},
		{Type: of(logonEvent), Member: "client.ipAddress", Attribute: "src_endpoint.ip"},
		{Type: of(logonEvent), Member: "client.ipAddress", Attribute: "device.ip"},
		{Type: of(logonEvent), Member: "client.device", Attribute: "device.type="},
		{Type: of(logonEvent), Member: "client.userAgent.os", Attribute: "device.os"},
		{Type: of(logonEvent), Member: "client.userAgent.rawUserAgent", Attribute: "http_request.user_agent"},
		{Type: of(logonEvent), Member: "client.geographicalContext.city", Attribute: "device.location.city"},
		{Type: of(logonEvent), Member: "client.geographicalContext.state", Attribute: "device.location.region"},
		{Type: of(logonEvent), Member: "client.geographicalContext.country", Attribute: "src_endpoint.location.country"},
		{Type: of(logonEvent), Member: "client.geographicalContext.postalCode", Attribute: "src_endpoint.location.postal_code"},
		{Type: of(logonEvent), Member: "client.geographicalContext.geolocation.lat", Attribute: "device.location.coordinates"},
		{Type: of(logonEvent), Member: "client.geographicalContext.geolocation.lon", Attribute: "src_endpoint.location.coordinates"},
		{Type: of(logonEvent), Member: "securityContext.isp", Attribute: "device.location.isp"},
		{Type: of(logonEvent), Member: "securityContext.domain", Attribute: "src_endpoint.domain"},
		{Type: of(logonEvent), Member: "debugContext.debugData.requestId", Attribute: "http_request.uid"},
		{Type: of(logonEvent), Member: "debugContext.debugData.requestUri", Attribute: "http_request.url"},
		{Type: of(logonEvent), Member: "debugContext.debugData.signOnMode", Attribute: "auth_protocol"},
		{Type: of(logonEvent), Member: "severity", Attribute: "severity="},
		{Type: of(logonEvent), Member: "target[1].displayName", Attribute: "service.name="},
		{Type: of(logonEvent), Member: "target[1].id", Attribute: "service.uid"},
		{Type: of(logonEvent), Member: "target[0].id", Attribute: "user.uid"},
		{Type: of(logonEvent), Member: "target[0].displayName", Attribute: "user.name="},
		{Type: of(logonEvent), Member: "target[0].alternateId", Attribute: "user.email_addr"},
		{Type: of(assign), Member: "target[1].id", Attribute: "resource.uid"},
		{Type: of(assign), Member: "target[1].type", Attribute: "resource"},
		{Type: of(assign), Member: "debugContext.debugData.privilegeGranted", Attribute: "privileges.1"},
		{Type: of("group.user_membership.add"), Member: "target[2].displayName", Attribute: "group.name="},
		{Type: of("group.user_membership.add"), Member: "target[2].id", Attribute: "group.uid"},
		{Type: of(web), Member: "target[2].id", Attribute: "web_resources.2.uid"},
		{Type: of(web), Member: "target[1].displayName", Attribute: "web_resources.1.name="},
		{Type: of(web), Member: "target[0].type", Attribute: "web_resources.0.type"},
		{Type: of("security.threat.detected"), Member: "displayMessage", Attribute: "finding_info.title="},
	}
}

// edits: the words that become numbers.
func edits() []connectortest.Edit {
	edit, sso := connectortest.Edited, rich("user.authentication.sso")
	return []connectortest.Edit{
		edit(sso, `"WARN"`, `"DEBUG"`, "severity_id", 1.0),
		edit(rich("user.account.privilege.revoke"), "privilegeGranted", "privilegeRevoked", "privileges.0", "Super administrator"),
		edit(sso, `"displayName": "Ada Okafor"`, `"displayName": "unknown"`, "actor.user.name", "ada@example.com"),
		edit(sso, `"id": "00u1"`, `"id": "unknown"`, "actor.user.uid", nil),
		edit(sso, `"id": "00u1"`, `"id": "unknown"`, "unmapped.actor.id", "unknown"),
		edit(sso, `"sess1"`, `"unknown"`, "session", nil),
		edit(sso, `"WARN"`, `"INFO"`, "severity_id", 1.0),
		edit(sso, `"WARN"`, `"ERROR"`, "severity_id", 4.0),
		edit(sso, `"WARN"`, `"FATAL?"`, "severity", "FATAL?"),
		edit(sso, `"WARN"`, `null`, "severity_id", 0.0),
		edit(sso, `"FAILURE"`, `"ALLOW"`, "status", "Success"),
		edit(sso, `"FAILURE"`, `"DENY"`, "status", "Failure"),
		edit(sso, `"FAILURE"`, `"UNKNOWN"`, "status_id", 0.0),
		edit(sso, `"FAILURE"`, `"SKIPPED"`, "status", "SKIPPED"),
		edit(sso, `"FAILURE"`, `"CHALLENGE"`, "status_id", 99.0),
		edit(sso, `"FAILURE"`, `null`, "status", nil),
		edit(sso, `"User", "alternateId": "ada`, `"SystemPrincipal", "alternateId": "ada`, "actor.user.type", "System"),
		edit(sso, `"User", "alternateId": "ada`, `"PublicClientApp", "alternateId": "ada`, "actor.user.type", "PublicClientApp"),
		edit(sso, `ada@example.com`, `system`, "actor.user.uid_alt", "system"),
		edit(sso, `"Mobile"`, `"Computer"`, "device.type", "Computer"),
		edit(sso, `"Mobile"`, `"Tablet"`, "device.type_id", 4.0),
		edit(sso, `"Mobile"`, `"Unknown"`, "device.type_id", 0.0),
		edit(sso, `203.0.113.7`, `2001:db8::7`, "src_endpoint.ip", "2001:db8::7"),
		edit(sso, `SAML 2.0`, `OPENID_CONNECT`, "auth_protocol", "OpenID"),
		edit(sso, `SAML 2.0`, `AUTO_LOGIN`, "unmapped.debugContext.debugData.signOnMode", "AUTO_LOGIN"),
		edit(sso, `6.96`, `196.96`, "unmapped.client.geographicalContext.geolocation.lon", "196.96"),
		edit(sso, `user.authentication.sso`, `user.authentication.auth_via_mfa`, "is_mfa", true),
	}
}
