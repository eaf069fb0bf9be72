package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"selvedge/internal/encode"
)

// converted is a converting child's answer.
type converted struct {
	Lines int   `json:"lines"`
	Bytes int64 `json:"bytes"` // compressed
}

// convertChild converts a file's lines and compresses the result: FILE LEVEL
// WORKERS. Each worker has a part of the file and a stream of its own, as each
// delivery has.
func convertChild(_ context.Context, args []string, out io.Writer) error {
	if len(args) != 3 {
		return errors.New("child-convert takes FILE LEVEL WORKERS")
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	level, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	workers, err := strconv.Atoi(args[2])
	if err != nil || workers < 1 {
		return fmt.Errorf("child-convert: %q workers", args[2])
	}
	n, stream, err := oktaNormalizer()
	if err != nil {
		return err
	}
	parts := split(text, workers)
	results, errs := make([]converted, len(parts)), make([]error, len(parts))
	var wait sync.WaitGroup
	for i, part := range parts {
		wait.Go(func() { results[i], errs[i] = compress(n, stream, part, level) })
	}
	wait.Wait()
	var all converted
	for _, r := range results {
		all.Lines += r.Lines
		all.Bytes += r.Bytes
	}
	return errors.Join(errors.Join(errs...), json.NewEncoder(out).Encode(all))
}

// split cuts whole lines into n parts of about one size.
func split(text []byte, n int) [][]byte {
	var parts [][]byte
	for ; n > 1; n-- {
		end := len(text) / n
		if lf := bytes.IndexByte(text[end:], '\n'); lf >= 0 {
			end += lf + 1
		}
		parts, text = append(parts, text[:end]), text[end:]
	}
	return append(parts, text)
}

func compress(n *encode.Normalizer, stream string, text []byte, level int) (converted, error) {
	var r converted
	var size byteCounter
	z, err := gzip.NewWriterLevel(&size, level)
	if err != nil {
		return r, err
	}
	at := time.Now()
	var line []byte
	for record := range bytes.Lines(text) {
		line, _ = n.Append(line[:0], stream, "", bytes.TrimSuffix(record, []byte{'\n'}), at)
		if _, err := z.Write(line); err != nil {
			return r, err
		}
		r.Lines += bytes.Count(line, []byte{'\n'})
	}
	err = z.Close()
	r.Bytes = int64(size)
	return r, err
}

// byteCounter counts bytes and drops them.
type byteCounter int64

func (c *byteCounter) Write(p []byte) (int, error) {
	*c += byteCounter(len(p))
	return len(p), nil
}
