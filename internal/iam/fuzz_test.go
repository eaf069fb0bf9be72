package iam_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"selvedge/internal/iam"
)

// FuzzParse gives any bytes as a policy. One that is taken is JSON to other readers too, decides the same when it is
// written without white space, and allows nothing beside a policy that denies everything. One that is refused decides
// nothing.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{"Statement":[]}`, document(allowed), document("\"Sid\":\"a\"," + allowed), `{"Statement":{` + allowed + `}}`,
		document(`"Effect":"Deny","NotAction":["appfabric:Get*","selvedge:?"],"NotResource":["` + bundle + `","arn:aws:appfabric:*"]`),
		document(allowed + `,"Condition":{"ForAnyValue:StringNotLikeIfExists":{"aws:TagKeys":["a*","?"]},"StringEquals":{"aws:ResourceTag/x":""}}`),
		document(allowed + `,"Principal":"*"`), `{"Id":"${x}"}`, `{"Id":"\ud800"}`, "{\"Id\":\"\xff\"}", `[[[[[[[[[[[[]]]]]]]]]]]]`, `{"Id":1e999}`,
	} {
		f.Add([]byte(seed))
	}
	requests := []iam.Request{
		on("appfabric:GetIngestion", bundle, ingestion), on("appfabric:ListAppBundles", "*"), on("selvedge:CreateKey", "*"), {},
		{
			Action: "appfabric:TagResource", Resources: []string{bundle}, TagKeys: []string{"x"},
			RequestTags: map[string]string{"x": "y"}, ResourceTags: map[string]string{"X": "", "x": "y"},
		},
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := iam.Parse(data)
		if err != nil {
			for _, r := range requests {
				if iam.Evaluate([]iam.Policy{p}, r) != iam.DeniedImplicit {
					t.Errorf("%v: a refused policy decides", r)
				}
			}
			return
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, data); err != nil {
			t.Fatalf("what was taken is not JSON: %v", err)
		}
		again, err := iam.Parse(compact.Bytes())
		if err != nil {
			t.Fatalf("without white space: %v", err)
		}
		deny := parse(t, document(`"Effect":"Deny",`+all))
		for _, r := range requests {
			first, second := iam.Evaluate([]iam.Policy{p}, r), iam.Evaluate([]iam.Policy{again}, r)
			if first != second {
				t.Errorf("%v: %v, without white space %v", r, first, second)
			}
			if len(r.Resources) > 0 && iam.Evaluate([]iam.Policy{p, deny}, r) != iam.DeniedExplicit {
				t.Errorf("%v: an explicit deny does not win", r)
			}
		}
	})
}
