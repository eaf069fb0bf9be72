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

// The audit log. https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference
// (checked 2026-11-22): newest first; oldest and latest are seconds and take in
// what they name, and are refused outside of the log's time; limit is 9999 at most; an
// empty next_cursor ends it. How many come without a limit, and how other bad
// parameters are refused, is unverified.
const (
	slackLogsDefault = 100
	slackLogsMax     = 9999
	slackLogsBegin   = 1519862400 // there is nothing before March 2018
)

// slackCursor is what the opaque cursor holds: how far the log was shown.
type slackCursor struct {
	Time   int64  `json:"t"`
	Seq    int    `json:"s"`
	Bounds string `json:"b"` // the filters, to be sent again
	Issued int64  `json:"i"`
}

// logs answers a page. A cursor is a place in the log, so that what arrives
// meanwhile moves nothing.
func (s *Slack) logs(r *http.Request) answer {
	user, refusal := s.permit(r, slackAuditScope, true)
	if refusal != nil {
		return *refusal
	}
	switch {
	case s.options.NoAudit:
		return s.fail(http.StatusForbidden, "feature_not_enabled")
	case !user.Admin:
		return s.fail(http.StatusForbidden, "user_not_authorized")
	}
	q := r.URL.Query()
	list, limit, at, ok := s.selectLogs(q)
	if !ok {
		return s.fail(http.StatusBadRequest, "invalid_arguments")
	}
	if oldest, err := strconv.ParseInt(q.Get("oldest"), 10, 64); err == nil && (oldest < slackLogsBegin || oldest > s.now().Unix()) {
		return s.fail(http.StatusBadRequest, "invalid_range")
	}
	if q.Get("cursor") != "" && at == nil {
		return s.fail(http.StatusBadRequest, "invalid_cursor")
	}
	if at != nil {
		first := slices.IndexFunc(list, func(e entry) bool {
			published := e.Published.UnixNano()
			return published < at.Time || published == at.Time && e.seq < at.Seq
		})
		if first < 0 {
			first = len(list)
		}
		list = list[first:]
	}
	page, next := list[:min(limit, len(list))], ""
	if len(page) < len(list) {
		last := page[len(page)-1]
		next = s.sealCursor(slackCursor{last.Published.UnixNano(), last.seq, slackBounds(q), s.now().UnixNano()})
	}
	metadata, err := json.Marshal(map[string]string{"next_cursor": next})
	if err != nil {
		panic("simulator: " + err.Error()) // a string always encodes
	}
	body := slices.Concat([]byte(`{"entries":`), array(page), []byte(`,"response_metadata":`), metadata, []byte(`}`))
	ans := newAnswer(http.StatusOK, "application/json; charset=utf-8", body)
	ans.sent = func() { s.show(page) }
	return ans
}

// selectLogs is the log between the bounds, newest first, and what the page is to
// be. Filters are refused rather than ignored: none is simulated.
func (s *Slack) selectLogs(q url.Values) (list []entry, limit int, at *slackCursor, ok bool) {
	from, to, limit := time.Time{}, s.now().Add(time.Hour), slackLogsDefault
	for name, values := range q {
		n, err := strconv.ParseInt(values[0], 10, 64)
		switch name {
		case "oldest":
			from = time.Unix(n, 0)
		case "latest":
			to = time.Unix(n+1, 0)
		case "limit":
			limit = int(n)
		case "cursor":
			at, err = s.openCursor(values[0], q), nil
		default:
			return nil, 0, nil, false
		}
		if err != nil || len(values) > 1 {
			return nil, 0, nil, false
		}
	}
	list = slices.Clone(s.published(from, to))
	slices.Reverse(list)
	return list, limit, at, limit > 0 && limit <= slackLogsMax
}

func slackBounds(q url.Values) string { return q.Get("oldest") + "-" + q.Get("latest") }

func (s *Slack) sealCursor(c slackCursor) string {
	b, err := json.Marshal(c)
	if err != nil {
		panic("simulator: " + err.Error()) // numbers and a string always encode
	}
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%x:%s", s.mint.mac(b)[:8], b))
}

// openCursor is nil for a cursor that is none, is too old, or was given for other
// filters.
func (s *Slack) openCursor(sealed string, q url.Values) *slackCursor {
	b, err := base64.StdEncoding.DecodeString(sealed)
	mac, text, found := strings.Cut(string(b), ":")
	if err != nil || !found || mac != fmt.Sprintf("%x", s.mint.mac([]byte(text))[:8]) {
		return nil
	}
	var c slackCursor
	if json.Unmarshal([]byte(text), &c) != nil || c.Bounds != slackBounds(q) {
		return nil
	}
	if s.options.CursorLife > 0 && s.now().Sub(time.Unix(0, c.Issued)) >= s.options.CursorLife {
		return nil
	}
	return &c
}
