package pipeline

import (
	"bytes"

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

// parquet makes the bytes of a Parquet object.
func (d *Deliverer) parquet(dv store.Delivery, to *rendered) (add func(connector.Record) error, end func() error) {
	body := bytes.NewBuffer(make([]byte, 0, dv.Bytes/shrink))
	file := encode.NewParquet(body)
	add = func(r connector.Record) error {
		o, err := d.normalizers[dv.App].Write(file, dv.Stream, r.ID, r.Raw, dv.ClosedAt)
		to.note(o)
		return err
	}
	end = func() error {
		err := file.Close()
		to.text = body.Bytes()
		return err
	}
	return add, end
}
