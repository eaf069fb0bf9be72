package wire_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkAppAuthorizations is what the server itself takes for a request, its
// signature included, with as many authorizations as a page of the list has.
func BenchmarkAppAuthorizations(b *testing.B) {
	s := newServer(b)
	w := who{keyA, region}
	made := s.send(b, w, http.MethodPost, "/appbundles", `{}`)
	bundle, _ := made.body["appBundle"].(map[string]any)
	arn, _ := bundle["arn"].(string)
	path := "/appbundles/" + arn[strings.LastIndexByte(arn, '/')+1:] + "/appauthorizations"
	n := 0
	create := func() (string, string) {
		n++
		return path, fmt.Sprintf(`{"app":"OKTA","authType":"oauth2","clientToken":"00000000-0000-4000-8000-%012d",`+
			`"credential":{"oauth2Credential":{"clientId":"0oa","clientSecret":"secret"}},`+
			`"tenant":{"tenantIdentifier":"t%d.okta.com","tenantDisplayName":"Tenant"}}`, n, n)
	}
	for range 100 {
		target, body := create()
		made = s.send(b, w, http.MethodPost, target, body)
	}
	authorization, _ := made.body["appAuthorization"].(map[string]any)
	arn, _ = authorization["appAuthorizationArn"].(string)
	one := path + "/" + arn[strings.LastIndexByte(arn, '/')+1:]
	for _, op := range []struct {
		name, method string
		request      func() (target, body string)
	}{
		{"Get", http.MethodGet, func() (string, string) { return one, "" }},
		{"List", http.MethodGet, func() (string, string) { return path + "?maxResults=100", "" }},
		{"Create", http.MethodPost, create},
	} {
		b.Run(op.name, func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				target, body := op.request()
				r := httptest.NewRequest(op.method, target, strings.NewReader(body))
				sign(b, r, w, body, s.clock.Now())
				rec := httptest.NewRecorder()
				b.StartTimer()
				s.handler.ServeHTTP(rec, r)
				if rec.Code >= http.StatusMultipleChoices {
					b.Fatalf("%d %s", rec.Code, rec.Body)
				}
			}
		})
	}
}
