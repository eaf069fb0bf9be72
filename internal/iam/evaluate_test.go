package iam_test

import (
	"fmt"
	"sync"
	"testing"

	"selvedge/internal/iam"
)

const (
	here        = "arn:aws:appfabric:us-east-1:123456789012:"
	bundle      = here + "appbundle/11111111-1111-4111-8111-111111111111"
	other       = here + "appbundle/22222222-2222-4222-8222-222222222222"
	ingestion   = bundle + "/ingestion/33333333-3333-4333-8333-333333333333"
	destination = ingestion + "/ingestiondestination/44444444-4444-4444-8444-444444444444"
)

// on is a request for an action on resources.
func on(action string, resources ...string) iam.Request {
	return iam.Request{Action: action, Resources: resources, Region: "us-east-1"}
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	const (
		allowAll = `"Effect":"Allow","Action":"*","Resource":"*"`
		denyAll  = `"Effect":"Deny","Action":"*","Resource":"*"`
	)
	allow := func(action, resource string) string {
		return fmt.Sprintf(`"Effect":"Allow","Action":%s,"Resource":%s`, action, resource)
	}
	deny := func(action, resource string) string {
		return fmt.Sprintf(`"Effect":"Deny","Action":%s,"Resource":%s`, action, resource)
	}
	get := on("appfabric:GetAppBundle", bundle)
	tests := []struct {
		name       string
		statements []string
		request    iam.Request
		want       iam.Decision
	}{
		{"allow all", []string{allowAll}, get, iam.Allowed},
		{"deny all", []string{denyAll}, get, iam.DeniedExplicit},
		{"deny after allow", []string{allowAll, denyAll}, get, iam.DeniedExplicit},
		{"deny before allow", []string{denyAll, allowAll}, get, iam.DeniedExplicit},
		{"deny of something else", []string{deny(`"appfabric:GetIngestion"`, `"*"`)}, get, iam.DeniedImplicit},
		{"deny of something else and allow", []string{deny(`"appfabric:GetIngestion"`, `"*"`), allowAll}, get, iam.Allowed},
		{"allow of something else", []string{allow(`"appfabric:GetIngestion"`, `"*"`)}, get, iam.DeniedImplicit},
		{"any of several allows", []string{allow(`"appfabric:GetIngestion"`, `"*"`), allow(`"appfabric:GetAppBundle"`, `"*"`)}, get, iam.Allowed},

		{"action in another case", []string{allow(`"APPFABRIC:getAPPbundle"`, `"*"`)}, get, iam.Allowed},
		{"request in another case", []string{allow(`"appfabric:GetAppBundle"`, `"*"`)}, on("AppFabric:getappbundle", bundle), iam.Allowed},
		{"action by *", []string{allow(`"appfabric:Get*"`, `"*"`)}, get, iam.Allowed},
		{"action by * of others", []string{allow(`"appfabric:List*"`, `"*"`)}, get, iam.DeniedImplicit},
		{"action by * in the middle", []string{allow(`"appfabric:*App*"`, `"*"`)}, get, iam.Allowed},
		{"action by ?", []string{allow(`"appfabric:?etAppBundle"`, `"*"`)}, get, iam.Allowed},
		{"? is a character", []string{allow(`"appfabric:GetIngestion?*"`, `"*"`)}, on("appfabric:GetIngestion", ingestion), iam.DeniedImplicit},
		{"one of a list", []string{allow(`["appfabric:GetIngestion","appfabric:GetAppBundle"]`, `"*"`)}, get, iam.Allowed},
		{"a prefix is not enough", []string{allow(`"appfabric:GetIngestion"`, `"*"`)}, on("appfabric:GetIngestionDestination", destination), iam.DeniedImplicit},
		{"services are apart", []string{allow(`"appfabric:*"`, `"*"`)}, on("selvedge:CreateKey", "*"), iam.DeniedImplicit},
		{"administration", []string{allow(`"selvedge:CreateKey"`, `"*"`)}, on("selvedge:CreateKey", "*"), iam.Allowed},
		{"administration by *", []string{allow(`"selvedge:*"`, `"*"`)}, on("selvedge:CreateKey", "*"), iam.Allowed},
		{"administration is not the API", []string{allow(`"selvedge:*"`, `"*"`)}, get, iam.DeniedImplicit},
		{"* is both", []string{allowAll}, on("selvedge:CreateKey", "*"), iam.Allowed},

		{"NotAction of it", []string{`"Effect":"Allow","NotAction":"appfabric:Get*","Resource":"*"`}, get, iam.DeniedImplicit},
		{"NotAction of others", []string{`"Effect":"Allow","NotAction":["appfabric:List*","selvedge:*"],"Resource":"*"`}, get, iam.Allowed},
		{"NotAction with it in the list", []string{`"Effect":"Allow","NotAction":["appfabric:List*","appfabric:GetAppBundle"],"Resource":"*"`}, get, iam.DeniedImplicit},
		{"NotAction reaches other services", []string{`"Effect":"Allow","NotAction":"appfabric:*","Resource":"*"`}, on("selvedge:CreateKey", "*"), iam.Allowed},
		{"NotAction denies the rest", []string{allowAll, `"Effect":"Deny","NotAction":"appfabric:List*","Resource":"*"`}, get, iam.DeniedExplicit},
		{"NotAction does not allow what it leaves", []string{`"Effect":"Deny","NotAction":"appfabric:Get*","Resource":"*"`}, get, iam.DeniedImplicit},

		{"resource", []string{allow(`"*"`, `"`+bundle+`"`)}, get, iam.Allowed},
		{"another resource", []string{allow(`"*"`, `"`+other+`"`)}, get, iam.DeniedImplicit},
		{"one of the resources", []string{allow(`"*"`, `["`+other+`","`+bundle+`"]`)}, get, iam.Allowed},
		{"case of resources counts", []string{allow(`"*"`, `"`+here+`appbundle/AAAA*"`)}, on("appfabric:GetAppBundle", here+"appbundle/aaaa"), iam.DeniedImplicit},
		{"all bundles", []string{allow(`"*"`, `"arn:aws:appfabric:*:*:appbundle/*"`)}, get, iam.Allowed},
		{"* runs over slashes", []string{allow(`"*"`, `"arn:aws:appfabric:*:*:appbundle/*"`)}, on("appfabric:GetIngestion", bundle, destination), iam.Allowed},
		{"? is one character", []string{allow(`"*"`, `"arn:aws:appfabric:us-east-?:*:appbundle/*"`)}, get, iam.Allowed},
		{"? is not two", []string{allow(`"*"`, `"arn:aws:appfabric:us-eas?-?:*:appbundle/?"`)}, get, iam.DeniedImplicit},
		{"another Region", []string{allow(`"*"`, `"arn:aws:appfabric:eu-west-1:*:appbundle/*"`)}, get, iam.DeniedImplicit},
		{"another account", []string{allow(`"*"`, `"arn:aws:appfabric:*:210987654321:appbundle/*"`)}, get, iam.DeniedImplicit},
		{"another partition", []string{allow(`"*"`, `"arn:aws-cn:appfabric:*:*:appbundle/*"`)}, get, iam.DeniedImplicit},
		{"all partitions", []string{allow(`"*"`, `"arn:aws*:appfabric:*:*:appbundle/*"`)}, get, iam.Allowed},
		{"a * at the end runs over colons", []string{allow(`"*"`, `"arn:aws:appfabric:*"`)}, get, iam.Allowed},
		{"so behind the start of a Region", []string{allow(`"*"`, `"arn:aws:appfabric:us-*"`)}, get, iam.Allowed},
		{"but not in another Region", []string{allow(`"*"`, `"arn:aws:appfabric:eu-*"`)}, get, iam.DeniedImplicit},
		{"so behind the account", []string{allow(`"*"`, `"arn:aws:appfabric:*:123456789012*"`)}, get, iam.Allowed},
		{"a * within stays in its part", []string{allow(`"*"`, `"arn:aws:appfabric:u*1:123456789012:appbundle/*"`)}, on("appfabric:GetAppBundle", "arn:aws:appfabric:us:1:123456789012:appbundle/x"), iam.DeniedImplicit},
		{"kinds by pattern", []string{allow(`"*"`, `"arn:aws:appfabric:*:*:appbundle/*/ingestion/*"`)}, get, iam.DeniedImplicit},

		{"each resource is needed", []string{allow(`"*"`, `"arn:aws:appfabric:*:*:appbundle/*/ingestion/*"`)}, on("appfabric:GetIngestion", bundle, ingestion), iam.DeniedImplicit},
		{"each resource by its own statement", []string{allow(`"*"`, `"`+bundle+`"`), allow(`"*"`, `"`+ingestion+`"`)}, on("appfabric:GetIngestion", bundle, ingestion), iam.Allowed},
		{"deny of one resource", []string{allowAll, deny(`"*"`, `"`+ingestion+`"`)}, on("appfabric:GetIngestion", bundle, ingestion), iam.DeniedExplicit},
		{"deny of a later resource goes before what nothing allows", []string{deny(`"*"`, `"`+ingestion+`"`)}, on("appfabric:GetIngestion", bundle, ingestion), iam.DeniedExplicit},
		{"no resources", []string{allowAll}, on("appfabric:GetAppBundle"), iam.DeniedImplicit},

		{"an action without a resource needs *", []string{allow(`"*"`, `"arn:aws:appfabric:*:*:appbundle/*"`)}, on("appfabric:CreateAppBundle", "*"), iam.DeniedImplicit},
		{"an action without a resource", []string{allow(`"*"`, `"*"`)}, on("appfabric:CreateAppBundle", "*"), iam.Allowed},
		{"not even of the whole service", []string{allow(`"*"`, `"arn:aws:appfabric:*"`)}, on("appfabric:CreateAppBundle", "*"), iam.DeniedImplicit},
		{"NotResource of it", []string{`"Effect":"Allow","Action":"*","NotResource":"` + bundle + `"`}, get, iam.DeniedImplicit},
		{"NotResource of others", []string{`"Effect":"Allow","Action":"*","NotResource":"` + other + `"`}, get, iam.Allowed},
		{"NotResource of all", []string{`"Effect":"Allow","Action":"*","NotResource":"*"`}, get, iam.DeniedImplicit},
		{"NotResource denies the rest", []string{allowAll, `"Effect":"Deny","Action":"*","NotResource":["` + other + `*"]`}, get, iam.DeniedExplicit},
		{"NotResource and an action without a resource", []string{`"Effect":"Allow","Action":"*","NotResource":"` + other + `"`}, on("appfabric:ListAppBundles", "*"), iam.Allowed},
		{"no ARN", []string{allow(`"*"`, `"arn:aws:appfabric:*"`)}, on("appfabric:GetAppBundle", "arn:aws:appfabric"), iam.DeniedImplicit},
		{"the start of an ARN", []string{allow(`"*"`, `"arn:aws:appfabric:*"`)}, on("appfabric:GetAppBundle", "arn:aws:appfabric:us-east-1:123456789012"), iam.DeniedImplicit},
		{"colons in the last part", []string{allow(`"*"`, `"arn:aws:appfabric:*:*:appbundle/*"`)}, on("appfabric:GetAppBundle", here+"appbundle/a:b"), iam.Allowed},

		{"all conditions are needed", []string{allowAll + `,"Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"},"StringLike":{"aws:RequestedRegion":"eu-*"}}`}, get, iam.DeniedImplicit},
		{"a deny whose condition fails", []string{allowAll, denyAll + `,"Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}`}, get, iam.Allowed},
		{"a deny whose condition holds", []string{allowAll, denyAll + `,"Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}`}, get, iam.DeniedExplicit},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			one := []iam.Policy{parse(t, document(test.statements...))}
			if got := iam.Evaluate(one, test.request); got != test.want {
				t.Errorf("in one policy: %v, want %v", got, test.want)
			}
			var many []iam.Policy
			for i := range test.statements {
				many = append(many, parse(t, document(test.statements[len(test.statements)-1-i])))
			}
			if got := iam.Evaluate(many, test.request); got != test.want {
				t.Errorf("in a policy each, backwards: %v, want %v", got, test.want)
			}
		})
	}
}

