package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"unicode"

	"selvedge/internal/config"
)

// serveCmd runs the server.
type serveCmd struct {
	config.Flags
}

// Run serves until it is stopped.
func (c serveCmd) Run(ctx context.Context, w world) error {
	s, warnings, err := settings(c.Flags, w)
	if err != nil {
		return err
	}
	log := logger(w.stderr, s)
	for _, warning := range warnings {
		log.Warn(warning)
	}
	v, err := newServer(ctx, s, log)
	if err != nil {
		return err
	}
	if err := greet(w.stdout, v); err != nil {
		return err
	}
	return v.run(ctx)
}

func logger(out io.Writer, s config.Settings) *slog.Logger {
	o := &slog.HandlerOptions{Level: s.LogLevel}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(out, o))
	}
	return slog.New(slog.NewTextHandler(out, o))
}

// greet prints what a user needs to reach the server with a browser and with any
// AWS client.
func greet(out io.Writer, v *server) error {
	credentials, err := filepath.Abs(credentialsFile(v.settings))
	if err != nil {
		return fmt.Errorf("find the credentials file: %w", err)
	}
	_, err = fmt.Fprintf(out, `Selvedge is listening at %s.
Its console is at %s: sign in with the access key in %s
To use it with the AWS CLI, an SDK or Terraform:

export AWS_SHARED_CREDENTIALS_FILE=%s
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export AWS_ENDPOINT_URL_APPFABRIC=%s

`, v.url, v.consoleURL(), credentials, shellQuote(credentials), v.url)
	return err
}

// consoleURL is the console's first page.
func (v *server) consoleURL() string { return v.url + "/console/" }

// shellQuote quotes a word where a shell would not take it as it is.
func shellQuote(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("/._-+:@%", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}
