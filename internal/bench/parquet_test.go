package main

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestParquetChild(t *testing.T) {
	t.Parallel()
	c, err := testBench(t).writeCorpus("okta.ndjson", 500)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"child-parquet", c.path, "10"}, &out, t.Output()); err != nil {
		t.Fatal(err)
	}
	var got parqueted
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if objects := int(10*c.bytes/batchBytes) + 1; got.Rows != 5_000 || got.Objects != objects || got.Bytes == 0 || got.Bytes > 10*c.bytes || len(got.Peaks) != 10 {
		t.Errorf("%+v of %d bytes; want 5000 rows in %d objects, and ten looks at the memory", got, 10*c.bytes, objects)
	}
}
