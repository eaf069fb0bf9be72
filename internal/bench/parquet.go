package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"selvedge/internal/encode"
)

// batchBytes is how much of records one object has.
const batchBytes = 8 << 20

// parqueted is a writing child's answer.
type parqueted struct {
	Rows    int    `json:"rows"`
	Objects int    `json:"objects"`
	Bytes   int64  `json:"bytes"`
	Peaks   series `json:"peaks"` // MiB of memory after each pass; none where the system does not tell
}

// parquet has a child write the corpus so many times over.
func (b *bench) parquet(ctx context.Context, c corpus, times int) (cost, parqueted, error) {
	cmd := exec.CommandContext(ctx, b.self, "child-parquet", c.path, strconv.Itoa(times))
	cmd.Stderr = b.progress
	began := time.Now()
	out, err := cmd.Output()
	if err != nil {
		return cost{}, parqueted{}, err
	}
	took := cost{events: times * c.events, bytes: int64(times) * c.bytes, wall: time.Since(began), cpu: cpuOf(cmd.ProcessState)}
	var p parqueted
	if err := json.Unmarshal(out, &p); err != nil {
		return cost{}, parqueted{}, fmt.Errorf("the child's answer %q: %w", out, err)
	}
	if p.Rows != took.events {
		return cost{}, parqueted{}, fmt.Errorf("%d rows came out for %d", p.Rows, took.events)
	}
	return took, p, nil
}

// parquetChild writes a file's lines as Parquet objects, cut as batches are:
// FILE TIMES. What it writes is counted and dropped.
func parquetChild(_ context.Context, args []string, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("child-parquet takes FILE TIMES")
	}
	times, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	n, stream, err := oktaNormalizer()
	if err != nil {
		return err
	}
	w := parquetWriter{n: n, stream: stream, at: time.Now()}
	for range times {
		if err := w.pass(args[0]); err != nil {
			return err
		}
		w.made.Peaks = append(w.made.Peaks, memoryOf(os.Getpid(), "VmHWM:")...)
	}
	if err := w.cut(); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(w.made)
}

type parquetWriter struct {
	n      *encode.Normalizer
	stream string
	at     time.Time
	made   parqueted
	file   *encode.Parquet
	size   int // of the records in file
	bytes  byteCounter
}

// pass writes the lines of a file, which it does not hold.
func (w *parquetWriter) pass(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if w.file == nil {
			w.file = encode.NewParquet(&w.bytes)
			w.made.Objects++
		}
		if _, err := w.n.Write(w.file, w.stream, "", lines.Bytes(), w.at); err != nil {
			return err
		}
		w.made.Rows++
		if w.size += len(lines.Bytes()); w.size >= batchBytes {
			if err := w.cut(); err != nil {
				return err
			}
		}
	}
	return lines.Err()
}

// cut ends the object.
func (w *parquetWriter) cut() error {
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.made.Bytes, w.file, w.size = int64(w.bytes), nil, 0
	return err
}
