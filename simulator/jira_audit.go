package simulator

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// The audit log.
// https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-audit-records/ (checked 2026-11-22).
// That a limit above 1000 is cut, and how a malformed parameter is refused, is
// unverified.
const (
	jiraAuditMax = 1000
	jiraTime     = "2006-01-02T15:04:05.000-0700"
)

// audit answers the site's audit records, newest first: an offset means
// something else as soon as a record arrives. Both bounds are inclusive.
func (j *Jira) audit(r *http.Request) answer {
	user, refusal := j.permit(r, []string{jiraConfigure}, []string{jiraReadAudit, jiraReadUsers})
	if refusal != nil {
		return *refusal
	}
	if !user.Admin {
		return j.refused(http.StatusForbidden, "You do not have permission to view the audit log: the global permission Administer Jira is required.")
	}
	q := r.URL.Query()
	offset, limit, from, to, problem := j.auditQuery(q)
	if problem != "" {
		return j.refused(http.StatusBadRequest, problem)
	}
	list := j.published(from, to.Add(1))
	page := []entry{}
	for i := offset; i < len(list) && len(page) < limit; i++ {
		page = append(page, list[len(list)-1-i])
	}
	head := fmt.Appendf(nil, `{"offset":%d,"limit":%d,"total":%d,"records":`, offset, limit, len(list))
	ans := newAnswer(http.StatusOK, "application/json;charset=UTF-8", slices.Concat(head, array(page), []byte("}")))
	ans.sent = func() { j.show(page) }
	return ans
}

func (j *Jira) auditQuery(q url.Values) (offset, limit int, from, to time.Time, problem string) {
	limit, to = jiraAuditMax, j.now()
	for name, value := range map[string]*int{"offset": &offset, "limit": &limit} {
		if !q.Has(name) {
			continue
		}
		n, err := strconv.Atoi(q.Get(name))
		if err != nil || n < 0 {
			problem = "The value of " + name + " is no number of records."
		}
		*value = n
	}
	for name, value := range map[string]*time.Time{"from": &from, "to": &to} {
		if !q.Has(name) {
			continue
		}
		at, err := time.Parse(jiraTime, q.Get(name))
		if err != nil {
			at, err = time.Parse(time.RFC3339Nano, q.Get(name))
		}
		if err != nil {
			problem = "The value of " + name + " is no date and time."
		}
		*value = at
	}
	return offset, min(limit, jiraAuditMax), from, to, problem
}

// jiraTell reads the identifier, a number, and the time of a record.
func jiraTell(raw []byte) (Event, error) {
	var record struct {
		ID      json.Number `json:"id"`
		Created string      `json:"created"`
	}
	if err := json.Unmarshal(raw, &record); err != nil {
		return Event{}, fmt.Errorf("record without id and created: %w", err)
	}
	at, err := time.Parse(jiraTime, record.Created)
	if err != nil {
		return Event{}, fmt.Errorf("record's created: %w", err)
	}
	return Event{ID: record.ID.String(), Published: at}, nil
}

// jiraCloudID is a UUID that follows from the site's name.
func jiraCloudID(site string) string {
	h := sha256.Sum256([]byte(site))
	h[6], h[8] = h[6]&0x0f|0x40, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// secondsUp is a wait in whole seconds, rounded up.
func secondsUp(wait time.Duration) string {
	return strconv.Itoa(int((wait + time.Second - 1) / time.Second))
}
