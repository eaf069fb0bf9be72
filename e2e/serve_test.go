package e2e_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/appfabric"

	"selvedge/connector/all"
)

// refused starts the server and expects it to refuse: one line on standard
// error that says want, and status 1.
func refused(t *testing.T, want string, args ...string) {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"serve"}, args...)...)
	cmd.Env, cmd.Stderr = plainEnv(), &stderr
	err := cmd.Run()
	if err == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("the server ended with %v, want status 1", err)
	}
	text := strings.TrimSpace(stderr.String())
	if strings.Contains(text, "\n") || !strings.HasPrefix(text, "selvedge: ") || !strings.Contains(text, want) {
		t.Errorf("standard error is %q, want one line that says %q", text, want)
	}
}

func TestFirstStartMakesPrivateFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "data")
	p := serve(t, dir, "--listen", "127.0.0.1:0")
	for name, want := range map[string]os.FileMode{
		"": 0o700 | os.ModeDir, "selvedge.db": 0o600, "master.key": 0o600, "credentials": 0o600,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, %v; want %v", filepath.Join(dir, name), info.Mode(), err, want)
		}
	}
	must[*appfabric.ListAppBundlesOutput](t)(p.client(t).ListAppBundles(t.Context(), &appfabric.ListAppBundlesInput{}))
	before := must[[]byte](t)(os.ReadFile(filepath.Join(dir, "credentials")))
	p.stop(t)
	p = serve(t, dir, "--listen", "127.0.0.1:0")
	if after := must[[]byte](t)(os.ReadFile(filepath.Join(dir, "credentials"))); !bytes.Equal(before, after) {
		t.Error("the second start made another root key")
	}
	p.stop(t)
}

func TestStartIsRefused(t *testing.T) {
	t.Parallel()
	// used is a data directory that a server has used and left.
	used := func(t *testing.T) string {
		t.Helper()
		dir := t.TempDir()
		serve(t, dir, "--listen", "127.0.0.1:0").stop(t)
		return dir
	}
	tests := []struct {
		name string
		lay  func(t *testing.T) (dir string, args []string)
		want string
	}{
		{"a second server", func(t *testing.T) (string, []string) {
			dir := t.TempDir()
			serve(t, dir, "--listen", "127.0.0.1:0")
			return dir, nil
		}, "held by another selvedge process"},
		{"a taken port", func(t *testing.T) (string, []string) {
			var lc net.ListenConfig
			l := must[net.Listener](t)(lc.Listen(t.Context(), "tcp", "127.0.0.1:0"))
			t.Cleanup(func() { _ = l.Close() })
			return t.TempDir(), []string{"--listen", l.Addr().String()}
		}, "address already in use"},
		{"a foreign database", func(t *testing.T) (string, []string) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "selvedge.db"), strings.Repeat("not a database. ", 100))
			return dir, nil
		}, "cannot be read as a SQLite database"},
		{"another master key", func(t *testing.T) (string, []string) {
			dir, other := used(t), used(t)
			return dir, []string{"--master-key-file", filepath.Join(other, "master.key")}
		}, "this master key is not the one that the database was made with"},
		{"a lost master key", func(t *testing.T) (string, []string) {
			dir := used(t)
			if err := os.Remove(filepath.Join(dir, "master.key")); err != nil {
				t.Fatal(err)
			}
			return dir, nil
		}, "is missing"},
		{"a readable master key", func(t *testing.T) (string, []string) {
			dir := used(t)
			if err := os.Chmod(filepath.Join(dir, "master.key"), 0o644); err != nil {
				t.Fatal(err)
			}
			return dir, nil
		}, "chmod 600"},
		{"readable credentials", func(t *testing.T) (string, []string) {
			dir := used(t)
			if err := os.Chmod(filepath.Join(dir, "credentials"), 0o644); err != nil {
				t.Fatal(err)
			}
			return dir, nil
		}, "chmod 600"},
		{"a bad setting", func(t *testing.T) (string, []string) {
			return t.TempDir(), []string{"--poll-interval", "soon"}
		}, "--poll-interval"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, args := tt.lay(t)
			refused(t, tt.want, append([]string{"--data-dir", dir, "--listen", "127.0.0.1:0"}, args...)...)
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		args   []string
		stdin  string
		status int
		stdout string
		stderr string
	}{
		{"help", []string{"--help"}, "", 0, "serve", ""},
		{"no command", nil, "", 0, "serve", ""},
		{"an unknown command", []string{"sreve"}, "", 2, "", "selvedge: "},
		{"an unknown flag", []string{"serve", "--lsten", "x"}, "", 2, "", "selvedge: "},
		{"apps", []string{"apps"}, "", 0, "TERRAFORMCLOUD", ""},
		{"apps as JSON", []string{"apps", "--json"}, "", 0, `"name": "OKTA"`, ""},
		{"apps with a connector", []string{"apps"}, "", 0, "OKTA            oauth2     yes        ", ""},
		{"normalize", []string{"normalize", "--app", "OKTA"}, `{"uuid":"u","eventType":"user.session.start","published":"2026-01-02T03:04:05.678Z"}` + "\n", 0, `"raw_data":"{\"uuid\":\"u\"`, ""},
		{"normalize without JSON", []string{"normalize", "--app", "okta"}, "oops\n{}\n", 1, `"raw_data":"oops"`, "line 1 is not JSON"},
		{"normalize of an unknown application", []string{"normalize", "--app", "NOPE"}, "", 1, "", "TERRAFORMCLOUD"},
		{"normalize of an unknown stream", []string{"normalize", "--app", "OKTA", "--stream", "x"}, "", 1, "", "system_log"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			cmd := exec.CommandContext(context.Background(), binary, tt.args...)
			cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = plainEnv(), strings.NewReader(tt.stdin), &stdout, &stderr
			_ = cmd.Run() // its state says how it ended
			if got := cmd.ProcessState.ExitCode(); got != tt.status {
				t.Errorf("status %d, want %d; standard error: %s", got, tt.status, &stderr)
			}
			if !strings.Contains(stdout.String(), tt.stdout) || !strings.Contains(stderr.String(), tt.stderr) {
				t.Errorf("standard output %q, standard error %q; want %q and %q", &stdout, &stderr, tt.stdout, tt.stderr)
			}
		})
	}
}

