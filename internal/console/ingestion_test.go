package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	contract "selvedge/connector"
	"selvedge/internal/store"
)

// What is said of an ingestion follows how it stands.
func TestIngestionPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.collect("OKTA", "acme.okta.com", "audit-logs")
	b := s.browser()
	b.get(l.path).says("Okta: acme.okta.com", "Collecting", "system_log Reading what there is", "S3 bucket audit-logs", "OCSF, JSON lines", "Active")

	l.take("system_log", contract.Record{ID: "1", Time: s.tick(), Raw: []byte(`{"eventType":"x"}`)})
	p := b.get(l.path)
	p.says("Read to just now", "1 batch")
	if n := len(p.all("svg")); n != 1 || p.find("rect", "class", "read") == nil || p.find("rect", "class", "gap") != nil {
		t.Errorf("%d drawings, what was read is not drawn or a gap is", n)
	}
	p.says("all of the time since reading began is read, 0 gaps.")

	from := s.tick().Add(-3 * time.Hour)
	claim := l.claims["system_log"]
	if err := s.store.CommitGap(t.Context(), claim, claim.ID, store.Gap{
		Interval: store.Interval{From: from, To: from.Add(90 * time.Minute)}, Reason: "the provider <b>lost</b> it", FoundAt: from,
	}, "{}", from); err != nil {
		t.Fatal(err)
	}
	if err := s.store.Fail(t.Context(), claim, s.tick().Add(time.Minute), "the provider rests"); err != nil {
		t.Fatal(err)
	}
	p = b.get(l.path)
	p.says("Not all is read", "the provider rests", "1 hour 30 minutes", "the provider <b>lost</b> it", "not by itself", "1 gap.")
	if p.find("rect", "class", "gap") == nil {
		t.Error("the gap is not drawn")
	}

	if got := b.post(l.path + "/stop"); got.status != http.StatusSeeOther || !strings.HasPrefix(got.to, l.path+"?done=") {
		t.Fatalf("stop: %d %s %s", got.status, got.to, got.text())
	}
	b.get(l.path+"?done=stopped").says("The ingestion is stopped.", "Nothing is collected.", "Start")
	if got := b.post(l.path + "/stop"); got.status != http.StatusConflict {
		t.Errorf("stop again: %d", got.status)
	}
	if got := b.post(l.path + "/start"); got.status != http.StatusSeeOther {
		t.Errorf("start: %d", got.status)
	}
}

func TestIngestionWithoutADestination(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.collect("OKTA", "acme.okta.com")
	b := s.browser()
	b.get(l.path).says("Waiting for a destination", "Not begun", "There is none. Add a destination")
	if got := b.send("GET", strings.ReplaceAll(l.path, l.ID, "00000000-0000-4000-8000-000000000000"), nil); got.status != http.StatusNotFound {
		t.Errorf("another ingestion: %d", got.status)
	}
	if got := b.send("GET", strings.ReplaceAll(l.path, l.ID, "x"), nil); got.status != http.StatusBadRequest {
		t.Errorf("no id: %d", got.status)
	}
}

func TestBackfillForm(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.collect("OKTA", "acme.okta.com", "audit-logs")
	b := s.browser()
	b.get(l.path)
	at := func(before time.Duration) string { return s.tick().Add(-before).Format("2006-01-02T15:04") }
	p := b.post(l.path+"/backfill", "from", at(time.Hour), "to", at(2*time.Hour), "read", "all")
	p.says("want a time before to")
	if in := p.find("input", "name", "from"); p.status != http.StatusBadRequest || attribute(in, "aria-invalid") != "true" || attribute(in, "aria-describedby") != "from-fault" {
		t.Errorf("%d: the fault is not beside its field", p.status)
	}
	if p.find("input", "id", "all") == nil || !strings.Contains(p.body, `value="all" checked`) {
		t.Error("what was chosen is forgotten")
	}
	if p := b.post(l.path+"/backfill", "from", "soon", "to", at(0), "read", "missing"); p.status != http.StatusBadRequest {
		t.Errorf("no time: %d", p.status)
	}
	if p := b.post(l.path+"/backfill", "from", at(48*time.Hour), "to", at(24*time.Hour), "read", "all"); p.status != http.StatusSeeOther {
		t.Fatalf("%d %s", p.status, p.text())
	}
	p = b.get(l.path)
	p.says("all, again", "0 %")
	if bar := p.find("progress", "", ""); bar == nil || attribute(bar, "value") != "0" {
		t.Error("there is no progress")
	}
}

// A box must be ticked, then all goes; what the form must not do is refused.
func TestDeleteIngestion(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.collect("OKTA", "acme.okta.com", "audit-logs", "audit-logs-2")
	b := s.browser()
	b.get(l.path).says("the ingestion and its 2 destinations are gone")
	if got := b.post(l.path + "/delete"); got.status != http.StatusBadRequest {
		t.Errorf("without the box: %d", got.status)
	}
	b.get(l.path)
	b.form = "forged"
	if got := b.send("POST", l.path+"/delete", map[string][]string{"csrf": {"forged"}, "sure": {"yes"}}); got.status != http.StatusForbidden {
		t.Errorf("a forged form: %d", got.status)
	}
	b.get(l.path)
	if got := b.post(l.path+"/delete", "sure", "yes"); got.status != http.StatusSeeOther || got.to != "/console/?done=ingestion-deleted" {
		t.Fatalf("%d %s %s", got.status, got.to, got.text())
	}
	if got := b.send("GET", l.path, nil); got.status != http.StatusNotFound {
		t.Errorf("it is there still: %d", got.status)
	}
}

// A page stays within its bounds whatever the ledger holds.
func TestALargeLedger(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.collect("GOOGLE", "my-project", "audit-logs")
	if len(l.claims) < 10 {
		t.Fatalf("%d streams", len(l.claims))
	}
	var all sync.WaitGroup
	for name, claim := range l.claims {
		n := 15 // more pieces than are drawn
		if name == "login" {
			n = 110
		}
		all.Go(func() { fill(t, s, name, claim, n) })
	}
	all.Wait()
	b := s.browser()
	for _, hours := range []string{"24", "168", "720", "8760"} {
		p := b.get(l.path + "?hours=" + hours) // get looks at the size
		p.says("100 gaps")
		if len(p.all("svg")) != len(l.claims) {
			t.Errorf("%d drawings of %d streams", len(p.all("svg")), len(l.claims))
		}
	}
	p := b.get(l.path + "?stream=login")
	p.says("number 109 of login", "The newest 6 of 100.")
	if len(p.all("svg")) != 1 {
		t.Errorf("%d streams", len(p.all("svg")))
	}
}

// fill makes a ledger of short intervals with gaps between them.
func fill(t *testing.T, s *site, name string, claim store.Claim, n int) {
	for n := range n {
		from := s.tick().Add(-24 * time.Hour).Add(time.Duration(n) * 13 * time.Minute)
		err := s.store.CommitPage(t.Context(), claim, store.PageCommit{Cursor: "{}", Watermark: from, Covered: store.Interval{From: from, To: from.Add(6 * time.Minute)}})
		if err == nil {
			err = s.store.CommitGap(t.Context(), claim, claim.ID, store.Gap{
				Interval: store.Interval{From: from.Add(6 * time.Minute), To: from.Add(13 * time.Minute)}, Reason: fmt.Sprint("number ", n, " of ", name), FoundAt: from, TryAt: from,
			}, "{}", from)
		}
		if err != nil {
			t.Error(err)
			return
		}
	}
}
