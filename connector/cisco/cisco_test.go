package cisco_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"selvedge/connector/cisco"
	"selvedge/connector/connectortest"
	"selvedge/simulator"
)

const (
	tenant = "6b0e2c94-31f7-4d58-9c1e-5a7d8f204b36" // the simulated one
	orgID  = "Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi82YjBlMmM5NC0zMWY3LTRkNTgtOWMxZS01YTdkOGYyMDRiMzY"
	scopes = "spark-compliance:events_read audit:events_read spark-admin:people_read"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	for _, stream := range cisco.App().Streams {
		t.Run(stream.Name, func(t *testing.T) {
			t.Parallel()
			connectortest.Run(t, connectortest.Case{
				App: cisco.App(), Stream: stream.Name, Tenant: tenant, List: "items", Facts: map[string]string{"org_id": orgID},
				Start: func(t *testing.T, now func() time.Time) connectortest.Harness { return start(t, now, stream.Name) },
			})
		})
	}
}

func start(t *testing.T, now func() time.Time, stream string) connectortest.Harness {
	t.Helper()
	server := simulator.New(simulator.Options{Now: now, Cisco: simulator.CiscoOptions{AccessLife: 1000 * time.Hour, PerMinute: -1}})
	org := server.Cisco()
	token := signIn(t, server, scopes)
	return connectortest.Harness{
		Handler: server,
		Sign:    func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) },
		Emit:    func(n int, late time.Duration) error { _, err := org.EmitTo(stream, n, late); return err },
		Repeat:  org.Repeat,
		All:     org.All,
		Shown:   org.Shown,
		Inject: func(f connectortest.Fault) error {
			return server.Inject("CISCO", simulator.Fault{Path: "/v1/", Kind: simulator.Kind(f), Times: 1})
		},
		Revoke: org.Revoke,
		User:   "grainne.o'neil@example.com",
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
	id, secret := server.Cisco().Client()
	const base, callback = "http://cisco.localhost/v1/", "http://127.0.0.1:8686/appfabric/oauth2"
	ask := url.Values{"client_id": {id}, "redirect_uri": {callback}, "response_type": {"code"}, "state": {"s"}, "scope": {scopes}}
	back, err := server.Approve(t.Context(), "CISCO", client, base+"authorize?"+ask.Encode())
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
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"access_token", strings.NewReader(form.Encode()))
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