// TestDemoOnce runs it twice, the second time over what the first has left. The
// simulated applications do not remember it, and each is collected all the same.
func TestDemoOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args  []string
		files int
	}{
		"as it is": {nil, 2 * 2},
		"all":      {[]string{"--apps", "all"}, 2 * len(all.Apps())},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"demo", "--once", "--data-dir", t.TempDir(), "--listen", "127.0.0.1:0"}, c.args...)
			for range 2 {
				demoOnce(t, args, c.files)
			}
		})
	}
}

// demoOnce runs a demonstration, which shows as many files, each with something in it.
func demoOnce(t *testing.T, args []string, want int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = plainEnv(), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("demo --once: %v\n%s", err, &stderr)
	}
	files := 0
	for word := range strings.FieldsSeq(stdout.String()) {
		if !strings.Contains(word, "AuditLog-") {
			continue
		}
		files++
		if body := must[[]byte](t)(os.ReadFile(word)); len(body) == 0 {
			t.Errorf("%s is empty", word)
		}
	}
	if files != want {
		t.Errorf("the demonstration shows %d files, want %d:\n%s", files, want, &stdout)
	}
}

// TestDemoApps chooses the applications; each is delivered raw at least.
func TestDemoApps(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), binary, "demo", "--once", "--apps", "dropbox,SMARTSHEET", "--data-dir", t.TempDir(), "--listen", "127.0.0.1:0")
	cmd.Env, cmd.Stdout, cmd.Stderr = plainEnv(), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("demo: %v\n%s", err, &stderr)
	}
	for _, app := range []string{"DROPBOX", "SMARTSHEET"} {
		raw := regexp.MustCompile(`(?m)^` + app + ` +(\S+/RAW/JSON/` + app + `/\S+)$`).FindStringSubmatch(stdout.String())
		if raw == nil {
			t.Errorf("no raw file of %s:\n%s", app, &stdout)
			continue
		}
		if body := must[[]byte](t)(os.ReadFile(raw[1])); bytes.Count(body, []byte("\n")) == 0 {
			t.Errorf("%s is empty", raw[1])
		}
	}
	if strings.Contains(stdout.String(), "OKTA") {
		t.Errorf("Okta was not asked for:\n%s", &stdout)
	}
}
