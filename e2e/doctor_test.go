package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"selvedge/simulator"
)

// TestDoctor examines a server that works, one that is stopped, and one whose
// key file is gone, by the documentation's command.
func TestDoctor(t *testing.T) {
	t.Parallel()
	sim, origins := simulated(t, simulator.Options{Seed: 9})
	emit(t, sim.Okta().Emit, 20, 0)
	dir, listen := t.TempDir(), freeAddress(t, "127.0.0.4")
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	p := serve(t, dir, "--listen", listen, "--origins", origins, "--poll-interval", "1s")
	col := collectOkta(t, p, sim)
	eventually(t, 30*time.Second, "the events are delivered", col.complete(t, 20))
	env := []string{"SELVEDGE_LISTEN=" + listen, "SELVEDGE_ORIGINS=" + origins}

	out := p.bash(t, walkThrough(t, "docs/running.md: doctor"), append(env, "SELVEDGE_DATA_DIR="+dir)...)
	for _, want := range []string{"OKTA at https://acme.okta.com: answers", "leads to this installation", "bucket " + bucket + ": is there", "opens the database's keys"} {
		if !strings.Contains(out, want) {
			t.Errorf("not said: %s\n%s", want, out)
		}
	}
	if strings.Contains(out, "fault") || strings.Contains(out, "warning") || strings.Contains(out, "skipped") {
		t.Errorf("something is wrong with a server that works:\n%s", out)
	}

	p.stop(t)
	out = p.done(t, env, "doctor")
	if !strings.Contains(out, "the server is stopped") {
		t.Errorf("of a stopped server:\n%s", out)
	}

	if err := os.Remove(filepath.Join(dir, "master.key")); err != nil {
		t.Fatal(err)
	}
	out, errs, status := p.command(t, env, "doctor", "--json")
	var answer struct {
		Healthy  bool
		Findings []struct{ Check, Status, Remedy string }
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil || status != 1 || answer.Healthy || len(answer.Findings) < 8 || !strings.Contains(errs, "is wrong") {
		t.Errorf("without a master key: status %d, %v, %s\n%s", status, err, errs, out)
	}
	faults := map[string]bool{}
	for _, f := range answer.Findings {
		if f.Status == "fault" {
			faults[f.Check] = f.Remedy != ""
		}
	}
	if len(faults) != 2 || !faults["files"] || !faults["keys"] {
		t.Errorf("the faults are %v, want those of the file and of the keys:\n%s", faults, out)
	}
	out, _, status = p.command(t, append(env, "SELVEDGE_POLL_INTERVAL=soon"), "doctor")
	if status != 1 || !strings.Contains(out, "fault    settings") || !strings.Contains(out, "SELVEDGE_POLL_INTERVAL") {
		t.Errorf("with a setting that is none: status %d\n%s", status, out)
	}
}
