package firehose_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsfirehose "github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"selvedge/internal/awstest"
	"selvedge/internal/logtest"
	"selvedge/sink"
	"selvedge/sink/firehose"
	"selvedge/sink/sinktest"
)

// stream is the stream of most tests.
func stream() sink.Stream { return sink.Stream{Region: awstest.Region, Name: "audit-events"} }

// place is moto's Firehose behind a front. It puts what it takes into S3 at
// once.
type place struct {
	*awstest.Front
	client *awsfirehose.Client
	s3     *awss3.Client
	log    *logtest.Buffer
	sink   *firehose.Sink
}

func moto(t *testing.T) place {
	t.Helper()
	p := open(t, awstest.Proxy(awstest.Moto(t)))
	p.made(t, stream().Name)
	p.Calls()
	return p
}

func open(t *testing.T, h http.Handler) place {
	t.Helper()
	p := place{Front: awstest.NewFront(t, h), log: &logtest.Buffer{}}
	p.client = awsfirehose.NewFromConfig(p.Config())
	p.s3 = awss3.NewFromConfig(p.Config(), func(o *awss3.Options) { o.UsePathStyle = true })
	p.sink = firehose.New(p.Config(), slog.New(slog.NewTextHandler(p.log, nil)))
	return p
}

// made makes a stream with a bucket of the same name behind it.
func (p place) made(t *testing.T, name string) {
	t.Helper()
	if _, err := p.s3.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	_, err := p.client.CreateDeliveryStream(t.Context(), &awsfirehose.CreateDeliveryStreamInput{
		DeliveryStreamName: &name, DeliveryStreamType: types.DeliveryStreamTypeDirectPut,
		ExtendedS3DestinationConfiguration: &types.ExtendedS3DestinationConfiguration{
			BucketARN: aws.String("arn:aws:s3:::" + name), RoleARN: aws.String("arn:aws:iam::123456789012:role/firehose"),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// lines is what arrived behind a stream.
func (p place) lines(ctx context.Context, name string) ([]string, error) {
	var all []string
	pages := awss3.NewListObjectsV2Paginator(p.s3, &awss3.ListObjectsV2Input{Bucket: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, o := range page.Contents {
			out, err := p.s3.GetObject(ctx, &awss3.GetObjectInput{Bucket: &name, Key: o.Key})
			if err != nil {
				return nil, err
			}
			body, err := io.ReadAll(out.Body)
			if err := errors.Join(err, out.Body.Close()); err != nil {
				return nil, err
			}
			for line := range strings.Lines(string(body)) {
				all = append(all, strings.TrimSuffix(line, "\n"))
			}
		}
	}
	return all, nil
}

func TestSuite(t *testing.T) {
	t.Parallel()
	p := moto(t)
	n := 0
	names := make(chan string, 32)
	for ; n < cap(names); n++ {
		names <- fmt.Sprintf("suite-%d", n)
	}
	sinktest.RunRecords(t, func(t *testing.T) sinktest.RecordHarness {
		name := <-names
		p.made(t, name)
		return sinktest.RecordHarness{
			Sink: p.sink, Stream: name, Lines: func() ([]string, error) { return p.lines(t.Context(), name) },
		}
	})
}

func records(n, size int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		number := fmt.Sprint(i)
		all[i] = []byte(strings.Repeat("0", size-1-len(number)) + number + "\n")
	}
	return all
}

// batch is a call as Firehose gets it.
type batch struct{ Records []struct{ Data []byte } }

func batches(t *testing.T, calls []awstest.Call) []batch {
	t.Helper()
	var all []batch
	for _, c := range calls {
		if c.Header.Get("X-Amz-Target") != "Firehose_20150804.PutRecordBatch" {
			continue
		}
		var b batch
		if err := json.Unmarshal(c.Body, &b); err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

// taking is a Firehose that takes what a function says: it returns the indexes
// of the call's records that fail.
func taking(t *testing.T, fail func(call int, b batch) []int) place {
	t.Helper()
	p := open(t, http.NotFoundHandler())
	calls := 0
	p.Fault(func(c awstest.Call, w http.ResponseWriter, _ http.Handler) {
		var b batch
		if err := json.Unmarshal(c.Body, &b); err != nil {
			t.Error(err)
		}
		failed := fail(calls, b)
		calls++
		answers := make([]map[string]string, len(b.Records))
		for i := range answers {
			answers[i] = map[string]string{"RecordId": fmt.Sprint(i)}
			if slices.Contains(failed, i) {
				answers[i] = map[string]string{"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."}
			}
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if err := json.NewEncoder(w).Encode(map[string]any{"FailedPutCount": len(failed), "RequestResponses": answers}); err != nil {
			t.Error(err)
		}
	})
	return p
}

// TestLimits: no call has more than 500 records or 4 MiB, and none is made for
// nothing.
func TestLimits(t *testing.T) {
	t.Parallel()
	tests := []struct {
		n, size int
		want    []int // records of each call
	}{
		{0, 0, nil},
		{500, 10, []int{500}},
		{501, 10, []int{500, 1}},
		{1200, 10, []int{500, 500, 200}},
		{4, 1000 << 10, []int{3, 1}},
		{9, 1000 << 10, []int{3, 3, 3}},
	}
	for _, tt := range tests {
		p := taking(t, func(int, batch) []int { return nil })
		want := records(tt.n, tt.size)
		if failed, err := p.sink.Send(t.Context(), stream(), want); err != nil || len(failed) > 0 {
			t.Fatalf("%d records of %d: %v, %v", tt.n, tt.size, failed, err)
		}
		var sizes []int
		var got [][]byte
		for _, c := range p.Calls() {
			if len(c.Body) > 4<<20+64<<10 {
				t.Errorf("a call of %d bytes", len(c.Body))
			}
			b := batches(t, []awstest.Call{c})[0]
			sizes = append(sizes, len(b.Records))
			for _, r := range b.Records {
				got = append(got, r.Data)
			}
		}
		if !slices.Equal(sizes, tt.want) || !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%d records of %d: calls of %v, want %v, in order", tt.n, tt.size, sizes, tt.want)
		}
	}
}

func TestHalfTaken(t *testing.T) {
	t.Parallel()
	p := taking(t, func(call int, _ batch) []int { return [][]int{{1, 499}, nil, {0}}[call] })
	failed, err := p.sink.Send(t.Context(), stream(), records(1100, 10))
	if diff := cmp.Diff([]int{1, 499, 1000}, failed); diff != "" || err != nil {
		t.Errorf("failed (-want +got):\n%s%v", diff, err)
	}
	if n := len(p.Calls()); n != 3 {
		t.Errorf("%d calls: what fails is not sent again by the sink", n)
	}
}

// TestFailsInBetween: what the calls before took is taken, all else is not.
func TestFailsInBetween(t *testing.T) {
	t.Parallel()
	p := taking(t, func(call int, _ batch) []int {
		if call == 1 {
			panic(http.ErrAbortHandler)
		}
		return []int{7}
	})
	failed, err := p.sink.Send(t.Context(), stream(), records(1100, 10))
	if len(failed) != 601 || failed[0] != 7 || failed[1] != 500 || failed[600] != 1099 {
		t.Errorf("failed: %d", len(failed))
	}
	if sink.KindOf(err) != sink.Unavailable || !strings.Contains(sink.ReasonOf(err), "cannot be reached") {
		t.Errorf("%v", err)
	}
	if n := len(p.Calls()); n != 2 {
		t.Errorf("%d calls", n)
	}
}

// answer refuses every call with an error of Firehose's.
func answer(status int, code string) func(awstest.Call, http.ResponseWriter, http.Handler) {
	return func(_ awstest.Call, w http.ResponseWriter, _ http.Handler) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		if code != "" {
			_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": "simulated"})
		}
	}
}

func TestAnswersOfFirehose(t *testing.T) {
	t.Parallel()
	p := open(t, http.NotFoundHandler())
	tests := []struct {
		status int
		code   string
		kind   sink.Kind
		want   string
	}{
		{400, "ResourceNotFoundException", sink.Refused, "does not exist in the Region us-east-1"},
		{400, "AccessDeniedException", sink.Refused, "firehose:PutRecordBatch"},
		{403, "", sink.Refused, "firehose:PutRecordBatch"},
		{400, "InvalidArgumentException", sink.Refused, "Direct PUT"},
		{400, "InvalidSourceException", sink.Refused, "CloudWatch Logs"},
		{400, "InvalidKMSResourceException", sink.Refused, "KMS key"},
		{400, "UnrecognizedClientException", sink.Refused, "credentials"},
		{400, "ExpiredTokenException", sink.Unavailable, "credentials"},
		{500, "ServiceUnavailableException", sink.Unavailable, "fewer requests"},
		{400, "ThrottlingException", sink.Unavailable, "fewer requests"},
		{500, "InternalFailure", sink.Unavailable, "is not available"},
		{400, "SomethingNew", sink.Unavailable, "SomethingNew"},
	}
	for _, tt := range tests {
		p.Fault(answer(tt.status, tt.code))
		p.Calls()
		failed, err := p.sink.Send(t.Context(), stream(), records(3, 10))
		e, ok := errors.AsType[*sink.Error](err)
		if !ok || e.Kind != tt.kind || !strings.Contains(e.Reason, tt.want) || strings.Contains(e.Reason, "simulated") || strings.Contains(e.Reason, "{") || len(failed) > 0 {
			t.Errorf("%d %s: %v, %v; want %s, %q", tt.status, tt.code, failed, err, tt.kind, tt.want)
		}
		if n := len(p.Calls()); n != 1 {
			t.Errorf("%d %s: %d calls: only duties try again", tt.status, tt.code, n)
		}
	}
	p.Fault(func(_ awstest.Call, w http.ResponseWriter, _ http.Handler) {
		_, _ = io.WriteString(w, `{"FailedPutCount":1,"RequestResponses":[]}`)
	})
	if failed, err := p.sink.Send(t.Context(), stream(), records(3, 10)); sink.KindOf(err) != sink.Unavailable || err == nil || len(failed) > 0 {
		t.Errorf("an answer about other records: %v, %v", failed, err)
	}
}

// TestTag: the stream carries the tag that AppFabric gives its streams; without
// the permission it is used all the same, and the log says so.
func TestTag(t *testing.T) {
	t.Parallel()
	p := moto(t)
	if err := p.sink.PrepareStream(t.Context(), stream()); err != nil {
		t.Fatal(err)
	}
	out, err := p.client.ListTagsForDeliveryStream(t.Context(), &awsfirehose.ListTagsForDeliveryStreamInput{DeliveryStreamName: aws.String(stream().Name)})
	if err != nil || len(out.Tags) != 1 || *out.Tags[0].Key != "AWSAppFabricManaged" || *out.Tags[0].Value != "true" {
		t.Errorf("tags %+v, %v", out, err)
	}
	err = p.sink.PrepareStream(t.Context(), sink.Stream{Region: awstest.Region, Name: "missing"})
	if sink.KindOf(err) != sink.Refused || !strings.Contains(sink.ReasonOf(err), "the Firehose stream missing does not exist") {
		t.Errorf("a stream that is not there: %v", err)
	}
	for _, code := range []string{"AccessDeniedException", "LimitExceededException", "InternalFailure", "InvalidArgumentException"} {
		p.Fault(answer(http.StatusBadRequest, code))
		if err := p.sink.PrepareStream(t.Context(), stream()); err != nil || !strings.Contains(p.log.String(), code) {
			t.Errorf("%s: %v, log:\n%s", code, err, p.log)
		}
	}
	p.Fault(awstest.Cut)
	if err := p.sink.PrepareStream(t.Context(), stream()); err != nil {
		t.Errorf("without Firehose: %v", err)
	}
}

// TestCutAfter: what Firehose took without being heard is sent again, and is
// there twice; nothing is missing.
func TestCutAfter(t *testing.T) {
	t.Parallel()
	p := moto(t)
	p.Fault(awstest.CutAfter)
	if _, err := p.sink.Send(t.Context(), stream(), records(2, 4)); sink.KindOf(err) != sink.Unavailable || err == nil {
		t.Errorf("%v", err)
	}
	p.Fault(nil)
	if failed, err := p.sink.Send(t.Context(), stream(), records(2, 4)); err != nil || len(failed) > 0 {
		t.Errorf("%v, %v", failed, err)
	}
	got, err := p.lines(t.Context(), stream().Name)
	slices.Sort(got)
	if err != nil || !slices.Equal(got, []string{"000", "000", "001", "001"}) {
		t.Errorf("%q, %v", got, err)
	}
}
