package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// script runs a client's program that uses every operation, against a front
// that throttles and fails the first tries of ListAppBundles.
func script(t *testing.T, dir string, more []string, command ...string) {
	t.Helper()
	p, sim := terraformServer(t)
	f := newFront(t, p, func(operation string) []fault {
		if operation == "GET /appbundles" {
			return []fault{throttled, broken}
		}
		return nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(p.environment("TOKEN="+sim.TerraformCloud().Token(), "AWS_ENDPOINT_URL_APPFABRIC="+f.URL), more...)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "done") {
		t.Fatalf("%s: %v\n%s", command[0], err, tail(string(out), 40))
	}
	f.succeeded(t)
	if got := f.statuses("GET /appbundles"); len(got) < 3 || got[0] != 429 || got[1] != 500 || got[2] != 200 {
		t.Errorf("ListAppBundles was answered with %v, want retries after 429 and 500", got)
	}
	p.stop(t)
}

// testdata is the absolute path of a file of this package.
func testdata(t *testing.T, name string) string {
	t.Helper()
	return must[string](t)(filepath.Abs(filepath.Join("testdata", name)))
}

func TestEveryOperationWithTheAWSCLI(t *testing.T) {
	t.Parallel()
	tool(t, "aws")
	script(t, t.TempDir(), nil, tool(t, "bash"), testdata(t, "operations.sh"))
}

func TestEveryOperationWithBoto3(t *testing.T) {
	t.Parallel()
	python := tool(t, "python3")
	if err := exec.CommandContext(t.Context(), python, "-c", "import boto3").Run(); err != nil {
		lacks(t, "boto3")
	}
	script(t, t.TempDir(), nil, python, testdata(t, "operations.py"))
}

func TestEveryOperationWithTheJavaScriptSDK(t *testing.T) {
	t.Parallel()
	node, npm := tool(t, "node"), tool(t, "npm")
	dir := filepath.Join(t.TempDir(), "node")
	if err := os.CopyFS(dir, os.DirFS(testdata(t, "node"))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		lacks(t, "package registry for npm ci: "+tail(string(out), 10))
	}
	script(t, dir, []string{"AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE=1"}, node, "operations.js")
}
