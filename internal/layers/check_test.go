package layers_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// source is one parsed file of the tree.
type source struct {
	pkg   string // folder below the module, "internal/store"
	name  string // of the file
	lines int
	fset  *token.FileSet
	file  *ast.File
}

func (s source) isTest() bool { return strings.HasSuffix(s.name, "_test.go") }

func (s source) at(pos token.Pos) string {
	return fmt.Sprintf("%s/%s:%d", s.pkg, s.name, s.fset.Position(pos).Line)
}

// imported is an import of a file and the name that it has there.
type imported struct{ name, path string }

func (s source) imports() []imported {
	var all []imported
	for _, spec := range s.file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has accepted it
		}
		name := path.Base(p)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		all = append(all, imported{name, p})
	}
	return all
}

// matches says whether a package is meant by a pattern.
func matches(pattern, pkg string) bool {
	if folder, ok := strings.CutSuffix(pattern, "/*"); ok {
		rest, below := strings.CutPrefix(pkg, folder+"/")
		return below && !strings.Contains(rest, "/")
	}
	return pattern == pkg
}

func matchesAny(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, pkg) })
}

// layerOf returns the number of a package's line; an exact one goes before a
// pattern. -1: none.
func layerOf(pkg string) int {
	found := -1
	for i, line := range layers() {
		if slices.Contains(line, pkg) {
			return i
		}
		if matchesAny(line, pkg) {
			found = i
		}
	}
	return found
}

// onlyOf returns the list that narrows a package's imports.
func onlyOf(pkg string) ([]string, bool) {
	if list, ok := only()[pkg]; ok {
		return list, true
	}
	for pattern, list := range only() {
		if matches(pattern, pkg) {
			return list, true
		}
	}
	return nil, false
}

// check returns what is wrong with one file, a line for each.
func check(s source) []string {
	var wrong []string
	wrong = append(wrong, checkEdges(s)...)
	wrong = append(wrong, checkFences(s)...)
	wrong = append(wrong, checkSizes(s)...)
	wrong = append(wrong, checkComments(s)...)
	return wrong
}

// checkEdges holds the file's imports of ours to the layers.
func checkEdges(s source) []string {
	if s.isTest() {
		return nil
	}
	var wrong []string
	for _, i := range s.imports() {
		to, ours := strings.CutPrefix(i.path, module+"/")
		if !ours {
			continue
		}
		if why := badEdge(s.pkg, to); why != "" {
			wrong = append(wrong, fmt.Sprintf("%s/%s: %s must not import %s: %s", s.pkg, s.name, s.pkg, to, why))
		}
	}
	return wrong
}

func badEdge(from, to string) string {
	list, narrowed := onlyOf(from)
	switch {
	case isTestSupport(from):
		return ""
	case isTestSupport(to):
		return "it is for tests"
	case matchesAny(wiring(), to) && !matches("cmd/*", from):
		return "only cmd and tests do"
	case narrowed && !matchesAny(list, to):
		return fmt.Sprintf("it imports only %v", list)
	case to == "simulator": // only cmd comes as far as this
		return ""
	case layerOf(from) < 0:
		return "it has no line in the table of layers"
	case layerOf(to) < 0:
		return "that has no line in the table of layers"
	case layerOf(to) >= layerOf(from):
		return "that is not in a layer below"
	}
	return ""
}

// checkFences holds the file to the fences, and forbids init.
func checkFences(s source) []string {
	var wrong []string
	for _, f := range fences() {
		if s.isTest() && f.tests || matchesAny(f.allowed, s.pkg) || isTestSupport(s.pkg) && f.tests {
			continue
		}
		for _, i := range s.imports() {
			if !within(f.path, i.path) {
				continue
			}
			for _, at := range uses(s, i.name, f.names) {
				wrong = append(wrong, fmt.Sprintf("%s: %s %v: %s", at, i.path, f.names, f.why))
			}
		}
	}
	for _, decl := range s.file.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			wrong = append(wrong, s.at(fn.Pos())+": init: whatever has to be set up is set up by a constructor")
		}
	}
	return wrong
}

func within(pattern, p string) bool {
	folder, below := strings.CutSuffix(pattern, "/...")
	return p == folder || below && strings.HasPrefix(p, folder+"/")
}

// uses returns where identifiers of an imported package are used; without
// identifiers, the import itself.
func uses(s source, name string, identifiers []string) []string {
	if len(identifiers) == 0 {
		return []string{s.at(s.file.Package)}
	}
	var found []string
	ast.Inspect(s.file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && slices.Contains(identifiers, sel.Sel.Name) {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == name {
				found = append(found, s.at(sel.Pos()))
			}
		}
		return true
	})
	return found
}

func checkSizes(s source) []string {
	var wrong []string
	if s.lines > maxFile && !ast.IsGenerated(s.file) {
		wrong = append(wrong, fmt.Sprintf("%s/%s: %d lines: a file has at most %d", s.pkg, s.name, s.lines, maxFile))
	}
	for _, decl := range s.file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		if lines := linesOf(s, fn); lines > maxFunction {
			wrong = append(wrong, fmt.Sprintf("%s: %s has %d lines: a function has at most %d", s.at(fn.Pos()), fn.Name.Name, lines, maxFunction))
		}
	}
	return wrong
}

// linesOf counts a function's lines without those of literals: a table of data
// may be long.
func linesOf(s source, fn *ast.FuncDecl) int {
	span := func(n ast.Node) int { return s.fset.Position(n.End()).Line - s.fset.Position(n.Pos()).Line }
	lines := span(fn) + 1
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if ok {
			lines -= span(literal)
		}
		return !ok
	})
	return lines
}

func checkComments(s source) []string {
	var wrong []string
	for _, group := range s.file.Comments {
		for _, c := range group.List {
			for _, word := range unfinished() {
				if strings.Contains(c.Text, word) {
					wrong = append(wrong, fmt.Sprintf("%s: a comment says %s: finish it, or file an issue", s.at(c.Pos()), word))
				}
			}
		}
	}
	if s.isTest() {
		return wrong
	}
	for _, decl := range s.file.Decls {
		for _, name := range undocumented(decl) {
			wrong = append(wrong, fmt.Sprintf("%s: %s has no comment", s.at(decl.Pos()), name))
		}
	}
	return wrong
}

// wellKnown are methods whose names say all: those of the standard interfaces.
func wellKnown() []string {
	return []string{"Error", "Unwrap", "String", "GoString", "Format", "LogValue", "MarshalJSON", "UnmarshalJSON", "MarshalText", "ServeHTTP"}
}

// undocumented returns the exported names of a declaration without a comment.
func undocumented(decl ast.Decl) []string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		method := d.Recv != nil
		if method && (!ast.IsExported(receiver(d)) || slices.Contains(wellKnown(), d.Name.Name)) {
			return nil
		}
		if d.Name.IsExported() && d.Doc == nil {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		var names []string
		for _, spec := range d.Specs {
			if t, ok := spec.(*ast.TypeSpec); ok && t.Name.IsExported() && d.Doc == nil && t.Doc == nil {
				names = append(names, t.Name.Name)
			}
		}
		return names
	}
	return nil
}

// receiver returns the name of a method's type.
func receiver(fn *ast.FuncDecl) string {
	t := fn.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}
