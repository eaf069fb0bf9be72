package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	_ "embed"

	"selvedge/connector"
	"selvedge/connector/all"
	"selvedge/internal/encode"
)

// How much each measure converts: enough that starting a process is little of
// it, and that all rounds stay within a minute.
const (
	plainEvents  = 100_000
	gzipEvents   = 50_000
	peerEvents   = 3_000
	allocEvents  = 5_000
	convertRound = 3
)

//go:embed testdata/okta.jq
var jqProgram string

// cost is what converting some events took.
type cost struct {
	events    int
	bytes     int64 // of input
	wall, cpu time.Duration
}

func (c cost) perCPU() float64 { return rate(c.events, c.cpu) }

// convert measures the converter: in each round every measure once, in turn.
func convert(ctx context.Context, b *bench) ([]row, error) {
	plain, err := b.writeCorpus("okta.ndjson", plainEvents)
	if err != nil {
		return nil, err
	}
	half, err := b.writeCorpus("okta-half.ndjson", gzipEvents)
	if err != nil {
		return nil, err
	}
	few, err := b.writeCorpus("okta-few.ndjson", peerEvents)
	if err != nil {
		return nil, err
	}
	var files []parqueted
	measures := []struct {
		name string
		run  func() (cost, error)
	}{
		{"plain", func() (cost, error) { return filter(ctx, plain, b.binary, "normalize", "--app", "OKTA") }},
		{"jq", func() (cost, error) { return b.jq(ctx, few) }},
		{"gzip -6", func() (cost, error) { return b.converted(ctx, half, 6, 1) }},
		{"two", func() (cost, error) { return b.converted(ctx, half, 6, 2) }},
		{"gzip -1", func() (cost, error) { return b.converted(ctx, half, 1, 1) }},
		{"Parquet", func() (cost, error) {
			c, made, err := b.parquet(ctx, half, 1)
			files = append(files, made)
			return c, err
		}},
	}
	costs := map[string][]cost{}
	for round := range convertRound {
		for _, m := range measures {
			b.say("convert: round %d of %d: %s", round+1, convertRound, m.name)
			c, err := m.run()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.name, err)
			}
			if c.events > 0 {
				costs[m.name] = append(costs[m.name], c)
			}
		}
	}
	rows := convertRows(costs, plain, testing.Benchmark(benchmarkAppend))
	return append(rows, parquetRows(costs, files)...), nil
}

// parquetRows is the part of the report about Parquet.
func parquetRows(costs map[string][]cost, files []parqueted) []row {
	var speed, peak, share, plain series
	for i, c := range costs["Parquet"] {
		speed = append(speed, c.perCPU())
		peak = append(peak, files[i].Peaks...)
		share = append(share, float64(files[i].Bytes)/float64(c.bytes))
	}
	for _, c := range costs["plain"] {
		plain = append(plain, c.perCPU())
	}
	return []row{
		{
			name: "Parquet zstd", unit: "events/CPU-s", values: speed, target: atLeast(18_000),
			note: "a process that reads a file and writes objects of 8 MiB of records, as deliveries do; output is dropped",
		},
		{name: "Parquet over plain", unit: "times, per CPU-s", values: speed.ratios(plain)},
		{name: "Parquet, peak memory", unit: "MiB", values: peak, target: atMost(256)},
		{name: "Parquet, size", unit: "bytes for a byte of records", values: share},
	}
}

// convertRows is the report of what was measured.
func convertRows(costs map[string][]cost, input corpus, allocs testing.BenchmarkResult) []row {
	of := func(name string, figure func(cost) float64) series {
		var s series
		for _, c := range costs[name] {
			s = append(s, figure(c))
		}
		return s
	}
	wall := func(c cost) float64 { return rate(c.events, c.wall) }
	megabytes := func(c cost) float64 { return float64(c.bytes) / 1e6 / c.wall.Seconds() }
	plain := row{
		name: "plain", unit: "events/CPU-s", values: of("plain", cost.perCPU), target: atLeast(30_000),
		note: fmt.Sprintf("selvedge normalize, %d events of %d bytes on average, standard output a pipe; it is one thread", input.events, input.bytes/int64(input.events)),
	}
	if len(costs["jq"]) > 0 {
		plain.peer, plain.peerValues = "jq", of("jq", cost.perCPU)
	}
	return []row{
		plain,
		{name: "plain over jq", unit: "times, CPU", values: plain.values.ratios(plain.peerValues), target: atLeast(8), note: jqNote(costs["jq"])},
		{name: "plain", unit: "events/s", values: of("plain", wall)},
		{name: "plain", unit: "MB/s of input", values: of("plain", megabytes)},
		{
			name: "gzip -6", unit: "events/CPU-s", values: of("gzip -6", cost.perCPU), target: atLeast(10_600),
			note: "a process that reads a file, makes the same lines and compresses them, as does gzip -1; output is dropped",
		},
		{name: "gzip -1", unit: "events/CPU-s", values: of("gzip -1", cost.perCPU), target: atLeast(15_800)},
		{name: "gzip -6, two at once", unit: "events/s", values: of("two", wall), target: atLeast(20_000)},
		{name: "two at once over one", unit: "times, wall", values: of("two", wall).ratios(of("gzip -6", wall)), target: atLeast(1.7), note: "needs two idle cores"},
		{name: "allocations", unit: "per event", values: series{float64(allocs.MemAllocs) / float64(allocs.N)}},
		{name: "allocated", unit: "bytes per event", values: series{float64(allocs.MemBytes) / float64(allocs.N)}},
	}
}

