package layers_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// undocumentedModules returns the import paths of other modules that no line of
// the document is about.
func undocumentedModules(sources []source, document string) []string {
	var modules []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Za-z0-9._/-]+)` ").FindAllStringSubmatch(document, -1) {
		modules = append(modules, row[1])
	}
	seen := make(map[string]bool)
	var missing []string
	for _, s := range sources {
		for _, i := range s.imports() {
			host, _, _ := strings.Cut(i.path, "/")
			if !strings.Contains(host, ".") || seen[i.path] {
				continue // of the standard library, or ours
			}
			seen[i.path] = true
			if !isOf(modules, i.path) {
				missing = append(missing, i.path)
			}
		}
	}
	return missing
}

func isOf(modules []string, path string) bool {
	for _, m := range modules {
		if within(m+"/...", path) {
			return true
		}
	}
	return false
}

func TestDependenciesAreDocumented(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	document, err := os.ReadFile(filepath.Join(root, "docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range undocumentedModules(readTree(t, os.DirFS(root)), string(document)) {
		t.Errorf("%s: docs/dependencies.md has no line for its module", path)
	}
}

func TestUndocumentedModules(t *testing.T) {
	t.Parallel()
	s, err := parse("sink/a.go", []byte("package p\n\nimport (\n\t_ \"fmt\"\n\t_ \"selvedge/ocsf\"\n\t_ \"example.com/a/b\"\n\t_ \"example.com/ab\"\n)\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := undocumentedModules([]source{s}, "| module |\n|---|\n| `example.com/a` | for |\n")
	if len(got) != 1 || got[0] != "example.com/ab" {
		t.Errorf("without a line: %v, want example.com/ab", got)
	}
}
