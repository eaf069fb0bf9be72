package pipeline

import (
	"bytes"
	"fmt"

	"selvedge/connector"
	"selvedge/internal/encode"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

// shrink is about how many bytes of a record become one of Parquet.
const shrink = 2

// contentType is the media type of a delivery's object.
func contentType(dv store.Delivery) string {
	if dv.Destination.Processing.Format == fabric.FormatParquet {
		return encode.ParquetType
	}
	return contentTypeJSONL
}

// renderParquet makes the bytes of a Parquet object of records of size bytes.
// The records are let go on the way.
func (d *Deliverer) renderParquet(dv store.Delivery, batch [][]connector.Record, size int) (rendered, error) {
	var made rendered
	body := bytes.NewBuffer(make([]byte, 0, size/shrink))
	file := encode.NewParquet(body)
	for i, records := range batch {
		for _, r := range records {
			outcome, err := d.normalizers[dv.App].Write(file, dv.Stream, r.ID, r.Raw, dv.ClosedAt)
			if err != nil {
				return rendered{}, fmt.Errorf("pipeline: write batch %s: %w", dv.BatchID, err)
			}
			if outcome.Base {
				made.base++
			}
			made.replaced += outcome.Replaced
		}
		batch[i] = nil
	}
	if err := file.Close(); err != nil {
		return rendered{}, fmt.Errorf("pipeline: write batch %s: %w", dv.BatchID, err)
	}
	made.text = body.Bytes()
	return made, nil
}
