package encode_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/connector/okta"
	"selvedge/connector/terraformcloud"
	"selvedge/internal/encode"
)

func oktaNormalizer() *encode.Normalizer {
	return encode.NewNormalizer(connector.App{Name: "OKTA", Title: "Okta", Normalize: okta.Normalize})
}

func terraformNormalizer() *encode.Normalizer {
	return encode.NewNormalizer(connector.App{Name: "TERRAFORMCLOUD", Title: "Terraform Cloud", Normalize: terraformcloud.Normalize})
}

// BenchmarkNormalizeOkta is raw record to OCSF line, one CPU; an operation is
// one event.
func BenchmarkNormalizeOkta(b *testing.B) {
	records := oktaRecords(b, 5000, 1)
	n, at := oktaNormalizer(), time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	var line []byte
	var size int
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		raw := records[i%len(records)]
		line, _ = n.Append(line[:0], "logs", "", raw, at)
		size += len(raw)
	}
	b.SetBytes(int64(size / b.N))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkCompact is the RAW line beside json.Compact.
func BenchmarkCompact(b *testing.B) {
	records := oktaRecords(b, 1000, 1)
	b.Run("AppendRaw", func(b *testing.B) {
		var line []byte
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			line = encode.AppendRaw(line[:0], records[i%len(records)])
		}
	})
	b.Run("json.Compact", func(b *testing.B) {
		var line bytes.Buffer
		for i := 0; b.Loop(); i++ {
			line.Reset()
			if err := json.Compact(&line, records[i%len(records)]); err != nil {
				b.Fatal(err)
			}
		}
	})
}
