package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"
)

// Filter selects records. A zero member selects all.
type Filter struct {
	Account     string // the records of one account; calls that were not authenticated are in none
	Region      string
	Operation   string
	ErrorCode   string
	AccessKeyID string
	Since       time.Time // to the second, as records are
}

// selects says whether a line is a record that the filter selects.
func (f Filter) selects(line []byte) bool {
	var r struct {
		UserIdentity struct {
			AccessKeyID string `json:"accessKeyId"`
		} `json:"userIdentity"`
		EventTime          time.Time `json:"eventTime"`
		EventName          string    `json:"eventName"`
		ErrorCode          string    `json:"errorCode"`
		Region             string    `json:"awsRegion"`
		RecipientAccountID string    `json:"recipientAccountId"`
	}
	if len(line) == 0 || line[0] != '{' || json.Unmarshal(line, &r) != nil {
		return false
	}
	is := func(want, got string) bool { return want == "" || want == got }
	return is(f.Account, r.RecipientAccountID) && is(f.Region, r.Region) && is(f.Operation, r.EventName) && is(f.ErrorCode, r.ErrorCode) &&
		is(f.AccessKeyID, r.UserIdentity.AccessKeyID) && !r.EventTime.Before(f.Since.Truncate(time.Second))
}

// Tail returns the last n records that the filter selects, the oldest first, or
// fewer where they are larger than 8 MiB. Records that are
// made meanwhile may be missing.
func (t *Trail) Tail(ctx context.Context, n int, f Filter) ([]json.RawMessage, error) {
	t.mu.Lock()
	parts, err := t.file.parts()
	t.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("audit: tail: %w", err)
	}
	return tail(ctx, parts, n, f)
}

// part is one file of a trail as far as it had been written when it was opened.
type part struct {
	f    *os.File
	size int64
}

// parts opens all files, the newest first.
func (f *file) parts() ([]part, error) {
	var all []part
	for n := 0; n <= f.keep; n++ {
		one, err := os.Open(f.numbered(n))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var info os.FileInfo
		if err == nil {
			all = append(all, part{f: one})
			info, err = one.Stat()
		}
		if err != nil {
			return nil, errors.Join(err, closeAll(all))
		}
		all[len(all)-1].size = info.Size()
	}
	return all, nil
}

func closeAll(parts []part) error {
	var errs []error
	for _, p := range parts {
		errs = append(errs, p.f.Close())
	}
	return errors.Join(errs...)
}

// tail reads and closes the parts.
func tail(ctx context.Context, parts []part, n int, f Filter) ([]json.RawMessage, error) {
	var last []json.RawMessage
	var err error
	size, more := 0, n > 0
	for _, p := range parts {
		if err != nil || !more {
			break
		}
		err = backwards(ctx, p.f, p.size, func(line []byte) bool {
			if f.selects(line) {
				last = append(last, bytes.Clone(line))
				size += len(line)
			}
			more = len(last) < n && size < maxTail
			return more
		})
	}
	if err = errors.Join(err, closeAll(parts)); err != nil {
		return nil, fmt.Errorf("audit: tail: %w", err)
	}
	slices.Reverse(last)
	return last, nil
}

const (
	maxTail   = 8 << 20 // bytes of records after which a tail ends
	blockSize = 64 << 10
	maxLine   = 1 << 20 // no record is longer
)

// backwards yields the lines of the first size bytes of r, the last one first,
// until yield answers false. What is longer than any record is left out. A line
// is good until yield returns.
func backwards(ctx context.Context, r io.ReaderAt, size int64, yield func(line []byte) bool) error {
	var rest []byte // the end of a line whose beginning is not read yet
	long := false   // that line is too long already
	for end := size; end > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		start := max(0, end-blockSize)
		block := make([]byte, end-start, int(end-start)+len(rest))
		if _, err := r.ReadAt(block, start); err != nil {
			return err
		}
		block, end = append(block, rest...), start
		for i := bytes.LastIndexByte(block, '\n'); i >= 0; i = bytes.LastIndexByte(block, '\n') {
			line := block[i+1:]
			block = block[:i]
			if !long && !yield(line) {
				return nil
			}
			long = false
		}
		if rest = block; long || len(rest) > maxLine {
			rest, long = nil, true
		}
	}
	if !long && len(rest) > 0 {
		yield(rest)
	}
	return nil
}
