package docstest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pages are those of this repository.
func pages(t *testing.T) (fs.FS, []Page) {
	t.Helper()
	root := os.DirFS(filepath.Join("..", ".."))
	all, err := Pages(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 30 {
		t.Fatalf("only %d pages were found: is this the root of the repository?", len(all))
	}
	return root, all
}

// TestBlocks wants each block that can be run to be run by a test, or to say why
// it is not. A block says in the comment before it which part of e2e it is, which
// test holds it, or "not run: " and the reason.
func TestBlocks(t *testing.T) {
	t.Parallel()
	root, all := pages(t)
	ran, existing := partsRun(t, root), tests(t, root)
	for _, p := range all {
		for _, b := range p.Blocks() {
			part, ofE2E := b.Part()
			reason, excused := strings.CutPrefix(b.Mark, "not run: ")
			switch {
			case b.Language == "":
				t.Errorf("%s:%d: the block says no language; text is one", p.Path, b.Line)
			case ofE2E:
				name := p.Path + ": " + part
				if _, ok := ran[name]; !ok {
					t.Errorf("%s:%d: no test of e2e runs %q", p.Path, b.Line, name)
				}
				ran[name] = true
			case excused && len(reason) > 10 || isShown(b.Language):
			case len(named(0, b.Mark)) == 0 || existing.Missing(named(0, b.Mark)[0]):
				t.Errorf("%s:%d: what runs this block? Put before it, in a comment, \"e2e: \" and a part's name, a test, or \"not run: \" and the reason", p.Path, b.Line)
			}
		}
	}
	for name, shown := range ran {
		if !shown {
			t.Errorf("e2e runs %q, which no page shows", name)
		}
	}
}

// isShown says whether a block in a language is there to be looked at.
func isShown(language string) bool {
	return slices.Contains([]string{"text", "json", "yaml", "toml", "ini"}, language)
}

// partsRun are the parts of pages that the tests of e2e name, in full:
// "docs/moving.md: compare".
func partsRun(t *testing.T, root fs.FS) map[string]bool {
	t.Helper()
	part := regexp.MustCompile(`^\S+\.md: .+$`)
	parts := map[string]bool{}
	eachTestFile(t, root, "e2e", func(name string, text []byte) {
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil && part.MatchString(text) {
					parts[text] = false
				}
			}
			return true
		})
	})
	return parts
}

// TestNamedTests wants each test that a page names to exist where the page says,
// and each row of a table with a column "test" to name one.
func TestNamedTests(t *testing.T) {
	t.Parallel()
	root, all := pages(t)
	existing := tests(t, root)
	count := 0
	for _, p := range all {
		for _, n := range p.Named() {
			count++
			if existing.Missing(n) {
				t.Errorf("%s:%d: there is no %s in %q; it is in %q", p.Path, n.Line, n.Test, n.Packages, existing[n.Test])
			}
		}
		for _, row := range p.ShownBy() {
			if len(named(row.Line, row.Test)) == 0 && !strings.HasPrefix(row.Test, "layers:") && !strings.HasPrefix(row.Test, "none:") {
				t.Errorf("%s:%d: the column test names no test", p.Path, row.Line)
			}
		}
	}
	if count < 50 {
		t.Errorf("the pages name %d tests: are they read as they are written?", count)
	}
}

// tests are the tests and fuzz targets of the repository.
func tests(t *testing.T, root fs.FS) Tests {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	all := Tests{}
	eachTestFile(t, root, ".", func(name string, text []byte) {
		for _, m := range declared.FindAllSubmatch(text, -1) {
			all[string(m[1])] = append(all[string(m[1])], path.Dir(name))
		}
	})
	return all
}

func eachTestFile(t *testing.T, root fs.FS, below string, do func(name string, text []byte)) {
	t.Helper()
	err := fs.WalkDir(root, below, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && name != "." && strings.HasPrefix(e.Name(), ".") {
			return fs.SkipDir
		}
		if err != nil || e.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(root, name)
		if err == nil {
			do(name, text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLinks wants each link to lead to a file or folder of the repository, and its
// anchor to a heading there.
func TestLinks(t *testing.T) {
	t.Parallel()
	root, all := pages(t)
	anchors := map[string][]string{}
	for _, p := range all {
		anchors[p.Path] = p.Anchors()
	}
	for _, p := range all {
		for _, l := range p.Links() {
			if _, err := fs.Stat(root, l.Path); err != nil {
				t.Errorf("%s:%d: a link leads to %s, which is not there", p.Path, l.Line, l.Path)
			} else if l.Anchor != "" && !slices.Contains(anchors[l.Path], l.Anchor) {
				t.Errorf("%s:%d: %s has no heading %q, only %q", p.Path, l.Line, l.Path, l.Anchor, anchors[l.Path])
			}
		}
	}
}

// TestIndex wants the index to link to each page of its own folder, and to each
// folder of pages.
func TestIndex(t *testing.T) {
	t.Parallel()
	_, all := pages(t)
	linked := map[string]bool{"docs/README.md": true}
	for _, p := range all {
		if p.Path == "docs/README.md" {
			for _, l := range p.Links() {
				linked[l.Path] = true
			}
		}
	}
	for _, p := range all {
		if strings.HasPrefix(p.Path, "docs/") && !linked[p.Path] && !linked[path.Dir(p.Path)] {
			t.Errorf("docs/README.md has no link to %s, nor to its folder", p.Path)
		}
	}
}
