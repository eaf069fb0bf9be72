package simulator

import (
	"bytes"
	"cmp"
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

// The logs of Microsoft Entra ID, newest first, at most 1000 to a page.
// https://learn.microsoft.com/en-us/graph/api/signin-list,
// https://learn.microsoft.com/en-us/graph/api/directoryaudit-list (checked 2026-11-22)
const (
	graphPageMax   = 1000
	graphRetention = 30 * 24 * time.Hour // https://learn.microsoft.com/en-us/entra/identity/monitoring-health/reference-reports-data-retention (checked 2026-11-22), with a premium licence
)

// graphQuery is one request for records.
type graphQuery struct {
	from, to time.Time // within [from, to); to zero: open
	top      int
	at       *graphPlace
}

// graphPlace is what the opaque $skiptoken holds: the last record shown.
type graphPlace struct {
	time time.Time
	seq  int
}

// logs answers one of the two logs, whose time is the member called field.
func (m *M365) logs(stream, field string) handler {
	return func(r *http.Request) answer {
		groups := []string{"AuditLog.Read.All", "Directory.Read.All"}
		if refusal := m.permit(r, "Authentication_MSGraphPermissionMissing", groups...); refusal != nil {
			return *refusal
		}
		if stream == graphSignIn && m.options.Free {
			return m.fail(http.StatusForbidden, "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
				"Neither tenant is B2C or tenant doesn't have premium license")
		}
		q, refusal := m.parseLogs(r.URL.Query(), field)
		if refusal != nil {
			return *refusal
		}
		return m.logPage(r, q, stream)
	}
}

func (m *M365) logPage(r *http.Request, q graphQuery, stream string) answer {
	list := m.graphList(q, stream)
	page := list[:min(q.top, len(list))]
	context, err := json.Marshal(graphOrigin + "/v1.0/$metadata#auditLogs/" + r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])
	if err != nil {
		panic("simulator: " + err.Error()) // a string always encodes
	}
	var body bytes.Buffer
	body.WriteString(`{"@odata.context":` + string(context))
	if len(page) < len(list) {
		form := url.Values{"$top": {strconv.Itoa(q.top)}, "$skiptoken": {m.sealPlace(page[len(page)-1])}}
		if filter := r.URL.Query().Get("$filter"); filter != "" {
			form.Set("$filter", filter)
		}
		// The path of a next link is spelled as the service likes it.
		link, err := json.Marshal(origin(r) + strings.ToLower(r.URL.Path) + "?" + form.Encode())
		if err != nil {
			panic("simulator: " + err.Error()) // a string always encodes
		}
		body.WriteString(`,"@odata.nextLink":` + string(link))
	}
	body.WriteString(`,"value":`)
	body.Write(array(page))
	body.WriteByte('}')
	ans := m.json(http.StatusOK, nil)
	ans.body = body.Bytes()
	ans.sent = func() { m.show(page) }
	return ans
}

// graphList is what a query may still return, newest first.
func (m *M365) graphList(q graphQuery, stream string) []entry {
	from, to := m.now().Add(-graphRetention), m.now().Add(1)
	if q.from.After(from) {
		from = q.from
	}
	if !q.to.IsZero() && q.to.Before(to) {
		to = q.to
	}
	list := slices.Clone(ofStream(m.published(from, to), stream))
	slices.Reverse(list)
	if q.at == nil {
		return list
	}
	return slices.DeleteFunc(list, func(e entry) bool {
		return cmp.Or(e.Published.Compare(q.at.time), cmp.Compare(e.seq, q.at.seq)) >= 0
	})
}

// parseLogs takes the query apart. What the simulator does not evaluate is
// refused.
func (m *M365) parseLogs(form url.Values, field string) (graphQuery, *answer) {
	q := graphQuery{top: graphPageMax}
	refuse := func(message string) (graphQuery, *answer) {
		ans := m.fail(http.StatusBadRequest, "BadRequest", message)
		return q, &ans
	}
	for name := range form {
		if !slices.Contains([]string{"$filter", "$top", "$skiptoken"}, name) {
			return refuse("The query option '" + name + "' is not simulated.")
		}
	}
	if form.Has("$top") {
		n, err := strconv.Atoi(form.Get("$top"))
		if err != nil || n < 1 || n > graphPageMax {
			return refuse("Invalid page size specified: '" + form.Get("$top") + "'. Must be between 1 and 1000 inclusive.")
		}
		q.top = n
	}
	if form.Has("$filter") {
		for _, term := range strings.Split(form.Get("$filter"), " and ") {
			if !q.bound(strings.Fields(term), field) {
				return refuse("Invalid filter clause: " + term)
			}
		}
	}
	if form.Has("$skiptoken") {
		at, ok := m.openPlace(form.Get("$skiptoken"))
		if !ok {
			ans := m.badSkipToken()
			return q, &ans
		}
		q.at = &at
	}
	return q, nil
}

// bound takes one term of a filter. Of the comparisons, ge, le and eq are there
// for times: lt and gt are not.
func (q *graphQuery) bound(words []string, field string) bool {
	if len(words) != 3 || words[0] != field {
		return false
	}
	at, err := time.Parse(time.RFC3339Nano, words[2])
	if err != nil {
		return false
	}
	switch words[1] {
	case "ge":
		q.from = at
	case "le":
		q.to = at.Add(1)
	default:
		return false
	}
	return true
}

func (m *M365) badSkipToken() answer {
	return m.fail(http.StatusBadRequest, "BadRequest", "Skip token is null, malformed or expired.") // its wording is unverified
}

func (m *M365) sealPlace(e entry) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(e.Published.UnixNano()))
	b = binary.BigEndian.AppendUint64(b, uint64(e.seq))
	return base64.RawURLEncoding.EncodeToString(append(b, m.mint.mac(b)[:8]...))
}

func (m *M365) openPlace(sealed string) (graphPlace, bool) {
	const length = 16
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(b) != length+8 || !bytes.Equal(m.mint.mac(b[:length])[:8], b[length:]) {
		return graphPlace{}, false
	}
	number := func(i int) int64 { return int64(binary.BigEndian.Uint64(b[8*i:])) }
	return graphPlace{time: time.Unix(0, number(0)), seq: int(number(1))}, true
}
