package layers_test

import (
	"slices"
	"strings"
	"testing"
)

// TestBroken has a small source against each rule, and beside it one that keeps
// it: a rule that finds nothing wrong with anything would hold nothing.
func TestBroken(t *testing.T) {
	t.Parallel()
	imports := func(paths ...string) string {
		return "package p\n\nimport (\n\t_ \"" + strings.Join(paths, "\"\n\t_ \"") + "\"\n)\n"
	}
	const http = "package p\n\nimport \"net/http\"\n\n"
	long := func(n int) string {
		return "package p\n\nfunc f(a int) int {\n" + strings.Repeat("\ta++\n", n) + "\treturn a\n}\n"
	}
	tests := []struct {
		name string
		file string
		text string
		want string // contained in what is found; empty: nothing is
	}{
		{"a layer below", "internal/control/a.go", imports("selvedge/internal/store", "selvedge/internal/fabric"), ""},
		{"a layer above", "internal/store/a.go", imports("selvedge/internal/control"), "not in a layer below"},
		{"the same layer", "internal/wire/a.go", imports("selvedge/internal/console"), "not in a layer below"},
		{"fabric imports nothing", "internal/fabric/a.go", imports("selvedge/sink"), "not in a layer below"},
		{"a package without a line", "internal/new/a.go", imports("selvedge/internal/fabric"), "it has no line"},
		{"to a package without a line", "internal/wire/a.go", imports("selvedge/internal/new"), "that has no line"},
		{"an application", "connector/okta/a.go", imports("selvedge/connector/rest", "selvedge/ocsf"), ""},
		{"an application and the engine", "connector/okta/a.go", imports("selvedge/internal/fabric"), "imports only"},
		{"an application and another", "connector/okta/a.go", imports("selvedge/connector/slack"), "imports only"},
		{"all applications", "connector/all/a.go", imports("selvedge/connector/okta"), ""},
		{"all applications in the engine", "internal/control/a.go", imports("selvedge/connector/all"), "only cmd and tests"},
		{"all applications in cmd", "cmd/selvedge/a.go", imports("selvedge/connector/all", "selvedge/simulator"), ""},
		{"one application in the engine", "internal/pipeline/a.go", imports("selvedge/connector/all"), "only cmd and tests"},
		{"the simulator in the engine", "internal/pipeline/a.go", imports("selvedge/simulator"), "only cmd and tests"},
		{"the simulator in a test", "internal/pipeline/a_test.go", imports("selvedge/simulator"), ""},
		{"the engine in the simulator", "simulator/a.go", imports("selvedge/internal/fabric"), "imports only"},
		{"a suite outside of tests", "internal/pipeline/a.go", imports("selvedge/internal/store/storetest"), "for tests"},
		{"a sink and the engine", "sink/s3/a.go", imports("selvedge/internal/secret"), "imports only"},

		{"SQL in store", "internal/store/a.go", imports("database/sql"), ""},
		{"SQL elsewhere", "internal/control/a.go", imports("database/sql"), "SQL is written only in store"},
		{"SQL below its own package", "internal/control/a.go", imports("database/sql/driver"), "SQL is written only in store"},
		{"SQL among others", "internal/control/a.go", imports("database/sql", "fmt"), "SQL is written only in store"},
		{"another driver", "internal/control/a.go", imports("modernc.org/sqlite"), "SQL is written only in store"},
		{"an HTTP client anywhere", "connector/okta/a.go", http + "var c http.Client\n", ""},
		{"an HTTP server in wire", "internal/wire/a.go", http + "var s http.Server\n", ""},
		{"an HTTP server elsewhere", "internal/control/a.go", http + "var s http.Server\n", "serve HTTP"},
		{"a handler elsewhere", "internal/token/a.go", http + "func f(w http.ResponseWriter) {}\n", "serve HTTP"},
		{"a handler under another name", "internal/token/a.go", "package p\n\nimport web \"net/http\"\n\nvar h web.Handler\n", "serve HTTP"},
		{"a handler in a test", "internal/token/a_test.go", http + "var h http.Handler\n", ""},
		{"the environment in cmd", "cmd/selvedge/a.go", "package p\n\nimport \"os\"\n\nvar e = os.Environ()\n", ""},
		{"the environment elsewhere", "internal/config/a.go", "package p\n\nimport \"os\"\n\nvar e = os.Getenv(\"A\")\n", "only cmd reads"},
		{"the end of the process", "internal/job/a.go", "package p\n\nimport \"os\"\n\nfunc f() { os.Exit(1) }\n", "only cmd ends"},
		{"the standard library's flags", "cmd/selvedge/a.go", imports("flag"), "kong"},
		{"the standard library's log", "internal/job/a.go", imports("log"), "log/slog"},
		{"log/slog", "internal/job/a.go", imports("log/slog"), ""},
		{"sleep in job", "internal/job/a.go", "package p\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n", ""},
		{"sleep elsewhere", "sink/local/a.go", "package p\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n", "only job waits"},
		{"sleep in a test", "sink/local/a_test.go", "package p\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n", "only job waits"},
		{"the schema in the binary", "ocsf/a.go", imports("github.com/valllabh/ocsf-schema-golang/ocsfvalidate"), "for tests"},

		{"init", "sink/a.go", "package p\n\nfunc init() {}\n", "init: "},
		{"a method called init", "sink/a.go", "package p\n\ntype t int\n\nfunc (t) init() {}\n", ""},
		{"a long file", "sink/a.go", "package p\n" + strings.Repeat("\n", 600), "601 lines"},
		{"a file as long as it may be", "sink/a.go", "package p\n" + strings.Repeat("\n", 599), ""},
		{"a long function", "sink/a.go", long(78), "81 lines"},
		{"a function as long as it may be", "sink/a.go", long(77), ""},
		{"a long table", "sink/a.go", "package p\n\nfunc f() []int {\n\treturn []int{\n" + strings.Repeat("\t\t1,\n", 200) + "\t}\n}\n", ""},

		{"an exported function without a comment", "sink/a.go", "package p\n\nfunc F() {}\n", "F has no comment"},
		{"an exported method without a comment", "sink/a.go", "package p\n\n// T is.\ntype T[A any] int\n\nfunc (*T[A]) F() {}\n", "F has no comment"},
		{"a method of an unexported type", "sink/a.go", "package p\n\ntype t int\n\nfunc (t) F() {}\n", ""},
		{"an exported type without a comment", "sink/a.go", "package p\n\ntype T int\n", "T has no comment"},
		{"a method of a standard interface", "sink/a.go", "package p\n\n// T is.\ntype T int\n\nfunc (T) String() string { return \"\" }\n", ""},
		{"with a comment", "sink/a.go", "package p\n\n// T is.\ntype T int\n\n// F does.\nfunc F() {}\n", ""},
		{"an exported function of a test", "sink/a_test.go", "package p\n\nfunc TestF() {}\n", ""},
		{"unfinished work", "sink/a.go", "package p\n\n// " + unfinished()[0] + ": the rest\n", "finish it"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, err := parse(test.file, []byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(check(s), "\n")
			if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
				t.Errorf("found %q, want %q", got, test.want)
			}
		})
	}
}

func TestPackageComment(t *testing.T) {
	t.Parallel()
	var sources []source
	for name, text := range map[string]string{
		"a/a.go": "package a\n", "a/doc.go": "// Package a is.\npackage a\n", "b/b.go": "package b\n", "c/c.go": "// Package c is.\n\npackage c\n",
	} {
		s, err := parse(name, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, s)
	}
	got := withoutComment(sources)
	slices.Sort(got)
	if want := []string{"b", "c"}; !slices.Equal(got, want) {
		t.Errorf("without a comment: %v, want %v", got, want)
	}
}
