package wire_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/control"
	"selvedge/internal/wire"
)

// lastCall is the record of the last call.
func (s *server) lastCall(t *testing.T) wire.Call {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.calls) == 0 {
		t.Fatal("no call was recorded")
	}
	return s.calls[len(s.calls)-1]
}

const redaction = "HIDDEN_DUE_TO_SECURITY_REASONS"

// A call is recorded with the members that the model knows, and without what
// the model marks as sensitive.
func TestRecordedParameters(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := who{keyA, region}
	f := s.furnish(t, w)
	bundle := "/appbundles/" + f.bundle
	auth := bundle + "/appauthorizations/" + f.authorization
	labels := `"appBundleIdentifier":"` + f.bundle + `","appAuthorizationIdentifier":"` + f.authorization + `"`
	tests := []struct {
		name, method, target, body string
		want                       string // parameters as JSON
	}{
		{"nothing", "POST", "/appbundles", `{}`, `null`},
		{"unknown members", "POST", "/appbundles", `{"tags":[{"key":"k","value":"v","more":"x"}],"more":{"apiKey":"canary"}}`, `{"tags":[{"key":"k","value":"v"}]}`},
		{"query", "GET", "/appbundles?maxResults=7&other=canary", ``, `{"maxResults":7}`},
		{"query of another type", "GET", "/appbundles?maxResults=canary", ``, `{"maxResults":"` + redaction + `"}`},
		{"labels", "GET", auth, ``, `{` + labels + `}`},
		{
			"credential", "PATCH", auth, `{"credential":{"oauth2Credential":{"clientId":"id","clientSecret":"canary"}}}`,
			`{` + labels + `,"credential":{"oauth2Credential":{"clientId":"id","clientSecret":"` + redaction + `"}}}`,
		},
		{
			"refused credential", "PATCH", auth, `{"credential":{"oauth2Credential":{"clientSecret":["canary"]},"apiKeyCredential":{"apiKey":{"a":"canary"}}}}`,
			`{` + labels + `,"credential":{"oauth2Credential":{"clientSecret":"` + redaction + `"},"apiKeyCredential":{"apiKey":"` + redaction + `"}}}`,
		},
		{"a secret in the wrong place", "PATCH", auth, `{"credential":"canary","tenant":["canary"]}`, `{` + labels + `,"credential":"` + redaction + `","tenant":"` + redaction + `"}`},
		{
			"code", "POST", auth + "/connect", `{"authRequest":{"redirectUri":"https://x.example/","code":"canary"}}`,
			`{` + labels + `,"authRequest":{"redirectUri":"https://x.example/","code":"` + redaction + `"}}`,
		},
		{
			"email", "POST", "/useraccess/start", `{"appBundleIdentifier":"` + f.bundle + `","email":"canary@x.example"}`,
			`{"appBundleIdentifier":"` + f.bundle + `","email":"` + redaction + `"}`,
		},
		{"tag keys", "DELETE", "/tags/" + strings.ReplaceAll(f.bundleARN, "/", "%2F") + "?tagKeys=a&tagKeys=b", ``, `{"resourceArn":"` + f.bundleARN + `","tagKeys":["a","b"]}`},
		{"no JSON", "POST", "/appbundles", `{"tags":canary`, `null`},
	}
	for _, tt := range tests {
		s.send(t, w, tt.method, tt.target, tt.body)
		call := s.lastCall(t)
		if diff := cmp.Diff(decoded(t, tt.want), decoded(t, encoded(t, call.Parameters))); diff != "" {
			t.Errorf("%s: parameters (-want +got):\n%s", tt.name, diff)
		}
		if shown := fmt.Sprintf("%+v", call); strings.Contains(shown, "canary") {
			t.Errorf("%s: the secret is in %s", tt.name, shown)
		}
	}
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// What an operation answered is recorded if it changes something, without the
// state that an authUrl carries.
func TestRecordedElements(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := who{keyA, region}
	f := s.furnish(t, w)
	bundle := "/appbundles/" + f.bundle
	answered := s.send(t, w, "POST", bundle+"/appauthorizations", strings.ReplaceAll(okta, "acme", "other"))
	call := s.lastCall(t)
	want := answered.body
	authorization := want["appAuthorization"].(map[string]any)
	if url := authorization["authUrl"].(string); !strings.Contains(url, "state=1") {
		t.Fatalf("authUrl of the answer: %s", url)
	}
	authorization["authUrl"] = "https://other.okta.com/authorize"
	if diff := cmp.Diff(want, call.Elements); diff != "" || call.ReadOnly {
		t.Errorf("a create: read only %v, elements (-want +got):\n%s", call.ReadOnly, diff)
	}
	tests := []struct {
		name, method, target, body string
		readOnly                   bool
	}{
		{"read", "GET", bundle + "/appauthorizations/" + f.authorization, "", true},
		{"refused", "POST", bundle + "/ingestions", `{}`, false},
		{"delete", "DELETE", bundle + "/ingestions/" + f.ingestion + "/ingestiondestinations/" + f.destination, "", false},
		{"no members", "POST", bundle + "/ingestions/" + f.ingestion + "/stop", "", false},
	}
	for _, tt := range tests {
		s.send(t, w, tt.method, tt.target, tt.body)
		if call := s.lastCall(t); call.Elements != nil || call.ReadOnly != tt.readOnly {
			t.Errorf("%s: read only %v, elements %v", tt.name, call.ReadOnly, call.Elements)
		}
	}
}

// Of a request whose signature was refused nothing is believed.
func TestRecordOfARefusedSignature(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	body := `{"clientToken":"00000000-0000-4000-8000-000000000000"}`
	r := httptest.NewRequest("POST", "/appbundles", strings.NewReader(body))
	sign(t, r, who{keyA, region}, body+" ", s.clock.Now())
	r.Header.Set("User-Agent", "test")
	s.answer(t, r)
	got := s.lastCall(t)
	if got.Caller.Account != "" || got.Caller.AccessKeyID != "" || got.Parameters != nil || got.Elements != nil {
		t.Errorf("recorded %+v", got)
	}
	if got.Operation != "CreateAppBundle" || got.ErrorCode != "InvalidSignatureException" || got.UserAgent != "test" || got.SourceIP != r.RemoteAddr {
		t.Errorf("recorded %+v", got)
	}
}

// A call is recorded before its answer goes out.
func TestRecordedBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	recorded := false
	s := newServer(t, func(_ *control.Options, o *wire.Options) {
		o.Recorder = func(wire.Call) { recorded = rec.Body.Len() == 0 && len(rec.Header()) == 0 }
	})
	r := httptest.NewRequest("GET", "/appbundles", nil)
	sign(t, r, who{keyA, region}, "", s.clock.Now())
	s.handler.ServeHTTP(rec, r)
	if !recorded || rec.Body.Len() == 0 {
		t.Errorf("recorded before the answer: %v; the answer: %s", recorded, rec.Body)
	}
}

