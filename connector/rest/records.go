package rest

import (
	"errors"
	"slices"
	"time"

	"selvedge/connector"
)

// Identify finds the identifier and the time of a record, and leaves empty what is
// not there.
type Identify func(record Doc) (id string, at time.Time)

// By identifies records by a member alone, a text or a number.
func By(path string) Identify {
	return func(d Doc) (string, time.Time) { return d.Scalar(path), time.Time{} }
}

var errNoList = errors.New("the list of records is missing from the answer")

// Records cuts the list at path, or the Doc itself where the path is empty,
// into records. Each record is the bytes that its element has in the page, and
// shares their memory. identify finds its identifier and its time and leaves
// empty what is not there or of another type, so that one odd record never
// fails its page. A page without the list is an error.
func (d Doc) Records(path string, identify Identify) ([]connector.Record, error) {
	list, ok := d.Member(path)
	if !ok || !list.is('[') {
		return nil, errNoList
	}
	var records []connector.Record
	for raw := range list.elements() {
		id, at := identify(raw)
		records = append(records, connector.Record{ID: id, Time: at, Raw: raw})
	}
	return records, nil
}

// Records reads an answer as JSON and cuts its list at path.
func (a *Answer) Records(path string, identify Identify) (Doc, []connector.Record, error) {
	doc, err := Parse(a.Body)
	if err != nil {
		return nil, nil, err
	}
	list, err := doc.Records(path, identify)
	return doc, list, err
}

// Within leaves out what happened outside of a window, and keeps what does not
// tell its time. It reuses the list.
func Within(records []connector.Record, at connector.Cursor) []connector.Record {
	if at.To.IsZero() {
		return records
	}
	return slices.DeleteFunc(records, func(r connector.Record) bool {
		return !r.Time.IsZero() && (r.Time.Before(at.From) || !r.Time.Before(at.To))
	})
}

// Time reads an RFC 3339 time, and returns the zero time for anything else.
func Time(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// millis is the spelling of times in queries. Providers document milliseconds
// and a Z, and some refuse anything else.
const millis = "2006-01-02T15:04:05.000Z"

// Since spells a lower bound, down to the millisecond.
func Since(t time.Time) string { return t.UTC().Format(millis) }

// Until spells an upper bound, up to the millisecond.
func Until(t time.Time) string {
	return t.UTC().Add(time.Millisecond - time.Nanosecond).Format(millis)
}
