package zendesk_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/zendesk"
	"selvedge/simulator"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		App: zendesk.App(), Stream: "audit_logs", Tenant: "demo", List: "audit_logs", NextInBody: true, Start: start,
	})
}

func start(t *testing.T, now func() time.Time) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, Zendesk: simulator.ZendeskOptions{
		Users:     []simulator.User{{ID: "1", Login: "ada@example.com", First: "Ada", Last: "Okafor", Admin: true}},
		PerMinute: -1, // the suite's clock stands still
	}})
	account := server.Zendesk()
	token := signIn(t, server, "auditlogs:read users:read")
	return connectortest.Harness{
		Handler: server,
		Sign:    func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) },
		Emit:    func(n int, late time.Duration) error { _, err := account.Emit(n, late); return err },
		Repeat:  account.Repeat,
		All:     account.All,
		Shown:   account.Shown,
		Inject: func(f connectortest.Fault) error {
			return server.Inject("ZENDESK", simulator.Fault{Path: "/api/v2/audit_logs", Kind: simulator.Kind(f), Times: 1})
		},
		Revoke: account.Revoke,
		User:   "ada@example.com",
	}
}

// inProcess answers calls from a handler, without a listener.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	sent := r.Clone(r.Context())
	sent.Header.Set("X-Forwarded-Host", r.URL.Host)
	sent.Host, sent.RequestURI = "zendesk.localhost", r.URL.RequestURI()
	if sent.Body == nil {
		sent.Body = http.NoBody
	}
	p.ServeHTTP(w, sent)
	return w.Result(), nil
}

// signIn consents as the first user and returns an access token for two days.
func signIn(t *testing.T, server *simulator.Server, scopes string) string {
	t.Helper()
	const back, site = "http://127.0.0.1/appfabric/oauth2", "https://demo.zendesk.com"
	client := &http.Client{Transport: inProcess{server}}
	id, secret := server.Zendesk().Client()
	location, err := server.Approve(t.Context(), "ZENDESK", client, site+"/oauth/authorizations/new?"+url.Values{
		"client_id": {id}, "redirect_uri": {back}, "response_type": {"code"}, "scope": {scopes}, "state": {"1"},
	}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {back}, "scope": {scopes},
		"client_id": {id}, "client_secret": {secret}, "expires_in": {"172800"},
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, site+"/oauth/tokens", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Token == "" {
		t.Fatalf("token: %+v, %v", answer, err)
	}
	return answer.Token
}
