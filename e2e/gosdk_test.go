package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"
	"github.com/google/go-cmp/cmp"
)

// sure runs one operation that has to succeed.
func sure[I, O any](t *testing.T, operation func(context.Context, *I, ...func(*appfabric.Options)) (*O, error), in I) *O {
	t.Helper()
	out, err := operation(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// through is the client of a process behind a front, with the SDK's retries but
// without their waits.
func (p *process) through(t *testing.T, f *front) *appfabric.Client {
	t.Helper()
	return appfabric.New(p.client(t).Options(), func(o *appfabric.Options) {
		o.BaseEndpoint = aws.String(f.URL)
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
	})
}

// Every operation is throttled once and fails once before it is carried out,
// and the SDK's retries make up for it.
func TestTheGoSDK(t *testing.T) {
	t.Parallel()
	p, sim := terraformServer(t)
	f := newFront(t, p, func(string) []fault { return []fault{throttled, broken} })
	everything(t, p.through(t, f), sim.TerraformCloud().Token())
	f.succeeded(t)
	for operation := range success() {
		got := f.statuses(operation)
		if len(got) < 3 || got[0] != http.StatusTooManyRequests || got[1] != http.StatusInternalServerError {
			t.Errorf("%s was answered with %v, want a retry after 429 and after 500", operation, got)
		}
	}
	p.stop(t)
}

// The answers of all four creates are lost, and the SDK's second try finds what
// the first one made.
func TestACreateWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	p, sim := terraformServer(t)
	f := newFront(t, p, func(operation string) []fault {
		if strings.HasPrefix(operation, "POST /appbundles") && success()[operation] == http.StatusCreated {
			return []fault{lost}
		}
		return nil
	})
	c := p.through(t, f)
	bundle := sure(t, c.CreateAppBundle, appfabric.CreateAppBundleInput{}).AppBundle.Arn
	authorization := authorize(t, c, bundle, terraformTenant, sim.TerraformCloud().Token())
	ingestion := ingest(t, c, bundle, terraformTenant)
	deliver(t, c, bundle, ingestion, types.SchemaOcsf)
	if n := len(sure(t, c.ListAppBundles, appfabric.ListAppBundlesInput{}).AppBundleSummaryList); n != 1 {
		t.Errorf("%d bundles, want one", n)
	}
	if n := len(sure(t, c.ListAppAuthorizations, appfabric.ListAppAuthorizationsInput{AppBundleIdentifier: bundle}).AppAuthorizationSummaryList); n != 1 {
		t.Errorf("%d authorizations, want one, %s", n, *authorization)
	}
	if n := len(sure(t, c.ListIngestions, appfabric.ListIngestionsInput{AppBundleIdentifier: bundle}).Ingestions); n != 1 {
		t.Errorf("%d ingestions, want one", n)
	}
	list := appfabric.ListIngestionDestinationsInput{AppBundleIdentifier: bundle, IngestionIdentifier: ingestion}
	if n := len(sure(t, c.ListIngestionDestinations, list).IngestionDestinations); n != 1 {
		t.Errorf("%d destinations, want one", n)
	}
	for operation, status := range success() {
		if status == http.StatusCreated && strings.HasPrefix(operation, "POST /appbundles") {
			if d := cmp.Diff([]int{500, 201}, f.statuses(operation)); d != "" {
				t.Errorf("%s: %s", operation, d)
			}
		}
	}
	p.stop(t)
}

// Retries that come to nothing end in the exception's own type.
func TestTheGoSDKGivesUp(t *testing.T) {
	t.Parallel()
	p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0")
	f := newFront(t, p, func(string) []fault { return []fault{broken, broken, throttled} })
	_, err := p.through(t, f).ListAppBundles(t.Context(), &appfabric.ListAppBundlesInput{})
	x, ok := errors.AsType[*types.ThrottlingException](err)
	if !ok || aws.ToInt32(x.RetryAfterSeconds) != 1 || aws.ToString(x.ServiceCode) != "appfabric" || aws.ToString(x.QuotaCode) != "requests" {
		t.Errorf("got %v", err)
	}
	p.stop(t)
}

// authorize makes an authorization of Terraform Cloud and connects it.
func authorize(t *testing.T, c *appfabric.Client, bundle *string, tenant, key string) *string {
	t.Helper()
	arn := sure(t, c.CreateAppAuthorization, appfabric.CreateAppAuthorizationInput{
		AppBundleIdentifier: bundle, App: aws.String("TERRAFORMCLOUD"), AuthType: types.AuthTypeApiKey,
		Credential: &types.CredentialMemberApiKeyCredential{Value: types.ApiKeyCredential{ApiKey: &key}},
		Tenant:     &types.Tenant{TenantIdentifier: &tenant, TenantDisplayName: aws.String("Example")},
	}).AppAuthorization.AppAuthorizationArn
	out := sure(t, c.ConnectAppAuthorization, appfabric.ConnectAppAuthorizationInput{AppBundleIdentifier: bundle, AppAuthorizationIdentifier: arn})
	if out.AppAuthorizationSummary.Status != types.AppAuthorizationStatusConnected {
		t.Fatalf("the authorization is %s", out.AppAuthorizationSummary.Status)
	}
	return arn
}

func ingest(t *testing.T, c *appfabric.Client, bundle *string, tenant string) *string {
	t.Helper()
	return sure(t, c.CreateIngestion, appfabric.CreateIngestionInput{
		AppBundleIdentifier: bundle, App: aws.String("TERRAFORMCLOUD"), TenantId: &tenant, IngestionType: types.IngestionTypeAuditLog,
	}).Ingestion.Arn
}

func intoBucket(prefix *string) types.DestinationConfiguration {
	return &types.DestinationConfigurationMemberAuditLog{Value: types.AuditLogDestinationConfiguration{
		Destination: &types.DestinationMemberS3Bucket{Value: types.S3Bucket{BucketName: aws.String(bucket), Prefix: prefix}},
	}}
}

func deliver(t *testing.T, c *appfabric.Client, bundle, ingestion *string, schema types.Schema) *string {
	t.Helper()
	d := sure(t, c.CreateIngestionDestination, appfabric.CreateIngestionDestinationInput{
		AppBundleIdentifier: bundle, IngestionIdentifier: ingestion, DestinationConfiguration: intoBucket(nil),
		ProcessingConfiguration: &types.ProcessingConfigurationMemberAuditLog{
			Value: types.AuditLogProcessingConfiguration{Schema: schema, Format: types.FormatJson},
		},
	}).IngestionDestination
	if d.Status != types.IngestionDestinationStatusActive {
		t.Errorf("the destination is %s", d.Status)
	}
	return d.Arn
}

// everything runs each of the 26 operations, and the four paginators over two
// pages each.
func everything(t *testing.T, c *appfabric.Client, key string) {
	t.Helper()
	bundle := sure(t, c.CreateAppBundle, appfabric.CreateAppBundleInput{
		Tags: []types.Tag{{Key: aws.String("empty"), Value: aws.String("")}},
	}).AppBundle.Arn
	second := sure(t, c.CreateAppBundle, appfabric.CreateAppBundleInput{}).AppBundle.Arn
	sure(t, c.GetAppBundle, appfabric.GetAppBundleInput{AppBundleIdentifier: bundle})
	tenants := []string{terraformTenant, "example-org"} // two names of one organization
	var authorizations, ingestions, destinations []*string
	for _, tenant := range tenants {
		authorizations = append(authorizations, authorize(t, c, bundle, tenant, key))
		ingestions = append(ingestions, ingest(t, c, bundle, tenant))
	}
	for _, schema := range []types.Schema{types.SchemaOcsf, types.SchemaRaw} {
		destinations = append(destinations, deliver(t, c, bundle, ingestions[0], schema))
	}
	changed(t, c, bundle, authorizations[0], ingestions[0], destinations[0])
	tagged(t, c, bundle)
	pages(t, c, bundle, ingestions[0])
	userAccess(t, c, bundle)
	for _, d := range destinations {
		sure(t, c.DeleteIngestionDestination, appfabric.DeleteIngestionDestinationInput{AppBundleIdentifier: bundle, IngestionIdentifier: ingestions[0], IngestionDestinationIdentifier: d})
	}
	for _, i := range ingestions {
		sure(t, c.DeleteIngestion, appfabric.DeleteIngestionInput{AppBundleIdentifier: bundle, IngestionIdentifier: i})
	}
	for _, a := range authorizations {
		sure(t, c.DeleteAppAuthorization, appfabric.DeleteAppAuthorizationInput{AppBundleIdentifier: bundle, AppAuthorizationIdentifier: a})
	}
	for _, b := range []*string{bundle, second} {
		sure(t, c.DeleteAppBundle, appfabric.DeleteAppBundleInput{AppBundleIdentifier: b})
	}
	_, err := c.GetAppBundle(t.Context(), &appfabric.GetAppBundleInput{AppBundleIdentifier: bundle})
	missing, ok := errors.AsType[*types.ResourceNotFoundException](err)
	if !ok || aws.ToString(missing.ResourceId) != *bundle || aws.ToString(missing.ResourceType) != "AppBundle" {
		t.Errorf("after its deletion the bundle answers %v", err)
	}
}

// changed runs the operations that change what is there, and reads it back.
func changed(t *testing.T, c *appfabric.Client, bundle, authorization, ingestion, destination *string) {
	t.Helper()
	sure(t, c.UpdateAppAuthorization, appfabric.UpdateAppAuthorizationInput{
		AppBundleIdentifier: bundle, AppAuthorizationIdentifier: authorization,
		Tenant: &types.Tenant{TenantIdentifier: aws.String(terraformTenant), TenantDisplayName: aws.String("Beispiel")},
	})
	a := sure(t, c.GetAppAuthorization, appfabric.GetAppAuthorizationInput{AppBundleIdentifier: bundle, AppAuthorizationIdentifier: authorization}).AppAuthorization
	if *a.Tenant.TenantDisplayName != "Beispiel" || a.Status != types.AppAuthorizationStatusConnected || a.AuthUrl != nil || a.Persona != types.PersonaAdmin {
		t.Errorf("the authorization is %s of %s", a.Status, *a.Tenant.TenantDisplayName)
	}
	sure(t, c.StopIngestion, appfabric.StopIngestionInput{AppBundleIdentifier: bundle, IngestionIdentifier: ingestion})
	if s := sure(t, c.GetIngestion, appfabric.GetIngestionInput{AppBundleIdentifier: bundle, IngestionIdentifier: ingestion}).Ingestion.State; s != types.IngestionStateDisabled {
		t.Errorf("stopped, the ingestion is %s", s)
	}
	sure(t, c.StartIngestion, appfabric.StartIngestionInput{AppBundleIdentifier: bundle, IngestionIdentifier: ingestion})
	sure(t, c.UpdateIngestionDestination, appfabric.UpdateIngestionDestinationInput{
		AppBundleIdentifier: bundle, IngestionIdentifier: ingestion, IngestionDestinationIdentifier: destination,
		DestinationConfiguration: intoBucket(aws.String("testing")),
	})
	d := sure(t, c.GetIngestionDestination, appfabric.GetIngestionDestinationInput{
		AppBundleIdentifier: bundle, IngestionIdentifier: ingestion, IngestionDestinationIdentifier: destination,
	}).IngestionDestination
	to, ok := d.DestinationConfiguration.(*types.DestinationConfigurationMemberAuditLog)
	if !ok {
		t.Fatalf("the destination is %T", d.DestinationConfiguration)
	}
	if s3, ok := to.Value.Destination.(*types.DestinationMemberS3Bucket); !ok || aws.ToString(s3.Value.Prefix) != "testing" {
		t.Errorf("the destination is %#v", to.Value.Destination)
	}
}

func tagged(t *testing.T, c *appfabric.Client, bundle *string) {
	t.Helper()
	sure(t, c.TagResource, appfabric.TagResourceInput{ResourceArn: bundle, Tags: []types.Tag{
		{Key: aws.String("ключ"), Value: aws.String("a/b +")}, {Key: aws.String("gone"), Value: aws.String("x")},
	}})
	sure(t, c.UntagResource, appfabric.UntagResourceInput{ResourceArn: bundle, TagKeys: []string{"gone"}})
	got := map[string]string{}
	for _, tag := range sure(t, c.ListTagsForResource, appfabric.ListTagsForResourceInput{ResourceArn: bundle}).Tags {
		got[*tag.Key] = *tag.Value
	}
	if d := cmp.Diff(map[string]string{"empty": "", "ключ": "a/b +"}, got); d != "" {
		t.Errorf("tags: %s", d)
	}
}

// paginator is what the SDK's four have in common.
type paginator[O any] interface {
	HasMorePages() bool
	NextPage(ctx context.Context, options ...func(*appfabric.Options)) (*O, error)
}

// pageThrough counts the pages of one element each.
func pageThrough[O any](t *testing.T, p paginator[O], elements func(*O) int) {
	t.Helper()
	n := 0
	for ; p.HasMorePages(); n++ {
		out := must[*O](t)(p.NextPage(t.Context()))
		if got := elements(out); got != 1 {
			t.Errorf("%T: a page has %d elements, want 1", p, got)
		}
	}
	if n != 2 {
		t.Errorf("%T: %d pages, want 2", p, n)
	}
}

func pages(t *testing.T, c *appfabric.Client, bundle, ingestion *string) {
	t.Helper()
	one := aws.Int32(1)
	pageThrough(t, appfabric.NewListAppBundlesPaginator(c, &appfabric.ListAppBundlesInput{MaxResults: one}),
		func(o *appfabric.ListAppBundlesOutput) int { return len(o.AppBundleSummaryList) })
	pageThrough(t, appfabric.NewListAppAuthorizationsPaginator(c, &appfabric.ListAppAuthorizationsInput{AppBundleIdentifier: bundle, MaxResults: one}),
		func(o *appfabric.ListAppAuthorizationsOutput) int { return len(o.AppAuthorizationSummaryList) })
	pageThrough(t, appfabric.NewListIngestionsPaginator(c, &appfabric.ListIngestionsInput{AppBundleIdentifier: bundle, MaxResults: one}),
		func(o *appfabric.ListIngestionsOutput) int { return len(o.Ingestions) })
	pageThrough(t, appfabric.NewListIngestionDestinationsPaginator(c, &appfabric.ListIngestionDestinationsInput{AppBundleIdentifier: bundle, IngestionIdentifier: ingestion, MaxResults: one}),
		func(o *appfabric.ListIngestionDestinationsOutput) int { return len(o.IngestionDestinations) })
}

// userAccess looks for a person who is there, and for one who is not, in both
// tenants.
func userAccess(t *testing.T, c *appfabric.Client, bundle *string) {
	t.Helper()
	for email, want := range map[string]string{
		"zoe.mueller@example.com": "COMPLETED user-V3R563qtJNcExAkN active ",
		"nobody@example.com":      "FAILED   The user not found",
	} {
		results := search(t, c, bundle, email)
		if len(results) != 2 {
			t.Fatalf("%d results, want one for each tenant", len(results))
		}
		for _, r := range results {
			text := ""
			if r.TaskError != nil {
				text = aws.ToString(r.TaskError.ErrorMessage)
			}
			got := strings.Join([]string{string(r.ResultStatus), aws.ToString(r.UserId), aws.ToString(r.UserStatus), text}, " ")
			if got != want || aws.ToString(r.Email) != email || aws.ToString(r.TenantDisplayName) == "" {
				t.Errorf("%s in %s: %s, want %s", email, aws.ToString(r.TenantId), got, want)
			}
		}
	}
	_, err := c.BatchGetUserAccessTasks(t.Context(), &appfabric.BatchGetUserAccessTasksInput{
		AppBundleIdentifier: bundle, TaskIdList: []string{"00000000-0000-4000-8000-000000000000"},
	})
	if missing, ok := errors.AsType[*types.ResourceNotFoundException](err); !ok || aws.ToString(missing.ResourceType) != "UserAccessTask" {
		t.Errorf("a task that is not there: %v", err)
	}
}

// search starts the tasks for a person and returns what came of them.
func search(t *testing.T, c *appfabric.Client, bundle *string, email string) []types.UserAccessResultItem {
	t.Helper()
	var ids []string
	for _, task := range sure(t, c.StartUserAccessTasks, appfabric.StartUserAccessTasksInput{AppBundleIdentifier: bundle, Email: &email}).UserAccessTasksList {
		if task.Error != nil {
			t.Errorf("%s %s: %s", *task.App, *task.TenantId, aws.ToString(task.Error.ErrorMessage))
			continue
		}
		ids = append(ids, *task.TaskId)
	}
	return results(t, c, bundle, ids)
}

// results waits until tasks have ended.
func results(t *testing.T, c *appfabric.Client, bundle *string, ids []string) []types.UserAccessResultItem {
	t.Helper()
	var all []types.UserAccessResultItem
	eventually(t, 30*time.Second, "the tasks have ended", func() error {
		all = sure(t, c.BatchGetUserAccessTasks, appfabric.BatchGetUserAccessTasksInput{AppBundleIdentifier: bundle, TaskIdList: ids}).UserAccessResultsList
		for i, r := range all {
			if *r.TaskId != ids[i] {
				t.Errorf("task %d is %s, want %s", i, *r.TaskId, ids[i])
			}
			if r.ResultStatus == types.ResultStatusInProgress {
				return fmt.Errorf("%s is in progress", *r.App)
			}
		}
		return nil
	})
	return all
}
