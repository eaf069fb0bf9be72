package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"selvedge/simulator"
)

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
	p, sim := terraformServer(t)
	emit(t, sim.TerraformCloud().Emit, 7, 60*time.Hour) // long before the ingestion's beginning
	out := p.bash(t, walkThrough(t, "README.md: cli")+walkThrough(t, "docs/access.md: trail")+walkThrough(t, "docs/events.md: backfill")+
		walkThrough(t, "docs/encryption.md: kms"), "TOKEN="+sim.TerraformCloud().Token())
	for _, want := range []string{
		`"status": "Connected"`, `"state": "enabled"`, `"status": "Active"`, "; 7 records of them are delivered.", `"eventName":"CreateIngestionDestination"`,
		"arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000000\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the commands did not show %s:\n%s", want, out)
		}
	}
	delivered(t, p, 47)
	p.stop(t)
}

func TestGettingStartedWithBoto3(t *testing.T) {
	t.Parallel()
	python := tool(t, "python3")
	if err := exec.CommandContext(t.Context(), python, "-c", "import boto3").Run(); err != nil {
		lacks(t, "boto3")
	}
	p, sim := terraformServer(t)
	cmd := exec.CommandContext(t.Context(), python, "-c", walkThrough(t, "docs/getting-started.md: boto3"))
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
