package wire_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"selvedge/internal/wire"
)

// Odd paths are answered as AWS answers an unknown operation, never with a
// redirect or in plain text (the harness checks the form of every answer).
func TestOddPaths(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := who{keyA, region}
	f := s.furnish(t, w)
	for _, c := range []struct{ method, target, want string }{
		{"GET", "/", "404 UnknownOperationException"},
		{"GET", "//", "404 UnknownOperationException"},
		{"GET", "/appbundles/", "404 UnknownOperationException"},
		{"GET", "//appbundles", "404 UnknownOperationException"},
		{"GET", "/appbundles//", "404 UnknownOperationException"},
		{"GET", "/appbundles//appauthorizations", "404 UnknownOperationException"},
		{"GET", "/appbundles/./", "404 UnknownOperationException"},
		{"GET", "/appbundles/.", "404 UnknownOperationException"},
		{"GET", "/appbundles/..", "404 UnknownOperationException"},
		{"GET", "/appbundles/../appbundles", "404 UnknownOperationException"},
		{"GET", "/appbundles/" + f.bundle + "/", "404 UnknownOperationException"},
		{"GET", "/appbundles/" + f.bundle + "/other", "404 UnknownOperationException"},
		{"GET", "/AppBundles", "404 UnknownOperationException"},
		{"PUT", "/appbundles", "404 UnknownOperationException"},
		{"HEAD", "/appbundles", "404 UnknownOperationException"},
		{"OPTIONS", "/appbundles", "404 UnknownOperationException"},
		{"DELETE", "/appbundles", "404 UnknownOperationException"},
		{"GET", "/appbundles/%2E%2E", "400 ValidationException"},
		{"GET", "/appbundles/%2e", "400 ValidationException"},
		{"GET", "/appbundles/%2F", "404 UnknownOperationException"},
		{"GET", "/appbundles/a%2F..%2Fb", "400 ValidationException"},
		{"GET", "/appbundles/%00", "400 ValidationException"},
		{"GET", "/appbundles/%FF", "400 ValidationException"},
		{"GET", "/appbundles/" + url.PathEscape(f.bundleARN), "200 "},
		{"GET", "/appbundles/" + strings.ReplaceAll(f.bundleARN, "/", "%2F"), "200 "},
		{"GET", "/appbundles/" + f.bundleARN, "404 UnknownOperationException"}, // a bare / parts segments
		{"GET", "/appbundles/" + strings.ReplaceAll(f.bundleARN, "/", "%252F"), "400 ValidationException"},
		{"GET", "/appbundles?x=//&y=..", "200 "},
	} {
		if r := s.send(t, w, c.method, c.target, ""); r.line() != c.want {
			t.Errorf("%s %s: got %s %s, want %s", c.method, c.target, r.line(), r.raw, c.want)
		}
	}
}

// A target that is no path at all does not reach ServeMux either.
func TestNoPath(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, target := range []string{"*", "http://127.0.0.1/appbundles", "127.0.0.1:80"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RequestURI = target
		r.URL = &url.URL{Path: target}
		if got := s.answer(t, r); got.status != 403 {
			t.Errorf("%s: got %s, want 403", target, got.line())
		}
	}
}

// The signature comes first: without one nothing is told, not even whether a
// route exists.
func TestUnsigned(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, op := range wire.Operations() {
		target := strings.NewReplacer("{", "", "}", "").Replace(op.Pattern)
		r := s.answer(t, httptest.NewRequest(op.Method, target, strings.NewReader("no JSON")))
		if r.line() != "403 MissingAuthenticationTokenException" || r.text("message") != "Missing Authentication Token" {
			t.Errorf("%s: %s %s", op.Name, r.line(), r.raw)
		}
	}
	if r := s.answer(t, httptest.NewRequest("GET", "/nothing", nil)); r.line() != "403 MissingAuthenticationTokenException" {
		t.Errorf("no route: %s %s", r.line(), r.raw)
	}
	wrong := httptest.NewRequest("GET", "/appbundles", nil)
	sign(t, wrong, who{keyA, region}, "other body", s.clock.Now())
	if r := s.answer(t, wrong); r.line() != "403 InvalidSignatureException" {
		t.Errorf("wrong signature: %s %s", r.line(), r.raw)
	}
	unknown := httptest.NewRequest("GET", "/appbundles", nil)
	sign(t, unknown, who{"AKIDX", region}, "", s.clock.Now())
	if r := s.answer(t, unknown); r.line() != "403 UnrecognizedClientException" {
		t.Errorf("unknown key: %s %s", r.line(), r.raw)
	}
}

