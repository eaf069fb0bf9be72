package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector/all"
	"selvedge/internal/fabric"
)

func TestDirectory(t *testing.T) {
	t.Parallel()
	s := newSite(t).browser()
	d := s.get("/console/apps")
	links := 0
	for _, n := range d.all("a") {
		if strings.HasSuffix(attribute(n, "href"), "/connect") && strings.HasPrefix(words(n), "Connect") {
			links++
		}
	}
	if links != len(all.Apps()) {
		t.Errorf("%d applications can be connected, want %d", links, len(all.Apps()))
	}
	for _, n := range d.all("input") {
		if attribute(n, "id") == "redirect" && attribute(n, "value") != "https://selvedge.example/appfabric/oauth2" {
			t.Errorf("redirect URL %q", attribute(n, "value"))
		}
	}
	for _, app := range all.Apps() {
		d.says(app.Title, app.Guide.Plan, app.Guide.Role, strings.Join(app.Auth.Scopes, " "))
		path := "/console/apps/" + strings.ToLower(app.Name) + "/connect"
		one := s.get(path)
		one.says(app.Guide.Steps...)
		one.says(app.Guide.Fields.Named().Tenant)
		if one.value("id") != "" || one.value("secret") != "" {
			t.Errorf("%s: the form is not empty", path)
		}
	}
	if r := s.send(http.MethodGet, "/console/apps/nonesuch/connect", nil); r.status != http.StatusNotFound {
		t.Errorf("an unknown application: %d", r.status)
	}
}

// TestConnectAnApplication goes the whole way of an application to which a person
// consents.
func TestConnectAnApplication(t *testing.T) {
	t.Parallel()
	s := newSite(t).browser()
	form := s.get("/console/apps/okta/connect")
	given := []string{"tenant", " acme.okta.com ", "id", "0oa", "secret", "shh-secret", "token", form.value("token")}
	to := s.post("/console/apps/okta/connect", given...).to
	path, _, _ := strings.Cut(to, "?")
	if again := s.post("/console/apps/okta/connect", given...).to; again != to {
		t.Errorf("the same form again leads to %s, want %s", again, to)
	}
	want := []fabric.Credential{{ClientID: "0oa", ClientSecret: "shh-secret"}}
	if d := cmp.Diff(want, s.grants.given[:1]); d != "" {
		t.Errorf("credential (-want +got):\n%s", d)
	}
	d := s.get(to)
	d.says("Okta: acme.okta.com", "Not connected yet", "Next: Sign in at Okta", "Saved.")
	if consent := d.link("Sign in at Okta"); consent != s.grants.address {
		t.Errorf("consent at %q", consent)
	}
	if strings.Contains(d.body, "shh-secret") {
		t.Error("the secret is shown")
	}
	id := path[strings.LastIndexByte(path, '/')+1:]
	s.connect(id)
	d = s.get(path)
	d.says("Connected", "Next: Collect the audit log")
	collecting := s.post(path + "/collect").to
	if !strings.Contains(collecting, "/ingestions/") || !strings.HasSuffix(collecting, "/destinations/new?done=ingestion-made") {
		t.Errorf("collecting leads to %s", collecting)
	}
	ingestion, _, _ := strings.Cut(collecting, "/destinations")
	if got := s.get(path).link("Look at its ingestion"); got != ingestion {
		t.Errorf("the ingestion is at %q, want %q", got, ingestion)
	}
	second := s.post("/console/apps/okta/connect", "tenant", "acme.okta.com", "id", "0oa", "secret", "other")
	if second.status != http.StatusBadRequest {
		t.Errorf("a second one: %d", second.status)
	}
	if got := second.link("Go to the one that is there"); got != path {
		t.Errorf("the one that is there is %q, want %q", got, path)
	}
}

// connect makes an authorization Connected, as the callback would.
func (s *site) connect(id string) {
	s.t.Helper()
	g, err := s.store.LoadGrant(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	a := g.Authorization
	a.Status = fabric.Connected
	if err := s.store.UpdateAppAuthorization(s.t.Context(), fabric.Caller{Account: a.Account, Region: a.Region}, a, a.Generation, nil); err != nil {
		s.t.Fatal(err)
	}
}

func TestConnectFormSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newSite(t).browser()
	for name, c := range map[string]struct {
		form  []string
		field string
		says  string
	}{
		"tenant": {[]string{"tenant", "not a domain", "id", "0oa", "secret", "shh"}, "tenant", "It must look like dev-1234.okta.com."},
		"id":     {[]string{"tenant", "acme.okta.com", "secret", "shh"}, "id", "greater than or equal to 1"},
		"secret": {[]string{"tenant", "acme.okta.com", "id", "0oa"}, "secret", "greater than or equal to 1"},
		"long":   {[]string{"tenant", "acme.okta.com", "display", strings.Repeat("x", 2049), "id", "0oa", "secret", "shh"}, "display", "2048"},
	} {
		d := s.post("/console/apps/okta/connect", c.form...)
		if d.status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, d.status)
		}
		d.says(c.says)
		for _, n := range d.all("input") {
			switch id := attribute(n, "id"); {
			case id == c.field && (attribute(n, "aria-invalid") != "true" || !strings.Contains(attribute(n, "aria-describedby"), id+"-fault")):
				t.Errorf("%s: the field is not marked", name)
			case id == "secret" && attribute(n, "value") != "":
				t.Errorf("%s: the secret is sent back", name)
			case id == "tenant" && attribute(n, "value") != c.form[1]:
				t.Errorf("%s: the tenant identifier is forgotten", name)
			}
		}
	}
	if r := s.post("/console/apps/okta/connect", "csrf", "wrong", "tenant", "acme.okta.com"); r.status != http.StatusForbidden {
		t.Errorf("a forged form: %d", r.status)
	}
	if len(s.grants.given) != 0 {
		t.Error("something was made of a form that was refused")
	}
}

