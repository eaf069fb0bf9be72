package console_test

import (
	"net/http"
	"strings"
	"testing"

	"selvedge/internal/fabric"
)

func TestAddDestination(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.collect("OKTA", "acme.okta.com")
	b := s.browser()
	path := l.path + "/destinations/new"
	token := attribute(b.get(path).find("input", "name", "token"), "value")
	if !fabric.IsUUID(token) {
		t.Fatalf("token %q", token)
	}
	for _, test := range []struct {
		name  string
		pairs []string
		want  string
		input string // that has the fault; empty: the form as a whole
	}{
		{"no name", []string{"kind", "ocsf-json", "to", "s3", "bucket", ""}, "length greater than or equal to 3", "bucket"},
		{"a bad name", []string{"kind", "ocsf-json", "to", "s3", "bucket", "Not_A_Bucket"}, "bucket", "bucket"},
		{"a bad prefix", []string{"kind", "ocsf-json", "to", "s3", "bucket", "logs", "prefix", "/a"}, "Member must not begin", "prefix"},
		{"a bad stream", []string{"kind", "ocsf-json", "to", "firehose", "stream", "a b c"}, "pattern", "stream"},
		{"Parquet to a stream", []string{"kind", "ocsf-parquet", "to", "firehose", "stream", "logs"}, "parquet is for Amazon S3 only", ""},
		{"no kind", []string{"kind", "x", "to", "s3", "bucket", "logs"}, "", ""},
		{"a bucket that cannot be used", []string{"kind", "ocsf-json", "to", "s3", "bucket", "unusable"}, "The bucket does not exist.", ""},
	} {
		p := b.post(path, append(test.pairs, "token", token)...)
		if p.status != http.StatusBadRequest {
			t.Errorf("%s: %d", test.name, p.status)
		}
		p.says(test.want)
		if test.input != "" && attribute(p.find("input", "name", test.input), "aria-invalid") != "true" {
			t.Errorf("%s: the fault is not beside %s\n%s", test.name, test.input, p.text())
		}
		if test.input == "" && p.find("p", "role", "alert") == nil {
			t.Errorf("%s: nothing is told", test.name)
		}
		if kind := p.find("option", "value", test.pairs[1]); kind != nil && !strings.Contains(p.body, `value="`+test.pairs[1]+`" selected`) {
			t.Errorf("%s: what was chosen is forgotten", test.name)
		}
	}
	for range 2 { // the second is the same one, sent again
		p := b.post(path, "kind", "ocsf-parquet", "to", "s3", "bucket", "logs", "prefix", "okta", "token", token)
		if p.status != http.StatusSeeOther || !strings.HasPrefix(p.to, l.path+"?done=destination-made") {
			t.Fatalf("%d %s %s", p.status, p.to, p.text())
		}
	}
	p := b.get(l.path + "?done=destination-made")
	p.says("The destination is added.", "S3 bucket logs/okta", "OCSF, Parquet")
	if n := strings.Count(p.text(), "S3 bucket logs/okta"); n != 1 {
		t.Errorf("%d destinations", n)
	}
}

func TestDestinationPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.collect("OKTA", "acme.okta.com", "audit-logs")
	b := s.browser()
	page := b.get(l.path)
	path := ""
	for _, a := range page.all("a") {
		if words(a) == "S3 bucket audit-logs" {
			path = attribute(a, "href")
		}
	}
	p := b.get(path)
	p.says("S3 bucket audit-logs", "Active", "OCSF, JSON lines", "0 events in 0 batches")
	if attribute(p.find("input", "name", "bucket"), "value") != "audit-logs" {
		t.Error("the form does not begin with what there is")
	}
	if p := b.post(path, "to", "s3", "bucket", "unusable"); p.status != http.StatusBadRequest {
		t.Errorf("a bucket that cannot be used: %d", p.status)
	}
	if p := b.post(path, "to", "firehose", "stream", "logs"); p.status != http.StatusSeeOther || p.to != path+"?done=destination-changed" {
		t.Fatalf("%d %s %s", p.status, p.to, p.text())
	}
	b.get(path).says("Firehose stream logs")
	if p := b.post(path + "/delete"); p.status != http.StatusBadRequest {
		t.Errorf("without the box: %d", p.status)
	}
	b.get(path)
	if p := b.post(path+"/delete", "sure", "yes"); p.status != http.StatusSeeOther || p.to != l.path+"?done=destination-deleted" {
		t.Fatalf("%d %s", p.status, p.to)
	}
	if p := b.send("GET", path, nil); p.status != http.StatusNotFound {
		t.Errorf("it is there still: %d", p.status)
	}
}
