package wire_test

import (
	"bufio"
	"net/http"
	"slices"
	"strings"
	"testing"

	"selvedge/internal/wire"
)

// FuzzHTTP sends whatever can come over a connection. Every answer must be one
// that the model has: the harness checks its form, this that nothing breaks.
func FuzzHTTP(f *testing.F) {
	s := newServer(f)
	w := who{keyA, region}
	fix := s.furnish(f, w)
	for _, c := range calls(fix.bundle, fix.authorization, fix.ingestion, fix.destination, fix.destinationARN) {
		f.Add(c.method, c.target, c.body)
	}
	for _, target := range []string{"//", "/appbundles/../x", "/appbundles/%2F", "/appbundles/%00", "/tags/a%2Fb?tagKeys=&tagKeys", "/appbundles?maxResults=-1&nextToken=%FF", "*"} {
		f.Add("GET", target, `{"tags":[{"key":"a","value":null}]}`)
	}
	for operation, body := range map[string]string{
		"CreateKey":         `{"account":"` + accountA + `","policy":"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}"}`,
		"ListKeys":          `{"account":"` + accountA + `","maxResults":1,"nextToken":"x"}`,
		"RevokeKey":         `{"accessKeyId":"AKIAAAAAAAAAAAAAAAAA"}`,
		"ShowOverview":      `{"standing":"failed","maxResults":1,"nextToken":"x"}`,
		"ShowAuthorization": `{"resourceArn":"` + fix.authorizationARN + `"}`,
		"ShowIngestion":     `{"resourceArn":"` + fix.ingestionARN + `"}`,
		"ReadEvents":        `{"resourceArn":"` + fix.ingestionARN + `","stream":"system","maxResults":2,"eventId":"x.0"}`,
		"Backfill":          `{"resourceArn":"` + fix.ingestionARN + `","from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z","read":"all"}`,
		"ShowBackfill":      `{"resourceArn":"` + fix.ingestionARN + `","backfillId":"x"}`,
	} {
		f.Add("POST", "/selvedge/v1/"+operation, body)
	}
	f.Fuzz(func(t *testing.T, method, target, body string) {
		// The server's own parser decides what reaches the handler.
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + target + " HTTP/1.1\r\nHost: x\r\n\r\n")))
		if err != nil || r.URL.Host != "" {
			return
		}
		r.Body = http.NoBody
		if body != "" {
			r.Body = readCloser{strings.NewReader(body)}
			r.ContentLength = int64(len(body))
		}
		sign(t, r, w, body, s.clock.Now())
		got := s.answer(t, r)
		if got.status >= 500 {
			t.Fatalf("%q %q %q: %s %s", method, target, body, got.line(), got.raw)
		}
		known := []string{
			"", "ValidationException", "ResourceNotFoundException", "ConflictException", "UnknownOperationException",
			"AccessDeniedException", "InvalidSignatureException", "IncompleteSignatureException", "MissingAuthenticationTokenException", "UnrecognizedClientException",
		}
		if !slices.Contains(known, got.code) {
			t.Fatalf("%q %q: the exception %s", method, target, got.code)
		}
		if got.code == "ValidationException" && got.text("reason") == "" {
			t.Fatalf("%q %q: no reason in %s", method, target, got.raw)
		}
	})
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// FuzzBody sends bodies to every operation that takes one.
func FuzzBody(f *testing.F) {
	s := newServer(f)
	w := who{keyA, region}
	fix := s.furnish(f, w)
	all := calls(fix.bundle, fix.authorization, fix.ingestion, fix.destination, fix.destinationARN)
	taking := slices.DeleteFunc(all, func(c call) bool { return c.body == "" })
	for i, c := range taking {
		f.Add(uint8(i), []byte(c.body))
	}
	for i, op := range wire.Operations() {
		f.Add(uint8(i), []byte(`{"`+op.Name+`":[[[[{"a":"\ud800\u0000"}]]]]}`))
	}
	f.Fuzz(func(t *testing.T, n uint8, body []byte) {
		c := taking[int(n)%len(taking)]
		if got := s.send(t, w, c.method, c.target, string(body)); got.status >= 500 {
			t.Fatalf("%s %q: %s %s", c.operation, body, got.line(), got.raw)
		}
	})
}
