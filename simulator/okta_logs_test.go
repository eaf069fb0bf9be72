package simulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/simulator"
)

// event is a small record that says when it was published.
func event(w *world, id string, published, arrival time.Duration) simulator.Event {
	at := w.clock.Now().Add(published)
	return simulator.Event{
		Raw:     fmt.Appendf(nil, `{"uuid":%q,"published":%q}`, id, at.Format("2006-01-02T15:04:05.000Z")),
		Arrival: w.clock.Now().Add(arrival),
	}
}

func add(t *testing.T, w *world, events ...simulator.Event) {
	t.Helper()
	if err := w.Okta().Add(events...); err != nil {
		t.Fatal(err)
	}
}

func ids(t *testing.T, body string) []string {
	t.Helper()
	out := []string{}
	for _, e := range parse[[]struct{ UUID string }](t, body) {
		out = append(out, e.UUID)
	}
	return out
}

func TestOktaPermission(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	good := w.connect().Access
	noLogs := w.token(w.codeForm(w.code(with(w.authorizeQuery(), "scope", "okta.users.read")))).Access
	// Zoë may sign in and consent, but is no administrator.
	page := w.get("/oauth2/v1/authorize?"+w.authorizeQuery().Encode(), "").body
	_, rest, _ := strings.Cut(page, `name="ticket" value="`)
	ticket, _, _ := strings.Cut(rest, `"`)
	back, err := url.Parse(w.do(http.MethodPost, "/oauth2/v1/authorize", "",
		url.Values{"ticket": {ticket}, "decision": {"approve"}, "user": {"zoe.mueller@example.com"}}).header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	noAdmin := w.token(w.codeForm(back.Query().Get("code"))).Access

	const (
		noSession = `{"errorCode":"E0000005","errorSummary":"Invalid session","errorLink":"E0000005","errorId":"oae","errorCauses":[]}`
		noToken   = `{"errorCode":"E0000011","errorSummary":"Invalid token provided","errorLink":"E0000011","errorId":"oae","errorCauses":[]}`
		forbidden = `{"errorCode":"E0000006","errorSummary":"You do not have permission to perform the requested action","errorLink":"E0000006","errorId":"oae","errorCauses":[]}`
	)
	for name, c := range map[string]struct {
		token, body, challenge string
		status                 int
	}{
		"no token":        {"", noSession, "", 401},
		"unknown token":   {"x", noToken, `error="invalid_token"`, 401},
		"missing scope":   {noLogs, forbidden, `error="insufficient_scope"`, 403},
		"no admin rights": {noAdmin, forbidden, "", 403},
	} {
		got := w.get("/api/v1/logs", c.token)
		if diff := cmp.Diff(c.body, stable(got.body)); got.status != c.status || diff != "" {
			t.Errorf("%s: %d %s", name, got.status, diff)
		}
		if challenge := got.header.Get("WWW-Authenticate"); !strings.Contains(challenge, c.challenge) || (c.challenge == "") != (challenge == "") {
			t.Errorf("%s: challenge %s", name, challenge)
		}
	}
	if got := w.get("/api/v1/logs", good); got.status != http.StatusOK {
		t.Errorf("good token: %d %s", got.status, got.body)
	}
	w.clock.Advance(time.Hour)
	if got := w.get("/api/v1/logs", good); got.status != http.StatusUnauthorized || !strings.Contains(got.body, "E0000011") {
		t.Errorf("expired token: %d %s", got.status, got.body)
	}
	ssws, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/api/v1/logs", nil)
	if err != nil {
		t.Fatal(err)
	}
	ssws.Header.Set("Authorization", "SSWS "+w.connect().Access)
	if got := w.send(ssws); got.status != http.StatusUnauthorized {
		t.Errorf("another scheme: %d", got.status)
	}
}

func TestOktaLogsParameters(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Okta: simulator.OktaOptions{CursorLife: time.Hour, AccessLife: 24 * time.Hour}})
	token := w.connect().Access
	page := w.get("/api/v1/logs?limit=1", token)
	link, err := url.Parse(next(page.header))
	if err != nil {
		t.Fatal(err)
	}
	cursor := link.Query().Get("after")
	for name, c := range map[string]struct{ query, code, summary string }{
		"until is no date": {"until=yesterday", "E0000001",
			"Api validation failed: 'until': The date format in your query is not recognized. Please enter dates using ISO8601 string format. 'until': must be a valid date-time or empty."},
		"since is no date":    {"since=2026-11-22", "E0000001", "Api validation failed: 'since': "},
		"since long ago":      {"since=2026-05-01T00:00:00Z", "E0000053", "Invalid parameter: The since parameter is over 180 days prior to the current day."},
		"until before since":  {"since=2026-11-22T00:00:00Z&until=2026-11-21T00:00:00Z", "E0000001", "Api validation failed: 'until'"},
		"limit too large":     {"limit=1001", "E0000001", "Api validation failed: 'limit'"},
		"limit negative":      {"limit=-1", "E0000001", "Api validation failed: 'limit'"},
		"limit no number":     {"limit=ten", "E0000001", "Api validation failed: 'limit'"},
		"unknown order":       {"sortOrder=ascending", "E0000001", "Api validation failed: 'sortOrder'"},
		"since with after":    {"since=2026-11-22T00:00:00Z&after=" + cursor, "E0000001", "Api validation failed: 'since'"},
		"cursor made up":      {"after=1627500044869_1", "E0000001", "Api validation failed: 'after'"},
		"cursor tampered":     {"after=" + cursor[:8] + "A" + cursor[9:], "E0000001", "Api validation failed: 'after'"},
		"cursor of other use": {"until=2026-11-22T10:00:00Z&after=" + cursor, "E0000001", "Api validation failed: 'after'"},
		"filter":              {"filter=x", "E0000053", "Invalid filter"},
		"keyword":             {"q=x", "E0000001", "Api validation failed: 'q'"},
	} {
		got := w.get("/api/v1/logs?"+c.query, token)
		body := parse[struct{ ErrorCode, ErrorSummary, ErrorLink, ErrorID string }](t, got.body)
		if got.status != http.StatusBadRequest || body.ErrorCode != c.code || body.ErrorLink != c.code || !strings.HasPrefix(body.ErrorSummary, c.summary) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	w.clock.Advance(time.Hour)
	if got := w.do(http.MethodGet, link.String(), token, nil); got.status != http.StatusBadRequest || !strings.Contains(got.body, "'after'") {
		t.Errorf("old cursor: %d %s", got.status, got.body)
	}
}

