package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"selvedge/sink"
)

// Of a stream's files. A file is full after the write that made it so.
const (
	fileStem  = "events-"
	fileExt   = ".ndjson"
	lockName  = ".lock"
	maxStream = 64 << 20
)

// maxLine is a bound for what is taken at all: a record is a line, and lines
// have none of their own.
const maxLine = sink.MaxBody

// Streams sends records into the folders below one root. The folder of a stream
// has files named events-00000001.ndjson and on; the last of them grows until it
// has 64 MiB. Each record is a line.
//
// A Send returns when its records are on disk. What a crash leaves of a Send
// that did not return is none of its records, some, or all, and it is sent again:
// a line is there at least once. A line that was cut off is taken away before
// the next is written. Any number of processes may share the root.
type Streams struct {
	root string
	step func(name string) error // as Sink's
	full int64
}

// NewStreams returns the sink over the folder root, which PrepareStream makes
// where it does not exist. NewStreams does no I/O.
func NewStreams(root string) *Streams {
	return &Streams{root: root, step: func(string) error { return nil }, full: maxStream}
}

// MaxRecord is as much as can be held.
func (*Streams) MaxRecord() int { return maxLine }

// PrepareStream makes the stream's folder, and the root.
func (s *Streams) PrepareStream(ctx context.Context, to sink.Stream) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("local: prepare a stream: %w", err)
	}
	if err := checkStream(to, nil); err != nil {
		return &sink.Error{Kind: sink.Refused, Reason: err.Error()}
	}
	if err := s.prepare(to.Name); err != nil {
		return classifyStream(to, fmt.Errorf("local: make a stream: %w", err))
	}
	return nil
}

func (s *Streams) prepare(name string) error {
	if err := os.MkdirAll(s.root, folderMode); err != nil {
		return err
	}
	root, err := openRoot(s.root)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Mkdir(name, folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncPath(root, ".")
}

// Send appends the records, all or, with an error, none of them.
func (s *Streams) Send(ctx context.Context, to sink.Stream, records [][]byte) ([]int, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("local: send: %w", err)
	}
	if err := checkStream(to, records); err != nil {
		return nil, &sink.Error{Kind: sink.Refused, Reason: err.Error()}
	}
	if len(records) == 0 {
		return nil, nil
	}
	if err := s.send(to.Name, records); err != nil {
		return nil, classifyStream(to, fmt.Errorf("local: send to %s: %w", to.Name, err))
	}
	return nil, nil
}

// checkStream adds to the rules of every stream those of a folder.
func checkStream(to sink.Stream, records [][]byte) error {
	if err := sink.CheckStream(to.Name); err != nil {
		return err
	}
	if strings.HasPrefix(to.Name, ".") {
		return fmt.Errorf("the stream name %q begins with a dot: no folder of a stream does", to.Name)
	}
	for i, r := range records {
		if len(r) > maxLine {
			return fmt.Errorf("the record %d has %d bytes: %d are allowed", i, len(r), maxLine)
		}
	}
	return nil
}

func (s *Streams) send(name string, records [][]byte) error {
	root, err := openRoot(path.Join(s.root, name))
	if err != nil {
		return err
	}
	defer root.Close()
	lock, err := root.OpenFile(lockName, os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return err
	}
	defer lock.Close() // gives the lock up
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	f, made, err := s.newest(root)
	if err != nil {
		return err
	}
	err = s.grow(f, records)
	if err = errors.Join(err, f.Close()); err != nil || !made {
		return err
	}
	if err := s.step(stepFolder); err != nil {
		return err
	}
	return syncPath(root, ".")
}

// newest opens the file to append to, or makes the next.
func (s *Streams) newest(root *os.Root) (f *os.File, made bool, err error) {
	folder, err := root.Open(".")
	if err != nil {
		return nil, false, err
	}
	names, err := folder.Readdirnames(-1)
	if err = errors.Join(err, folder.Close()); err != nil {
		return nil, false, err
	}
	names = slices.DeleteFunc(names, func(n string) bool { return number(n) == 0 })
	last := slices.MaxFunc(append(names, fileName(0)), func(a, b string) int { return number(a) - number(b) })
	if number(last) > 0 {
		info, err := root.Stat(last)
		if err != nil {
			return nil, false, err
		}
		if info.Size() < s.full {
			f, err := root.OpenFile(last, os.O_RDWR, fileMode)
			return f, info.Size() == 0, err // an empty one may be a crash's
		}
	}
	if err := s.step(stepCreate); err != nil {
		return nil, false, err
	}
	f, err = root.OpenFile(fileName(number(last)+1), os.O_CREATE|os.O_EXCL|os.O_RDWR, fileMode)
	return f, true, err
}

func fileName(n int) string { return fmt.Sprintf("%s%08d%s", fileStem, n, fileExt) }

// number is the number of a stream's file; 0: it is none.
func number(name string) int {
	var n int
	if _, err := fmt.Sscanf(name, fileStem+"%d"+fileExt, &n); err != nil || fileName(n) != name {
		return 0
	}
	return n
}

// grow appends the lines to a file behind its last whole line, and makes them
// durable. What it cannot write whole it takes back.
func (s *Streams) grow(f *os.File, records [][]byte) error {
	end, err := wholeLines(f)
	if err != nil {
		return err
	}
	if err := f.Truncate(end); err != nil {
		return err
	}
	body := lines(records)
	err = s.step(stepWrite)
	if err == nil {
		_, err = f.WriteAt(body, end)
	}
	if err == nil {
		err = s.step(stepSync)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Truncate(end))
	}
	return nil
}

func lines(records [][]byte) []byte {
	size := 0
	for _, r := range records {
		size += len(r) + 1
	}
	body := make([]byte, 0, size)
	for _, r := range records {
		body = append(body, r...)
		if len(r) == 0 || r[len(r)-1] != '\n' {
			body = append(body, '\n')
		}
	}
	return body
}

// wholeLines is how much of a file is whole lines.
func wholeLines(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	piece := make([]byte, 64<<10)
	for end := info.Size(); end > 0; {
		from := max(0, end-int64(len(piece)))
		n, err := f.ReadAt(piece[:end-from], from)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		for i := n - 1; i >= 0; i-- {
			if piece[i] == '\n' {
				return from + int64(i) + 1, nil
			}
		}
		end = from
	}
	return 0, nil
}
