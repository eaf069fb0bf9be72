package wire_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"selvedge/internal/control"
	"selvedge/internal/wire"
)

// The quotas count in one account and Region, destinations in their ingestion,
// and the real client reads the exception with all its members.
func TestQuotas(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(o *control.Options, _ *wire.Options) {
		o.Quotas = control.Quotas{Bundles: 1, Authorizations: 1, Ingestions: 1, Destinations: 1}
	})
	w := who{keyA, region}
	f := s.furnish(t, w) // one of each
	c := s.client(t, w)
	exceeded := func(t *testing.T, err error, want types.ServiceQuotaExceededException) {
		t.Helper()
		got, ok := errors.AsType[*types.ServiceQuotaExceededException](err)
		if !ok {
			t.Fatalf("got %v, want a ServiceQuotaExceededException", err)
		}
		want.ServiceCode = aws.String("appfabric")
		if diff := cmp.Diff(&want, got, cmpopts.IgnoreUnexported(types.ServiceQuotaExceededException{})); diff != "" {
			t.Errorf("exception (-want +got):\n%s", diff)
		}
	}
	createBundle := func() error {
		_, err := c.CreateAppBundle(t.Context(), &appfabric.CreateAppBundleInput{})
		return err
	}
	exceeded(t, createBundle(), types.ServiceQuotaExceededException{
		Message:    aws.String("You have exceeded the maximum number of app bundles per account, per AWS Region."),
		ResourceId: aws.String(accountA), ResourceType: aws.String("AppBundle"), QuotaCode: aws.String("app-bundles"),
	})
	_, err := c.CreateAppAuthorization(t.Context(), &appfabric.CreateAppAuthorizationInput{
		AppBundleIdentifier: &f.bundle, App: aws.String("TERRAFORMCLOUD"), AuthType: types.AuthTypeApiKey,
		Credential: &types.CredentialMemberApiKeyCredential{Value: types.ApiKeyCredential{ApiKey: aws.String("k")}},
		Tenant:     &types.Tenant{TenantIdentifier: aws.String("t"), TenantDisplayName: aws.String("T")},
	})
	exceeded(t, err, types.ServiceQuotaExceededException{
		Message:    aws.String("You have exceeded the maximum number of app authorizations per account, per AWS Region."),
		ResourceId: &f.bundle, ResourceType: aws.String("AppAuthorization"), QuotaCode: aws.String("app-authorizations"),
	})
	_, err = c.CreateIngestionDestination(t.Context(), &appfabric.CreateIngestionDestinationInput{
		AppBundleIdentifier: &f.bundle, IngestionIdentifier: &f.ingestionARN,
		ProcessingConfiguration: &types.ProcessingConfigurationMemberAuditLog{
			Value: types.AuditLogProcessingConfiguration{Schema: types.SchemaRaw, Format: types.FormatJson},
		},
		DestinationConfiguration: &types.DestinationConfigurationMemberAuditLog{
			Value: types.AuditLogDestinationConfiguration{
				Destination: &types.DestinationMemberS3Bucket{Value: types.S3Bucket{BucketName: aws.String("logs")}},
			},
		},
	})
	exceeded(t, err, types.ServiceQuotaExceededException{
		Message:    aws.String("You have exceeded the maximum number of ingestion destinations per ingestion."),
		ResourceId: &f.ingestionARN, ResourceType: aws.String("IngestionDestination"),
		QuotaCode: aws.String("ingestion-destinations-per-ingestion"),
	})

	s.furnish(t, who{keyA, "eu-west-1"}) // another Region and another account count by themselves
	s.furnish(t, who{keyB, region})
	if r := s.send(t, w, "POST", "/appbundles", "{}"); r.status != http.StatusPaymentRequired {
		t.Errorf("status %d, want 402", r.status)
	}
}

// An ingestion over the quota needs a second connected authorization, so this
// one stands alone.
func TestQuotaOfIngestions(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(o *control.Options, _ *wire.Options) { o.Quotas = control.Quotas{Ingestions: 1} })
	w := who{keyA, region}
	f := s.furnish(t, w)
	base := "/appbundles/" + f.bundle
	made := s.send(t, w, "POST", base+"/appauthorizations", strings.ReplaceAll(okta, "acme", "other"))
	id := last(made.body["appAuthorization"].(map[string]any)["appAuthorizationArn"].(string))
	s.send(t, w, "POST", base+"/appauthorizations/"+id+"/connect", "{}")
	create := func() error {
		_, err := s.client(t, w).CreateIngestion(t.Context(), &appfabric.CreateIngestionInput{
			AppBundleIdentifier: &f.bundle, App: aws.String("OKTA"), TenantId: aws.String("other.okta.com"),
			IngestionType: types.IngestionTypeAuditLog,
		})
		return err
	}
	got, ok := errors.AsType[*types.ServiceQuotaExceededException](create())
	const text = "You have exceeded the maximum number of ingestions per account, per AWS Region."
	if !ok || aws.ToString(got.Message) != text || aws.ToString(got.QuotaCode) != "ingestions" ||
		aws.ToString(got.ResourceType) != "Ingestion" || aws.ToString(got.ResourceId) != f.bundle {
		t.Fatalf("got %+v, want %s", got, text)
	}
	for _, target := range []string{"/ingestions/" + f.ingestion + "/ingestiondestinations/" + f.destination, "/ingestions/" + f.ingestion} {
		if r := s.send(t, w, "DELETE", base+target, ""); r.status != http.StatusNoContent {
			t.Fatalf("delete: %s %s", r.line(), r.raw)
		}
	}
	if err := create(); err != nil {
		t.Errorf("after a deletion: %v", err)
	}
}

