package iam_test

import (
	"testing"

	"selvedge/internal/iam"
)

// TestConditions asks of each condition whether it is fulfilled: once under an Allow, once under a Deny.
func TestConditions(t *testing.T) {
	t.Parallel()
	tag := func(k, v string) iam.Request { return iam.Request{ResourceTags: map[string]string{k: v}} }
	keys := func(k ...string) iam.Request { return iam.Request{TagKeys: k} }
	region := func(r string) iam.Request { return iam.Request{Region: r} }
	var none iam.Request
	tests := []struct {
		name, condition string
		request         iam.Request
		want            bool
	}{
		{"equal", `"StringEquals":{"aws:ResourceTag/team":"blue"}`, tag("team", "blue"), true},
		{"not equal", `"StringEquals":{"aws:ResourceTag/team":"blue"}`, tag("team", "red"), false},
		{"case of values counts", `"StringEquals":{"aws:ResourceTag/team":"blue"}`, tag("team", "Blue"), false},
		{"no part of a value", `"StringEquals":{"aws:ResourceTag/team":"blue"}`, tag("team", "blues"), false},
		{"key is not there", `"StringEquals":{"aws:ResourceTag/team":"blue"}`, none, false},
		{"another key", `"StringEquals":{"aws:ResourceTag/team":"blue"}`, tag("owner", "blue"), false},
		{"case of keys does not count", `"StringEquals":{"AWS:resourceTAG/TEAM":"blue"}`, tag("Team", "blue"), true},
		{"one of the values", `"StringEquals":{"aws:ResourceTag/team":["red","blue"]}`, tag("team", "blue"), true},
		{"none of the values", `"StringEquals":{"aws:ResourceTag/team":["red","blue"]}`, tag("team", "green"), false},
		{"empty value", `"StringEquals":{"aws:ResourceTag/team":""}`, tag("team", ""), true},
		{"empty value is not none", `"StringEquals":{"aws:ResourceTag/team":""}`, none, false},
		{"no wildcards in StringEquals", `"StringEquals":{"aws:ResourceTag/team":"b*"}`, tag("team", "blue"), false},
		{"* as itself", `"StringEquals":{"aws:ResourceTag/team":"b*"}`, tag("team", "b*"), true},
		{"tag key with a slash", `"StringEquals":{"aws:ResourceTag/a/b":"x"}`, tag("a/b", "x"), true},
		{"tag key with a colon", `"StringEquals":{"aws:ResourceTag/a:b":"x"}`, tag("a:b", "x"), true},
		{"tag key beyond ASCII", `"StringEquals":{"aws:ResourceTag/équipe":"x"}`, tag("ÉQUIPE", "x"), true},

		{"StringNotEquals, equal", `"StringNotEquals":{"aws:ResourceTag/team":"blue"}`, tag("team", "blue"), false},
		{"StringNotEquals, not equal", `"StringNotEquals":{"aws:ResourceTag/team":"blue"}`, tag("team", "red"), true},
		{"StringNotEquals, one of the values", `"StringNotEquals":{"aws:ResourceTag/team":["red","blue"]}`, tag("team", "blue"), false},
		{"StringNotEquals, none of the values", `"StringNotEquals":{"aws:ResourceTag/team":["red","blue"]}`, tag("team", "green"), true},
		{"StringNotEquals, key is not there", `"StringNotEquals":{"aws:ResourceTag/team":"blue"}`, none, true},

		{"StringLike", `"StringLike":{"aws:ResourceTag/team":"b*e"}`, tag("team", "blue"), true},
		{"StringLike, not", `"StringLike":{"aws:ResourceTag/team":"b*d"}`, tag("team", "blue"), false},
		{"StringLike with ?", `"StringLike":{"aws:ResourceTag/team":"bl?e"}`, tag("team", "blüe"), true},
		{"StringLike, case counts", `"StringLike":{"aws:ResourceTag/team":"B*"}`, tag("team", "blue"), false},
		{"StringLike, one of the patterns", `"StringLike":{"aws:ResourceTag/team":["r*","b*"]}`, tag("team", "blue"), true},
		{"StringLike * and an empty value", `"StringLike":{"aws:ResourceTag/team":"*"}`, tag("team", ""), true},
		{"StringLike * needs the key", `"StringLike":{"aws:ResourceTag/team":"*"}`, none, false},
		{"StringNotLike", `"StringNotLike":{"aws:ResourceTag/team":"b*"}`, tag("team", "blue"), false},
		{"StringNotLike, not", `"StringNotLike":{"aws:ResourceTag/team":["b*","r*"]}`, tag("team", "green"), true},
		{"StringNotLike, key is not there", `"StringNotLike":{"aws:ResourceTag/team":"*"}`, none, true},

		{"IfExists, key is not there", `"StringEqualsIfExists":{"aws:ResourceTag/team":"blue"}`, none, true},
		{"IfExists, equal", `"StringEqualsIfExists":{"aws:ResourceTag/team":"blue"}`, tag("team", "blue"), true},
		{"IfExists, not equal", `"StringEqualsIfExists":{"aws:ResourceTag/team":"blue"}`, tag("team", "red"), false},
		{"negated IfExists, key is not there", `"StringNotEqualsIfExists":{"aws:ResourceTag/team":"blue"}`, none, true},
		{"negated IfExists, equal", `"StringNotEqualsIfExists":{"aws:ResourceTag/team":"blue"}`, tag("team", "blue"), false},
		{"StringLikeIfExists", `"StringLikeIfExists":{"aws:ResourceTag/team":"b*"}`, tag("team", "red"), false},
		{"StringNotLikeIfExists", `"StringNotLikeIfExists":{"aws:ResourceTag/team":"b*"}`, tag("team", "blue"), false},

		{"all keys", `"ForAllValues:StringEquals":{"aws:TagKeys":["environment","cost-center"]}`, keys("environment", "cost-center"), true},
		{"all of fewer keys", `"ForAllValues:StringEquals":{"aws:TagKeys":["environment","cost-center"]}`, keys("environment"), true},
		{"all keys and one more", `"ForAllValues:StringEquals":{"aws:TagKeys":["environment","cost-center"]}`, keys("environment", "dept"), false},
		{"all of no keys", `"ForAllValues:StringEquals":{"aws:TagKeys":["environment","cost-center"]}`, none, true},
		{"case of tag keys as values counts", `"ForAllValues:StringEquals":{"aws:TagKeys":"team"}`, keys("Team"), false},
		{"all keys by pattern", `"ForAllValues:StringLike":{"aws:TagKeys":"key*"}`, keys("key1", "key2"), true},
		{"all keys by pattern, one not", `"ForAllValues:StringLike":{"aws:TagKeys":"key*"}`, keys("key1", "x"), false},
		{"all negated, none of them", `"ForAllValues:StringNotEquals":{"aws:TagKeys":["a","b"]}`, keys("c", "d"), true},
		{"all negated, one of them", `"ForAllValues:StringNotEquals":{"aws:TagKeys":["a","b"]}`, keys("a", "c"), false},
		{"all negated of no keys", `"ForAllValues:StringNotEquals":{"aws:TagKeys":["a","b"]}`, none, true},
		{"all IfExists of no keys", `"ForAllValues:StringEqualsIfExists":{"aws:TagKeys":"a"}`, none, true},
		{"any key", `"ForAnyValue:StringEquals":{"aws:TagKeys":["environment","cost-center"]}`, keys("environment"), true},
		{"any of both keys", `"ForAnyValue:StringEquals":{"aws:TagKeys":["environment","cost-center"]}`, keys("environment", "cost-center"), true},
		{"any key among others", `"ForAnyValue:StringEquals":{"aws:TagKeys":["environment","cost-center"]}`, keys("dept", "environment"), true},
		{"any of other keys", `"ForAnyValue:StringEquals":{"aws:TagKeys":["environment","cost-center"]}`, keys("dept"), false},
		{"any of no keys", `"ForAnyValue:StringEquals":{"aws:TagKeys":["environment","cost-center"]}`, none, false},
		{"any key by pattern", `"ForAnyValue:StringLike":{"aws:TagKeys":"key*"}`, keys("x", "key2"), true},
		{"any negated, one of others", `"ForAnyValue:StringNotEquals":{"aws:TagKeys":["a","b"]}`, keys("a", "c"), true},
		{"any negated, only these", `"ForAnyValue:StringNotEquals":{"aws:TagKeys":["a","b"]}`, keys("a", "b"), false},
		{"any negated of no keys", `"ForAnyValue:StringNotLike":{"aws:TagKeys":"a"}`, none, false},
		{"any IfExists of no keys", `"ForAnyValue:StringEqualsIfExists":{"aws:TagKeys":"a"}`, none, true},
		{"any IfExists of other keys", `"ForAnyValue:StringEqualsIfExists":{"aws:TagKeys":"a"}`, keys("b"), false},
		{"set operator on one value", `"ForAllValues:StringEquals":{"aws:ResourceTag/team":"blue"}`, tag("team", "red"), false},
		{"set operator on one value that is not there", `"ForAllValues:StringEquals":{"aws:ResourceTag/team":"blue"}`, none, true},
		{"any on one value", `"ForAnyValue:StringEquals":{"aws:ResourceTag/team":"blue"}`, tag("team", "blue"), true},

		{"request tag", `"StringEquals":{"aws:RequestTag/team":"blue"}`, iam.Request{RequestTags: map[string]string{"team": "blue"}}, true},
		{"request tag, not the resource's", `"StringEquals":{"aws:RequestTag/team":"blue"}`, tag("team", "blue"), false},
		{"resource tag, not the request's", `"StringEquals":{"aws:ResourceTag/team":"blue"}`, iam.Request{RequestTags: map[string]string{"team": "blue"}}, false},
		{"keys of the request's tags", `"ForAllValues:StringEquals":{"aws:TagKeys":"a"}`, iam.Request{RequestTags: map[string]string{"b": ""}}, false},
		{"not the keys of the resource's tags", `"ForAnyValue:StringEquals":{"aws:TagKeys":"team"}`, tag("team", ""), false},
		{"Region", `"StringEquals":{"aws:RequestedRegion":["eu-west-1","us-east-1"]}`, region("us-east-1"), true},
		{"another Region", `"StringEquals":{"aws:RequestedRegion":["eu-west-1","us-east-1"]}`, region("ap-northeast-1"), false},
		{"Region by pattern", `"StringLike":{"aws:RequestedRegion":"us-*"}`, region("us-west-2"), true},
		{"no Region", `"StringLike":{"aws:RequestedRegion":"*"}`, none, false},

		{"two keys, both", `"StringEquals":{"aws:ResourceTag/team":"blue","aws:RequestedRegion":"r"}`, iam.Request{Region: "r", ResourceTags: map[string]string{"team": "blue"}}, true},
		{"two keys, one", `"StringEquals":{"aws:ResourceTag/team":"blue","aws:RequestedRegion":"r"}`, tag("team", "blue"), false},
		{"two operators, both", `"StringLike":{"aws:ResourceTag/team":"b*"},"StringNotEquals":{"aws:ResourceTag/team":"black"}`, tag("team", "blue"), true},
		{"two operators, one", `"StringLike":{"aws:ResourceTag/team":"b*"},"StringNotEquals":{"aws:ResourceTag/team":"black"}`, tag("team", "black"), false},
		{"keys are there and all of these", `"ForAnyValue:StringLike":{"aws:TagKeys":"*"},"ForAllValues:StringEquals":{"aws:TagKeys":"a"}`, none, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := test.request
			r.Action, r.Resources = "appfabric:TagResource", []string{bundle}
			under := func(statements ...string) iam.Decision {
				return iam.Evaluate([]iam.Policy{parse(t, document(statements...))}, r)
			}
			want := map[bool][2]iam.Decision{
				true: {iam.Allowed, iam.DeniedExplicit}, false: {iam.DeniedImplicit, iam.Allowed},
			}[test.want]
			if got := under(allowed + `,"Condition":{` + test.condition + `}`); got != want[0] {
				t.Errorf("allow: %v, want %v", got, want[0])
			}
			if got := under(allowed, `"Effect":"Deny",`+all+`,"Condition":{`+test.condition+`}`); got != want[1] {
				t.Errorf("deny: %v, want %v", got, want[1])
			}
		})
	}
}

