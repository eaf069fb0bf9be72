// Package firehose is the sink whose streams are Amazon Data Firehose's.
//
// A record is what it is given, at most 1,000 KiB of it; the duty that delivers
// puts one event and a line feed into each. Records go out in calls of up to 500
// and 4 MiB. Firehose may take a part of a call: what it did not take is
// returned and nothing of it is sent again here. When an answer is lost, the
// call's records count as not taken, so Firehose has them at least once.
// https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
// and https://docs.aws.amazon.com/firehose/latest/dev/limits.html (checked
// 2026-11-22).
//
// PrepareStream tags a stream AWSAppFabricManaged=true, as AWS AppFabric does,
// whose service role may put records into streams with that tag alone
// (https://docs.aws.amazon.com/appfabric/latest/adminguide/prerequisites.html,
// checked 2026-11-22). The server puts records with its own AWS identity, which
// needs firehose:PutRecordBatch and no tag: a tag that cannot be set stops
// nothing and is logged.
//
// Credentials and endpoints are those of the aws.Config that the package is
// given: AWS's own chain, AWS_ENDPOINT_URL_FIREHOSE and AWS_ENDPOINT_URL.
package firehose

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"selvedge/sink"
	"selvedge/sink/awscall"
)

// The limits of a call and of a record. Whether a call's 4 MiB are counted
// before or after base64 is not said (unverified): they are counted after it,
// where the call is larger.
const (
	maxRecords = 500
	maxCall    = 4 << 20
	maxRecord  = 1000 << 10
)

// The tag that AppFabric puts on the streams that it delivers to.
const (
	tagKey   = "AWSAppFabricManaged"
	tagValue = "true"
)

// Sink sends records to Firehose.
type Sink struct {
	credentials aws.CredentialsProvider
	clients     *awscall.Clients[*firehose.Client]
	log         *slog.Logger
}

// New returns the sink that the configuration's credentials and endpoints lead
// to. New does no I/O.
func New(c aws.Config, log *slog.Logger) *Sink {
	return &Sink{
		credentials: c.Credentials, log: log,
		clients: awscall.NewClients(func(region string) *firehose.Client {
			return firehose.NewFromConfig(c, func(o *firehose.Options) { o.Region, o.Retryer = region, aws.NopRetryer{} })
		}),
	}
}

// MaxRecord is Firehose's limit of a record.
func (*Sink) MaxRecord() int { return maxRecord }

// Send sends the records in as many calls as they need. The first call that
// fails as a whole ends it: what is behind it is not tried.
func (s *Sink) Send(ctx context.Context, to sink.Stream, records [][]byte) ([]int, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("firehose: send: %w", err)
	}
	if err := check(to, records); err != nil {
		return nil, &sink.Error{Kind: sink.Refused, Reason: err.Error()}
	}
	if err := service().Identified(ctx, s.credentials); err != nil {
		return nil, err
	}
	var failed []int
	for from := 0; from < len(records); {
		end := from + fit(records[from:])
		some, err := s.call(ctx, to, records[from:end])
		if err != nil {
			if from > 0 {
				failed = appendRange(failed, from, len(records))
			}
			return failed, classify(ctx, to, fmt.Errorf("firehose: put records into %s: %w", to.Name, err))
		}
		for _, i := range some {
			failed = append(failed, from+i)
		}
		from = end
	}
	return failed, nil
}

func check(to sink.Stream, records [][]byte) error {
	if err := sink.CheckStream(to.Name); err != nil {
		return err
	}
	for i, r := range records {
		if len(r) > maxRecord {
			return fmt.Errorf("the record %d has %d bytes: %d are allowed", i, len(r), maxRecord)
		}
	}
	return nil
}

// fit is how many of the first records go into one call.
func fit(records [][]byte) int {
	size := 0
	for i, r := range records {
		size += base64.StdEncoding.EncodedLen(len(r))
		if i == maxRecords || i > 0 && size > maxCall {
			return i
		}
	}
	return len(records)
}

func appendRange(to []int, from, end int) []int {
	for i := from; i < end; i++ {
		to = append(to, i)
	}
	return to
}

// call makes one call and returns the indexes of what was not taken.
func (s *Sink) call(ctx context.Context, to sink.Stream, records [][]byte) ([]int, error) {
	ctx, cancel := context.WithTimeout(ctx, awscall.Timeout)
	defer cancel()
	in := &firehose.PutRecordBatchInput{DeliveryStreamName: &to.Name, Records: make([]types.Record, len(records))}
	for i, r := range records {
		in.Records[i].Data = r
	}
	out, err := s.clients.In(to.Region).PutRecordBatch(ctx, in)
	if err != nil {
		return nil, err
	}
	if aws.ToInt32(out.FailedPutCount) == 0 {
		return nil, nil
	}
	if len(out.RequestResponses) != len(records) {
		return nil, fmt.Errorf("the answer is about %d records of %d", len(out.RequestResponses), len(records))
	}
	var failed []int
	for i, r := range out.RequestResponses {
		if aws.ToString(r.RecordId) == "" || aws.ToString(r.ErrorCode) != "" {
			failed = append(failed, i)
		}
	}
	return failed, nil
}

// PrepareStream tags the stream. A stream that does not exist, or can never
// take records, is an error.
func (s *Sink) PrepareStream(ctx context.Context, to sink.Stream) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("firehose: prepare: %w", err)
	}
	if err := check(to, nil); err != nil {
		return &sink.Error{Kind: sink.Refused, Reason: err.Error()}
	}
	within, cancel := context.WithTimeout(ctx, tagTime)
	defer cancel()
	_, err := s.clients.In(to.Region).TagDeliveryStream(within, &firehose.TagDeliveryStreamInput{
		DeliveryStreamName: &to.Name, Tags: []types.Tag{{Key: aws.String(tagKey), Value: aws.String(tagValue)}},
	})
	if err == nil {
		return nil
	}
	code := service().Code(err)
	err = classify(ctx, to, fmt.Errorf("firehose: tag %s: %w", to.Name, err))
	if e, ok := errors.AsType[*sink.Error](err); ok && (code != codeMissing || e.Kind != sink.Refused) {
		s.log.WarnContext(ctx, "a Firehose stream was not tagged; records are delivered to it all the same",
			"stream", to.Name, "region", to.Region, "tag", tagKey, "error", err)
		return nil
	}
	return err
}
