package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// The refusals of Backup.
var (
	ErrNotSQLite = errors.New("store: the database is PostgreSQL")
	ErrBusy      = errors.New("store: a backup is under way")
	ErrNoRoom    = errors.New("store: the disk has no room for a copy of the database")
)

// MetaBackup marks a copy of the database, with the time when it was begun. The
// database that was copied does not have it.
const MetaBackup = "backup"

// backupRoom is what a copy leaves free of the disk for the work that goes on.
const backupRoom = 64 << 20

// Copy is a copy of the whole database as it was at one moment.
type Copy struct {
	Body   *os.File // in no folder any more; whoever has the copy closes it
	Size   int64
	SHA256 [sha256.Size]byte
	Moment
}

// Moment says which state of the database a copy has.
type Moment struct {
	At time.Time // all that was committed before is in it

	// Newest is when the newest batch of the copy closed, or At where it has none:
	// objects with a later time in their names are of batches that the copy does
	// not know.
	Newest time.Time
}

// Backup copies the database while it is worked with: nobody waits for it. The
// copy takes room beside the database until it is closed. There is one at a
// time.
func (s *Store) Backup(ctx context.Context) (Copy, error) {
	if s.group == nil {
		return Copy{}, ErrNotSQLite
	}
	if !s.backing.TryLock() {
		return Copy{}, ErrBusy
	}
	defer s.backing.Unlock()
	if err := s.roomForCopy(ctx); err != nil {
		return Copy{}, err
	}
	c := Copy{Moment: Moment{At: s.now().UTC().Truncate(time.Millisecond)}}
	f, err := os.CreateTemp(filepath.Dir(s.path), filepath.Base(s.path)+copySuffix+"*") // which makes it private
	if err != nil {
		return Copy{}, fmt.Errorf("store: backup: %w", err)
	}
	c.Body = f
	err = s.copyInto(ctx, f.Name())
	if err == nil {
		err = c.mark(ctx, f.Name())
	}
	err = errors.Join(err, os.Remove(f.Name()))
	if err == nil {
		c.Size, err = sum(ctx, f, &c.SHA256)
	}
	if err != nil {
		return Copy{}, fmt.Errorf("store: backup: %w", errors.Join(err, f.Close()))
	}
	return c, nil
}

// copySuffix is in the names of copies under way.
const copySuffix = ".backup-"

// dropCopies removes what backups left that were killed.
func dropCopies(path string) error {
	left, err := filepath.Glob(path + copySuffix + "*")
	for _, name := range left {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

// roomForCopy refuses a copy that would fill the disk.
func (s *Store) roomForCopy(ctx context.Context) error {
	var size int64
	err := s.reader.QueryRowContext(ctx, `SELECT (page_count - freelist_count) * page_size
		FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()`).Scan(&size)
	if err != nil {
		return fmt.Errorf("store: backup: size of the database: %w", err)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(s.path), &st); err != nil {
		return fmt.Errorf("store: backup: look at the disk: %w", err)
	}
	free := int64(st.Bavail) * int64(st.Bsize) //nolint:unconvert // the types differ between systems
	if free < size+backupRoom {
		return fmt.Errorf("%w: it needs %d MiB, and %d MiB are free", ErrNoRoom, (size+backupRoom)>>20, free>>20)
	}
	return nil
}

// copyInto copies the database within one read transaction of SQLite's own
// (https://www.sqlite.org/lang_vacuum.html#vacuuminto, checked 2026-11-23) into
// an empty file, and marks the copy.
func (s *Store) copyInto(ctx context.Context, name string) error {
	from, err := openSQLite(s.path, 1, false) // a reader that may only query cannot write the copy
	if err != nil {
		return err
	}
	_, err = from.ExecContext(ctx, `VACUUM INTO ?`, name)
	return errors.Join(err, from.Close())
}

// mark writes into the copy what it is.
func (m *Moment) mark(ctx context.Context, name string) error {
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return err
	}
	var newest int64
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(closed_at), 0) FROM batch`).Scan(&newest)
	if m.Newest = fromMillis(newest); newest == 0 {
		m.Newest = m.At
	}
	if err == nil {
		value := binary.BigEndian.AppendUint64(nil, uint64(m.At.UnixMilli()))
		value = binary.BigEndian.AppendUint64(value, uint64(m.Newest.UnixMilli()))
		_, err = db.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, MetaBackup, value)
	}
	return errors.Join(err, db.Close())
}

// sum reads the file to its end, and goes back to its beginning.
func sum(ctx context.Context, f *os.File, into *[sha256.Size]byte) (int64, error) {
	h := sha256.New()
	n, err := io.Copy(h, contextReader{ctx, f})
	if err != nil {
		return 0, err
	}
	*into = [sha256.Size]byte(h.Sum(nil))
	_, err = f.Seek(0, io.SeekStart)
	return n, err
}

// contextReader ends with its context.
type contextReader struct {
	ctx context.Context //nolint:containedctx // of the one call that reads
	r   io.Reader
}

// Read reads on.
func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// Restored says whether the database is a copy that has been put in place, of
// which moment, and takes the mark off: it is said once.
func (s *Store) Restored(ctx context.Context) (m Moment, ok bool, err error) {
	value, err := s.Meta(ctx, MetaBackup)
	if errors.Is(err, ErrNotFound) {
		return Moment{}, false, nil
	}
	if err != nil {
		return Moment{}, false, err
	}
	if len(value) == 16 {
		m.At = fromMillis(int64(binary.BigEndian.Uint64(value[:8])))
		m.Newest = fromMillis(int64(binary.BigEndian.Uint64(value[8:])))
	}
	_, err = s.SwapMeta(ctx, MetaBackup, value, nil)
	return m, true, err
}
