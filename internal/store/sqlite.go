package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
)

// maxKept is more than the store has statements: a bound for whatever would
// make the text of one up from values.
const maxKept = 256

// keepingConnector makes connections that keep their statements compiled.
type keepingConnector struct{ driver.Connector }

// Connect opens a connection.
func (c keepingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	lite, ok := conn.(sqliteConn)
	pooled, also := conn.(pooledConn)
	if !ok || !also {
		return nil, errors.Join(fmt.Errorf("store: a connection of type %T", conn), conn.Close())
	}
	return &keepingConn{sqliteConn: lite, pooledConn: pooled, kept: make(map[string]*keptStatement)}, nil
}

// sqliteConn is what a connection of the driver can do for the store.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
}

// pooledConn is what it can do for package sql's pool.
type pooledConn interface {
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// keepingConn is SQLite's connection, which compiles each statement once: to
// compile one takes as long as to run it. A change of the schema makes SQLite
// compile it again by itself. Like every connection it is used by one goroutine
// at a time, which package sql sees to, closing of rows included.
type keepingConn struct {
	sqliteConn
	pooledConn
	kept map[string]*keptStatement // by its text
}

type keptStatement struct {
	run  sqliteStatement
	busy bool // its rows are being read
}

// sqliteStatement is what a statement of the driver can do.
type sqliteStatement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// statement returns the compiled statement, which is nil where the connection must
// compile one for the occasion: there are rows of it under way, or it is none
// of those that come again and again.
func (c *keepingConn) statement(ctx context.Context, query string) (*keptStatement, error) {
	k, ok := c.kept[query]
	switch {
	case ok && k.busy, !ok && (len(c.kept) >= maxKept || !recurs(query)):
		return nil, nil
	case ok:
		return k, nil
	}
	stmt, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	run, ok := stmt.(sqliteStatement)
	if !ok {
		return nil, errors.Join(fmt.Errorf("store: a statement of type %T", stmt), stmt.Close())
	}
	k = &keptStatement{run: run}
	c.kept[query] = k
	return k, nil
}

// recurs leaves out pragmas and the scripts of migrations.
func recurs(query string) bool {
	verb, _, _ := strings.Cut(query, " ")
	switch verb {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "SAVEPOINT", "RELEASE":
		return true
	}
	return false
}

// ExecContext runs a statement.
func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	k, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	return k.run.ExecContext(ctx, args)
}

// QueryContext runs a query.
func (c *keepingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	k, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	rows, err := k.run.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	k.busy = true
	return &keptRows{rows, k}, nil
}

// Close closes the statements and the connection.
func (c *keepingConn) Close() error {
	var errs []error
	for _, k := range c.kept {
		errs = append(errs, k.run.Close())
	}
	clear(c.kept)
	return errors.Join(append(errs, c.sqliteConn.Close())...)
}

// keptRows are the rows of a statement that is kept.
type keptRows struct {
	driver.Rows
	of *keptStatement
}

// Close makes the statement free again.
func (r *keptRows) Close() error {
	r.of.busy = false
	return r.Rows.Close()
}
