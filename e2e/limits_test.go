package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"
	"github.com/google/go-cmp/cmp"

	"selvedge/simulator"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0", "--quotas", "aws", "--throttle", "0.01:2")
	c := p.client(t)
	once := func(o *appfabric.Options) { o.Retryer = aws.NopRetryer{} }
	must[*appfabric.CreateAppBundleOutput](t)(c.CreateAppBundle(t.Context(), &appfabric.CreateAppBundleInput{}))
	_, err := c.CreateAppBundle(t.Context(), &appfabric.CreateAppBundleInput{})
	if _, ok := errors.AsType[*types.ServiceQuotaExceededException](err); !ok {
		t.Errorf("a second bundle: %v, want a ServiceQuotaExceededException", err)
	}
	_, err = c.CreateAppBundle(t.Context(), &appfabric.CreateAppBundleInput{}, once)
	if _, ok := errors.AsType[*types.ThrottlingException](err); !ok {
		t.Errorf("a third call: %v, want a ThrottlingException", err)
	}
	if want := `selvedge_api_requests_total{error="ThrottlingException",operation="CreateAppBundle"} 1`; !strings.Contains(p.metrics(t), want) {
		t.Errorf("the metrics lack %s", want)
	}
}

// metrics is what Prometheus would read.
func (p *process) metrics(t *testing.T) string {
	t.Helper()
	req := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/metrics", nil))
	res := must[*http.Response](t)(p.web.Do(req))
	defer res.Body.Close()
	return string(must[[]byte](t)(io.ReadAll(res.Body)))
}

// Every answered call is in the trail, whoever made it and however the server
// ended, and no secret is.
func TestTrail(t *testing.T) {
	t.Parallel()
	sim, origins := simulated(t, simulator.Options{Seed: 9})
	dir := t.TempDir()
	args := []string{"--listen", "127.0.0.1:0", "--origins", origins, "--log-level", "debug"}
	p := serve(t, dir, args...)
	secrets := callWithSecrets(t, p, sim)
	refused := appfabric.New(p.client(t).Options(), func(o *appfabric.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDSTRANGER0000", SecretAccessKey: "canary-of-a-stranger"}, nil
		})
	})
	if _, err := refused.ListAppBundles(t.Context(), &appfabric.ListAppBundlesInput{}); err == nil {
		t.Error("a stranger was let in")
	}
	p.kill(t)
	logs := p.stderr.String()
	p = serve(t, dir, args...)
	must[*appfabric.ListAppBundlesOutput](t)(p.client(t).ListAppBundles(t.Context(), &appfabric.ListAppBundlesInput{}))
	p.stop(t)

	path := filepath.Join(dir, "trail", "trail.ndjson")
	text := string(must[[]byte](t)(os.ReadFile(path)))
	if info := must[os.FileInfo](t)(os.Stat(path)); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
	var got []string
	for line := range strings.Lines(text) {
		var r struct {
			EventName    string
			ErrorCode    string
			UserIdentity struct{ Type, AccountID string }
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		got = append(got, strings.Join([]string{r.EventName, r.ErrorCode, r.UserIdentity.Type, r.UserIdentity.AccountID}, " "))
	}
	const account = " Root 000000000000"
	want := []string{
		"CreateAppBundle " + account, "CreateAppAuthorization " + account, "GetAppAuthorization " + account,
		"ConnectAppAuthorization " + account, "UpdateAppAuthorization ValidationException" + account,
		"CreateAppAuthorization " + account, "StartUserAccessTasks " + account, "BatchGetUserAccessTasks " + account,
		"ListAppBundles UnrecognizedClientException Unknown ", "ListAppBundles " + account,
	}
	if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
		t.Errorf("calls in the trail (-want +got):\n%s", diff)
	}
	for name, secret := range secrets {
		for where, all := range map[string]string{"trail": text, "log": logs + p.stderr.String()} {
			if secret == "" || strings.Contains(all, secret) || strings.Contains(all, url.QueryEscape(secret)) {
				t.Errorf("the %s is in the %s, or empty: %q", name, where, secret)
			}
		}
	}
}

