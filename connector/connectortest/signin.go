package connectortest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"selvedge/connector"
	"selvedge/simulator"
)

// InProcess is the way to a handler without a network.
type InProcess struct{ http.Handler }

// RoundTrip serves the request.
func (p InProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	r.RequestURI = r.URL.RequestURI()
	p.ServeHTTP(w, r)
	return w.Result(), nil
}

// SignIn returns an access token of the simulated application, obtained as the
// application's own Auth has it, for these scopes instead of Auth's where any
// are given. The server must have the application, with its default client.
func SignIn(t *testing.T, server *simulator.Server, app connector.App, scopes ...string) string {
	t.Helper()
	account, err := server.Account(app.Name)
	if err != nil {
		t.Fatal(err)
	}
	vars, err := app.Auth.Tenant.Vars(account.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	others := len(scopes) > 0
	if !others {
		scopes = app.Auth.Scopes
	}
	form := url.Values{}
	switch app.Auth.Grant {
	case connector.AuthorizationCode:
		form = consented(t, server, app, account, vars, scopes)
	case connector.AccountCredentials:
		form.Set("grant_type", "account_credentials")
	case connector.ClientCredentials:
		form.Set("grant_type", "client_credentials")
	default:
		t.Fatalf("%s has no tokens", app.Name)
	}
	for name, value := range app.Auth.TokenParams {
		form.Set(name, connector.Expand(value, vars))
		if name == "scope" && others {
			form.Set(name, strings.Join(scopes, " "))
		}
	}
	return exchanged(t, server, app, account, vars, form)
}

// consented lets somebody consent and returns the form that redeems the code.
func consented(t *testing.T, server *simulator.Server, app connector.App, account simulator.Account, vars map[string]string, scopes []string) url.Values {
	t.Helper()
	const callback = "http://127.0.0.1:8686/appfabric/oauth2"
	scopeParam, separator := "scope", " "
	if app.Auth.ScopeParam != "" {
		scopeParam = app.Auth.ScopeParam
	}
	if app.Auth.ScopeSeparator != "" {
		separator = app.Auth.ScopeSeparator
	}
	ask := url.Values{
		"client_id": {account.ClientID}, "redirect_uri": {callback}, "response_type": {"code"}, "state": {"s"},
		scopeParam: {strings.Join(scopes, separator)},
	}
	for name, value := range app.Auth.Params {
		ask.Set(name, value)
	}
	client := &http.Client{Transport: InProcess{server}}
	at := local(t, server, app.Name, connector.Expand(app.Auth.AuthorizeURL, vars))
	back, err := server.Approve(t.Context(), app.Name, client, at+"?"+ask.Encode())
	if err != nil {
		t.Fatal(err)
	}
	answer, err := url.Parse(back)
	if err != nil || answer.Query().Get("code") == "" {
		t.Fatalf("sent back to %s: %v", back, err)
	}
	return url.Values{"grant_type": {"authorization_code"}, "code": {answer.Query().Get("code")}, "redirect_uri": {callback}}
}

// exchanged sends a request for tokens.
func exchanged(t *testing.T, server *simulator.Server, app connector.App, account simulator.Account, vars map[string]string, form url.Values) string {
	t.Helper()
	if app.Auth.ClientAuth == connector.ClientPost {
		form.Set("client_id", account.ClientID)
		form.Set("client_secret", account.ClientSecret)
	}
	at := local(t, server, app.Name, connector.Expand(app.Auth.TokenURL, vars))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if app.Auth.ClientAuth == connector.ClientBasic {
		req.SetBasicAuth(url.QueryEscape(account.ClientID), url.QueryEscape(account.ClientSecret))
	}
	resp, err := InProcess{server}.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer map[string]json.RawMessage
	if app.Auth.TokenPath != "" && json.Unmarshal(body, &answer) == nil {
		body = answer[app.Auth.TokenPath]
	}
	var tokens struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &tokens); err != nil || tokens.Access == "" {
		t.Fatalf("token answer %s %s: %v", resp.Status, body, err)
	}
	return tokens.Access
}

// local leads one of the provider's addresses to the simulated application.
func local(t *testing.T, server *simulator.Server, name, address string) string {
	t.Helper()
	host, err := server.Host(name)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Scheme, u.Host = "http", host
	return u.String()
}
