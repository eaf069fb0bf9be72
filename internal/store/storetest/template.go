package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"selvedge/internal/store"
)

// Lay puts an empty store on SQLite at a path, as store.Open makes it there. The
// migrations run once in a process, which with -race are seconds of each test
// otherwise.
func Lay(tb testing.TB, path string) {
	tb.Helper()
	body, err := template()
	if err == nil {
		err = os.WriteFile(path, body, 0o600)
	}
	if err != nil {
		tb.Fatalf("lay store: %v", err)
	}
}

// template is the file of an empty store.
var template = sync.OnceValues(func() (body []byte, err error) {
	dir, err := os.MkdirTemp("", "storetest")
	if err != nil {
		return nil, fmt.Errorf("storetest: template: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "selvedge.db")
	s, err := store.Open(context.Background(), store.Options{Path: path})
	if err != nil {
		return nil, fmt.Errorf("storetest: template: %w", err)
	}
	if err := s.Close(); err != nil { // what is in the log goes into the file
		return nil, fmt.Errorf("storetest: template: %w", err)
	}
	return os.ReadFile(path)
})
