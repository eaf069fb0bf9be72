package s3

import (
	"context"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"selvedge/sink"
	"selvedge/sink/awscall"
)

// Look asks for the bucket, which takes s3:ListBucket
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html, checked
// 2026-11-23). An identity that may only put objects may not look.
func (s *Sink) Look(ctx context.Context, region, name string) error {
	if err := service().Identified(ctx, s.credentials); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, awscall.Timeout)
	defer cancel()
	_, err := s.clients.In(region).HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &name})
	switch {
	case err == nil:
		return nil
	case awscall.Status(err) == http.StatusForbidden:
		return fmt.Errorf("s3: look at %s: %w", name, sink.ErrUnseen)
	case awscall.Status(err) == http.StatusNotFound: // the answer of a HEAD has no code
		return &sink.Error{Kind: sink.Refused, Reason: "the bucket " + name + " does not exist: make it in the Region " + region + ", or update the destination", Err: err}
	}
	return classify(ctx, place{region: region, bucket: name}, fmt.Errorf("s3: look at %s: %w", name, err))
}
