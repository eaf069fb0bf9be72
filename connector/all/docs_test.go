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
	if app.HasMapping() {
		name := strings.ToLower(app.Name)
		if _, err := os.Stat(filepath.Join("..", "..", "docs", "mappings", name+".md")); err == nil {
			fmt.Fprintf(&b, "\nIts events as OCSF: [%s](../mappings/%s.md).\n", name, name)
		}
	}
	return b.String()
}
