package simulator_test

import (
	"crypto/sha256"
	"encoding/base64"
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

const graphDefault = "https://graph.microsoft.com/.default offline_access"

// entra is the sign-in server of the simulated tenant.
func (w *world) entra(name string) (base string, query url.Values) {
	w.t.Helper()
	account, err := w.Account(name)
	if err != nil {
		w.t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(verifier))
	return "/" + account.Tenant + "/oauth2/v2.0/", url.Values{
		"client_id": {account.ClientID}, "redirect_uri": {callback}, "response_type": {"code"}, "response_mode": {"query"},
		"scope": {graphDefault}, "state": {"state-1"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
}

// entraForm consents and returns a good request for tokens.
func (w *world) entraForm(name, scope string) (path string, form url.Values) {
	w.t.Helper()
	base, query := w.entra(name)
	back, err := w.Approve(w.t.Context(), name, w.http, w.url+base+"authorize?"+with(query, "scope", scope).Encode())
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil || u.Query().Get("code") == "" {
		w.t.Fatalf("came back to %s: %v", back, err)
	}
	account, err := w.Account(name)
	if err != nil {
		w.t.Fatal(err)
	}
	return base + "token", url.Values{
		"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {callback}, "code_verifier": {verifier},
		"client_id": {account.ClientID}, "client_secret": {account.ClientSecret},
	}
}

func (w *world) entraTokens(name, scope string) tokens {
	w.t.Helper()
	path, form := w.entraForm(name, scope)
	got := w.do(http.MethodPost, path, "", form)
	if got.status != http.StatusOK {
		w.t.Fatalf("token request: %d %s", got.status, got.body)
	}
	return parse[tokens](w.t, got.body)
}

func TestEntraAuthorizeRules(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	base, query := w.entra("M365")
	for name, c := range map[string]struct {
		change []string
		want   string // error in the redirect, or part of the page
	}{
		"unknown client":               {[]string{"client_id", "x"}, "AADSTS700016"},
		"redirect elsewhere":           {[]string{"redirect_uri", "https://evil.example/"}, "AADSTS50011"},
		"implicit":                     {[]string{"response_type", "token"}, "unsupported_response_type"},
		"no scope":                     {[]string{"scope", ""}, "invalid_request"},
		"scopes by comma":              {[]string{"scope", strings.ReplaceAll(graphDefault, " ", ",")}, "invalid_scope"},
		".default and another":         {[]string{"scope", graphDefault + " https://graph.microsoft.com/User.Read"}, "invalid_scope"},
		"two resources":                {[]string{"scope", graphDefault + " https://manage.office.com/ActivityFeed.Read"}, "invalid_scope"},
		"permission that is not there": {[]string{"scope", "https://graph.microsoft.com/Nope.Read"}, "invalid_scope"},
		"plain challenge":              {[]string{"code_challenge_method", "plain"}, "invalid_request"},
		"response mode":                {[]string{"response_mode", "x"}, "invalid_request"},
	} {
		got := w.get(base+"authorize?"+with(query, c.change...).Encode(), "")
		back, err := url.Parse(got.header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		if back.Query().Get("error") != c.want && (got.status != http.StatusBadRequest || !strings.Contains(got.body, c.want)) {
			t.Errorf("%s: %d %s %s", name, got.status, back, got.body)
		}
	}
}

func TestEntraTokenRules(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	for name, c := range map[string]struct {
		change []string
		status int
		code   string
		number int
	}{
		"wrong secret":      {[]string{"client_secret", "x"}, 401, "invalid_client", 7000215},
		"no secret":         {[]string{"client_secret", ""}, 401, "invalid_client", 7000218},
		"unknown client":    {[]string{"client_id", "x"}, 400, "unauthorized_client", 700016},
		"unknown code":      {[]string{"code", "x"}, 400, "invalid_grant", 54005},
		"other redirect":    {[]string{"redirect_uri", callback + "/"}, 400, "invalid_grant", 500112},
		"other verifier":    {[]string{"code_verifier", verifier + "x"}, 400, "invalid_grant", 501481},
		"other resource":    {[]string{"scope", "https://manage.office.com/.default"}, 400, "invalid_scope", 28000},
		"no grant type":     {[]string{"grant_type", ""}, 400, "invalid_request", 900144},
		"unknown grant":     {[]string{"grant_type", "password"}, 400, "unsupported_grant_type", 70003},
		"unknown refresher": {[]string{"grant_type", "refresh_token", "refresh_token", "x"}, 400, "invalid_grant", 700082},
		"the same scope":    {[]string{"scope", graphDefault}, 200, "", 0},
	} {
		path, form := w.entraForm("M365", graphDefault)
		got := w.do(http.MethodPost, path, "", with(form, c.change...))
		document := parse[struct {
			Error, Timestamp string
			Codes            []int  `json:"error_codes"`
			Text             string `json:"error_description"`
			Trace            string `json:"trace_id"`
		}](t, got.body)
		if got.status != c.status || document.Error != c.code {
			t.Errorf("%s: %d %s", name, got.status, got.body)
			continue
		}
		if c.code != "" && (len(document.Codes) != 1 || document.Codes[0] != c.number || document.Trace == "" ||
			!strings.HasPrefix(document.Text, fmt.Sprintf("AADSTS%d: ", c.number))) {
			t.Errorf("%s: %s", name, got.body)
		}
	}
}

// TestEntraScopes: .default is what was consented to, and of Microsoft Graph it
// is told without the resource; the refresh token before stays good.
func TestEntraScopes(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{M365: simulator.M365Options{Permissions: []string{"User.Read", "User.ReadBasic.All"}}})
	first := w.entraTokens("M365", graphDefault)
	if first.Scope != "User.Read User.ReadBasic.All" || first.Refresh == "" || first.Expires != 3600 {
		t.Errorf("%+v", first)
	}
	if got := w.entraTokens("M365", "https://graph.microsoft.com/User.Read"); got.Scope != "User.Read" || got.Refresh != "" {
		t.Errorf("%+v", got)
	}
	account, err := w.Account("M365")
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.Refresh}, "client_id": {account.ClientID}, "client_secret": {account.ClientSecret}}
	for _, scope := range []string{"", graphDefault} { // named again, it narrows nothing
		got := w.do(http.MethodPost, "/"+account.Tenant+"/oauth2/v2.0/token", "", with(form, "scope", scope))
		if next := parse[tokens](t, got.body); got.status != http.StatusOK || next.Refresh == "" || next.Scope != first.Scope {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	w.clock.Advance(91 * 24 * time.Hour)
	if got := w.do(http.MethodPost, "/"+account.Tenant+"/oauth2/v2.0/token", "", form); got.status != http.StatusBadRequest || !strings.Contains(got.body, "AADSTS700082") {
		t.Errorf("after 91 days: %d %s", got.status, got.body)
	}
}

func TestGraphPermission(t *testing.T) {
	t.Parallel()
	with := func(permissions string, free bool) (*world, string) {
		w := start(t, simulator.Options{M365: simulator.M365Options{Permissions: strings.Fields(permissions), Free: free}})
		return w, w.entraTokens("M365", graphDefault).Access
	}
	const audits, signIns = "/v1.0/auditLogs/directoryAudits", "/v1.0/auditLogs/signIns"
	users := "/v1.0/users?" + url.Values{
		"$filter": {"mail eq 'zoe.mueller@contoso.example' or userPrincipalName eq 'zoe.mueller@contoso.example'"}, "$select": {"id"},
	}.Encode()
	for name, c := range map[string]struct {
		permissions string
		free        bool
		path, token string
		status      int
		code        string
	}{
		"no token":                 {"User.Read", false, "/v1.0/organization", "none", 401, "InvalidAuthenticationToken"},
		"organization":             {"User.Read", false, "/v1.0/organization", "", 200, ""},
		"users without":            {"User.Read", false, users, "", 403, "Authorization_RequestDenied"},
		"users":                    {"User.ReadBasic.All", false, users, "", 200, ""},
		"state without permission": {"User.ReadBasic.All", false, users + ",accountEnabled", "", 403, "Authorization_RequestDenied"},
		"state":                    {"User.Read.All", false, users + ",accountEnabled", "", 200, ""},
		"other filters":            {"User.Read.All", false, "/v1.0/users?$filter=startswith(mail,'z')&$select=id", "", 400, "Request_UnsupportedQuery"},
		"audits with half":         {"User.Read AuditLog.Read.All", false, audits, "", 403, "Authentication_MSGraphPermissionMissing"},
		"audits":                   {"AuditLog.Read.All Directory.Read.All", true, audits, "", 200, ""},
		"sign-ins without licence": {"AuditLog.Read.All Directory.Read.All", true, signIns, "", 403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant"},
		"large page":               {"AuditLog.Read.All Directory.Read.All", false, audits + "?$top=1001", "", 400, "BadRequest"},
		"lt":                       {"AuditLog.Read.All Directory.Read.All", false, audits + "?$filter=activityDateTime+lt+2026-01-01T00:00:00Z", "", 400, "BadRequest"},
		"the other's time":         {"AuditLog.Read.All Directory.Read.All", false, signIns + "?$filter=activityDateTime+ge+2026-01-01T00:00:00Z", "", 400, "BadRequest"},
		"skip token":               {"AuditLog.Read.All Directory.Read.All", false, signIns + "?$skiptoken=x", "", 400, "BadRequest"},
		"nowhere":                  {"User.Read", false, "/v1.0/nowhere", "", 404, ""},
	} {
		w, token := with(c.permissions, c.free)
		if c.token != "" {
			token = ""
		}
		got := w.get(c.path, token)
		if got.status != c.status || c.code != "" && !strings.Contains(got.body, `"code":"`+c.code+`"`) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

type graphPage struct {
	Next  string `json:"@odata.nextLink"`
	Value []json.RawMessage
}

func TestGraphLogs(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{M365: simulator.M365Options{PerTenSeconds: -1, AccessLife: 2 * time.Hour}})
	token := w.entraTokens("M365", graphDefault).Access
	put := func(id string, before, arrival time.Duration) {
		at := w.clock.Now().Add(-before).Format("2006-01-02T15:04:05.0000000Z")
		if err := w.M365().Add(simulator.Event{Raw: fmt.Appendf(nil, `{"id":%q,"createdDateTime":%q}`, id, at), Arrival: w.clock.Now().Add(arrival)}); err != nil {
			t.Fatal(err)
		}
	}
	ids := func(path string) ([]string, string) {
		got := w.get(path, token)
		page := parse[graphPage](t, got.body)
		out := []string{}
		for _, raw := range page.Value {
			out = append(out, parse[struct{ ID string }](t, string(raw)).ID)
		}
		return out, strings.TrimPrefix(page.Next, w.url)
	}
	const signIns = "/v1.0/auditLogs/signIns"
	put("old", 31*24*time.Hour, 0)
	put("a", 3*time.Minute, 0)
	put("b", 2*time.Minute, time.Hour)
	put("c", time.Minute, 0)
	if _, err := w.M365().EmitTo("directory_audits", 3, 0); err != nil {
		t.Fatal(err)
	}
	first, next := ids("/v1.0/auditLogs/signIns?$top=1")
	if diff := cmp.Diff([]string{"c"}, first); diff != "" || !strings.HasPrefix(next, strings.ToLower(signIns)+"?") {
		t.Fatalf("%s %s", next, diff)
	}
	w.clock.Advance(time.Hour)
	if _, err := w.M365().EmitTo("sign_ins", 1, 0); err != nil {
		t.Fatal(err)
	}
	second, next := ids(strings.Replace(next, strings.ToLower(signIns), signIns, 1))
	third, last := ids(strings.Replace(next, strings.ToLower(signIns), signIns, 1))
	if diff := cmp.Diff([]string{"b", "a"}, append(second, third...)); diff != "" || last != "" {
		t.Errorf("%s %s", last, diff)
	}
	from := w.clock.Now().Add(-time.Hour - 3*time.Minute).Format(time.RFC3339)
	to := w.clock.Now().Add(-time.Hour - 2*time.Minute).Format(time.RFC3339)
	bounded, _ := ids("/v1.0/auditLogs/signIns?" + url.Values{"$filter": {"createdDateTime ge " + from + " and createdDateTime le " + to}}.Encode())
	if diff := cmp.Diff([]string{"b", "a"}, bounded); diff != "" {
		t.Error(diff)
	}
}

func TestGraphRateLimit(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	token := w.entraTokens("M365", graphDefault).Access
	for range 5 {
		if got := w.get("/v1.0/auditLogs/signIns", token); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	w.clock.Advance(2500 * time.Millisecond)
	got := w.get("/v1.0/auditLogs/signIns", token)
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "8" || !strings.Contains(got.body, `"code":"TooManyRequests"`) {
		t.Errorf("%d %v %s", got.status, got.header, got.body)
	}
	if got := w.get("/v1.0/organization", token); got.status != http.StatusOK {
		t.Errorf("%d: the limit is of the logs", got.status)
	}
}
