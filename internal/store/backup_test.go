package store_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// putBack writes a copy where a store opens it.
func putBack(t *testing.T, c store.Copy) string {
	t.Helper()
	defer c.Body.Close()
	path := filepath.Join(t.TempDir(), "selvedge.db")
	text, err := io.ReadAll(c.Body)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(text)) != c.Size || sha256.Sum256(text) != c.SHA256 {
		t.Errorf("the copy has %d bytes and is told to have %d, or another sum", len(text), c.Size)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestBackup copies a database into which others write: the copy has all that
// was committed before, and of what is written meanwhile a beginning.
func TestBackup(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "selvedge.db")
	s := storetest.Open(t, path, nil)
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				mu.Lock()
				next := another(r, fmt.Sprintf("t%06d", done))
				if err := create(t, s, next); err != nil {
					t.Error(err)
				}
				done++
				mu.Unlock()
			}
		})
	}
	count := func(s *store.Store) int {
		t.Helper()
		p, err := s.ListAppAuthorizations(t.Context(), storetest.Caller(), r.Bundle.ID, store.Mark{}, 1_000_000)
		if err != nil {
			t.Fatal(err)
		}
		return len(p)
	}
	for range 3 {
		before := count(s)
		made, err := s.Backup(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		after := count(s)
		copied := storetest.Open(t, putBack(t, made), nil)
		if got := count(copied); got < before || got > after {
			t.Errorf("the copy has %d authorizations; there were %d before and %d after", got, before, after)
		}
		storetest.Make(t, copied, storetest.Spec{Tenant: "another.okta.com"}) // it can be worked with
		m, ok, err := copied.Restored(t.Context())
		if err != nil || !ok || !m.At.Equal(made.At) || !m.Newest.Equal(made.Newest) || time.Since(m.At) > time.Minute {
			t.Errorf("Restored = %v, %v, %v; want what the copy was told to be, %v", m, ok, err, made.Moment)
		}
		if _, ok, err := copied.Restored(t.Context()); ok || err != nil {
			t.Errorf("it is said twice: %v", err)
		}
	}
	stop()
	wg.Wait()
	if _, ok, err := s.Restored(t.Context()); ok || err != nil {
		t.Errorf("the database itself is marked: %v", err)
	}
	left, err := filepath.Glob(path + "*")
	if diff := cmp.Diff([]string{path, path + "-shm", path + "-wal", path + ".lock"}, left); diff != "" || err != nil {
		t.Errorf("files beside the database (-want +got), %v:\n%s", err, diff)
	}
}

func TestBackupNewest(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, filepath.Join(t.TempDir(), "selvedge.db"), nil)
	storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}})
	closed := time.Now().UTC().Add(-time.Hour).Truncate(time.Millisecond)
	held := claimOne(t, s, store.DutyPoll)
	err := s.CommitPage(t.Context(), held, store.PageCommit{
		Cursor: `{}`, Watermark: closed, BatchID: "batch", Body: []byte("sealed"), Records: 1, CloseBatch: true, ClosedAt: closed,
	})
	if err != nil {
		t.Fatal(err)
	}
	made, err := s.Backup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer made.Body.Close()
	if !made.Newest.Equal(closed) {
		t.Errorf("the newest batch closed at %v, want %v", made.Newest, closed)
	}
}

// A backup that was killed leaves a copy that the next start removes.
func TestWhatAKilledBackupLeaves(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "selvedge.db")
	left := path + ".backup-123"
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	storetest.Open(t, path, nil)
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is there: %v", left, err)
	}
}

func TestBackupRefuses(t *testing.T) {
	t.Parallel()
	if _, err := openURL(t, storetest.PostgreSQL(t), nil).Backup(t.Context()); !errors.Is(err, store.ErrNotSQLite) {
		t.Errorf("Backup of PostgreSQL = %v", err)
	}
	s := storetest.Open(t, filepath.Join(t.TempDir(), "selvedge.db"), nil)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Backup(gone); err == nil {
		t.Error("a backup for nobody is made")
	}
	release := s.HoldBackup()
	if _, err := s.Backup(t.Context()); !errors.Is(err, store.ErrBusy) {
		t.Errorf("a second backup = %v", err)
	}
	release()
	made, err := s.Backup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = made.Body.Close()
}