// Bodies that are no such JSON, too large or too deep.
func TestBodies(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := who{keyA, region}
	deep := func(n int) string {
		return `{"x":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
	}
	padded := func(n int) string {
		head, tail := `{"x":"`, `"}`
		return head + strings.Repeat("a", n-len(head)-len(tail)) + tail
	}
	for _, c := range []struct{ name, body, want string }{
		{"cut off", `{"tags":[`, "not a JSON object"},
		{"list", `[]`, "not a JSON object"},
		{"null", `null`, "not a JSON object"},
		{"text", `"x"`, "not a JSON object"},
		{"two values", `{}{}`, "more than one"},
		{"trailing text", `{} x`, "more than one"},
		{"not UTF-8", "{\"x\":\"\xff\"}", "UTF-8"},
		{"32 levels", deep(32), ""},
		{"33 levels", deep(33), "deeper than 32"},
		{"unbalanced and deep", strings.Repeat("[", 1000), "deeper than 32"},
		{"brackets in text", `{"x":"` + strings.Repeat("[", 100) + `\"` + strings.Repeat("{", 100) + `"}`, ""},
		{"1 MiB", padded(1 << 20), ""},
		{"1 MiB and a byte", padded(1<<20 + 1), "larger than 1048576"},
	} {
		r := s.send(t, w, "POST", "/appbundles", c.body)
		switch {
		case c.want == "" && r.status != 201:
			t.Errorf("%s: %s %s", c.name, r.line(), r.raw)
		case c.want != "" && (r.line() != "400 ValidationException" || r.text("reason") != "cannotParse" || !strings.Contains(r.text("message"), c.want)):
			t.Errorf("%s: got %s %s, want %s", c.name, r.line(), r.raw, c.want)
		}
	}
}

// A body without a declared length is read no further than the limit.
func TestEndlessBody(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	body := &endless{}
	r := httptest.NewRequest("POST", "/appbundles", body)
	r.ContentLength = -1
	if got := s.answer(t, r); got.line() != "400 ValidationException" {
		t.Errorf("got %s %s", got.line(), got.raw)
	}
	if body.read > 2<<20 {
		t.Errorf("%d bytes were read", body.read)
	}
}

type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return copy(p, strings.Repeat("a", len(p))), nil
}

// The table has each operation once, and its line fits the operation's name.
func TestRoutes(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, op := range wire.Operations() {
		if seen[op.Name] {
			t.Errorf("%s is there twice", op.Name)
		}
		seen[op.Name] = true
	}
	if len(seen) != 26 {
		t.Errorf("%d operations, want 26", len(seen))
	}
	s := newServer(t)
	w := who{keyA, region}
	f := s.furnish(t, w)
	success := map[string]int{"BatchGetUserAccessTasks": 404, "CreateIngestion": 409}
	for _, c := range calls(f.bundle, f.authorization, f.ingestion, f.destination, f.destinationARN) {
		s.mu.Lock()
		s.calls = nil
		s.mu.Unlock()
		want := success[c.operation]
		if c.operation == "DeleteIngestionDestination" {
			s.dropOthers(t, w, f)
		}
		if want == 0 {
			for _, op := range wire.Operations() {
				if op.Name == c.operation {
					want = op.Status
				}
			}
		}
		s.mu.Lock()
		s.calls = nil
		s.mu.Unlock()
		r := s.send(t, w, c.method, c.target, c.body)
		if r.status != want || len(s.calls) != 1 || s.calls[0].Operation != c.operation {
			t.Errorf("%s: got %s %s, recorded %+v; want %d", c.operation, r.line(), r.raw, s.calls, want)
		}
		if got := s.calls[0]; got.Status != r.status || got.ErrorCode != r.code || got.Caller.Account != accountA || got.Caller.Region != region {
			t.Errorf("%s: recorded %+v", c.operation, got)
		}
	}
}

// dropOthers deletes what calls made beside the fixture.
func (s *server) dropOthers(t *testing.T, w who, f fixture) {
	t.Helper()
	base := "/appbundles/" + f.bundle
	r := s.send(t, w, "GET", base+"/ingestions/"+f.ingestion+"/ingestiondestinations", "")
	for _, v := range r.body["ingestionDestinations"].([]any) {
		if arn := v.(map[string]any)["arn"].(string); arn != f.destinationARN {
			s.send(t, w, "DELETE", base+"/ingestions/"+f.ingestion+"/ingestiondestinations/"+last(arn), "")
		}
	}
	r = s.send(t, w, "GET", base+"/appauthorizations", "")
	for _, v := range r.body["appAuthorizationSummaryList"].([]any) {
		if arn := v.(map[string]any)["appAuthorizationArn"].(string); arn != f.authorizationARN {
			if r := s.send(t, w, "DELETE", base+"/appauthorizations/"+url.PathEscape(arn), ""); r.status != 204 {
				t.Error(fmt.Sprint("delete: ", r.line(), r.raw))
			}
		}
	}
}
