package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
)

// A move carries a SQLite database over to PostgreSQL while no server works with
// either. It can be cut off at any line and is run again:
//
//   - The source gets a mark with the move's number, and the target a table with
//     the same number, which is there until the move has ended. A server refuses a
//     target that has the table.
//   - Each table is copied in the order of its primary key, some rows at a time.
//     How many the target has is where it goes on. If a server has worked with the
//     source meanwhile, which takes the mark off, it begins anew.
//   - At the end all rows of both are read and compared. Then the source is marked
//     as moved, so that no server works with it any more, and last the target's
//     table goes.

// MetaMove marks a database that is being moved, or has been.
const MetaMove = "move"

// moveMark is the value of MetaMove.
type moveMark struct {
	Run  string `json:"run"`
	To   string `json:"to"` // for people
	Done bool   `json:"done"`
}

// MoveOptions says what is moved where.
type MoveOptions struct {
	Path string // of the SQLite file
	URL  string // of the PostgreSQL database

	// Progress is told how many rows of a table are in the target. It may be nil.
	Progress func(table string, done, total int64)
}

// moving is one under way.
type moving struct {
	MoveOptions
	from   *Store
	to     *Store
	tables []movedTable
	mark   moveMark
	kept   []byte // the mark as the source has it; empty: none
}

// Move carries a database over. It refuses a target that holds anything but what
// an earlier run of the same move has left, and a source that is in use.
func Move(ctx context.Context, o MoveOptions) (err error) {
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	if _, err := os.Stat(o.Path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("store: move: there is no SQLite database at %s", o.Path)
	}
	m := moving{MoveOptions: o}
	if m.from, err = open(ctx, Options{Path: o.Path}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.from.Close()) }()
	m.to = &Store{now: time.Now, dialect: postgres()}
	if err := m.to.connect(o.URL, map[string]string{"idle_in_transaction_session_timeout": "0"}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.to.Close()) }()
	return m.to.alone(ctx, func(ctx context.Context) error {
		if err := m.run(ctx); err != nil {
			return fmt.Errorf("store: move: %w", err)
		}
		return nil
	})
}

func (m *moving) run(ctx context.Context) error {
	if err := m.to.migratePostgres(ctx); err != nil {
		return err
	}
	var err error
	if m.tables, err = m.list(ctx); err != nil {
		return err
	}
	if err := m.begin(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{m.copyAll, m.compareAll, m.finish} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// begin finds out whether the target holds a beginning of this move, or makes one.
func (m *moving) begin(ctx context.Context) error {
	seed, err := m.from.Meta(ctx, MetaSeed)
	if errors.Is(err, ErrNotFound) {
		return errors.New("no server has worked with the SQLite database yet: there is nothing to move, start one on PostgreSQL")
	}
	if err != nil {
		return err
	}
	if m.kept, m.mark, err = m.from.moved(ctx); err != nil {
		return err
	}
	sum := sha256.Sum256(seed)
	installation := hex.EncodeToString(sum[:])
	begun, theirs, run, err := m.to.beingMoved(ctx)
	switch {
	case err != nil:
		return err
	case begun && theirs != installation:
		return errors.New("the PostgreSQL database holds the beginning of another installation's move: empty it, or name another")
	case begun && m.mark.Run == run:
		return nil
	case m.mark.Done:
		return fmt.Errorf("the SQLite database was moved already, to %s", m.mark.To)
	case !begun:
		if err := m.to.empty(ctx); err != nil {
			return err
		}
	}
	return m.beginAnew(ctx, installation)
}

// beginAnew marks source and target, and empties the target of what a former
// beginning, or a migration, has put there.
func (m *moving) beginAnew(ctx context.Context, installation string) error {
	m.mark = moveMark{Run: rand.Text(), To: m.place()}
	if err := m.keepMark(ctx); err != nil {
		return err
	}
	return m.to.update(ctx, "begin a move", func(tx *sql.Tx) error {
		all := []statement{
			{`DROP TABLE IF EXISTS selvedge_move`, nil},
			{`CREATE TABLE selvedge_move (installation TEXT NOT NULL, run TEXT NOT NULL)`, nil},
			{`INSERT INTO selvedge_move (installation, run) VALUES (?, ?)`, []any{installation, m.mark.Run}},
		}
		for _, t := range m.tables {
			all = append(all, statement{`TRUNCATE ` + t.quoted() + ` CASCADE`, nil})
		}
		return execAll(ctx, tx, all)
	})
}

// keepMark writes the mark into the source.
func (m *moving) keepMark(ctx context.Context) error {
	value, err := json.Marshal(m.mark)
	if err != nil {
		return err
	}
	err = m.from.update(ctx, "mark a move", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, MetaMove, value)
		return err
	})
	m.kept = value
	return err
}

