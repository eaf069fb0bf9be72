package simulator

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The event log of a team.
// https://github.com/dropbox/dropbox-api-spec/blob/main/team_log.stone (checked 2026-11-22)
const (
	dropboxEventsMax = 1000
	dropboxTimestamp = "2006-01-02T15:04:05Z"
)

// dropboxTell: events have no identifier, so here they are known by their bytes.
func dropboxTell(raw []byte) (Event, error) {
	var event struct {
		At time.Time `json:"timestamp"`
	}
	if err := json.Unmarshal(raw, &event); err != nil {
		return Event{}, fmt.Errorf("record's timestamp: %w", err)
	}
	return Event{ID: fmt.Sprintf("sha256:%x", sha256.Sum256(raw)), Published: event.At}, nil
}

// dropboxCursor is what the opaque cursor holds.
type dropboxCursor struct {
	arrival    time.Time // of the last event passed
	seq        int       // and its number
	start, end time.Time // of the first request; end zero: none
	limit      int
	issued     time.Time
}

// argument decodes the JSON of a call; a member that the call does not have is
// refused.
func dropboxArgument(r *http.Request, into any) *answer {
	complain := func(text string) *answer {
		ans := dropboxText(http.StatusBadRequest, fmt.Sprintf("Error in call to API function %q: request body: %s", strings.TrimPrefix(r.URL.Path, "/2/"), text))
		return &ans
	}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return complain("could not decode input as JSON: " + err.Error())
	}
	if _, err := decoder.Token(); err != io.EOF {
		return complain("could not decode input as JSON: extra data")
	}
	return nil
}

// getEvents begins to read. Filters are refused rather than ignored: the
// simulator evaluates none.
func (d *Dropbox) getEvents(r *http.Request) answer {
	var arg struct {
		Limit *int `json:"limit"`
		Time  *struct {
			Start *string `json:"start_time"`
			End   *string `json:"end_time"`
		} `json:"time"`
	}
	if refusal := dropboxArgument(r, &arg); refusal != nil {
		return *refusal
	}
	c := dropboxCursor{limit: dropboxEventsMax, issued: d.now()}
	if arg.Limit != nil {
		c.limit = *arg.Limit
	}
	if c.limit < 1 || c.limit > dropboxEventsMax {
		return dropboxText(http.StatusBadRequest, fmt.Sprintf("Error in call to API function \"team_log/get_events\": request body: limit: %d is not within 1 and 1000", c.limit))
	}
	if arg.Time != nil {
		for _, bound := range []struct {
			text *string
			to   *time.Time
		}{{arg.Time.Start, &c.start}, {arg.Time.End, &c.end}} {
			if bound.text == nil {
				continue
			}
			at, err := time.Parse(dropboxTimestamp, *bound.text)
			if err != nil || at.Format(dropboxTimestamp) != *bound.text {
				return dropboxText(http.StatusBadRequest, "Error in call to API function \"team_log/get_events\": request body: time: time data "+strconv.Quote(*bound.text)+" does not match format '%Y-%m-%dT%H:%M:%SZ'")
			}
			*bound.to = at
		}
	}
	if !c.start.IsZero() && !c.end.IsZero() && c.end.Before(c.start) {
		return dropboxError(http.StatusConflict, "invalid_time_range", nil)
	}
	return d.eventPage(c)
}

func (d *Dropbox) continueEvents(r *http.Request) answer {
	var arg struct {
		Cursor *string `json:"cursor"`
	}
	if refusal := dropboxArgument(r, &arg); refusal != nil {
		return *refusal
	}
	if arg.Cursor == nil {
		return dropboxText(http.StatusBadRequest, "Error in call to API function \"team_log/get_events/continue\": request body: missing required field 'cursor'")
	}
	n, ok := d.mint.open(*arg.Cursor, 6)
	if !ok {
		return dropboxError(http.StatusConflict, "bad_cursor", nil)
	}
	at := func(i int) time.Time {
		if n[i] == 0 {
			return time.Time{}
		}
		return time.Unix(0, n[i])
	}
	c := dropboxCursor{arrival: at(0), seq: int(n[1]), start: at(2), end: at(3), limit: int(n[4]), issued: at(5)}
	if d.options.CursorLife > 0 && d.now().Sub(c.issued) >= d.options.CursorLife {
		return d.resetCursor(c.arrival)
	}
	return d.eventPage(c)
}

// resetCursor tells about when the newest event shown was.
func (d *Dropbox) resetCursor(at time.Time) answer {
	return dropboxError(http.StatusConflict, "reset", map[string]any{"reset": at.UTC().Format(dropboxTimestamp)})
}

// eventPage reads the log by arrival, not by time: what has been passed is never
// shown again, and nothing that comes late is missed.
func (d *Dropbox) eventPage(c dropboxCursor) answer {
	d.answers++
	hollow := d.options.Hollow > 0 && d.answers%d.options.Hollow == 0
	var page []entry
	more := false
	for _, e := range d.arrived() {
		passed := cmp.Or(e.Arrival.Compare(c.arrival), cmp.Compare(e.seq, c.seq)) <= 0
		if passed || e.Published.Before(c.start) || !c.end.IsZero() && !e.Published.Before(c.end) {
			continue
		}
		if len(page) == c.limit || hollow {
			more = true
			break
		}
		page = append(page, e)
	}
	if n := len(page); n > 0 {
		c.arrival, c.seq = page[n-1].Arrival, page[n-1].seq
	}
	nanos := func(t time.Time) int64 {
		if t.IsZero() {
			return 0
		}
		return t.UnixNano()
	}
	cursor := d.mint.seal(nanos(c.arrival), int64(c.seq), nanos(c.start), nanos(c.end), int64(c.limit), nanos(d.now()))
	body := fmt.Appendf(nil, `{"events": %s, "cursor": %q, "has_more": %t}`, array(page), cursor, more)
	ans := newAnswer(http.StatusOK, "application/json", body)
	ans.sent = func() { d.show(page) }
	return ans
}
