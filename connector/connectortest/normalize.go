package connectortest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/internal/encode"
	"selvedge/ocsf/ocsftest"
)

// Processed is metadata.processed_time of the events of these tests.
func Processed() time.Time { return time.UnixMilli(1795375500000) }

// Golden holds the events that come of testdata/ocsf-records.ndjson, one record
// a line, against testdata/ocsf-golden.ndjson, byte for byte. Each must be
// valid. With update the golden file is written anew.
func Golden(t *testing.T, app connector.App, stream string, update bool) {
	t.Helper()
	records, err := os.ReadFile(filepath.Join("testdata", "ocsf-records.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	n := encode.NewNormalizer(app)
	for raw := range bytes.Lines(records) {
		from := len(got)
		got, _ = n.Append(got, stream, "", bytes.TrimSpace(raw), Processed())
		ocsftest.MustValidate(t, got[from:])
	}
	golden := filepath.Join("testdata", "ocsf-golden.ndjson")
	if update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzNormalize holds that any bytes become a valid event, without a panic on
// the way. The seeds are records of the application.
func FuzzNormalize(f *testing.F, app connector.App, stream string, seeds ...string) {
	f.Helper()
	for _, s := range append(seeds, "{}", "[]", "nope", `{"`) {
		f.Add([]byte(s))
	}
	n := encode.NewNormalizer(app)
	f.Fuzz(func(t *testing.T, raw []byte) {
		line, outcome := n.Append(nil, stream, "id", raw, Processed())
		ocsftest.MustValidate(t, line)
		if outcome.Base && strings.Contains(outcome.Why.Error(), "panic") {
			t.Error(outcome.Why)
		}
	})
}
