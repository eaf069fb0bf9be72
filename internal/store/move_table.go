package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// The bounds of what is copied at once.
const (
	moveRows  = 10_000
	moveBytes = 8 << 20
)

// movedTable is a table as both databases have it.
type movedTable struct {
	name    string
	columns []movedColumn
	key     []string // of the primary key, in its order
}

type movedColumn struct {
	name     string
	kind     string // PostgreSQL's
	null     bool
	identity bool
}

func quote(names ...string) string {
	for i := range names {
		names[i] = `"` + names[i] + `"`
	}
	return strings.Join(names, ", ")
}

func (t movedTable) quoted() string { return quote(t.name) }

func (t movedTable) names() []string {
	var all []string
	for _, c := range t.columns {
		all = append(all, c.name)
	}
	return all
}

// where leaves out what belongs to one of the databases alone.
func (t movedTable) where() string {
	if t.name == "meta" {
		return ` WHERE name <> '` + MetaMove + `'`
	}
	return ""
}

// list finds the tables of both databases, those that others refer to first, and
// refuses when the two do not have the same.
func (m *moving) list(ctx context.Context) ([]movedTable, error) {
	names, err := m.ordered(ctx)
	if err != nil {
		return nil, err
	}
	theirs, err := list(ctx, m.to.writer, "list tables", text, `SELECT table_name FROM information_schema.tables
		WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND table_name NOT IN ('goose_db_version', 'selvedge_move')`)
	if err != nil {
		return nil, err
	}
	ours := slices.Clone(names)
	slices.Sort(ours)
	slices.Sort(theirs)
	if !slices.Equal(ours, theirs) {
		return nil, fmt.Errorf("the databases have other tables than each other: %v and %v", ours, theirs)
	}
	tables := make([]movedTable, len(names))
	for i, name := range names {
		if tables[i], err = m.describe(ctx, name); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return tables, nil
}

func text(row scanner) (s string, err error) { return s, row.Scan(&s) }

// ordered lists the source's tables, each behind those that it refers to.
func (m *moving) ordered(ctx context.Context) ([]string, error) {
	names, err := list(ctx, m.from.reader, "list tables", text, `SELECT name FROM sqlite_master WHERE type = 'table'
		AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name <> 'goose_db_version' ORDER BY name`)
	if err != nil {
		return nil, err
	}
	var done []string
	for len(done) < len(names) {
		before := len(done)
		for _, name := range names {
			parents, err := list(ctx, m.from.reader, "list references", text, `SELECT DISTINCT "table" FROM pragma_foreign_key_list(?)`, name)
			if err != nil {
				return nil, err
			}
			waits := slices.ContainsFunc(parents, func(p string) bool { return p != name && !slices.Contains(done, p) })
			if !waits && !slices.Contains(done, name) {
				done = append(done, name)
			}
		}
		if len(done) == before {
			return nil, errors.New("tables refer to each other in a circle")
		}
	}
	return done, nil
}

// describe reads the columns of a table, which must be the same in both.
func (m *moving) describe(ctx context.Context, name string) (movedTable, error) {
	t := movedTable{name: name}
	var err error
	t.columns, err = list(ctx, m.to.writer, "list columns", func(row scanner) (c movedColumn, err error) {
		return c, row.Scan(&c.name, &c.kind, &c.null, &c.identity)
	}, `SELECT column_name, data_type, is_nullable = 'YES', is_identity = 'YES' FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name = ? ORDER BY ordinal_position`, name)
	if err != nil {
		return t, err
	}
	ours, err := list(ctx, m.from.reader, "list columns", text, `SELECT name FROM pragma_table_info(?) ORDER BY name`, name)
	if err != nil {
		return t, err
	}
	theirs := t.names()
	slices.Sort(theirs)
	if !slices.Equal(ours, theirs) {
		return t, fmt.Errorf("the databases have other columns than each other: %v and %v", ours, theirs)
	}
	t.key, err = list(ctx, m.from.reader, "list keys", text, `SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk`, name)
	if err == nil && len(t.key) == 0 {
		err = errors.New("it has no primary key: its rows cannot be copied in an order")
	}
	return t, err
}

// convert makes of a value as SQLite gives it the one that PostgreSQL keeps.
func (c movedColumn) convert(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		switch {
		case c.null:
			return nil, nil
		case c.kind == "bytea":
			return []byte{}, nil
		}
	case int64:
		if c.kind == "bigint" {
			return v, nil
		}
	case string:
		switch c.kind {
		case "text":
			return storableText(v), nil
		case "bytea":
			return []byte(v), nil
		}
	case []byte:
		switch c.kind {
		case "text":
			return storableText(string(v)), nil
		case "bytea":
			return blob(v), nil // of an empty one, SQLite's driver gives nil
		}
	}
	return nil, fmt.Errorf("the column %s has a value of type %T, for which PostgreSQL has %s", c.name, v, c.kind)
}

// copyAll copies what the target has not got yet.
func (m *moving) copyAll(ctx context.Context) error {
	for _, t := range m.tables {
		if err := m.copyTable(ctx, t); err != nil {
			return fmt.Errorf("copy %s: %w", t.name, err)
		}
	}
	return nil
}

