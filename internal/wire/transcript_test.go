package wire_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"
	"github.com/google/go-cmp/cmp"

	"selvedge/internal/control"
	"selvedge/internal/wire"
)

// The flag of golden files.
var update = flag.Bool("update", false, "rewrite the golden files")

// transcript records what goes over the wire, with everything that differs
// from run to run replaced by a name.
type transcript struct {
	base  http.RoundTripper
	mu    sync.Mutex
	out   strings.Builder
	names map[string]string
}

func (tr *transcript) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := tr.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(got))
	tr.mu.Lock()
	defer tr.mu.Unlock()
	target := r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	fmt.Fprintf(&tr.out, "%s %s\n", r.Method, tr.tidy(target))
	if len(sent) > 0 {
		fmt.Fprintf(&tr.out, "> %s\n", tr.tidy(string(sent)))
	}
	fmt.Fprintf(&tr.out, "%d %s %s\n", resp.StatusCode, resp.Header.Get("Content-Type"), resp.Header.Get("X-Amzn-Errortype"))
	if len(got) > 0 {
		fmt.Fprintf(&tr.out, "< %s\n", tr.tidy(string(got)))
	}
	tr.out.WriteString("\n")
	return resp, nil
}

// tidy names UUIDs in the order in which they come, times and next tokens.
func (tr *transcript) tidy(s string) string {
	s = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`).ReplaceAllStringFunc(s, func(id string) string {
		if tr.names[id] == "" {
			tr.names[id] = fmt.Sprintf("{uuid %d}", len(tr.names)+1)
		}
		return tr.names[id]
	})
	s = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`).ReplaceAllString(s, "{time}")
	return regexp.MustCompile(`("nextToken":"|nextToken=)[A-Za-z0-9_-]+`).ReplaceAllString(s, "${1}{token}")
}

// Every operation through the unmodified SDK, with what it puts on the wire and
// what comes back.
func TestTranscript(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(o *control.Options, _ *wire.Options) {
		o.Quotas = control.Quotas{Bundles: 2, Destinations: 3}
	})
	c := s.client(t, who{keyA, region})
	tr := &transcript{base: http.DefaultTransport, names: map[string]string{}}
	c = appfabric.New(c.Options(), func(o *appfabric.Options) { o.HTTPClient = &http.Client{Transport: tr} })
	walk(t, c)
	for _, op := range wire.Operations() {
		line := "(?m)^" + op.Method + " " + regexp.MustCompile(`\{\w+\}`).ReplaceAllString(op.Pattern, "[^/\n]+") + `(\?.*)?$`
		if !regexp.MustCompile(line).MatchString(tr.out.String()) {
			t.Errorf("the walk has no %s", op.Name)
		}
	}
	compareGolden(t, "transcript.txt", tr.out.String())
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s differs; -update rewrites it:\n%s", path, d)
	}
}

// step is one call of the walk; want is the exception that it ends with.
type step struct {
	want string
	do   func(ctx context.Context) error
}

func (st step) run(t *testing.T) {
	t.Helper()
	err := st.do(t.Context())
	var got interface{ ErrorCode() string }
	switch {
	case err == nil && st.want != "":
		t.Errorf("succeeded, want %s", st.want)
	case err != nil && !errors.As(err, &got):
		t.Errorf("got %v, want %q", err, st.want)
	case err != nil && got.ErrorCode() != st.want:
		t.Errorf("got %v, want %q", err, st.want)
	}
}

// call1 runs one SDK method and keeps its output.
func call1[I, O any](t *testing.T, want string, method func(context.Context, *I, ...func(*appfabric.Options)) (*O, error), in I) *O {
	t.Helper()
	var out *O
	step{want, func(ctx context.Context) error {
		var err error
		out, err = method(ctx, &in)
		return err
	}}.run(t)
	if out == nil && want == "" {
		t.FailNow()
	}
	return out
}