func TestOktaPolling(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	token := w.connect().Access
	add(t, w,
		event(w, "old", -time.Hour, -time.Hour),
		event(w, "first", -50*time.Minute, -10*time.Minute), // arrives late, and so after
		event(w, "second", -20*time.Minute, -20*time.Minute),
		event(w, "future", 0, time.Minute),
	)
	since := w.clock.Now().Add(-30 * time.Minute).Format(time.RFC3339)
	address := w.url + "/api/v1/logs?sortOrder=ASCENDING&limit=1&since=" + since
	var got [][]string
	for range 4 {
		page := w.do(http.MethodGet, address, token, nil)
		if self := page.header.Values("Link")[0]; self != "<"+address+`>; rel="self"` {
			t.Errorf("self link %s", self)
		}
		got = append(got, ids(t, page.body))
		if address = next(page.header); address == "" {
			t.Fatalf("no next link: %v", page.header)
		}
		if len(got) == 3 { // a page without events: it goes on when some arrive
			add(t, w, event(w, "late", -2*time.Hour, -2*time.Hour))
		}
	}
	// "late" arrived with a time before what was shown, and was put behind it.
	if diff := cmp.Diff([][]string{{"second"}, {"first"}, {}, {"late"}}, got); diff != "" {
		t.Error(diff)
	}
	w.clock.Advance(time.Minute)
	if diff := cmp.Diff([]string{"future"}, ids(t, w.do(http.MethodGet, address, token, nil).body)); diff != "" {
		t.Error(diff)
	}
}

