package connectortest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testPage holds docs/mappings of the application against what its mapping does:
// which class each type is of, and what becomes of each member of the records
// that are taken apart.
func testPage(t *testing.T, c MappingCase) {
	name := filepath.Join("..", "..", "docs", "mappings", strings.ToLower(c.App.Name)+".md")
	got := c.page(t)
	if c.Update {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got), written anew with -update:\n%s", name, diff)
	}
}

func (c MappingCase) page(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "# %s as OCSF\n\n", c.App.Title)
	fmt.Fprintf(&b, "How the events of `%s` become OCSF 1.1.0. This page is what the mapping did in its test; `go test ./connector/%s -update` writes it anew.\n", c.App.Name, strings.ToLower(c.App.Name))
	c.typesTable(t, &b)
	c.membersTable(t, &b)
	return b.String()
}

func (c MappingCase) typesTable(t *testing.T, b *strings.Builder) {
	t.Helper()
	rows := map[string][2]string{}
	put := func(e Event) {
		class, activity := typeOf(e)
		rows[fmt.Sprint(e.At("metadata.event_code"))] = [2]string{class, activity}
	}
	if c.Types == nil {
		for _, raw := range c.records(t) {
			if e, outcome := c.normalize(t, raw); !outcome.Base {
				put(e)
			}
		}
	}
	for _, typ := range c.types(t) {
		put(c.event(t, c.Record(typ)))
	}
	b.WriteString("\n## Types of events\n\nOf a record that has what the class requires; without it, the event is of Web Resources Activity. " +
		"A type that is not listed is of Web Resources Activity too, by the verb in its name, and where there is none, of the activity 99 under its own name. " +
		"A record that does not tell its type or time is the base event.\n\n")
	b.WriteString("| `metadata.event_code` | class | activity |\n| --- | --- | --- |\n")
	for _, name := range sortedNames(rows) {
		fmt.Fprintf(b, "| %s | %s | %s |\n", code(name), rows[name][0], cell(rows[name][1]))
	}
}

func (c MappingCase) membersTable(t *testing.T, b *strings.Builder) {
	t.Helper()
	rows := map[string]map[string]bool{}
	for _, raw := range c.apart(t) {
		for _, e := range c.effects(t, raw) {
			paths := e.same
			switch {
			case len(paths) > 0 || e.needed || e.unmapped:
			case slices.Contains(e.changed, "class_uid"):
				paths = []string{"class"} // and whatever that class has
			default:
				paths = e.changed
			}
			for _, path := range paths {
				if rows[e.member.every()] == nil {
					rows[e.member.every()] = map[string]bool{}
				}
				rows[e.member.every()][withoutIndexes(path)] = true
			}
		}
	}
	b.WriteString("\n## Members of a record\n\n`class` stands for a member that decides of which class the event is. All that these attributes do not hold whole is in `unmapped`, path to text.\n\n")
	b.WriteString("| member | attributes |\n| --- | --- |\n")
	for _, path := range sortedNames(rows) {
		var list []string
		for _, attribute := range keys(rows[path]) {
			if ofClass(attribute) {
				continue
			}
			if base, ok := strings.CutSuffix(attribute, "_id"); ok && rows[path][base] {
				continue // the number beside the caption
			}
			list = append(list, "`"+attribute+"`")
		}
		if len(list) == 0 {
			continue
		}
		fmt.Fprintf(b, "| %s | %s |\n", code(path), strings.Join(list, ", "))
	}
}

// ofClass says whether an attribute follows from another one, or from the type.
func ofClass(attribute string) bool {
	switch attribute {
	case "class_uid", "class_name", "category_uid", "category_name", "type_uid", "type_name", "activity_id", "activity_name":
		return true
	}
	return false
}

func withoutIndexes(path string) string {
	for {
		from := strings.IndexByte(path, '[')
		if from < 0 {
			return path
		}
		to := strings.IndexByte(path[from:], ']')
		path = path[:from] + path[from+to+1:]
	}
}

func code(s string) string { return "`" + cell(s) + "`" }

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