// TestConnectWithAKey goes the way of an application to which nobody signs in.
func TestConnectWithAKey(t *testing.T) {
	t.Parallel()
	s := newSite(t).browser()
	s.grants.status = fabric.ConnectionValidationFailed
	form := s.get("/console/apps/terraformcloud/connect")
	form.says("Organization token")
	path, _, _ := strings.Cut(s.post("/console/apps/terraformcloud/connect", "tenant", "acme", "display", "Acme", "secret", "a-key", "token", form.value("token")).to, "?")
	s.get(path).says("Terraform Cloud: Acme", "Next: Connect to Terraform Cloud", "The credential is tried")
	s.get(s.post(path+"/connect").to).says("The connection was refused", "invalid_client: <b>no such client</b>", "Mend the credential")
	s.grants.status = fabric.Connected
	if to := s.post(path+"/edit", "tenant", "acme", "display", "Acme", "secret", "another").to; !strings.HasSuffix(to, "?done=authorization-changed") {
		t.Errorf("the edit leads to %s", to)
	}
	if got := s.grants.given[len(s.grants.given)-1].APIKey; got != "another" {
		t.Errorf("given %d credentials", len(s.grants.given))
	}
	to := s.post(path + "/connect").to
	s.get(to).says("Connected: the audit log can be read.")
}

func TestAnApplicationThatNeedsAnother(t *testing.T) {
	t.Parallel()
	s := newSite(t).browser()
	const tenant = "01234567-89ab-cdef-0123-456789abcdef"
	if to := s.get("/console/apps/m365auditlogs/connect").link("Microsoft 365"); to != "/console/apps/m365/connect" {
		t.Errorf("the connect page leads to %q", to)
	}
	connected := func(app string) string {
		path, _, _ := strings.Cut(s.post("/console/apps/"+app+"/connect", "tenant", tenant, "id", "x", "secret", "y").to, "?")
		return path
	}
	logs := connected("m365auditlogs")
	s.connect(logs[strings.LastIndexByte(logs, '/')+1:])
	if to := s.get(logs).link("Connect Microsoft 365"); to != "/console/apps/m365/connect" {
		t.Errorf("without one it leads to %q", to)
	}
	base := connected("m365")
	if to := s.get(logs).link("Connect Microsoft 365"); to != base {
		t.Errorf("with one that is not connected it leads to %q, want %q", to, base)
	}
	s.connect(base[strings.LastIndexByte(base, '/')+1:])
	s.get(logs).says("Next: Collect the audit log")
}

func TestSeveralBundles(t *testing.T) {
	t.Parallel()
	s := newSite(t).browser()
	one, two := s.rig("OKTA", "a.okta.com"), s.rig("OKTA", "b.okta.com")
	d := s.get("/console/apps/zendesk/connect")
	d.says(one.Bundle.ID, two.Bundle.ID)
	to := s.post("/console/apps/zendesk/connect", "bundle", two.Bundle.ID, "tenant", "acme", "id", "x", "secret", "y").to
	if !strings.HasPrefix(to, "/console/bundles/"+two.Bundle.ID+"/authorizations/") {
		t.Errorf("made at %s", to)
	}
}

func TestTagsAndTheEndOfAnAuthorization(t *testing.T) {
	t.Parallel()
	s := newSite(t).browser()
	r := s.rig("OKTA", "acme.okta.com")
	path := authorizationPath(r)
	s.get(path).says("An ingestion uses it.")
	to := s.post(path+"/tag", "key", "team", "value", "<b>blue</b>").to
	s.get(to).says("team", "<b>blue</b>", "The tag is there.")
	s.get(s.post(path+"/untag", "key", "team").to).says("There are none.")
	s.get(path + "/edit").says("Change Okta: acme.okta.com")
	moved := s.post(path+"/edit", "tenant", "else.okta.com")
	moved.says("cannot change while an ingestion uses")
	if err := s.store.DeleteIngestion(t.Context(), fabric.Caller{Account: r.Bundle.Account, Region: r.Bundle.Region}, r.Bundle.ID, r.Ingestion.ID); err != nil {
		t.Fatal(err)
	}
	if res := s.post(path + "/delete"); res.status != http.StatusBadRequest {
		t.Errorf("deleted without being sure: %d", res.status)
	}
	if to := s.post(path+"/delete", "sure", "yes").to; to != "/console/?done=authorization-deleted" {
		t.Errorf("deleted: %s", to)
	}
	if res := s.send(http.MethodGet, path, nil); res.status != http.StatusNotFound {
		t.Errorf("it is still there: %d", res.status)
	}
}

// What a provider's address may be is decided here once more: a link on our page
// is trusted.
func TestConsentLinksLeadToProvidersOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t).browser()
	r := s.rig("OKTA", "acme.okta.com")
	s.stands(r, fabric.PendingConnect, "")
	for address, ok := range map[string]bool{
		"https://acme.okta.com/authorize": true, "http://127.0.0.1:9000/authorize": true, "http://localhost:1/": true, "http://okta.localhost:9/authorize": true,
		"http://acme.okta.com/": false, "http://localhost.example.com/": false, "http://notlocalhost/": false, "javascript:alert(1)": false, "//acme.okta.com/": false, "https://user@acme.okta.com/": false, "": false,
	} {
		s.grants.address = address
		found := false
		for _, n := range s.get(authorizationPath(r)).all("a") {
			if attribute(n, "rel") == "noreferrer" {
				found = attribute(n, "href") == address
			}
		}
		if found != ok {
			t.Errorf("%q is a link: %v, want %v", address, found, ok)
		}
	}
}
