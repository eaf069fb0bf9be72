package all_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/connector/all"
)

var update = flag.Bool("update", false, "write the pages of the applications anew")

// TestPages holds docs/apps against the applications.
func TestPages(t *testing.T) {
	t.Parallel()
	for _, app := range all.Apps() {
		name := filepath.Join("..", "..", "docs", "apps", strings.ToLower(app.Name)+".md")
		if *update {
			if err := os.WriteFile(name, []byte(page(app)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), page(app)); diff != "" {
			t.Errorf("%s (-want +got), written anew with -update:\n%s", name, diff)
		}
	}
}

func page(app connector.App) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n`--app %s`, written by `go test ./connector/all -update`.\n\n## Connect\n\n", app.Title, app.Name)
	item := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "- %s: %s\n", name, value)
		}
	}
	item("Plan", app.Guide.Plan)
	item("Role", app.Guide.Role)
	item("Tenant identifier", fmt.Sprintf("`%s`; %s", app.Auth.Tenant.Example, app.Auth.Tenant.Hint))
	item("Authorization", string(app.Auth.Type()))
	names := app.Guide.Fields.Named()
	item("What the provider calls the tenant identifier", names.Tenant)
	if app.Auth.Grant == connector.APIKey {
		item("What it calls the API key", names.APIKey)
	} else {
		item("What it calls client ID and secret", names.ClientID+", "+names.ClientSecret)
	}
	if app.Auth.Grant == connector.AuthorizationCode {
		item("Redirect URL", "`<public-url>/appfabric/oauth2`")
	}
	if len(app.Auth.Scopes) > 0 {
		item("Scopes", "`"+strings.Join(app.Auth.Scopes, "`, `")+"`")
	}
	if app.Requires != "" {
		item("Needs as well", app.Requires)
	}
	if app.Pace.PerSecond > 0 {
		item("Called at most", fmt.Sprintf("%v times a second for each tenant", app.Pace.PerSecond))
	}
	if len(app.Guide.Steps) > 0 {
		b.WriteString("\nAt the provider:\n\n")
	}
	for i, step := range app.Guide.Steps {
		fmt.Fprintf(&b, "%d. %s\n", i+1, step)
	}
	b.WriteString("\n## Streams\n\n| stream | page | kept by the provider | read again | further scopes |\n| --- | --- | --- | --- | --- |\n")
	for _, s := range app.Streams {
		kept := "not known"
		if s.Retention > 0 {
			kept = fmt.Sprintf("%d days", s.Retention/(24*time.Hour))
		}
		fmt.Fprintf(&b, "| `%s` | %d | %s | %s | %s |\n", s.Name, s.PageMax, kept, s.Overlap, strings.Join(s.Scopes, " "))
	}
	if len(app.Streams) > 1 {
		shapesTable(&b, app)
	}
	if app.HasMapping() {
		name := strings.ToLower(app.Name)
		fmt.Fprintf(&b, "\nIts events as OCSF: [%s](../mappings/%s.md).\n", name, name)
	}
	return b.String()
}

// shapesTable is how records of several streams are told apart.
func shapesTable(b *strings.Builder, app connector.App) {
	b.WriteString("\n`selvedge normalize` without `--stream` tells the stream by what a record is made of. Of several that fit, the row with the most members counts, and of those the first.\n\n" +
		"| members of a record | stream |\n| --- | --- |\n")
	for _, s := range app.Streams {
		for _, shape := range s.Shapes {
			var marks []string
			for _, m := range shape {
				mark := "`" + m.Path + "`"
				if len(m.Is) > 0 {
					mark += " is `" + strings.Join(m.Is, "` or `") + "`"
				}
				marks = append(marks, mark)
			}
			fmt.Fprintf(b, "| %s | `%s` |\n", strings.Join(marks, ", "), s.Name)
		}
	}
}

// TestMappingPages: docs/mappings has the page of each application that has a
// mapping, and no other. That they are not stale is for the suite of mappings,
// which the tests of each application call.
func TestMappingPages(t *testing.T) {
	t.Parallel()
	var want, got []string
	for _, app := range all.Apps() {
		if !app.HasMapping() {
			continue
		}
		name := strings.ToLower(app.Name)
		want = append(want, name+".md")
		test, err := os.ReadFile(filepath.Join("..", name, "ocsf_test.go"))
		if err != nil || !strings.Contains(string(test), "connectortest.Mapping(t, ") {
			t.Errorf("%s: its tests do not call the suite of mappings: %v", app.Name, err)
		}
		fuzz, err := os.ReadFile(filepath.Join("..", name, "fuzz_test.go"))
		for _, target := range []string{"FuzzMapping", "FuzzPages", "FuzzPlaces"} {
			if !strings.Contains(string(test)+string(fuzz), "connectortest."+target+"(f, ") {
				t.Errorf("%s: it has no target that calls %s: %v", app.Name, target, err)
			}
		}
	}
	files, err := os.ReadDir(filepath.Join("..", "..", "docs", "mappings"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		got = append(got, file.Name())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages of mappings (-want +got):\n%s", diff)
	}
}
