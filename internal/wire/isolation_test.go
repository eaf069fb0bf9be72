package wire_test

import (
	"strings"
	"testing"
)

// Nothing of another account or Region can be reached: by UUID it is missing,
// by ARN the identifier is invalid, and nothing changes.
func TestIsolation(t *testing.T) {
	t.Parallel()
	owner := who{keyA, region}
	strangers := map[string]who{
		"another account": {keyB, region},
		"another Region":  {keyA, "eu-west-1"},
	}
	for name, stranger := range strangers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			f := s.furnish(t, owner)
			own := s.furnish(t, stranger)
			before := s.dump(t, owner, f)
			for _, c := range calls(f.bundle, f.authorization, f.ingestion, f.destination, f.destinationARN) {
				r := s.send(t, stranger, c.method, c.target, c.body)
				checkMissing(t, c, r)
			}
			for _, c := range calls(f.bundleARN, f.authorizationARN, f.ingestionARN, f.destinationARN, f.destinationARN) {
				r := s.send(t, stranger, c.method, c.target, c.body)
				checkInvalid(t, c, r)
			}
			// Another's child under one's own parent is no way in either.
			for _, c := range calls(own.bundle, f.authorizationARN, f.ingestionARN, f.destinationARN, f.destinationARN) {
				if strings.Contains(c.target, "%2F") {
					checkInvalid(t, c, s.send(t, stranger, c.method, c.target, c.body))
				}
			}
			if after := s.dump(t, owner, f); after != before {
				t.Errorf("changed from\n%s\nto\n%s", before, after)
			}
		})
	}
}

func checkMissing(t *testing.T, c call, r reply) {
	t.Helper()
	want := "404 ResourceNotFoundException"
	switch c.operation {
	case "CreateAppBundle":
		want = "201 "
	case "ListAppBundles":
		want = "200 "
	case "DeleteAppBundle": // no ResourceNotFoundException in its model
		want = "204 "
	case "CreateIngestion", "CreateIngestionDestination", "ListTagsForResource", "TagResource", "UntagResource":
		want = "400 ValidationException"
	}
	if got := r.line(); got != want {
		t.Errorf("%s by UUID: got %s %s, want %s", c.operation, got, r.raw, want)
	}
	if r.status == 404 && (r.text("resourceId") == "" || r.text("resourceType") == "") {
		t.Errorf("%s: %s lacks resourceId or resourceType", c.operation, r.raw)
	}
}

func checkInvalid(t *testing.T, c call, r reply) {
	t.Helper()
	if c.operation == "CreateAppBundle" || c.operation == "ListAppBundles" {
		return
	}
	if r.status != 400 || r.code != "ValidationException" || !strings.Contains(r.text("message"), "Invalid Resource Identifier") {
		t.Errorf("%s by ARN: got %s %s, want a ValidationException with Invalid Resource Identifier", c.operation, r.line(), r.raw)
	}
}

// dump is all that the owner sees of its fixture.
func (s *server) dump(t testing.TB, w who, f fixture) string {
	t.Helper()
	var b strings.Builder
	for _, c := range calls(f.bundle, f.authorization, f.ingestion, f.destination, f.destinationARN) {
		if c.method == "GET" {
			b.WriteString(c.operation + " " + s.send(t, w, c.method, c.target, "").raw + "\n")
		}
	}
	return b.String()
}

// A child's ARN under another parent of one's own, and an ARN of another kind,
// are invalid; another parent's child by UUID is missing.
func TestWrongParent(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := who{keyA, region}
	f := s.furnish(t, w)
	other := last(s.send(t, w, "POST", "/appbundles", "{}").body["appBundle"].(map[string]any)["arn"].(string))
	for _, c := range calls(other, f.authorizationARN, f.ingestionARN, f.destinationARN, f.destinationARN) {
		if strings.Contains(c.target, other) && strings.Contains(c.target, "%2F") {
			checkInvalid(t, c, s.send(t, w, c.method, c.target, c.body))
		}
	}
	for _, c := range calls(f.bundle, f.ingestionARN, f.authorizationARN, f.ingestionARN, f.bundle) {
		if strings.Contains(c.target, "%2F") {
			checkInvalid(t, c, s.send(t, w, c.method, c.target, c.body))
		}
	}
	if r := s.send(t, w, "GET", "/appbundles/"+other+"/ingestions/"+f.ingestion, ""); r.line() != "404 ResourceNotFoundException" ||
		r.text("resourceId") != f.ingestion || r.text("resourceType") != "Ingestion" {
		t.Errorf("another parent's child by UUID: %s %s", r.line(), r.raw)
	}
	missing := "00000000-0000-4000-8000-000000000000"
	if r := s.send(t, w, "GET", "/appbundles/"+missing+"/ingestions/"+f.ingestion, ""); r.text("resourceType") != "AppBundle" || r.text("resourceId") != missing {
		t.Errorf("missing parent: %s %s", r.line(), r.raw)
	}
}
