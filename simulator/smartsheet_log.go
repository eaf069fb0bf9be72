package simulator

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Event Reporting.
// https://developers.smartsheet.com/api/smartsheet/openapi/events/list-events,
// https://smartsheet.redoc.ly/tag/events (checked 2026-11-22)
const (
	smartsheetEventsDefault = 1000
	smartsheetEventsMax     = 10000
)

// smartsheetPlace is where in the stream a request goes on.
type smartsheetPlace struct {
	arrival    time.Time // of the last event passed
	seq        int       // and its number
	since, end time.Time // end zero: none
	issued     time.Time
}

// events answers one page of the stream, in the order of arrival. It is for System
// Admins with the add-on; which code tells that the plan lacks it is unverified.
func (s *Smartsheet) events(r *http.Request, user User) answer {
	if s.options.NoEventReporting {
		return s.fail(http.StatusForbidden, 1013, "The operation you are attempting to perform is not supported by your plan.")
	}
	if !user.Admin {
		return s.fail(http.StatusForbidden, 1004, "You are not authorized to perform this action.")
	}
	q := r.URL.Query()
	limit := smartsheetEventsDefault
	if q.Has("maxCount") {
		n, err := strconv.Atoi(q.Get("maxCount"))
		if err != nil || n < 1 || n > smartsheetEventsMax {
			return s.badValue(q.Get("maxCount"), "maxCount")
		}
		limit = n
	}
	limit = min(limit, s.options.PageMax)
	switch {
	case q.Has("since") && q.Has("streamPosition"):
		return s.fail(http.StatusBadRequest, 1008, "Unable to parse request. The following error occurred: since and streamPosition exclude each other")
	case !q.Has("since") && !q.Has("streamPosition"):
		return s.fail(http.StatusBadRequest, 1009, "A required parameter is missing from your request: since or streamPosition.")
	case q.Has("to") && !q.Has("since"):
		return s.fail(http.StatusBadRequest, 1009, "A required parameter is missing from your request: since.")
	}
	if q.Has("streamPosition") {
		place, ok := s.openPosition(q.Get("streamPosition"))
		if !ok {
			return s.badValue(q.Get("streamPosition"), "streamPosition")
		}
		return s.eventPage(place, limit)
	}
	place, refusal := s.between(q)
	if refusal != nil {
		return *refusal
	}
	return s.eventPage(place, limit)
}

// between reads since and to. Times count to the nearest hour, so one may be later
// than it was meant.
func (s *Smartsheet) between(q url.Values) (smartsheetPlace, *answer) {
	var place smartsheetPlace
	bad := func(name string) (smartsheetPlace, *answer) {
		ans := s.badValue(q.Get(name), name)
		return place, &ans
	}
	for name, to := range map[string]*time.Time{"since": &place.since, "to": &place.end} {
		if !q.Has(name) {
			continue
		}
		at, err := time.Parse(time.RFC3339, q.Get(name))
		if err != nil {
			return bad(name)
		}
		*to = at.Round(time.Hour)
	}
	if !place.end.IsZero() && place.end.Before(place.since) {
		return bad("to")
	}
	if place.end.After(s.now()) {
		place.end = s.now()
	}
	return place, nil
}

func (s *Smartsheet) eventPage(at smartsheetPlace, limit int) answer {
	var page []entry
	more := false
	for _, e := range s.arrived() {
		passed := cmp.Or(e.Arrival.Compare(at.arrival), cmp.Compare(e.seq, at.seq)) <= 0
		if passed || e.Published.Before(at.since) || !at.end.IsZero() && !e.Published.Before(at.end) {
			continue
		}
		if more = len(page) == limit; more {
			break
		}
		page = append(page, e)
	}
	if n := len(page); n > 0 {
		at.arrival, at.seq = page[n-1].Arrival, page[n-1].seq
	}
	if s.options.OpenPositions && !at.end.IsZero() {
		at.end, more = time.Time{}, true
	}
	body := fmt.Appendf(nil, `{"nextStreamPosition":%q,"moreAvailable":%t,"data":%s}`, s.sealPosition(at), more, array(page))
	ans := newAnswer(http.StatusOK, "application/json;charset=UTF-8", body)
	ans.sent = func() { s.show(page) }
	return ans
}

func (s *Smartsheet) sealPosition(at smartsheetPlace) string {
	numbers := []int64{int64(at.seq)}
	for _, t := range []time.Time{at.arrival, at.since, at.end, s.now()} {
		n := int64(0)
		if !t.IsZero() {
			n = t.UnixNano()
		}
		numbers = append(numbers, n)
	}
	return s.mint.seal(numbers...)
}

func (s *Smartsheet) openPosition(sealed string) (smartsheetPlace, bool) {
	n, ok := s.mint.open(sealed, 5)
	if !ok {
		return smartsheetPlace{}, false
	}
	at := func(i int) time.Time {
		if n[i] == 0 {
			return time.Time{}
		}
		return time.Unix(0, n[i])
	}
	place := smartsheetPlace{seq: int(n[0]), arrival: at(1), since: at(2), end: at(3), issued: at(4)}
	return place, s.options.PositionLife == 0 || s.now().Sub(place.issued) < s.options.PositionLife
}
