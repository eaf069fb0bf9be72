package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"selvedge/internal/store/storetest"
	"selvedge/simulator"
)

// TestMove moves an installation by the documentation's command, with events
// that were delivered before, that are owed, and that come afterwards.
func TestMove(t *testing.T) {
	t.Parallel()
	database := storetest.PostgreSQL(t)
	sim, origins := simulated(t, simulator.Options{Seed: 8, Okta: simulator.OktaOptions{PerMinute: -1}})
	dir := t.TempDir()
	start := func(args ...string) *process {
		return serve(t, dir, append([]string{"--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "100ms"}, args...)...)
	}
	emit(t, sim.Okta().Emit, 300, 0)
	p := start()
	col := collectOkta(t, p, sim)
	eventually(t, 30*time.Second, "the first events are delivered", col.complete(t, 300))

	// While the bucket takes nothing, what is read is owed.
	shut := filepath.Join(dir, "buckets")
	if err := os.Rename(shut, shut+".away"); err != nil {
		t.Fatal(err)
	}
	write(t, shut, "no folder")
	emit(t, sim.Okta().Emit, 100, 0)
	eventually(t, 30*time.Second, "later events are read", func() error { return atLeast(len(sim.Okta().Shown()), 400) })
	if _, errs, status := p.command(t, nil, "move", "--to", database); status != 1 || !strings.Contains(errs, "held by another selvedge process") {
		t.Errorf("while the server runs: status %d, %s", status, errs)
	}
	p.stop(t)
	if err := os.Remove(shut); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(shut+".away", shut); err != nil {
		t.Fatal(err)
	}

	if _, errs, status := p.command(t, nil, "move"); status != 1 || !strings.Contains(errs, "--to") {
		t.Errorf("without a target: status %d, %s", status, errs)
	}
	out := p.bash(t, walkThrough(t, "docs/running.md: move"), "DATA="+dir, "SELVEDGE_DATABASE_URL="+database)
	for _, want := range []string{"1 of 1 app_bundle\n", "counted and compared"} {
		if !strings.Contains(out, want) {
			t.Errorf("the command does not say %q:\n%s", want, out)
		}
	}
	refused(t, "this database was moved to the database", "--data-dir", dir, "--listen", "127.0.0.1:0")
	if _, errs, status := p.command(t, nil, "move", "--to", database); status != 1 || !strings.Contains(errs, "moved already") {
		t.Errorf("a second time: status %d, %s", status, errs)
	}

	p = start("--database-url", database)
	eventually(t, 30*time.Second, "what was owed is delivered", col.complete(t, 400))
	emit(t, sim.Okta().Emit, 60, 0)
	eventually(t, 30*time.Second, "the server goes on", col.complete(t, 460))
	p.stop(t)
	col.check(t)
}
