package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"
	"github.com/google/go-cmp/cmp"

	"selvedge/ocsf/ocsftest"
	"selvedge/simulator"
)

// The tenants of the simulated applications.
const (
	oktaTenant      = "acme.okta.com"
	terraformTenant = "https://app.terraform.io/app/example-org"
	bucket          = "audit-logs"
)

// simulated starts the simulated applications and returns the --origins that
// lead to them.
func simulated(t *testing.T, o simulator.Options) (*simulator.Server, string) {
	t.Helper()
	o.Mark = canary
	sim := simulator.New(o)
	return sim, served(t, sim)
}

// served lets a handler answer for the simulated applications.
func served(t *testing.T, h http.Handler) (origins string) {
	t.Helper()
	http := httptest.NewServer(h)
	t.Cleanup(func() {
		http.CloseClientConnections()
		http.Close()
	})
	u, err := url.Parse(http.URL)
	if err != nil {
		t.Fatal(err)
	}
	return "https://" + oktaTenant + "=http://okta.localhost:" + u.Port() +
		",https://app.terraform.io=http://terraformcloud.localhost:" + u.Port()
}

// client is the unmodified SDK client with nothing but what the server printed.
func (p *process) client(t *testing.T) *appfabric.Client {
	t.Helper()
	values := p.credentials(t)
	return appfabric.New(appfabric.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(p.url),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: values["aws_access_key_id"], SecretAccessKey: values["aws_secret_access_key"]}, nil
		}),
	})
}

// credentials is what the server's credentials file has.
func (p *process) credentials(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, "credentials"))
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, "=")
		values[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	return values
}

// must is for calls that have to succeed.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// emit puts n records into a simulated feed, published so long ago, and returns
// their ids.
func emit(t *testing.T, into func(n int, late time.Duration) ([]string, error), n int, late time.Duration) []string {
	t.Helper()
	return must[[]string](t)(into(n, late))
}

// collection is an ingestion made through the API, with an OCSF and a raw
// destination.
type collection struct {
	bundle, authorization, ingestion string // ARNs
	ocsf, raw                        string
	dir                              string // of the buckets
	shown                            func() map[string][]byte
}

// collectOkta makes all that Okta's events need, consenting as the user does,
// and returns what came of it.
func collectOkta(t *testing.T, p *process, sim *simulator.Server) collection {
	t.Helper()
	made := must[*appfabric.CreateAppBundleOutput](t)(p.client(t).CreateAppBundle(t.Context(), &appfabric.CreateAppBundleInput{}))
	return collectOktaIn(t, p, sim, made.AppBundle.Arn)
}

// collectOktaIn is collectOkta in a bundle that is there.
func collectOktaIn(t *testing.T, p *process, sim *simulator.Server, bundle *string) collection {
	t.Helper()
	c := p.client(t)
	id, secret := sim.Okta().Client()
	auth := must[*appfabric.CreateAppAuthorizationOutput](t)(c.CreateAppAuthorization(t.Context(), &appfabric.CreateAppAuthorizationInput{
		AppBundleIdentifier: bundle, App: aws.String("OKTA"), AuthType: types.AuthTypeOauth2,
		Credential: &types.CredentialMemberOauth2Credential{Value: types.Oauth2Credential{ClientId: &id, ClientSecret: &secret}},
		Tenant:     &types.Tenant{TenantIdentifier: aws.String(oktaTenant), TenantDisplayName: aws.String("Acme")},
	})).AppAuthorization
	back := must[string](t)(sim.Okta().Approve(t.Context(), simulator.Client(), *auth.AuthUrl))
	redirect := must[*url.URL](t)(url.Parse(back))
	connected := must[*appfabric.ConnectAppAuthorizationOutput](t)(c.ConnectAppAuthorization(t.Context(), &appfabric.ConnectAppAuthorizationInput{
		AppBundleIdentifier: bundle, AppAuthorizationIdentifier: auth.AppAuthorizationArn,
		AuthRequest: &types.AuthRequest{
			RedirectUri: aws.String(redirect.Scheme + "://" + redirect.Host + redirect.Path),
			Code:        aws.String(redirect.Query().Get("code")),
		},
	})).AppAuthorizationSummary
	if connected.Status != types.AppAuthorizationStatusConnected {
		t.Fatalf("the authorization is %s", connected.Status)
	}
	col := collect(t, p, *bundle, "OKTA", oktaTenant)
	col.authorization, col.shown = *auth.AppAuthorizationArn, sim.Okta().Shown
	return col
}

