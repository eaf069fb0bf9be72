package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// memoryMarks returns the passes over the corpus after which memory is looked
// at: one, five and ten million events.
func memoryMarks() []int { return []int{10, 50, 100} }

// memory holds that memory does not grow with what was streamed. Each encoding
// is one process, whose peak is read on its way.
func memory(ctx context.Context, b *bench) ([]row, error) {
	c, err := b.writeCorpus("okta.ndjson", plainEvents)
	if err != nil {
		return nil, err
	}
	marks := memoryMarks()
	b.say("memory: lines, %d events", marks[len(marks)-1]*c.events)
	lines, peaks, err := b.stream(ctx, c, marks)
	if err != nil {
		return nil, err
	}
	rows := memoryRows("lines", c, marks, peaks, lines, row{target: atLeast(30_000), unit: "events/CPU-s"}, 96)
	b.say("memory: Parquet, %d events", marks[len(marks)-1]*c.events)
	took, made, err := b.parquet(ctx, c, marks[len(marks)-1])
	if err != nil {
		return nil, err
	}
	peaks = nil
	for _, mark := range marks {
		if len(made.Peaks) >= mark {
			peaks = append(peaks, made.Peaks[mark-1])
		}
	}
	return append(rows, memoryRows("Parquet", c, marks, peaks, took, row{target: atLeast(18_000), unit: "events/CPU-s"}, 256)...), nil
}

// memoryRows is the report of one encoding; the peaks are those at the marks.
func memoryRows(name string, c corpus, marks []int, peaks series, took cost, speed row, limit float64) []row {
	speed.name, speed.values = name, series{took.perCPU()}
	rows := []row{speed}
	for i, peak := range peaks {
		rows = append(rows, row{
			name: name + ", peak after " + group(strconv.Itoa(marks[i]*c.events)), unit: "MiB", values: series{peak}, target: atMost(limit),
		})
	}
	if last := len(peaks) - 1; last > 0 {
		rows = append(rows, row{name: name + ", last peak over the first", unit: "times", values: series{peaks[last] / peaks[0]}})
	}
	return rows
}

// stream sends the corpus again and again through the converter, and returns the
// peak of its memory when the lines of so many passes were out.
func (b *bench) stream(ctx context.Context, c corpus, marks []int) (cost, series, error) {
	f, err := os.Open(c.path)
	if err != nil {
		return cost{}, nil, err
	}
	defer f.Close()
	passes := marks[len(marks)-1]
	in := make([]io.Reader, passes)
	for i := range in {
		in[i] = io.NewSectionReader(f, 0, c.bytes)
	}
	cmd := exec.CommandContext(ctx, b.binary, "normalize", "--app", "OKTA")
	out := &marker{}
	for _, mark := range marks {
		out.marks = append(out.marks, mark*c.events-c.events/100)
	}
	out.look = func() { out.peaks = append(out.peaks, memoryOf(cmd.Process.Pid, "VmHWM:")...) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = io.MultiReader(in...), out, b.progress
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return cost{}, nil, err
	}
	if out.lines != passes*c.events {
		return cost{}, nil, fmt.Errorf("%d lines came out for %d", out.lines, passes*c.events)
	}
	return cost{events: out.lines, bytes: int64(passes) * c.bytes, wall: time.Since(began), cpu: cpuOf(cmd.ProcessState)}, out.peaks, nil
}

// marker counts lines and looks at something where so many of them are out. It
// is given marks a little before the end: behind it the process is gone.
type marker struct {
	lines int
	marks []int
	peaks series
	look  func()
}

func (m *marker) Write(p []byte) (int, error) {
	m.lines += bytes.Count(p, []byte{'\n'})
	for len(m.marks) > 0 && m.lines >= m.marks[0] {
		m.marks = m.marks[1:]
		m.look()
	}
	return len(p), nil
}
