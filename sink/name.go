package sink

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxKey is S3's limit of a key, in bytes of UTF-8.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html (checked 2026-11-22)
const maxKey = 1024

// Of a bucket's name, by the rules of general purpose buckets:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html (checked 2026-11-22).
// The prefix amzn-s3-demo- that S3 keeps for its own examples is legal here:
// whoever tries an example from AWS's pages uses it.
const (
	bucketHint     = "a bucket name has 3 to 63 lower-case letters, digits, dots and hyphens, and begins and ends with a letter or digit"
	bucketPrefixes = "xn-- sthree-"
	bucketSuffixes = "-s3alias --ol-s3 .mrap --x-s3 --table-s3"
)

// streamHint says what names of streams are:
// https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html (checked 2026-11-22)
const streamHint = "a stream name has 1 to 64 letters, digits, underscores, dots and hyphens"

var (
	streamPattern  = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,64}$`)
	bucketPattern  = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	addressPattern = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$`)
)

// CheckBucket returns an error that says what is allowed when name is no legal
// name of a bucket.
func CheckBucket(name string) error {
	switch {
	case !bucketPattern.MatchString(name):
		return fmt.Errorf("the bucket name %q is not legal: %s", name, bucketHint)
	case strings.Contains(name, ".."):
		return fmt.Errorf("the bucket name %q is not legal: two dots must not stand side by side", name)
	case addressPattern.MatchString(name):
		return fmt.Errorf("the bucket name %q is not legal: it must not look like an IP address", name)
	}
	for prefix := range strings.FieldsSeq(bucketPrefixes) {
		if strings.HasPrefix(name, prefix) {
			return fmt.Errorf("the bucket name %q is not legal: the prefix %s is reserved", name, prefix)
		}
	}
	for suffix := range strings.FieldsSeq(bucketSuffixes) {
		if strings.HasSuffix(name, suffix) {
			return fmt.Errorf("the bucket name %q is not legal: the suffix %s is reserved", name, suffix)
		}
	}
	return nil
}

// CheckStream returns an error that says what is allowed when name is no legal
// name of a stream.
func CheckStream(name string) error {
	if !streamPattern.MatchString(name) {
		return fmt.Errorf("the stream name %q is not legal: %s", name, streamHint)
	}
	return nil
}

// CheckKey returns an error that says what is allowed when key cannot name an
// object in every kind of bucket.
func CheckKey(key string) error {
	switch {
	case key == "":
		return fmt.Errorf("the key is empty")
	case len(key) > maxKey:
		return fmt.Errorf("the key has %d bytes: %d are allowed", len(key), maxKey)
	case !utf8.ValidString(key):
		return fmt.Errorf("the key %q is not UTF-8", key)
	case strings.ContainsFunc(key, unicode.IsControl):
		return fmt.Errorf("the key %q contains a control character", key)
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return fmt.Errorf("the key %q contains the segment %q: it must not begin or end with a slash, nor contain an empty, \".\" or \"..\" segment", key, segment)
		}
	}
	return nil
}