func TestOktaBounded(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"ASCENDING", "DESCENDING"} {
		w := start(t, simulator.Options{})
		token := w.connect().Access
		want := []string{}
		for i := range 5 {
			id := "e" + strconv.Itoa(i)
			// They arrive in the other order than they were published in.
			add(t, w, event(w, id, time.Duration(i-10)*time.Minute, -time.Duration(i)*time.Minute))
			want = append(want, id)
		}
		if order == "DESCENDING" {
			want = []string{"e4", "e3", "e2", "e1", "e0"}
		}
		add(t, w, event(w, "at until", 0, 0), event(w, "not arrived", -8*time.Minute, time.Hour), event(w, "before", -11*time.Minute, 0))
		query := url.Values{
			"since": {w.clock.Now().Add(-10 * time.Minute).Format(time.RFC3339)}, "until": {w.clock.Now().Format(time.RFC3339)},
			"limit": {"2"}, "sortOrder": {order},
		}
		var got []string
		pages := 0
		for address := w.url + "/api/v1/logs?" + query.Encode(); address != ""; pages++ {
			page := w.do(http.MethodGet, address, token, nil)
			if page.status != http.StatusOK || pages > 5 {
				t.Fatalf("%d %s", page.status, page.body)
			}
			got = append(got, ids(t, page.body)...)
			address = next(page.header)
			if pages == 0 { // published before the cursor: missed, as documented
				add(t, w, event(w, "missed", map[string]time.Duration{"ASCENDING": -10 * time.Minute, "DESCENDING": -time.Second}[order], 0))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || pages != 3 {
			t.Errorf("%s: %d pages, %s", order, pages, diff)
		}
	}
}

func TestOktaLogsDefaults(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	token := w.connect().Access
	if _, err := w.Okta().Emit(150, 0); err != nil {
		t.Fatal(err)
	}
	add(t, w, event(w, "eight days", -8*24*time.Hour, -8*24*time.Hour), event(w, "hundred days", -100*24*time.Hour, -100*24*time.Hour))
	if got := len(elements(t, w.get("/api/v1/logs", token).body)); got != 100 {
		t.Errorf("default limit: %d events", got)
	}
	if got := w.get("/api/v1/logs?limit=0", token); got.body != "[]" || next(got.header) == "" {
		t.Errorf("limit 0: %s", got.body)
	}
	if got := ids(t, w.get("/api/v1/logs?limit=1000", token).body); len(got) != 150 {
		t.Errorf("default since: %d events", len(got))
	}
	long := w.get("/api/v1/logs?limit=1000&since="+w.clock.Now().Add(-120*24*time.Hour).Format(time.RFC3339), token)
	if got := ids(t, long.body); len(got) != 151 || got[0] != "eight days" {
		t.Errorf("retention: %d events, the first %s", len(got), got[0])
	}
}

func TestOktaUsers(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	token := w.connect().Access
	type user struct {
		ID, Status string
		Profile    struct{ FirstName, LastName, Login, Email string }
	}
	for _, key := range []string{"zoe.mueller@example.com", "ZOE.MUELLER%40example.com", "zoe.mueller", "00u1user5im000000002"} {
		got := parse[user](t, w.get("/api/v1/users/"+key, token).body)
		if got.ID != "00u1user5im000000002" || got.Profile.FirstName != "Zoë" || got.Profile.Email != "zoe.mueller@example.com" || got.Status != "ACTIVE" {
			t.Errorf("%s: %+v", key, got)
		}
	}
	if got := parse[user](t, w.get("/api/v1/users/me", token).body); got.Profile.Login != "ada.okafor@example.com" {
		t.Errorf("me: %+v", got)
	}
	missing := w.get("/api/v1/users/nobody@example.com", token)
	want := `{"errorCode":"E0000007","errorSummary":"Not found: Resource not found: nobody@example.com (User)","errorLink":"E0000007","errorId":"oae","errorCauses":[]}`
	if diff := cmp.Diff(want, stable(missing.body)); missing.status != http.StatusNotFound || diff != "" {
		t.Errorf("%d %s", missing.status, diff)
	}
	search := func(s string) reply { return w.get("/api/v1/users?search="+url.QueryEscape(s), token) }
	if got := parse[[]user](t, search(`profile.email eq "jose.nunez@example.com"`).body); len(got) != 1 || got[0].Status != "SUSPENDED" {
		t.Errorf("search: %+v", got)
	}
	if got := search(`profile.email eq "x@example.com"`); got.body != "[]" {
		t.Errorf("search without a hit: %s", got.body)
	}
	if got := search("status pr"); got.status != http.StatusBadRequest || !strings.Contains(got.body, "E0000031") {
		t.Errorf("other search: %d %s", got.status, got.body)
	}
	if got := w.get("/api/v1/users/me", w.token(w.codeForm(w.code(with(w.authorizeQuery(), "scope", "okta.logs.read")))).Access); got.status != http.StatusForbidden {
		t.Errorf("without the scope: %d", got.status)
	}
}

func TestOktaRateLimit(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Okta: simulator.OktaOptions{PerMinute: 3}})
	token := w.connect().Access // one request to the token endpoint
	reset := strconv.FormatInt(w.clock.Now().Add(time.Minute).Unix(), 10)
	for i, want := range []string{"1", "0", "0"} {
		got := w.get("/api/v1/logs", token)
		if i == 2 {
			body := `{"errorCode":"E0000047","errorSummary":"API call exceeded rate limit due to too many requests.","errorLink":"E0000047","errorId":"oae","errorCauses":[]}`
			if diff := cmp.Diff(body, stable(got.body)); got.status != http.StatusTooManyRequests || diff != "" {
				t.Errorf("%d %s", got.status, diff)
			}
		}
		h := got.header
		if h.Get("X-Rate-Limit-Limit") != "3" || h.Get("X-Rate-Limit-Remaining") != want || h.Get("X-Rate-Limit-Reset") != reset || h.Get("Retry-After") != "" {
			t.Errorf("request %d: %d %v", i, got.status, h)
		}
	}
	w.clock.Advance(time.Minute)
	if got := w.get("/api/v1/logs", token); got.status != http.StatusOK {
		t.Errorf("next minute: %d", got.status)
	}
}

