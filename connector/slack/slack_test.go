package slack_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/slack"
	"selvedge/simulator"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		App: slack.App(), Stream: "audit", Tenant: "demo", List: "entries", NextInBody: true, Start: start,
	})
}

func start(t *testing.T, now func() time.Time) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, Slack: simulator.SlackOptions{
		Users:     []simulator.User{{ID: "W1", Login: "ada@example.com", First: "Ada", Last: "Okafor", Admin: true}},
		PerMinute: -1, // the suite's clock stands still
	}})
	org := server.Slack()
	token := signIn(t, server, "auditlogs:read,users:read.email,users:read")
	return connectortest.Harness{
		Handler: server,
		Sign:    func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) },
		Emit:    func(n int, late time.Duration) error { _, err := org.Emit(n, late); return err },
		Repeat:  org.Repeat,
		All:     org.All,
		Shown:   org.Shown,
		Inject: func(f connectortest.Fault) error {
			return server.Inject("SLACK", simulator.Fault{Path: "/audit/", Kind: simulator.Kind(f), Times: 1})
		},
		Revoke: org.Revoke,
		User:   "ada@example.com",
	}
}

// inProcess answers calls from a handler, without a listener.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	sent := r.Clone(r.Context())
	sent.Header.Set("X-Forwarded-Host", r.URL.Host)
	sent.Host, sent.RequestURI = "slack.localhost", r.URL.RequestURI()
	if sent.Body == nil {
		sent.Body = http.NoBody
	}
	p.ServeHTTP(w, sent)
	return w.Result(), nil
}

// signIn consents as the first user and returns the person's access token.
func signIn(t *testing.T, server *simulator.Server, scopes string) string {
	t.Helper()
	const back = "http://127.0.0.1/appfabric/oauth2"
	client := &http.Client{Transport: inProcess{server}}
	id, secret := server.Slack().Client()
	location, err := server.Approve(t.Context(), "SLACK", client, "https://slack.com/oauth/v2/authorize?"+url.Values{
		"client_id": {id}, "redirect_uri": {back}, "user_scope": {scopes}, "state": {"1"},
	}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {back}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://slack.com/api/oauth.v2.access", strings.NewReader(form.Encode()))
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
	var answer struct {
		User struct {
			Token string `json:"access_token"`
		} `json:"authed_user"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.User.Token == "" {
		t.Fatalf("token: %+v, %v", answer, err)
	}
	return answer.User.Token
}
