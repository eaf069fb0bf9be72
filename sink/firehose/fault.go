package firehose

import (
	"context"
	"net/http"
	"time"

	"selvedge/sink"
	"selvedge/sink/awscall"
)

// tagTime is how long tagging may take: somebody waits for the answer to the
// creation of a destination.
const tagTime = 10 * time.Second

// codeMissing is what Firehose says of a stream that does not exist.
const codeMissing = "ResourceNotFoundException"

// service says what Firehose's refusals mean. The codes are those of
// https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
// and CommonErrors.html (checked 2026-11-22).
func service() awscall.Service {
	const access = "the server's AWS identity may not put records into {name}: allow it firehose:PutRecordBatch on it"
	return awscall.Service{
		Name: "Firehose",
		Refusals: map[string]string{
			codeMissing:                   "{name} does not exist in the Region {region}, in the account of the server's AWS identity: make it, with Direct PUT as its source, or update the destination",
			"AccessDeniedException":       access,
			"AccessDenied":                access,
			"NotAuthorized":               access,
			"InvalidArgumentException":    "{name} does not take records that are put: its source must be Direct PUT",
			"InvalidSourceException":      "{name} takes only what CloudWatch Logs sends: choose a stream without decompression of CloudWatch Logs",
			"InvalidKMSResourceException": "the KMS key that {name} is encrypted with cannot be used: enable it, and allow Firehose its use",
		},
		Statuses: map[int]string{
			http.StatusForbidden:          "AccessDenied",
			http.StatusTooManyRequests:    "ThrottlingException",
			http.StatusServiceUnavailable: "ServiceUnavailableException",
		},
	}
}

// classify makes the *sink.Error of what Firehose said, or the end of ctx.
func classify(ctx context.Context, to sink.Stream, err error) error {
	return service().Classify(ctx, awscall.Place{Name: "the Firehose stream " + to.Name, Region: to.Region}, err)
}