// What an answer has of the model's sensitive members, or of a new key, is not
// recorded, however deep it is.
func TestHiddenElements(t *testing.T) {
	t.Parallel()
	got := decoded(t, `{"accessKey":{"accessKeyId":"id","secretAccessKey":"canary"},"userAccessResultsList":[
		{"email":"canary","userId":"canary","userFullName":"canary","userFirstName":"canary","userLastName":"canary","app":"OKTA"}]}`)
	wire.Hide(got)
	want := decoded(t, strings.ReplaceAll(`{"accessKey":{"accessKeyId":"id","secretAccessKey":"-"},"userAccessResultsList":[
		{"email":"-","userId":"-","userFullName":"-","userFirstName":"-","userLastName":"-","app":"OKTA"}]}`, `"-"`, `"`+redaction+`"`))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("elements (-want +got):\n%s", diff)
	}
}

// Selvedge's own administration is a service of its own in the record, and AWS's
// classification says what only reads.
func TestRecordedSourceAndReadOnly(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := who{keyA, region}
	for target, want := range map[string]string{"/appbundles": "appfabric.amazonaws.com", "/selvedge/v1/Nothing": "selvedge"} {
		s.send(t, w, "POST", target, "{}")
		if got := s.lastCall(t).Source; got != want {
			t.Errorf("%s: source %s, want %s", target, got, want)
		}
	}
	f := s.furnish(t, w)
	for _, c := range calls(f.bundle, f.authorization, f.ingestion, f.destination, f.bundleARN) {
		s.send(t, w, c.method, c.target, c.body)
		if got := s.lastCall(t); got.Operation != c.operation || got.ReadOnly != (c.method == "GET") {
			t.Errorf("%s: recorded as %s, read only %v", c.operation, got.Operation, got.ReadOnly)
		}
	}
}
