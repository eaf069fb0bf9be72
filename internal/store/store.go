package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	sqlite3 "modernc.org/sqlite"

	"selvedge/internal/fabric"
)

//go:embed migrations
var migrations embed.FS

// applicationID marks a SQLite file as Selvedge's ("Selv" in ASCII), so that a
// foreign database is refused before anything is written to it.
const applicationID = 0x53656c76

// ErrNotFound is the answer for a row that is not there, or not the caller's.
var ErrNotFound = errors.New("store: not found")

// ErrExists is the answer for a row that would be there twice.
var ErrExists = errors.New("store: exists")

// ErrFenced refuses a write of a duty whose claim is no longer the newest.
var ErrFenced = errors.New("store: fenced off: another claim has been made")

// Options says where the store is.
type Options struct {
	URL  string // of a PostgreSQL database, postgres://...; empty: SQLite
	Path string // of the SQLite file, beside which the lock is; its folder exists. Empty: no lock

	// Now is the clock. Nil: the host's, but leases and due times of duties on
	// PostgreSQL, which replicas compare, run by the database's.
	Now func() time.Time
}

// Store is the database. It is safe for concurrent use.
type Store struct {
	writer  *sql.DB
	reader  *sql.DB
	lock    *os.File // of SQLite
	path    string   // of SQLite's file
	backing sync.Mutex
	now     func() time.Time
	dialect dialect
	group   *group // of SQLite
}

// Open opens the database, makes it on first use and brings its schema up to
// date. Where there is a Path it holds a lock beside it until Close, and refuses
// when another process has it: SQLite serves one process, and so does the folder
// of a server on PostgreSQL, which itself serves any number.
func Open(ctx context.Context, o Options) (*Store, error) {
	s, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := s.serves(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// open is Open for whoever moves a database too.
func open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{now: o.Now, dialect: sqlite()}
	if o.Now == nil {
		s.now = time.Now
	}
	var err error
	if o.Path != "" {
		if s.lock, err = lockFile(o.Path + ".lock"); err != nil {
			return nil, err
		}
	}
	if o.URL != "" {
		s.dialect = postgres()
		if o.Now == nil {
			s.dialect.epoch = databaseEpoch
		}
		err := s.connect(o.URL, nil)
		if err == nil {
			err = s.alone(ctx, s.migratePostgres)
		}
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		return s, nil
	}
	if err := s.openSQLite(ctx, o.Path); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) openSQLite(ctx context.Context, path string) error {
	s.path = path
	if err := dropCopies(path); err != nil {
		return fmt.Errorf("store: remove what a backup left: %w", err)
	}
	if err := createPrivate(path); err != nil {
		return fmt.Errorf("store: create %s: %w", path, err)
	}
	var err error
	if s.writer, err = openSQLite(path, 1, false); err != nil {
		return err
	}
	if s.reader, err = openSQLite(path, 4, true); err != nil {
		return err
	}
	s.group = &group{db: s.writer}
	if err := s.claimFile(ctx, path); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	return s.voidLeases(ctx)
}

// createPrivate makes the file with access for its owner alone, which SQLite
// would not do by itself.
func createPrivate(path string) error {
	f, err := os.OpenFile(filepath.Clean(path), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func openSQLite(path string, conns int, readOnly bool) (*sql.DB, error) {
	q := url.Values{
		"_pragma": {
			"busy_timeout(10000)", "auto_vacuum(INCREMENTAL)", "journal_mode(WAL)",
			"synchronous(FULL)", "foreign_keys(ON)", "temp_store(MEMORY)",
		},
		"_timezone": {"UTC"},
	}
	if readOnly {
		q.Set("_pragma", "busy_timeout(10000)")
		q.Add("_pragma", "query_only(ON)")
	} else {
		q.Set("_txlock", "immediate")
	}
	c, err := sqlite3.NewConnector((&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("store: open %s: %w", path, err)
	}
	db := sql.OpenDB(keepingConnector{c})
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// claimFile refuses a database that is not Selvedge's, and marks a new one.
func (s *Store) claimFile(ctx context.Context, path string) error {
	var id, tables int64
	if err := s.writer.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&id); err != nil {
		return fmt.Errorf("store: %s cannot be read as a SQLite database: %w", path, err)
	}
	if err := s.writer.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master`).Scan(&tables); err != nil {
		return fmt.Errorf("store: %s cannot be read as a SQLite database: %w", path, err)
	}
	if id == applicationID {
		return nil
	}
	if tables != 0 || id != 0 {
		return fmt.Errorf("store: %s is a database of another program: move it away or choose another data directory", path)
	}
	_, err := s.writer.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id = %d`, applicationID))
	if err != nil {
		return fmt.Errorf("store: mark %s: %w", path, err)
	}
	return nil
}

func (s *Store) migrate(ctx context.Context) error {
	dir, err := fs.Sub(migrations, s.dialect.migrations)
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	p, err := goose.NewProvider(s.dialect.goose, s.writer, dir)
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	switch has, knows, err := p.GetVersions(ctx); {
	case err != nil:
		return fmt.Errorf("store: version of the database: %w", err)
	case has > knows:
		return fmt.Errorf("store: the database was made by a newer version of Selvedge (its schema is %d, this one knows %d): use that version or a later one", has, knows)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("store: migrate: %w", err)
	}
	return nil
}

// Close closes the database and gives its lock up.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.reader, s.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.reader.PingContext(ctx); err != nil {
		return fmt.Errorf("store: ping: %w", err)
	}
	return nil
}

