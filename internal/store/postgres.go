package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// The connections of one process. PostgreSQL's own default is a hundred for
// all: https://www.postgresql.org/docs/15/runtime-config-connection.html
// (checked 2026-11-22).
const (
	pgWriters = 10
	pgReaders = 6
)

// idleTime is after how long a connection that nobody uses is given back.
const idleTime = 5 * time.Minute

// oldestPostgres is the oldest version that the tests run on.
const oldestPostgres = 150000

// sessions are the settings of every connection, unless the URL has its own. A
// process that is stopped within a transaction must not keep its rows for as
// long as a lease.
func sessions() map[string]string {
	return map[string]string{
		"application_name":                    "selvedge",
		"idle_in_transaction_session_timeout": "2s",
		"lock_timeout":                        "10s",
	}
}

// connect makes the pools of connections, with settings that are not those of
// sessions. Nothing is called yet.
func (s *Store) connect(url string, settings map[string]string) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("store: %w", err) // pgx leaves the password out
	}
	for name, value := range sessions() {
		if _, ok := config.RuntimeParams[name]; !ok {
			config.RuntimeParams[name] = value
		}
	}
	maps.Copy(config.RuntimeParams, settings)
	config.RuntimeParams["default_transaction_isolation"] = "read committed"
	s.writer = openPool(*config, pgWriters)
	s.reader = openPool(*config, pgReaders)
	return nil
}

func openPool(config pgx.ConnConfig, conns int) *sql.DB {
	db := sql.OpenDB(connector{stdlib.GetConnector(config, stdlib.OptionAfterConnect(durable))})
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(idleTime)
	return db
}

// durable makes a commit wait for the disk where the server's default is not
// to; a stricter default stays.
func durable(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false)
		WHERE current_setting('synchronous_commit') = 'off'`)
	return err
}

// alone runs f while no other replica does: they may all start at once.
func (s *Store) alone(ctx context.Context, f func(context.Context) error) error {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return fmt.Errorf("store: connect to PostgreSQL: %w", err)
	}
	defer conn.Close()
	// The lock ends with its connection, which is not used for anything else.
	defer func() { _ = conn.Raw(func(any) error { return driver.ErrBadConn }) }()
	for _, q := range []string{
		`SET lock_timeout = 0`,
		`SELECT pg_advisory_lock(hashtextextended('selvedge migrations ' || current_schema(), 0))`,
	} {
		if _, err := conn.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("store: wait for other replicas: %w", err)
		}
	}
	return f(ctx)
}

// migratePostgres refuses a schema in which another program has tables. Views
// are extensions' doing, and the table of versions alone is what a first start
// leaves that was killed.
func (s *Store) migratePostgres(ctx context.Context) error {
	var version, tables, ours int64
	err := s.writer.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::bigint, count(*),
		count(*) FILTER (WHERE table_name = 'app_authorization')
		FROM information_schema.tables WHERE table_schema = current_schema()
		AND table_type = 'BASE TABLE' AND table_name <> 'goose_db_version'`).Scan(&version, &tables, &ours)
	switch {
	case err != nil:
		return fmt.Errorf("store: read the PostgreSQL database: %w", err)
	case version < oldestPostgres:
		return fmt.Errorf("store: the server is PostgreSQL %d: version %d or later is needed", version/10000, oldestPostgres/10000)
	case tables > 0 && ours == 0:
		return errors.New("store: the PostgreSQL database holds tables of another program: give Selvedge a database, or a schema (search_path), of its own")
	}
	return s.migrate(ctx)
}

// passing says of an error whether it comes of the order in which concurrent
// transactions ran: a deadlock, a row that another made or deleted meanwhile.
// https://www.postgresql.org/docs/15/errcodes-appendix.html (checked 2026-11-22)
func passing(err error) bool {
	const (
		foreignKeyViolation  = "23503"
		uniqueViolation      = "23505"
		serializationFailure = "40001"
		deadlockDetected     = "40P01"
	)
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains([]string{foreignKeyViolation, uniqueViolation, serializationFailure, deadlockDetected}, pg.Code)
}

// connector makes connections that take the store's SQL.
type connector struct{ driver.Connector }

// Connect opens a connection.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	pg, ok := conn.(*stdlib.Conn)
	if !ok {
		return nil, fmt.Errorf("store: a connection of type %T", conn)
	}
	return &postgresConn{pg}, nil
}

// postgresConn is pgx's connection over the store's SQL.
type postgresConn struct{ *stdlib.Conn }

// PrepareContext rewrites and prepares a statement.
func (c *postgresConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return c.Conn.PrepareContext(ctx, rebind(query))
}

// ExecContext rewrites and runs a statement.
func (c *postgresConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.ExecContext(ctx, rebind(query), storable(args))
}

// QueryContext rewrites and runs a query.
func (c *postgresConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.QueryContext(ctx, rebind(query), storable(args))
}

// rebind turns placeholders from ? to $1, $2 and so on, and the empty blob into
// an empty bytea. Question marks in quoted text stay.
func rebind(query string) string {
	query = strings.ReplaceAll(query, "x''", "''::bytea")
	var b strings.Builder
	b.Grow(len(query) + 16)
	args, quoted := 0, false
	for _, c := range []byte(query) {
		if c == '\'' {
			quoted = !quoted
		}
		if c != '?' || quoted {
			b.WriteByte(c)
			continue
		}
		args++
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(args))
	}
	return b.String()
}

// storable replaces what PostgreSQL's text cannot hold and SQLite's can: zero
// bytes and bytes that are no UTF-8.
// https://www.postgresql.org/docs/15/datatype-character.html (checked 2026-11-22)
func storable(args []driver.NamedValue) []driver.NamedValue {
	for i := range args {
		if text, ok := args[i].Value.(string); ok {
			args[i].Value = storableText(text)
		}
	}
	return args
}

func storableText(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