func walk(t *testing.T, c *appfabric.Client) {
	t.Helper()
	const token = "99999999-0000-4000-8000-00000000000"
	bundle := call1(t, "", c.CreateAppBundle, appfabric.CreateAppBundleInput{
		ClientToken: aws.String(token + "1"), CustomerManagedKeyIdentifier: aws.String("11111111-2222-4333-8444-555555555555"),
		Tags: []types.Tag{{Key: aws.String("ключ"), Value: aws.String("")}},
	}).AppBundle.Arn
	call1(t, "", c.GetAppBundle, appfabric.GetAppBundleInput{AppBundleIdentifier: bundle})
	call1(t, "", c.CreateAppBundle, appfabric.CreateAppBundleInput{ClientToken: aws.String(token + "2")})
	call1(t, "ServiceQuotaExceededException", c.CreateAppBundle, appfabric.CreateAppBundleInput{ClientToken: aws.String(token + "3")})
	call1(t, "ConflictException", c.CreateAppBundle, appfabric.CreateAppBundleInput{ClientToken: aws.String(token + "1")})
	first := call1(t, "", c.ListAppBundles, appfabric.ListAppBundlesInput{MaxResults: aws.Int32(1)})
	call1(t, "", c.ListAppBundles, appfabric.ListAppBundlesInput{MaxResults: aws.Int32(1), NextToken: first.NextToken})
	call1(t, "ValidationException", c.ListAppBundles, appfabric.ListAppBundlesInput{NextToken: aws.String("x")})
	auth := walkAuthorization(t, c, bundle, token)
	ingestion := walkIngestion(t, c, bundle, token)
	walkTags(t, c, bundle)
	task := call1(t, "", c.StartUserAccessTasks, appfabric.StartUserAccessTasksInput{AppBundleIdentifier: bundle, Email: aws.String("a@b.c")}).UserAccessTasksList[0].TaskId
	call1(t, "", c.BatchGetUserAccessTasks, appfabric.BatchGetUserAccessTasksInput{AppBundleIdentifier: bundle, TaskIdList: []string{*task}})
	call1(t, "ResourceNotFoundException", c.BatchGetUserAccessTasks, appfabric.BatchGetUserAccessTasksInput{AppBundleIdentifier: bundle, TaskIdList: []string{*task, token + "0"}})
	call1(t, "ConflictException", c.DeleteAppBundle, appfabric.DeleteAppBundleInput{AppBundleIdentifier: bundle})
	call1(t, "ValidationException", c.DeleteAppAuthorization, appfabric.DeleteAppAuthorizationInput{AppBundleIdentifier: bundle, AppAuthorizationIdentifier: auth})
	call1(t, "", c.DeleteIngestion, appfabric.DeleteIngestionInput{AppBundleIdentifier: bundle, IngestionIdentifier: ingestion})
	call1(t, "", c.DeleteAppAuthorization, appfabric.DeleteAppAuthorizationInput{AppBundleIdentifier: bundle, AppAuthorizationIdentifier: auth})
	call1(t, "ResourceNotFoundException", c.GetAppAuthorization, appfabric.GetAppAuthorizationInput{AppBundleIdentifier: bundle, AppAuthorizationIdentifier: auth})
	call1(t, "", c.DeleteAppBundle, appfabric.DeleteAppBundleInput{AppBundleIdentifier: bundle})
	call1(t, "", c.DeleteAppBundle, appfabric.DeleteAppBundleInput{AppBundleIdentifier: bundle})
	call1(t, "ResourceNotFoundException", c.GetAppBundle, appfabric.GetAppBundleInput{AppBundleIdentifier: bundle})
}

