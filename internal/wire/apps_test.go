package wire_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"
	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/connector/all"
	"selvedge/internal/control"
	"selvedge/internal/fabric"
	"selvedge/internal/outbound"
	"selvedge/internal/secret"
	"selvedge/internal/token"
	"selvedge/internal/wire"
)

const guid = "01234567-89ab-cdef-0123-456789abcdef"

// real has all applications, and the token manager in the place of the grants
// that are made up.
func real(t *testing.T) setting {
	t.Helper()
	master, err := secret.CreateMaster(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	return func(co *control.Options, _ *wire.Options) {
		keys := secret.NewKeyring(master, co.Store.DataKey, co.Now)
		m := token.New(token.Options{
			Store: co.Store, Keys: keys, Apps: all.Apps(), Derive: master.Derive, PublicURL: "http://127.0.0.1:8686",
			Transport: outbound.New(outbound.Options{Log: co.Log}), Now: co.Now, Log: co.Log, Owner: "replica-1",
		})
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if err := m.Close(ctx); err != nil {
				t.Error(err)
			}
		})
		co.Apps, co.Grants, co.Keys = all.Apps(), m, keys
	}
}

// caller is the SDK's client with one bundle.
type caller struct {
	t      *testing.T
	c      *appfabric.Client
	bundle *string
}

func (k caller) credential(app connector.App, secret string) types.Credential {
	if app.Auth.Type() == fabric.AuthAPIKey {
		return &types.CredentialMemberApiKeyCredential{Value: types.ApiKeyCredential{ApiKey: aws.String(secret)}}
	}
	return &types.CredentialMemberOauth2Credential{Value: types.Oauth2Credential{ClientId: aws.String("id"), ClientSecret: aws.String(secret)}}
}

