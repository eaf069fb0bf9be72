package jira_test

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/connector/connectortest"
	"selvedge/connector/jira"
	"selvedge/connector/rest"
	"selvedge/simulator"
)

var now = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// scripted is a session whose provider answers each call with the next body,
// and what it was asked.
func scripted(facts map[string]string, status int, bodies ...string) (connector.Session, *[]string) {
	asked := new([]string)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := bodies[min(len(*asked), len(bodies)-1)]
		*asked = append(*asked, r.URL.RequestURI())
		w.Header().Set("Date", now.Format(http.TimeFormat))
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})
	env := connector.Env{
		Tenant: "example", HTTP: &http.Client{Transport: connectortest.InProcess{Handler: handler}},
		Now: func() time.Time { return now }, Facts: facts,
	}
	return jira.App().Open(env), asked
}

func known() map[string]string { return map[string]string{"cloudId": "c-1"} }

func page(offset, total int, created ...string) string {
	records := make([]string, len(created))
	for i, at := range created {
		records[i] = fmt.Sprintf(`{"id":%d,"created":%q}`, 9000-offset-i, at)
	}
	return fmt.Sprintf(`{"offset":%d,"limit":1000,"total":%d,"records":[%s]}`, offset, total, strings.Join(records, ","))
}

func TestPoll(t *testing.T) {
	t.Parallel()
	from := now.Add(-time.Hour)
	place := func(record int) string { return rest.Trail{After: strconv.Itoa(record - 1), Until: now}.Token() }
	const newer, older = "2026-11-20T09:59:00.250+0000", "2026-11-20T10:30:00.000+0100"
	for name, test := range map[string]struct {
		at    connector.Cursor
		body  string
		asked string
		times []string
		next  connector.Cursor
		done  bool
	}{
		"live, all in one page": {
			connector.Cursor{From: from}, page(0, 2, newer, older), "from=2026-11-20T09%3A00%3A00.000%2B0000&limit=1000&offset=0",
			[]string{"09:59:00.25", "09:30:00"}, connector.Cursor{From: now}, true,
		},
		"fewer than asked for and not all": {
			connector.Cursor{From: from}, page(0, 3, newer, older), "from=2026-11-20T09%3A00%3A00.000%2B0000&limit=1000&offset=0",
			[]string{"09:59:00.25", "09:30:00"}, connector.Cursor{From: from, Token: place(3)}, false,
		},
		"going on": {
			connector.Cursor{From: from, Token: place(3)}, page(2, 3, older), "from=2026-11-20T09%3A00%3A00.000%2B0000&limit=1000&offset=2",
			[]string{"09:30:00"}, connector.Cursor{From: now}, true,
		},
		"behind the end, which shrank": {
			connector.Cursor{From: from, Token: place(1001)}, page(1000, 2000), "from=2026-11-20T09%3A00%3A00.000%2B0000&limit=1000&offset=1000",
			nil, connector.Cursor{From: now}, true,
		},
		"window, whose end is not in it": {
			connector.Cursor{From: from, To: now.Add(-30 * time.Minute)}, page(0, 2, older, "2026-11-20T09:29:59.999+0000"),
			"from=2026-11-20T09%3A00%3A00.000%2B0000&limit=1000&offset=0&to=2026-11-20T09%3A30%3A00.000%2B0000",
			[]string{"09:29:59.999"}, connector.Cursor{From: now.Add(-30 * time.Minute), To: now.Add(-30 * time.Minute)}, true,
		},
		"without a total": {
			connector.Cursor{From: from}, `{"records":[{"id":1}]}`, "from=2026-11-20T09%3A00%3A00.000%2B0000&limit=1000&offset=0",
			[]string{"none"}, connector.Cursor{From: now}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			session, asked := scripted(known(), 200, test.body)
			got, err := session.Poll(t.Context(), "audit_records", test.at)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"/ex/jira/c-1/rest/api/3/auditing/record?" + test.asked}, *asked); diff != "" {
				t.Error(diff)
			}
			var times []string
			for _, r := range got.Records {
				if times = append(times, r.Time.Format("15:04:05.999")); r.Time.IsZero() {
					times[len(times)-1] = "none"
				}
			}
			if diff := cmp.Diff(test.times, times); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.next, got.Next); diff != "" || got.Done != test.done {
				t.Errorf("done %v, next %s", got.Done, diff)
			}
		})
	}
}

// TestClockAhead has a clock of ours that is ahead leave nothing unread.
func TestClockAhead(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", now.Add(-time.Hour).Format(http.TimeFormat))
		fmt.Fprint(w, page(0, 0))
	})
	session := jira.App().Open(connector.Env{
		Tenant: "example", HTTP: &http.Client{Transport: connectortest.InProcess{Handler: handler}},
		Now: func() time.Time { return now }, Facts: known(),
	})
	got, err := session.Poll(t.Context(), "audit_records", connector.Cursor{From: now.Add(-2 * time.Hour)})
	if err != nil || !got.Next.From.Equal(now.Add(-time.Hour)) {
		t.Errorf("next %v, %v", got.Next.From, err)
	}
}

