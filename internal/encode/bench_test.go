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

// BenchmarkParquetOkta is raw record to a row, in objects of 8 MiB of records as
// deliveries write them; an operation is one event.
func BenchmarkParquetOkta(b *testing.B) {
	const object = 8 << 20
	records := oktaRecords(b, 5000, 1)
	n, at := oktaNormalizer(), time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	var size, written int
	out := writerFunc(func(p []byte) (int, error) { written += len(p); return len(p), nil })
	p, open := encode.NewParquet(out), 0
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		raw := records[i%len(records)]
		if _, err := n.Write(p, "logs", "", raw, at); err != nil {
			b.Fatal(err)
		}
		size += len(raw)
		if open += len(raw); open >= object {
			if err := p.Close(); err != nil {
				b.Fatal(err)
			}
			p, open = encode.NewParquet(out), 0
		}
	}
	if err := p.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(size / b.N))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(written)/float64(size), "out/in")
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

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