func (m *moving) copyTable(ctx context.Context, t movedTable) error {
	var done, total int64
	if err := m.to.writer.QueryRowContext(ctx, `SELECT count(*) FROM `+t.quoted()).Scan(&done); err != nil {
		return err
	}
	if err := m.from.reader.QueryRowContext(ctx, `SELECT count(*) FROM `+t.quoted()+t.where()).Scan(&total); err != nil {
		return err
	}
	m.Progress(t.name, done, total)
	rows, err := m.from.reader.QueryContext(ctx, `SELECT `+quote(t.names()...)+` FROM `+t.quoted()+t.where()+
		` ORDER BY `+quote(slices.Clone(t.key)...)+` LIMIT -1 OFFSET ?`, done)
	if err != nil {
		return err
	}
	defer rows.Close()
	source := &rowSource{movedRows: movedRows{table: t, rows: rows}}
	for !source.ended {
		source.left, source.room = moveRows, moveBytes
		n, err := m.copySome(ctx, t, source)
		if err != nil {
			return err
		}
		done += n
		m.Progress(t.name, done, total)
	}
	return rows.Err()
}

// copySome is one statement, which leaves all of its rows or none.
func (m *moving) copySome(ctx context.Context, t movedTable, rows pgx.CopyFromSource) (n int64, err error) {
	conn, err := m.to.writer.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	err = conn.Raw(func(c any) error {
		pg, ok := c.(*postgresConn)
		if !ok {
			return fmt.Errorf("a connection of type %T", c)
		}
		n, err = pg.Conn.Conn().CopyFrom(ctx, pgx.Identifier{t.name}, t.names(), rows)
		return err
	})
	return n, err
}

// movedRows reads rows of the source as the target has them.
type movedRows struct {
	table  movedTable
	rows   *sql.Rows
	values []any
	bytes  int
}

func (r *movedRows) next() (bool, error) {
	if !r.rows.Next() {
		return false, r.rows.Err()
	}
	if r.values == nil {
		r.values = make([]any, len(r.table.columns))
	}
	into := make([]any, len(r.values))
	for i := range into {
		into[i] = &r.values[i]
	}
	if err := r.rows.Scan(into...); err != nil {
		return false, err
	}
	for i, c := range r.table.columns {
		var err error
		if r.values[i], err = c.convert(r.values[i]); err != nil {
			return false, err
		}
		switch v := r.values[i].(type) {
		case []byte:
			r.bytes += len(v)
		case string:
			r.bytes += len(v)
		}
	}
	return true, nil
}

// rowSource gives rows to a COPY until it has had enough.
type rowSource struct {
	movedRows
	left, room int
	ended      bool
	err        error
}

// Next reads the next row.
func (s *rowSource) Next() bool {
	if s.left == 0 || s.bytes >= s.room {
		s.bytes = 0
		return false
	}
	s.left--
	var more bool
	more, s.err = s.next()
	s.ended = !more
	return more
}

// Values is the row.
func (s *rowSource) Values() ([]any, error) { return s.values, nil }

// Err is why there is no next row.
func (s *rowSource) Err() error { return s.err }

// compareAll reads every row of both databases.
func (m *moving) compareAll(ctx context.Context) error {
	for _, t := range m.tables {
		query := `SELECT ` + quote(t.names()...) + ` FROM ` + t.quoted()
		ours, err := digestOf(ctx, t, m.from.reader, query+t.where())
		if err != nil {
			return fmt.Errorf("read %s of SQLite: %w", t.name, err)
		}
		theirs, err := digestOf(ctx, t, m.to.writer, query)
		if err != nil {
			return fmt.Errorf("read %s of PostgreSQL: %w", t.name, err)
		}
		if ours != theirs {
			return fmt.Errorf("%s: SQLite has %d rows and PostgreSQL %d, or others: empty the PostgreSQL database and begin anew", t.name, ours.rows, theirs.rows)
		}
	}
	return nil
}

// digest is what the rows of a table are compared by: their number and the sum
// of their hashes, for which their order does not matter.
type digest struct {
	rows int64
	sum  [4]uint64
}

func digestOf(ctx context.Context, t movedTable, db *sql.DB, query string) (d digest, err error) {
	rows, err := db.QueryContext(ctx, query) //nolint:rowserrcheck // next does
	if err != nil {
		return d, err
	}
	defer rows.Close()
	r := movedRows{table: t, rows: rows}
	var buf []byte
	for {
		more, err := r.next()
		if err != nil || !more {
			return d, err
		}
		buf = appendValues(buf[:0], r.values)
		h := sha256.Sum256(buf)
		d.rows++
		for i := range d.sum {
			d.sum[i] += binary.BigEndian.Uint64(h[8*i:])
		}
	}
}

// appendValues writes values so that no two rows are written alike.
func appendValues(b []byte, values []any) []byte {
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			b = append(b, 'n')
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v))
		case string:
			b = append(binary.BigEndian.AppendUint64(append(b, 't'), uint64(len(v))), v...)
		case []byte:
			b = append(binary.BigEndian.AppendUint64(append(b, 'b'), uint64(len(v))), v...)
		}
	}
	return b
}

// number lets the numbers that the target gives go on behind the source's, those
// of rows that are gone included.
func (m *moving) number(ctx context.Context, t movedTable) error {
	for _, c := range t.columns {
		if !c.identity {
			continue
		}
		var last int64
		err := m.from.reader.QueryRowContext(ctx, `SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0),
			coalesce((SELECT max(`+quote(c.name)+`) FROM `+t.quoted()+`), 0))`, t.name).Scan(&last)
		if err != nil {
			return err
		}
		if last < 1 || last == math.MaxInt64 {
			continue
		}
		if _, err := m.to.writer.ExecContext(ctx, `SELECT setval(pg_get_serial_sequence(?, ?), ?)`, t.quoted(), c.name, last); err != nil {
			return err
		}
	}
	_, err := m.to.writer.ExecContext(ctx, `ANALYZE `+t.quoted())
	return err
}
