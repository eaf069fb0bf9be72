package audit_test

import (
	"path/filepath"
	"testing"

	"selvedge/internal/audit"
)

// What a call pays for its record.
func BenchmarkRecord(b *testing.B) {
	trail, err := audit.Open(audit.Options{Path: filepath.Join(b.TempDir(), "trail.ndjson")})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = trail.Close() }()
	call := numbered(1)
	call.Parameters = map[string]any{"appBundleIdentifier": "11111111-0000-4000-8000-000000000000", "maxResults": 100}
	for b.Loop() {
		if err := trail.Record(call); err != nil {
			b.Fatal(err)
		}
	}
}
