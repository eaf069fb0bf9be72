package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"
	"github.com/google/go-cmp/cmp"

	"selvedge/internal/store/storetest"
	"selvedge/simulator"
)

// shown is what a search shows, one line for each application.
func shown(all []types.UserAccessResultItem) []string {
	var lines []string
	for _, r := range all {
		line := strings.Join([]string{*r.App, string(r.ResultStatus), aws.ToString(r.UserFullName), aws.ToString(r.UserStatus)}, "|")
		if r.TaskError != nil {
			line += aws.ToString(r.TaskError.ErrorCode)
		}
		lines = append(lines, line)
	}
	return lines
}

// A search over Okta and Terraform Cloud: who is in both, in one, in none, and
// what remains when a grant has been revoked.
func TestWhoHasAccess(t *testing.T) {
	t.Parallel()
	sim, origins := simulated(t, simulator.Options{Seed: 11})
	p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "1h")
	c := p.client(t)
	col := collectOkta(t, p, sim)
	bundle := &col.bundle
	authorize(t, c, bundle, terraformTenant, sim.TerraformCloud().Token())
	for email, want := range map[string][]string{
		"ada.okafor@example.com": {"OKTA|COMPLETED|Ada Okafor|ACTIVE", "TERRAFORMCLOUD|COMPLETED||active"},
		"jose.nunez@example.com": {"OKTA|COMPLETED|José Núñez|SUSPENDED", "TERRAFORMCLOUD|FAILED||USER_NOT_FOUND"},
		"nobody@example.com":     {"OKTA|FAILED||USER_NOT_FOUND", "TERRAFORMCLOUD|FAILED||USER_NOT_FOUND"},
	} {
		if d := cmp.Diff(want, shown(search(t, c, bundle, email))); d != "" {
			t.Errorf("%s (-want +got):\n%s", email, d)
		}
	}
	sim.Okta().Revoke()
	sim.TerraformCloud().Revoke()
	want := []string{"OKTA|FAILED||AUTHORIZATION_TOKEN_ROTATION_FAILED", "TERRAFORMCLOUD|FAILED||AUTHORIZATION_TOKEN_REVOKED"}
	if d := cmp.Diff(want, shown(search(t, c, bundle, "ada.okafor@example.com"))); d != "" {
		t.Errorf("after a revocation (-want +got):\n%s", d)
	}
	metrics := p.metrics(t)
	for _, line := range []string{
		`selvedge_user_access_tasks_total{app="OKTA",outcome="completed"} 2`,
		`selvedge_user_access_tasks_total{app="TERRAFORMCLOUD",outcome="user_not_found"} 2`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
	p.stop(t)
}

// Tasks outlive the process that works them: killed in the middle of its calls,
// over SQLite and over a database that replicas could share.
func TestASearchOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{false, true} {
		t.Run(fmt.Sprint("PostgreSQL ", shared), func(t *testing.T) {
			t.Parallel()
			sim, origins := simulated(t, simulator.Options{Seed: 12})
			dir := t.TempDir()
			args := []string{"--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "1h"}
			if shared {
				args = append(args, "--database-url", storetest.PostgreSQL(t))
			}
			p := serve(t, dir, args...)
			c := p.client(t)
			bundle := must[*appfabric.CreateAppBundleOutput](t)(c.CreateAppBundle(t.Context(), &appfabric.CreateAppBundleInput{})).AppBundle.Arn
			authorize(t, c, bundle, terraformTenant, sim.TerraformCloud().Token())
			if err := sim.Inject("TERRAFORMCLOUD", simulator.Fault{Path: "/api/v2/organizations/", Kind: simulator.Hang}); err != nil {
				t.Fatal(err)
			}
			var ids []string
			for range 6 {
				started := sure(t, c.StartUserAccessTasks, appfabric.StartUserAccessTasksInput{AppBundleIdentifier: bundle, Email: aws.String("zoe.mueller@example.com")})
				ids = append(ids, *started.UserAccessTasksList[0].TaskId)
			}
			eventually(t, 10*time.Second, "tasks are worked", func() error {
				if !strings.Contains(p.metrics(t), `selvedge_duty_in_flight{duty="user_access_task"} 4`) {
					return fmt.Errorf("not four in flight")
				}
				return nil
			})
			p.kill(t)
			if err := sim.ClearFaults("TERRAFORMCLOUD"); err != nil {
				t.Fatal(err)
			}
			p = serve(t, dir, args...)
			got := shown(results(t, p.client(t), bundle, ids))
			if d := cmp.Diff(slices.Repeat([]string{"TERRAFORMCLOUD|COMPLETED||active"}, 6), got); d != "" {
				t.Errorf("after the kill (-want +got):\n%s", d)
			}
			p.stop(t)
		})
	}
}

func TestTheCommandsForWhoHasAccess(t *testing.T) {
	t.Parallel()
	tool(t, "aws")
	p, sim := terraformServer(t)
	out := p.bash(t, walkThrough(t, "README.md: cli")+walkThrough(t, "docs/user-access.md: user access"), "TOKEN="+sim.TerraformCloud().Token())
	if !strings.Contains(out, "TERRAFORMCLOUD\tCOMPLETED\tactive") {
		t.Errorf("the commands show:\n%s", out)
	}
	p.stop(t)
}
