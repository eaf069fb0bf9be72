package sigv4_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/sigv4"
)

// FuzzVerify sends what nobody signed with a known secret: nothing of it may pass, and nothing may panic.
func FuzzVerify(f *testing.F) {
	const good = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/appfabric/aws4_request, SignedHeaders=host;x-amz-date, Signature="
	f.Add("GET", "/appbundles", "example.amazonaws.com", good+strings.Repeat("0", 64), "20150830T123600Z", "Content-Type", "a", []byte("{}"))
	f.Add("POST", "/a%2Fb?x=%zz&&;", "h", good+"00", "20150830T123600.1Z", "x-amz-content-sha256", "UNSIGNED-PAYLOAD", []byte(nil))
	f.Add("GET", "//?", "[::1]:80", "AWS4-HMAC-SHA256 Credential=////,SignedHeaders=;,Signature==,", "", "X-Amz-Security-Token", "", []byte("x"))
	f.Add("GET", "/", ":", strings.Replace(good, "host;", "content-length;host;", 1), "20150830T123600Z", "Content-Length", "-1", []byte("x"))
	f.Fuzz(func(t *testing.T, method, target, host, auth, date, name, value string, body []byte) {
		r := &http.Request{Method: method, RequestURI: target, Host: host, ContentLength: int64(len(body)), Header: http.Header{}}
		r.Header.Set(name, value)
		r.Header.Set("X-Amz-Date", date)
		r.Header.Set("Authorization", auth)
		if id, err := verifier("appfabric").Verify(r, body); err == nil {
			t.Errorf("accepted as %+v: %q", id, auth)
		} else if id != (sigv4.Identity{}) {
			t.Errorf("identity %+v beside error %v", id, err)
		}
	})
}

// FuzzVerifyTampered puts the signature of one request onto another: it may pass only if the other one means the same.
func FuzzVerifyTampered(f *testing.F) {
	const target, body, header = "/a%2Fb?x=1&y=c%20d", `{"a":1}`, "one two"
	f.Add("POST", target, "example.amazonaws.com", header, []byte(body))
	f.Add("POST", "/a%2fb?y=c+d&x=1", "example.amazonaws.com", header+" ", []byte(body))
	f.Add("POST", "/a/b?x=1&y=c%20d", "example.amazonaws.com:443", header, []byte(body+" "))
	f.Fuzz(func(t *testing.T, method, target2, host, header2 string, body2 []byte) {
		r := request(t, "POST", target, body)
		r.Header.Set("X-Amz-Other", header)
		sign(t, r, body, exampleSecret, exampleTime)
		r.Method, r.RequestURI, r.Host = method, target2, host
		r.Header.Set("X-Amz-Other", header2)
		if _, err := verifier("appfabric").Verify(r, body2); err != nil {
			return
		}
		path, query, _ := strings.Cut(target2, "?")
		values, err := url.ParseQuery(query)
		same := err == nil && cmp.Equal(values, url.Values{"x": {"1"}, "y": {"c d"}}) && path == "/a%2Fb" && method == "POST" &&
			strings.TrimSpace(host) == "example.amazonaws.com" && strings.Join(strings.Fields(header2), " ") == header && bytes.Equal(body2, []byte(body))
		if !same {
			t.Errorf("passed: %q %q %q %q %q", method, target2, host, header2, body2)
		}
	})
}
