package all_test

import (
	"net/url"
	"regexp"
	"slices"
	"testing"

	"selvedge/connector"
	"selvedge/connector/all"
)

func TestNames(t *testing.T) {
	t.Parallel()
	var names, titles []string
	for _, app := range all.Apps() {
		names, titles = append(names, app.Name), append(titles, app.Title)
		if !regexp.MustCompile(`^[A-Z0-9_]+$`).MatchString(app.Name) {
			t.Errorf("%s: not a name as AppFabric has them", app.Name)
		}
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("names %v: want them in order, each once", names)
	}
	slices.Sort(titles)
	if len(slices.Compact(slices.Clone(titles))) != len(names) || titles[0] == "" {
		t.Errorf("titles %v: want one for each application", titles)
	}
}

// The applications are AWS's twelve and Terraform Cloud.
// https://docs.aws.amazon.com/appfabric/latest/api/API_CreateAppAuthorization.html (checked 2026-11-22)
func TestAllAreThere(t *testing.T) {
	t.Parallel()
	want := []string{
		"ASANA", "CISCO", "DROPBOX", "GOOGLE", "JIRA", "M365", "M365AUDITLOGS", "OKTA", "SLACK", "SMARTSHEET",
		"TERRAFORMCLOUD", "ZENDESK", "ZOOM",
	}
	var names []string
	for _, app := range all.Apps() {
		names = append(names, app.Name)
		if app.Requires != "" && (app.Requires == app.Name || !slices.Contains(want, app.Requires)) {
			t.Errorf("%s requires %q", app.Name, app.Requires)
		}
	}
	if !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

// Each application says whether it looks users up without being connected.
func TestWhichFindUsers(t *testing.T) {
	t.Parallel()
	for _, app := range all.Apps() {
		finds := app.FindsUsers()
		if finds && app.Requires != "" {
			t.Errorf("%s: users are looked up by %s", app.Name, app.Requires)
		}
		if app.Name == "OKTA" && !finds {
			t.Errorf("%s finds no users", app.Name)
		}
	}
}

func TestDescriptions(t *testing.T) {
	t.Parallel()
	for _, app := range all.Apps() {
		t.Run(app.Name, func(t *testing.T) {
			t.Parallel()
			checkAuth(t, app.Auth)
			if !app.HasConnector() {
				if app.Normalize != nil || len(app.Streams) != 0 {
					t.Error("half a connector: Normalize or Streams without Open")
				}
				return
			}
			checkStreams(t, app.Streams)
		})
	}
}

func checkAuth(t *testing.T, a connector.Auth) {
	t.Helper()
	if a.Tenant.Hint == "" || len(a.Tenant.Forms) == 0 {
		t.Error("a tenant needs a form and a hint")
	}
	if _, err := a.Tenant.Vars(a.Tenant.Example); err != nil || a.Tenant.Example == "" {
		t.Errorf("the example of a tenant: %v", err)
	}
	for _, form := range a.Tenant.Forms {
		if _, err := regexp.Compile(form.Pattern); err != nil {
			t.Error(err)
		}
	}
	if !slices.Contains([]string{"bearer", "header", "basic", "duo-hmac"}, a.Signing) || (a.Signing == "header") != (a.Header != "") {
		t.Errorf("signing %q, header %q", a.Signing, a.Header)
	}
	needed := map[string]bool{a.Origin: true, a.TokenURL: a.Grant != connector.APIKey, a.AuthorizeURL: a.Grant == connector.AuthorizationCode}
	for template, need := range needed {
		if need && template == "" {
			t.Errorf("grant %d lacks a URL", a.Grant)
		}
	}
	for _, template := range append([]string{a.Origin, a.TokenURL, a.AuthorizeURL, a.RevokeURL}, a.Origins...) {
		u, err := url.Parse(regexp.MustCompile(`\{\w+\}`).ReplaceAllString(template, "x"))
		if template != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
			t.Errorf("URL %q: want an https one", template)
		}
	}
	if a.Grant == connector.AuthorizationCode && (len(a.Scopes) == 0 || a.Lifetime <= 0) {
		t.Error("a code grant needs scopes and a lifetime")
	}
}

func checkStreams(t *testing.T, streams []connector.Stream) {
	t.Helper()
	if len(streams) == 0 {
		t.Error("no stream")
	}
	seen := make(map[string]bool)
	for _, s := range streams {
		if s.Name == "" || seen[s.Name] || s.PageMax <= 0 || s.Overlap <= 0 || s.Arrival && s.Newest {
			t.Errorf("stream %+v", s)
		}
		if (len(s.Shapes) > 0) != (len(streams) > 1) {
			t.Errorf("%s: %d shapes; records of one of several streams have one, of a lonely one they need none", s.Name, len(s.Shapes))
		}
		seen[s.Name] = true
	}
}
