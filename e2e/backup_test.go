package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"selvedge/internal/store/storetest"
	"selvedge/simulator"
)

// TestBackup takes a backup under load and by the commands of the documentation,
// lets the server go on, deliver and be lost, and restores the backup in another
// place: all that the provider shows arrives, and nothing twice.
func TestBackup(t *testing.T) {
	t.Parallel()
	sim, origins := simulated(t, simulator.Options{Seed: 7, Okta: simulator.OktaOptions{PerMinute: -1}})
	dir, other := t.TempDir(), filepath.Join(t.TempDir(), "data")
	start := func(dir string) *process {
		return serve(t, dir, "--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "50ms",
			"--buckets-url", "file://"+filepath.Join(filepath.Dir(other), "buckets"))
	}
	emit(t, sim.Okta().Emit, 300, 0)
	p := start(dir)
	col := collectOkta(t, p, sim)
	col.dir = filepath.Join(filepath.Dir(other), "buckets")

	total := 300
	load := func(n int) {
		for range n {
			emit(t, sim.Okta().Emit, 20, 0)
			total += 20
			eventually(t, 30*time.Second, "the load is polled", func() error { return atLeast(len(sim.Okta().Shown()), total) })
		}
	}
	load(3)
	ctx, cancel := context.WithCancel(t.Context())
	loaded := make(chan int)
	go func() { // while the backup is made
		n := 0
		for ctx.Err() == nil {
			if _, err := sim.Okta().Emit(5, 0); err == nil {
				n += 5
			}
			select {
			case <-time.After(10 * time.Millisecond):
			case <-ctx.Done():
			}
		}
		loaded <- n
	}()
	work := t.TempDir()
	text := p.bashIn(t, work, walkThrough(t, "docs/running.md: backup"))
	cancel()
	total += <-loaded
	if info := must[os.FileInfo](t)(os.Stat(filepath.Join(work, "selvedge-backup.db"))); info.Mode() != 0o600 {
		t.Errorf("the backup has mode %v", info.Mode())
	}
	for _, want := range []string{"master key", "sha256: ", "newest: ", "custody"} {
		if !strings.Contains(text, want) {
			t.Errorf("the backup does not say %q:\n%s", want, text)
		}
	}
	if _, errs, status := p.command(t, nil, "backup", filepath.Join(work, "selvedge-backup.db")); status != 1 || !strings.Contains(errs, "there already") {
		t.Errorf("the same file again: status %d, %s", status, errs)
	}
	load(3)
	eventually(t, 30*time.Second, "the first server delivers", col.complete(t, total))
	p.kill(t)

	newest := regexp.MustCompile(`(?m)^newest: +(\S+)`).FindStringSubmatch(text)
	if newest == nil {
		t.Fatalf("no time of the newest object:\n%s", text)
	}
	aside := t.TempDir()
	p.bashIn(t, work, walkThrough(t, "docs/running.md: restore"), "DATA="+other, "MASTER_KEY="+filepath.Join(dir, "master.key"))
	p.bashIn(t, work, walkThrough(t, "docs/running.md: newer objects"), "NEWEST="+newest[1], "BUCKETS="+col.dir, "ASIDE="+aside)
	if moved := must[[]os.DirEntry](t)(os.ReadDir(aside)); len(moved) == 0 {
		t.Error("the first server has delivered nothing since the backup: nothing is tested")
	}
	p = start(other)
	if log := p.stderr.String(); !strings.Contains(log, "the database is a backup") {
		t.Errorf("the log does not say that the database is a backup:\n%s", log)
	}
	load(1)
	eventually(t, 30*time.Second, "the second server goes on", col.complete(t, total))
	p.stop(t)
	col.check(t)
	p = start(other)
	if log := p.stderr.String(); strings.Contains(log, "the database is a backup") {
		t.Errorf("it is said at the second start again:\n%s", log)
	}
	p.stop(t)
}

func TestBackupIsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "b.db")
	p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0")
	env, _, _ := p.makeKey(t, "000000000000", "AWSAppFabricFullAccess")
	if _, errs, status := p.command(t, env, "backup", file); status != 1 || !strings.Contains(errs, "AccessDenied") {
		t.Errorf("by another key: status %d, %s", status, errs)
	}
	p.stop(t)
	p = serve(t, t.TempDir(), "--listen", "127.0.0.1:0", "--database-url", storetest.PostgreSQL(t))
	if _, errs, status := p.command(t, nil, "backup", file); status != 1 || !strings.Contains(errs, "pg_dump") {
		t.Errorf("of PostgreSQL: status %d, %s", status, errs)
	}
	if left := must[[]os.DirEntry](t)(os.ReadDir(filepath.Dir(file))); len(left) != 0 {
		t.Errorf("a refused backup leaves %v", left)
	}
}

func atLeast(got, want int) error {
	if got < want {
		return fmt.Errorf("%d of %d", got, want)
	}
	return nil
}