// TestSpellings has a resource with one tag key in two spellings, which AWS leaves open: it must not be a way to get
// around either effect.
func TestSpellings(t *testing.T) {
	t.Parallel()
	r := on("appfabric:GetAppBundle", bundle)
	r.ResourceTags = map[string]string{"team": "blue", "Team": "red"}
	tests := []struct {
		condition   string
		allow, deny bool // whether it is fulfilled
	}{
		{`"StringEquals":{"aws:ResourceTag/team":"blue"}`, false, true},
		{`"StringEquals":{"aws:ResourceTag/team":["blue","red"]}`, true, true},
		{`"StringNotEquals":{"aws:ResourceTag/team":"blue"}`, false, true},
		{`"StringNotEquals":{"aws:ResourceTag/team":"green"}`, true, true},
		{`"StringEqualsIfExists":{"aws:ResourceTag/team":"green"}`, false, false},
	}
	for _, test := range tests {
		for range 20 { // the order of a map differs
			p := parse(t, document(allowed+`,"Condition":{`+test.condition+`}`))
			if got := iam.Evaluate([]iam.Policy{p}, r) == iam.Allowed; got != test.allow {
				t.Errorf("%s: allow: %t, want %t", test.condition, got, test.allow)
			}
			p = parse(t, document(`"Effect":"Deny",`+all+`,"Condition":{`+test.condition+`}`))
			if got := iam.Evaluate([]iam.Policy{p}, r) == iam.DeniedExplicit; got != test.deny {
				t.Errorf("%s: deny: %t, want %t", test.condition, got, test.deny)
			}
		}
	}
}
