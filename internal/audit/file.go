package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// file is the newest file of a trail, and the full ones beside it. It is not
// safe for concurrent use.
type file struct {
	path string
	max  int64 // bytes
	keep int

	f    *os.File
	info os.FileInfo // of f when it was opened
	size int64
	torn bool // the last line has no end
}

func openFile(path string, limit int64, keep int) (*file, error) {
	f := &file{path: filepath.Clean(path), max: limit, keep: keep}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return nil, err
	}
	return f, f.open()
}

// open opens the newest file in place of the one that is open. If it fails,
// that one stays.
func (f *file) open() error {
	next, err := os.OpenFile(f.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := next.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", f.path)
	}
	torn := false
	if err == nil && info.Size() > 0 {
		var end [1]byte
		_, err = next.ReadAt(end[:], info.Size()-1)
		torn = end[0] != '\n'
	}
	if err != nil {
		return errors.Join(err, next.Close())
	}
	old := f.f
	f.f, f.info, f.size, f.torn = next, info, info.Size(), torn
	if old != nil {
		return old.Close()
	}
	return nil
}

// append writes one line at the end of the open file.
func (f *file) append(line []byte) error {
	whole := make([]byte, 0, len(line)+2)
	if f.torn {
		whole = append(whole, '\n')
	}
	whole = append(append(whole, line...), '\n')
	n, err := f.f.Write(whole)
	f.size += int64(n)
	if n > 0 {
		f.torn = n < len(whole)
	}
	return err
}

// renew sees that the open file is the newest and has room for n bytes. If it
// fails the open file can be used as before: better it grows than that records
// are lost.
func (f *file) renew(n int64) error {
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !os.SameFile(info, f.info):
		return f.open()
	case err != nil:
		return err
	case f.size == 0 || f.size+n <= f.max:
		return nil
	}
	if err := f.shift(); err != nil {
		return err
	}
	return f.open()
}

// shift renames each file to the next number, as far as there is no gap; the
// oldest goes. If it is interrupted there is a gap, and the next time nothing
// moves beyond it: no file takes another's place but that of the oldest.
func (f *file) shift() error {
	last := 1
	for ; last < f.keep; last++ {
		if _, err := os.Lstat(f.numbered(last)); errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	for n := last; n > 0; n-- {
		if err := os.Rename(f.numbered(n-1), f.numbered(n)); err != nil {
			return err
		}
	}
	return nil
}

// numbered is the path of a file: 0 is the newest.
func (f *file) numbered(n int) string {
	if n == 0 {
		return f.path
	}
	return f.path + "." + strconv.Itoa(n)
}

func (f *file) close() error { return f.f.Close() }
