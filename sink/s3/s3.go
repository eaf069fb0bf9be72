// Package s3 is the sink whose buckets are Amazon S3's, or those of a server of
// the same protocol.
//
// Every write is conditional on nothing being there (If-None-Match: *): the key
// is the batch's own, so what is there is the batch, and being refused for it is
// success. An object of up to 8 MiB is one PutObject; a larger one is a
// multipart upload, which nobody sees before it is completed. What a crash
// leaves at each point:
//
//   - before the answer to PutObject or CompleteMultipartUpload: nothing, or the
//     whole object. The same key put again finds it, or writes it.
//   - between the parts: an upload that is not completed. It is aborted after
//     the same key was put again, or by Sweep. That of a destination that was
//     deleted meanwhile stays: a lifecycle rule of the bucket's can end such
//     (https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpu-abort-incomplete-mpu-lifecycle-config.html,
//     checked 2026-11-22).
//
// Nothing is written to try a bucket out, and how objects are encrypted is the
// bucket's to say. The server's AWS identity needs s3:PutObject alone; with
// s3:AbortMultipartUpload and s3:ListBucketMultipartUploads it also cleans up
// behind itself.
//
// No call says whose bucket it expects (ExpectedBucketOwner): a destination names
// a bucket and no account, and the accounts of the API are this server's own
// names, not AWS's. AppFabric keeps to its customer's buckets by a condition on
// the role that it writes with; the same condition, s3:ResourceAccount equal to
// the account, belongs into the policy of the server's AWS identity
// (https://aws.amazon.com/blogs/storage/limit-access-to-amazon-s3-buckets-owned-by-specific-aws-accounts/,
// checked 2026-11-23).
//
// Credentials and endpoints are those of the aws.Config that the package is
// given: AWS's own chain, AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL. An endpoint
// that is not AWS's is addressed by path, and gets no checksums beyond those
// that the protocol always had
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-dataintegrity.html,
// checked 2026-11-22: other servers may not know them).
package s3

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"selvedge/sink"
	"selvedge/sink/awscall"
)

// partSize is how much is sent in one request. S3 wants 5 MiB at least, of all
// parts but the last, and 10,000 parts at most; sink.MaxBody has 32:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html (checked 2026-11-22)
const partSize = 8 << 20

// Sink puts objects into S3.
type Sink struct {
	credentials aws.CredentialsProvider
	clients     *awscall.Clients[*s3.Client]
	part        int // partSize, but for tests

	mu    sync.Mutex
	begun map[place]bool // where Sweep looks for uploads
}

// place is a folder of a bucket.
type place struct{ region, bucket, folder string }

// maxBegun bounds the places that Sweep looks at.
const maxBegun = 4096

// New returns the sink that the configuration's credentials and endpoints lead
// to. New does no I/O.
func New(c aws.Config) *Sink {
	return &Sink{
		credentials: c.Credentials, part: partSize,
		clients: awscall.NewClients(func(region string) *s3.Client { return client(c, region) }),
		begun:   map[place]bool{},
	}
}

func client(c aws.Config, region string) *s3.Client {
	return s3.NewFromConfig(c, func(o *s3.Options) {
		o.Region, o.Retryer = region, aws.NopRetryer{}
		if o.BaseEndpoint != nil && !isAWS(*o.BaseEndpoint) {
			o.UsePathStyle = true
			o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
			o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		}
	})
}

// isAWS says whether an endpoint is one of AWS's own, such as that of a VPC.
func isAWS(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	host := "." + strings.ToLower(u.Hostname())
	for _, domain := range []string{".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn"} {
		if strings.HasSuffix(host, domain) {
			return true
		}
	}
	return false
}

// Put writes the object.
func (s *Sink) Put(ctx context.Context, o sink.Object) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("s3: put: %w", err)
	}
	if err := check(o); err != nil {
		return &sink.Error{Kind: sink.Refused, Reason: err.Error()}
	}
	if err := service().Identified(ctx, s.credentials); err != nil {
		return err
	}
	put := s.whole
	if len(o.Body) > s.part {
		put = s.parts
	}
	if err := put(ctx, o); err != nil && !isThere(err) {
		return classify(ctx, place{region: o.Region, bucket: o.Bucket}, fmt.Errorf("s3: put %s/%s: %w", o.Bucket, o.Key, err))
	}
	return nil
}

func check(o sink.Object) error {
	if err := sink.CheckBucket(o.Bucket); err != nil {
		return err
	}
	if err := sink.CheckKey(o.Key); err != nil {
		return err
	}
	if len(o.Body) > sink.MaxBody {
		return fmt.Errorf("the object has %d bytes: %d are allowed", len(o.Body), sink.MaxBody)
	}
	return nil
}

// whole puts an object in one request.
func (s *Sink) whole(ctx context.Context, o sink.Object) error {
	ctx, cancel := context.WithTimeout(ctx, awscall.Timeout)
	defer cancel()
	_, err := s.clients.In(o.Region).PutObject(ctx, &s3.PutObjectInput{
		Bucket: &o.Bucket, Key: &o.Key, Body: bytes.NewReader(o.Body), ContentLength: aws.Int64(int64(len(o.Body))),
		ContentType: contentType(o), IfNoneMatch: aws.String("*"),
	})
	return err
}

func contentType(o sink.Object) *string {
	if o.ContentType == "" {
		return nil
	}
	return &o.ContentType
}
