package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/smithy-go"

	"selvedge/simulator"
)

// command runs a command of the binary against the server, with the root key of
// its data directory unless the environment has another.
func (p *process) command(t *testing.T, env []string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(append(plainEnv(), "AWS_ENDPOINT_URL_APPFABRIC="+p.url, "SELVEDGE_DATA_DIR="+p.dir), env...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // its state says how it ended
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// done is a command that has to succeed.
func (p *process) done(t *testing.T, env []string, args ...string) string {
	t.Helper()
	out, errs, status := p.command(t, env, args...)
	if status != 0 || errs != "" {
		t.Fatalf("selvedge %s: status %d: %s", strings.Join(args, " "), status, errs)
	}
	return out
}

// makeKey makes a key and returns its export lines as KEY=value.
func (p *process) makeKey(t *testing.T, account, policy string) (env []string, id, hidden string) {
	t.Helper()
	for line := range strings.Lines(p.done(t, nil, "key", "create", "--account", account, "--policy", policy)) {
		kv, ok := strings.CutPrefix(strings.TrimSpace(line), "export ")
		if !ok {
			t.Fatalf("not an export line: %s", line)
		}
		env = append(env, strings.ReplaceAll(kv, "'", ""))
	}
	if len(env) != 2 {
		t.Fatalf("key create printed %d lines", len(env))
	}
	return env, strings.TrimPrefix(env[0], "AWS_ACCESS_KEY_ID="), strings.TrimPrefix(env[1], "AWS_SECRET_ACCESS_KEY=")
}

func (p *process) clientOf(id, hidden string) *appfabric.Client {
	return appfabric.New(appfabric.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(p.url),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: hidden}, nil
		}),
	})
}

// code is the name of the exception.
func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := serve(t, dir, "--listen", "127.0.0.1:0", "--log-level", "debug")
	env, id, hidden := p.makeKey(t, "111122223333", "AWSAppFabricReadOnlyAccess")
	list := func() error {
		_, err := p.clientOf(id, hidden).ListAppBundles(t.Context(), &appfabric.ListAppBundlesInput{})
		return err
	}
	if err := list(); err != nil {
		t.Fatal(err)
	}
	_, err := p.clientOf(id, hidden).CreateAppBundle(t.Context(), &appfabric.CreateAppBundleInput{})
	if code(err) != "AccessDeniedException" {
		t.Errorf("a reader creates: %v", err)
	}
	for _, args := range [][]string{{"key", "list"}, {"key", "create", "--account", "111122223333", "--policy", "AWSAppFabricFullAccess"}} {
		out, errs, status := p.command(t, env, args...)
		if status != 1 || out != "" || strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, "selvedge: AccessDeniedException: User: arn:aws:iam::111122223333:user/"+id) {
			t.Errorf("%v by a reader: status %d, %q, %q", args, status, out, errs)
		}
	}
	p.kill(t)
	p = serve(t, dir, "--listen", "127.0.0.1:0", "--log-level", "debug")
	if err := list(); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	shown := p.done(t, nil, "key", "list") + p.done(t, nil, "key", "list", "--json", "--account", "111122223333")
	if !strings.Contains(shown, id) || strings.Contains(shown, hidden) {
		t.Errorf("key list:\n%s", shown)
	}
	p.done(t, nil, "key", "revoke", id)
	if err := list(); code(err) != "UnrecognizedClientException" {
		t.Errorf("after the revocation: %v", err)
	}
	if shown := p.done(t, nil, "key", "list", "--account", "000000000000"); strings.Contains(shown, id) {
		t.Errorf("keys of another account:\n%s", shown)
	}
	p.stop(t)
	if strings.Contains(p.stderr.String(), hidden) {
		t.Error("the log has the secret")
	}
	nowhere(t, dir, hidden)
}

// nowhere checks that no file has a text.
func nowhere(t *testing.T, dir, text string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(text)) {
			t.Errorf("%s has it", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestKeyCommandsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0")
	bad := filepath.Join(t.TempDir(), "policy.json")
	write(t, bad, `{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Null":{"aws:TagKeys":"true"}}}}`)
	arn := "arn:aws:appfabric:eu-west-1:000000000000:appbundle/00000000-0000-4000-8000-000000000000/"
	tests := []struct {
		name string
		env  []string
		args []string
		want string
	}{
		{"a policy that is not supported", nil, []string{"key", "create", "--account", "111122223333", "--policy", bad}, `unknown operator "Null"`},
		{"no such file", nil, []string{"key", "create", "--account", "111122223333", "--policy", "no.json"}, "no such file"},
		{"no such policy", nil, []string{"key", "create", "--account", "111122223333", "--policy", "Nothing"}, "AWSAppFabricReadOnlyAccess"},
		{"account", nil, []string{"key", "create", "--account", "1", "--policy", "AWSAppFabricFullAccess"}, "'account'"},
		{"no such key", nil, []string{"key", "revoke", "AKIAAAAAAAAAAAAAAAAA"}, "was not found"},
		{"an unknown key signs", []string{"AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=y"}, []string{"key", "list"}, "UnrecognizedClientException"},
		{"half a key", []string{"AWS_ACCESS_KEY_ID=x"}, []string{"key", "list"}, "set both"},
		{"no key", []string{"SELVEDGE_DATA_DIR=/nonexistent"}, []string{"key", "list"}, "--data-dir"},
		{"no profile", []string{"AWS_PROFILE=other"}, []string{"key", "list"}, "[other]"},
		{"nobody listens", nil, []string{"key", "list", "--endpoint", "http://127.0.0.1:1"}, "reach the server at http://127.0.0.1:1"},
		{"no endpoint", nil, []string{"key", "list", "--endpoint", "localhost"}, "no http or https URL"},
		{"not Selvedge", nil, []string{"key", "list", "--endpoint", p.url + "/metrics"}, "UnknownOperationException"},
		{"no ARN", nil, []string{"authorization", "show", "x"}, "not the ARN of an app authorization"},
		{"another ARN", nil, []string{"ingestion", "show", arn + "appauthorization/00000000-0000-4000-8000-000000000000"}, "not the ARN of an ingestion"},
		{"missing", nil, []string{"ingestion", "show", arn + "ingestion/00000000-0000-4000-8000-000000000000"}, "was not found"},
	}
	for _, tt := range tests {
		out, errs, status := p.command(t, tt.env, tt.args...)
		if status != 1 || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, tt.want) {
			t.Errorf("%s: status %d, standard output %q, standard error %q; want %q", tt.name, status, out, errs, tt.want)
		}
	}
	p.stop(t)
}

func TestTheCommandsForKeys(t *testing.T) {
	t.Parallel()
	tool(t, "aws")
	p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0")
	out := p.bash(t, walkThrough(t, "docs/access.md: keys"))
	for _, want := range []string{`"appBundleSummaryList": []`, "000000000000", "JSON, see --json"} {
		if !strings.Contains(out, want) {
			t.Errorf("not shown: %s\n%s", want, out)
		}
	}
	p.stop(t)
}

func TestShow(t *testing.T) {
	t.Parallel()
	sim, origins := simulated(t, simulator.Options{Seed: 6})
	emit(t, sim.Okta().Emit, 20, 0)
	p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "1s")
	col := collectOkta(t, p, sim)
	eventually(t, 30*time.Second, "the events are delivered", col.complete(t, 20))
	_, secret := sim.Okta().Client()
	var auth struct {
		Status  string
		Lineage []struct{ Event string }
	}
	text := p.done(t, nil, "authorization", "show", col.authorization)
	if err := json.Unmarshal([]byte(text), &auth); err != nil || auth.Status != "Connected" || len(auth.Lineage) == 0 {
		t.Errorf("authorization show: %v\n%s", err, text)
	}
	if strings.Contains(text, secret) || strings.Contains(strings.ToLower(text), "token\":") {
		t.Errorf("something secret is shown:\n%s", text)
	}
	var ing struct {
		State   string
		Streams []struct {
			Name, Cursor, Watermark string
			Coverage                []struct{ Records int }
		}
		Destinations []struct {
			ARN, Status string
			Backlog     struct{ Batches int }
		}
	}
	text = p.done(t, nil, "ingestion", "show", col.ingestion)
	if err := json.Unmarshal([]byte(text), &ing); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if ing.State != "enabled" || len(ing.Streams) != 1 || len(ing.Streams[0].Coverage) == 0 || ing.Streams[0].Watermark == "" ||
		ing.Streams[0].Cursor == "" || len(ing.Destinations) != 2 || ing.Destinations[0].Status != "Active" {
		t.Errorf("ingestion show:\n%s", text)
	}
	out := p.bash(t, walkThrough(t, "docs/events.md: show"), "AUTHORIZATION="+col.authorization, "INGESTION="+col.ingestion)
	if !strings.Contains(out, col.authorization) || !strings.Contains(out, col.ingestion) {
		t.Errorf("the commands show:\n%s", out)
	}
	var event struct {
		Raw  string
		OCSF struct {
			Raw string `json:"raw_data"`
		}
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &event); err != nil || !json.Valid([]byte(event.Raw)) || event.OCSF.Raw == "" {
		t.Errorf("an event and its OCSF: %v\n%s", err, lines[len(lines)-1])
	}
	trail := p.done(t, nil, "audit", "tail", "--operation", "ReadEvents")
	if !strings.Contains(trail, col.ingestion) || strings.Contains(trail, "raw_data") {
		t.Errorf("the trail has of the events:\n%s", trail)
	}
	p.stop(t)
}
