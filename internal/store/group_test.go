package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"selvedge/internal/store"
)

// grouped is a SQLite store whose writer is held, so that what comes meanwhile
// waits together; let lets it go.
func grouped(t *testing.T) (s *store.Store, let func()) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "selvedge.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	held, released, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.Update(context.Background(), "hold", func(*sql.Tx) error {
			close(held)
			<-released
			return nil
		})
	}()
	<-held
	return s, func() {
		t.Helper()
		close(released)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// put is work that writes one row.
func put(ctx context.Context, name string) func(*sql.Tx) error {
	return func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES (?, x'00')`, name)
		return err
	}
}

// names reads what was written.
func names(t *testing.T, s *store.Store) []string {
	t.Helper()
	rows, err := s.Writer().QueryContext(t.Context(), `SELECT name FROM meta ORDER BY name`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

var errOwn = errors.New("its own failure")

// Those that wait share a commit; what one does wrong stays its own.
func TestGroup(t *testing.T) {
	t.Parallel()
	s, let := grouped(t)
	cancelled, cancel := context.WithCancel(t.Context())
	works := map[string]struct {
		ctx  context.Context
		work func(*sql.Tx) error
		want error
	}{
		"fails late": {t.Context(), func(tx *sql.Tx) error { return errors.Join(put(t.Context(), "fails late")(tx), errOwn) }, errOwn},
		// The statement is broken off, and with it SQLite's transaction.
		"gives up": {cancelled, func(tx *sql.Tx) error {
			cancel()
			return put(cancelled, "gives up")(tx)
		}, context.Canceled},
	}
	var want []string
	for i := range 100 {
		name := fmt.Sprintf("row %02d", i)
		want = append(want, name)
		works[name] = struct {
			ctx  context.Context
			work func(*sql.Tx) error
			want error
		}{t.Context(), put(t.Context(), name), nil}
	}
	var wg sync.WaitGroup
	before := s.Commits(t)
	for name, w := range works {
		wg.Go(func() {
			if err := s.Update(w.ctx, name, w.work); !errors.Is(err, w.want) {
				t.Errorf("%s: %v, want %v", name, err, w.want)
			}
		})
	}
	s.AwaitWaiting(len(works))
	let()
	wg.Wait()
	if got := names(t, s); !slices.Equal(got, want) {
		t.Errorf("written: %v", got)
	}
	if n := s.Commits(t) - before; n > 70 {
		t.Errorf("%d commits for %d transactions", n, len(works))
	}
}

// A panic goes to whoever asked for the work, and costs nobody else's.
func TestGroupPanic(t *testing.T) {
	t.Parallel()
	s, let := grouped(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer func() {
			if p := recover(); p != "boom" {
				t.Errorf("the panic was %v", p)
			}
		}()
		_ = s.Update(t.Context(), "boom", func(tx *sql.Tx) error {
			_ = put(t.Context(), "boom")(tx)
			panic("boom")
		})
	})
	for _, name := range []string{"a", "b"} {
		wg.Go(func() {
			if err := s.Update(t.Context(), name, put(t.Context(), name)); err != nil {
				t.Error(err)
			}
		})
	}
	s.AwaitWaiting(3)
	let()
	wg.Wait()
	if got := names(t, s); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("written: %v", got)
	}
}

// Who no longer waits is not run.
func TestGroupWithdrawn(t *testing.T) {
	t.Parallel()
	s, let := grouped(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Update(ctx, "late", put(t.Context(), "late")) }()
	s.AwaitWaiting(1)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	let()
	if err := s.Update(t.Context(), "next", put(t.Context(), "next")); err != nil {
		t.Error(err)
	}
	if got := names(t, s); !slices.Equal(got, []string{"next"}) {
		t.Errorf("written: %v", got)
	}
}
