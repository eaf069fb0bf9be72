package simulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The audit log. https://developer.zendesk.com/api-reference/ticketing/account-configuration/audit_logs/
// and https://developer.zendesk.com/api-reference/introduction/pagination/ (checked
// 2026-11-22): at most 100 records a page, newest first unless sorted, kept
// indefinitely. The filter by time wants a start and an end; that it takes in the
// start and not the end is unverified.
const zendeskLogsMax = 100

// zendeskQuery is one request for records, by cursor.
type zendeskQuery struct {
	from, to   time.Time
	descending bool
	size       int
	filters    string // all that a cursor was given for
}

// zendeskCursor is what the opaque cursor holds: the last record shown.
type zendeskCursor struct {
	Time    int64  `json:"t"`
	Seq     int    `json:"s"`
	Filters string `json:"f"`
	Issued  int64  `json:"i"`
}

func (z *Zendesk) logs(r *http.Request) answer {
	user, refusal := z.permit(r, zendeskAuditScope)
	if refusal != nil {
		return *refusal
	}
	if z.options.NoAudit || !user.Admin {
		return z.forbidden()
	}
	q, wrong := z.parseLogs(r.URL.Query())
	if wrong != "" {
		return z.badPaging(wrong)
	}
	list := slices.Clone(z.published(q.from, q.to))
	if q.descending {
		slices.Reverse(list)
	}
	if after := r.URL.Query().Get("page[after]"); after != "" {
		at := z.openCursor(after, q)
		if at == nil {
			return z.badPaging("page[after] is not valid")
		}
		list = slices.DeleteFunc(list, func(e entry) bool { return !q.behind(e, at) })
	}
	page := list[:min(q.size, len(list))]
	body := slices.Concat([]byte(`{"audit_logs":`), array(page), []byte(`,`), z.paging(r, q, page, len(page) < len(list)), []byte(`}`))
	ans := newAnswer(http.StatusOK, "application/json; charset=utf-8", body)
	ans.sent = func() { z.show(page) }
	return ans
}

// behind tells whether e stands behind the cursor in the query's order.
func (q zendeskQuery) behind(e entry, at *zendeskCursor) bool {
	published := e.Published.UnixNano()
	if q.descending {
		return published < at.Time || published == at.Time && e.seq < at.Seq
	}
	return published > at.Time || published == at.Time && e.seq > at.Seq
}

// paging is the members of an answer that lead on.
func (z *Zendesk) paging(r *http.Request, q zendeskQuery, page []entry, more bool) []byte {
	meta := map[string]any{"has_more": more, "after_cursor": nil, "before_cursor": nil}
	links := map[string]any{"prev": nil, "next": nil}
	if n := len(page); n > 0 {
		last := page[n-1]
		after := z.sealCursor(zendeskCursor{last.Published.UnixNano(), last.seq, q.filters, z.now().UnixNano()})
		meta["after_cursor"] = after
		if more {
			next := r.URL.Query()
			next.Set("page[after]", after)
			links["next"] = origin(r) + r.URL.Path + "?" + next.Encode()
		}
	}
	text, err := json.Marshal(map[string]any{"meta": meta, "links": links})
	if err != nil {
		panic("simulator: " + err.Error()) // text and truth always encode
	}
	return text[1 : len(text)-1]
}

// parseLogs takes the query apart; wrong says what is wrong with it. Other
// filters and paging by offset are refused rather than ignored: they are not
// simulated.
func (z *Zendesk) parseLogs(form url.Values) (q zendeskQuery, wrong string) {
	q = zendeskQuery{size: zendeskLogsMax, descending: true, to: z.now().Add(time.Hour)}
	for name, values := range form {
		switch name {
		case "sort":
			q.descending = values[0] == "-created_at"
			if !q.descending && values[0] != "created_at" {
				return q, "sort is not valid"
			}
		case "page[size]":
			n, err := strconv.Atoi(values[0])
			if err != nil || n < 1 || n > zendeskLogsMax {
				return q, "page[size] must be an integer between 1 and 100"
			}
			q.size = n
		case "filter[created_at]", "filter[created_at][]":
			if len(values) != 2 {
				return q, "filter[created_at] must have a start time and an end time"
			}
			var errs [2]error
			q.from, errs[0] = time.Parse(time.RFC3339, values[0])
			q.to, errs[1] = time.Parse(time.RFC3339, values[1])
			if errs[0] != nil || errs[1] != nil || q.to.Before(q.from) {
				return q, "filter[created_at] is not valid"
			}
		case "page[after]":
		default:
			return q, name + " is not simulated"
		}
	}
	q.filters = strings.Join(append(form["filter[created_at][]"], form["filter[created_at]"]...), " ") + fmt.Sprint(q.descending)
	return q, ""
}

// badPaging is how parameters of paging are refused; code and shape are seen in
// the field, its texts are unverified.
func (z *Zendesk) badPaging(text string) answer {
	return z.json(http.StatusBadRequest, map[string]any{"errors": []any{map[string]string{
		"code": "InvalidPaginationParameter", "title": "Pagination parameter is not valid", "detail": text,
	}}})
}

func (z *Zendesk) sealCursor(c zendeskCursor) string {
	b, err := json.Marshal(c)
	if err != nil {
		panic("simulator: " + err.Error()) // numbers and a string always encode
	}
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%x:%s", z.mint.mac(b)[:8], b))
}

// openCursor is nil for a cursor that is none, is too old, or was given for other
// filters.
func (z *Zendesk) openCursor(sealed string, q zendeskQuery) *zendeskCursor {
	b, err := base64.StdEncoding.DecodeString(sealed)
	mac, text, found := strings.Cut(string(b), ":")
	if err != nil || !found || mac != fmt.Sprintf("%x", z.mint.mac([]byte(text))[:8]) {
		return nil
	}
	var c zendeskCursor
	if json.Unmarshal([]byte(text), &c) != nil || c.Filters != q.filters {
		return nil
	}
	if z.options.CursorLife > 0 && z.now().Sub(time.Unix(0, c.Issued)) >= z.options.CursorLife {
		return nil
	}
	return &c
}