func (k caller) create(app connector.App) *types.AppAuthorization {
	k.t.Helper()
	out, err := k.c.CreateAppAuthorization(k.t.Context(), &appfabric.CreateAppAuthorizationInput{
		AppBundleIdentifier: k.bundle, App: aws.String(app.Name), AuthType: types.AuthType(app.Auth.Type()),
		Credential: k.credential(app, "hush"),
		Tenant:     &types.Tenant{TenantIdentifier: aws.String(app.Auth.Tenant.Example), TenantDisplayName: aws.String("Acme")},
		Tags:       []types.Tag{{Key: aws.String("team"), Value: aws.String("")}},
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return out.AppAuthorization
}

func (k caller) get(arn *string) *types.AppAuthorization {
	k.t.Helper()
	out, err := k.c.GetAppAuthorization(k.t.Context(), &appfabric.GetAppAuthorizationInput{
		AppBundleIdentifier: k.bundle, AppAuthorizationIdentifier: arn,
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return out.AppAuthorization
}

// Each application can be created, shown, updated, listed, tagged and deleted
// by the SDK; one that has no connector is not connected, and says so.
func TestEveryApplication(t *testing.T) {
	t.Parallel()
	s := newServer(t, real(t))
	k := caller{t: t, c: s.client(t, who{keyA, region})}
	b, err := k.c.CreateAppBundle(t.Context(), &appfabric.CreateAppBundleInput{})
	if err != nil {
		t.Fatal(err)
	}
	k.bundle = b.AppBundle.Arn
	var want []string
	tenants := map[string]string{}
	for _, app := range all.Apps() {
		want = append(want, app.Name)
		tenants[app.Name] = app.Auth.Tenant.Example
		created := k.create(app)
		k.checkAuthURL(app, created)
		k.update(app, created)
		k.tag(app, created.AppAuthorizationArn)
		if !app.HasConnector() {
			k.refused(app, created.AppAuthorizationArn)
		}
	}
	out, err := k.c.ListAppAuthorizations(t.Context(), &appfabric.ListAppAuthorizationsInput{AppBundleIdentifier: k.bundle})
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, a := range out.AppAuthorizationSummaryList {
		listed = append(listed, aws.ToString(a.App))
		if a.Status != types.AppAuthorizationStatusPendingConnect || aws.ToString(a.Tenant.TenantIdentifier) != tenants[aws.ToString(a.App)] {
			t.Errorf("listed %s as %s of %s", aws.ToString(a.App), a.Status, aws.ToString(a.Tenant.TenantIdentifier))
		}
		if _, err := k.c.DeleteAppAuthorization(t.Context(), &appfabric.DeleteAppAuthorizationInput{
			AppBundleIdentifier: k.bundle, AppAuthorizationIdentifier: a.AppAuthorizationArn,
		}); err != nil {
			t.Error(err)
		}
	}
	if d := cmp.Diff(want, listed); d != "" {
		t.Errorf("listed:\n%s", d)
	}
	if log := s.logs.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "panic") {
		t.Errorf("the log: %s", log)
	}
}

// checkAuthURL says whether the authorization has an authUrl if somebody has to
// consent, and it is the same up to the first oauth2 in each reading.
func (k caller) checkAuthURL(app connector.App, a *types.AppAuthorization) {
	k.t.Helper()
	if string(a.AuthType) != string(app.Auth.Type()) || aws.ToString(a.App) != app.Name {
		k.t.Errorf("%s was created as %s %s", app.Name, aws.ToString(a.App), a.AuthType)
	}
	again := k.get(a.AppAuthorizationArn)
	if app.Auth.Grant != connector.AuthorizationCode {
		if a.AuthUrl != nil || again.AuthUrl != nil {
			k.t.Errorf("%s has an authUrl: %s", app.Name, aws.ToString(a.AuthUrl))
		}
		return
	}
	before, _, found := strings.Cut(aws.ToString(a.AuthUrl), "oauth2")
	if !found || !strings.HasPrefix(aws.ToString(again.AuthUrl), before+"oauth2") {
		k.t.Errorf("%s: authUrl %s, then %s", app.Name, aws.ToString(a.AuthUrl), aws.ToString(again.AuthUrl))
	}
}

func (k caller) update(app connector.App, a *types.AppAuthorization) {
	k.t.Helper()
	out, err := k.c.UpdateAppAuthorization(k.t.Context(), &appfabric.UpdateAppAuthorizationInput{
		AppBundleIdentifier: k.bundle, AppAuthorizationIdentifier: a.AppAuthorizationArn, Credential: k.credential(app, "another"),
		Tenant: &types.Tenant{TenantIdentifier: a.Tenant.TenantIdentifier, TenantDisplayName: aws.String("Acme Inc.")},
	})
	if err != nil {
		k.t.Fatalf("%s: %v", app.Name, err)
	}
	got := out.AppAuthorization
	if aws.ToString(got.Tenant.TenantDisplayName) != "Acme Inc." || got.Status != types.AppAuthorizationStatusPendingConnect ||
		(got.AuthUrl == nil) != (a.AuthUrl == nil) {
		k.t.Errorf("%s was updated to %+v", app.Name, got)
	}
}

func (k caller) tag(app connector.App, arn *string) {
	k.t.Helper()
	if _, err := k.c.TagResource(k.t.Context(), &appfabric.TagResourceInput{
		ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("app"), Value: aws.String(app.Name)}},
	}); err != nil {
		k.t.Error(err)
	}
	if _, err := k.c.UntagResource(k.t.Context(), &appfabric.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"team"}}); err != nil {
		k.t.Error(err)
	}
	out, err := k.c.ListTagsForResource(k.t.Context(), &appfabric.ListTagsForResourceInput{ResourceArn: arn})
	if err != nil || len(out.Tags) != 1 || aws.ToString(out.Tags[0].Key) != "app" || aws.ToString(out.Tags[0].Value) != app.Name {
		k.t.Errorf("%s: tags %+v, %v", app.Name, out, err)
	}
}

