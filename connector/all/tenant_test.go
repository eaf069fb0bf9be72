package all_test

import (
	"slices"
	"strings"
	"testing"

	"selvedge/connector"
	"selvedge/connector/all"
)

// tenantCase is what an application makes of tenant identifiers. Each of good
// leads to the same place, where expanded.
type tenantCase struct {
	app   string
	where string // a template of the application's own variables
	want  string
	good  []string
	bad   []string
	hint  string // a part of what is said of the bad ones
}

const guid = "01234567-89ab-cdef-0123-456789abcdef"

func tenantCases() []tenantCase {
	return []tenantCase{
		{
			app: "ASANA", where: "{workspace}", want: "1234567890", good: []string{"1234567890"},
			bad:  []string{"acme", "12 34", "https://app.asana.com/0/1234567890", "-1"},
			hint: "Domain settings",
		},
		{
			app: "CISCO", where: "{organization}", want: guid, good: []string{guid},
			bad:  []string{"acme", strings.TrimSuffix(guid, "f"), "{" + guid + "}", "Y2lzY29"},
			hint: "Control Hub",
		},
		{
			app: "CISCO", where: "{organization}", want: "Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi8wMTIzNDU2Nw",
			good: []string{"Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi8wMTIzNDU2Nw"},
		},
		{
			app: "DROPBOX", where: "x", want: "x", good: []string{"Acme", "Acme & Töchter 👩‍🚀", "acme.com"}, bad: []string{""},
			hint: "any text that names the team",
		},
		{
			app: "GOOGLE", where: "{project}", want: "my-project-123456", good: []string{"my-project-123456", "example.com:my-project-123456"},
			bad:  []string{"My Project", "123456789012", "short", "my-project-", strings.Repeat("a", 31), "https://admin.google.com"},
			hint: "Project info",
		},
		{
			app: "JIRA", where: "https://{site}.atlassian.net", want: "https://acme-1.atlassian.net",
			good: []string{"acme-1", "acme-1.atlassian.net", "https://acme-1.atlassian.net", "https://acme-1.atlassian.net/jira/projects"},
			bad:  []string{"Acme", "acme_1", "-acme", "acme.example.com", "http://acme.atlassian.net", "acme.atlassian.net.example.com", "a b"},
			hint: "https://example.atlassian.net",
		},
		{
			app: "M365", where: "{tenant}", want: guid, good: []string{guid},
			bad: []string{"contoso.onmicrosoft.com", "common", guid + "0", guid + "/..", strings.ReplaceAll(guid, "-", "")}, hint: "Entra admin center",
		},
		{
			app: "M365AUDITLOGS", where: "{tenant}", want: strings.ToUpper(guid), good: []string{strings.ToUpper(guid)},
			bad: []string{"contoso.onmicrosoft.com", "organizations", guid + "?x"}, hint: "authorization of M365",
		},
		{
			app: "OKTA", where: "{domain}", want: "dev-1234.okta.com",
			good: []string{"dev-1234", "dev-1234.okta.com", "https://dev-1234.okta.com/", "dev-1234-admin.okta.com"},
			bad:  []string{"Dev-1234.okta.com", "a b", "http://dev-1234.okta.com"}, hint: "dev-1234.okta.com",
		},
		{
			app: "SLACK", where: "{name}", want: "acme-1",
			good: []string{"acme-1", "acme-1.slack.com", "acme-1.enterprise.slack.com", "https://acme-1.enterprise.slack.com/"},
			bad:  []string{"Acme", "acme_1", "acme.example.com", "https://app.slack.com/client/T1/C1", "E0123 456", "acme-"},
			hint: "https://example.enterprise.slack.com",
		},
		{
			app: "SMARTSHEET", where: "x", want: "x", good: []string{"1234567890", "AbC-12_3"}, bad: []string{"", "12 34", "1\n2"},
			hint: "account ID",
		},
		{
			app: "TERRAFORMCLOUD", where: "{org}", want: "my-org",
			good: []string{"my-org", "https://app.terraform.io/app/my-org", "app.terraform.io/app/my-org/workspaces"},
			bad:  []string{"my org", "https://example.com/app/my-org"}, hint: "https://app.terraform.io/app/my-org",
		},
		{
			app: "ZENDESK", where: "{subdomain}", want: "acme-1",
			good: []string{"acme-1", "acme-1.zendesk.com", "https://acme-1.zendesk.com/agent/dashboard"},
			bad:  []string{"Acme", "acme_1", "support.acme.com", "http://acme.zendesk.com", "acme.zendesk.com.example.com"},
			hint: "https://example.zendesk.com",
		},
		{
			app: "ZOOM", where: "{account}", want: "aBcD-eF_1", good: []string{"aBcD-eF_1"},
			bad: []string{"acme.zoom.us", "a b", "a&grant_type=x", "a%26"}, hint: "App Credentials",
		},
	}
}

func TestTenants(t *testing.T) {
	t.Parallel()
	apps := all.Apps()
	tried := make(map[string]bool)
	for _, tt := range tenantCases() {
		i := slices.IndexFunc(apps, func(a connector.App) bool { return a.Name == tt.app })
		if i < 0 {
			t.Fatalf("no application %s", tt.app)
		}
		tried[tt.app] = true
		tenant := apps[i].Auth.Tenant
		for _, identifier := range tt.good {
			vars, err := tenant.Vars(identifier)
			if got := connector.Expand(tt.where, vars); err != nil || got != tt.want {
				t.Errorf("%s %q: %q, %v; want %q", tt.app, identifier, got, err, tt.want)
			}
			checkExpanded(t, apps[i], identifier)
		}
		for _, identifier := range tt.bad {
			if vars, err := tenant.Vars(identifier); err == nil {
				t.Errorf("%s %q was taken: %v", tt.app, identifier, vars)
			} else if tt.hint == "" || !strings.Contains(err.Error(), tt.hint) {
				t.Errorf("%s %q: %q does not say %q", tt.app, identifier, err, tt.hint)
			}
		}
	}
	if len(tried) != len(apps) {
		t.Errorf("%d of %d applications tried", len(tried), len(apps))
	}
}

// checkExpanded says whether a tenant fills every address of its application.
func checkExpanded(t *testing.T, app connector.App, identifier string) {
	t.Helper()
	vars, err := app.Auth.Tenant.Vars(identifier)
	if err != nil {
		return
	}
	for _, template := range []string{app.Auth.Origin, app.Auth.AuthorizeURL, app.Auth.TokenURL, app.Auth.RevokeURL} {
		if got := connector.Expand(template, vars); strings.ContainsAny(got, "{}") {
			t.Errorf("%s %q: %s is left of %s", app.Name, identifier, got, template)
		}
	}
}