// collect makes an ingestion of a connected application.
func collect(t *testing.T, p *process, bundle, app, tenant string) collection {
	t.Helper()
	c := p.client(t)
	ing := must[*appfabric.CreateIngestionOutput](t)(c.CreateIngestion(t.Context(), &appfabric.CreateIngestionInput{
		AppBundleIdentifier: &bundle, App: &app, TenantId: &tenant, IngestionType: types.IngestionTypeAuditLog,
	})).Ingestion.Arn
	col := collection{bundle: bundle, ingestion: *ing, dir: filepath.Join(p.dir, "buckets")}
	for schema, arn := range map[types.Schema]*string{types.SchemaOcsf: &col.ocsf, types.SchemaRaw: &col.raw} {
		d := must[*appfabric.CreateIngestionDestinationOutput](t)(c.CreateIngestionDestination(t.Context(), &appfabric.CreateIngestionDestinationInput{
			AppBundleIdentifier: &bundle, IngestionIdentifier: ing,
			ProcessingConfiguration: &types.ProcessingConfigurationMemberAuditLog{Value: types.AuditLogProcessingConfiguration{Schema: schema, Format: types.FormatJson}},
			DestinationConfiguration: &types.DestinationConfigurationMemberAuditLog{Value: types.AuditLogDestinationConfiguration{
				Destination: &types.DestinationMemberS3Bucket{Value: types.S3Bucket{BucketName: aws.String(bucket)}},
			}},
		}))
		*arn = *d.IngestionDestination.Arn
	}
	return col
}

// lines returns the lines of every object of a destination.
func (c collection) lines(t *testing.T, destination string) []string {
	t.Helper()
	return c.linesBelow(t, "/"+destination[strings.LastIndex(destination, "/")+1:]+"/")
}

// linesBelow returns the lines of every object whose path has the part.
func (c collection) linesBelow(t *testing.T, part string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(c.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), ".") || !strings.Contains(path, part) {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if len(body) == 0 || body[len(body)-1] != '\n' {
			t.Errorf("%s is not whole lines", path)
		}
		all = append(all, strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")...)
		return nil
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return all
}

// complete says what is missing of what the provider showed.
func (c collection) complete(t *testing.T, want int) func() error {
	return func() error {
		t.Helper()
		if shown := len(c.shown()); shown < want {
			return fmt.Errorf("the provider has shown %d of %d records", shown, want)
		}
		for _, d := range []string{c.raw, c.ocsf} {
			if got := len(c.lines(t, d)); got < want {
				return fmt.Errorf("%d of %d records are delivered to %s", got, want, d)
			}
		}
		return nil
	}
}

// check holds what was delivered against what the provider showed: the same
// set, none twice, every line valid, the record's own bytes in both.
func (c collection) check(t *testing.T) {
	t.Helper()
	want := compacted(t, c.shown())
	raw := c.lines(t, c.raw)
	slices.Sort(raw)
	if diff := cmp.Diff(want, raw); diff != "" {
		t.Errorf("raw lines (-shown +delivered):\n%s", diff)
	}
	var carried []string
	for _, line := range c.lines(t, c.ocsf) {
		ocsftest.MustValidate(t, []byte(line))
		var event struct {
			RawData string `json:"raw_data"`
		}
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatal(err)
		}
		carried = append(carried, event.RawData)
	}
	slices.Sort(carried)
	if diff := cmp.Diff(want, carried); diff != "" {
		t.Errorf("raw_data of the OCSF events (-shown +delivered):\n%s", diff)
	}
}

// compacted is the records without insignificant white space, sorted.
func compacted(t *testing.T, records map[string][]byte) []string {
	t.Helper()
	var all []string
	for _, id := range slices.Sorted(maps.Keys(records)) {
		var b bytes.Buffer
		if err := json.Compact(&b, records[id]); err != nil {
			t.Fatal(err)
		}
		all = append(all, b.String())
	}
	slices.Sort(all)
	return all
}
