package e2e_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"selvedge/simulator"
)

// TestMoving moves from AWS AppFabric by the commands of docs/moving.md. One server
// plays AWS; both write to one bucket, of a mock of S3.
func TestMoving(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"aws", "jq", "terraform"} {
		tool(t, name)
	}
	providerMirror(t)
	cloud := newCloud(t)
	sim, origins := simulated(t, simulator.Options{Seed: 4})
	ids := emit(t, sim.TerraformCloud().Emit, 40, 2*time.Hour)
	args := []string{"--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "1s", "--buckets-url", "s3://"}
	theirs := serveWith(t, cloud.Environ(), t.TempDir(), append(slices.Clone(args), "--quotas", "aws")...)
	ours := serveWith(t, cloud.Environ(), t.TempDir(), args...)

	tf := newTerraform(t, theirs, sim)
	tf.env = append(append(tf.env, unattended()...), "AWS_ENDPOINT_URL_S3="+cloud.URL)
	write(t, filepath.Join(tf.dir, "main.tf"), walkThrough(t, "docs/moving.md: configuration"))
	write(t, filepath.Join(tf.dir, "selvedge.env"), "export "+strings.Join(ours.env, "\nexport ")+"\n")
	tf.run(t, "init")
	tf.apply(t, "5 added, 0 changed, 0 destroyed")
	shell(t, tf.dir, walkThrough(t, "docs/moving.md: side by side"), tf.env)
	tf.empty(t)
	for _, p := range []*process{theirs, ours} {
		if n := len(sure(t, p.client(t).ListAppBundles, appfabric.ListAppBundlesInput{}).AppBundleSummaryList); n != 1 {
			t.Errorf("%d bundles at %s", n, p.url)
		}
	}
	compare := func() string { return shell(t, tf.dir, walkThrough(t, "docs/moving.md: compare"), tf.env) }
	same := "aws: 40 events, 0 of them twice\nselvedge: 40 events, 0 of them twice\nat AWS only:\nat Selvedge only:\n"
	eventually(t, 2*time.Minute, "both have delivered the same", func() error {
		if shown := compare(); shown != same {
			return errors.New(shown)
		}
		return nil
	})
	if shown := shell(t, tf.dir, walkThrough(t, "docs/moving.md: differ"), tf.env); shown != "" {
		t.Errorf("the events differ:\n%s", shown)
	}
	cloud.lose(t, "selvedge/")
	if err := os.RemoveAll(filepath.Join(tf.dir, "selvedge")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(tf.dir, "selvedge"), 0o700); err != nil {
		t.Fatal(err)
	}
	if shown := compare(); !strings.Contains(shown, "at AWS only:\n"+slices.Min(ids)) {
		t.Errorf("after a loss the comparison shows:\n%s", shown)
	}

	shell(t, tf.dir, walkThrough(t, "docs/moving.md: change over"), tf.env)
	if left := tf.state(t); len(left) > 0 {
		t.Errorf("left at AWS: %v", left.ids())
	}
	ours.imports(t, sim)
	theirs.stop(t)
	ours.stop(t)
}

// imports takes what is on the server into a state of its own.
func (p *process) imports(t *testing.T, sim *simulator.Server) {
	t.Helper()
	tf := newTerraform(t, p, sim)
	tf.env = append(append(tf.env, unattended()...), "TF_VAR_prefix=selvedge")
	write(t, filepath.Join(tf.dir, "main.tf"), walkThrough(t, "docs/moving.md: configuration"))
	tf.run(t, "init")
	out := shell(t, tf.dir, walkThrough(t, "docs/moving.md: import"), tf.env)
	if !strings.Contains(out, "Resources: 4 imported, 1 added, 1 changed, 0 destroyed.") {
		t.Errorf("the import shows:\n%s", tail(out, 60))
	}
	tf.empty(t)
	p.connected(t)
}

// connected expects every authorization of the only bundle to be Connected.
func (p *process) connected(t *testing.T) {
	t.Helper()
	c := p.client(t)
	bundle := sure(t, c.ListAppBundles, appfabric.ListAppBundlesInput{}).AppBundleSummaryList[0].Arn
	for _, a := range sure(t, c.ListAppAuthorizations, appfabric.ListAppAuthorizationsInput{AppBundleIdentifier: bundle}).AppAuthorizationSummaryList {
		if a.Status != types.AppAuthorizationStatusConnected {
			t.Errorf("%s is %s", *a.App, a.Status)
		}
	}
}

// lose deletes the objects under a prefix.
func (c cloud) lose(t *testing.T, prefix string) {
	t.Helper()
	listed := must[*s3.ListObjectsV2Output](t)(c.s3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: &prefix}))
	for _, o := range listed.Contents {
		must[*s3.DeleteObjectOutput](t)(c.s3.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: o.Key}))
	}
}
