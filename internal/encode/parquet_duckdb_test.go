package encode

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector/all"
)

// duckDB runs statements in DuckDB, which shares no code with the library that
// writes: https://duckdb.org (checked 2026-11-22). It gives the rows of each.
func duckDB(t *testing.T, statements ...string) [][]map[string]any {
	t.Helper()
	lacks := func(what string) {
		t.Helper()
		if os.Getenv("CI") == "true" {
			t.Fatalf("this machine lacks %s", what)
		}
		t.Skipf("this machine lacks %s", what)
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			lacks(tool)
		}
	}
	dir := filepath.Join(t.TempDir(), "duckdb")
	if err := os.CopyFS(dir, os.DirFS("testdata/duckdb")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	// Not npm ci, which wants every platform's package in the lock file.
	install := exec.CommandContext(ctx, "npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		lacks("a package registry for npm install: " + string(out))
	}
	program, err := json.Marshal(statements)
	if err != nil {
		t.Fatal(err)
	}
	var report bytes.Buffer
	query := exec.CommandContext(ctx, "node", "query.js")
	query.Dir, query.Stdin, query.Stderr = dir, bytes.NewReader(program), &report
	out, err := query.Output()
	if err != nil {
		t.Fatalf("query.js: %v: %s", err, report.String())
	}
	var answers [][]map[string]any
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatal(err)
	}
	return answers
}

// TestDuckDBReadsTheSameEvents writes the golden records of every application
// into files, and holds what another engine reads of them, in every column,
// against the JSON lines of the same events. It makes the page's view too.
func TestDuckDBReadsTheSameEvents(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var want []any
	for _, app := range all.Apps() {
		folder := strings.ToLower(strings.Replace(app.Name, "1", "one", 1))
		records, err := os.ReadFile(filepath.Join("../../connector", folder, "testdata/ocsf-records.ndjson"))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		n := NewNormalizer(app)
		var file bytes.Buffer
		p := NewParquet(&file)
		for raw := range bytes.Lines(records) {
			raw = bytes.TrimSpace(raw)
			line, _ := n.Append(nil, "s", "id", raw, time.UnixMilli(1795375500000))
			var event any
			if err := json.Unmarshal(line, &event); err != nil {
				t.Fatal(err)
			}
			want = append(want, event)
			if _, err := n.Write(p, "s", "id", raw, time.UnixMilli(1795375500000)); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, app.Name+".parquet"), file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	answers := duckDB(t,
		"SET threads = 1",
		"CREATE VIEW ocsf_events AS SELECT * FROM read_parquet('"+dir+"/*.parquet')",
		"SELECT CAST(to_json(e) AS varchar) AS event FROM ocsf_events e",
		"DESCRIBE ocsf_events",
		docsView(t),
		"DESCRIBE appfabric_2023",
		"SELECT count(*) AS n, count(actor.user.uid) AS actors, count(http_request.url) AS urls, min(class_uid) AS least FROM appfabric_2023",
	)
	var got []any
	for _, row := range answers[2] {
		var event any
		text, _ := row["event"].(string)
		if err := json.Unmarshal([]byte(text), &event); err != nil {
			t.Fatal(err)
		}
		got = append(got, withoutNull(event))
	}
	if diff := cmp.Diff(byText(want), byText(got)); diff != "" {
		t.Errorf("(-json +duckdb):\n%s", diff)
	}
	checkTypes(t, answers[3], func() map[string]string {
		types := map[string]string{}
		for _, c := range columns() {
			types[c.name] = hive(c)
		}
		return types
	}())
	checkTypes(t, answers[5], sample())
	if n := answers[6][0]; n["n"] == "0" || n["actors"] == "0" || n["urls"] == "0" || n["least"] != "2004" && n["least"] != "3001" && n["least"] != "0" {
		t.Errorf("the view gives %v", n)
	}
}

// docsView is the view of the page.
func docsView(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/parquet.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```sql\nCREATE OR REPLACE VIEW")
	view, _, ok := strings.Cut(rest, ";\n```")
	if !ok {
		t.Fatal("docs/parquet.md has no view")
	}
	// The two engines write the type of a list differently; nothing else.
	return "CREATE OR REPLACE VIEW" + strings.NewReplacer("ARRAY(varchar)", "varchar[]", "ARRAY(real)", "real[]").Replace(view)
}

// checkTypes holds what DuckDB describes against types as DDL has them.
func checkTypes(t *testing.T, described []map[string]any, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for _, row := range described {
		name, _ := row["column_name"].(string)
		kind, _ := row["column_type"].(string)
		got[name] = hiveOf(kind)
	}
	want = maps.Clone(want)
	for name := range want {
		want[name] = strings.ReplaceAll(want[name], "`", "")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("types (-want +duckdb):\n%s", diff)
	}
}

// hiveOf is a type of DuckDB's in the words of Glue.
func hiveOf(kind string) string {
	if of, ok := strings.CutSuffix(kind, "[]"); ok {
		return "array<" + hiveOf(of) + ">"
	}
	inner, ok := strings.CutPrefix(kind, "STRUCT(")
	if !ok {
		return strings.NewReplacer("VARCHAR", "string", "INTEGER", "int", "BIGINT", "bigint", "DOUBLE", "double", "FLOAT", "float",
			"BOOLEAN", "boolean", "MAP(string, string)", "map<string,string>", "MAP(VARCHAR, VARCHAR)", "map<string,string>").Replace(kind)
	}
	var fields []string
	depth, from := 0, 0
	inner = strings.TrimSuffix(inner, ")") + ","
	for i, c := range inner {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				name, of, _ := strings.Cut(strings.TrimSpace(inner[from:i]), " ")
				fields = append(fields, strings.Trim(name, `"`)+":"+hiveOf(of))
				from = i + 1
			}
		}
	}
	return "struct<" + strings.Join(fields, ",") + ">"
}

// withoutNull leaves out the members that are null.
func withoutNull(value any) any {
	switch v := value.(type) {
	case map[string]any:
		maps.DeleteFunc(v, func(_ string, member any) bool { return member == nil })
		for name, member := range v {
			v[name] = withoutNull(member)
		}
	case []any:
		for i := range v {
			v[i] = withoutNull(v[i])
		}
	}
	return value
}

// byText sorts events, whose order is that of the files' names.
func byText(events []any) []any {
	text := func(e any) string {
		b, _ := json.Marshal(e) //nolint:errchkjson // it was JSON
		return string(b)
	}
	return slices.SortedFunc(slices.Values(events), func(a, b any) int { return strings.Compare(text(a), text(b)) })
}
