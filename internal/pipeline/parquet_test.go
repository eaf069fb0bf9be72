package pipeline_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"selvedge/internal/fabric"
	"selvedge/sink"
)

// TestParquetIsDeliveredBesideJSON: the same batch goes to a destination of
// either format, with the rows that the other has lines; and again with the same
// bytes under the same key, when an answer is lost.
func TestParquetIsDeliveredBesideJSON(t *testing.T) {
	t.Parallel()
	r := newRig(t, destinations(ocsfJSON(), fabric.Processing{Schema: fabric.SchemaOCSF, Format: fabric.FormatParquet}))
	r.collected(records(1, 2, 3))
	var put []sink.Object
	r.buckets.fail = func(o sink.Object) error {
		if !strings.Contains(o.Key, r.made.Destinations[1].ID) {
			return nil
		}
		o.Body = bytes.Clone(o.Body)
		if put = append(put, o); len(put) < 2 {
			return errors.New("the answer was lost")
		}
		return nil
	}
	for range 2 {
		r.deliverAll()
		r.pass(time.Hour)
	}
	if len(put) != 2 || put[0].Key != put[1].Key || !bytes.Equal(put[0].Body, put[1].Body) {
		t.Fatalf("put %d times, and differently", len(put))
	}
	o := put[0]
	if !strings.HasPrefix(o.Key, "AWSAppFabric/AuditLog/OCSF/PARQUET/SCRIPT/") || strings.Contains(o.Key[strings.LastIndex(o.Key, "/"):], ".") {
		t.Errorf("key %s", o.Key)
	}
	if o.ContentType != "application/vnd.apache.parquet" {
		t.Errorf("content type %s", o.ContentType)
	}
	f, err := parquet.OpenFile(bytes.NewReader(o.Body), int64(len(o.Body)))
	if err != nil {
		t.Fatal(err)
	}
	if lines := len(r.lines(r.made.Destinations[0])); f.NumRows() != int64(lines) || lines != 3 {
		t.Errorf("%d rows, %d lines, want 3", f.NumRows(), lines)
	}
	if got := len(r.objects(r.made.Destinations[1])); got != 1 {
		t.Errorf("%d objects, want 1", got)
	}
	if r.seen.base != 6 {
		t.Errorf("%d base events counted, want 6", r.seen.base)
	}
}
