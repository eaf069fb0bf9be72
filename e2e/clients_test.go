package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"selvedge/simulator"
)

// walkThrough returns the README's commands that are marked as one part, so
// that what is written there is what was run.
func walkThrough(t *testing.T, part string) string {
	t.Helper()
	text := must[[]byte](t)(os.ReadFile("../README.md"))
	blocks := regexp.MustCompile("(?s)<!-- e2e: "+part+" -->\n```[a-z]*\n(.*?)```").FindAllSubmatch(text, -1)
	if len(blocks) == 0 {
		t.Fatalf("README.md has no part %q", part)
	}
	var script strings.Builder
	for _, b := range blocks {
		script.Write(b[1])
	}
	return script.String()
}

// environment is what a user's shell has after the export lines.
func (p *process) environment(more ...string) []string {
	env := append(plainEnv(), p.env...)
	env = append(env, "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=")
	return append(env, more...)
}

// terraformServer is a server whose Terraform Cloud is simulated.
func terraformServer(t *testing.T) (*process, *simulator.Server) {
	t.Helper()
	sim, origins := simulated(t, simulator.Options{Seed: 4})
	emit(t, sim.TerraformCloud().Emit, 40, 0)
	return serve(t, t.TempDir(), "--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "1s"), sim
}

func TestTheReadmeWithTheAWSCLI(t *testing.T) {
	t.Parallel()
	tool(t, "aws")
	bash := tool(t, "bash")
	p, sim := terraformServer(t)
	cmd := exec.CommandContext(t.Context(), bash, "-euo", "pipefail", "-c", walkThrough(t, "cli"))
	cmd.Dir = t.TempDir()
	cmd.Env = p.environment("TOKEN=" + sim.TerraformCloud().Token())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{`"status": "Connected"`, `"state": "enabled"`, `"status": "Active"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the CLI did not show %s:\n%s", want, out)
		}
	}
	delivered(t, p, 40)
	p.stop(t)
}

func TestTheReadmeWithBoto3(t *testing.T) {
	t.Parallel()
	python := tool(t, "python3")
	if err := exec.CommandContext(t.Context(), python, "-c", "import boto3").Run(); err != nil {
		lacks(t, "boto3")
	}
	p, sim := terraformServer(t)
	cmd := exec.CommandContext(t.Context(), python, "-c", walkThrough(t, "boto3"))
	cmd.Env = p.environment("TOKEN=" + sim.TerraformCloud().Token())
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "Connected") {
		t.Fatalf("%v\n%s", err, out)
	}
	delivered(t, p, 40)
	p.stop(t)
}

// delivered waits for that many lines in the buckets, of whatever schema.
func delivered(t *testing.T, p *process, want int) {
	t.Helper()
	eventually(t, 30*time.Second, "events are delivered", func() error {
		all := collection{dir: filepath.Join(p.dir, "buckets")}
		if n := len(all.linesBelow(t, "/AWSAppFabric/")); n < want {
			return fmt.Errorf("%d of %d lines", n, want)
		}
		return nil
	})
}

// providerMirror returns the folder of a file system mirror that has the AWS
// provider.
func providerMirror(t *testing.T) string {
	t.Helper()
	candidates := []string{os.Getenv("TERRAFORM_PROVIDER_MIRROR")}
	for _, pattern := range []string{"/opt/*", "/usr/share/terraform/*", "/usr/local/share/terraform/*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		candidates = append(candidates, found...)
	}
	for _, dir := range candidates {
		if dir == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "registry.terraform.io", "hashicorp", "aws")); err == nil {
			return dir
		}
	}
	lacks(t, "Terraform AWS provider in a file system mirror (TERRAFORM_PROVIDER_MIRROR names its folder)")
	return ""
}

// terraform is a working directory of Terraform, with the environment for it.
type terraform struct {
	path, dir string
	env       []string
}

// newTerraform prepares a directory whose providers come from the mirror.
func newTerraform(t *testing.T, p *process, sim *simulator.Server) *terraform {
	t.Helper()
	tf := &terraform{path: tool(t, "terraform"), dir: t.TempDir()}
	write(t, filepath.Join(tf.dir, "terraformrc"), `provider_installation {
  filesystem_mirror { path = "`+providerMirror(t)+`" }
}
`)
	tf.env = p.environment("TF_CLI_CONFIG_FILE="+filepath.Join(tf.dir, "terraformrc"), "TF_IN_AUTOMATION=1",
		"CHECKPOINT_DISABLE=1", "TF_VAR_token="+sim.TerraformCloud().Token())
	return tf
}

// try runs one command and returns its output and exit status.
func (tf *terraform) try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tf.path, args...)
	cmd.Dir, cmd.Env = tf.dir, tf.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run runs a command that has to succeed.
func (tf *terraform) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := tf.try(t, args...)
	if err != nil {
		t.Fatalf("terraform %s: %v\n%s", args[0], err, tail(out, 40))
	}
	return out
}

func TestTheReadmeWithTerraform(t *testing.T) {
	t.Parallel()
	tool(t, "terraform")
	providerMirror(t)
	p, sim := terraformServer(t)
	tf := newTerraform(t, p, sim)
	write(t, filepath.Join(tf.dir, "main.tf"), walkThrough(t, "terraform"))
	tf.run(t, "init", "-no-color", "-input=false")
	tf.run(t, "apply", "-no-color", "-input=false", "-auto-approve")
	tf.run(t, "plan", "-no-color", "-input=false", "-detailed-exitcode") // status 2: not empty
	delivered(t, p, 40)
	tf.run(t, "destroy", "-no-color", "-input=false", "-auto-approve")
	if out := tf.run(t, "state", "list"); strings.TrimSpace(out) != "" {
		t.Errorf("left after destroy:\n%s", out)
	}
	p.stop(t)
}