func walkAuthorization(t *testing.T, c *appfabric.Client, bundle *string, token string) *string {
	t.Helper()
	in := appfabric.CreateAppAuthorizationInput{
		AppBundleIdentifier: bundle, App: aws.String("OKTA"), AuthType: types.AuthTypeOauth2, ClientToken: aws.String(token + "4"),
		Tenant:     &types.Tenant{TenantIdentifier: aws.String("acme.okta.com"), TenantDisplayName: aws.String("Acme")},
		Credential: &types.CredentialMemberOauth2Credential{Value: types.Oauth2Credential{ClientId: aws.String("id"), ClientSecret: aws.String("hush")}},
	}
	auth := call1(t, "", c.CreateAppAuthorization, in).AppAuthorization.AppAuthorizationArn
	in.ClientToken = aws.String(token + "5")
	call1(t, "ConflictException", c.CreateAppAuthorization, in)
	in.App = aws.String("NOSUCH")
	call1(t, "ValidationException", c.CreateAppAuthorization, in)
	in.App, in.AuthType = aws.String("TERRAFORMCLOUD"), types.AuthTypeOauth2
	call1(t, "ValidationException", c.CreateAppAuthorization, in)
	in.AuthType, in.Credential = types.AuthTypeApiKey, &types.CredentialMemberApiKeyCredential{Value: types.ApiKeyCredential{ApiKey: aws.String("key")}}
	key := call1(t, "", c.CreateAppAuthorization, in).AppAuthorization.AppAuthorizationArn
	call1(t, "ValidationException", c.UpdateAppAuthorization, appfabric.UpdateAppAuthorizationInput{
		AppBundleIdentifier: bundle, AppAuthorizationIdentifier: auth, Credential: in.Credential,
	})
	id := aws.String((*auth)[strings.LastIndex(*auth, "/")+1:])
	call1(t, "", c.ConnectAppAuthorization, appfabric.ConnectAppAuthorizationInput{
		AppBundleIdentifier: bundle, AppAuthorizationIdentifier: id,
		AuthRequest: &types.AuthRequest{RedirectUri: aws.String("https://x.example/appfabric/oauth2"), Code: aws.String("c")},
	})
	call1(t, "", c.ConnectAppAuthorization, appfabric.ConnectAppAuthorizationInput{AppBundleIdentifier: bundle, AppAuthorizationIdentifier: key})
	call1(t, "", c.UpdateAppAuthorization, appfabric.UpdateAppAuthorizationInput{
		AppBundleIdentifier: bundle, AppAuthorizationIdentifier: auth,
		Tenant: &types.Tenant{TenantIdentifier: aws.String("acme.okta.com"), TenantDisplayName: aws.String("Acme Inc.")},
	})
	call1(t, "", c.GetAppAuthorization, appfabric.GetAppAuthorizationInput{AppBundleIdentifier: bundle, AppAuthorizationIdentifier: auth})
	call1(t, "", c.ListAppAuthorizations, appfabric.ListAppAuthorizationsInput{AppBundleIdentifier: bundle})
	call1(t, "", c.DeleteAppAuthorization, appfabric.DeleteAppAuthorizationInput{AppBundleIdentifier: bundle, AppAuthorizationIdentifier: key})
	return auth
}

func walkIngestion(t *testing.T, c *appfabric.Client, bundle *string, token string) *string {
	t.Helper()
	in := appfabric.CreateIngestionInput{
		AppBundleIdentifier: bundle, App: aws.String("OKTA"), TenantId: aws.String("other.okta.com"),
		IngestionType: types.IngestionTypeAuditLog, ClientToken: aws.String(token + "6"),
	}
	call1(t, "ValidationException", c.CreateIngestion, in)
	in.TenantId = aws.String("acme.okta.com")
	ingestion := call1(t, "", c.CreateIngestion, in).Ingestion.Arn
	call1(t, "", c.GetIngestion, appfabric.GetIngestionInput{AppBundleIdentifier: bundle, IngestionIdentifier: ingestion})
	call1(t, "", c.ListIngestions, appfabric.ListIngestionsInput{AppBundleIdentifier: bundle})
	call1(t, "ConflictException", c.StartIngestion, appfabric.StartIngestionInput{AppBundleIdentifier: bundle, IngestionIdentifier: ingestion})
	call1(t, "", c.StopIngestion, appfabric.StopIngestionInput{AppBundleIdentifier: bundle, IngestionIdentifier: ingestion})
	call1(t, "ConflictException", c.StopIngestion, appfabric.StopIngestionInput{AppBundleIdentifier: bundle, IngestionIdentifier: ingestion})
	call1(t, "", c.StartIngestion, appfabric.StartIngestionInput{AppBundleIdentifier: bundle, IngestionIdentifier: ingestion})
	walkDestinations(t, c, bundle, ingestion, token)
	return ingestion
}