// place names the target for people, without a password.
func (m *moving) place() string {
	c, err := pgx.ParseConfig(m.URL)
	if err != nil { // it was read before
		return "PostgreSQL"
	}
	return fmt.Sprintf("the database %s at %s", c.Database, c.Host)
}

// finish makes the target one that servers work with, and the source one that
// they refuse.
func (m *moving) finish(ctx context.Context) error {
	for _, t := range m.tables {
		if err := m.number(ctx, t); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	m.mark.Done = true
	if err := m.keepMark(ctx); err != nil {
		return err
	}
	_, err := m.to.writer.ExecContext(ctx, `DROP TABLE selvedge_move`)
	return err
}

// moved reads the mark of a SQLite database.
func (s *Store) moved(ctx context.Context) (value []byte, m moveMark, err error) {
	value, err = s.Meta(ctx, MetaMove)
	if errors.Is(err, ErrNotFound) {
		return nil, m, nil
	}
	if err == nil {
		err = json.Unmarshal(value, &m)
	}
	return value, m, err
}

// beingMoved reads what a PostgreSQL database has of a move that has not ended.
func (s *Store) beingMoved(ctx context.Context) (begun bool, installation, run string, err error) {
	err = s.writer.QueryRowContext(ctx, `SELECT to_regclass('selvedge_move') IS NOT NULL`).Scan(&begun)
	if err != nil || !begun {
		return false, "", "", err
	}
	err = s.writer.QueryRowContext(ctx, `SELECT installation, run FROM selvedge_move`).Scan(&installation, &run)
	return true, installation, run, err
}

// empty refuses a database that a server has worked with: the first thing that
// one does is to keep its keys' values.
func (s *Store) empty(ctx context.Context) error {
	var n int64
	if err := s.writer.QueryRowContext(ctx, `SELECT count(*) FROM meta`).Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		return errors.New("the PostgreSQL database is not empty: a server has worked with it")
	}
	return nil
}

// serves refuses a database that a move has left, or has not done with. Opening
// the source of a move that has not ended gives that up: it begins anew.
func (s *Store) serves(ctx context.Context) error {
	mark, err := s.unserved(ctx)
	if err != nil || mark == nil {
		return err
	}
	_, err = s.SwapMeta(ctx, MetaMove, mark, nil)
	return err
}

// unserved is why no server may work with the database. It returns the mark of a
// move out of it that has not ended.
func (s *Store) unserved(ctx context.Context) (mark []byte, err error) {
	if s.dialect.goose == goose.DialectPostgres {
		begun, _, _, err := s.beingMoved(ctx)
		if err != nil {
			return nil, fmt.Errorf("store: look for a move: %w", err)
		}
		if begun {
			return nil, errors.New("store: a move into this database has not ended: run selvedge move again")
		}
		return nil, nil
	}
	mark, m, err := s.moved(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: look for a move: %w", err)
	}
	if m.Done {
		return nil, fmt.Errorf("store: this database was moved to %s: start the server with --database-url, or put a backup from before the move in its place", m.To)
	}
	return mark, nil
}