// callWithSecrets makes calls that send or answer secrets, and returns them.
func callWithSecrets(t *testing.T, p *process, sim *simulator.Server) map[string]string {
	t.Helper()
	c := p.client(t)
	credentials := must[aws.Credentials](t)(c.Options().Credentials.Retrieve(t.Context()))
	id, secret := sim.Okta().Client()
	bundle := must[*appfabric.CreateAppBundleOutput](t)(c.CreateAppBundle(t.Context(), &appfabric.CreateAppBundleInput{})).AppBundle.Arn
	create := func(app, tenant string, as types.AuthType, credential types.Credential) *types.AppAuthorization {
		return must[*appfabric.CreateAppAuthorizationOutput](t)(c.CreateAppAuthorization(t.Context(), &appfabric.CreateAppAuthorizationInput{
			AppBundleIdentifier: bundle, App: &app, AuthType: as, Credential: credential,
			Tenant: &types.Tenant{TenantIdentifier: &tenant, TenantDisplayName: aws.String("Acme")},
		})).AppAuthorization
	}
	oauth2 := &types.CredentialMemberOauth2Credential{Value: types.Oauth2Credential{ClientId: &id, ClientSecret: &secret}}
	okta := create("OKTA", oktaTenant, types.AuthTypeOauth2, oauth2)
	read := must[*appfabric.GetAppAuthorizationOutput](t)(c.GetAppAuthorization(t.Context(), &appfabric.GetAppAuthorizationInput{
		AppBundleIdentifier: bundle, AppAuthorizationIdentifier: okta.AppAuthorizationArn,
	})).AppAuthorization
	back := must[*url.URL](t)(url.Parse(must[string](t)(sim.Okta().Approve(t.Context(), simulator.Client(), *read.AuthUrl))))
	code := back.Query().Get("code")
	must[*appfabric.ConnectAppAuthorizationOutput](t)(c.ConnectAppAuthorization(t.Context(), &appfabric.ConnectAppAuthorizationInput{
		AppBundleIdentifier: bundle, AppAuthorizationIdentifier: okta.AppAuthorizationArn,
		AuthRequest: &types.AuthRequest{RedirectUri: aws.String(back.Scheme + "://" + back.Host + back.Path), Code: &code},
	}))
	const refusedKey, email = "canary-refused-key", "canary@example.com"
	if _, err := c.UpdateAppAuthorization(t.Context(), &appfabric.UpdateAppAuthorizationInput{
		AppBundleIdentifier: bundle, AppAuthorizationIdentifier: okta.AppAuthorizationArn,
		Credential: &types.CredentialMemberApiKeyCredential{Value: types.ApiKeyCredential{ApiKey: aws.String(refusedKey)}},
	}); err == nil {
		t.Error("an API key was taken for OAuth2")
	}
	key := sim.TerraformCloud().Token()
	create("TERRAFORMCLOUD", terraformTenant, types.AuthTypeApiKey, &types.CredentialMemberApiKeyCredential{Value: types.ApiKeyCredential{ApiKey: &key}})
	tasks := sure(t, c.StartUserAccessTasks, appfabric.StartUserAccessTasksInput{AppBundleIdentifier: bundle, Email: aws.String(email)}).UserAccessTasksList
	if len(tasks) != 2 || tasks[0].TaskId == nil || tasks[1].Error == nil {
		t.Fatalf("%+v, want a task of Okta and an error of the application that is not connected", tasks)
	}
	results(t, c, bundle, []string{*tasks[0].TaskId})
	states := must[*url.URL](t)(url.Parse(*okta.AuthUrl)).Query()
	return map[string]string{
		"secret access key": credentials.SecretAccessKey, "client secret": secret, "code": code, "API key": key,
		"refused API key": refusedKey, "email": email, "state": states.Get("state"), "code challenge": states.Get("code_challenge"),
		"state that was read": must[*url.URL](t)(url.Parse(*read.AuthUrl)).Query().Get("state"),
		"stranger's secret":   "canary-of-a-stranger",
	}
}
