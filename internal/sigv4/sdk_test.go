package sigv4_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"

	"selvedge/internal/sigv4"
)

const sdkARN = "arn:aws:appfabric:us-east-1:123456789012:appbundle/3f8a1f4e-4c6e-4f0e-9d50-7f2b8e1c2d3a"

// What the unmodified Go SDK sends must verify, through a real server.
func TestRealClient(t *testing.T) {
	t.Parallel()
	calls := map[string]func(context.Context, *appfabric.Client) error{
		"CreateAppBundle, UTF-8": func(ctx context.Context, c *appfabric.Client) error {
			_, err := c.CreateAppBundle(ctx, &appfabric.CreateAppBundleInput{Tags: []types.Tag{{Key: aws.String("ключ"), Value: aws.String("värde 漢字 🧵")}}})
			return err
		},
		"GetAppBundle by ARN": func(ctx context.Context, c *appfabric.Client) error {
			_, err := c.GetAppBundle(ctx, &appfabric.GetAppBundleInput{AppBundleIdentifier: aws.String(sdkARN)})
			return err
		},
		"ListAppBundles, query": func(ctx context.Context, c *appfabric.Client) error {
			_, err := c.ListAppBundles(ctx, &appfabric.ListAppBundlesInput{MaxResults: aws.Int32(7), NextToken: aws.String("a+b/c== d&e?é~'()*")})
			return err
		},
		"StartIngestion, no body": func(ctx context.Context, c *appfabric.Client) error {
			_, err := c.StartIngestion(ctx, &appfabric.StartIngestionInput{AppBundleIdentifier: aws.String(sdkARN), IngestionIdentifier: aws.String(sdkARN + "/ingestion/1")})
			return err
		},
		"UntagResource, repeated query": func(ctx context.Context, c *appfabric.Client) error {
			_, err := c.UntagResource(ctx, &appfabric.UntagResourceInput{ResourceArn: aws.String(sdkARN), TagKeys: []string{"b c", "a/b", "a-b", "", "é"}})
			return err
		},
		"TagResource": func(ctx context.Context, c *appfabric.Client) error {
			_, err := c.TagResource(ctx, &appfabric.TagResourceInput{ResourceArn: aws.String(sdkARN), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("")}}})
			return err
		},
		"DeleteAppBundle": func(ctx context.Context, c *appfabric.Client) error {
			_, err := c.DeleteAppBundle(ctx, &appfabric.DeleteAppBundleInput{AppBundleIdentifier: aws.String("x~y.z_1")})
			return err
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var seen []string
			v := sigv4.New("appfabric", lookup, time.Now)
			server := httptest.NewServer(serve(v, func(r *http.Request, id sigv4.Identity, err error) {
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, r.RequestURI)
				if err != nil || id != (sigv4.Identity{AccessKeyID: exampleID, Account: account, Region: "us-east-1"}) {
					t.Errorf("%s %s: %+v, %v\n%v", r.Method, r.RequestURI, id, err, r.Header)
				}
			}))
			defer server.Close()
			client := appfabric.NewFromConfig(aws.Config{
				Region: "us-east-1", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
				Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: exampleID, SecretAccessKey: exampleSecret}, nil
				}),
			})
			if err := call(t.Context(), client); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if len(seen) != 1 {
				t.Errorf("%d requests, want 1", len(seen))
			}
		})
	}
}