// refused tries to connect what has no connector, and to ingest from it.
func (k caller) refused(app connector.App, arn *string) {
	k.t.Helper()
	before := k.get(arn)
	request := &types.AuthRequest{RedirectUri: aws.String("https://x.example/appfabric/oauth2"), Code: aws.String("c")}
	for _, r := range []*types.AuthRequest{nil, request} {
		_, err := k.c.ConnectAppAuthorization(k.t.Context(), &appfabric.ConnectAppAuthorizationInput{
			AppBundleIdentifier: k.bundle, AppAuthorizationIdentifier: arn, AuthRequest: r,
		})
		invalid, ok := errors.AsType[*types.ValidationException](err)
		if !ok || invalid.Reason != types.ValidationExceptionReasonOther || len(invalid.FieldList) != 0 ||
			!strings.Contains(invalid.ErrorMessage(), app.Name+" cannot be connected") || strings.Contains(invalid.ErrorMessage(), "token:") {
			k.t.Errorf("%s: Connect: %v", app.Name, err)
		}
	}
	after := k.get(arn)
	before.AuthUrl, after.AuthUrl = nil, nil // the state has the time in it
	if d := cmp.Diff(before, after, cmp.Comparer(time.Time.Equal), cmp.FilterPath(func(p cmp.Path) bool {
		return strings.HasSuffix(p.String(), "noSmithyDocumentSerde")
	}, cmp.Ignore())); d != "" {
		k.t.Errorf("%s: changed by Connect:\n%s", app.Name, d)
	}
	_, err := k.c.CreateIngestion(k.t.Context(), &appfabric.CreateIngestionInput{
		AppBundleIdentifier: k.bundle, App: aws.String(app.Name), TenantId: aws.String(app.Auth.Tenant.Example), IngestionType: types.IngestionTypeAuditLog,
	})
	invalid, ok := errors.AsType[*types.ValidationException](err)
	if !ok || !strings.Contains(invalid.ErrorMessage(), "was not connected") {
		k.t.Errorf("%s: CreateIngestion: %v", app.Name, err)
	}
}

// An ingestion of M365AUDITLOGS needs the authorization of M365 as well, of the
// same tenant and in the same bundle.
func TestAuditLogsOfM365NeedM365(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(co *control.Options, _ *wire.Options) {
		co.Apps = nil
		for _, app := range all.Apps() { // as if all had a connector
			app.Open = func(connector.Env) connector.Session { return nil }
			co.Apps = append(co.Apps, app)
		}
	})
	w := who{keyA, region}
	bundle := func() string {
		return "/appbundles/" + last(s.mustSend(t, 201, w, "POST", "/appbundles", "").body["appBundle"].(map[string]any)["arn"].(string))
	}
	connect := func(bundle, app, tenant string) {
		t.Helper()
		body := strings.NewReplacer("OKTA", app, "acme.okta.com", tenant).Replace(okta)
		a := s.mustSend(t, 201, w, "POST", bundle+"/appauthorizations", body).body["appAuthorization"].(map[string]any)
		s.mustSend(t, 200, w, "POST", bundle+"/appauthorizations/"+last(a["appAuthorizationArn"].(string))+"/connect", "{}")
	}
	one := bundle()
	ingestion := strings.NewReplacer("OKTA", "M365AUDITLOGS", "acme.okta.com", guid).Replace(oktaIngest)
	refused := func(why string) {
		t.Helper()
		r := s.send(t, w, "POST", one+"/ingestions", ingestion)
		if r.line() != "400 ValidationException" || !strings.Contains(r.text("message"), "needs the app authorization of M365 for the same tenant") {
			t.Errorf("%s: %s %s", why, r.line(), r.raw)
		}
	}
	connect(one, "M365AUDITLOGS", guid)
	refused("alone")
	connect(one, "M365", strings.Replace(guid, "0", "f", 1))
	refused("with M365 of another tenant")
	connect(bundle(), "M365", guid)
	refused("with M365 of another bundle")
	connect(one, "M365", guid)
	s.mustSend(t, 201, w, "POST", one+"/ingestions", ingestion)
}
