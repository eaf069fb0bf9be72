package simulator

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
)

// The System Log. https://developer.okta.com/docs/reference/system-log-query/ and
// https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/
// (checked 2026-11-22)
const (
	oktaLogsDefault   = 100
	oktaLogsMax       = 1000
	oktaLogsReach     = 7 * 24 * time.Hour   // default of since, before until
	oktaLogsRetention = 90 * 24 * time.Hour  // older events are left out
	oktaLogsOldest    = 180 * 24 * time.Hour // an older since is refused
)

// oktaQuery is one request for log events.
type oktaQuery struct {
	since, until time.Time // until is zero for a polling request
	limit        int
	descending   bool
	at           *oktaCursor
}

// polling requests have no until and run ascending: by arrival, without end.
func (q oktaQuery) polling() bool { return q.until.IsZero() && !q.descending }

// oktaCursor is what the opaque after parameter holds: the last event shown.
type oktaCursor struct {
	mode   byte      // 'p' polling, 'a' bounded ascending, 'd' bounded descending
	time   time.Time // arrival or publication of the last event shown
	seq    int       // and its number
	floor  time.Time // since of the first request
	issued time.Time
}

func (q oktaQuery) mode() byte {
	switch {
	case q.polling():
		return 'p'
	case q.descending:
		return 'd'
	}
	return 'a'
}

func (o *Okta) logs(r *http.Request) answer {
	if _, refusal := o.permit(r, oktaLogsRead); refusal != nil {
		return *refusal
	}
	q, refusal := o.parseLogs(r.URL.Query())
	if refusal != nil {
		return *refusal
	}
	rest := o.selectLogs(q)
	page := rest[:min(q.limit, len(rest))]
	ans := newAnswer(http.StatusOK, "application/json", array(page))
	ans.header.Set("X-Okta-Request-Id", o.mint.id("", 27))
	ans.header.Set("Cache-Control", "no-cache, no-store")
	ans.header.Add("Link", "<"+origin(r)+r.URL.RequestURI()+`>; rel="self"`)
	if q.polling() || len(page) < len(rest) {
		ans.header.Add("Link", "<"+origin(r)+oktaLogsPath+"?"+o.nextLogs(q, page)+`>; rel="next"`)
	}
	ans.sent = func() { o.show(page) }
	return ans
}

// parseLogs takes the query apart. Filters are refused rather than ignored: the
// simulator evaluates none.
func (o *Okta) parseLogs(form url.Values) (oktaQuery, *answer) {
	q := oktaQuery{limit: oktaLogsDefault}
	var refusal *answer
	refuse := func(code, summary string, causes ...string) {
		if ans := o.fail(http.StatusBadRequest, code, summary, causes...); refusal == nil {
			refusal = &ans
		}
	}
	if form.Has("filter") {
		refuse("E0000053", "Invalid filter '"+form.Get("filter")+"': filters are not simulated")
	}
	if form.Has("q") && form.Get("q") != "" {
		refuse("E0000001", "Api validation failed: 'q': keywords are not simulated")
	}
	switch order := form.Get("sortOrder"); order {
	case "", "ASCENDING", "DESCENDING":
		q.descending = order == "DESCENDING"
	default:
		refuse("E0000001", "Api validation failed: 'sortOrder': must be ASCENDING or DESCENDING.", "sortOrder: must be ASCENDING or DESCENDING.")
	}
	if form.Has("limit") {
		n, err := strconv.Atoi(form.Get("limit"))
		if err != nil || n < 0 || n > oktaLogsMax {
			refuse("E0000001", "Api validation failed: 'limit': must be a number from 0 to 1000.", "limit: must be a number from 0 to 1000.")
		}
		q.limit = n
	}
	date := func(name string, to *time.Time) {
		if !form.Has(name) {
			return
		}
		at, err := time.Parse(time.RFC3339Nano, form.Get(name))
		if err != nil {
			causes := []string{"The date format in your query is not recognized. Please enter dates using ISO8601 string format.", "must be a valid date-time or empty."}
			refuse("E0000001", "Api validation failed: '"+name+"': "+causes[0]+" '"+name+"': "+causes[1], name+": "+causes[0], name+": "+causes[1])
		}
		*to = at
	}
	date("until", &q.until)
	date("since", &q.since)
	if refusal == nil {
		o.completeLogs(&q, form, refuse)
	}
	return q, refusal
}