func TestSite(t *testing.T) {
	t.Parallel()
	const feed = `{"total":0,"records":[]}`
	for name, test := range map[string]struct {
		sites  string
		cloud  string
		reason string
	}{
		"the second of two": {`[{"id":"c-0","url":"https://other.atlassian.net"},{"id":"c-1","url":"https://example.atlassian.net"}]`, "c-1", ""},
		"once a product":    {`[{"id":"c-1","url":"https://Example.atlassian.net/"},{"id":"c-1","url":"https://example.atlassian.net"}]`, "c-1", ""},
		"another's":         {`[{"id":"c-0","url":"https://example2.atlassian.net"}]`, "", "the grant does not cover https://example.atlassian.net; it covers https://example2.atlassian.net"},
		"none":              {`[]`, "", "the grant covers no site; it must cover https://example.atlassian.net"},
	} {
		session, asked := scripted(nil, 200, test.sites, feed)
		facts, err := session.Connect(t.Context())
		if test.cloud != "" {
			if err != nil || facts["cloudId"] != test.cloud || (*asked)[1] != "/ex/jira/"+test.cloud+"/rest/api/3/auditing/record?limit=1" {
				t.Errorf("%s: %v, %v, asked %v", name, facts, err, *asked)
			}
			continue
		}
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != connector.Forbidden || e.Reason != test.reason {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWithoutCloud: an authorization that never told its cloud id asks nobody.
func TestWithoutCloud(t *testing.T) {
	t.Parallel()
	session, asked := scripted(nil, 200, "[]")
	_, err := session.Poll(t.Context(), "audit_records", connector.Cursor{From: now})
	_, err2 := session.(connector.UserFinder).FindUser(t.Context(), "ada@example.com")
	if connector.KindOf(err) != connector.Forbidden || connector.KindOf(err2) != connector.Forbidden || len(*asked) > 0 {
		t.Errorf("%v, %v, asked %v", err, err2, *asked)
	}
}

// TestRefusals: the gateway's 401 for a scope is none for the token.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status int
		body   string
		kind   connector.Kind
		reason string
	}{
		{401, `{"code":401,"message":"Unauthorized"}`, connector.Unauthorized, "Unauthorized"},
		{401, `{"code":401,"message":"Unauthorized; scope does not match"}`, connector.Forbidden, "Unauthorized; scope does not match"},
		{403, `{"errorMessages":["No."],"errors":{}}`, connector.Forbidden, "No."},
		{429, `{}`, connector.Throttled, ""},
		{503, ``, connector.Unavailable, ""},
	} {
		session, _ := scripted(known(), test.status, test.body)
		_, err := session.Poll(t.Context(), "audit_records", connector.Cursor{From: now})
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != test.kind || e.Reason != test.reason {
			t.Errorf("%d %s: got %v", test.status, test.body, err)
		}
	}
}

// TestGrants signs in for too little: with Atlassian's words, connecting fails.
func TestGrants(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options simulator.JiraOptions
		scopes  []string
		reason  string
	}{
		"without the log's scope": {simulator.JiraOptions{}, []string{"read:jira-user", "offline_access"}, "Unauthorized; scope does not match"},
		"by no administrator": {
			simulator.JiraOptions{Users: []simulator.User{{ID: "1", Login: "a@example.com", Status: "active"}}}, jira.App().Auth.Scopes,
			"You do not have permission to view the audit log: the global permission Administer Jira is required.",
		},
	} {
		server := simulator.New(simulator.Options{Jira: test.options})
		token := connectortest.SignIn(t, server, jira.App(), test.scopes...)
		env := connector.Env{Tenant: "example", Now: time.Now, HTTP: &http.Client{Transport: connectortest.InProcess{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header.Set("Authorization", "Bearer "+token)
				r.Host = "jira.localhost"
				server.ServeHTTP(w, r)
			}),
		}}}
		_, err := jira.App().Open(env).Connect(t.Context())
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != connector.Forbidden || e.Reason != test.reason {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFindUser(t *testing.T) {
	t.Parallel()
	const ada, adam, hidden = `{"accountId":"1","emailAddress":"Ada@x.example","displayName":"Ada Okafor","active":true}`,
		`{"accountId":"2","emailAddress":"ada@x.example.org","displayName":"Ada Müller","active":true}`,
		`{"accountId":"3","displayName":"太郎 山田","active":false}`
	for name, test := range map[string]struct {
		body string
		want connector.User // the zero one: nobody
	}{
		"exact":            {"[" + adam + "," + ada + "]", connector.User{ID: "1", Email: "Ada@x.example", FullName: "Ada Okafor", Status: "active"}},
		"hidden":           {"[" + hidden + "]", connector.User{}},
		"hidden among two": {"[" + hidden + "," + adam + "]", connector.User{}},
		"a longer one":     {"[" + adam + "]", connector.User{}},
		"nobody":           {"[]", connector.User{}},
	} {
		session, asked := scripted(known(), 200, test.body)
		got, err := session.(connector.UserFinder).FindUser(t.Context(), "ada@x.example")
		if test.want == (connector.User{}) {
			if !errors.Is(err, connector.ErrNoUser) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		} else if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if (*asked)[0] != "/ex/jira/c-1/rest/api/3/user/search?query=ada%40x.example" {
			t.Errorf("asked %v", *asked)
		}
	}
}
