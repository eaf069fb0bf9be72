package s3

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/smithy-go"

	"selvedge/sink"
	"selvedge/sink/awscall"
)

// service says what S3's refusals mean. The codes are those of
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (checked
// 2026-11-22), and those by which other servers of the protocol say that they
// are full (MinIO's; unverified).
func service() awscall.Service {
	const (
		access = "the server's AWS identity may not write into {name}: allow it s3:PutObject (for objects above 8 MiB also s3:AbortMultipartUpload) " +
			"on arn:aws:s3:::<bucket>/*, in IAM and in the bucket's policy, and the use of the key that the bucket is encrypted with"
		region = "{name} is not in the Region {region}, as the ingestion is: choose a bucket of that Region"
		full   = "{name} is full: free some space, deliveries go on by themselves then"
		key    = "the KMS key that {name} is encrypted with cannot be used: enable it, and allow the server's AWS identity kms:GenerateDataKey and kms:Decrypt"
		unable = "the S3 server of {name} does not know conditional writes (If-None-Match), without which objects could come twice: use one that does"
	)
	return awscall.Service{
		Name: "S3",
		Refusals: map[string]string{
			"NoSuchBucket":                           "{name} does not exist: make it in the Region {region}, or update the destination",
			"InvalidBucketName":                      "{name} has a name that S3 does not allow: update the destination",
			"AccessDenied":                           access,
			"AccessDeniedException":                  access,
			"AllAccessDisabled":                      "S3 has disabled all access to {name}: ask AWS Support",
			"AccountProblem":                         "there is a problem with the AWS account of {name}: ask AWS Support",
			"InvalidPayer":                           "S3 has disabled all access to {name}: ask AWS Support",
			"InvalidObjectState":                     "{name} does not take objects in its present state: see to it in the S3 console",
			"InvalidBucketState":                     "{name} does not take objects in its present state: see to it in the S3 console",
			"PermanentRedirect":                      region,
			"AuthorizationHeaderMalformed":           region,
			"IllegalLocationConstraintException":     region,
			"KeyTooLongError":                        "the key of an object would be too long for {name}: choose a shorter prefix",
			"EntityTooLarge":                         "an object is too large for {name}: use another server of S3",
			"QuotaExceeded":                          full,
			"StorageFull":                            full,
			"XMinioStorageFull":                      full,
			"XMinioAdminBucketQuotaExceeded":         full,
			"KMS.*":                                  key,
			"NotImplemented":                         unable,
			"ServerSideEncryptionConfigurationError": key,
		},
		Statuses: map[int]string{
			http.StatusMovedPermanently:    "PermanentRedirect",
			http.StatusForbidden:           "AccessDenied",
			http.StatusNotImplemented:      "NotImplemented",
			http.StatusInsufficientStorage: "StorageFull",
			http.StatusTooManyRequests:     "SlowDown",
			http.StatusServiceUnavailable:  "ServiceUnavailable",
		},
	}
}

// classify makes the *sink.Error of what S3 said, or the end of ctx.
func classify(ctx context.Context, b place, err error) error {
	to := awscall.Place{Name: "the bucket " + b.bucket, Region: b.region}
	err = service().Classify(ctx, to, err)
	e, ok := errors.AsType[*sink.Error](err)
	if !ok {
		return err
	}
	if actual := awscall.Header(e.Err, "X-Amz-Bucket-Region"); actual != "" && actual != b.region && e.Kind == sink.Refused {
		e.Reason = "the bucket " + b.bucket + " is in the Region " + actual + ", and the ingestion in " + b.region + ": choose a bucket of that Region"
	}
	return e
}

// isThere says whether S3 refused a conditional write because the object is
// there already:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
// (checked 2026-11-22). It is the same batch's, with the same bytes. A conflict,
// 409, is another write that is under way: that is a reason to try again.
func isThere(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && api.ErrorCode() == "PreconditionFailed" || awscall.Status(err) == http.StatusPreconditionFailed
}
