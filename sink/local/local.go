// Package local has the sinks whose buckets and streams are folders on this
// machine. Of streams see Streams; what follows is about buckets.
//
// An object is written to a file whose name begins with a dot, in the folder
// where it belongs, made durable, renamed to its own name, and the folders
// that its path needed are made durable in turn. What a crash leaves at each
// point:
//
//   - before the rename: a dot file. It is removed when the same key is put
//     again, or by Sweep. No reader takes it for an object.
//   - after the rename: the whole object. The same key put again finds equal
//     bytes and makes them durable once more, as the crash may have come
//     before the folder was.
//
// Folders are made with mode 0750 and files with 0640, so that the group of
// the server may read a bucket and nobody else may. Nothing outside of the
// root is reached, by links neither.
package local

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"

	"selvedge/sink"
)

const (
	folderMode = 0o750
	fileMode   = 0o640

	partPrefix = ".selvedge-"
	partSuffix = ".part"

	// maxDurable bounds the folders remembered as durable; past it they are
	// made durable again, which costs time and nothing else.
	maxDurable = 4096
)

// The steps of a Put, as tests name them.
const (
	stepMkdir  = "mkdir"
	stepCreate = "create"
	stepWrite  = "write"
	stepSync   = "sync"
	stepRename = "rename"
	stepFolder = "sync folder"
)

// Sink puts objects into the folders below one root.
type Sink struct {
	root string
	step func(name string) error // before each effect; an error stands for the effect's own

	mu      sync.Mutex
	durable map[string]bool // folders whose entry in their parent is known to be on disk
}

// New returns the sink over the folder root, which Prepare makes where it does
// not exist. New does no I/O.
func New(root string) *Sink {
	return &Sink{root: root, step: func(string) error { return nil }, durable: make(map[string]bool)}
}

// Prepare makes the bucket's folder, and the root.
func (s *Sink) Prepare(ctx context.Context, bucket string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("local: prepare: %w", err)
	}
	if err := sink.CheckBucket(bucket); err != nil {
		return &sink.Error{Kind: sink.Refused, Reason: err.Error()}
	}
	if err := os.MkdirAll(s.root, folderMode); err != nil {
		return classify(bucket, fmt.Errorf("local: make root: %w", err))
	}
	root, err := s.open()
	if err != nil {
		return classify(bucket, fmt.Errorf("local: prepare: %w", err))
	}
	defer root.Close()
	if err := s.makeFolders(root, bucket); err != nil {
		return classify(bucket, fmt.Errorf("local: prepare: %w", err))
	}
	return nil
}

// Put writes the object. A file that is there with other bytes is replaced: a
// key's bytes never change, so somebody else damaged it.
func (s *Sink) Put(ctx context.Context, o sink.Object) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("local: put: %w", err)
	}
	if err := check(o); err != nil {
		return &sink.Error{Kind: sink.Refused, Reason: err.Error()}
	}
	root, err := s.open()
	if err != nil {
		return classify(o.Bucket, fmt.Errorf("local: put: %w", err))
	}
	defer root.Close()
	if err := s.put(root, o); err != nil {
		return classify(o.Bucket, fmt.Errorf("local: put %s/%s: %w", o.Bucket, o.Key, err))
	}
	return nil
}

// open opens the root anew for each attempt, so that a root that was moved away
// or mounted since is seen.
func (s *Sink) open() (*os.Root, error) { return openRoot(s.root) }

func openRoot(folder string) (*os.Root, error) {
	info, err := os.Stat(folder)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: folder, Err: syscall.ENOTDIR}
	}
	return os.OpenRoot(folder)
}

