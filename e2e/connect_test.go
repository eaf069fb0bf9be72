package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"

	"selvedge/connector/all"
	"selvedge/simulator"
)

// allSimulated serves every simulated application, and returns the --origins that
// lead each of their providers' addresses to it.
func allSimulated(t *testing.T) (*simulator.Server, string) {
	t.Helper()
	sim := simulator.New(simulator.Options{Seed: 7, Mark: canary})
	server := httptest.NewServer(sim)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	u := must[*url.URL](t)(url.Parse(server.URL))
	var origins []string
	led := map[string]bool{}
	for _, name := range sim.Names() {
		host := must[string](t)(sim.Host(name))
		for _, origin := range must[simulator.Account](t)(sim.Account(name)).Origins {
			if !led[origin] {
				origins = append(origins, origin+"=http://"+host+":"+u.Port())
			}
			led[origin] = true
		}
	}
	return sim, strings.Join(origins, ",")
}

// credentialOf is what a user of the simulated application has.
func credentialOf(a simulator.Account) (types.AuthType, types.Credential) {
	if a.APIKey != "" {
		return types.AuthTypeApiKey, &types.CredentialMemberApiKeyCredential{Value: types.ApiKeyCredential{ApiKey: &a.APIKey}}
	}
	return types.AuthTypeOauth2, &types.CredentialMemberOauth2Credential{Value: types.Oauth2Credential{
		ClientId: &a.ClientID, ClientSecret: &a.ClientSecret,
	}}
}

// TestEveryApplication connects each application as its users do, searches it for
// somebody, and collects what it has.
func TestEveryApplication(t *testing.T) {
	t.Parallel()
	sim, origins := allSimulated(t)
	p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "1s")
	c := p.client(t)
	bundle := must[*appfabric.CreateAppBundleOutput](t)(c.CreateAppBundle(t.Context(), &appfabric.CreateAppBundleInput{})).AppBundle.Arn
	for _, app := range all.Apps() {
		account, err := sim.Account(app.Name)
		if err != nil {
			t.Fatalf("%s has no simulation: %v", app.Name, err)
		}
		arn := connectAs(t, c, sim, bundle, account)
		var shown struct {
			Status, Reason string
			Lineage        []struct{ Event string }
		}
		if err := json.Unmarshal([]byte(p.done(t, nil, "authorization", "show", arn)), &shown); err != nil {
			t.Fatal(err)
		}
		if shown.Status != "Connected" || len(shown.Lineage) == 0 {
			t.Errorf("%s is %s: %s; lineage %v", app.Name, shown.Status, shown.Reason, shown.Lineage)
		}
	}
	if t.Failed() {
		return
	}
	for _, app := range all.Apps() {
		account := must[simulator.Account](t)(sim.Account(app.Name))
		p.collects(t, c, sim, bundle, account)
	}
	p.stop(t)
}

// connectAs makes an authorization and connects it; the consent is given where
// there is one to give.
func connectAs(t *testing.T, c *appfabric.Client, sim *simulator.Server, bundle *string, account simulator.Account) (arn string) {
	t.Helper()
	authType, credential := credentialOf(account)
	auth := must[*appfabric.CreateAppAuthorizationOutput](t)(c.CreateAppAuthorization(t.Context(), &appfabric.CreateAppAuthorizationInput{
		AppBundleIdentifier: bundle, App: &account.App, AuthType: authType, Credential: credential,
		Tenant: &types.Tenant{TenantIdentifier: &account.Tenant, TenantDisplayName: aws.String(account.App)},
	})).AppAuthorization
	in := &appfabric.ConnectAppAuthorizationInput{AppBundleIdentifier: bundle, AppAuthorizationIdentifier: auth.AppAuthorizationArn}
	if (auth.AuthUrl != nil) != account.Consent {
		t.Errorf("%s: the authUrl is %q", account.App, aws.ToString(auth.AuthUrl))
	}
	if auth.AuthUrl != nil {
		back := must[string](t)(sim.Approve(t.Context(), account.App, simulator.Client(), *auth.AuthUrl))
		u := must[*url.URL](t)(url.Parse(back))
		if u.Query().Get("code") == "" {
			t.Fatalf("%s: the consent led to %s", account.App, back)
		}
		in.AuthRequest = &types.AuthRequest{
			RedirectUri: aws.String(u.Scheme + "://" + u.Host + u.Path), Code: aws.String(u.Query().Get("code")),
		}
	}
	if _, err := c.ConnectAppAuthorization(t.Context(), in); err != nil {
		t.Errorf("%s: %v", account.App, err)
	}
	return *auth.AppAuthorizationArn
}

// collects says whether records of an application arrive in a raw destination.
func (p *process) collects(t *testing.T, c *appfabric.Client, sim *simulator.Server, bundle *string, account simulator.Account) {
	t.Helper()
	const n = 12
	if _, err := sim.Emit(account.App, n, 0); err != nil {
		t.Fatal(err)
	}
	ing := must[*appfabric.CreateIngestionOutput](t)(c.CreateIngestion(t.Context(), &appfabric.CreateIngestionInput{
		AppBundleIdentifier: bundle, App: &account.App, TenantId: &account.Tenant, IngestionType: types.IngestionTypeAuditLog,
	})).Ingestion.Arn
	must[*appfabric.CreateIngestionDestinationOutput](t)(c.CreateIngestionDestination(t.Context(), &appfabric.CreateIngestionDestinationInput{
		AppBundleIdentifier: bundle, IngestionIdentifier: ing,
		ProcessingConfiguration: &types.ProcessingConfigurationMemberAuditLog{Value: types.AuditLogProcessingConfiguration{
			Schema: types.SchemaRaw, Format: types.FormatJson,
		}},
		DestinationConfiguration: &types.DestinationConfigurationMemberAuditLog{Value: types.AuditLogDestinationConfiguration{
			Destination: &types.DestinationMemberS3Bucket{Value: types.S3Bucket{BucketName: aws.String(bucket)}},
		}},
	}))
	col := collection{dir: filepath.Join(p.dir, "buckets")}
	eventually(t, time.Minute, account.App+" is collected", func() error {
		if got := len(col.linesBelow(t, "/"+account.App+"/")); got != n {
			return fmt.Errorf("%d of %d records", got, n)
		}
		return nil
	})
}

// visit opens a page as a browser does.
func visit(t *testing.T, address string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}
