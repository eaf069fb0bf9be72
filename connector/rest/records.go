package rest

import (
	"errors"
	"time"

	"selvedge/connector"
)

var errNoList = errors.New("the list of records is missing from the answer")

// Records cuts the list at path, or the Doc itself where the path is empty,
// into records. Each record is the bytes that its element has in the page, and
// shares their memory. identify finds its identifier and its time and leaves
// empty what is not there or of another type, so that one odd record never
// fails its page. A page without the list is an error.
func (d Doc) Records(path string, identify func(Doc) (id string, at time.Time)) ([]connector.Record, error) {
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

// Within leaves out what happened at or behind the end of a window, for feeds
// that know no upper bound or an inclusive one. It reuses the list.
func Within(records []connector.Record, to time.Time) []connector.Record {
	if to.IsZero() {
		return records
	}
	kept := records[:0]
	for _, r := range records {
		if r.Time.Before(to) {
			kept = append(kept, r)
		}
	}
	return kept
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
