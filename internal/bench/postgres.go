package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// The PostgreSQL server, where the machine has one.
const (
	postgresVariable = "SELVEDGE_BENCH_POSTGRES"
	postgresDefault  = "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"
)

// onPostgreSQL measures in a schema of its own, which is removed afterwards.
// Without a server it says so in a row.
func (b *bench) onPostgreSQL(ctx context.Context, hello *helloServer, sizes []int, create bool) ([]row, error) {
	address := os.Getenv(postgresVariable)
	if address == "" {
		address = postgresDefault
	}
	schema := "bench_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	database, err := inSchema(address, schema)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", postgresVariable, err)
	}
	db, err := dial(ctx, address)
	if err != nil {
		return []row{{name: "PostgreSQL", note: "skipped, no server answers: " + err.Error()}}, nil
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }() // nothing is left to be written
	if _, err := db.Exec(ctx, `CREATE SCHEMA `+schema); err != nil {
		return nil, err
	}
	rows, err := b.inSchema(ctx, database, hello, sizes, create, func(ctx context.Context) error {
		_, err := db.Exec(ctx, `ANALYZE `+schema+`.app_authorization, `+schema+`.app_grant`)
		return err
	})
	_, gone := db.Exec(context.WithoutCancel(ctx), `DROP SCHEMA `+schema+` CASCADE`)
	return rows, errors.Join(err, gone)
}

func dial(ctx context.Context, address string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return pgx.Connect(ctx, address)
}

// inSchema is the address of a schema of the database.
func inSchema(address, schema string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.New("this is no URL") // the error would show the password
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// inSchema measures after the statistics of the tables are made, which the
// server itself does every minute.
func (b *bench) inSchema(ctx context.Context, database string, hello *helloServer, sizes []int, create bool, settle func(context.Context) error) ([]row, error) {
	// In the environment: the URL may have a password.
	s, err := b.serveWith(ctx, b.folder(), []string{"SELVEDGE_DATABASE_URL=" + database})
	if err != nil {
		return nil, err
	}
	l := &loads{b: b, s: s, database: "PostgreSQL", hello: hello, settle: settle}
	if err := l.grow(ctx, sizes, create); err != nil {
		return nil, errors.Join(err, s.kill())
	}
	return l.rows, s.stop()
}
