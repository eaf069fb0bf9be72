package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	firehosetypes "github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"selvedge/internal/awstest"
	"selvedge/ocsf/ocsftest"
	"selvedge/simulator"
)

// cloud is the S3 and Firehose of moto, whose Firehose puts what it takes into
// S3 at once.
type cloud struct {
	*awstest.Front
	s3       *s3.Client
	firehose *firehose.Client
}

const streamName = "audit-events"

func newCloud(t *testing.T) cloud {
	t.Helper()
	moto := awstest.Moto(t)
	c := cloud{Front: awstest.NewFront(t, awstest.Proxy(moto))}
	direct := c.Config()
	direct.BaseEndpoint = aws.String(moto.String()) // what the tests ask is not hindered
	c.s3 = s3.NewFromConfig(direct, func(o *s3.Options) { o.UsePathStyle = true })
	c.firehose = firehose.NewFromConfig(direct)
	for _, name := range []string{bucket, streamName} {
		must[*s3.CreateBucketOutput](t)(c.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}))
	}
	must[*firehose.CreateDeliveryStreamOutput](t)(c.firehose.CreateDeliveryStream(t.Context(), &firehose.CreateDeliveryStreamInput{
		DeliveryStreamName: aws.String(streamName), DeliveryStreamType: firehosetypes.DeliveryStreamTypeDirectPut,
		ExtendedS3DestinationConfiguration: &firehosetypes.ExtendedS3DestinationConfiguration{
			BucketARN: aws.String("arn:aws:s3:::" + streamName), RoleARN: aws.String("arn:aws:iam::123456789012:role/firehose"),
		},
	}))
	return c
}

