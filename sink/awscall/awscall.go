// Package awscall is what the sinks over AWS services share: a client for each
// Region, the time that a call may take, and how a failed call is told to the
// destination's owner.
//
// Nothing here tries again. Of what a service says, its error code and nothing
// else is shown.
package awscall

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"selvedge/sink"
)

// Timeout is how long one call may take. No call sends more than some MiB.
const Timeout = 2 * time.Minute

// Clients makes a client for each Region, once.
type Clients[C any] struct {
	open func(region string) C

	mu       sync.Mutex
	byRegion map[string]C
}

// NewClients returns a cache of clients. The function makes one.
func NewClients[C any](open func(region string) C) *Clients[C] {
	return &Clients[C]{open: open, byRegion: map[string]C{}}
}

// In returns the client of a Region.
func (c *Clients[C]) In(region string) C {
	c.mu.Lock()
	defer c.mu.Unlock()
	made, ok := c.byRegion[region]
	if !ok {
		made = c.open(region)
		c.byRegion[region] = made
	}
	return made
}

// Service is a service of AWS, or one that speaks its protocol.
type Service struct {
	Name string
	// Refusals has, for an error code, what somebody has to do about it. A
	// code that ends in '*' stands for all that begin so.
	Refusals map[string]string
	// Statuses has the code that stands for a status of HTTP without one that
	// is known.
	Statuses map[int]string
}

// Place is where a call was to have its effect.
type Place struct {
	Name   string // as reasons have it in place of {name}
	Region string // likewise, {region}
}

// Identified says whether the server has credentials at all. The error is a
// *sink.Error.
func (s Service) Identified(ctx context.Context, c aws.CredentialsProvider) error {
	if c == nil {
		return nil
	}
	if _, err := c.Retrieve(ctx); err != nil {
		return s.ended(ctx, &sink.Error{
			Kind:   sink.Unavailable,
			Reason: "the server has no AWS credentials for " + s.Name + ": give it some as the AWS SDKs take them",
			Err:    err,
		})
	}
	return nil
}

// ended is err, or the end of ctx where that is what err is about.
func (s Service) ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", strings.ToLower(s.Name), ctx.Err())
	}
	return err
}

// Code is the error code of a failed call; empty where nothing was answered.
func (s Service) Code(err error) string {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return ""
	}
	code := api.ErrorCode()
	if _, known := s.refusal(code); known || throttles(code) || isIdentity(code) {
		return code
	}
	if standing, ok := s.Statuses[Status(err)]; ok {
		return standing
	}
	return code
}

// Status is the status of HTTP of a failed call; 0 where nothing was answered.
func Status(err error) int {
	if answer, ok := errors.AsType[*awshttp.ResponseError](err); ok && answer.Response != nil {
		return answer.HTTPStatusCode()
	}
	return 0
}

// Header is a header of the answer of a failed call.
func Header(err error, name string) string {
	answer, ok := errors.AsType[*awshttp.ResponseError](err)
	if !ok || answer.Response == nil {
		return ""
	}
	return answer.Response.Header.Get(name)
}

// refusal looks a code up.
func (s Service) refusal(code string) (string, bool) {
	if reason, ok := s.Refusals[code]; ok {
		return reason, true
	}
	for pattern, reason := range s.Refusals {
		if prefix, ok := strings.CutSuffix(pattern, "*"); ok && strings.HasPrefix(code, prefix) {
			return reason, true
		}
	}
	return "", false
}

// Classify makes the *sink.Error of a failed call, or the end of ctx, which is
// that of the whole attempt.
func (s Service) Classify(ctx context.Context, to Place, err error) error {
	if ctx.Err() != nil {
		return s.ended(ctx, err)
	}
	if sure, ok := errors.AsType[*sink.Error](err); ok {
		return sure
	}
	kind, code := sink.Unavailable, s.Code(err)
	reason, refused := s.refusal(code)
	switch {
	case refused:
		kind = sink.Refused
	case code == "":
		reason = s.Name + " cannot be reached, or does not answer"
	case throttles(code):
		reason = s.Name + " asks for fewer requests to {name}"
	case isIdentity(code):
		reason = s.Name + " does not accept the server's AWS credentials: give it others, or set the server's clock"
		if !strings.HasPrefix(code, "Expired") {
			kind = sink.Refused // they do not change by themselves
		}
	case Status(err) >= http.StatusInternalServerError:
		reason = s.Name + " is not available"
	default:
		reason = s.Name + " did not take what was sent to {name}: the server's log has the cause"
	}
	reason = strings.NewReplacer("{name}", to.Name, "{region}", to.Region).Replace(reason)
	if code != "" {
		reason += " (" + code + ")"
	}
	return &sink.Error{Kind: kind, Reason: reason, Err: err}
}

// throttles says whether a code asks for less. The codes are those of
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
// and of S3 and Firehose themselves (checked 2026-11-22).
func throttles(code string) bool {
	switch code {
	case "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException", "RequestLimitExceeded",
		"TooManyRequestsException", "ProvisionedThroughputExceededException", "BandwidthLimitExceeded", "LimitExceededException",
		"SlowDown", "ServiceUnavailable", "ServiceUnavailableException", "PriorRequestNotComplete":
		return true
	}
	return false
}

// isIdentity says whether a code is about who calls, whatever is called:
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and
// https://docs.aws.amazon.com/firehose/latest/APIReference/CommonErrors.html
// (checked 2026-11-22).
func isIdentity(code string) bool {
	switch code {
	case "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "ExpiredToken", "ExpiredTokenException", "InvalidToken",
		"InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature", "IncompleteSignatureException", "RequestTimeTooSkewed",
		"RequestExpired", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "NotSignedUp", "OptInRequired":
		return true
	}
	return false
}
