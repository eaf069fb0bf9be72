package simulator

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The audit log. https://developers.asana.com/reference/getauditlogevents (checked
// 2026-11-22): oldest first; 1000 events a page by default, which is taken to be the
// most; from start_at on, up to end_at. While nothing matches next_page is null;
// from then on every answer has one, whose offset is a cursor for what is yet to
// come. Events are kept for 90 days. That they come in the order in which they were
// captured, and so none is passed over by an offset, is how that promise is read.
const (
	asanaLogsMax       = 1000
	asanaLogsRetention = 90 * 24 * time.Hour
)

// asanaOffset is what the opaque offset holds: the last event shown.
type asanaOffset struct {
	arrival time.Time
	seq     int
	issued  time.Time
}

func (a *Asana) logs(r *http.Request) answer {
	if refusal := a.permit(r, true); refusal != nil {
		return *refusal
	}
	if r.PathValue("workspace") != a.options.Workspace {
		return a.fail(http.StatusForbidden, "workspace: Forbidden")
	}
	q := r.URL.Query()
	from, to, limit, wrong := a.parseLogs(q)
	if wrong != "" {
		return a.fail(http.StatusBadRequest, wrong)
	}
	at, ok := a.openOffset(q.Get("offset"), asanaFilters(q))
	if !ok {
		return a.expiredOffset()
	}
	var page []entry
	for _, e := range a.arrived() {
		behind := e.Arrival.After(at.arrival) || e.Arrival.Equal(at.arrival) && e.seq > at.seq
		if behind && !e.Published.Before(from) && e.Published.Before(to) && len(page) < limit {
			page = append(page, e)
		}
	}
	if n := len(page); n > 0 {
		at.arrival, at.seq = page[n-1].Arrival, page[n-1].seq
	}
	body := slices.Concat([]byte(`{"data":`), array(page), []byte(`,"next_page":`), a.nextPage(r, q, at), []byte(`}`))
	ans := newAnswer(http.StatusOK, "application/json; charset=UTF-8", body)
	ans.sent = func() { a.show(page) }
	return ans
}

// nextPage is null as long as nothing was shown.
func (a *Asana) nextPage(r *http.Request, q url.Values, at asanaOffset) []byte {
	if at.arrival.IsZero() {
		return []byte("null")
	}
	at.issued = a.now()
	offset := a.sealOffset(at, asanaFilters(q))
	q.Set("offset", offset)
	path := strings.TrimPrefix(r.URL.Path, "/api/1.0") + "?" + q.Encode()
	text, err := json.Marshal(map[string]string{"offset": offset, "path": path, "uri": "https://app.asana.com/api/1.0" + path})
	if err != nil {
		panic("simulator: " + err.Error()) // text always encodes
	}
	return text
}

// parseLogs takes the query apart; wrong says what is wrong with it. Other
// filters are refused rather than ignored: they are not simulated.
func (a *Asana) parseLogs(q url.Values) (from, to time.Time, limit int, wrong string) {
	from, to, limit = a.now().Add(-asanaLogsRetention), a.now().Add(time.Hour), asanaLogsMax
	for name, values := range q {
		var err error
		switch name {
		case "start_at":
			var at time.Time
			if at, err = time.Parse(time.RFC3339, values[0]); at.After(from) {
				from = at
			}
		case "end_at":
			to, err = time.Parse(time.RFC3339, values[0])
		case "limit":
			limit, err = strconv.Atoi(values[0])
		case "offset":
		default:
			return from, to, limit, name + ": filters are not simulated"
		}
		if err != nil || len(values) > 1 {
			return from, to, limit, name + ": Not a valid value: " + values[0]
		}
	}
	if limit < 1 || limit > asanaLogsMax {
		return from, to, limit, "limit: Must be between 1 and 1000"
	}
	return from, to, limit, ""
}

// expiredOffset has the words of an offset that is too old, as seen in the field.
func (a *Asana) expiredOffset() answer {
	return a.fail(http.StatusBadRequest, "offset: Your pagination token has expired.")
}

// asanaFilters is what an offset is good for.
func asanaFilters(q url.Values) string { return q.Get("start_at") + " " + q.Get("end_at") }

func (a *Asana) sealOffset(at asanaOffset, filters string) string {
	var b []byte
	for _, n := range []int64{at.arrival.UnixNano(), int64(at.seq), at.issued.UnixNano()} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return base64.RawURLEncoding.EncodeToString(append(b, a.mint.mac(append(slices.Clone(b), filters...))[:8]...))
}

// openOffset refuses an offset that is none, is too old, or was given for other
// filters. No offset is the beginning.
func (a *Asana) openOffset(sealed, filters string) (asanaOffset, bool) {
	if sealed == "" {
		return asanaOffset{}, true
	}
	const length = 3 * 8
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(b) != length+8 || !bytes.Equal(a.mint.mac(append(slices.Clone(b[:length]), filters...))[:8], b[length:]) {
		return asanaOffset{}, false
	}
	number := func(i int) int64 { return int64(binary.BigEndian.Uint64(b[8*i:])) }
	at := asanaOffset{arrival: time.Unix(0, number(0)), seq: int(number(1)), issued: time.Unix(0, number(2))}
	return at, a.options.CursorLife <= 0 || a.now().Sub(at.issued) < a.options.CursorLife
}
