package wire_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"
	"github.com/google/go-cmp/cmp"

	"selvedge/internal/control"
	"selvedge/internal/fabric"
	"selvedge/internal/iam"
	"selvedge/internal/wire"
)

const denied = "403 AccessDeniedException"

// A policy is asked about the action with all the resources that AWS's table
// lists for it.
func TestWhatAPolicyIsAsked(t *testing.T) {
	t.Parallel()
	asked := map[string]control.Access{}
	s := newServer(t, func(_ *control.Options, o *wire.Options) {
		o.Authorize = func(_ context.Context, _ fabric.Caller, a control.Access) error {
			asked[a.Action] = a
			return &fabric.Error{Kind: fabric.AccessDenied, Message: "no"}
		}
	})
	const b, a, i, d = "11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000",
		"33333333-0000-4000-8000-000000000000", "44444444-0000-4000-8000-000000000000"
	const arn = "arn:aws:appfabric:us-east-1:" + accountA + ":appbundle/" + b
	for _, c := range calls(b, a, i, d, arn) {
		if r := s.send(t, who{keyA, region}, c.method, c.target, c.body); r.line() != denied {
			t.Errorf("%s: %s %s", c.operation, r.line(), r.raw)
		}
	}
	if len(asked) != 26 {
		t.Errorf("%d operations asked, want 26", len(asked))
	}
	for _, action := range iam.Actions() {
		want := control.Access{Action: action.Name}
		for _, kind := range action.Resources {
			switch {
			case action.AnyOne:
				want.Resource = arn
			case kind == fabric.KindAppBundle:
				want.Bundle = b
			case kind == fabric.KindAppAuthorization:
				want.Authorization = a
			case kind == fabric.KindIngestion:
				want.Ingestion = i
			default:
				want.Destination = d
			}
		}
		got := asked[action.Name]
		if (action.Name == "appfabric:TagResource") != (len(got.Tags) > 0) || (action.Name == "appfabric:UntagResource") != (len(got.TagKeys) > 0) {
			t.Errorf("%s: tags %v, keys %v", action.Name, got.Tags, got.TagKeys)
		}
		got.Tags, got.TagKeys = nil, nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-AWS's table +asked):\n%s", action.Name, diff)
		}
	}
}

// The managed policies let through what AWS's do, and
// nothing of the administration.
func TestManagedPolicies(t *testing.T) {
	t.Parallel()
	readable := func(operation string) bool {
		return strings.HasPrefix(operation, "Get") || strings.HasPrefix(operation, "List")
	}
	for policy, allows := range map[string]func(string) bool{
		readOnly: readable, "arn:aws:iam::aws:policy/" + readOnly: readable,
		fullAccess: func(string) bool { return true },
	} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			s := keyServer(t)
			k := s.key(t, accountA, policy)
			f := s.furnish(t, who{keyA, region})
			for _, c := range calls(f.bundle, f.authorization, f.ingestion, f.destination, f.destinationARN) {
				r := s.by(t, k, c.method, c.target, c.body)
				if (r.line() != denied) != allows(c.operation) {
					t.Errorf("%s: %s %s", c.operation, r.line(), r.raw)
				}
			}
			for _, operation := range []string{"CreateKey", "ListKeys", "RevokeKey", "ShowOverview", "ShowAuthorization", "ShowIngestion", "ReadEvents", "AuditTail"} {
				r := s.administer(t, k, operation, map[string]any{
					"account": accountA, "policy": fullAccess, "accessKeyId": k.id, "resourceArn": f.ingestionARN,
				})
				if r.line() != denied || !strings.Contains(r.text("message"), "perform: selvedge:"+operation+" on") {
					t.Errorf("%s: %s %s", operation, r.line(), r.raw)
				}
			}
		})
	}
}

