package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"selvedge/simulator"
)

// TestParquetBesideJSON: a destination of the format parquet gets every event
// that the one beside it gets as JSON, in objects of its own.
func TestParquetBesideJSON(t *testing.T) {
	t.Parallel()
	tool(t, "aws")
	sim, origins := simulated(t, simulator.Options{Seed: 5})
	emit(t, sim.Okta().Emit, 120, 0)
	p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "1s")
	col := collectOkta(t, p, sim)
	arn := strings.TrimSpace(p.bash(t, walkThrough(t, "docs/parquet.md: create"), "BUNDLE="+col.bundle, "INGESTION="+col.ingestion))
	id := arn[strings.LastIndex(arn, "/")+1:]
	eventually(t, 30*time.Second, "all events are delivered as Parquet", func() error {
		if rows := parquetRows(t, col.dir, id); rows != 120 {
			return fmt.Errorf("%d rows of 120", rows)
		}
		return nil
	})
	eventually(t, 30*time.Second, "all events are delivered as JSON", col.complete(t, 120))
	p.stop(t)
}

// parquetRows counts the rows of a destination's objects.
func parquetRows(t *testing.T, buckets, destination string) int64 {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(buckets, bucket, "AWSAppFabric", "AuditLog", "OCSF", "PARQUET", "OKTA", "*", destination, "*", "AuditLog-*"))
	if err != nil {
		t.Fatal(err)
	}
	var rows int64
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parquet.OpenFile(bytes.NewReader(text), int64(len(text)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		rows += f.NumRows()
	}
	return rows
}
