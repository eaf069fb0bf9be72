package simulator

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Content: records are collected in blobs, which are listed in the order in which
// they were made and fetched one by one.
// https://learn.microsoft.com/en-us/office/office-365-management-api/office-365-management-activity-api-reference (checked 2026-11-22)
const (
	manageBlobMax   = 500 // records of a blob; the API has no documented limit
	manageRetention = 7 * 24 * time.Hour
	manageSeconds   = "2006-01-02T15:04:05"
)

// blob is records of one content type that arrived at one instant. Its id says
// where they stand, so that it never changes.
type blob struct {
	kind    string
	created time.Time
	first   int // number of the first record
	entries []entry
}

func (b blob) id() string {
	tag := strings.ReplaceAll(b.kind, ".", "_")
	return fmt.Sprintf("%d$%d$%d$%s", b.created.UnixNano(), b.first, len(b.entries), tag)
}

// blobs cuts what has arrived of a content type since its subscription.
func (m *M365AuditLogs) blobs(kind string) []blob {
	var out []blob
	since := m.subscriptions[kind]
	for _, e := range ofStream(m.arrived(), kind) {
		if e.Arrival.Before(since) {
			continue
		}
		last := len(out) - 1
		if last < 0 || !out[last].created.Equal(e.Arrival) || len(out[last].entries) == manageBlobMax {
			out = append(out, blob{kind: kind, created: e.Arrival, first: e.seq})
			last++
		}
		out[last].entries = append(out[last].entries, e)
	}
	return out
}

// listContent lists the blobs that were made in an interval of at most a day,
// which begins at most seven days back.
func (m *M365AuditLogs) listContent(r *http.Request) answer {
	kind, refusal := m.typed(r)
	if refusal != nil {
		return *refusal
	}
	if m.disabled[kind] {
		return m.fail(http.StatusBadRequest, "AF20023", "The subscription was disabled by a tenant admin.")
	}
	if _, on := m.subscriptions[kind]; !on {
		return m.fail(http.StatusBadRequest, "AF20022", "No subscription found for the specified content type.")
	}
	q := r.URL.Query()
	from, to, ok := m.interval(q)
	switch {
	case !ok:
		return m.badInterval("AF20030")
	case to.Sub(from) > 24*time.Hour || m.now().Sub(from) > manageRetention:
		return m.badInterval("AF20055")
	}
	skip := 0
	if q.Has("nextPage") {
		if skip, ok = m.openPage(q.Get("nextPage")); !ok {
			return m.badNextPage(q.Get("nextPage"))
		}
	}
	all := slices.DeleteFunc(m.blobs(kind), func(b blob) bool { return b.created.Before(from) || !b.created.Before(to) })
	shown := all[min(skip, len(all)):min(skip+m.options.ListMax, len(all))]
	list := []any{}
	for _, b := range shown {
		list = append(list, map[string]string{
			"contentUri":  origin(r) + "/api/v1.0/" + entraTenant + "/activity/feed/audit/" + b.id(),
			"contentId":   b.id(),
			"contentType": kind, "contentCreated": b.created.UTC().Format("2006-01-02T15:04:05.000Z"),
			"contentExpiration": b.created.Add(manageRetention).UTC().Format("2006-01-02T15:04:05.000Z"),
		})
	}
	ans := m.json(http.StatusOK, list)
	if skip+len(shown) < len(all) {
		// The documentation's own sample has another version in its path.
		ans.header.Set("NextPageUri", origin(r)+"/api/v1/"+entraTenant+"/activity/feed/subscriptions/content?"+
			m.nextPage(kind, from, to, skip+len(shown)))
	}
	return ans
}

// interval reads startTime and endTime, in one of three spellings.
func (m *M365AuditLogs) interval(q url.Values) (from, to time.Time, ok bool) {
	now := m.now().UTC()
	if !q.Has("startTime") && !q.Has("endTime") {
		return now.Add(-24 * time.Hour), now, true
	}
	read := func(s string) (time.Time, bool) {
		for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", manageSeconds} {
			if at, err := time.Parse(layout, s); err == nil && !strings.Contains(s, ".") {
				return at, true
			}
		}
		return time.Time{}, false
	}
	from, good := read(q.Get("startTime"))
	to, fine := read(q.Get("endTime"))
	return from, to, good && fine && to.After(from)
}

