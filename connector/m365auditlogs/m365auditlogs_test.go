package m365auditlogs_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/m365auditlogs"
	"selvedge/simulator"
)

const tenant = "9f1c3b7e-52d4-4c1a-8a0b-6d2e4f70a915" // the simulated one

// contentTypes are those of the streams, in order.
func contentTypes() []string {
	return []string{"Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All"}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for i, stream := range m365auditlogs.App().Streams {
		t.Run(stream.Name, func(t *testing.T) {
			t.Parallel()
			connectortest.Run(t, connectortest.Case{
				App: m365auditlogs.App(), Stream: stream.Name, Tenant: tenant, NextInBody: true, Index: true,
				Start: func(t *testing.T, now func() time.Time) connectortest.Harness {
					return start(t, now, contentTypes()[i])
				},
			})
		})
	}
}

func start(t *testing.T, now func() time.Time, contentType string) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, M365AuditLogs: simulator.M365AuditLogsOptions{
		AccessLife: 1000 * time.Hour, Enabled: contentTypes(),
	}})
	api := server.M365AuditLogs()
	token := signIn(t, server)
	return connectortest.Harness{
		Handler: server,
		Sign:    func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) },
		Emit:    func(n int, late time.Duration) error { _, err := api.EmitTo(contentType, n, late); return err },
		Repeat:  api.Repeat,
		All:     api.All,
		Shown:   api.Shown,
		Inject: func(f connectortest.Fault) error {
			return server.Inject("M365AUDITLOGS", simulator.Fault{Path: "/api/v1.0/", Kind: simulator.Kind(f), Times: 1})
		},
		Revoke: api.Revoke,
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
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// signIn consents in the simulated browser and returns an access token.
func signIn(t *testing.T, server *simulator.Server) string {
	t.Helper()
	client := &http.Client{Transport: inProcess{server}}
	id, secret := server.M365AuditLogs().Client()
	base := "http://login.microsoftonline.localhost/" + tenant + "/oauth2/v2.0/"
	const callback = "http://127.0.0.1:8686/appfabric/oauth2"
	ask := url.Values{
		"client_id": {id}, "redirect_uri": {callback}, "response_type": {"code"}, "state": {"s"},
		"scope": {"https://manage.office.com/.default"},
	}
	back, err := server.Approve(t.Context(), "M365AUDITLOGS", client, base+"authorize?"+ask.Encode())
	if err != nil {
		t.Fatal(err)
	}
	answer, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {answer.Query().Get("code")}, "redirect_uri": {callback},
		"client_id": {id}, "client_secret": {secret},
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var token struct {
		Access string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&token); err != nil || token.Access == "" {
		t.Fatalf("token answer %s: %v (came back to %s)", resp.Status, err, back)
	}
	return token.Access
}