// download puts the objects of a bucket into a folder.
func (c cloud) download(ctx context.Context, name, dir string) error {
	pages := s3.NewListObjectsV2Paginator(c.s3, &s3.ListObjectsV2Input{Bucket: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, o := range page.Contents {
			path := filepath.Join(dir, filepath.FromSlash(*o.Key))
			if _, err := os.Stat(path); err == nil {
				continue // an object does not change
			}
			out, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &name, Key: o.Key})
			if err != nil {
				return err
			}
			body, err := io.ReadAll(out.Body)
			err = errors.Join(err, out.Body.Close(), os.MkdirAll(filepath.Dir(path), 0o700))
			if err == nil {
				err = os.WriteFile(path, body, 0o600)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// destination makes a Firehose destination.
func (c collection) stream(t *testing.T, p *process, name string, format types.Format) (*types.IngestionDestination, error) {
	t.Helper()
	out, err := p.client(t).CreateIngestionDestination(t.Context(), &appfabric.CreateIngestionDestinationInput{
		AppBundleIdentifier: &c.bundle, IngestionIdentifier: &c.ingestion,
		ProcessingConfiguration: &types.ProcessingConfigurationMemberAuditLog{Value: types.AuditLogProcessingConfiguration{Schema: types.SchemaOcsf, Format: format}},
		DestinationConfiguration: &types.DestinationConfigurationMemberAuditLog{Value: types.AuditLogDestinationConfiguration{
			Destination: &types.DestinationMemberFirehoseStream{Value: types.FirehoseStream{StreamName: &name}},
		}},
	})
	if err != nil {
		return nil, err
	}
	return out.IngestionDestination, nil
}

// moody lets a part of all calls go wrong: throttled, refused after their
// effect, broken off, and, of Firehose's, half taken.
func moody(t *testing.T) func(awstest.Call, http.ResponseWriter, http.Handler) {
	var calls atomic.Int64
	return func(c awstest.Call, w http.ResponseWriter, next http.Handler) {
		put := strings.HasSuffix(c.Header.Get("X-Amz-Target"), ".PutRecordBatch")
		switch n := calls.Add(1) % 6; {
		case n == 0 && put, n == 3 && put:
			half(t, c, w, next)
		case n == 1:
			awstest.CutAfter(c, w, next)
		case n == 2:
			awstest.Cut(c, w, next)
		case n == 4:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			next.ServeHTTP(w, c.Request)
		}
	}
}

// half takes the first half of the records.
func half(t *testing.T, c awstest.Call, w http.ResponseWriter, next http.Handler) {
	var in map[string]any
	if err := json.Unmarshal(c.Body, &in); err != nil {
		t.Error(err)
	}
	records, _ := in["Records"].([]any)
	taken := len(records) / 2
	answers := make([]map[string]string, len(records))
	for i := range answers {
		answers[i] = map[string]string{"RecordId": "r"}
		if i >= taken {
			answers[i] = map[string]string{"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."}
		}
	}
	in["Records"] = records[:taken]
	body, err := json.Marshal(in)
	if err != nil {
		t.Error(err)
	}
	if taken > 0 {
		r := c.Clone(c.Context())
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(string(body))), int64(len(body))
		next.ServeHTTP(httptest.NewRecorder(), r)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if err := json.NewEncoder(w).Encode(map[string]any{"FailedPutCount": len(records) - taken, "RequestResponses": answers}); err != nil {
		t.Error(err)
	}
}

// TestS3AndFirehose: events are once in S3 and at least once in Firehose,
// whatever S3, Firehose and a SIGKILL do.
func TestS3AndFirehose(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	sim, origins := simulated(t, simulator.Options{Seed: 21})
	emit(t, sim.Okta().Emit, 40, 0)
	args := []string{"--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "1s", "--buckets-url", "s3://", "--streams-url", "firehose://"}
	p := serveWith(t, c.Environ(), t.TempDir(), args...)
	col := collectOkta(t, p, sim)
	for name, format := range map[string]types.Format{"never-made": types.FormatJson, streamName: types.FormatParquet} {
		if _, err := col.stream(t, p, name, format); err == nil || !strings.Contains(err.Error(), "ValidationException") {
			t.Errorf("the stream %s, format %s: %v", name, format, err)
		}
	}
	made, err := col.stream(t, p, streamName, types.FormatJson)
	if err != nil || made.Status != types.IngestionDestinationStatusActive {
		t.Fatalf("%+v, %v", made, err)
	}
	tags := must[*firehose.ListTagsForDeliveryStreamOutput](t)(c.firehose.ListTagsForDeliveryStream(t.Context(),
		&firehose.ListTagsForDeliveryStreamInput{DeliveryStreamName: aws.String(streamName)}))
	if len(tags.Tags) != 1 || *tags.Tags[0].Key != "AWSAppFabricManaged" {
		t.Errorf("tags of the stream: %+v", tags.Tags)
	}
	col.dir = t.TempDir()
	streams := t.TempDir()
	arrived := func(want int) func() error {
		return func() error {
			if err := errors.Join(c.download(t.Context(), bucket, col.dir), c.download(t.Context(), streamName, streams)); err != nil {
				return err
			}
			if n := len(uids(t, streams)); n < want {
				return fmt.Errorf("%d of %d events are in the stream", n, want)
			}
			return col.complete(t, want)()
		}
	}
	eventually(t, 60*time.Second, "the events arrive", arrived(40))

	c.Fault(moody(t))
	total := 40
	for range 3 {
		emit(t, sim.Okta().Emit, 20, 0)
		total += 20
		calls := len(c.Calls())
		eventually(t, 60*time.Second, "something is sent", func() error {
			if calls += len(c.Calls()); calls < 3 {
				return fmt.Errorf("%d calls", calls)
			}
			return nil
		})
		p.kill(t)
		p = serveWith(t, c.Environ(), p.dir, args...)
	}
	c.Fault(nil)
	eventually(t, 90*time.Second, "all events arrive", arrived(total))
	col.check(t)
	got := uids(t, streams)
	var want []string
	for _, line := range col.lines(t, col.ocsf) {
		want = append(want, uid(t, line))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("metadata.uid of the events in the stream (-in the bucket +in the stream):\n%s", diff)
	}
	p.stop(t)
}

// TestABucketThatIsGone shows a Failed destination with what to do, which heals
// by itself once it is done.
func TestABucketThatIsGone(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	must[*s3.DeleteBucketOutput](t)(c.s3.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String(bucket)}))
	sim, origins := simulated(t, simulator.Options{Seed: 22})
	emit(t, sim.Okta().Emit, 5, 0)
	p := serveWith(t, c.Environ(), t.TempDir(), "--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "1s", "--buckets-url", "s3://")
	col := collectOkta(t, p, sim)
	col.dir = t.TempDir()
	get := func() *types.IngestionDestination {
		return must[*appfabric.GetIngestionDestinationOutput](t)(p.client(t).GetIngestionDestination(t.Context(), &appfabric.GetIngestionDestinationInput{
			AppBundleIdentifier: &col.bundle, IngestionIdentifier: &col.ingestion, IngestionDestinationIdentifier: &col.raw,
		})).IngestionDestination
	}
	eventually(t, 30*time.Second, "the destination is Failed", func() error {
		d := get()
		if d.Status != types.IngestionDestinationStatusFailed || !strings.Contains(aws.ToString(d.StatusReason), "the bucket audit-logs does not exist: make it in the Region us-east-1") {
			return fmt.Errorf("%s: %s", d.Status, aws.ToString(d.StatusReason))
		}
		return nil
	})
	must[*s3.CreateBucketOutput](t)(c.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}))
	eventually(t, 120*time.Second, "the events arrive", func() error {
		return errors.Join(c.download(t.Context(), bucket, col.dir), col.complete(t, 5)())
	})
	if d := get(); d.Status != types.IngestionDestinationStatusActive || d.StatusReason != nil {
		t.Errorf("%s: %s", d.Status, aws.ToString(d.StatusReason))
	}
	col.check(t)
	p.stop(t)
}

// TestStreamsAreFolders by default.
func TestStreamsAreFolders(t *testing.T) {
	t.Parallel()
	sim, origins := simulated(t, simulator.Options{Seed: 23})
	emit(t, sim.Okta().Emit, 10, 0)
	p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "1s")
	col := collectOkta(t, p, sim)
	if _, err := col.stream(t, p, streamName, types.FormatJson); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(p.dir, "streams", streamName)
	for _, n := range []int{10, 13} {
		eventually(t, 30*time.Second, "the events arrive", func() error {
			if got := len(uids(t, dir)); got != n {
				return fmt.Errorf("%d events", got)
			}
			return nil
		})
		emit(t, sim.Okta().Emit, 3, 0)
	}
	p.stop(t)
}

// uids counts the events below a folder by their metadata.uid.
func uids(t *testing.T, dir string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, line := range (collection{dir: dir}).linesBelow(t, "") {
		ocsftest.MustValidate(t, []byte(line))
		counts[uid(t, line)]++
	}
	return counts
}

func uid(t *testing.T, line string) string {
	t.Helper()
	var event struct{ Metadata struct{ UID string } }
	if err := json.Unmarshal([]byte(line), &event); err != nil || event.Metadata.UID == "" {
		t.Errorf("no metadata.uid in %.200s: %v", line, err)
	}
	return event.Metadata.UID
}
