package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"selvedge/internal/config"
	"selvedge/internal/fabric"
	"selvedge/sink"
	"selvedge/sink/firehose"
	"selvedge/sink/local"
	"selvedge/sink/s3"
)

// places is where this server delivers to.
type places struct {
	buckets sink.ObjectSink
	streams sink.RecordSink
}

// openPlaces takes the sinks that the settings name. Nothing is called yet.
func openPlaces(ctx context.Context, s config.Settings, log *slog.Logger) (places, error) {
	p := places{buckets: local.New(s.BucketsDir), streams: local.NewStreams(s.StreamsDir)}
	if s.BucketsS3 {
		c, err := awsChain(ctx, "--buckets-url s3://")
		if err != nil {
			return places{}, err
		}
		p.buckets = s3.New(c)
	}
	if s.Firehose {
		c, err := awsChain(ctx, "--streams-url firehose://")
		if err != nil {
			return places{}, err
		}
		p.streams = firehose.New(c, log)
	}
	return p, nil
}

// awsChain reads AWS's own variables and files, as every AWS SDK does.
func awsChain(ctx context.Context, setting string) (aws.Config, error) {
	c, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return aws.Config{}, fmt.Errorf("read the AWS configuration for %s: %w", setting, err)
	}
	return c, nil
}

// Prepare makes a bucket's or stream's folder, or tags a stream of Firehose's.
// What this server cannot deliver is refused: whatever is taken must arrive.
func (p places) Prepare(ctx context.Context, caller fabric.Caller, _ fabric.Processing, to fabric.Place) error {
	if err := p.prepare(ctx, caller.Region, to); err != nil {
		if reason := sink.ReasonOf(err); reason != "" {
			return &fabric.Error{Kind: fabric.Validation, Reason: fabric.ReasonOther, Message: reason, Err: err}
		}
		return err
	}
	return nil
}

func (p places) prepare(ctx context.Context, region string, to fabric.Place) error {
	if to.Stream != "" {
		if streams, ok := p.streams.(sink.StreamPreparer); ok {
			return streams.PrepareStream(ctx, sink.Stream{Region: region, Name: to.Stream})
		}
		return nil
	}
	if buckets, ok := p.buckets.(sink.Preparer); ok {
		return buckets.Prepare(ctx, to.Bucket)
	}
	return nil
}
