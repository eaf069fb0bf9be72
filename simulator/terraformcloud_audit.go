package simulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// The audit trail. https://developer.hashicorp.com/terraform/cloud-docs/api-docs/audit-trails
// (checked 2026-11-22). That a page larger than 1000 is cut to 1000, and how a
// malformed parameter is refused, is unverified.
const (
	terraformAuditMax       = 1000
	terraformAuditRetention = 14 * 24 * time.Hour
)

type terraformPagination struct {
	Current int  `json:"current_page"`
	Prev    *int `json:"prev_page"`
	Next    *int `json:"next_page"`
	Pages   int  `json:"total_pages"`
	Count   int  `json:"total_count"`
}

// auditTrail answers the organisation's audit events, newest first: a page number
// means something else as soon as an event arrives. It is not a JSON:API document.
func (t *TerraformCloud) auditTrail(r *http.Request) answer {
	if refusal := t.permit(r, true); refusal != nil {
		return *refusal
	}
	if t.options.NoAuditTrails {
		return t.missing()
	}
	q := r.URL.Query()
	number, size, ok := terraformPage(q, terraformAuditMax, terraformAuditMax)
	from, now := t.now().Add(-terraformAuditRetention), t.now()
	if ok && q.Has("since") {
		since, err := time.Parse(time.RFC3339Nano, q.Get("since"))
		ok = err == nil
		if after := since.Add(1); after.After(from) {
			from = after // events created after that date, not at it
		}
	}
	if !ok {
		return t.fail(http.StatusBadRequest, "bad request")
	}
	list := t.published(from, now.Add(1))
	page := make([]entry, 0, size)
	for i := (number - 1) * size; i < min(number*size, len(list)); i++ {
		page = append(page, list[len(list)-1-i])
	}
	pagination, err := json.Marshal(paginate(number, size, len(list)))
	if err != nil {
		panic("simulator: " + err.Error()) // integers always encode
	}
	body := slices.Concat([]byte(`{"data":`), array(page), []byte(`,"pagination":`), pagination, []byte(`}`))
	ans := newAnswer(http.StatusOK, "application/json; charset=utf-8", body)
	ans.sent = func() { t.show(page) }
	return ans
}

func paginate(number, size, count int) terraformPagination {
	p := terraformPagination{Current: number, Pages: (count + size - 1) / size, Count: count}
	if number > 1 {
		prev := number - 1
		p.Prev = &prev
	}
	if number < p.Pages {
		next := number + 1
		p.Next = &next
	}
	return p
}

func terraformPage(q url.Values, size, most int) (number, limit int, ok bool) {
	number, limit, ok = 1, size, true
	for name, to := range map[string]*int{"page[number]": &number, "page[size]": &limit} {
		if q.Has(name) {
			n, err := strconv.Atoi(q.Get(name))
			*to, ok = n, ok && err == nil && n > 0 && n <= 1<<20
		}
	}
	return number, min(limit, most), ok
}
