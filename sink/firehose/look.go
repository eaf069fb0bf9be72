package firehose

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"selvedge/sink"
	"selvedge/sink/awscall"
)

// Look asks for the stream, which takes firehose:DescribeDeliveryStream
// (https://docs.aws.amazon.com/firehose/latest/APIReference/API_DescribeDeliveryStream.html,
// checked 2026-11-23). An identity that may only put records may not look.
func (s *Sink) Look(ctx context.Context, region, name string) error {
	if err := service().Identified(ctx, s.credentials); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, awscall.Timeout)
	defer cancel()
	to := sink.Stream{Region: region, Name: name}
	out, err := s.clients.In(region).DescribeDeliveryStream(ctx, &firehose.DescribeDeliveryStreamInput{DeliveryStreamName: &name})
	switch service().Code(err) {
	case "AccessDeniedException", "AccessDenied", "NotAuthorized":
		return fmt.Errorf("firehose: look at %s: %w", name, sink.ErrUnseen)
	}
	if err != nil {
		return classify(ctx, to, fmt.Errorf("firehose: look at %s: %w", name, err))
	}
	if d := out.DeliveryStreamDescription; d != nil && d.DeliveryStreamStatus != types.DeliveryStreamStatusActive {
		return &sink.Error{Kind: sink.Unavailable, Reason: fmt.Sprintf("the stream %s is %s: see to it in the Firehose console", name, d.DeliveryStreamStatus)}
	}
	return nil
}
