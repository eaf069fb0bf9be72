package iam_test

import (
	"fmt"
	"strings"
	"testing"

	"selvedge/internal/iam"
)

const (
	all     = `"Action":"*","Resource":"*"`
	allowed = `"Effect":"Allow",` + all
)

// document is a policy of these statements.
func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[{` + strings.Join(statements, "},{") + `}]}`
}

func parse(t testing.TB, document string) iam.Policy {
	t.Helper()
	p, err := iam.Parse([]byte(document))
	if err != nil {
		t.Fatalf("%s: %v", document, err)
	}
	return p
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, document string }{
		{"whole", `{"Version":"2012-10-17","Id":"x y","Statement":[{"Sid":"A1",` + allowed + `}]}`},
		{"old version", `{"Version":"2008-10-17","Statement":[{` + allowed + `}]}`},
		{"no version", `{"Statement":[{` + allowed + `}]}`},
		{"one statement without a list", `{"Statement":{` + allowed + `}}`},
		{"empty Sids", document(`"Sid":"",`+allowed, `"Sid":"",`+allowed)},
		{"white space", " \n{ \"Statement\" :\t{" + allowed + "} }\r\n"},
		{"escapes in names", `{"\u0053tatement":{` + allowed + `}}`},
		{"lists", document(`"Effect":"Deny","Action":["appfabric:Get*","selvedge:*"],"Resource":["*","arn:aws:appfabric:*"]`)},
		{"opposites", document(`"Effect":"Deny","NotAction":"appfabric:*","NotResource":"arn:*:appfabric:*:*:appbundle/*"`)},
		{"action in any case", document(`"Effect":"Allow","Action":"AppFabric:GETappBundle","Resource":"*"`)},
		{"action with ?", document(`"Effect":"Allow","Action":"appfabric:?etAppBundle","Resource":"*"`)},
		{"empty condition", document(allowed + `,"Condition":{}`)},
		{"empty operator", document(allowed + `,"Condition":{"StringEquals":{}}`)},
		{"condition of one and of many values", document(allowed + `,"Condition":{"StringEquals":{"aws:RequestedRegion":"a","aws:RequestTag/x":["","b"]}}`)},
		{"6,144 characters", sized(6144)},
		{"more with white space", strings.Replace(sized(6144), ",", strings.Repeat(" \n", 2000)+",", 1)},
		{"characters, not bytes", strings.ReplaceAll(sized(6144), "x", "é")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			parse(t, test.document)
		})
	}
}

// sized is a policy of n characters.
func sized(n int) string {
	p := `{"Id":"","Statement":{` + allowed + `}}`
	return strings.Replace(p, `""`, `"`+strings.Repeat("x", n-len(p))+`"`, 1)
}

func TestParseOperators(t *testing.T) {
	t.Parallel()
	for _, set := range []string{"", "ForAllValues:", "ForAnyValue:"} {
		for _, name := range []string{"StringEquals", "StringNotEquals", "StringLike", "StringNotLike"} {
			for _, end := range []string{"", "IfExists"} {
				for _, key := range []string{"aws:RequestTag/k", "aws:resourcetag/k", "AWS:TagKeys", "aws:REQUESTEDREGION"} {
					if key == "AWS:TagKeys" && set == "" {
						continue
					}
					parse(t, document(fmt.Sprintf(`%s,"Condition":{"%s":{"%s":"v"}}`, allowed, set+name+end, key)))
				}
			}
		}
	}
}

func TestParseRefused(t *testing.T) {
	t.Parallel()
	statement := func(s string) string { return document(allowed, s) } // so that the fault is in Statement[1]
	action := func(s string) string { return statement(`"Effect":"Allow","Resource":"*","Action":` + s) }
	resource := func(s string) string { return statement(`"Effect":"Deny","Action":"*","Resource":` + s) }
	condition := func(s string) string { return statement(allowed + `,"Condition":` + s) }
	tests := []struct{ name, document, want string }{
		{"nothing", ``, "not JSON: line 1, column 1"},
		{"no JSON", "{\n \"Statement\" x", "not JSON: line 2, column 14"},
		{"two documents", `{"Statement":{` + allowed + `}}{}`, "not JSON"},
		{"trailing comma", `{"Statement":[{` + allowed + `},]}`, "not JSON"},
		{"comment", `{"Statement":{` + allowed + `} /* x */}`, "not JSON"},
		{"not UTF-8", "{\"Id\":\"\xff\"}", "not UTF-8"},
		{"half a surrogate pair", `{"Id":"\ud800"}`, "not Unicode"},
		{"byte order mark", "\ufeff" + document(allowed), "not JSON"},
		{"a list", `[]`, "a list; an object is needed"},
		{"a string", `"x"`, "a string; an object is needed"},
		{"null", `null`, "null; an object is needed"},
		{"too long", sized(6145), "6145 characters long"},
		{"too long with white space", strings.Repeat(" ", 131072) + sized(200), "bytes long; at most 131072"},
		{"nested", strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "characters long"},
		{"nested less", strings.Repeat("[", 20) + strings.Repeat("]", 20), "nested too deeply"},
		{"name twice", `{"Id":"a","Id":"a","Statement":{` + allowed + `}}`, `"Id" is there twice`},
		{"name twice by escape", `{"Id":"a","\u0049d":"a","Statement":{` + allowed + `}}`, `"Id" is there twice`},
		{"Effect twice", statement(`"Effect":"Deny",` + allowed), `Statement[1]: "Effect" is there twice`},
		{"operator twice", condition(`{"StringLike":{},"StringLike":{}}`), `Statement[1].Condition: "StringLike" is there twice`},
		{"key twice", condition(`{"StringLike":{"aws:RequestTag/a":"x","aws:RequestTag/a":"y"}}`), `is there twice`},
		{"key twice in another case", condition(`{"StringLike":{"aws:RequestTag/a":"x","AWS:requesttag/A":"y"}}`), "are the same condition key"},

		{"unknown element", `{"Statements":[]}`, `unknown element "Statements"; Version, Id, Statement are allowed`},
		{"element in another case", `{"statement":[]}`, `unknown element "statement"`},
		{"version", `{"Version":"2012-10-18","Statement":{` + allowed + `}}`, `Version: "2012-10-18"; "2012-10-17" and "2008-10-17" are allowed`},
		{"version of another type", `{"Version":2012,"Statement":{` + allowed + `}}`, `Version: "2012"`},
		{"Id of another type", `{"Id":7,"Statement":{` + allowed + `}}`, "Id: 7; a string"},
		{"no statement", `{}`, "no Statement"},
		{"empty statements", `{"Statement":[]}`, "Statement: an empty list"},
		{"statement of another type", `{"Statement":"x"}`, "Statement: a string"},
		{"statement in the list of another type", `{"Statement":["x"]}`, "Statement[0]: a string; an object is needed"},

		{"unknown element of a statement", statement(allowed + `,"Effects":"x"`), `Statement[1]: unknown element "Effects"; Sid, Effect,`},
		{"Principal", statement(allowed + `,"Principal":"*"`), `Statement[1]: unknown element "Principal"`},
		{"NotPrincipal", statement(allowed + `,"NotPrincipal":"*"`), "given to"},
		{"Sid", statement(`"Sid":"a b",` + allowed), `Statement[1].Sid: "a b"; letters and digits`},
		{"Sid of another type", statement(`"Sid":7,` + allowed), "Statement[1].Sid"},
		{"Sid twice", document(`"Sid":"a",`+allowed, `"Sid":"a",`+allowed), `Statement[1].Sid: "a" is the Sid of another`},
		{"no Effect", statement(all), "Statement[1].Effect"},
		{"Effect in another case", statement(all + `,"Effect":"allow"`), `Statement[1].Effect: "allow"; "Allow" and "Deny"`},
		{"Effect of another type", statement(all + `,"Effect":["Allow"]`), "Statement[1].Effect"},

		{"no Action", statement(`"Effect":"Allow","Resource":"*"`), "Statement[1]: Action and NotAction: exactly one"},
		{"Action and NotAction", statement(allowed + `,"NotAction":"appfabric:*"`), "Statement[1]: Action and NotAction: exactly one"},
		{"empty Action", action(`[]`), "Statement[1].Action: an empty list"},
		{"Action of another type", action(`true`), "Statement[1].Action: true; a string or a list"},
		{"Action with another type in it", action(`["*",null]`), "Statement[1].Action[1]: null; a string is allowed"},
		{"unknown action", action(`["*","appfabric:GetAppBundles"]`), `Statement[1].Action[1]: "appfabric:GetAppBundles" is no action of AppFabric`},
		{"pattern of no action", action(`"appfabric:Describe*"`), "is no action of AppFabric"},
		{"action of another service", action(`"s3:GetObject"`), `"s3:GetObject"; "*", "appfabric:<Operation>" and`},
		{"all of another service", action(`"kms:*"`), `"kms:*"`},
		{"wildcard in the service", action(`"app*:GetAppBundle"`), `"app*:GetAppBundle"`},
		{"service alone", action(`"appfabric"`), `"appfabric"`},
		{"empty action", action(`""`), `Statement[1].Action: ""`},
		{"no operation", action(`"appfabric:"`), "is no action"},
		{"no operation of selvedge", action(`"selvedge:"`), `"selvedge:"`},
		{"bad operation of selvedge", action(`"selvedge:Key Create"`), `"selvedge:Key Create"`},
		{"unknown action in NotAction", statement(`"Effect":"Deny","Resource":"*","NotAction":["appfabric:X"]`), "Statement[1].NotAction[0]"},

		{"no Resource", statement(`"Effect":"Allow","Action":"*"`), "Statement[1]: Resource and NotResource: exactly one"},
		{"Resource and NotResource", statement(allowed + `,"NotResource":"*"`), "exactly one"},
		{"empty Resource", resource(`[]`), "Statement[1].Resource: an empty list"},
		{"no ARN", resource(`"appbundle/*"`), `Statement[1].Resource: "appbundle/*"; "*" and arn:`},
		{"empty ARN", resource(`""`), `Statement[1].Resource: ""`},
		{"ARN of another service", resource(`["arn:aws:s3:::bucket"]`), "Statement[1].Resource[0]"},
		{"wildcard in the service of an ARN", resource(`"arn:aws:*:*:*:appbundle/*"`), "are allowed"},
		{"wildcard over the service", resource(`"arn:aws:*"`), "are allowed"},
		{"wildcard over all of an ARN", resource(`"arn:*"`), "are allowed"},
		{"unknown partition", resource(`"arn:amazon:appfabric:*:*:appbundle/*"`), `"amazon" is no partition`},
		{"partition pattern of none", resource(`"arn:b*:appfabric:*:*:appbundle/*"`), "is no partition"},
		{"too few parts", resource(`"arn:aws:appfabric:*:appbundle/x"`), "has 5 parts, an ARN 6"},
		{"three parts", resource(`"arn:aws:appfabric"`), "has 3 parts"},
		{"no Region", resource(`"arn:aws:appfabric::123456789012:appbundle/*"`), `"" is no Region`},
		{"Region in upper case", resource(`"arn:aws:appfabric:US-EAST-1:*:appbundle/*"`), `"US-EAST-1" is no Region`},
		{"no account", resource(`"arn:aws:appfabric:*::appbundle/*"`), `"" is no account`},
		{"short account", resource(`"arn:aws:appfabric:*:12345:appbundle/*"`), `"12345" is no account`},
		{"resource in place of the account", resource(`"arn:aws:appfabric:*:appbundle/*"`), `"appbundle/*" is no account`},
		{"misspelt type", resource(`"arn:aws:appfabric:*:*:appBundle/*"`), `"appBundle/*" names no resource`},
		{"misspelt child", resource(`"arn:aws:appfabric:*:*:appbundle/x/ingestions/y"`), "names no resource"},
		{"destination below a bundle", resource(`"arn:aws:appfabric:*:*:appbundle/x/ingestiondestination/y"`), "names no resource"},
		{"type without an id", resource(`"arn:aws:appfabric:*:*:appbundle/"`), "names no resource"},
		{"half of a child", resource(`"arn:aws:appfabric:*:*:appbundle/x/ingestion"`), "names no resource"},
		{"nothing", resource(`"arn:aws:appfabric:*:*:"`), "names no resource"},

		{"variable in a resource", resource(`"arn:aws:appfabric:*:${aws:PrincipalAccount}:appbundle/*"`), "${...} is not supported"},
		{"variable in a value", condition(`{"StringLike":{"aws:RequestTag/x":["a","${aws:username}"]}}`), `Statement[1].Condition.StringLike.aws:RequestTag/x[1]: "${aws:username}" has a policy variable`},
		{"variable in a key", condition(`{"StringLike":{"aws:RequestTag/${x}":"y"}}`), "${...} is not supported"},
		{"escaped wildcard", condition(`{"StringLike":{"aws:RequestTag/x":"${*}"}}`), "${...} is not supported"},
		{"variable in the old version", `{"Version":"2008-10-17","Id":"${x}","Statement":{` + allowed + `}}`, "${...} is not supported"},

		{"Condition of another type", condition(`[]`), "Statement[1].Condition: a list; an object of operators"},
		{"operator of another type", condition(`{"StringLike":"x"}`), "Statement[1].Condition.StringLike: a string; an object of condition keys"},
		{"unknown operator", condition(`{"StringEqual":{}}`), `unknown operator "StringEqual"; StringEquals, StringNotEquals, StringLike and`},
		{"operator in another case", condition(`{"stringequals":{}}`), `unknown operator "stringequals"`},
		{"operator that ignores case", condition(`{"StringEqualsIgnoreCase":{}}`), "unknown operator"},
		{"Null", condition(`{"Null":{"aws:TagKeys":"true"}}`), `unknown operator "Null"`},
		{"Bool", condition(`{"Bool":{"aws:SecureTransport":"true"}}`), `unknown operator "Bool"`},
		{"IpAddress", condition(`{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`), "unknown operator"},
		{"set operator alone", condition(`{"ForAllValues:":{}}`), "unknown operator"},
		{"unknown set operator", condition(`{"ForSomeValues:StringLike":{}}`), "unknown operator"},
		{"two set operators", condition(`{"ForAllValues:ForAnyValue:StringLike":{}}`), "unknown operator"},
		{"IfExists twice", condition(`{"StringLikeIfExistsIfExists":{}}`), "unknown operator"},
		{"unknown key", condition(`{"StringLike":{"aws:SourceIp":"x"}}`), `Statement[1].Condition.StringLike: unknown condition key "aws:SourceIp"; aws:RequestTag/<tag key>,`},
		{"key of the service", condition(`{"StringLike":{"appfabric:app":"x"}}`), "unknown condition key"},
		{"tag key missing", condition(`{"StringLike":{"aws:RequestTag":"x"}}`), "unknown condition key"},
		{"tag key empty", condition(`{"StringLike":{"aws:RequestTag/":"x"}}`), "a tag key is needed"},
		{"tag key with a wildcard", condition(`{"StringLike":{"aws:ResourceTag/*":"x"}}`), "no wildcards"},
		{"tag key where none belongs", condition(`{"StringLike":{"aws:RequestedRegion/x":"x"}}`), "unknown condition key"},
		{"TagKeys without a set operator", condition(`{"StringEquals":{"aws:TagKeys":"x"}}`), "ForAllValues: or ForAnyValue: is needed"},
		{"no values", condition(`{"StringLike":{"aws:RequestTag/x":[]}}`), "an empty list"},
		{"value of another type", condition(`{"StringLike":{"aws:RequestTag/x":true}}`), `"aws:RequestTag/x": true; a string or a list`},
		{"value in the list of another type", condition(`{"StringLike":{"aws:RequestTag/x":["a",1]}}`), `"aws:RequestTag/x"[1]: 1; a string is allowed`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p, err := iam.Parse([]byte(test.document))
			if err == nil {
				t.Fatalf("%s: no error", test.document)
			}
			if !strings.HasPrefix(err.Error(), "iam: parse policy: ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v; want %q", err, test.want)
			}
			if d := iam.Evaluate([]iam.Policy{p}, iam.Request{Action: "appfabric:ListAppBundles", Resources: []string{"*"}}); d != iam.DeniedImplicit {
				t.Errorf("the policy of an error: %v", d)
			}
		})
	}
}
