package s3_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"selvedge/internal/awstest"
	"selvedge/sink"
	"selvedge/sink/s3"
	"selvedge/sink/sinktest"
)

const (
	bucket = "acme-audit-logs"
	folder = "p/AWSAppFabric/AuditLog/OCSF/JSON/OKTA/i/d"
	key    = folder + "/20261122/AuditLog-1763836800000-u"
)

// place is a bucket on a server of S3's protocol behind a front.
type place struct {
	*awstest.Front
	client *awss3.Client
	bucket string
}

// fake is gofakes3, which runs within the test.
func fake(t *testing.T) place {
	t.Helper()
	return open(t, gofakes3.New(s3mem.New(), gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
}

func moto(t *testing.T) place {
	t.Helper()
	return open(t, awstest.Proxy(awstest.Moto(t)))
}

// versity is a server over a folder, of make soak.
func versity(t *testing.T) place {
	t.Helper()
	return open(t, awstest.Proxy(awstest.Versity(t)))
}

func open(t *testing.T, h http.Handler) place {
	t.Helper()
	p := place{Front: awstest.NewFront(t, h), bucket: bucket}
	p.client = awss3.NewFromConfig(p.Config(), func(o *awss3.Options) { o.UsePathStyle = true })
	return p.made(t, bucket)
}

// made is another bucket of the same server.
func (p place) made(t *testing.T, bucket string) place {
	t.Helper()
	if _, err := p.client.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	p.Calls()
	p.bucket = bucket
	return p
}

func (p place) read(ctx context.Context) func(key string) ([]byte, error) {
	return func(key string) ([]byte, error) {
		out, err := p.client.GetObject(ctx, &awss3.GetObjectInput{Bucket: &p.bucket, Key: &key})
		if err != nil {
			return nil, errors.Join(err, fs.ErrNotExist)
		}
		defer out.Body.Close()
		return io.ReadAll(out.Body)
	}
}

func (p place) list(ctx context.Context) func() ([]string, error) {
	return func() ([]string, error) {
		out, err := p.client.ListObjectsV2(ctx, &awss3.ListObjectsV2Input{Bucket: &p.bucket})
		if err != nil {
			return nil, err
		}
		var keys []string
		for _, o := range out.Contents {
			keys = append(keys, *o.Key)
		}
		return keys, nil
	}
}

func (p place) uploads(ctx context.Context) func() ([]string, error) {
	return func() ([]string, error) {
		out, err := p.client.ListMultipartUploads(ctx, &awss3.ListMultipartUploadsInput{Bucket: &p.bucket})
		if e, ok := errors.AsType[smithy.APIError](err); ok && e.ErrorCode() == "NoSuchUpload" {
			return nil, nil // gofakes3 says so of a bucket that never had one
		}
		if err != nil {
			return nil, err
		}
		var keys []string
		for _, u := range out.Uploads {
			keys = append(keys, *u.Key)
		}
		return keys, nil
	}
}

// deadly kills the process, as far as the sink can tell, at its n-th request:
// before it leaves, or when its answer has come.
type deadly struct {
	left  int
	after bool
}

func (d *deadly) Do(r *http.Request) (*http.Response, error) {
	d.left--
	if d.left == 0 && !d.after {
		panic("killed")
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if d.left == 0 {
		panic("killed")
	}
	return res, err
}

func (p place) dying(request int, after bool) *s3.Sink {
	c := p.Config()
	c.HTTPClient = &deadly{left: request, after: after}
	return s3.New(c).WithPart(part)
}

func TestSuite(t *testing.T) {
	t.Parallel()
	t.Run("gofakes3", func(t *testing.T) {
		t.Parallel()
		sinktest.Run(t, func(t *testing.T) sinktest.Harness { return fake(t).harness(t) })
	})
	for name, server := range map[string]func(*testing.T) place{"moto": moto, "versitygw": versity} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := server(t)
			sinktest.Run(t, func(t *testing.T) sinktest.Harness {
				return p.made(t, "suite-"+strings.ToLower(rand.Text())).harness(t)
			})
		})
	}
}

func (p place) harness(t *testing.T) sinktest.Harness {
	return sinktest.Harness{
		Sink: s3.New(p.Config()), Bucket: p.bucket, Read: p.read(t.Context()), List: p.list(t.Context()),
		Kills: func() map[string]sink.ObjectSink {
			return map[string]sink.ObjectSink{"before the request": p.dying(1, false), "before the answer": p.dying(1, true)}
		},
	}
}

// part is how large parts are, but on moto, which wants what S3 wants.
const part = 1 << 20

// large is an object of three parts.
func large() sink.Object { return largeBy(part) }

func largeBy(part int) sink.Object {
	return sink.Object{Region: awstest.Region, Bucket: bucket, Key: key, Body: []byte(strings.Repeat("0123456789abcde\n", part/16*5/2))}
}

