package e2e_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"selvedge/internal/logtest"
)

// TestMain builds the binary once.
func TestMain(m *testing.M) {
	os.Exit(build(m))
}

// binary is where TestMain built it.
var binary string //nolint:gochecknoglobals // set once, before any test runs

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "selvedge-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "selvedge")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", binary, "selvedge/cmd/selvedge")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the binary:", err)
		return 1
	}
	return m.Run()
}

// tool returns the path of a program that a test needs. Without it the test is
// skipped; in CI it fails.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		lacks(t, name)
	}
	return path
}

func lacks(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is required in CI", what)
	}
	t.Skipf("this machine has no %s", what)
}

// process is a running selvedge.
type process struct {
	cmd     *exec.Cmd
	url     string
	console string   // address of its first page for people, as it printed it
	env     []string // the export lines that it printed, as KEY=value
	dir     string   // data directory
	first   bool     // of those over the directory
	stderr  *logtest.Buffer
	shown   string // its metrics, before it was stopped
	web     *http.Client
}

// serve starts `selvedge serve` over a data directory and waits until it
// answers. It is killed when the test ends, if it still runs.
func serve(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	return serveWith(t, nil, dir, args...)
}

// serveWith is serve with more in the environment.
func serveWith(t *testing.T, env []string, dir string, args ...string) *process {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), binary, append([]string{"serve", "--data-dir", dir}, args...)...)
	cmd.Env = append(plainEnv(), env...)
	return begin(t, cmd, dir)
}

// begin starts a command that becomes a server over a data directory.
func begin(t *testing.T, cmd *exec.Cmd, dir string) *process {
	t.Helper()
	p := &process{cmd: cmd, dir: dir, stderr: &logtest.Buffer{}, web: browser(t, cmd.Env)}
	_, err := os.Stat(filepath.Join(dir, "selvedge.db.lock"))
	p.first = os.IsNotExist(err)
	p.cmd.Stderr = p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
		p.keepsSecrets(t, cmd.Args)
		if t.Failed() {
			t.Logf("log of the server:\n%s", tail(p.stderr.String(), 60))
		}
	})
	p.greeting(t, stdout)
	p.ready(t)
	return p
}

// browser is a client of the server: over TLS it trusts whom AWS_CA_BUNDLE of
// the environment names.
func browser(t *testing.T, env []string) *http.Client {
	t.Helper()
	for _, kv := range env {
		if file, ok := strings.CutPrefix(kv, "AWS_CA_BUNDLE="); ok {
			pool := x509.NewCertPool()
			pool.AppendCertsFromPEM(must[[]byte](t)(os.ReadFile(file)))
			return &http.Client{Transport: &http.Transport{
				TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true,
			}}
		}
	}
	return http.DefaultClient
}

// plainEnv is the environment without settings of other programs' making.
func plainEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "SELVEDGE_") && !strings.HasPrefix(kv, "AWS_") {
			env = append(env, kv)
		}
	}
	return env
}

// greeting reads the export lines.
func (p *process) greeting(t *testing.T, stdout io.Reader) {
	t.Helper()
	lines := bufio.NewScanner(stdout)
	for len(p.env) < 4 && lines.Scan() {
		if console, ok := strings.CutPrefix(lines.Text(), "Its console is at "); ok {
			p.console, _, _ = strings.Cut(console, ": ")
		}
		exports, ok := strings.CutPrefix(lines.Text(), "export ")
		if !ok {
			continue
		}
		for _, kv := range strings.Fields(exports) {
			key, value, _ := strings.Cut(kv, "=")
			value = strings.Trim(value, "'")
			p.env = append(p.env, key+"="+value)
			if key == "AWS_ENDPOINT_URL_APPFABRIC" {
				p.url = value
			}
		}
	}
	if p.url == "" {
		_ = p.cmd.Wait()
		t.Fatalf("the server did not start:\n%s", p.stderr)
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }()
}

func (p *process) ready(t *testing.T) {
	t.Helper()
	eventually(t, 20*time.Second, "the server is ready", func() error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/readyz", nil)
		if err != nil {
			return err
		}
		res, err := p.web.Do(req)
		if err != nil {
			return err
		}
		if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d: %w", res.StatusCode, err)
		}
		return nil
	})
}

// kill ends the process with SIGKILL.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // it was killed, and says so
}

// stop ends the process with SIGTERM and expects an orderly exit.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.shown = p.metrics(t)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("SIGTERM ended the server with %v:\n%s", err, tail(p.stderr.String(), 40))
	}
}

// eventually looks at a condition until it holds.
func eventually(t *testing.T, patience time.Duration, what string, look func() error) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := look()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not after %v: %s: %v", patience, what, err)
		case <-t.Context().Done():
			t.Fatal(errors.Join(err, t.Context().Err()))
		}
	}
}

func tail(s string, n int) string {
	lines := strings.Split(s, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
