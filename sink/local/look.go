package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"selvedge/sink"
)

// Look looks at the bucket's folder.
func (s *Sink) Look(_ context.Context, _, bucket string) error { return look(s.root, bucket) }

// Look looks at the stream's folder.
func (s *Streams) Look(_ context.Context, _, stream string) error { return look(s.root, stream) }

func look(root, name string) error {
	folder := filepath.Join(root, name)
	info, err := os.Stat(folder)
	refused := func(reason string) error { return &sink.Error{Kind: sink.Refused, Reason: reason, Err: err} }
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return refused("the folder " + folder + " is not there: make it again, deliveries go on by themselves then")
	case err != nil:
		return refused("the folder " + folder + " cannot be looked at: let the server's user into it")
	case !info.IsDir():
		return refused(folder + " is no folder: move it away")
	case unix.Access(folder, unix.W_OK|unix.X_OK) != nil:
		return refused("the server's user may not write into the folder " + folder + ": chown or chmod it")
	}
	return nil
}
