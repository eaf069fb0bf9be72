package console_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	contract "selvedge/connector"
	"selvedge/internal/fabric"
)

// oktaRecords are records of the application's own tests.
func oktaRecords(t testing.TB) [][]byte {
	t.Helper()
	text, err := os.ReadFile("../../connector/okta/testdata/ocsf-records.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(text), []byte("\n"))
}

func TestEventsPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.collect("OKTA", "acme.okta.com", "audit-logs")
	b := s.browser()
	b.get(l.path+"/events").says("Last events", "the first poll is under way")
	const hostile = `</pre><script>alert(1)</script>`
	records := []contract.Record{}
	for n, raw := range oktaRecords(t) {
		records = append(records, contract.Record{ID: fmt.Sprint(n), Time: s.tick().Add(time.Duration(n) * time.Second), Raw: raw})
	}
	records = append(records,
		contract.Record{Time: s.tick().Add(time.Hour), Raw: []byte(`{"eventType":"user.session.start","published":"2026-11-22T12:00:00Z","displayMessage":"` + hostile + `"}`)},
		contract.Record{Time: s.tick().Add(2 * time.Hour), Raw: []byte("no JSON " + hostile)},
	)
	l.take("system_log", records...)
	p := b.get(l.path + "/events?n=5")
	p.says("Okta: acme.okta.com", "no mapping fits: a base event", "no JSON "+hostile, "class_name", "the record beside", "Web Resources Activity: Read")
	if len(p.all("section")) != 5 || p.find("script", "", "") != nil {
		t.Errorf("%d events, or a script of theirs", len(p.all("section")))
	}
	for _, raw := range p.all("pre") {
		if text := raw.FirstChild.Data; strings.Contains(text, `"raw_data": "{`) {
			t.Errorf("the record is shown twice:\n%s", text)
		}
	}
	link := p.find("section", "", "")
	href := ""
	for n := range link.Descendants() {
		if n.Data == "a" {
			href = attribute(n, "href")
		}
	}
	one := b.get(l.path + "/events" + href)
	one.says("no JSON "+hostile, "The last events")
	if len(one.all("section")) != 1 {
		t.Errorf("%d events", len(one.all("section")))
	}
	list := b.get(l.path + "/events?n=100")
	if len(records) <= 20 || len(list.all("section")) != 0 || len(list.all("tr")) != len(records)+1 {
		t.Errorf("%d records, %d rows", len(records), len(list.all("tr")))
	}
	for name, query := range map[string]string{"stream": "?stream=x", "event": "?event=x.1"} {
		if p := b.send("GET", l.path+"/events"+query, nil); p.status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, p.status)
		}
	}
	for _, c := range s.calls {
		if c.Operation == "ReadEvents" && (c.Elements != nil || !c.ReadOnly) {
			t.Errorf("the trail has the events: %v", c.Elements)
		}
	}
}

// Long records are cut so that a page stays within its bounds, also where each
// character takes several in HTML.
func TestLongEvents(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.collect("OKTA", "acme.okta.com", "audit-logs")
	for n := range 20 {
		l.take("system_log", contract.Record{ID: fmt.Sprint(n), Time: s.tick(), Raw: []byte(`{"published":"2026-11-22T12:00:00Z","x":"` + strings.Repeat("<&+'", 20<<10) + `"}`)})
	}
	l.take("system_log", contract.Record{ID: "large", Time: s.tick(), Raw: []byte(`{"x":"` + strings.Repeat("a", 300<<10) + `"}`)})
	b := s.browser()
	p := b.get(l.path + "/events") // get looks at the size
	p.says("more bytes are not shown here", "longer than 256 KiB")
	b.get(l.path + "/events?n=5")
}

// Keys see what their policy lets them.
func TestIngestionPageByPolicy(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.collect("OKTA", "acme.okta.com", "audit-logs")
	b := s.browserOf(s.key(may("appfabric:Get*", "appfabric:List*", "selvedge:ShowIngestion")))
	b.get(l.path)
	if p := b.send("GET", l.path+"/events", nil); p.status != http.StatusForbidden || !strings.Contains(p.text(), "selvedge:ReadEvents") {
		t.Errorf("events: %d %s", p.status, p.text())
	}
	if p := b.post(l.path + "/stop"); p.status != http.StatusForbidden {
		t.Errorf("stop: %d", p.status)
	}
	if i, err := s.control.GetIngestion(t.Context(), s.caller, l.BundleID, l.ID); err != nil || i.State != fabric.Enabled {
		t.Errorf("%v, %v", i.State, err)
	}
}