// The SDK has the exception as its own type, with AWS's sentence.
func TestDeniedBySDK(t *testing.T) {
	t.Parallel()
	s := keyServer(t)
	f := s.furnish(t, who{keyA, region})
	reader := s.key(t, accountA, readOnly)
	client := reader.client(t, s.handler)
	if _, err := client.GetAppBundle(t.Context(), &appfabric.GetAppBundleInput{AppBundleIdentifier: &f.bundleARN}); err != nil {
		t.Errorf("reading: %v", err)
	}
	_, err := client.DeleteAppBundle(t.Context(), &appfabric.DeleteAppBundleInput{AppBundleIdentifier: aws.String(f.bundle)})
	refused, ok := errors.AsType[*types.AccessDeniedException](err)
	want := "User: arn:aws:iam::" + accountA + ":user/" + reader.id + " is not authorized to perform: appfabric:DeleteAppBundle on resource: " +
		f.bundleARN + " because no identity-based policy allows the appfabric:DeleteAppBundle action"
	if !ok || refused.ErrorMessage() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// policyOf is a policy of these statements.
func policyOf(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[{` + strings.Join(statements, `},{`) + `}]}`
}

// One policy and one request each, decided by the whole way from the signature
// on. B, A, I and D stand for the identifiers of the fixture.
func TestPolicies(t *testing.T) {
	t.Parallel()
	const (
		allow  = `"Effect":"Allow","Action":"appfabric:*","Resource":"*"`
		bundle = "/appbundles/B"
		tag    = `{"tags":[{"key":"team","value":"red"}]}`
	)
	deny := func(rest string) string { return policyOf(allow, `"Effect":"Deny",`+rest) }
	where := func(condition string) string { return policyOf(allow + `,"Condition":{` + condition + `}`) }
	tests := []struct {
		name, policy         string
		method, target, body string
		ok                   bool
	}{
		{"all of AppFabric", policyOf(allow), "GET", bundle, "", true},
		{"another action alone", policyOf(`"Effect":"Allow","Action":"appfabric:ListAppBundles","Resource":"*"`), "GET", bundle, "", false},
		{"a pattern", policyOf(`"Effect":"Allow","Action":"appfabric:Get*","Resource":"*"`), "GET", bundle, "", true},
		{"NotAction", policyOf(`"Effect":"Allow","NotAction":"appfabric:Delete*","Resource":"*"`), "DELETE", bundle, "", false},
		{"deny beats allow", deny(`"Action":"appfabric:GetAppBundle","Resource":"*"`), "GET", bundle, "", false},
		{"deny of the child beats silence about the bundle", policyOf(`"Effect":"Deny","Action":"*","Resource":"arn:aws:appfabric:*:*:appbundle/B/ingestion/*"`), "GET", bundle + "/ingestions/I", "", false},
		{"deny of another", deny(`"Action":"appfabric:DeleteAppBundle","Resource":"*"`), "GET", bundle, "", true},
		{"this bundle", policyOf(`"Effect":"Allow","Action":"*","Resource":"arn:aws:appfabric:*:*:appbundle/B"`), "GET", bundle, "", true},
		{"another bundle", policyOf(`"Effect":"Allow","Action":"*","Resource":"arn:aws:appfabric:*:*:appbundle/00000000-0000-4000-8000-*"`), "GET", "/appbundles/B", "", false},
		{"an ingestion without its bundle", policyOf(`"Effect":"Allow","Action":"*","Resource":"arn:aws:appfabric:*:*:appbundle/B/ingestion/*"`), "GET", bundle + "/ingestions/I", "", false},
		{"an ingestion and its bundle", policyOf(`"Effect":"Allow","Action":"*","Resource":["arn:aws:appfabric:*:*:appbundle/B","arn:aws:appfabric:*:*:appbundle/B/ingestion/I"]`), "GET", bundle + "/ingestions/I", "", true},
		{"AWS's own example of a deny", deny(`"Action":"appfabric:StopIngestion","Resource":"arn:aws:appfabric:*:*:appbundle/*"`), "POST", bundle + "/ingestions/I/stop", "", false},
		{"no ARN is meant by a bundle's", policyOf(`"Effect":"Allow","Action":"*","Resource":"arn:aws:appfabric:*:*:appbundle/*"`), "GET", "/appbundles", "", false},
		{"this Region", where(`"StringEquals":{"aws:RequestedRegion":"us-east-1"}`), "GET", bundle, "", true},
		{"another Region", where(`"StringLike":{"aws:RequestedRegion":"eu-*"}`), "GET", bundle, "", false},

		{"the resource's tag", where(`"StringEquals":{"aws:ResourceTag/env":"prod"}`), "GET", bundle, "", true},
		{"another tag of the resource", where(`"StringEquals":{"aws:ResourceTag/env":"test"}`), "GET", bundle, "", false},
		{"a child without the tag", where(`"StringEquals":{"aws:ResourceTag/env":"prod"}`), "GET", bundle + "/ingestions/I", "", false},
		{"denied by the resource's tag", deny(`"Action":"*","Resource":"*","Condition":{"StringLike":{"aws:ResourceTag/ENV":"p*"}}`), "GET", bundle, "", false},
		{"denied by the bundle's tag", deny(`"Action":"*","Resource":"*","Condition":{"StringLike":{"aws:ResourceTag/env":"p*"}}`), "GET", bundle + "/ingestions/I", "", false},
		{"denied by a tag in other letters", deny(`"Action":"*","Resource":"*","Condition":{"StringLike":{"AWS:\u0052ESOURCE\u0054AG/env":"p*"}}`), "GET", bundle, "", false},
		{"a deny for what has no tag", deny(`"Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:ResourceTag/env":"prod"}}`), "GET", bundle, "", true},
		{"tags of what is not there", where(`"StringEquals":{"aws:ResourceTag/env":"prod"}`), "GET", "/appbundles/00000000-0000-4000-8000-000000000000", "", false},

		{"create without tags, none asked", policyOf(`"Effect":"Allow","Action":"appfabric:CreateAppBundle","Resource":"*"`), "POST", "/appbundles", "{}", true},
		{"create with tags needs TagResource", policyOf(`"Effect":"Allow","Action":"appfabric:CreateAppBundle","Resource":"*"`), "POST", "/appbundles", tag, false},
		{"create with tags and TagResource", policyOf(`"Effect":"Allow","Action":["appfabric:CreateAppBundle","appfabric:TagResource"],"Resource":"*"`), "POST", "/appbundles", tag, true},
		{
			"TagResource on what is made", policyOf(`"Effect":"Allow","Action":"appfabric:CreateAppBundle","Resource":"*"`,
				`"Effect":"Allow","Action":"appfabric:TagResource","Resource":"arn:aws:appfabric:us-east-1:*:appbundle/*"`), "POST", "/appbundles", tag, true,
		},
		{
			"TagResource below another bundle", policyOf(`"Effect":"Allow","Action":"appfabric:CreateAppAuthorization","Resource":"*"`,
				`"Effect":"Allow","Action":"appfabric:TagResource","Resource":"arn:aws:appfabric:*:*:appbundle/0/*"`), "POST",
			bundle + "/appauthorizations", strings.Replace(strings.ReplaceAll(okta, "acme", "tagged"), "{", `{"tags":[{"key":"a","value":"b"}],`, 1), false,
		},
		{"a tag that is asked for", where(`"StringEquals":{"aws:RequestTag/team":"red"}`), "POST", "/appbundles", tag, true},
		{"a tag that is asked for and missing", where(`"StringEquals":{"aws:RequestTag/team":"red"}`), "POST", "/appbundles", "{}", false},
		{"another value of the tag", where(`"StringEquals":{"aws:RequestTag/team":"blue"}`), "POST", "/appbundles", tag, false},
		{"keys of tags", where(`"ForAllValues:StringEquals":{"aws:TagKeys":["team","env"]}`), "POST", "/tags/ARN", tag, true},
		{"other keys of tags", where(`"ForAllValues:StringEquals":{"aws:TagKeys":["env"]}`), "POST", "/tags/ARN", tag, false},
		{"keys of tags that go", deny(`"Action":"appfabric:UntagResource","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":"env"}}`), "DELETE", "/tags/ARN?tagKeys=a&tagKeys=env", "", false},
		{"other keys that go", deny(`"Action":"appfabric:UntagResource","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":"env"}}`), "DELETE", "/tags/ARN?tagKeys=a", "", true},
		{"the tags of the resource in TagResource", where(`"StringEquals":{"aws:ResourceTag/env":"prod"}`), "POST", "/tags/ARN", tag, true},

		{"the administration", policyOf(`"Effect":"Allow","Action":"selvedge:List*","Resource":"*"`), "POST", "/selvedge/v1/ListKeys", "{}", true},
		{"AppFabric's actions are not the administration's", policyOf(allow), "POST", "/selvedge/v1/ListKeys", "{}", false},
		{"an authorization to be shown", policyOf(`"Effect":"Allow","Action":"selvedge:*","Resource":"arn:aws:appfabric:*:*:appbundle/B/ingestion/*"`), "POST", "/selvedge/v1/ShowAuthorization", `{"resourceArn":"AUTH"}`, false},
		{"an ingestion to be shown", policyOf(`"Effect":"Allow","Action":"selvedge:*","Resource":"arn:aws:appfabric:*:*:appbundle/B/ingestion/*"`), "POST", "/selvedge/v1/ShowIngestion", `{"resourceArn":"INGESTION"}`, true},
	}
	s := keyServer(t)
	f := s.furnish(t, who{keyA, region})
	if r := s.by(t, root(), "POST", "/tags/"+escaped(f.bundleARN), `{"tags":[{"key":"env","value":"prod"}]}`); r.status != http.StatusOK {
		t.Fatal(r.raw)
	}
	names := strings.NewReplacer("/B", "/"+f.bundle, "/I", "/"+f.ingestion, "ARN", escaped(f.bundleARN))
	inBody := strings.NewReplacer("AUTH", f.authorizationARN, "INGESTION", f.ingestionARN)
	for _, test := range tests {
		k := s.key(t, accountA, strings.NewReplacer("/B", "/"+f.bundle, "/I", "/"+f.ingestion).Replace(test.policy))
		r := s.by(t, k, test.method, names.Replace(test.target), inBody.Replace(test.body))
		if (r.line() != denied) != test.ok || test.ok && r.status >= 300 && r.status != http.StatusConflict {
			t.Errorf("%s: %s %s", test.name, r.line(), r.raw)
		}
		sentence := "because no identity-based policy allows the "
		if strings.Contains(test.policy, "Deny") {
			sentence = "with an explicit deny in an identity-based policy"
		}
		if !test.ok && (!strings.HasPrefix(r.text("message"), "User: arn:aws:iam::"+accountA+":user/"+k.id+" is not authorized to perform: ") ||
			!strings.Contains(r.text("message"), sentence)) {
			t.Errorf("%s: %s", test.name, r.raw)
		}
	}
}

func escaped(arn string) string { return strings.NewReplacer(":", "%3A", "/", "%2F").Replace(arn) }

// A caller without permission learns nothing of what exists; one that is
// allowed hears of faults in the request first.
func TestOrderOfChecks(t *testing.T) {
	t.Parallel()
	s := keyServer(t)
	f := s.furnish(t, who{keyA, region})
	nothing := s.key(t, accountA, policyOf(`"Effect":"Deny","Action":"*","Resource":"*"`))
	const missing = "00000000-0000-4000-8000-000000000000"
	existing := calls(f.bundle, f.authorization, f.ingestion, f.destination, f.destinationARN)
	for n, c := range calls(missing, missing, missing, missing, strings.ReplaceAll(f.destinationARN, f.bundle, missing)) {
		there := s.by(t, nothing, existing[n].method, existing[n].target, existing[n].body)
		gone := s.by(t, nothing, c.method, c.target, c.body)
		hide := strings.NewReplacer(f.bundle, missing, f.authorization, missing, f.ingestion, missing, f.destination, missing)
		if there.line() != denied || gone.line() != denied || hide.Replace(there.raw) != hide.Replace(gone.raw) {
			t.Errorf("%s: %s of what is there, %s of what is not", c.operation, there.raw, gone.raw)
		}
	}
	for _, c := range []call{
		{"CreateIngestion", "POST", "/appbundles/" + f.bundle + "/ingestions", `{"app":"OKTA"}`},
		{"GetAppBundle", "GET", "/appbundles/x", ``},
		{"GetIngestion", "GET", "/appbundles/" + f.bundle + "/ingestions/" + escaped(f.authorizationARN), ``},
		{"ShowIngestion", "POST", "/selvedge/v1/ShowIngestion", `{}`},
	} {
		if r := s.by(t, nothing, c.method, c.target, c.body); r.line() != "400 ValidationException" {
			t.Errorf("%s: %s %s", c.operation, r.line(), r.raw)
		}
	}
	for _, c := range []call{
		{"an unknown operation", "POST", "/selvedge/v1/Nothing", `{}`},
		{"by another method", "GET", "/selvedge/v1/ListKeys", ``},
		{"no operation", "POST", "/selvedge/v1", `{}`},
	} {
		if r := s.by(t, nothing, c.method, c.target, c.body); r.line() != "404 UnknownOperationException" {
			t.Errorf("%s: %s %s", c.operation, r.line(), r.raw)
		}
	}
	if r := s.by(t, key{"AKIAAAAAAAAAAAAAAAAA", "x"}, "POST", "/selvedge/v1/ListKeys", "{}"); r.line() != "403 UnrecognizedClientException" {
		t.Errorf("an unknown key: %s %s", r.line(), r.raw)
	}
}

// Members that an operation does not have cannot change what the policy is
// asked about.
func TestUnknownMembersAreNotAsked(t *testing.T) {
	t.Parallel()
	s := keyServer(t)
	f := s.furnish(t, who{keyA, region})
	own := s.furnish(t, who{keyA, region})
	k := s.key(t, accountA, policyOf(`"Effect":"Allow","Action":"*","Resource":"arn:aws:appfabric:*:*:appbundle/`+own.bundle+`*"`,
		`"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:RequestTag/a":"b"}}`))
	const tags = `"tags":[{"key":"a","value":"b"}]`
	for _, c := range []call{
		{"CreateIngestion", "POST", "/appbundles/" + f.bundle + "/ingestions", strings.Replace(oktaIngest, "{", `{"resourceArn":"`+own.bundleARN+`",`, 1)},
		{"CreateAppAuthorization", "POST", "/appbundles/" + f.bundle + "/appauthorizations", strings.Replace(okta, "{", `{"appBundleIdentifier":"`+own.bundle+`",`, 1)},
		{"UpdateAppAuthorization", "PATCH", "/appbundles/" + f.bundle + "/appauthorizations/" + f.authorization, `{"resourceArn":"` + own.bundleARN + `",` + tags + `}`},
	} {
		if r := s.by(t, k, c.method, c.target, c.body); r.line() != denied || !strings.Contains(r.text("message"), f.bundle) {
			t.Errorf("%s: %s %s", c.operation, r.line(), r.raw)
		}
	}
}
