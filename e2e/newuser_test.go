package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"selvedge/internal/docstest"
	"selvedge/ocsf/ocsftest"
)

// newUsersPatience is within what a new user sees the first event, from nothing: on
// one core, all that is computed for it.
const newUsersPatience = 5 * time.Minute

// TestTheNewUsersPath clones what is committed, builds it and sees the first event,
// by the README's commands, and prints the seconds of each step. COLD=1 begins with
// an empty build cache; the modules are those of the machine. What is held to five
// minutes is the time of all CPUs together, since a clock among other tests says
// nothing: make newuser runs it alone, and prints the clock's.
func TestTheNewUsersPath(t *testing.T) {
	t.Parallel()
	git, bash := tool(t, "git"), tool(t, "bash")
	tool(t, "make")
	if err := exec.CommandContext(t.Context(), git, "-C", "..", "rev-parse", "HEAD").Run(); err != nil {
		lacks(t, "git checkout of this repository")
	}
	dir := filepath.Join(t.TempDir(), "selvedge")
	env := plainEnv()
	if os.Getenv("COLD") != "" {
		env = append(env, "GOCACHE="+t.TempDir())
	}
	var steps []string
	var clock, cpu time.Duration
	step := func(name, in, script string) string {
		t.Helper()
		from := time.Now()
		cmd := exec.CommandContext(t.Context(), bash, "-euo", "pipefail", "-c", script)
		cmd.Dir, cmd.Env = in, env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, tail(string(out), 40))
		}
		took, computed := time.Since(from), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
		clock, cpu = clock+took, cpu+computed
		steps = append(steps, fmt.Sprintf("%s %.1f s", name, took.Seconds()))
		return string(out)
	}
	step("clone", "..", `git clone --quiet "$(git rev-parse --show-toplevel)" '`+dir+"'")
	readme := docstest.Page{Path: "README.md", Text: string(must[[]byte](t)(os.ReadFile(filepath.Join(dir, "README.md"))))}
	build, start := readme.Part("build"), readme.Part("start")
	if build == "" || start == "" {
		t.Fatalf("the README that is committed has not the parts %q and %q", "README.md: build", "README.md: start")
	}
	step("build", dir, build)
	env = append(env, "SELVEDGE_LISTEN=127.0.0.1:0")
	out := step("first event", dir, start)

	file := regexp.MustCompile(`(?m)^OKTA +(\S+/OCSF/JSON/\S+)$`).FindStringSubmatch(out)
	if file == nil {
		t.Fatalf("no OCSF file of Okta is shown:\n%s", out)
	}
	if !filepath.IsAbs(file[1]) {
		file[1] = filepath.Join(dir, file[1])
	}
	line, _, _ := bytes.Cut(must[[]byte](t)(os.ReadFile(file[1])), []byte("\n"))
	ocsftest.MustValidate(t, line)
	t.Logf("from clone to the first event: %.1f s (%s), of all CPUs %.1f s", clock.Seconds(), strings.Join(steps, ", "), cpu.Seconds())
	if cpu > newUsersPatience {
		t.Errorf("it took %v of all CPUs, want at most %v", cpu, newUsersPatience)
	}
}
