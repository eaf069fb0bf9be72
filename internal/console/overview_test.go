package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

func rawJSON() fabric.Processing {
	return fabric.Processing{Schema: fabric.SchemaRaw, Format: fabric.FormatJSON}
}

// rig makes a connection of one application in a bundle of its own.
func (s *site) rig(app, tenant string, destinations ...fabric.Processing) storetest.Rig {
	s.t.Helper()
	return storetest.Make(s.t, s.store, storetest.Spec{App: app, Tenant: tenant, Now: s.tick(), Destinations: destinations})
}

// take takes records in as a poll would.
func (s *site) take(r storetest.Rig, records int64) {
	s.t.Helper()
	claim, ok, err := s.store.ClaimRow(s.t.Context(), store.DutyPoll, r.StreamIDs[0], "me", time.Minute)
	if err != nil || !ok {
		s.t.Fatal(ok, err)
	}
	now := s.tick()
	err = s.store.CommitPage(s.t.Context(), claim, store.PageCommit{
		Cursor: "{}", BatchID: uuid.NewString(), Records: records, Bytes: records, Body: []byte("sealed"), Watermark: now,
		CloseBatch: true, ClosedAt: now, Finish: true, Due: now.Add(time.Minute),
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) stands(r storetest.Rig, status fabric.AuthorizationStatus, reason string) {
	s.t.Helper()
	a := r.Authorization
	a.Status, a.Reason = status, reason
	if err := s.store.UpdateAppAuthorization(s.t.Context(), storetest.Caller(), a, a.Generation, nil); err != nil {
		s.t.Fatal(err)
	}
}

func TestTheFirstPageLeadsToTheFirstConnection(t *testing.T) {
	t.Parallel()
	s := newSite(t).browser()
	d := s.get("/console/")
	d.says("Connect the first application", "Nothing is collected yet")
	if to := d.link("Choose an application"); to != "/console/apps" {
		t.Errorf("it leads to %q", to)
	}
}

func TestOverviewSaysWhatToDo(t *testing.T) {
	t.Parallel()
	s := newSite(t).browser()
	fine := s.rig("OKTA", "fine.okta.com", rawJSON())
	s.take(fine, 3)
	s.clock.Add(time.Hour)
	s.take(fine, 6)
	lost := s.rig("SLACK", "<script>alert(1)</script>", rawJSON())
	s.stands(lost, fabric.TokenAutoRotationFailed, "token_revoked: <img src=x onerror=alert(1)>")
	bare := s.rig("ZENDESK", "bare")
	failing := s.rig("JIRA", "site", rawJSON())
	claim, _, err := s.store.ClaimRow(t.Context(), store.DutyDeliver, failing.Destinations[0].ID, "me", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.DestinationFailed(t.Context(), claim, "Access Denied by the bucket"); err != nil {
		t.Fatal(err)
	}
	d := s.get("/console/")
	d.says("2 Failed", "1 Waiting for you", "1 Collecting", "0 Silent", "token_revoked: <img src=x onerror=alert(1)>", "Access Denied by the bucket",
		"Nothing to do", "1 h", "9 events")
	for words, want := range map[string]string{
		"Sign in at Slack again": authorizationPath(lost), "Mend the destination": ingestionPath(failing) + "/destinations/" + failing.Destinations[0].ID,
		"Add a destination": ingestionPath(bare) + "/destinations/new", "Okta": authorizationPath(fine),
	} {
		if got := d.link(words); got != want {
			t.Errorf("%q leads to %q, want %q", words, got, want)
		}
	}
	for _, n := range d.all("script") {
		if attribute(n, "src") == "" {
			t.Errorf("a script got in: %s", words(n))
		}
	}
	if rows := d.all("tr"); !strings.Contains(words(rows[len(rows)-1]), "Okta") {
		t.Errorf("the last row is %q, want what has nothing to be done", words(rows[len(rows)-1]))
	}
	charts := d.all("path")
	var bars []string
	for _, n := range charts {
		if attribute(n, "class") == "bar" {
			bars = append(bars, attribute(n, "d"))
		}
	}
	if len(bars) != 1 || strings.Count(bars[0], "M") != 2 || !strings.Contains(bars[0], "v-14h") || !strings.Contains(bars[0], "v-28h") {
		t.Errorf("bars %q, want two, one half as high as the other", bars)
	}
	only := s.get("/console/?standing=waiting")
	only.says("Zendesk")
	if strings.Contains(only.text(), "Okta") {
		t.Error("the waiting ones have one that collects")
	}
}

func authorizationPath(r storetest.Rig) string {
	return "/console/bundles/" + r.Bundle.ID + "/authorizations/" + r.Authorization.ID
}

func ingestionPath(r storetest.Rig) string {
	return "/console/bundles/" + r.Bundle.ID + "/ingestions/" + r.Ingestion.ID
}

func TestOverviewInPages(t *testing.T) {
	t.Parallel()
	s := newSite(t).browser()
	r := s.rig("OKTA", "first.okta.com", rawJSON())
	r.Fill(t, s.store, 60)
	seen, path := 0, "/console/"
	for range 4 {
		d := s.get(path)
		for _, n := range d.all("th") {
			if attribute(n, "scope") == "row" {
				seen++
			}
		}
		d.says("61 Collecting")
		if !strings.Contains(d.text(), "Next page") {
			break
		}
		path = d.link("Next page")
	}
	if seen != 61 {
		t.Errorf("the pages show %d connections", seen)
	}
	if r := s.send(http.MethodGet, "/console/?next=forged", nil); r.status != http.StatusBadRequest {
		t.Errorf("a forged token: %d", r.status)
	}
}

// A key that AWS's managed policies make may do all that AWS's API has, and still
// find its way.
func TestOverviewOfAKeyThatMayNotSeeIt(t *testing.T) {
	t.Parallel()
	s := newSite(t).browser()
	r := s.rig("OKTA", "acme.okta.com")
	s.stands(r, fabric.ConnectionValidationFailed, "invalid_client")
	s = s.browserOf(s.key(may("appfabric:*")))
	s.get("/console/").says("selvedge:ShowOverview", "Connect an application")
	d := s.get(authorizationPath(r))
	d.says("The connection was refused", "selvedge:ShowAuthorization")
	if strings.Contains(d.text(), "invalid_client") {
		t.Error("the reason is shown to a key that may not see it")
	}
}

func TestLiveOverviewIsTheSamePage(t *testing.T) {
	t.Parallel()
	s := newSite(t).browser()
	for _, n := range s.get("/console/").all("main") {
		for _, a := range n.Attr {
			if a.Key == "data-live" {
				return
			}
		}
	}
	t.Error("the overview is not live")
}