func (o *Okta) completeLogs(q *oktaQuery, form url.Values, refuse func(code, summary string, causes ...string)) {
	now := o.now()
	if q.descending && q.until.IsZero() {
		q.until = now
	}
	if form.Has("after") {
		// since and after exclude each other.
		if form.Has("since") {
			refuse("E0000001", "Api validation failed: 'since': cannot be used with 'after'.", "since: cannot be used with 'after'.")
			return
		}
		cursor, ok := o.openCursor(form.Get("after"))
		expired := ok && o.options.CursorLife > 0 && now.Sub(cursor.issued) >= o.options.CursorLife
		if !ok || expired || cursor.mode != q.mode() {
			refuse("E0000001", oktaCursorRefused, strings.TrimPrefix(oktaCursorRefused, "Api validation failed: "))
			return
		}
		q.at, q.since = &cursor, cursor.floor
		return
	}
	if q.since.IsZero() {
		q.since = now.Add(-oktaLogsReach)
		if !q.until.IsZero() {
			q.since = q.until.Add(-oktaLogsReach)
		}
	}
	switch {
	case now.Sub(q.since) > oktaLogsOldest:
		refuse("E0000053", "Invalid parameter: The since parameter is over 180 days prior to the current day.")
	case !q.until.IsZero() && q.until.Before(q.since):
		refuse("E0000001", "Api validation failed: 'until': must not be before 'since'.", "until: must not be before 'since'.")
	}
}

// oktaCursorRefused: how Okta words a cursor that it no longer takes is not
// documented; code and shape are those of its other refused parameters.
const oktaCursorRefused = "Api validation failed: 'after': The cursor is invalid or has expired."

func (o *Okta) expiredCursor() answer {
	return o.fail(http.StatusBadRequest, "E0000001", oktaCursorRefused, strings.TrimPrefix(oktaCursorRefused, "Api validation failed: "))
}

// selectLogs is what the query may still return, in its order: a page and, if
// there is more, one event beyond it. Polling reads by arrival, so that nothing
// delayed is skipped; a bounded query reads by time of publication, and what
// arrives after it has passed is missed.
func (o *Okta) selectLogs(q oktaQuery) []entry {
	oldest := o.now().Add(-oktaLogsRetention)
	var list []entry
	if q.polling() {
		list = o.arrived()
		list = list[sort.Search(len(list), func(i int) bool { return q.reaches(list[i], list[i].Arrival) }):]
	} else {
		from, to := q.since, q.until
		if q.at != nil && q.descending {
			to = q.at.time.Add(1)
		} else if q.at != nil {
			from = q.at.time
		}
		list = o.published(from, to)
	}
	var out []entry
	for i := 0; i < len(list) && len(out) <= q.limit; i++ {
		e := list[i]
		if q.descending {
			e = list[len(list)-1-i]
		}
		if !e.Published.Before(oldest) && (q.polling() || q.reaches(e, e.Published)) {
			out = append(out, e)
		}
	}
	return out
}

// reaches tells whether the query goes on at e, whose place in its order is at.
func (q oktaQuery) reaches(e entry, at time.Time) bool {
	switch {
	case q.at == nil:
		return !at.Before(q.since)
	case q.descending:
		return cmp.Or(at.Compare(q.at.time), cmp.Compare(e.seq, q.at.seq)) < 0
	}
	return cmp.Or(at.Compare(q.at.time), cmp.Compare(e.seq, q.at.seq)) > 0
}

// nextLogs is the query of the next link.
func (o *Okta) nextLogs(q oktaQuery, page []entry) string {
	next := oktaCursor{mode: q.mode(), time: q.since, floor: q.since, issued: o.now()}
	if q.at != nil {
		next.time, next.seq = q.at.time, q.at.seq
	}
	if n := len(page); n > 0 && q.polling() {
		next.time, next.seq = page[n-1].Arrival, page[n-1].seq
	} else if n > 0 {
		next.time, next.seq = page[n-1].Published, page[n-1].seq
	}
	form := url.Values{"limit": {strconv.Itoa(q.limit)}, "after": {o.sealCursor(next)}, "sortOrder": {"ASCENDING"}}
	if q.descending {
		form.Set("sortOrder", "DESCENDING")
	}
	if !q.until.IsZero() {
		form.Set("until", q.until.UTC().Format(time.RFC3339Nano))
	}
	return form.Encode()
}

// sealCursor makes the cursor opaque and tamper-proof: the documentation forbids
// clients to make one.
func (o *Okta) sealCursor(c oktaCursor) string {
	b := []byte{c.mode}
	for _, n := range []int64{c.time.UnixNano(), int64(c.seq), c.floor.UnixNano(), c.issued.UnixNano()} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return base64.RawURLEncoding.EncodeToString(append(b, o.mint.mac(b)[:8]...))
}

func (o *Okta) openCursor(sealed string) (oktaCursor, bool) {
	const length = 1 + 4*8
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(b) != length+8 || !bytes.Equal(o.mint.mac(b[:length])[:8], b[length:]) {
		return oktaCursor{}, false
	}
	number := func(i int) int64 { return int64(binary.BigEndian.Uint64(b[1+8*i:])) }
	at := func(i int) time.Time { return time.Unix(0, number(i)) }
	return oktaCursor{mode: b[0], time: at(0), seq: int(number(1)), floor: at(2), issued: at(3)}, true
}
