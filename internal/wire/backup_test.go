package wire_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/store"
	"selvedge/internal/wire"
)

// TestBackup takes the file from a server whose limits of time are far too short
// for it.
func TestBackup(t *testing.T) {
	t.Parallel()
	s := keyServer(t)
	if c, err := s.store.Backup(t.Context()); errors.Is(err, store.ErrNotSQLite) {
		if r := s.administer(t, root(), "Backup", map[string]any{}); r.line() != "400 ValidationException" || !strings.Contains(r.raw, "pg_dump") {
			t.Errorf("on PostgreSQL: %s %s", r.line(), r.raw)
		}
		return
	} else if err == nil {
		_ = c.Body.Close()
	}
	front := httptest.NewUnstartedServer(s.handler)
	front.Config.ReadTimeout, front.Config.WriteTimeout = time.Second, time.Millisecond
	front.Start()
	defer front.Close()
	r := s.signed(t, root(), http.MethodPost, front.URL+"/selvedge/v1/Backup", "{}")
	r.RequestURI = ""
	res, err := front.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(body)
	for name, want := range map[string]string{
		"Content-Type": "application/octet-stream", "Content-Length": strconv.Itoa(len(body)), wire.HeaderSHA256: hex.EncodeToString(sum[:]),
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{wire.HeaderAt, wire.HeaderNewest} {
		if at, err := time.Parse(wire.TimeFormat, res.Header.Get(name)); err != nil || time.Since(at).Abs() > time.Hour {
			t.Errorf("%s: %v, %v", name, at, err)
		}
	}
	if string(body[:15]) != "SQLite format 3" {
		t.Errorf("the file begins with %q", body[:15])
	}
	last := s.calls[len(s.calls)-1]
	want := map[string]any{"size": float64(len(body)), "sha256": hex.EncodeToString(sum[:]), "at": res.Header.Get(wire.HeaderAt)}
	if diff := cmp.Diff(want, last.Elements); diff != "" || last.Operation != "Backup" || last.ReadOnly {
		t.Errorf("recorded as %+v (-want +got):\n%s", last, diff)
	}
}

func TestBackupIsTheRootKeys(t *testing.T) {
	t.Parallel()
	s := keyServer(t)
	k := s.key(t, accountA, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	if r := s.by(t, k, "POST", "/selvedge/v1/Backup", "{}"); r.line() != "403 AccessDeniedException" {
		t.Errorf("by a key that may do anything: %s", r.line())
	}
}
