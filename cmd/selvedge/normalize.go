package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"selvedge/connector"
	"selvedge/connector/all"
	"selvedge/internal/encode"
)

// normalizeCmd turns raw records into OCSF.
type normalizeCmd struct {
	App    string `required:"" help:"The application that the records are of; selvedge apps lists them." placeholder:"OKTA"`
	Stream string `help:"The feed that the records are of. Of an application with several, without it, what each record is made of tells which."`
}

// errNotJSON makes the exit status 1 after all lines are out.
var errNotJSON = errors.New("some lines are not JSON")

// Run writes one line for each line that it reads, in order.
func (c normalizeCmd) Run(ctx context.Context, w world) error {
	app, stream, err := c.choose()
	if err != nil {
		return err
	}
	in := bufio.NewReaderSize(w.stdin, 1<<20)
	out := bufio.NewWriterSize(w.stdout, 1<<20)
	bad, err := normalizeLines(ctx, in, out, w.stderr, encode.NewNormalizer(app), stream)
	if err := errors.Join(err, out.Flush()); err != nil {
		return fmt.Errorf("normalize: %w", err)
	}
	if bad > 0 {
		return fmt.Errorf("normalize: %w: %d", errNotJSON, bad)
	}
	return nil
}

func (c normalizeCmd) choose() (connector.App, string, error) {
	var names []string
	for _, a := range all.Apps() {
		if !strings.EqualFold(a.Name, c.App) {
			if a.HasMapping() {
				names = append(names, a.Name)
			}
			continue
		}
		if !a.HasMapping() {
			return a, "", fmt.Errorf("normalize: %s has no mapping yet, so its records cannot be normalised; selvedge apps shows which applications have one", a.Name)
		}
		if _, ok := a.FindStream(c.Stream); ok || c.Stream == "" {
			return a, c.Stream, nil
		}
		return a, "", fmt.Errorf("normalize: %s has no stream %q; it has %s", a.Name, c.Stream, strings.Join(a.StreamNames(), ", "))
	}
	return connector.App{}, "", fmt.Errorf("normalize: there is no application %q; those with a mapping are %s", c.App, strings.Join(names, ", "))
}

// normalizeLines writes a line for each line of in and returns how many were
// not JSON. One that is JSON and a record of none of the streams is reported
// too, with their names. An empty line at the end is no line.
func normalizeLines(ctx context.Context, in *bufio.Reader, out *bufio.Writer, report io.Writer, n *encode.Normalizer, stream string) (bad int, err error) {
	var line, event []byte
	now := time.Now()
	for number := 1; ; number++ {
		if err := ctx.Err(); err != nil {
			return bad, err
		}
		var rerr error
		if line, rerr = readLine(in, line[:0]); len(line) == 0 && errors.Is(rerr, io.EOF) {
			return bad, nil
		}
		if rerr != nil && !errors.Is(rerr, io.EOF) {
			return bad, rerr
		}
		var outcome encode.Outcome
		event, outcome = n.Append(event[:0], stream, "", line, now)
		switch {
		case outcome.Base && !json.Valid(line):
			bad++
			fmt.Fprintf(report, "selvedge: normalize: line %d is not JSON\n", number)
		case errors.Is(outcome.Why, connector.ErrNoStream):
			fmt.Fprintf(report, "selvedge: normalize: line %d: %v (--stream says which it is of)\n", number, outcome.Why)
		}
		if _, err := out.Write(event); err != nil {
			return bad, err
		}
	}
}

// readLine appends a line of any length to dst, without its end.
func readLine(in *bufio.Reader, dst []byte) ([]byte, error) {
	for {
		part, err := in.ReadSlice('\n')
		dst = append(dst, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			end := len(dst)
			dst = bytes.TrimRight(dst, "\r\n")
			if err != nil && end > len(dst) {
				err = nil
			}
			return dst, err
		}
	}
}