func small() sink.Object {
	return sink.Object{Region: awstest.Region, Bucket: bucket, Key: key, Body: []byte("{\"a\":1}\n"), ContentType: "application/x-ndjson"}
}

func (p place) want(t *testing.T, o sink.Object) {
	t.Helper()
	keys, err := p.list(t.Context())()
	if err != nil || !slices.Equal(keys, []string{o.Key}) {
		t.Errorf("objects %q, %v", keys, err)
	}
	if got, err := p.read(t.Context())(o.Key); err != nil || string(got) != string(o.Body) {
		t.Errorf("the object has %d bytes, %v; want %d", len(got), err, len(o.Body))
	}
	if names, err := p.uploads(t.Context())(); err != nil || len(names) > 0 {
		t.Errorf("left unfinished: %q, %v", names, err)
	}
}

// calls are the calls that came, without what is not ours to say.
func (p place) calls() []string {
	var all []string
	for _, c := range p.Calls() {
		what := c.Method
		for _, q := range []string{"uploads", "partNumber", "uploadId"} {
			if c.URL.Query().Has(q) {
				what += " " + q
				break
			}
		}
		if c.Header.Get("If-None-Match") == "*" {
			what += " conditional"
		}
		all = append(all, what)
	}
	return all
}

func TestCalls(t *testing.T) {
	t.Parallel()
	p := fake(t)
	s := s3.New(p.Config()).WithPart(part)
	put := func(o sink.Object, want ...string) {
		t.Helper()
		p.Calls()
		if err := s.Put(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, p.calls()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	}
	put(small(), "PUT conditional")
	put(small(), "PUT conditional")
	o := large()
	o.Key += "-large"
	put(o, "POST uploads", "PUT partNumber", "PUT partNumber", "PUT partNumber", "POST uploadId conditional", "GET uploads")
}

// TestKilledBetweenParts kills a multipart upload at each of its requests: what
// a reader sees is whole or not there, and the next attempt leaves one object.
func TestKilledBetweenParts(t *testing.T) {
	t.Parallel()
	p := fake(t)
	left := 0
	for request := 1; request <= 6; request++ {
		for _, after := range []bool{false, true} {
			o := large()
			o.Key += fmt.Sprintf("-%d-%v", request, after)
			if !dies(t.Context(), p.dying(request, after), o) {
				t.Fatalf("there is no request %d", request)
			}
			if got, err := p.read(t.Context())(o.Key); !errors.Is(err, fs.ErrNotExist) && len(got) != len(o.Body) {
				t.Errorf("killed at request %d: a reader sees %d bytes, %v", request, len(got), err)
			}
			names, err := p.uploads(t.Context())()
			if err != nil {
				t.Fatal(err)
			}
			left += len(names)
			if err := s3.New(p.Config()).WithPart(part).Put(t.Context(), o); err != nil {
				t.Errorf("killed at request %d: put again: %v", request, err)
			}
			p.want(t, o)
			if _, err := p.client.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: aws.String(bucket), Key: &o.Key}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if left == 0 {
		t.Error("no kill left an upload: the points do not lie within the writing")
	}
}

func dies(ctx context.Context, s *s3.Sink, o sink.Object) (died bool) {
	defer func() { died = recover() != nil }()
	_ = s.Put(ctx, o)
	return false
}

// TestConditional: what is there is not written again, and an object that was
// begun twice is there once. moto looks at the condition of both requests.
func TestConditional(t *testing.T) {
	t.Parallel()
	p := moto(t)
	for _, o := range []sink.Object{small(), largeBy(8 << 20)} {
		s := s3.New(p.Config())
		for range 2 {
			if err := s.Put(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
		p.want(t, o)
		other := o
		other.Body = slices.Clone(o.Body)
		other.Body[0] = '!'
		if err := s.Put(t.Context(), other); err != nil {
			t.Errorf("what is there: %v", err)
		}
		p.want(t, o)
		if _, err := p.client.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: aws.String(bucket), Key: &o.Key}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSweep aborts old uploads below the destination's own folder, and no
// others.
func TestSweep(t *testing.T) {
	t.Parallel()
	p := fake(t)
	begin := func(key string) {
		t.Helper()
		if _, err := p.client.CreateMultipartUpload(t.Context(), &awss3.CreateMultipartUploadInput{Bucket: aws.String(bucket), Key: &key}); err != nil {
			t.Fatal(err)
		}
	}
	const elsewhere = "p/AWSAppFabric/AuditLog/OCSF/JSON/OKTA/i/d2/20261122/AuditLog-1"
	begin(folder + "/20261121/AuditLog-2")
	begin(elsewhere)
	s := s3.New(p.Config()).WithPart(part)
	sweep := func(before time.Time, want int, left ...string) {
		t.Helper()
		if n, err := s.Sweep(t.Context(), before); err != nil || n != want {
			t.Errorf("Sweep = %d, %v; want %d", n, err, want)
		}
		names, err := p.uploads(t.Context())()
		slices.Sort(names)
		if err != nil || !slices.Equal(names, left) {
			t.Errorf("left: %q, %v; want %q", names, err, left)
		}
	}
	later := time.Now().Add(time.Hour)
	sweep(later, 0, folder+"/20261121/AuditLog-2", elsewhere) // nothing was put yet
	if err := s.Put(t.Context(), large()); err != nil {
		t.Fatal(err)
	}
	sweep(time.Now().Add(-time.Hour), 0, folder+"/20261121/AuditLog-2", elsewhere)
	p.Fault(answer(http.StatusServiceUnavailable, "SlowDown"))
	if _, err := s.Sweep(t.Context(), later); err == nil {
		t.Error("Sweep = nil while S3 does not answer")
	}
	p.Fault(nil)
	sweep(later, 1, elsewhere)
	p.Calls()
	sweep(later, 0, elsewhere)
	if err := s.Put(t.Context(), small()); err != nil {
		t.Fatal(err)
	}
	p.Fault(answer(http.StatusForbidden, "AccessDenied"))
	if n, err := s.Sweep(t.Context(), later); n != 0 || err != nil {
		t.Errorf("Sweep = %d, %v where the server may not look", n, err)
	}
}

// answer refuses every call with an error of S3's.
func answer(status int, code string) func(awstest.Call, http.ResponseWriter, http.Handler) {
	return func(_ awstest.Call, w http.ResponseWriter, _ http.Handler) {
		w.Header().Set("Content-Type", "application/xml")
		w.Header().Set("X-Amz-Request-Id", "1")
		w.WriteHeader(status)
		if code != "" {
			_, _ = fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>simulated</Message></Error>", code)
		}
	}
}

func TestAnswersOfS3(t *testing.T) {
	t.Parallel()
	p := fake(t)
	s := s3.New(p.Config()).WithPart(part)
	tests := []struct {
		status int
		code   string
		kind   sink.Kind
		want   string
	}{
		{404, "NoSuchBucket", sink.Refused, "does not exist: make it in the Region us-east-1"},
		{403, "AccessDenied", sink.Refused, "allow it s3:PutObject"},
		{403, "", sink.Refused, "allow it s3:PutObject"},
		{301, "PermanentRedirect", sink.Refused, "choose a bucket of that Region"},
		{400, "AuthorizationHeaderMalformed", sink.Refused, "choose a bucket of that Region"},
		{400, "KMS.DisabledException", sink.Refused, "KMS key"},
		{403, "KMS.KMSInvalidStateException", sink.Refused, "KMS key"},
		{403, "AllAccessDisabled", sink.Refused, "AWS Support"},
		{403, "InvalidAccessKeyId", sink.Refused, "credentials"},
		{403, "SignatureDoesNotMatch", sink.Refused, "credentials"},
		{403, "RequestTimeTooSkewed", sink.Refused, "clock"},
		{400, "ExpiredToken", sink.Unavailable, "credentials"},
		{501, "NotImplemented", sink.Refused, "conditional writes"},
		{507, "", sink.Refused, "is full"},
		{503, "SlowDown", sink.Unavailable, "fewer requests"},
		{503, "", sink.Unavailable, "fewer requests"},
		{429, "TooManyRequests", sink.Unavailable, "fewer requests"},
		{409, "ConditionalRequestConflict", sink.Unavailable, "ConditionalRequestConflict"},
		{409, "OperationAborted", sink.Unavailable, "OperationAborted"},
		{500, "InternalError", sink.Unavailable, "is not available"},
		{400, "SomethingNew", sink.Unavailable, "SomethingNew"},
	}
	for _, tt := range tests {
		p.Fault(answer(tt.status, tt.code))
		for _, o := range []sink.Object{small(), large()} {
			p.Calls()
			err := s.Put(t.Context(), o)
			e, ok := errors.AsType[*sink.Error](err)
			if !ok || e.Kind != tt.kind || !strings.Contains(e.Reason, tt.want) || strings.Contains(e.Reason, "simulated") || strings.Contains(e.Reason, "{") {
				t.Errorf("%d %s: %v; want %s, %q", tt.status, tt.code, err, tt.kind, tt.want)
			}
			if n := len(p.Calls()); n != 1 {
				t.Errorf("%d %s: %d calls: only duties try again", tt.status, tt.code, n)
			}
		}
	}
	p.Fault(func(c awstest.Call, w http.ResponseWriter, next http.Handler) {
		w.Header().Set("X-Amz-Bucket-Region", "eu-west-1")
		answer(http.StatusMovedPermanently, "PermanentRedirect")(c, w, next)
	})
	if err := s.Put(t.Context(), small()); !strings.Contains(sink.ReasonOf(err), "is in the Region eu-west-1, and the ingestion in us-east-1") {
		t.Errorf("another Region: %v", err)
	}
	p.Fault(nil)
	if err := s.Put(t.Context(), small()); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

// TestCut breaks connections off: the object is there once, whether S3 had done
// its work or not.
func TestCut(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(awstest.Call, http.ResponseWriter, http.Handler){"before": awstest.Cut, "after": awstest.CutAfter} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := fake(t)
			s := s3.New(p.Config()).WithPart(part)
			for n := 1; n <= 6; n++ {
				o := large()
				if n == 6 {
					o = small()
				}
				o.Key += fmt.Sprint(n)
				calls := 0
				p.Fault(func(c awstest.Call, w http.ResponseWriter, next http.Handler) {
					if calls++; calls == n%6 || n == 6 {
						fault(c, w, next)
					}
					next.ServeHTTP(w, c.Request)
				})
				err := s.Put(t.Context(), o)
				if e, ok := errors.AsType[*sink.Error](err); !ok || e.Kind != sink.Unavailable || !strings.Contains(e.Reason, "cannot be reached") {
					t.Errorf("cut at call %d: %v", n, err)
				}
				p.Fault(nil)
				if err := s.Put(t.Context(), o); err != nil {
					t.Errorf("put again: %v", err)
				}
				p.want(t, o)
				if _, err := p.client.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: aws.String(bucket), Key: &o.Key}); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestSlow ends the attempt while S3 takes its time: the error is the
// context's, and what was begun is aborted.
func TestSlow(t *testing.T) {
	t.Parallel()
	p := fake(t)
	ctx, cancel := context.WithCancel(t.Context())
	p.Fault(func(c awstest.Call, w http.ResponseWriter, next http.Handler) {
		if c.URL.Query().Get("partNumber") == "2" {
			cancel()
			<-c.Context().Done()
			return
		}
		next.ServeHTTP(w, c.Request)
	})
	if err := s3.New(p.Config()).WithPart(part).Put(ctx, large()); !errors.Is(err, context.Canceled) {
		t.Errorf("Put = %v, want the context's error", err)
	}
	if names, err := p.uploads(t.Context())(); err != nil || len(names) > 0 {
		t.Errorf("left: %q, %v", names, err)
	}
}

func TestNoCredentials(t *testing.T) {
	t.Parallel()
	p := fake(t)
	c := p.Config()
	c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("none in the chain")
	})
	err := s3.New(c).WithPart(part).Put(t.Context(), small())
	if sink.KindOf(err) != sink.Unavailable || !strings.Contains(sink.ReasonOf(err), "no AWS credentials") || len(p.Calls()) != 0 {
		t.Errorf("%v", err)
	}
}

// TestRegionsAndEndpoints: a client for each Region; AWS's own endpoints are
// addressed by host and with checksums, others by path and without.
func TestRegionsAndEndpoints(t *testing.T) {
	t.Parallel()
	tests := []struct{ endpoint, region, host, path string }{
		{"", "eu-west-1", bucket + ".s3.eu-west-1.amazonaws.com", "/" + key},
		{"", "us-east-1", bucket + ".s3.us-east-1.amazonaws.com", "/" + key},
		{"https://bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com", "us-east-1", bucket + ".bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com", "/" + key},
		{"http://minio.example:9000", "us-east-1", "minio.example:9000", "/" + bucket + "/" + key},
		{"https://amazonaws.com.example", "us-east-1", "amazonaws.com.example", "/" + bucket + "/" + key},
	}
	var seen *http.Request
	c := (&awstest.Front{}).Config()
	c.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenSupported // as the chain has it
	c.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
		seen = r
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
	})
	for _, tt := range tests {
		c.BaseEndpoint = nil
		if tt.endpoint != "" {
			c.BaseEndpoint = &tt.endpoint
		}
		o := small()
		o.Region = tt.region
		if err := s3.New(c).WithPart(part).Put(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		onAWS := strings.HasPrefix(tt.host, bucket)
		sums := seen.Header.Get("X-Amz-Checksum-Crc32") != "" || strings.Contains(seen.Header.Get("X-Amz-Trailer"), "crc32")
		if seen.URL.Host != tt.host || seen.URL.Path != tt.path || sums != onAWS || !strings.Contains(seen.Header.Get("Authorization"), "/"+tt.region+"/s3/") {
			t.Errorf("%q in %s: %s, checksum %v, %s", tt.endpoint, tt.region, seen.URL, sums, seen.Header.Get("Authorization"))
		}
	}
}

type doer func(r *http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }
