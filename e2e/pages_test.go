package e2e_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/appfabric"

	"selvedge/internal/docstest"
	"selvedge/ocsf/ocsftest"
	"selvedge/simulator"
)

// walkThrough is what a page shows under a part's name, "docs/access.md: keys": what
// is written there is what was run. The tests of docstest see to it that every
// command on a page has such a name, and a test that runs it.
func walkThrough(t *testing.T, name string) string {
	t.Helper()
	path, part, _ := strings.Cut(name, ": ")
	text := must[[]byte](t)(os.ReadFile(filepath.Join("..", path)))
	script := docstest.Page{Path: path, Text: string(text)}.Part(part)
	if script == "" {
		t.Fatalf("%s has no part %q", path, part)
	}
	return script
}

// home makes of a folder what users of the pages have, with bin/selvedge below.
func home(t *testing.T, dir string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	link(t, binary, filepath.Join(dir, "bin", "selvedge"))
	return dir
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil && !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
}

// bash runs commands of pages as a user of the server, and returns what they show.
func (p *process) bash(t *testing.T, script string, env ...string) string {
	t.Helper()
	return p.bashIn(t, t.TempDir(), script, env...)
}

// bashIn is bash in a folder that has files of the user's.
func (p *process) bashIn(t *testing.T, dir, script string, env ...string) string {
	t.Helper()
	link(t, p.dir, filepath.Join(home(t, dir), "selvedge-data"))
	return shell(t, dir, script, p.environment(env...))
}

func shell(t *testing.T, dir, script string, env []string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool(t, "bash"), "-euo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, tail(string(out), 60))
	}
	return string(out)
}

// TestGettingStarted connects an application of each way to sign in; that of a key
// is TestTheReadmeWithTheAWSCLI's.
func TestGettingStarted(t *testing.T) {
	t.Parallel()
	tool(t, "aws")
	tool(t, "jq")
	sim, origins := allSimulated(t)
	p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "1s")
	for app, event := range map[string]string{"OKTA": "Authentication", "SLACK": "Authentication"} {
		account := must[simulator.Account](t)(sim.Account(app))
		if _, err := sim.Emit(app, 40, 0); err != nil {
			t.Fatal(err)
		}
		env := []string{"APP=" + app, "TENANT=" + account.Tenant, "CLIENT_ID=" + account.ClientID, "CLIENT_SECRET=" + account.ClientSecret}
		out := strings.Split(strings.TrimSpace(p.bash(t, walkThrough(t, "docs/getting-started.md: authorize")+"\necho $BUNDLE; echo $AUTHORIZATION\n", env...)), "\n")
		if len(out) != 3 {
			t.Fatalf("the commands show:\n%s", out)
		}
		p.consents(t, sim, app, out[0])
		env = append(env, "BUNDLE="+out[1], "AUTHORIZATION="+out[2])
		if shown := p.bash(t, walkThrough(t, "docs/getting-started.md: connect show"), env...); !strings.Contains(shown, "exchanged") {
			t.Errorf("authorization show:\n%s", shown)
		}
		if shown := p.bash(t, walkThrough(t, "docs/getting-started.md: collect"), env...); shown != "Active\n" {
			t.Errorf("the destination is %s", shown)
		}
		eventually(t, time.Minute, app+" is collected", func() error {
			if lines := (collection{dir: filepath.Join(p.dir, "buckets")}).linesBelow(t, "/"+app+"/"); len(lines) < 40 {
				return fmt.Errorf("%d events", len(lines))
			}
			return nil
		})
		if shown := p.bash(t, strings.ReplaceAll(walkThrough(t, "docs/getting-started.md: look"), "| tail", "")); !strings.Contains(shown, event) {
			t.Errorf("the events are shown as\n%s", shown)
		}
	}
	bundle := sure(t, p.client(t).ListAppBundles, appfabric.ListAppBundlesInput{}).AppBundleSummaryList[0].Arn
	zoom := must[simulator.Account](t)(sim.Account("ZOOM"))
	out := p.bash(t, walkThrough(t, "docs/getting-started.md: connect by client"),
		"BUNDLE="+*bundle, "CLIENT_ID="+zoom.ClientID, "CLIENT_SECRET="+zoom.ClientSecret, "ZOOM_ACCOUNT_ID="+zoom.Tenant)
	if strings.TrimSpace(out) != "Connected" {
		t.Errorf("Zoom is %s", out)
	}
	p.stop(t)
}

// consents opens an authUrl as an administrator does, and comes back.
func (p *process) consents(t *testing.T, sim *simulator.Server, app, authURL string) {
	t.Helper()
	back := must[string](t)(sim.Approve(t.Context(), app, simulator.Client(), strings.TrimSpace(authURL)))
	if page := must[string](t)(visit(t, back)); !strings.Contains(page, "Connected") {
		t.Errorf("the browser came back to:\n%s", page)
	}
}

func TestGettingStartedWithTerraform(t *testing.T) {
	t.Parallel()
	tool(t, "aws")
	sim, origins := allSimulated(t)
	p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "1s")
	tf := newTerraform(t, p, sim)
	okta := must[simulator.Account](t)(sim.Account("OKTA"))
	if _, err := sim.Emit("OKTA", 12, 0); err != nil {
		t.Fatal(err)
	}
	tf.env = append(tf.env, unattended()...)
	tf.env = append(tf.env, "TF_VAR_client_id="+okta.ClientID, "TF_VAR_client_secret="+okta.ClientSecret, "TF_VAR_tenant="+okta.Tenant)
	write(t, filepath.Join(tf.dir, "main.tf"), walkThrough(t, "docs/getting-started.md: terraform"))
	out := strings.Split(strings.TrimSpace(shell(t, tf.dir, walkThrough(t, "docs/getting-started.md: apply"), tf.env)), "\n")
	p.consents(t, sim, "OKTA", out[len(out)-1])
	shell(t, tf.dir, walkThrough(t, "docs/getting-started.md: consented"), tf.env)
	delivered(t, p, 12)
	if out, err := tf.try(t, "plan", "-var", "consented=true", "-detailed-exitcode"); err != nil {
		t.Errorf("the plan is not empty: %v\n%s", err, tail(out, 60))
	}
	keepsTheConsent(t, p, tf)
	p.stop(t)
}

// keepsTheConsent takes a connected authorization into another state, as
// docs/moving.md says, and expects that nobody has to consent again.
func keepsTheConsent(t *testing.T, p *process, made *terraform) {
	t.Helper()
	tf := &terraform{path: made.path, dir: t.TempDir(), env: append(made.env, "TF_VAR_consented=true")}
	config, tenant := walkThrough(t, "docs/getting-started.md: terraform"), "  tenant {\n"
	keep := walkThrough(t, "docs/moving.md: keep the consent")
	write(t, filepath.Join(tf.dir, "main.tf"), strings.Replace(config, tenant, keep+tenant, 1))
	var imports strings.Builder
	for address, attributes := range made.state(t) {
		address = strings.TrimPrefix(address, ".")
		if strings.Contains(address, "_ingestion") {
			address += "[0]"
		}
		fmt.Fprintf(&imports, "import {\n  to = %s\n  id = %q\n}\n", address, attributes["id"])
	}
	write(t, filepath.Join(tf.dir, "import.tf"), imports.String())
	tf.run(t, "init")
	tf.apply(t, "4 imported, 0 added, 0 changed, 0 destroyed")
	p.connected(t)
}

// unattended lets Terraform ask nothing.
func unattended() []string {
	return []string{"TF_INPUT=0", "TF_CLI_ARGS=-no-color", "TF_CLI_ARGS_apply=-auto-approve", "TF_CLI_ARGS_destroy=-auto-approve"}
}

// TestTheReadmesServer starts a server by the README's command, reaches it by the
// README's variables, and normalises without one.
func TestTheReadmesServer(t *testing.T) {
	t.Parallel()
	tool(t, "aws")
	p := started(t, walkThrough(t, "README.md: serve"))
	env := strings.ReplaceAll(walkThrough(t, "README.md: environment"), "http://127.0.0.1:8686", p.url)
	out := shell(t, filepath.Dir(p.dir), env+"aws appfabric create-app-bundle --query appBundle.arn --output text", append(plainEnv(), "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true"))
	if bundles := sure(t, p.client(t).ListAppBundles, appfabric.ListAppBundlesInput{}).AppBundleSummaryList; len(bundles) != 1 || *bundles[0].Arn != strings.TrimSpace(out) {
		t.Errorf("the CLI made %s, there are %v", out, bundles)
	}
	dir := home(t, t.TempDir())
	write(t, filepath.Join(dir, "records.ndjson"), `{"uuid":"u","eventType":"user.session.start","published":"2026-01-02T03:04:05.678Z"}`+"\n")
	shell(t, dir, walkThrough(t, "README.md: normalize"), plainEnv())
	ocsftest.MustValidate(t, []byte(strings.TrimSpace(string(must[[]byte](t)(os.ReadFile(filepath.Join(dir, "events.ndjson")))))))
	p.stop(t)
}

// TestTheSimulatedApplications leads a server to the simulated applications by the
// command that simulate prints, and connects one with what it prints.
func TestTheSimulatedApplications(t *testing.T) {
	t.Parallel()
	sim := exec.CommandContext(t.Context(), tool(t, "bash"), "-c", "exec "+strings.TrimSpace(walkThrough(t, "docs/getting-started.md: simulate"))+" --listen 127.0.0.1:0")
	sim.Dir, sim.Env = home(t, t.TempDir()), plainEnv()
	stdout, err := sim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = sim.Process.Kill()
		_ = sim.Wait()
	})
	printed := readUntil(t, stdout, "on demand:")
	_, origins, _ := strings.Cut(printed, "selvedge serve --origins '")
	origins, _, _ = strings.Cut(origins, "'")
	account := regexp.MustCompile(`TERRAFORMCLOUD: tenant (\S+), service account token (\S+)`).FindStringSubmatch(printed)
	if account == nil {
		t.Fatalf("simulate does not say how to connect Terraform Cloud:\n%s", printed)
	}
	p := started(t, strings.ReplaceAll(walkThrough(t, "docs/getting-started.md: simulated"), "...", origins))
	c := p.client(t)
	bundle := sure(t, c.CreateAppBundle, appfabric.CreateAppBundleInput{}).AppBundle.Arn
	authorize(t, c, bundle, account[1], account[2])
	p.stop(t)
}

// started runs a page's command that starts a server, at a free port.
func started(t *testing.T, command string) *process {
	t.Helper()
	dir := home(t, t.TempDir())
	cmd := exec.CommandContext(context.Background(), tool(t, "bash"), "-c", "exec "+strings.TrimSpace(command))
	cmd.Dir, cmd.Env = dir, append(plainEnv(), "SELVEDGE_LISTEN=127.0.0.1:0")
	return begin(t, cmd, filepath.Join(dir, "selvedge-data"))
}

// readUntil reads the lines of a program up to one that has a text.
func readUntil(t *testing.T, from io.Reader, text string) string {
	t.Helper()
	var read strings.Builder
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		read.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), text) {
			return read.String()
		}
	}
	t.Fatalf("no line has %q:\n%s", text, &read)
	return ""
}
