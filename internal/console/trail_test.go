package console_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestTrailPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.collect("OKTA", "acme.okta.com", "audit-logs")
	b := s.browser()
	b.get("/console/trail").says("There is none yet.")
	b.get(l.path)
	b.post(l.path + "/stop")
	b.post(l.path + "/stop")
	p := b.get("/console/trail")
	p.says("ConflictException", "The ingestion is disabled already.", "ShowIngestion", s.root.ID, "ingestionIdentifier")
	if text := p.text(); strings.Index(text, "StopIngestion") > strings.Index(text, "ShowIngestion") {
		t.Errorf("the newest is not the first:\n%s", text)
	}
	records := func(query string) int {
		t.Helper()
		return len(b.get("/console/trail" + query).all("details"))
	}
	for query, want := range map[string]int{
		"?operation=StopIngestion":                         2,
		"?operation=StopIngestion&error=ConflictException": 1,
		"?error=AccessDeniedException":                     0,
		"?key=AKIDOTHER":                                   0,
		"?operation=StopIngestion&since=2026-11-22T12:00":  2,
		"?operation=StopIngestion&since=2026-11-22T18:00":  0,
	} {
		if n := records(query); n != want {
			t.Errorf("%s: %d records, want %d", query, n, want)
		}
	}
	p = b.get("/console/trail?operation=StopIngestion&since=2026-11-22T12:00")
	if attribute(p.find("input", "name", "operation"), "value") != "StopIngestion" || attribute(p.find("input", "name", "since"), "value") != "2026-11-22T12:00" {
		t.Error("the filter is forgotten")
	}
	found := false
	for _, a := range p.all("a") {
		found = found || attribute(a, "href") == "/console/trail?n=50&operation=StopIngestion&since=2026-11-22T12%3A00"
	}
	if !found {
		t.Error("more are shown without the filter")
	}
	if p := b.send("GET", "/console/trail?since=soon", nil); p.status != http.StatusBadRequest || attribute(p.find("input", "name", "since"), "aria-invalid") != "true" {
		t.Errorf("no time: %d %s", p.status, p.text())
	}
}

// Calls with much in them stay within the bounds of a page, and nothing
// of theirs is taken for HTML.
func TestALongTrail(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	const hostile = `"><script>alert(1)</script>`
	for range 50 {
		b.send("GET", "/console/bundles/"+strings.Repeat("%3Cb%3E%26%22", 100)+"/ingestions/x", nil)
	}
	p := b.get("/console/trail?n=50&operation=ShowIngestion") // get looks at the size
	if n := len(p.all("details")); n != 50 {
		t.Errorf("%d records", n)
	}
	if p := b.get("/console/trail?operation=" + "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E"); p.find("script", "", "") != nil ||
		attribute(p.find("input", "name", "operation"), "value") != hostile {
		t.Error("the filter is taken for HTML")
	}
}
