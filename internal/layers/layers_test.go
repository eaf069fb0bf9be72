package layers_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// TestTree holds every file of the module to the rules.
func TestTree(t *testing.T) {
	t.Parallel()
	sources := readTree(t, os.DirFS(filepath.Join("..", "..")))
	if len(sources) < 50 {
		t.Fatalf("only %d files were found: is this the root of the module?", len(sources))
	}
	for _, s := range sources {
		for _, wrong := range check(s) {
			t.Error(wrong)
		}
	}
	for _, wrong := range changedVariables(sources) {
		t.Error(wrong)
	}
	for _, pkg := range withoutComment(sources) {
		t.Errorf("%s: the package has no comment", pkg)
	}
}

func readTree(t *testing.T, tree fs.FS) []source {
	t.Helper()
	var sources []source
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() && name != "." && (base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")) {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(base, ".go") {
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		if bytes.HasPrefix(text, []byte("//go:build ignore\n")) {
			return nil // a program that go generate runs, in no package
		}
		s, err := parse(name, text)
		sources = append(sources, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sources
}

func parse(name string, text []byte) (source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments)
	return source{
		pkg: path.Dir(name), name: path.Base(name), lines: bytes.Count(text, []byte("\n")), fset: fset, file: file,
	}, err
}

// withoutComment returns the packages without a comment on any of their files.
// The external tests of a package are no package of their own.
func withoutComment(sources []source) []string {
	documented := make(map[string]bool)
	var packages []string
	for _, s := range sources {
		if _, seen := documented[s.pkg]; !seen {
			documented[s.pkg] = false
			packages = append(packages, s.pkg)
		}
		if hasDoc(s.file) {
			documented[s.pkg] = true
		}
	}
	var missing []string
	for _, pkg := range packages {
		if !documented[pkg] {
			missing = append(missing, pkg)
		}
	}
	return missing
}

func hasDoc(f *ast.File) bool { return f.Doc != nil && strings.TrimSpace(f.Doc.Text()) != "" }
