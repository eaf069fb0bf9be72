package encode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"selvedge/connector"
	"selvedge/ocsf"
)

// LogProvider is metadata.log_provider of every event.
const LogProvider = "Selvedge"

// Outcome is what became of one record.
type Outcome struct {
	Base     bool  // the record could not be mapped; its line is a base event
	Why      error // of Base: what was wrong. It may quote the record
	Replaced int   // bytes of the record that were no UTF-8
}

// errUnfit is a mapping's mistake: it was content, its event is not.
var errUnfit = errors.New("encode: the event lacks what its class requires")

// Normalizer turns the records of one application into OCSF. It is safe for
// concurrent use.
type Normalizer struct {
	app    connector.App
	events sync.Pool
}

// NewNormalizer returns the normalizer of an application.
func NewNormalizer(app connector.App) *Normalizer {
	return &Normalizer{app: app, events: sync.Pool{New: func() any { return new(ocsf.Event) }}}
}

// Append appends one line, a valid OCSF event and LF, whatever raw holds. The
// recordID, which may be empty, is metadata.uid where the mapping gives none;
// processed is metadata.processed_time. The stream may be empty too: the record's
// shape tells it then, and a record of the shape of none is a base event.
func (n *Normalizer) Append(dst []byte, stream, recordID string, raw []byte, processed time.Time) ([]byte, Outcome) {
	e, out := n.event(stream, recordID, raw, processed)
	dst = append(e.AppendJSON(dst), '\n')
	out.Replaced = n.release(e)
	return dst, out
}

// Write writes the event that Append appends as a row of a Parquet file.
func (n *Normalizer) Write(p *Parquet, stream, recordID string, raw []byte, processed time.Time) (Outcome, error) {
	e, out := n.event(stream, recordID, raw, processed)
	err := p.write(e)
	out.Replaced = n.release(e)
	return out, err
}

// event makes the event of a record. It is to be released.
func (n *Normalizer) event(stream, recordID string, raw []byte, processed time.Time) (*ocsf.Event, Outcome) {
	e := n.events.Get().(*ocsf.Event) //nolint:forcetypeassert // the pool holds nothing else
	e.Reset()
	err := n.normalize(stream, raw, e)
	if err != nil {
		n.base(e, raw, processed)
	}
	e.Raw = raw
	if e.Metadata.UID == "" {
		e.Metadata.UID = recordID
	}
	e.Metadata.LogProvider = LogProvider
	e.Metadata.ProcessedTime = processed.UnixMilli()
	return e, Outcome{Base: err != nil, Why: err}
}

// release takes back an event that was written, and tells how much of it was
// replaced. The event keeps its memory, not the caller's.
func (n *Normalizer) release(e *ocsf.Event) (replaced int) {
	replaced = e.Replaced
	e.Raw = nil
	n.events.Put(e)
	return replaced
}

// normalize runs the mapping. A mapping that panics or gives what is no event
// of its class has failed like any other.
func (n *Normalizer) normalize(stream string, raw []byte, e *ocsf.Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("encode: normalize a record of %s: panic: %v", n.app.Name, p)
		}
	}()
	if stream == "" {
		if stream, err = n.app.StreamOf(raw); err != nil {
			return fmt.Errorf("encode: %w", err)
		}
	}
	if err := n.app.Normalize(stream, raw, e); err != nil {
		return fmt.Errorf("encode: normalize a record of %s: %w", n.app.Name, err)
	}
	if !e.Fits() {
		return errUnfit
	}
	return nil
}

// base makes e the base event of a record that could not be mapped. What the
// mapping found out before it failed is dropped, but for the identifier.
func (n *Normalizer) base(e *ocsf.Event, raw []byte, processed time.Time) {
	uid, version := e.Metadata.UID, e.Metadata.LogVersion
	e.Clear()
	e.Class = ocsf.BaseEvent
	e.Time = processed.UnixMilli()
	e.Metadata.UID = uid
	e.Metadata.LogVersion = version
	e.Metadata.Product = ocsf.Product{Name: n.app.Title, UID: strings.ToLower(n.app.Name), Vendor: n.app.Title}
	e.RawText = !json.Valid(raw)
}

// AppendRaw appends the RAW line of a record: its own bytes without
// insignificant white space, and LF. Each byte that is no UTF-8 becomes U+FFFD.
// A record that is no JSON and would take more than a line is written as a JSON
// string.
func AppendRaw(dst, raw []byte) []byte {
	from := len(dst)
	dst = ocsf.AppendCompact(dst, raw)
	line := dst[from:]
	switch {
	case bytes.IndexByte(line, '\n') >= 0:
		dst, _ = ocsf.AppendQuoted(dst[:from], string(raw))
	case !utf8.Valid(line):
		dst = append(dst[:from], string([]rune(string(line)))...)
	}
	return append(dst, '\n')
}
