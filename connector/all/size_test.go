package all_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"selvedge/connector/all"
)

// limit is how many lines of Go an application may have, its client and its mapping
// together.
const limit = 400

// TestSizes: an application is a folder that can be read at a sitting. Blank lines
// and comments do not count, and neither do the functions without parameters, which
// are its tables.
func TestSizes(t *testing.T) {
	t.Parallel()
	// What is still larger, and as large as it may be: it may only shrink.
	larger := map[string]int{"m365auditlogs": 533}
	for _, app := range all.Apps() {
		name := strings.ToLower(app.Name)
		files, err := filepath.Glob(filepath.Join("..", name, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", name, len(files), err)
		}
		client, mapping := 0, 0
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			n, maps := linesOf(t, path)
			if maps {
				mapping += n
			} else {
				client += n
			}
		}
		most, sum := max(limit, larger[name]), client+mapping
		if sum > most {
			t.Errorf("%s has %d lines of client and %d of mapping, want at most %d together: what repeats belongs into connector/rest or connector/mapping, what is static into a table",
				name, client, mapping, most)
		}
		if larger[name] > sum {
			t.Errorf("%s has shrunk to %d lines: let the test hold it there", name, sum)
		}
		t.Logf("%-15s %3d lines of client, %3d of mapping", name, client, mapping)
	}
}

// linesOf counts the lines of a file that are neither blank, comment nor data, and
// tells whether it is of the mapping.
func linesOf(t *testing.T, path string) (lines int, mapping bool) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	data := map[int]bool{}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil || f.Type.Params.NumFields() > 0 || f.Recv != nil {
			continue
		}
		for line := set.Position(f.Pos()).Line; line <= set.Position(f.End()).Line; line++ {
			data[line] = true
		}
	}
	for i, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") && !data[i+1] {
			lines++
		}
	}
	for _, i := range file.Imports {
		mapping = mapping || strings.HasSuffix(i.Path.Value, `/ocsf"`)
	}
	return lines, mapping
}