func TestEvaluateWithout(t *testing.T) {
	t.Parallel()
	for name, policies := range map[string][]iam.Policy{"policies": nil, "statements": {{}, {}}} {
		if d := iam.Evaluate(policies, on("appfabric:ListAppBundles", "*")); d != iam.DeniedImplicit {
			t.Errorf("without %s: %v", name, d)
		}
	}
	var zero iam.Decision
	if zero == iam.Allowed {
		t.Error("the zero decision allows")
	}
}

// TestConcurrent is for the race detector.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	policies := ten(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if d := iam.Evaluate(policies, on("appfabric:GetIngestionDestination", bundle, ingestion, destination)); d != iam.DeniedImplicit {
					t.Errorf("%v", d)
				}
			}
		})
	}
	wg.Wait()
}

func TestDenied(t *testing.T) {
	t.Parallel()
	const user = "arn:aws:iam::123456789012:user/x"
	tests := []struct {
		decision iam.Decision
		want     string
	}{
		{iam.DeniedImplicit, "User: " + user + " is not authorized to perform: appfabric:GetAppBundle on resource: " + bundle +
			" because no identity-based policy allows the appfabric:GetAppBundle action"},
		{iam.DeniedExplicit, "User: " + user + " is not authorized to perform: appfabric:GetAppBundle on resource: " + bundle +
			" with an explicit deny in an identity-based policy"},
		{iam.Allowed, ""},
	}
	for _, test := range tests {
		if got := iam.Denied(user, "appfabric:GetAppBundle", bundle, test.decision); got != test.want {
			t.Errorf("%v: %q, want %q", test.decision, got, test.want)
		}
	}
}

