package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"selvedge/internal/config"
	"selvedge/internal/store"
)

// moveCmd carries a SQLite installation over to PostgreSQL.
type moveCmd struct {
	DataDir *string `help:"${data_dir_help}" placeholder:"DIR"`
	Config  *string `help:"${config_help}" placeholder:"FILE"`
	To      *string `help:"PostgreSQL database to move to, postgres://user@host/database; empty but for what a move that was cut off has left (default: SELVEDGE_DATABASE_URL, where a password belongs)." placeholder:"URL"`
}

// Run moves everything, or goes on where a move was cut off.
func (c moveCmd) Run(ctx context.Context, w world) error {
	s, _, err := settings(config.Flags{DataDir: c.DataDir, Config: c.Config, DatabaseURL: c.To}, w)
	if err != nil {
		return err
	}
	if s.DatabaseURL == "" {
		return errors.New("where to move is not said: give --to postgres://user@host/database, or set SELVEDGE_DATABASE_URL")
	}
	bar := progress{out: w.stdout, live: isTerminal(w.stdout)}
	last := ""
	err = store.Move(ctx, store.MoveOptions{
		Path: filepath.Join(s.DataDir, "selvedge.db"), URL: s.DatabaseURL.Reveal(),
		Progress: func(table string, done, total int64) {
			if table != last {
				bar.end()
				last = table
			}
			if !bar.live && done != total {
				return
			}
			bar.unit = " " + table
			bar.show(done, total)
		},
	})
	bar.end()
	if err != nil {
		return fmt.Errorf("%w (run the command again to go on where it stopped)", err)
	}
	_, err = fmt.Fprintf(w.stdout, "Everything is moved, counted and compared. Start the server with --database-url and the same master key (%s) and root key (%s). "+
		"The SQLite database stays where it is; no server works with it any more.\n", s.MasterKeyFile, credentialsFile(s))
	return err
}
