// Command bench measures the product as its users run it, the real binary, and
// prints each figure beside its target and, where the machine has one, beside a
// peer that did the same work in turn. It asserts no time: it fails only when
// something is lost, is there twice, or does not answer.
//
//	go run ./internal/bench              # all but scale and memory
//	go run ./internal/bench start api    # some of convert, apps, pipeline, ingestions, refresh, start, api, scale, memory
//
// Everything is on loopback and below one temporary folder. docs/benchmarks.md
// says how to read the figures.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// patience is longer than all sections take on a slow machine: a run that hangs
// ends with an error.
const patience = 30 * time.Minute

// bench is one run.
type bench struct {
	dir      string // temporary, of this run
	binary   string // selvedge, built by this run
	self     string // this program, whose children are what only a process of its own can show
	folders  int    // named so far
	progress io.Writer
}

// section is one table of the report.
type section struct {
	name, title string
	measure     func(context.Context, *bench) ([]row, error)
	asked       bool // measured only when it is named
}

func sections() []section {
	return []section{
		{"convert", "Raw Okta bytes to OCSF lines", convert, false},
		{"apps", "Raw bytes of each application to OCSF lines", apps, false},
		{"pipeline", "From the simulated provider to files", pipeline, false},
		{"ingestions", "The same events through more and more ingestions", ingestions, false},
		{"refresh", "Token custody", refresh, false},
		{"start", "From the start of the process to an answer", start, false},
		{"api", "The API over loopback, every request signed and verified", api, false},
		{"scale", "The API with many authorizations", scale, true},
		{"memory", "Ten million events streamed, raw Okta bytes to lines and to Parquet", memory, true},
	}
}

// run is the whole program, or one of its own children.
func run(ctx context.Context, args []string, out, progress io.Writer) error {
	if len(args) > 0 {
		if child, ok := children()[args[0]]; ok {
			return child(ctx, args[1:], out)
		}
	}
	chosen, err := choose(args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	b := &bench{progress: progress}
	if b.dir, err = os.MkdirTemp("", "selvedge-bench-"); err != nil {
		return err
	}
	return errors.Join(b.report(ctx, chosen, out), os.RemoveAll(b.dir))
}

// children are what this program runs itself as.
func children() map[string]func(context.Context, []string, io.Writer) error {
	return map[string]func(context.Context, []string, io.Writer) error{
		"child-convert": convertChild,
		"child-hello":   helloChild,
		"child-parquet": parquetChild,
	}
}

func choose(names []string) ([]section, error) {
	all := sections()
	var known []string
	for _, s := range all {
		known = append(known, s.name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("there is no section %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	if len(names) == 0 {
		return slices.DeleteFunc(all, func(s section) bool { return s.asked }), nil
	}
	return slices.DeleteFunc(all, func(s section) bool { return !slices.Contains(names, s.name) }), nil
}

func (b *bench) report(ctx context.Context, chosen []section, out io.Writer) error {
	began := time.Now()
	if err := b.build(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s, %s/%s, %d CPUs%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), load())
	for _, s := range chosen {
		b.say("%s ...", s.name)
		rows, err := s.measure(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprintf(out, "\n%s\n", s.title)
		if err := write(out, rows); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\nFigures are medians; the range is over the rounds of this run. Whole run: %.0f s%s\n", time.Since(began).Seconds(), load())
	return nil
}

// build makes the binary that all sections run.
func (b *bench) build(ctx context.Context) error {
	var err error
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	b.binary = filepath.Join(b.dir, "selvedge")
	b.say("building selvedge ...")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.binary, "selvedge/cmd/selvedge")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stdout, cmd.Stderr = b.progress, b.progress
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build selvedge: %w", err)
	}
	return nil
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.progress, "bench: "+format+"\n", args...)
}

// load is what else the machine is doing, where it tells.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) == 0 {
		return ""
	}
	return ", load " + fields[0]
}