// TestDocumented has what AWS's AppFabric guide shows as policies:
// https://docs.aws.amazon.com/appfabric/latest/adminguide/security_iam_id-based-policy-examples.html (checked 2026-11-22).
func TestDocumented(t *testing.T) {
	t.Parallel()
	const everything = `"Effect":"Allow","Action":["appfabric:*"],"Resource":"*"`
	guarded := []iam.Policy{parse(t, document(everything, `"Effect":"Deny","Action":["appfabric:StopIngestion",
		"appfabric:DeleteIngestion","appfabric:DeleteIngestionDestination"],"Resource":["arn:aws:appfabric:*:*:appbundle/*"]`))}
	users := []iam.Policy{parse(t, document(`"Effect":"Allow","Action":["appfabric:StartUserAccessTasks",
		"appfabric:BatchGetUserAccessTasks"],"Resource":["arn:aws:appfabric:*:*:appbundle/*"]`))}
	tests := []struct {
		name     string
		policies []iam.Policy
		request  iam.Request
		want     iam.Decision
	}{
		{"stop", guarded, on("appfabric:StopIngestion", bundle, ingestion), iam.DeniedExplicit},
		{"delete a destination", guarded, on("appfabric:DeleteIngestionDestination", bundle, ingestion, destination), iam.DeniedExplicit},
		{"start", guarded, on("appfabric:StartIngestion", bundle, ingestion), iam.Allowed},
		{"create a bundle", guarded, on("appfabric:CreateAppBundle", "*"), iam.Allowed},
		{"user access", users, on("appfabric:StartUserAccessTasks", bundle), iam.Allowed},
		{"user access and no more", users, on("appfabric:GetAppBundle", bundle), iam.DeniedImplicit},
	}
	for _, test := range tests {
		if got := iam.Evaluate(test.policies, test.request); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// ten is a policy of ten statements, none of which allows to get a destination.
func ten(t testing.TB) []iam.Policy {
	return []iam.Policy{parse(t, document(
		`"Effect":"Allow","Action":["appfabric:List*","appfabric:GetAppBundle","appfabric:GetIngestion"],"Resource":"*"`,
		`"Effect":"Allow","Action":"appfabric:CreateAppBundle","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team","stage"]}}`,
		`"Effect":"Allow","Action":"appfabric:*Ingestion*","Resource":"arn:aws:appfabric:eu-*:123456789012:appbundle/*"`,
		`"Effect":"Allow","Action":"appfabric:*AppAuthorization","Resource":"arn:aws:appfabric:*:*:appbundle/*"`,
		`"Effect":"Deny","Action":"appfabric:Delete*","Resource":"*"`,
		`"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotLike":{"aws:RequestedRegion":["us-*","eu-*"]}}`,
		`"Effect":"Deny","NotAction":"appfabric:*","Resource":"*"`,
		`"Effect":"Allow","Action":"appfabric:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"blue"}}`,
		`"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/stage":["locked","frozen"]}}`,
		`"Effect":"Allow","Action":["appfabric:TagResource","appfabric:UntagResource"],"Resource":"`+bundle+`*"`,
	))}
}

func BenchmarkEvaluate(b *testing.B) {
	policies := ten(b)
	for name, r := range map[string]iam.Request{
		"one": {Action: "appfabric:GetAppBundle", Resources: []string{bundle}, Region: "us-east-1"},
		"three with tags": {
			Action: "appfabric:GetIngestionDestination", Resources: []string{bundle, ingestion, destination}, Region: "us-east-1",
			ResourceTags: map[string]string{"team": "red", "stage": "test", "owner": "x"},
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				iam.Evaluate(policies, r)
			}
		})
	}
}
