// Command selvedge is AWS AppFabric for security, self-hosted: the API, the
// workers behind it, and the tools around them in one binary. This package is
// wiring only; it alone reads the environment.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"selvedge/internal/config"
)

// world is what a command sees of the process that it runs in.
type world struct {
	environ []string
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
}

// cli is the command line.
type cli struct {
	Serve     serveCmd     `cmd:"" help:"Run the API and the workers."`
	Demo      demoCmd      `cmd:"" help:"Run the server with simulated applications, connected and collecting."`
	Simulate  simulateCmd  `cmd:"" help:"Run the simulated SaaS applications alone."`
	Normalize normalizeCmd `cmd:"" help:"Turn raw records on standard input (one JSON value a line) into OCSF on standard output."`
	Apps      appsCmd      `cmd:"" help:"List the supported applications."`

	Doctor        doctorCmd        `cmd:"" help:"Check how the server is set up, whether it runs or not, and say what to do about each fault."`
	Key           keyCmd           `cmd:"" help:"Make, list and revoke access keys of a running server."`
	Authorization authorizationCmd `cmd:"" help:"Show app authorizations of a running server."`
	Ingestion     ingestionCmd     `cmd:"" help:"Show ingestions of a running server."`
	Backfill      backfillCmd      `cmd:"" help:"Have a running server read what is missing of a time range of an ingestion."`
	Rewrap        rewrapCmd        `cmd:"" help:"Put all that a running server keeps under the newest keys: after a new master key, or a rotation in AWS KMS."`
	Backup        backupCmd        `cmd:"" help:"Copy the SQLite database of a running server into a file."`
	Move          moveCmd          `cmd:"" help:"Carry an installation on SQLite, whose server is stopped, over to PostgreSQL."`
	Audit         auditCmd         `cmd:"" help:"Read the trail of API calls of a running server."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code := run(ctx, os.Args[1:], world{environ: os.Environ(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr})
	stop()
	os.Exit(code)
}

// run runs one command and returns the exit status: 0, 1 when the command
// failed, 2 when it was called wrongly. A failure is one line on standard
// error.
func run(ctx context.Context, args []string, w world) int {
	exited := -1
	var c cli
	parser, err := kong.New(&c,
		kong.Name("selvedge"),
		kong.Description("AWS AppFabric for security, self-hosted."),
		kong.Vars(config.Vars()),
		kong.Writers(w.stdout, w.stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(w),
	)
	if err != nil {
		return fail(w, err, 1)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		return fail(w, fmt.Errorf("%w (selvedge --help shows the commands and their flags)", err), 2)
	}
	if err := command.Run(); err != nil {
		return fail(w, err, 1)
	}
	return 0
}

func fail(w world, err error, code int) int {
	_, _ = fmt.Fprintln(w.stderr, "selvedge: "+strings.ReplaceAll(err.Error(), "\n", ": "))
	return code
}

// settings reads the settings of a command.
func settings(f config.Flags, w world) (config.Settings, []string, error) {
	return config.Load(config.Source{Flags: f.Given(), Environ: w.environ, ReadFile: os.ReadFile})
}
