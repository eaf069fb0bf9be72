package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"selvedge/simulator"
)

// corpusSeed makes every run's events the same, but for their times.
const corpusSeed = 1

// corpus is generated events of Okta's log, one a line, in a file.
type corpus struct {
	path   string
	events int
	bytes  int64
}

// writeCorpus generates events into a new file of the run's folder.
func (b *bench) writeCorpus(name string, events int) (corpus, error) {
	c := corpus{path: filepath.Join(b.dir, name), events: events}
	f, err := os.Create(c.path)
	if err != nil {
		return c, err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = eachRecord(events, func(record []byte) error {
		c.bytes += int64(len(record)) + 1
		if _, err := w.Write(record); err != nil {
			return err
		}
		return w.WriteByte('\n')
	})
	if err := errors.Join(err, w.Flush(), f.Close()); err != nil {
		return c, fmt.Errorf("write %d events: %w", events, err)
	}
	return c, nil
}

// eachRecord generates events without insignificant white space, which may be
// line feeds.
func eachRecord(events int, use func(record []byte) error) error {
	okta := simulator.New(simulator.Options{Seed: corpusSeed}).Okta()
	var line bytes.Buffer
	for events > 0 {
		n := min(events, 1_000)
		for _, record := range okta.Generate(n) {
			line.Reset()
			if err := json.Compact(&line, record); err != nil {
				return err
			}
			if err := use(line.Bytes()); err != nil {
				return err
			}
		}
		events -= n
	}
	return nil
}
