package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"selvedge/internal/wire"
)

// backupCmd copies the database of a running server into a file.
type backupCmd struct {
	reach
	File string `arg:"" help:"File to make. It must not exist." placeholder:"FILE"`
}

// Run takes the copy. The file has its name once all of it is on disk and proved
// to be what the server has sent; before that, and if anything fails, there is
// none.
func (c backupCmd) Run(ctx context.Context, w world) error {
	if _, err := os.Lstat(c.File); err == nil {
		return fmt.Errorf("%s is there already: give the backup another name", c.File)
	}
	a, err := c.connect(w, "")
	if err != nil {
		return err
	}
	a.http.Timeout = 0 // the copy is made before the first byte comes, however large it is
	res, err := a.send(ctx, "Backup", map[string]any{})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.Header.Get(wire.HeaderSHA256) == "" {
		return fmt.Errorf("%s does not answer as Selvedge does", a.endpoint)
	}
	if err := take(c.File, res); err != nil {
		return fmt.Errorf("take the backup: %w", err)
	}
	_, err = fmt.Fprintf(w.stdout, backupText, c.File, res.ContentLength, res.Header.Get(wire.HeaderSHA256),
		res.Header.Get(wire.HeaderAt), res.Header.Get(wire.HeaderNewest))
	return err
}

// backupText says what a backup is. The words before the values are for scripts
// too.
const backupText = `file:    %s
bytes:   %d
sha256:  %s
as of:   %s
newest:  %s (closing time of the newest object that it knows)

It has the whole database: app bundles, authorizations with their tokens, ingestions with what was read and is not delivered
yet, access keys, and how far everything is. All secrets in it are sealed.
It has not: the master key, without which it opens nothing and which belongs in another place; the root key (credentials);
the settings; the trail; and the folders buckets, streams and custody of the data directory.
To restore it: put it as selvedge.db into a data directory that has no selvedge.db, selvedge.db-wal and selvedge.db-shm, with
the master key beside it, and start the server.
`

// take writes an answer into a file of that name, in one step.
func take(name string, res *http.Response) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*") // which makes it private
	if err != nil {
		return err
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, h), res.Body)
	switch got := hex.EncodeToString(h.Sum(nil)); {
	case err != nil:
		err = fmt.Errorf("after %d of %d bytes: %w", n, res.ContentLength, err)
	case n != res.ContentLength || got != res.Header.Get(wire.HeaderSHA256):
		err = fmt.Errorf("what came (%d bytes, sha256 %s) is not what was sent", n, got)
	}
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncFolder(filepath.Dir(name))
}

// syncFolder makes a new name in a folder outlive a crash of the machine.
func syncFolder(path string) error {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
