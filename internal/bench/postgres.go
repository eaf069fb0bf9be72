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

// postgres is a schema of a database.
type postgres struct {
	db      *pgx.Conn
	name    string
	address string
}

// env is the setting; the URL may have a password.
func (p postgres) env() []string { return []string{"SELVEDGE_DATABASE_URL=" + p.address} }

// onPostgreSQL measures the API, after the statistics of the tables are made,
// which the server itself does every minute.
func (b *bench) onPostgreSQL(ctx context.Context, hello *helloServer, sizes []int, create bool) ([]row, error) {
	return b.withPostgreSQL(ctx, func(ctx context.Context, p postgres) ([]row, error) {
		s, err := b.serveWith(ctx, b.folder(), p.env())
		if err != nil {
			return nil, err
		}
		settle := func(ctx context.Context) error {
			_, err := p.db.Exec(ctx, `ANALYZE `+p.name+`.app_authorization, `+p.name+`.app_grant`)
			return err
		}
		l := &loads{b: b, s: s, database: "PostgreSQL", hello: hello, settle: settle}
		if err := l.grow(ctx, sizes, create); err != nil {
			return nil, errors.Join(err, s.kill())
		}
		return l.rows, s.stop()
	})
}

// withPostgreSQL measures in a schema of its own, which is removed afterwards.
// Without a server it says so in a row.
func (b *bench) withPostgreSQL(ctx context.Context, measure func(context.Context, postgres) ([]row, error)) ([]row, error) {
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
	rows, err := measure(ctx, postgres{db: db, name: schema, address: database})
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
