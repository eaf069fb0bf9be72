package wire_test

import (
	"net/url"
	"strings"
	"testing"
)

// fixture has one resource of each kind, by UUID and by ARN.
type fixture struct {
	bundle, authorization, ingestion, destination string // UUIDs
	bundleARN, authorizationARN                   string
	ingestionARN, destinationARN                  string
}

const (
	okta       = `{"app":"OKTA","authType":"oauth2","tenant":{"tenantIdentifier":"acme.okta.com","tenantDisplayName":"Acme"},"credential":{"oauth2Credential":{"clientId":"id","clientSecret":"hush"}}}`
	toS3       = `{"processingConfiguration":{"auditLog":{"schema":"ocsf","format":"json"}},"destinationConfiguration":{"auditLog":{"destination":{"s3Bucket":{"bucketName":"logs-akida"}}}}}`
	toS3Again  = `{"destinationConfiguration":{"auditLog":{"destination":{"s3Bucket":{"bucketName":"logs-akida","prefix":"p"}}}}}`
	oktaIngest = `{"app":"OKTA","tenantId":"acme.okta.com","ingestionType":"auditLog"}`
)

// furnish makes a fixture for the caller.
func (s *server) furnish(t testing.TB, w who) fixture {
	t.Helper()
	var f fixture
	ok := func(r reply, status int) reply {
		t.Helper()
		if r.status != status {
			t.Fatalf("got %d %s, want %d", r.status, r.raw, status)
		}
		return r
	}
	arn := func(r reply, noun, member string) string {
		return r.body[noun].(map[string]any)[member].(string)
	}
	f.bundleARN = arn(ok(s.send(t, w, "POST", "/appbundles", "{}"), 201), "appBundle", "arn")
	f.bundle = last(f.bundleARN)
	base := "/appbundles/" + f.bundle
	f.authorizationARN = arn(ok(s.send(t, w, "POST", base+"/appauthorizations", okta), 201), "appAuthorization", "appAuthorizationArn")
	f.authorization = last(f.authorizationARN)
	ok(s.send(t, w, "POST", base+"/appauthorizations/"+f.authorization+"/connect", "{}"), 200)
	f.ingestionARN = arn(ok(s.send(t, w, "POST", base+"/ingestions", oktaIngest), 201), "ingestion", "arn")
	f.ingestion = last(f.ingestionARN)
	f.destinationARN = arn(ok(s.send(t, w, "POST", base+"/ingestions/"+f.ingestion+"/ingestiondestinations",
		strings.ReplaceAll(toS3, "akida", strings.ToLower(w.key))), 201), "ingestionDestination", "arn")
	f.destination = last(f.destinationARN)
	return f
}

func last(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// call is a valid request of an operation.
type call struct {
	operation, method, target, body string
}

// calls is a valid request of each of the 26 operations. b, a, i and d are the
// identifiers that are sent for bundle, authorization, ingestion and
// destination, arn the one that is sent for tags.
func calls(b, a, i, d, arn string) []call {
	bundle := "/appbundles/" + url.PathEscape(b)
	auth := bundle + "/appauthorizations/" + url.PathEscape(a)
	ingestion := bundle + "/ingestions/" + url.PathEscape(i)
	destination := ingestion + "/ingestiondestinations/" + url.PathEscape(d)
	tags := "/tags/" + url.PathEscape(arn)
	const task = "00000000-0000-4000-8000-000000000000"
	return []call{
		{"CreateAppBundle", "POST", "/appbundles", `{}`},
		{"ListAppBundles", "GET", "/appbundles", ``},
		{"GetAppBundle", "GET", bundle, ``},
		{"CreateAppAuthorization", "POST", bundle + "/appauthorizations", strings.ReplaceAll(okta, "acme", "other")},
		{"ListAppAuthorizations", "GET", bundle + "/appauthorizations", ``},
		{"GetAppAuthorization", "GET", auth, ``},
		{"UpdateAppAuthorization", "PATCH", auth, `{"tenant":{"tenantIdentifier":"acme.okta.com","tenantDisplayName":"New"}}`},
		{"ConnectAppAuthorization", "POST", auth + "/connect", `{"authRequest":{"redirectUri":"https://x.example/appfabric/oauth2","code":"c"}}`},
		{"CreateIngestion", "POST", bundle + "/ingestions", oktaIngest},
		{"ListIngestions", "GET", bundle + "/ingestions", ``},
		{"GetIngestion", "GET", ingestion, ``},
		{"StopIngestion", "POST", ingestion + "/stop", ``},
		{"StartIngestion", "POST", ingestion + "/start", ``},
		{"CreateIngestionDestination", "POST", ingestion + "/ingestiondestinations", toS3},
		{"ListIngestionDestinations", "GET", ingestion + "/ingestiondestinations", ``},
		{"GetIngestionDestination", "GET", destination, ``},
		{"UpdateIngestionDestination", "PATCH", destination, toS3Again},
		{"ListTagsForResource", "GET", tags, ``},
		{"TagResource", "POST", tags, `{"tags":[{"key":"k","value":"v"}]}`},
		{"UntagResource", "DELETE", tags + "?tagKeys=k", ``},
		{"StartUserAccessTasks", "POST", "/useraccess/start", `{"appBundleIdentifier":"` + b + `","email":"a@b.c"}`},
		{"BatchGetUserAccessTasks", "POST", "/useraccess/batchget", `{"appBundleIdentifier":"` + b + `","taskIdList":["` + task + `"]}`},
		{"DeleteIngestionDestination", "DELETE", destination, ``},
		{"DeleteIngestion", "DELETE", ingestion, ``},
		{"DeleteAppAuthorization", "DELETE", auth, ``},
		{"DeleteAppBundle", "DELETE", bundle, ``},
	}
}
