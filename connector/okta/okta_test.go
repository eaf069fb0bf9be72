package okta_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/okta"
	"selvedge/simulator"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{App: okta.App(), Stream: "system_log", Tenant: "dev-1.okta.com", Start: start})
}

func start(t *testing.T, now func() time.Time) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, Okta: simulator.OktaOptions{AccessLife: 1000 * time.Hour}})
	org := server.Okta()
	token := signIn(t, server, "okta.logs.read okta.users.read offline_access")
	return connectortest.Harness{
		Handler: server,
		Sign:    func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) },
		Emit:    func(n int, late time.Duration) error { _, err := org.Emit(n, late); return err },
		Repeat:  org.Repeat,
		All:     org.All,
		Shown:   org.Shown,
		Inject: func(f connectortest.Fault) error {
			return server.Inject("OKTA", simulator.Fault{Path: "/api/v1/logs", Kind: simulator.Kind(f), Times: 1})
		},
		Revoke: org.Revoke,
		User:   "zoe.mueller@example.com",
	}
}

// inProcess is the way to a handler without a network.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	r.RequestURI = r.URL.RequestURI()
	p.ServeHTTP(w, r)
	return w.Result(), nil
}

// signIn consents in the simulated browser and returns an access token.
func signIn(t *testing.T, server *simulator.Server, scopes string) string {
	t.Helper()
	client := &http.Client{Transport: inProcess{server}}
	id, secret := server.Okta().Client()
	const callback = "http://127.0.0.1:8686/appfabric/oauth2"
	ask := url.Values{"client_id": {id}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {scopes}, "state": {"s"}}
	back, err := server.Okta().Approve(t.Context(), client, "http://okta.localhost/oauth2/v1/authorize?"+ask.Encode())
	if err != nil {
		t.Fatal(err)
	}
	answer, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {answer.Query().Get("code")}, "redirect_uri": {callback}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://okta.localhost/oauth2/v1/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(id, secret)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var token struct {
		Access string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&token); err != nil || token.Access == "" {
		t.Fatalf("token answer %s: %v", resp.Status, err)
	}
	return token.Access
}