func TestOktaUnknownPaths(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	if got := w.do(http.MethodDelete, "/api/v1/logs", "", nil); got.status != http.StatusMethodNotAllowed || !strings.Contains(got.body, "E0000022") {
		t.Errorf("other method: %d %s", got.status, got.body)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/api/v1/apps", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "okta.localhost:9000"
	if got := w.send(req); got.status != http.StatusNotFound || !strings.Contains(got.body, "E0000007") {
		t.Errorf("other path: %d %s", got.status, got.body)
	}
}

// FuzzOktaLogs: whatever a client sends as a query, the answer is a page or a
// documented refusal.
func FuzzOktaLogs(f *testing.F) {
	for _, seed := range []string{"limit=3", "after=AAAA", "since=2026-11-22T00:00:00Z&until=9999-12-31T23:59:59Z&limit=0", "sortOrder=DESCENDING&limit=2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		w := start(t, simulator.Options{})
		if _, err := w.Okta().Emit(5, time.Hour); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/api/v1/logs", nil)
		r.URL.RawQuery = query
		r.Header.Set("Authorization", "Bearer "+w.connect().Access)
		got := httptest.NewRecorder()
		w.ServeHTTP(got, r)
		if got.Code != http.StatusOK && got.Code != http.StatusBadRequest {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
		if got.Code == http.StatusOK {
			elements(t, got.Body.String())
		}
	})
}
