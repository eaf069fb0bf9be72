package wire_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"selvedge/internal/control"
	"selvedge/internal/fabric"
	"selvedge/internal/wire"
)

// Each kind of error has its exception, with the members that the model has.
func TestExceptions(t *testing.T) {
	t.Parallel()
	var refuse error
	s := newServer(t, func(_ *control.Options, o *wire.Options) {
		o.Authorize = func(context.Context, fabric.Caller, control.Access) error { return refuse }
	})
	w := who{keyA, region}
	get := func(err error) reply {
		refuse = err
		return s.send(t, w, "GET", "/appbundles/00000000-0000-4000-8000-000000000000", "")
	}
	tests := []struct {
		err  error
		line string
		raw  string
	}{
		{fabric.Invalid("no"), "400 ValidationException", `{"message":"no","reason":"other"}`},
		{fabric.InvalidField("a.b", "is odd"), "400 ValidationException", `{"message":"a.b: is odd","reason":"fieldValidationFailed","fieldList":[{"name":"a.b","message":"is odd"}]}`},
		{fmt.Errorf("deep: %w", fabric.Missing(fabric.KindIngestion, "x")), "404 ResourceNotFoundException", `{"message":"The Ingestion x was not found.","resourceId":"x","resourceType":"Ingestion"}`},
		// GetAppBundle models neither a conflict nor a quota.
		{fabric.InConflict(fabric.KindIngestion, "x", "twice"), "400 ValidationException", `{"message":"twice","reason":"other"}`},
		{&fabric.Error{Kind: fabric.QuotaExceeded, Message: "many"}, "400 ValidationException", `{"message":"many","reason":"other"}`},
		{&fabric.Error{Kind: fabric.AccessDenied, Message: "User: u is not authorized"}, "403 AccessDeniedException", `{"message":"User: u is not authorized"}`},
		{&fabric.Error{Kind: fabric.Throttled, Message: "Rate exceeded", RetryAfter: 1500 * time.Millisecond}, "429 ThrottlingException", `{"message":"Rate exceeded","serviceCode":"appfabric","quotaCode":"requests-per-second"}`},
	}
	for _, tt := range tests {
		if r := get(tt.err); r.line() != tt.line || r.raw != tt.raw {
			t.Errorf("%v: got %s %s, want %s %s", tt.err, r.line(), r.raw, tt.line, tt.raw)
		}
	}
	if r := get(tests[len(tests)-1].err); r.header.Get("Retry-After") != "2" {
		t.Errorf("Retry-After %q, want 2", r.header.Get("Retry-After"))
	}
	for _, err := range []error{errors.New("inner text"), &fabric.Error{Message: "inner text"}} {
		r := get(err)
		if r.line() != "500 InternalServerException" || strings.Contains(r.raw, "inner text") ||
			!strings.Contains(r.text("message"), r.header.Get("X-Amzn-Requestid")) {
			t.Errorf("internal: %s %s", r.line(), r.raw)
		}
		if !strings.Contains(s.logs.String(), "inner text") || !strings.Contains(s.logs.String(), r.header.Get("X-Amzn-Requestid")) {
			t.Errorf("the log lacks the error: %s", s.logs)
		}
	}
}

// A panic is an InternalServerException, and its text stays inside.
func TestPanic(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := who{keyA, region}
	f := s.furnish(t, w)
	r := s.send(t, w, "POST", "/appbundles/"+f.bundle+"/appauthorizations", strings.ReplaceAll(okta, "acme.okta.com", "panic"))
	if r.line() != "500 InternalServerException" || strings.Contains(r.raw, "inner text") {
		t.Errorf("got %s %s", r.line(), r.raw)
	}
	if !strings.Contains(s.logs.String(), "inner text") {
		t.Error("the log lacks the panic")
	}
	if r := s.send(t, w, "GET", "/appbundles", ""); r.status != 200 {
		t.Errorf("afterwards: %s", r.line())
	}
}

// No secret is in an answer, a log or the record of a call.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := who{keyA, region}
	f := s.furnish(t, w)
	const canary = "canary-7f3a"
	base := "/appbundles/" + f.bundle + "/appauthorizations"
	var seen strings.Builder
	for _, c := range []call{
		{"create", "POST", base, strings.NewReplacer("hush", canary, "acme", "other").Replace(okta)},
		{"update", "PATCH", base + "/" + f.authorization, `{"credential":{"oauth2Credential":{"clientId":"id","clientSecret":"` + canary + `"}}}`},
		{"too long", "PATCH", base + "/" + f.authorization, `{"credential":{"apiKeyCredential":{"apiKey":"` + strings.Repeat(canary, 300) + `"}}}`},
		{"connect", "POST", base + "/" + f.authorization + "/connect", `{"authRequest":{"redirectUri":"https://x.example/","code":"` + canary + `"}}`},
		{"other type", "POST", base, `{"credential":"` + canary + `"}`},
		{"cut off", "POST", base, `{"credential":{"apiKeyCredential":{"apiKey":"` + canary},
	} {
		seen.WriteString(s.send(t, w, c.method, c.target, c.body).raw)
	}
	fmt.Fprintf(&seen, "%+v %s", s.calls, s.logs)
	if strings.Contains(seen.String(), canary) {
		t.Errorf("the secret shows: %s", seen.String())
	}
}