func jqNote(costs []cost) string {
	if len(costs) == 0 {
		return "this machine has no jq"
	}
	return fmt.Sprintf("jq does an equivalent mapping of the first %d events", costs[0].events)
}

// filter runs a command over the corpus as its standard input, and sees that a
// line comes out for each that went in.
func filter(ctx context.Context, c corpus, command string, args ...string) (cost, error) {
	in, err := os.Open(c.path)
	if err != nil {
		return cost{}, err
	}
	defer in.Close()
	var lines lineCounter
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Stdin, cmd.Stdout = in, &lines
	var report bytes.Buffer
	cmd.Stderr = &report
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return cost{}, fmt.Errorf("%w: %s", err, report.String())
	}
	took := cost{events: c.events, bytes: c.bytes, wall: time.Since(began), cpu: cpuOf(cmd.ProcessState)}
	if lines.n != c.events {
		return cost{}, fmt.Errorf("%d lines came out for %d", lines.n, c.events)
	}
	return took, nil
}

// jq runs the peer; no cost where there is none.
func (b *bench) jq(ctx context.Context, c corpus) (cost, error) {
	command, err := exec.LookPath("jq")
	if err != nil {
		return cost{}, nil //nolint:nilerr // a machine without it has no peer
	}
	program := filepath.Join(b.dir, "okta.jq")
	if err := os.WriteFile(program, []byte(jqProgram), 0o600); err != nil {
		return cost{}, err
	}
	return filter(ctx, c, command, "-n", "-R", "-c", "-f", program)
}

// converted runs this program's own converter over the corpus.
func (b *bench) converted(ctx context.Context, c corpus, level, workers int) (cost, error) {
	cmd := exec.CommandContext(ctx, b.self, "child-convert", c.path, strconv.Itoa(level), strconv.Itoa(workers))
	cmd.Stderr = b.progress
	began := time.Now()
	out, err := cmd.Output()
	if err != nil {
		return cost{}, err
	}
	took := cost{events: c.events, bytes: c.bytes, wall: time.Since(began), cpu: cpuOf(cmd.ProcessState)}
	var r converted
	if err := json.Unmarshal(out, &r); err != nil {
		return cost{}, fmt.Errorf("the child's answer %q: %w", out, err)
	}
	if r.Lines != c.events {
		return cost{}, fmt.Errorf("%d lines came out for %d", r.Lines, c.events)
	}
	return took, nil
}

// oktaNormalizer is what normalize and the delivery use.
func oktaNormalizer() (*encode.Normalizer, string, error) {
	for _, app := range all.Apps() {
		if app.Name == "OKTA" {
			return encode.NewNormalizer(app), app.Streams[0].Name, nil
		}
	}
	return encode.NewNormalizer(connector.App{}), "", fmt.Errorf("there is no application OKTA")
}

// benchmarkAppend makes one line of one record, for its allocations.
func benchmarkAppend(b *testing.B) {
	n, stream, err := oktaNormalizer()
	if err != nil {
		b.Fatal(err)
	}
	var records [][]byte
	if err := eachRecord(allocEvents, func(r []byte) error { records = append(records, bytes.Clone(r)); return nil }); err != nil {
		b.Fatal(err)
	}
	var line []byte
	at := time.Now()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		line, _ = n.Append(line[:0], stream, "", records[i%len(records)], at)
	}
}

// lineCounter counts lines and drops them.
type lineCounter struct{ n int }

func (c *lineCounter) Write(p []byte) (int, error) {
	c.n += bytes.Count(p, []byte{'\n'})
	return len(p), nil
}

// cpuOf is what a process that has ended took of all CPUs.
func cpuOf(p *os.ProcessState) time.Duration { return p.UserTime() + p.SystemTime() }
