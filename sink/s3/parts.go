package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"selvedge/sink"
	"selvedge/sink/awscall"
)

// abortTime is how long cleaning up behind a failed upload may take, which goes
// on when the attempt has ended.
const abortTime = 10 * time.Second

// parts puts an object part by part. Of the body no copy is made.
func (s *Sink) parts(ctx context.Context, o sink.Object) error {
	client := s.clients.In(o.Region)
	where := place{o.Region, o.Bucket, path.Dir(path.Dir(o.Key))}
	s.begin(where)
	id, err := create(ctx, client, o)
	if err != nil {
		return err
	}
	err = fill(ctx, client, o, id, s.part)
	if err != nil {
		abort(ctx, client, o.Bucket, o.Key, id)
	}
	if err == nil || isThere(err) {
		// What attempts at the same object left. Whether that succeeds decides
		// nothing: Sweep comes by again.
		_, _ = s.tidy(ctx, where, o.Key, func(u types.MultipartUpload) bool { return aws.ToString(u.Key) == o.Key })
	}
	return err
}

func create(ctx context.Context, client *s3.Client, o sink.Object) (*string, error) {
	ctx, cancel := context.WithTimeout(ctx, awscall.Timeout)
	defer cancel()
	out, err := client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &o.Bucket, Key: &o.Key, ContentType: contentType(o)})
	if err != nil {
		return nil, fmt.Errorf("begin an upload: %w", err)
	}
	if aws.ToString(out.UploadId) == "" {
		return nil, errors.New("begin an upload: the answer has no upload id")
	}
	return out.UploadId, nil
}

// fill sends the parts and completes the upload.
func fill(ctx context.Context, client *s3.Client, o sink.Object, id *string, size int) error {
	var sent []types.CompletedPart
	for from := 0; from < len(o.Body); from += size {
		number := int32(len(sent) + 1) //nolint:gosec // 32 at most, see sink.MaxBody
		part, err := send(ctx, client, o, id, number, o.Body[from:min(from+size, len(o.Body))])
		if err != nil {
			return fmt.Errorf("part %d: %w", number, err)
		}
		sent = append(sent, part)
	}
	ctx, cancel := context.WithTimeout(ctx, awscall.Timeout)
	defer cancel()
	_, err := client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &o.Bucket, Key: &o.Key, UploadId: id, IfNoneMatch: aws.String("*"),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: sent},
	})
	if err != nil {
		return fmt.Errorf("complete the upload: %w", err)
	}
	return nil
}

// send sends a part.
func send(ctx context.Context, client *s3.Client, o sink.Object, id *string, number int32, body []byte) (types.CompletedPart, error) {
	ctx, cancel := context.WithTimeout(ctx, awscall.Timeout)
	defer cancel()
	out, err := client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &o.Bucket, Key: &o.Key, UploadId: id, PartNumber: &number,
		Body: bytes.NewReader(body), ContentLength: aws.Int64(int64(len(body))),
	})
	if err != nil {
		return types.CompletedPart{}, err
	}
	return types.CompletedPart{
		PartNumber: &number, ETag: out.ETag,
		ChecksumCRC32: out.ChecksumCRC32, ChecksumCRC32C: out.ChecksumCRC32C, ChecksumCRC64NVME: out.ChecksumCRC64NVME,
		ChecksumSHA1: out.ChecksumSHA1, ChecksumSHA256: out.ChecksumSHA256,
	}, nil
}

// abort gives an upload up. Where that fails it is left to Sweep.
func abort(ctx context.Context, client *s3.Client, bucket, key string, id *string) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
	defer cancel()
	_, err := client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &bucket, Key: &key, UploadId: id})
	return err == nil
}

// begin remembers where uploads may be left: in the destination's own folder,
// two above its objects, which is no other writer's. After a crash the attempt
// that was cut off is made again, and makes its place known again.
func (s *Sink) begin(p place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.begun) < maxBegun {
		s.begun[p] = true
	}
}

// Sweep aborts the uploads that were begun before the given time in the places
// that this process has put large objects into, and returns how many. A place
// is forgotten when no upload is left there, and when the server may not look.
func (s *Sink) Sweep(ctx context.Context, before time.Time) (int, error) {
	s.mu.Lock()
	places := make([]place, 0, len(s.begun))
	for p := range s.begun {
		places = append(places, p)
	}
	s.mu.Unlock()
	aborted := 0
	var errs []error
	for _, p := range places {
		s.forget(p) // first: an upload that begins meanwhile makes it known again
		n, err := s.sweep(ctx, p, before)
		aborted += n
		if err != nil {
			errs = append(errs, err)
		}
	}
	return aborted, errors.Join(errs...)
}

func (s *Sink) sweep(ctx context.Context, p place, before time.Time) (int, error) {
	left := false
	n, err := s.tidy(ctx, p, p.folder+"/", func(u types.MultipartUpload) bool {
		old := u.Initiated != nil && u.Initiated.Before(before)
		left = left || !old
		return old
	})
	if err != nil {
		err = classify(ctx, p, fmt.Errorf("s3: sweep %s: %w", p.bucket, err))
	}
	switch {
	case sink.KindOf(err) == sink.Refused:
		err = nil
	case left || err != nil:
		s.begin(p)
	}
	return n, err
}

func (s *Sink) forget(p place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.begun, p)
}

// tidy aborts the uploads below a prefix that it is told to.
func (s *Sink) tidy(ctx context.Context, p place, prefix string, end func(types.MultipartUpload) bool) (int, error) {
	client := s.clients.In(p.region)
	aborted := 0
	in := &s3.ListMultipartUploadsInput{Bucket: &p.bucket, Prefix: &prefix}
	for {
		out, err := list(ctx, client, in)
		if err != nil {
			return aborted, err
		}
		for _, u := range out.Uploads {
			if end(u) && abort(ctx, client, p.bucket, aws.ToString(u.Key), u.UploadId) {
				aborted++
			}
		}
		if !aws.ToBool(out.IsTruncated) {
			return aborted, nil
		}
		in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
	}
}

func list(ctx context.Context, client *s3.Client, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, abortTime)
	defer cancel()
	return client.ListMultipartUploads(ctx, in)
}
