package rest_test

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkRecords cuts a page of a thousand records of two kilobytes.
func BenchmarkRecords(b *testing.B) {
	records := make([]string, 1000)
	for i := range records {
		records[i] = fmt.Sprintf(`{"id":"id-%d","actor":{"name":"x","list":[1,2.5,null,{"deep":"\u00e9 text"}]},"detail":{%s},"at":"2026-11-20T10:00:00.000Z"}`,
			i, strings.TrimSuffix(strings.Repeat(`"some member":"some value of it","other":null,"n":12345,`, 34), ","))
	}
	page := []byte("[" + strings.Join(records, ",") + "]")
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cut(page, ""); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(records))/b.Elapsed().Seconds(), "records/s")
}
