package simulator

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The reports. https://developers.zoom.us/docs/api/meetings/#tag/reports
// (checked 2026-11-22): days from and to, both included, a month at the most and
// of the last six; page_size up to 300; a next_page_token, good for 15 minutes.
// That days are UTC's, that the newest record is first, and the words of refusals
// are unverified.
const (
	zoomPageDefault = 30
	zoomPageMax     = 300
	zoomWidest      = 31 * 24 * time.Hour
	zoomRetention   = 184 * 24 * time.Hour
)

// zoomQuery is one request for a report.
type zoomQuery struct {
	from, to time.Time // days
	size     int
	before   int // number of the record that the last page ended with; 0: the first page
}

// report answers one page of a report, newest record first. The token of the next
// page names the last record shown, so that new ones move nothing.
func (z *Zoom) report(stream, list, scope string) handler {
	return func(r *http.Request) answer {
		if refusal := z.permit(r, scope, zoomClassicReport); refusal != nil {
			return *refusal
		}
		if z.options.NoReports {
			return z.fail(http.StatusBadRequest, 200, "No permission.")
		}
		q, refusal := z.reportQuery(r.URL.Query(), stream)
		if refusal != nil {
			return *refusal
		}
		found := ofStream(z.published(q.from, q.to.AddDate(0, 0, 1)), stream)
		slices.Reverse(found)
		if q.before > 0 {
			at := slices.IndexFunc(found, func(e entry) bool { return e.seq == q.before })
			found = found[at+1:]
		}
		page, next := found[:min(q.size, len(found))], ""
		if len(page) < len(found) {
			next = z.sealPage(page[len(page)-1].seq, stream+r.URL.Query().Get("from")+r.URL.Query().Get("to"))
		}
		head := fmt.Sprintf(`{"from":%q,"to":%q,"page_size":%d,"next_page_token":%q,%q:`,
			q.from.Format(time.DateOnly), q.to.Format(time.DateOnly), q.size, next, list)
		ans := newAnswer(http.StatusOK, "application/json;charset=UTF-8", slices.Concat([]byte(head), array(page), []byte("}")))
		ans.sent = func() { z.show(page) }
		return ans
	}
}

func (z *Zoom) reportQuery(form url.Values, stream string) (zoomQuery, *answer) {
	refuse := func(field, text string) (zoomQuery, *answer) {
		ans := jsonAnswer(http.StatusBadRequest, "application/json;charset=UTF-8", map[string]any{
			"code": 300, "message": "Validation Failed.", "errors": []any{map[string]string{"field": field, "message": text}},
		})
		return zoomQuery{}, &ans
	}
	q := zoomQuery{size: zoomPageDefault}
	for name, to := range map[string]*time.Time{"from": &q.from, "to": &q.to} {
		at, err := time.Parse(time.DateOnly, form.Get(name))
		if err != nil {
			return refuse(name, "Invalid field.")
		}
		*to = at
	}
	now := z.now()
	switch {
	case q.to.Before(q.from), q.to.Sub(q.from) > zoomWidest:
		return refuse("from", "The date range must be one month at the most.")
	case q.from.Before(now.Add(-zoomRetention)):
		return refuse("from", "The month must fall within the last six months.")
	}
	if form.Has("page_size") {
		n, err := strconv.Atoi(form.Get("page_size"))
		if err != nil || n < 1 || n > zoomPageMax {
			return refuse("page_size", "Invalid field.")
		}
		q.size = n
	}
	if token := form.Get("next_page_token"); token != "" {
		var ok bool
		if q.before, ok = z.openPage(token, stream+form.Get("from")+form.Get("to")); !ok {
			ans := z.badPage()
			return q, &ans
		}
	}
	return q, nil
}

func (z *Zoom) badPage() answer {
	return z.fail(http.StatusBadRequest, 300, "The next page token is invalid or expired.")
}

// sealPage makes a token opaque, and good for one report of the same days.
func (z *Zoom) sealPage(seq int, asked string) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(seq))
	b = binary.BigEndian.AppendUint64(b, uint64(z.now().UnixNano()))
	return base64.RawURLEncoding.EncodeToString(append(b, z.mint.mac(append(slices.Clone(b), asked...))[:8]...))
}

func (z *Zoom) openPage(sealed, asked string) (int, bool) {
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(b) != 24 || !bytes.Equal(z.mint.mac(append(slices.Clone(b[:16]), asked...))[:8], b[16:]) {
		return 0, false
	}
	issued := time.Unix(0, int64(binary.BigEndian.Uint64(b[8:])))
	return int(binary.BigEndian.Uint64(b)), z.now().Sub(issued) < z.options.PageLife //nolint:gosec // a number of ours
}

// user answers /v2/users/{id or address}.
// https://developers.zoom.us/docs/api/users/#tag/users/GET/users/{userId} (checked 2026-11-22).
func (z *Zoom) user(r *http.Request) answer {
	if refusal := z.permit(r, zoomUserScope, zoomClassicUser); refusal != nil {
		return *refusal
	}
	key := r.PathValue("id")
	i := slices.IndexFunc(z.options.Users, func(u User) bool {
		return key == u.ID || strings.EqualFold(key, u.Login) || key == "me" && u.Admin
	})
	if i < 0 {
		return z.fail(http.StatusNotFound, 1001, "User does not exist: "+key+".")
	}
	u := z.options.Users[i]
	return jsonAnswer(http.StatusOK, "application/json;charset=UTF-8", map[string]any{
		"id": u.ID, "first_name": u.First, "last_name": u.Last, "display_name": u.First + " " + u.Last, "email": u.Login,
		"type": 2, "role_name": "Member", "status": u.Status, "dept": "", "created_at": "2018-10-31T04:32:37Z",
		"timezone": "Europe/Berlin", "verified": 1, "account_id": z.options.AccountID, "pmi": 3542471135, "language": "en-US",
	})
}