func walkDestinations(t *testing.T, c *appfabric.Client, bundle, ingestion *string, token string) {
	t.Helper()
	bucket := func(name string, prefix *string) *types.DestinationConfigurationMemberAuditLog {
		return &types.DestinationConfigurationMemberAuditLog{Value: types.AuditLogDestinationConfiguration{
			Destination: &types.DestinationMemberS3Bucket{Value: types.S3Bucket{BucketName: aws.String(name), Prefix: prefix}},
		}}
	}
	stream := &types.DestinationConfigurationMemberAuditLog{Value: types.AuditLogDestinationConfiguration{
		Destination: &types.DestinationMemberFirehoseStream{Value: types.FirehoseStream{StreamName: aws.String("events")}},
	}}
	processing := func(s types.Schema, f types.Format) *types.ProcessingConfigurationMemberAuditLog {
		return &types.ProcessingConfigurationMemberAuditLog{Value: types.AuditLogProcessingConfiguration{Schema: s, Format: f}}
	}
	in := appfabric.CreateIngestionDestinationInput{
		AppBundleIdentifier: bundle, IngestionIdentifier: ingestion, ClientToken: aws.String(token + "7"),
		ProcessingConfiguration: processing("ocsf", "json"), DestinationConfiguration: bucket("logs", nil),
	}
	destination := call1(t, "", c.CreateIngestionDestination, in).IngestionDestination.Arn
	in.ClientToken, in.DestinationConfiguration = aws.String(token+"8"), stream
	toStream := call1(t, "", c.CreateIngestionDestination, in).IngestionDestination.Arn
	in.ClientToken, in.ProcessingConfiguration = aws.String(token+"9"), processing("ocsf", "parquet")
	call1(t, "ValidationException", c.CreateIngestionDestination, in)
	in.DestinationConfiguration = bucket("logs", aws.String("p"))
	in.ProcessingConfiguration = processing("raw", "parquet")
	call1(t, "ValidationException", c.CreateIngestionDestination, in)
	in.ProcessingConfiguration = processing("ocsf", "parquet")
	parquet := call1(t, "", c.CreateIngestionDestination, in).IngestionDestination.Arn
	in.ClientToken = aws.String(token + "a")
	call1(t, "ServiceQuotaExceededException", c.CreateIngestionDestination, in)
	call1(t, "ValidationException", c.UpdateIngestionDestination, appfabric.UpdateIngestionDestinationInput{
		AppBundleIdentifier: bundle, IngestionIdentifier: ingestion, IngestionDestinationIdentifier: parquet, DestinationConfiguration: stream,
	})
	call1(t, "", c.UpdateIngestionDestination, appfabric.UpdateIngestionDestinationInput{
		AppBundleIdentifier: bundle, IngestionIdentifier: ingestion, IngestionDestinationIdentifier: destination, DestinationConfiguration: bucket("logs", aws.String("testing")),
	})
	call1(t, "", c.GetIngestionDestination, appfabric.GetIngestionDestinationInput{AppBundleIdentifier: bundle, IngestionIdentifier: ingestion, IngestionDestinationIdentifier: toStream})
	call1(t, "", c.ListIngestionDestinations, appfabric.ListIngestionDestinationsInput{AppBundleIdentifier: bundle, IngestionIdentifier: ingestion})
	call1(t, "ValidationException", c.DeleteIngestion, appfabric.DeleteIngestionInput{AppBundleIdentifier: bundle, IngestionIdentifier: ingestion})
	for _, d := range []*string{destination, toStream, parquet} {
		call1(t, "", c.DeleteIngestionDestination, appfabric.DeleteIngestionDestinationInput{AppBundleIdentifier: bundle, IngestionIdentifier: ingestion, IngestionDestinationIdentifier: d})
	}
}

func walkTags(t *testing.T, c *appfabric.Client, bundle *string) {
	t.Helper()
	call1(t, "", c.TagResource, appfabric.TagResourceInput{ResourceArn: bundle, Tags: []types.Tag{{Key: aws.String("a/b +"), Value: aws.String("<&>")}, {Key: aws.String("c"), Value: aws.String("")}}})
	call1(t, "ValidationException", c.TagResource, appfabric.TagResourceInput{ResourceArn: bundle, Tags: []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("")}}})
	call1(t, "", c.ListTagsForResource, appfabric.ListTagsForResourceInput{ResourceArn: bundle})
	call1(t, "", c.UntagResource, appfabric.UntagResourceInput{ResourceArn: bundle, TagKeys: []string{"a/b +", "ключ", "not there"}})
	call1(t, "", c.UntagResource, appfabric.UntagResourceInput{ResourceArn: bundle, TagKeys: []string{}})
	call1(t, "", c.ListTagsForResource, appfabric.ListTagsForResourceInput{ResourceArn: bundle})
}

// The exceptions carry their members into the SDK's own types.
func TestExceptionsInTheSDK(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.client(t, who{keyA, region})
	const id = "00000000-0000-4000-8000-000000000000"
	_, err := c.GetAppBundle(t.Context(), &appfabric.GetAppBundleInput{AppBundleIdentifier: aws.String(id)})
	missing, ok := errors.AsType[*types.ResourceNotFoundException](err)
	if !ok || aws.ToString(missing.ResourceId) != id || aws.ToString(missing.ResourceType) != "AppBundle" {
		t.Errorf("got %#v", err)
	}
	_, err = c.GetAppBundle(t.Context(), &appfabric.GetAppBundleInput{AppBundleIdentifier: aws.String("x")})
	invalid, ok := errors.AsType[*types.ValidationException](err)
	if !ok || invalid.Reason != types.ValidationExceptionReasonFieldValidationFailed || len(invalid.FieldList) != 1 ||
		aws.ToString(invalid.FieldList[0].Name) != "appBundleIdentifier" {
		t.Errorf("got %#v", err)
	}
}
