package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/appfabric"

	"selvedge/internal/logtest"
)

// selvedge runs a command of the binary against a server and returns what it
// printed.
func (p *process) selvedge(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = p.environment(), &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func TestAuditTail(t *testing.T) {
	t.Parallel()
	p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0")
	c := p.client(t)
	must[*appfabric.CreateAppBundleOutput](t)(c.CreateAppBundle(t.Context(), &appfabric.CreateAppBundleInput{}))
	for range 3 {
		must[*appfabric.ListAppBundlesOutput](t)(c.ListAppBundles(t.Context(), &appfabric.ListAppBundlesInput{}))
	}
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{nil, []string{"CreateAppBundle", "ListAppBundles", "ListAppBundles", "ListAppBundles"}},
		{[]string{"-n", "2", "--operation", "ListAppBundles"}, []string{"ListAppBundles", "ListAppBundles"}},
		{[]string{"--error", "ThrottlingException"}, nil},
	} {
		out, errs, err := p.selvedge(t, append([]string{"audit", "tail"}, tt.args...)...)
		if err != nil {
			t.Fatalf("audit tail %v: %v\n%s", tt.args, err, errs)
		}
		var got []string
		for line := range strings.Lines(out) {
			var r struct {
				EventName string `json:"eventName"`
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			if r.EventName != "AuditTail" {
				got = append(got, r.EventName)
			}
		}
		if strings.Join(got, " ") != strings.Join(tt.want, " ") {
			t.Errorf("audit tail %v shows %v, want %v", tt.args, got, tt.want)
		}
	}
	if _, errs, err := p.selvedge(t, "audit", "tail", "-n", "0"); err == nil || strings.Count(errs, "\n") != 1 {
		t.Errorf("-n 0: %v, %q; want one line that says what is allowed", err, errs)
	}
	follows(t, p, c)
	p.stop(t)
}

// follows sees that a call made later is shown by a tail that follows.
func follows(t *testing.T, p *process, c *appfabric.Client) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var out logtest.Buffer
	cmd := exec.CommandContext(ctx, binary, "audit", "tail", "--follow", "-n", "1", "--operation", "GetAppBundle")
	cmd.Env, cmd.Stdout = p.environment(), &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	id := "00000000-0000-4000-8000-000000000000"
	eventually(t, 20*time.Second, "a later call is shown", func() error {
		if _, err := c.GetAppBundle(t.Context(), &appfabric.GetAppBundleInput{AppBundleIdentifier: &id}); err == nil {
			t.Fatal("a bundle that is not there was found")
		}
		if !strings.Contains(out.String(), `"errorCode":"ResourceNotFoundException"`) {
			return errors.New("it is not shown")
		}
		return nil
	})
	stop()
	_ = cmd.Wait() // it was stopped
}