func limit(rate float64, burst int) setting {
	return func(_ *control.Options, o *wire.Options) { o.Throttle = wire.Throttle{Rate: rate, Burst: burst} }
}

// A rate is that of one account and operation. It is checked after the
// signature and before all else, and what was refused costs nothing.
func TestThrottle(t *testing.T) {
	t.Parallel()
	s := newServer(t, limit(0.1, 3))
	w := who{keyA, region}
	get := func() reply { return s.send(t, w, "GET", "/appbundles", "") }
	unsigned := httptest.NewRequest("GET", "/appbundles", nil)
	for range 5 {
		if r := s.answer(t, unsigned); r.status != http.StatusForbidden {
			t.Fatalf("unsigned: %s", r.line())
		}
	}
	for range 3 {
		if r := get(); r.status != http.StatusOK {
			t.Fatalf("within the burst: %s %s", r.line(), r.raw)
		}
	}
	for range 5 {
		r := get()
		if r.line() != "429 ThrottlingException" || r.raw != `{"message":"Rate exceeded","serviceCode":"appfabric","quotaCode":"requests-per-second"}` {
			t.Fatalf("beyond the burst: %s %s", r.line(), r.raw)
		}
		if wait := r.header.Get("Retry-After"); wait != "10" {
			t.Fatalf("Retry-After %q, want 10", wait)
		}
	}
	if r := s.send(t, w, "GET", "/appbundles?maxResults=0", ""); r.status != http.StatusTooManyRequests {
		t.Errorf("invalid and throttled: %s, want 429", r.line())
	}
	if r := s.send(t, who{keyA, "eu-west-1"}, "GET", "/appbundles", ""); r.status != http.StatusTooManyRequests {
		t.Errorf("another Region: %s, want 429", r.line())
	}
	if r := s.send(t, who{keyB, region}, "GET", "/appbundles", ""); r.status != http.StatusOK {
		t.Errorf("another account: %s, want 200", r.line())
	}
	if r := s.send(t, w, "POST", "/appbundles", "{}"); r.status != http.StatusCreated {
		t.Errorf("another operation: %s, want 201", r.line())
	}
	s.clock.add(10 * time.Second)
	if r := get(); r.status != http.StatusOK {
		t.Errorf("a token later: %s, want 200", r.line())
	}
	if r := get(); r.status != http.StatusTooManyRequests {
		t.Errorf("and one more: %s, want 429", r.line())
	}
}

// The real client tries again by itself, and succeeds.
func TestThrottledClientRetries(t *testing.T) {
	t.Parallel()
	s := newServer(t, limit(1, 1))
	front := httptest.NewServer(s.handler)
	t.Cleanup(front.Close)
	waits := 0
	c := appfabric.New(sdk(who{keyA, region}, front.URL, front.Client()).Options(), func(o *appfabric.Options) {
		o.RetryMaxAttempts = 4
		o.Retryer = retry.NewStandard(func(so *retry.StandardOptions) {
			so.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) {
				waits++
				s.clock.add(time.Second)
				return 0, nil
			})
		})
	})
	for range 4 {
		if _, err := c.ListAppBundles(t.Context(), &appfabric.ListAppBundlesInput{}); err != nil {
			t.Fatal(err)
		}
	}
	if waits != 3 {
		t.Errorf("the client waited %d times, want 3", waits)
	}
	refused := 0
	for _, call := range s.calls {
		if call.ErrorCode == "ThrottlingException" && call.Operation == "ListAppBundles" && call.Caller.Account == accountA {
			refused++
		}
	}
	if refused != 3 {
		t.Errorf("%d throttled calls were recorded, want 3", refused)
	}
}

// Full buckets are forgotten.
func TestThrottleIsBounded(t *testing.T) {
	t.Parallel()
	take, kept := wire.NewThrottle(wire.Throttle{Rate: 1, Burst: 2})
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for i := range 100_000 {
		if err := take(fmt.Sprintf("%012d", i), "GetAppBundle", now); err != nil {
			t.Fatal(err)
		}
		now = now.Add(10 * time.Millisecond) // 100 accounts in the second that a token takes
	}
	if n := kept(); n > 1100 {
		t.Errorf("%d buckets are kept", n)
	}
}
