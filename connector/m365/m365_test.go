package m365_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"selvedge/connector/connectortest"
	"selvedge/connector/m365"
	"selvedge/simulator"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	for _, stream := range m365.App().Streams {
		t.Run(stream.Name, func(t *testing.T) {
			t.Parallel()
			connectortest.Run(t, connectortest.Case{
				App: m365.App(), Stream: stream.Name, Tenant: tenant, List: "value", NextInBody: true,
				Start: func(t *testing.T, now func() time.Time) connectortest.Harness { return start(t, now, stream.Name) },
			})
		})
	}
}

// tenant is the simulated one, in the other spelling.
const tenant = "9F1C3B7E-52D4-4C1A-8A0B-6D2E4F70A915"

func start(t *testing.T, now func() time.Time, stream string) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, M365: simulator.M365Options{
		AccessLife: 1000 * time.Hour, PerTenSeconds: -1, // the suite's clock stands still
	}})
	graph := server.M365()
	token := signIn(t, server, "https://graph.microsoft.com/.default offline_access")
	return connectortest.Harness{
		Handler: server,
		Sign:    func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) },
		Emit:    func(n int, late time.Duration) error { _, err := graph.EmitTo(stream, n, late); return err },
		Repeat:  graph.Repeat,
		All:     graph.All,
		Shown:   graph.Shown,
		Inject: func(f connectortest.Fault) error {
			return server.Inject("M365", simulator.Fault{Path: "/v1.0/auditLogs/", Kind: simulator.Kind(f), Times: 1})
		},
		Revoke: graph.Revoke,
		User:   "grainne.o'neil@contoso.example",
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
func signIn(t *testing.T, server *simulator.Server, scopes string) string {
	t.Helper()
	client := &http.Client{Transport: inProcess{server}}
	id, secret := server.M365().Client()
	account, err := server.Account("M365")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://login.microsoftonline.localhost/" + account.Tenant + "/oauth2/v2.0/"
	const callback = "http://127.0.0.1:8686/appfabric/oauth2"
	ask := url.Values{"client_id": {id}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {scopes}, "state": {"s"}}
	back, err := server.Approve(t.Context(), "M365", client, base+"authorize?"+ask.Encode())
	if err != nil {
		t.Fatal(err)
	}
	answer, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {answer.Query().Get("code")}, "redirect_uri": {callback},
		"client_id": {id}, "client_secret": {secret}, "scope": {scopes},
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
