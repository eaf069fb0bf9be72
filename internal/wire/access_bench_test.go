package wire_test

import (
	"net/http/httptest"
	"testing"
)

// What a policy costs beside the root key, which needs none: of the lookup of
// the key and of the decision.
func BenchmarkKeys(b *testing.B) {
	s := keyServer(b)
	f := s.furnish(b, who{keyA, region})
	keys := map[string]key{
		"root": root(), "managed": s.key(b, accountA, readOnly),
		"tags": s.key(b, accountA, policyOf(`"Effect":"Allow","Action":"*","Resource":"*"`,
			`"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/env":"prod"}}`)),
	}
	for _, name := range []string{"root", "managed", "tags"} {
		k := keys[name]
		b.Run(name, func(b *testing.B) {
			r := s.signed(b, k, "GET", "/appbundles/"+f.bundle+"/appauthorizations/"+f.authorization, "")
			for b.Loop() {
				rec := httptest.NewRecorder()
				s.handler.ServeHTTP(rec, r)
				if rec.Code != 200 {
					b.Fatal(rec.Body)
				}
			}
		})
	}
}
