package encode

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"selvedge/ocsf"
)

// ParquetType is the media type of a Parquet file.
// https://www.iana.org/assignments/media-types/application/vnd.apache.parquet (checked 2026-11-22)
const ParquetType = "application/vnd.apache.parquet"

// A row group is held in memory, compressed, until it ends. Security Lake asks
// for pages of at most 1 MiB and row groups of at most 256 MiB, and prefers zstd:
// https://docs.aws.amazon.com/security-lake/latest/userguide/custom-sources.html (checked 2026-11-22).
const (
	groupRows  = 20_000
	groupBytes = 64 << 20 // of text, before compression
	pageBytes  = 256<<10 - keepRows*keepText
)

// layout is what created_by of a file tells: which edition of the columns it
// has. It changes with them, and with nothing else: the same events give the
// same bytes.
const layout = "1"

// codec compresses all files. It is safe for concurrent use, and keeps the
// memory of its encoders from one file to the next.
var codec = &zstd.Codec{Level: zstd.SpeedFastest}

// Parquet writes events into one Parquet file, each by Normalizer.Write. It is
// for one goroutine at a time, and of no use after an error.
type Parquet struct {
	file *parquet.GenericWriter[any]
	row  *row
	rows int // of the present row group
}

// NewParquet returns a writer of one file. The library's writers can be reset
// for another file, but are not: in version 0.32.0 all columns of the second
// have an empty name.
func NewParquet(out io.Writer) *Parquet {
	p := &Parquet{row: newRow(columns()), file: parquet.NewGenericWriter[any](out, schema(),
		parquet.Compression(codec),
		parquet.CreatedBy("selvedge", layout, "ocsf "+ocsf.Version),
		parquet.DataPageVersion(1),
		parquet.PageBufferSize(pageBytes),
		// The least and the greatest of these would only be long.
		parquet.SkipPageBounds("raw_data"),
		parquet.SkipPageStatistics("raw_data"),
		parquet.SkipPageBounds("unmapped", "key_value", "value"),
		parquet.SkipPageStatistics("unmapped", "key_value", "value"),
	)}
	p.row.take(p.file.ColumnWriters())
	return p
}

// write appends an event.
func (p *Parquet) write(e *ocsf.Event) error {
	p.row.begin()
	e.Walk(p.row)
	if err := p.row.finish(); err != nil {
		return fmt.Errorf("encode: write a row of Parquet: %w", err)
	}
	if p.rows++; p.rows < groupRows && p.row.bytes < groupBytes {
		return nil
	}
	if err := p.row.flush(); err != nil {
		return fmt.Errorf("encode: write a column of Parquet: %w", err)
	}
	if err := p.file.Flush(); err != nil {
		return fmt.Errorf("encode: write a row group of Parquet: %w", err)
	}
	p.rows, p.row.bytes = 0, 0
	return nil
}

// Close ends the file.
func (p *Parquet) Close() error {
	if err := p.row.flush(); err != nil {
		return fmt.Errorf("encode: write a column of Parquet: %w", err)
	}
	if err := p.file.Close(); err != nil {
		return fmt.Errorf("encode: end a Parquet file: %w", err)
	}
	return nil
}