// check adds to the rules of every bucket those of this one.
func check(o sink.Object) error {
	if err := sink.CheckBucket(o.Bucket); err != nil {
		return err
	}
	if err := sink.CheckKey(o.Key); err != nil {
		return err
	}
	if strings.HasPrefix(path.Base(o.Key), ".") {
		return fmt.Errorf("the key %q names a file that begins with a dot: such files are unfinished ones", o.Key)
	}
	if strings.Contains(o.Key, `\`) {
		return fmt.Errorf("the key %q contains a backslash, which some file systems take for a slash", o.Key)
	}
	if len(o.Body) > sink.MaxBody {
		return fmt.Errorf("the object has %d bytes: %d are allowed", len(o.Body), sink.MaxBody)
	}
	return nil
}

func (s *Sink) put(root *os.Root, o sink.Object) error {
	if _, err := root.Stat(o.Bucket); err != nil {
		return err
	}
	name := path.Join(o.Bucket, o.Key)
	folder := path.Dir(name)
	if err := s.makeFolders(root, folder); err != nil {
		return err
	}
	same, err := holds(root, name, o.Body)
	if err != nil {
		return err
	}
	if same {
		if err := s.syncFile(root, name); err != nil {
			return err
		}
	} else if err := s.write(root, name, o.Body); err != nil {
		return err
	}
	if err := s.syncFolder(root, folder); err != nil {
		return err
	}
	return removeParts(root, folder, partStem(name))
}

// makeFolders makes each folder of the path that does not exist, and makes the
// entries of those durable that are not known to be.
func (s *Sink) makeFolders(root *os.Root, folder string) error {
	parent, at := ".", ""
	for segment := range strings.SplitSeq(folder, "/") {
		at = path.Join(at, segment)
		err := s.step(stepMkdir)
		if err == nil {
			err = root.Mkdir(at, folderMode)
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err == nil || !s.isDurable(at) {
			if err := s.syncFolder(root, parent); err != nil {
				return err
			}
			s.setDurable(at)
		}
		parent = at
	}
	return nil
}

func (s *Sink) isDurable(folder string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.durable[folder]
}

func (s *Sink) setDurable(folder string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.durable) >= maxDurable {
		clear(s.durable)
	}
	s.durable[folder] = true
}

// holds says whether the file is there with these bytes.
func holds(root *os.Root, name string, body []byte) (bool, error) {
	info, err := root.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if info.IsDir() {
		return false, &fs.PathError{Op: "put", Path: name, Err: errFolderInTheWay}
	}
	if info.Size() != int64(len(body)) {
		return false, nil
	}
	f, err := root.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	return equal(f, body)
}

// equal compares in pieces, so that a large object is not held twice.
func equal(r io.Reader, body []byte) (bool, error) {
	piece := make([]byte, 64<<10)
	for len(body) > 0 {
		n, err := io.ReadFull(r, piece[:min(len(piece), len(body))])
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return false, nil // became shorter since
		}
		if err != nil {
			return false, err
		}
		if !bytes.Equal(piece[:n], body[:n]) {
			return false, nil
		}
		body = body[n:]
	}
	return true, nil
}

// partStem begins the names of the unfinished files of one object: a hash,
// as the object's own name may fill what a file system allows.
func partStem(name string) string {
	sum := sha256.Sum256([]byte(name))
	return partPrefix + hex.EncodeToString(sum[:8]) + "-"
}

// write makes the object's file appear under its name at once and whole.
func (s *Sink) write(root *os.Root, name string, body []byte) error {
	// Of its own for each attempt: two processes may deliver one batch at the
	// same time, when the first has lost its lease without knowing.
	part := path.Join(path.Dir(name), partStem(name)+rand.Text()[:16]+partSuffix)
	err := s.writePart(root, part, body)
	if err == nil {
		err = s.step(stepRename)
	}
	if err == nil {
		err = root.Rename(part, name)
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		// The other of two attempts at once was first, and tidied up.
		if same, readErr := holds(root, name, body); readErr == nil && same {
			return nil
		}
	}
	if removeErr := root.Remove(part); removeErr != nil && !errors.Is(removeErr, fs.ErrNotExist) {
		err = errors.Join(err, removeErr)
	}
	return err
}

func (s *Sink) writePart(root *os.Root, part string, body []byte) error {
	if err := s.step(stepCreate); err != nil {
		return err
	}
	f, err := root.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fileMode)
	if err != nil {
		return err
	}
	err = s.step(stepWrite)
	if err == nil {
		_, err = f.Write(body)
	}
	if err == nil {
		err = s.step(stepSync)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (s *Sink) syncFile(root *os.Root, name string) error {
	if err := s.step(stepSync); err != nil {
		return err
	}
	return syncPath(root, name)
}

func (s *Sink) syncFolder(root *os.Root, name string) error {
	if err := s.step(stepFolder); err != nil {
		return err
	}
	return syncPath(root, name)
}

func syncPath(root *os.Root, name string) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
