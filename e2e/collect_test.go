package e2e_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"

	"selvedge/simulator"
)

func TestOktaFromCreateAppBundleToFiles(t *testing.T) {
	t.Parallel()
	sim, origins := simulated(t, simulator.Options{Seed: 1})
	emit(t, sim.Okta().Emit, 300, 0)
	p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "1s")
	col := collectOkta(t, p, sim)
	eventually(t, 30*time.Second, "the first events are delivered", col.complete(t, 300))
	emit(t, sim.Okta().Emit, 50, 0)
	eventually(t, 30*time.Second, "later events are delivered", col.complete(t, 350))
	col.check(t)
	p.stop(t)
}

func TestTerraformCloudFromCreateAppBundleToFiles(t *testing.T) {
	t.Parallel()
	sim, origins := simulated(t, simulator.Options{Seed: 2})
	emit(t, sim.TerraformCloud().Emit, 300, 0)
	p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "1s")
	c := p.client(t)
	bundle := must[*appfabric.CreateAppBundleOutput](t)(c.CreateAppBundle(t.Context(), &appfabric.CreateAppBundleInput{})).AppBundle.Arn
	auth := must[*appfabric.CreateAppAuthorizationOutput](t)(c.CreateAppAuthorization(t.Context(), &appfabric.CreateAppAuthorizationInput{
		AppBundleIdentifier: bundle, App: aws.String("TERRAFORMCLOUD"), AuthType: types.AuthTypeApiKey,
		Credential: &types.CredentialMemberApiKeyCredential{Value: types.ApiKeyCredential{ApiKey: aws.String(sim.TerraformCloud().Token())}},
		Tenant:     &types.Tenant{TenantIdentifier: aws.String(terraformTenant), TenantDisplayName: aws.String("Example")},
	})).AppAuthorization
	must[*appfabric.ConnectAppAuthorizationOutput](t)(c.ConnectAppAuthorization(t.Context(), &appfabric.ConnectAppAuthorizationInput{
		AppBundleIdentifier: bundle, AppAuthorizationIdentifier: auth.AppAuthorizationArn,
	}))
	col := collect(t, p, *bundle, "TERRAFORMCLOUD", terraformTenant)
	col.shown = sim.TerraformCloud().Shown
	eventually(t, 30*time.Second, "the first events are delivered", col.complete(t, 300))
	emit(t, sim.TerraformCloud().Emit, 40, 30*time.Minute)
	eventually(t, 30*time.Second, "events that came half an hour late are delivered", col.complete(t, 340))
	col.check(t)
	p.stop(t)
}

// kills is how often the server is killed under faults; make soak does so for
// longer.
func kills() int {
	if os.Getenv("SOAK") != "" {
		return 600
	}
	return 30
}

func TestNothingIsLostOrTwiceUnderFaultsAndKills(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Options{Mark: canary, Seed: 3, Okta: simulator.OktaOptions{PerMinute: -1}})
	answered := make(chan struct{})
	origins := served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sim.ServeHTTP(w, r)
		select {
		case answered <- struct{}{}:
		default:
		}
	}))
	dir := t.TempDir()
	start := func() *process {
		return serve(t, dir, "--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "1s")
	}
	emit(t, sim.Okta().Emit, 500, 0)
	p := start()
	col := collectOkta(t, p, sim)
	misbehave(t, sim)
	total := 500
	for range kills() {
		n := 20 + rand.IntN(80)
		emit(t, sim.Okta().Emit, n, 0)
		total += n
		late := emit(t, sim.Okta().Emit, 10, time.Duration(rand.IntN(20))*time.Minute)
		if err := sim.Okta().Repeat(late[:5]...); err != nil {
			t.Fatal(err)
		}
		total += 10
		wait(t.Context(), answered)
		p.kill(t)
		p = start()
	}
	if err := sim.ClearFaults("OKTA"); err != nil {
		t.Fatal(err)
	}
	eventually(t, 2*time.Minute, "everything is delivered", col.complete(t, total))
	p.stop(t)
	col.check(t)
}

// misbehave lets the simulated Okta fail in all the ways that a provider does.
func misbehave(t *testing.T, sim *simulator.Server) {
	t.Helper()
	for _, f := range []simulator.Fault{
		{Path: "/api/v1/logs", Kind: simulator.Status429, Probability: 0.05, Delay: time.Second},
		{Path: "/api/v1/logs", Kind: simulator.Status500, Probability: 0.1},
		{Path: "/api/v1/logs", Kind: simulator.Truncate, Probability: 0.1},
		{Path: "/api/v1/logs", Kind: simulator.HTML, Probability: 0.05},
		// Twice only: reading again by time would heal what a kill had lost.
		{Path: "/api/v1/logs", Kind: simulator.ExpiredCursor, Times: 2},
		{Path: "/api/v1/logs", Kind: simulator.Hang, Probability: 0.03},
	} {
		if err := sim.Inject("OKTA", f); err != nil {
			t.Fatal(err)
		}
	}
}

// wait lets the server work until it is to be killed: at any moment, or, half of
// the time, within the few milliseconds in which it takes in an answer.
func wait(ctx context.Context, answered <-chan struct{}) {
	patience := 50*time.Millisecond + rand.N(500*time.Millisecond)
	if rand.IntN(2) == 0 {
		select {
		case <-answered:
			patience = rand.N(8 * time.Millisecond)
		case <-time.After(patience):
		case <-ctx.Done():
		}
	}
	select {
	case <-time.After(patience):
	case <-ctx.Done():
	}
}