// content answers one blob, a JSON array of records.
func (m *M365AuditLogs) content(r *http.Request) answer {
	id := r.PathValue("content")
	parts := strings.Split(id, "$")
	permission := "ActivityFeed.Read"
	if strings.HasSuffix(id, "$DLP_All") {
		permission = "ActivityFeed.ReadDlp"
	}
	if refusal := m.permit(r, permission); refusal != nil {
		return *refusal
	}
	if len(parts) != 4 {
		return m.fail(http.StatusBadRequest, "AF20052", "Content ID "+id+" in the URL is invalid.")
	}
	nanos, err := strconv.ParseInt(parts[0], 10, 64)
	first, ferr := strconv.Atoi(parts[1])
	count, cerr := strconv.Atoi(parts[2])
	if cmp.Or(err, ferr, cerr) != nil {
		return m.fail(http.StatusBadRequest, "AF20052", "Content ID "+id+" in the URL is invalid.")
	}
	if m.now().Sub(time.Unix(0, nanos)) > manageRetention {
		return m.expiredContent(id)
	}
	var page []entry
	for _, e := range ofStream(m.arrived(), strings.ReplaceAll(parts[3], "_", ".")) {
		if e.Arrival.UnixNano() == nanos && e.seq >= first && len(page) < count {
			page = append(page, e)
		}
	}
	if len(page) == 0 {
		return m.fail(http.StatusNotFound, "AF20050", "The specified content ("+id+") does not exist.")
	}
	ans := newAnswer(http.StatusOK, "application/json; charset=utf-8", array(page))
	ans.sent = func() { m.show(page) }
	return ans
}

func (m *M365AuditLogs) expiredContent(id string) answer {
	return m.fail(http.StatusBadRequest, "AF20051", "Content requested with the key "+id+" has already expired. Content older than 7 days cannot be retrieved.")
}

// badInterval has one of two codes. Only AF20030 is documented; Beats knows the
// other with the same words, and which of them is for what is unverified.
// https://github.com/elastic/beats/blob/main/x-pack/filebeat/input/o365audit/listblobs.go (checked 2026-11-22)
func (m *M365AuditLogs) badInterval(code string) answer {
	return m.fail(http.StatusBadRequest, code, "Start time and end time must both be specified (or both omitted) and must be less than or equal to 24 hours apart, with the start time no more than 7 days in the past.")
}

func (m *M365AuditLogs) badNextPage(token string) answer {
	return m.fail(http.StatusBadRequest, "AF20031", "Invalid nextPage Input: "+token+".")
}

func (m *M365AuditLogs) sealPage(skip int) string {
	text := strconv.Itoa(skip)
	return text + "R" + hex.EncodeToString(m.mint.mac([]byte(text))[:6])
}

func (m *M365AuditLogs) openPage(sealed string) (int, bool) {
	text, _, _ := strings.Cut(sealed, "R")
	skip, err := strconv.Atoi(text)
	return skip, err == nil && sealed == m.sealPage(skip)
}

// tellManage reads Id and CreationTime, which is in UTC and has no zone, and to
// which content type a record belongs.
func tellManage(raw []byte) (Event, error) {
	var record struct {
		ID, CreationTime, Workload string
		RecordType                 int
	}
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&record); err != nil {
		return Event{}, fmt.Errorf("record of the activity API: %w", err)
	}
	at, err := time.Parse(manageSeconds, record.CreationTime)
	if err != nil {
		return Event{}, fmt.Errorf("record's CreationTime: %w", err)
	}
	kind, ok := map[string]string{
		"AzureActiveDirectory": "Audit.AzureActiveDirectory", "Exchange": "Audit.Exchange",
		"SharePoint": "Audit.SharePoint", "OneDrive": "Audit.SharePoint",
	}[record.Workload]
	switch {
	case slices.Contains([]int{11, 13, 33}, record.RecordType):
		kind = "DLP.All"
	case !ok:
		kind = "Audit.General"
	}
	return Event{ID: record.ID, Published: at, Stream: kind}, nil
}
