package layers_test

import "strings"

const module = "selvedge"

// layers lists the packages from the bottom up: a package imports those of the
// lines below its own, never one of its own line or above. "connector/*" is the
// application folders. A package that is not here imports nothing of ours and
// is imported by nobody, until it has a line.
func layers() [][]string {
	return [][]string{
		{"internal/fabric"},
		{"ocsf", "sink", "internal/secret", "internal/sigv4", "internal/iam", "internal/metric", "internal/certificate"},
		{"connector", "internal/store", "internal/secret/kms", "sink/awscall"},
		{"connector/rest", "connector/mapping", "internal/outbound", "internal/job", "internal/encode", "internal/audit", "sink/*"},
		{"connector/*", "internal/token", "internal/config", "internal/notify"},
		{"connector/all", "internal/control", "internal/pipeline", "internal/doctor"},
		{"internal/wire", "internal/console"},
		{"cmd/*"},
	}
}

// only narrows what a package may import of ours to a list. The longest
// pattern that fits a package counts.
func only() map[string][]string {
	return map[string][]string{
		"simulator":         {}, // it must not share a mistake with what it tests
		"connector/*":       {"connector", "connector/rest", "connector/mapping", "ocsf"},
		"connector/mapping": {"connector", "ocsf"},
		"connector/rest":    {"connector", "ocsf"},
		"connector/all":     {"connector", "connector/*"},
		"connector":         {"ocsf", "internal/fabric"},
		"sink/*":            {"sink", "sink/awscall", "internal/fabric"},
		"internal/config":   {"internal/fabric", "internal/outbound"},
		"internal/audit":    {"internal/fabric"},
	}
}

// wiring lists packages that only cmd, tests and the packages of tests import.
func wiring() []string { return []string{"connector/all", "simulator", "internal/config"} }

// isTestSupport says whether a package exists for tests: it may import all, and
// only tests, and others of its kind, import it.
func isTestSupport(pkg string) bool {
	return strings.HasSuffix(pkg, "test") || pkg == "e2e" || strings.HasPrefix(pkg, "e2e/") || pkg == "internal/bench" || pkg == "internal/layers"
}

// fence keeps something of another module, or of the standard library, within
// the packages that it is for.
type fence struct {
	path    string   // of the package; with "/..." at its end, of those below it too
	names   []string // the identifiers meant; none: importing it at all
	allowed []string // packages of ours, patterns as in layers
	tests   bool     // tests everywhere are allowed too
	why     string
}

func fences() []fence {
	server := []string{
		"Handler", "HandlerFunc", "ResponseWriter", "Server", "ServeMux", "NewServeMux", "Handle", "HandleFunc", "Serve", "ServeTLS",
		"ListenAndServe", "ListenAndServeTLS", "Error", "Redirect", "NotFound", "SetCookie", "MaxBytesReader", "Flusher", "Hijacker",
	}
	servers := []string{"internal/wire", "internal/console", "simulator", "cmd/*", "internal/metric"}
	const sql = "SQL is written only in store"
	return []fence{
		{"database/sql/...", nil, []string{"internal/store"}, true, sql},
		{"modernc.org/sqlite/...", nil, []string{"internal/store"}, false, sql},
		{"github.com/jackc/pgx/v5/...", nil, []string{"internal/store"}, true, sql},
		{"github.com/pressly/goose/v3/...", nil, []string{"internal/store"}, false, sql},
		{"net/http", server, servers, true, "only wire and console serve HTTP (metric has Prometheus's handler)"},
		{"os", []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv", "Setenv"}, []string{"cmd/*"}, true, "only cmd reads the environment"},
		{"os", []string{"Exit"}, []string{"cmd/*"}, true, "only cmd ends the process"},
		{"flag/...", nil, nil, true, "cmd reads the command line with kong"},
		{"log", nil, nil, false, "logs go through log/slog"},
		{"time", []string{"Sleep"}, []string{"internal/job", "simulator"}, false, "only job waits; a test waits for a signal, or for a fake clock"},
		{"github.com/parquet-go/parquet-go/...", nil, []string{"internal/encode"}, true, "Parquet is written only in encode"},
		{"github.com/valllabh/ocsf-schema-golang/...", nil, nil, true, "the schema export is for tests, it is not in the binary"},
	}
}

// The sizes that nothing goes beyond. Files near 200 lines and functions near
// 40 read best.
const (
	maxFile     = 600
	maxFunction = 80
)

// unfinished are words that a comment in finished work does not have.
func unfinished() []string { return []string{"TO" + "DO", "FIX" + "ME", "XX" + "X"} }