// tries is how often a transaction is run that others stand in the way of.
const tries = 4

// update runs f in one transaction, committed when f returns nil; on SQLite it
// is immediate, and those that wait for the writer share a commit. f may run
// again, in a new transaction, and in another goroutine: it must not count on
// what a run that failed left in variables.
func (s *Store) update(ctx context.Context, op string, f func(tx *sql.Tx) error) error {
	err := s.transact(ctx, op, f)
	for range tries - 1 {
		if err == nil || !s.dialect.passing(err) {
			break
		}
		err = s.transact(ctx, op, f)
	}
	return err
}

// change is update for what a caller asks for: the changes of one account and
// Region take turns, so that each sees what those before it have done.
func (s *Store) change(ctx context.Context, c fabric.Caller, op string, f func(tx *sql.Tx) error) error {
	return s.update(ctx, op, func(tx *sql.Tx) error {
		if err := lock(ctx, tx, s.dialect.lockCaller, c.Account, c.Region); err != nil {
			return err
		}
		return f(tx)
	})
}

// lock runs a statement of the dialect that makes transactions take turns.
func lock(ctx context.Context, tx *sql.Tx, statement string, args ...any) error {
	if statement == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, statement, args...)
	return err
}

func (s *Store) transact(ctx context.Context, op string, f func(tx *sql.Tx) error) error {
	if s.group != nil {
		return s.group.transact(ctx, op, f)
	}
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("store: %s: begin: %w", op, err)
	}
	if err := f(tx); err != nil {
		return errors.Join(fmt.Errorf("store: %s: %w", op, err), ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("store: %s: commit: %w", op, err)
	}
	return nil
}

// ignoreDone drops the error of rolling back a transaction that has ended with
// its context.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// statement is one of several that go together.
type statement struct {
	sql  string
	args []any
}

func execAll(ctx context.Context, tx *sql.Tx, all []statement) error {
	for _, q := range all {
		if _, err := tx.ExecContext(ctx, q.sql, q.args...); err != nil {
			return err
		}
	}
	return nil
}

// millis is a time as the database has it; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis is the reverse of millis.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// one turns the number of rows that a statement touched into ErrNotFound when
// it is none.
func one(res sql.Result, err error) error {
	return oneOr(res, err, ErrNotFound)
}

func oneOr(res sql.Result, err, none error) error {
	if ok, err := touched(res, err); ok || err != nil {
		return err
	}
	return none
}

// touched says whether a statement touched a row.
func touched(res sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// notFound turns the absence of a row into ErrNotFound.
func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}
