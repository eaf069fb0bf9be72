package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

const person = "ada.okafor@example.com"

func TestUserAccess(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.get("/console/user-access").says("Nothing is connected yet.")
	bundle := s.bundle()
	s.authorize(bundle, "OKTA", "acme.okta.com")
	s.authorize(bundle, "SLACK", "acme")
	s.authorize(bundle, "ZENDESK", "acme")
	lost := s.authorize(bundle, "DROPBOX", "acme")
	lost.Status = fabric.TokenAutoRotationFailed
	if err := s.store.UpdateAppAuthorization(t.Context(), s.caller, lost, lost.Generation, nil); err != nil {
		t.Fatal(err)
	}
	p := b.post("/console/user-access", "email", "nobody")
	if in := p.find("input", "name", "email"); p.status != http.StatusBadRequest || attribute(in, "aria-invalid") != "true" {
		t.Errorf("no address: %d %s", p.status, p.text())
	}
	p = b.post("/console/user-access", "email", person)
	if p.status != http.StatusSeeOther || strings.Contains(p.to, "ada") {
		t.Fatalf("%d %s %s", p.status, p.to, p.text())
	}
	results := p.to
	b.get(results).says(person, "access to 0 applications, 3 still being searched, 1 not known", "Being searched", "Not searched", "We were unable to rotate the authorization token.")

	end := func(task func(c store.Claim) error) {
		t.Helper()
		claims, err := s.store.Claim(t.Context(), store.DutyUserAccess, "test", time.Hour, 1)
		if err != nil || len(claims) != 1 {
			t.Fatal(claims, err)
		}
		if err := task(claims[0]); err != nil {
			t.Fatal(err)
		}
	}
	end(func(c store.Claim) error {
		task, _, err := s.store.LoadUserAccess(t.Context(), c.ID)
		if err != nil {
			return err
		}
		sealed, err := s.keys.Seal(t.Context(), task.UserPlace(), []byte(`{"id":"00u1","fullName":"Ada <i>Okafor</i>","status":"ACTIVE"}`))
		if err != nil {
			return err
		}
		return s.store.EndUserAccess(t.Context(), c, fabric.Completed, "", sealed)
	})
	end(func(c store.Claim) error {
		return s.store.EndUserAccess(t.Context(), c, fabric.TaskFailed, fabric.UserNotFound, nil)
	})
	end(func(c store.Claim) error {
		return s.store.EndUserAccess(t.Context(), c, fabric.TaskFailed, fabric.AppForbids, nil)
	})
	got := b.get(results)
	got.says("access to 1 application, 2 not known.", "Has access", "Ada <i>Okafor</i>", "00u1", "ACTIVE", "No such user", "insufficient permissions")
	if strings.Index(got.text(), "Has access") > strings.Index(got.text(), "Not searched") {
		t.Error("what was found does not come first")
	}

	before := s.called("BatchGetUserAccessTasks")
	stream(t, b, results)
	if n := s.called("BatchGetUserAccessTasks"); n != before+1 {
		t.Errorf("a live page was recorded %d times, want once", n-before)
	}
	onlyOurs(t, b, results)
	if text := s.logs.String(); strings.Contains(text, "ada.okafor") {
		t.Errorf("the log has the person:\n%s", text)
	}
	for _, c := range s.calls {
		if c.Operation == "StartUserAccessTasks" && c.Parameters["email"] == person {
			t.Error("the trail has the person")
		}
	}
}

// onlyOurs: an address that was changed, or that is of another Region, is none.
func onlyOurs(t *testing.T, b *browser, results string) {
	t.Helper()
	_, sealed, _ := strings.Cut(results, "=")
	for _, address := range []string{"x", "", strings.Map(func(r rune) rune { return max(r, 'B') }, sealed[:8]) + sealed[8:] + "BBBB"} {
		if p := b.send("GET", "/console/user-access/results?search="+url.QueryEscape(address), nil); p.status != http.StatusNotFound {
			t.Errorf("address %q: %d", address, p.status)
		}
	}
	region := b.post("/console/region", "region", "eu-west-1")
	for _, c := range region.cookies {
		b.cookie = c
	}
	if p := b.send("GET", results, nil); p.status != http.StatusNotFound {
		t.Errorf("in another Region: %d", p.status)
	}
}

// Several bundles can be chosen from.
func TestUserAccessOfABundle(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first, second := s.bundle(), s.bundle()
	s.authorize(second, "OKTA", "acme.okta.com")
	b := s.browser()
	if n := len(b.get("/console/user-access").all("option")); n != 2 {
		t.Fatalf("%d bundles", n)
	}
	for bundle, want := range map[string]string{first.ID: "No application of the bundle looks users up.", second.ID: "1 still being searched"} {
		b.get("/console/user-access")
		b.get(b.post("/console/user-access", "bundle", bundle, "email", person).to).says(want)
	}
}
