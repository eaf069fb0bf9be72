package layers_test

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

// changedVariables returns where a package's variable is written after its
// declaration: tables of the package are for reading. Writing through a pointer,
// or a function that the variable is handed to, is not seen.
func changedVariables(sources []source) []string {
	variables := make(map[string]map[string]bool) // by package
	for _, s := range sources {
		if variables[s.pkg] == nil {
			variables[s.pkg] = make(map[string]bool)
		}
		for _, name := range packageVariables(s.file) {
			variables[s.pkg][name] = true
		}
	}
	var wrong []string
	for _, s := range sources {
		if s.isTest() {
			continue
		}
		for _, id := range written(s.file) {
			if variables[s.pkg][id.Name] && !isLocal(s.file, id) {
				wrong = append(wrong, s.at(id.Pos())+": the package's variable "+id.Name+" is written: keep it in a value that a constructor makes")
			}
		}
	}
	return wrong
}

func packageVariables(file *ast.File) []string {
	var names []string
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.VAR {
			continue
		}
		for _, spec := range gen.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok {
				for _, name := range v.Names {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// written returns the variables that are assigned to, whole or in part, counted
// up or down, or deleted from.
func written(file *ast.File) []*ast.Ident {
	var found []*ast.Ident
	add := func(e ast.Expr) {
		if id := base(e); id != nil {
			found = append(found, id)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, e := range n.Lhs {
					add(e)
				}
			}
		case *ast.IncDecStmt:
			add(n.X)
		case *ast.CallExpr:
			if fn, ok := n.Fun.(*ast.Ident); ok && (fn.Name == "delete" || fn.Name == "clear") && len(n.Args) > 0 {
				add(n.Args[0])
			}
		}
		return true
	})
	return found
}

// base returns the variable that an expression is a part of.
func base(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// isLocal says whether a name means a variable of a function. One of another
// file of the package is not resolved by the parser.
func isLocal(file *ast.File, id *ast.Ident) bool {
	return id.Obj != nil && file.Scope.Lookup(id.Name) != id.Obj
}

func TestChangedVariables(t *testing.T) {
	t.Parallel()
	const table = "package p\n\nvar table = map[string][]int{}\n\n"
	tests := []struct {
		name, text string
		want       bool
	}{
		{"read", "func f() int { return table[\"a\"][0] }", false},
		{"assigned", "func f() { table = nil }", true},
		{"assigned in part", "func f() { table[\"a\"][0] = 1 }", true},
		{"counted", "func f() { table[\"a\"][0]++ }", true},
		{"deleted from", "func f() { delete(table, \"a\") }", true},
		{"cleared", "func f() { clear(table) }", true},
		{"a local one of the same name", "func f() { table := 1; table = 2; _ = table }", false},
		{"a parameter of the same name", "func f(table int) { table = 2; _ = table }", false},
		{"a member of the same name", "func f(s struct{ table int }) { s.table = 2 }", false},
	}
	for _, test := range tests {
		for _, files := range [][]string{{table + test.text}, {table, "package p\n\n" + test.text}} {
			var sources []source
			for i, text := range files {
				s, err := parse("sink/"+strings.Repeat("a", i+1)+".go", []byte(text))
				if err != nil {
					t.Fatal(err)
				}
				sources = append(sources, s)
			}
			if got := changedVariables(sources); (len(got) > 0) != test.want {
				t.Errorf("%s, in %d files: found %q, want %t", test.name, len(files), got, test.want)
			}
		}
	}
}
