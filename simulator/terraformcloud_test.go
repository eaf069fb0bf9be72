package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/simulator"
)

const (
	unauthorized = `{"errors":[{"status":"401","title":"unauthorized"}]}`
	notFound     = `{"errors":[{"status":"404","title":"not found"}]}`
	auditTrail   = "/api/v2/organization/audit-trail"
)

func TestTerraformCloudPermission(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	organization, user := w.TerraformCloud().Token(), w.TerraformCloud().UserToken()
	for name, c := range map[string]struct {
		path, token string
		status      int
		body        string
	}{
		"trail without a token":         {auditTrail, "", 401, unauthorized},
		"trail with an unknown token":   {auditTrail, "x", 401, unauthorized},
		"trail with a user's token":     {auditTrail, user, 404, notFound},
		"trail":                         {auditTrail, organization, 200, ""},
		"organization without a token":  {"/api/v2/organizations/example-org", "", 401, unauthorized},
		"organization of others":        {"/api/v2/organizations/other-org", organization, 404, notFound},
		"organization, user's token":    {"/api/v2/organizations/example-org", user, 200, ""},
		"memberships of others":         {"/api/v2/organizations/other-org/organization-memberships", organization, 404, notFound},
		"memberships without a token":   {"/api/v2/organizations/example-org/organization-memberships", "", 401, unauthorized},
		"unknown path of the same host": {"/api/v2/organizations/example-org/teams", organization, 404, notFound},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "terraformcloud.localhost"
		if c.token != "" {
			req.Header.Set("Authorization", "Bearer "+c.token)
		}
		got := w.send(req)
		if got.status != c.status || c.body != "" && got.body != c.body {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	w.TerraformCloud().Revoke()
	if got := w.get(auditTrail, organization); got.status != http.StatusUnauthorized || got.body != unauthorized {
		t.Errorf("revoked: %d %s", got.status, got.body)
	}
	if got := w.get(auditTrail, w.TerraformCloud().Token()); got.status != http.StatusOK {
		t.Errorf("the new token: %d %s", got.status, got.body)
	}
	w = start(t, simulator.Options{TerraformCloud: simulator.TerraformCloudOptions{NoAuditTrails: true}})
	if got := w.get(auditTrail, w.TerraformCloud().Token()); got.status != http.StatusNotFound || got.body != notFound {
		t.Errorf("without the entitlement: %d %s", got.status, got.body)
	}
}

type trail struct {
	Data       []json.RawMessage
	Pagination json.RawMessage
}

func TestTerraformCloudTrail(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	token := w.TerraformCloud().Token()
	put := func(id string, published, arrival time.Duration) {
		at := w.clock.Now().Add(published).Format("2006-01-02T15:04:05.000Z")
		err := w.TerraformCloud().Add(simulator.Event{Raw: fmt.Appendf(nil, `{"id":%q,"timestamp":%q}`, id, at), Arrival: w.clock.Now().Add(arrival)})
		if err != nil {
			t.Fatal(err)
		}
	}
	read := func(query ...string) ([]string, string) {
		form := url.Values{}
		for i := 0; i < len(query); i += 2 {
			form.Set(query[i], query[i+1])
		}
		got := w.get(auditTrail+"?"+form.Encode(), token)
		if got.status != http.StatusOK {
			t.Fatalf("%v: %d %s", query, got.status, got.body)
		}
		page := parse[trail](t, got.body)
		ids := []string{}
		for _, raw := range page.Data {
			ids = append(ids, parse[struct{ ID string }](t, string(raw)).ID)
		}
		return ids, string(page.Pagination)
	}
	check := func(what string, want []string, pagination string, query ...string) {
		t.Helper()
		ids, got := read(query...)
		if diff := cmp.Diff(want, ids); diff != "" || pagination != got {
			t.Errorf("%s: %s %s", what, got, diff)
		}
	}
	check("empty", []string{}, `{"current_page":1,"prev_page":null,"next_page":null,"total_pages":0,"total_count":0}`)
	put("expired", -15*24*time.Hour, 0)
	put("c", -time.Minute, 0)
	put("a", -3*time.Minute, 0)
	put("b", -2*time.Minute, time.Hour) // published before c, arrives after it
	check("newest first", []string{"c", "a"}, `{"current_page":1,"prev_page":null,"next_page":null,"total_pages":1,"total_count":2}`)
	since := w.clock.Now().Add(-3 * time.Minute).Format("2006-01-02T15:04:05.000Z")
	check("after since, not at it", []string{"c"}, `{"current_page":1,"prev_page":null,"next_page":null,"total_pages":1,"total_count":1}`, "since", since)
	w.clock.Advance(time.Hour)
	check("late", []string{"c", "b", "a"}, `{"current_page":1,"prev_page":null,"next_page":null,"total_pages":1,"total_count":3}`)
	check("first page", []string{"c"}, `{"current_page":1,"prev_page":null,"next_page":2,"total_pages":3,"total_count":3}`, "page[size]", "1")
	put("d", 0, 0)
	check("pages move", []string{"c"}, `{"current_page":2,"prev_page":1,"next_page":3,"total_pages":4,"total_count":4}`, "page[size]", "1", "page[number]", "2")
	check("last page", []string{"a"}, `{"current_page":4,"prev_page":3,"next_page":null,"total_pages":4,"total_count":4}`, "page[size]", "1", "page[number]", "4")
	check("beyond", []string{}, `{"current_page":9,"prev_page":8,"next_page":null,"total_pages":1,"total_count":4}`, "page[number]", "9")
	for _, query := range []string{"since=yesterday", "page%5Bnumber%5D=0", "page%5Bsize%5D=x", "page%5Bsize%5D=-1"} {
		if got := w.get(auditTrail+"?"+query, token); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
}

func TestTerraformCloudOrganization(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{TerraformCloud: simulator.TerraformCloudOptions{Organization: "acme"}})
	got := w.get("/api/v2/organizations/acme", w.TerraformCloud().Token())
	document := parse[struct {
		Data struct {
			ID, Type   string
			Attributes struct{ Name string }
		}
	}](t, got.body)
	if document.Data.ID != "acme" || document.Data.Type != "organizations" || document.Data.Attributes.Name != "acme" {
		t.Errorf("%s", got.body)
	}
	if media := got.header.Get("Content-Type"); !strings.HasPrefix(media, "application/vnd.api+json") {
		t.Errorf("Content-Type %s", media)
	}
}

func TestTerraformCloudMemberships(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	for query, want := range map[string][]string{
		"":                                      {"user-MaPuLxAXvtq2PWTH", "user-V3R563qtJNcExAkN", "user-oqCgH7NgTn95jTGc", "user-UntUdBTHsVRQMzC8"},
		"filter[email]=zoe.mueller@example.com": {"user-V3R563qtJNcExAkN"},
		"filter[email]=Zoe.Mueller@example.com,ada.okafor@example.com": {"user-MaPuLxAXvtq2PWTH", "user-V3R563qtJNcExAkN"},
		"filter[email]=nobody@example.com":                             {},
		"filter[status]=invited":                                       {"user-UntUdBTHsVRQMzC8"},
		"q=yamada":                                                     {"user-oqCgH7NgTn95jTGc"},
		"page[size]=1&page[number]=2":                                  {"user-V3R563qtJNcExAkN"},
	} {
		got := w.get("/api/v2/organizations/example-org/organization-memberships?"+query, w.TerraformCloud().Token())
		document := parse[struct {
			Data []struct {
				Attributes    struct{ Status, Email string }
				Relationships struct {
					User struct{ Data struct{ ID string } }
				}
			}
		}](t, got.body)
		ids := []string{}
		for _, m := range document.Data {
			ids = append(ids, m.Relationships.User.Data.ID)
			if m.Attributes.Status == "" || m.Attributes.Email == "" {
				t.Errorf("%s: %+v", query, m)
			}
		}
		if diff := cmp.Diff(want, ids); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
	if got := w.get("/api/v2/organizations/example-org/organization-memberships?email=x", w.TerraformCloud().Token()); got.status != http.StatusBadRequest {
		t.Errorf("unknown parameter: %d", got.status)
	}
}

func TestTerraformCloudRateLimit(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	token := w.TerraformCloud().Token()
	for i := range 30 {
		if got := w.get(auditTrail, token); got.status != http.StatusOK || got.header.Get("X-RateLimit-Limit") != "30" {
			t.Fatalf("request %d: %d %v", i, got.status, got.header)
		}
	}
	w.clock.Advance(250 * time.Millisecond)
	got := w.get(auditTrail, token)
	want := `{"errors":[{"detail":"You have exceeded the API's rate limit.","status":429,"title":"Too many requests"}]}`
	if got.status != http.StatusTooManyRequests || got.body != want || got.header.Get("X-RateLimit-Reset") != "0.750" || got.header.Get("X-RateLimit-Remaining") != "0" {
		t.Errorf("%d %s %v", got.status, got.body, got.header)
	}
	w.clock.Advance(750 * time.Millisecond)
	inject(t, w, "TERRAFORMCLOUD", simulator.Fault{Kind: simulator.Status429, Delay: 1500 * time.Millisecond, Times: 1})
	if got := w.get(auditTrail, token); got.status != http.StatusTooManyRequests || got.header.Get("X-RateLimit-Reset") != "1.500" {
		t.Errorf("%d %v", got.status, got.header)
	}
	inject(t, w, "TERRAFORMCLOUD", simulator.Fault{Kind: simulator.Status500, Times: 1})
	if got := w.get(auditTrail, token); got.status != http.StatusInternalServerError || got.body != `{"errors":[{"status":"500","title":"internal server error"}]}` {
		t.Errorf("%d %s", got.status, got.body)
	}
	inject(t, w, "TERRAFORMCLOUD", simulator.Fault{Kind: simulator.RevokedGrant, Times: 1})
	if got := w.get(auditTrail, token); got.status != http.StatusUnauthorized {
		t.Errorf("%d %s", got.status, got.body)
	}
}
