package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"
	"github.com/google/go-cmp/cmp"

	"selvedge/internal/store/storetest"
)

// The client that the peer has registered.
const (
	peerID     = "0oa5peer000000000001"
	peerSecret = "peer-client-secret-of-no-worth"
)

// peerDelay passes between what a request changes at the peer and its answer.
const peerDelay = 40 * time.Millisecond

// outage is for how long the database goes away, and settling for how long nobody
// is killed once it is back.
const (
	outage   = 8 * time.Second
	settling = 3 * time.Second
)

// custodySize is how much token custody is held to.
type custodySize struct {
	grants    int
	life, run time.Duration
}

// custodySizes are for CI, and for make soak.
func custodySizes() custodySize {
	if os.Getenv("SOAK") != "" {
		return custodySize{grants: 1000, life: time.Minute, run: 10 * time.Minute}
	}
	return custodySize{grants: 200, life: 20 * time.Second, run: time.Minute}
}

// peerRequest is an entry of the peer's own log.
type peerRequest struct {
	At      time.Time `json:"at"`
	Ended   time.Time `json:"ended"`
	Tenant  string    `json:"tenant"`
	Grant   string    `json:"grant"`
	Sent    string    `json:"sent"`
	Brought string    `json:"brought"`
	Error   string    `json:"error"`
}

// startPeer builds and starts the OAuth server that shares no code with us.
func startPeer(t *testing.T, args ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "peer")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = "peer"
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		lacks(t, fmt.Sprintf("the peer's modules: %v\n%s", err, out))
	}
	cmd := exec.CommandContext(context.Background(), program, args...)
	stdout := must[interface{ Read([]byte) (int, error) }](t)(cmd.StdoutPipe())
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line := bufio.NewScanner(stdout)
	if !line.Scan() {
		t.Fatal("the peer said nothing")
	}
	return line.Text()
}

// TestKillsLoseNoGrant has three servers on one database keep grants of an
// independent OAuth server alive while one of them is killed every second, and
// while the database goes away twice: once it cuts and refuses connections, once
// it answers nothing. By the OAuth server's own log a refresh token is sent again
// only where a kill kept its answer from the database, and exactly those grants
// are lost, each named.
func TestKillsLoseNoGrant(t *testing.T) {
	size := custodySizes()
	database := storetest.PostgreSQLBehindLine(t)
	b, public := newBalancer(t, "127.0.0.4", "127.0.0.5", "127.0.0.6")
	peer := startPeer(t, size.life.String(), peerDelay.String(), public+"/appfabric/oauth2")
	root := t.TempDir()
	dirs := []string{filepath.Join(root, "1"), filepath.Join(root, "2"), filepath.Join(root, "3")}
	replicas := make([]*process, len(dirs))
	begin := func(i int) {
		replicas[i] = serve(t, dirs[i], "--listen", b.replicas[i], "--public-url", public, "--database-url", database.URL,
			"--origins", "https://*.okta.com="+peer, "--master-key-file", filepath.Join(dirs[0], "master.key"))
	}
	begin(0)
	for i := 1; i < len(dirs); i++ {
		if err := os.MkdirAll(dirs[i], 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dirs[i], "credentials"), string(must[[]byte](t)(os.ReadFile(filepath.Join(dirs[0], "credentials")))))
		begin(i)
	}
	user := &process{dir: dirs[0], url: public, env: replicas[0].env}
	k := custodian{c: user.client(t), arns: map[string]string{}}
	k.connect(t, size.grants)

	var killed []time.Time
	var away []period
	kill := func(n time.Duration) {
		ended := time.After(n)
		every := time.NewTicker(time.Second)
		defer every.Stop()
		for {
			select {
			case <-ended:
				return
			case <-every.C:
				i := len(killed) % len(replicas)
				killed = append(killed, time.Now())
				replicas[i].kill(t)
				begin(i)
			}
		}
	}
	for _, goAway := range []func(){database.Cut, database.Hang} {
		kill(size.run / 3)
		underWay(t, peer)
		from := time.Now()
		goAway()
		<-time.After(outage)
		database.Mend()
		away = append(away, period{from, time.Now()})
		<-time.After(settling)
	}
	kill(size.run / 3)
	quiet := time.Now()
	k.settled(t, peer, quiet, size.life)
	lost := k.lost(t)
	requests := peerLog(t, peer)
	again := sentAgain(t, requests, killed, away)
	if diff := cmp.Diff(again, lost); diff != "" {
		t.Errorf("grants whose token was sent again, and grants that are lost (-sent +lost):\n%s", diff)
	}
	for _, tenant := range lost {
		if told := user.done(t, nil, "authorization", "show", k.arns[tenant]); !strings.Contains(told, "answer lost") {
			t.Errorf("%s does not say why its grant is lost:\n%s", tenant, told)
		}
	}
	for _, p := range replicas {
		p.stop(t)
	}
	if answeredIn(requests, away) == 0 {
		t.Error("no answer came while the database was away: nothing was shown")
	}
	t.Logf("%d grants, %d kills, %d refreshes, %d answers while the database was away, %d answers lost",
		size.grants, len(killed), len(requests)-size.grants, answeredIn(requests, away), len(lost))
}

// custodian is who owns the authorizations.
type custodian struct {
	c      *appfabric.Client
	bundle *string
	arns   map[string]string // by tenant
}

// connect makes n authorizations and connects each as a person does.
func (k *custodian) connect(t *testing.T, n int) {
	t.Helper()
	k.bundle = must[*appfabric.CreateAppBundleOutput](t)(k.c.CreateAppBundle(t.Context(), &appfabric.CreateAppBundleInput{})).AppBundle.Arn
	tenants := make(chan string)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for tenant := range tenants {
				arn, err := k.connectOne(t.Context(), tenant)
				if err != nil {
					t.Errorf("%s: %v", tenant, err)
				}
				mu.Lock()
				k.arns[tenant] = arn
				mu.Unlock()
			}
		})
	}
	for i := range n {
		tenants <- fmt.Sprintf("t%04d.okta.com", i)
	}
	close(tenants)
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

func (k *custodian) connectOne(ctx context.Context, tenant string) (string, error) {
	auth, err := k.c.CreateAppAuthorization(ctx, &appfabric.CreateAppAuthorizationInput{
		AppBundleIdentifier: k.bundle, App: aws.String("OKTA"), AuthType: types.AuthTypeOauth2,
		Credential: &types.CredentialMemberOauth2Credential{Value: types.Oauth2Credential{
			ClientId: aws.String(peerID), ClientSecret: aws.String(peerSecret),
		}},
		Tenant: &types.Tenant{TenantIdentifier: &tenant, TenantDisplayName: &tenant},
	})
	if err != nil {
		return "", err
	}
	arn := *auth.AppAuthorization.AppAuthorizationArn
	back, err := consent(ctx, tenant, *auth.AppAuthorization.AuthUrl)
	if err != nil {
		return arn, err
	}
	out, err := k.c.ConnectAppAuthorization(ctx, &appfabric.ConnectAppAuthorizationInput{
		AppBundleIdentifier: k.bundle, AppAuthorizationIdentifier: &arn,
		AuthRequest: &types.AuthRequest{
			RedirectUri: aws.String(back.Scheme + "://" + back.Host + back.Path), Code: aws.String(back.Query().Get("code")),
		},
	})
	if err == nil && out.AppAuthorizationSummary.Status != types.AppAuthorizationStatusConnected {
		err = fmt.Errorf("the status is %s", out.AppAuthorizationSummary.Status)
	}
	return arn, err
}

// consent is a browser at a server that grants whatever is asked for.
func consent(ctx context.Context, tenant, authURL string) (*url.URL, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, authURL, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Forwarded-Host", tenant)
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := browser.Do(req)
	if err != nil {
		return nil, err
	}
	if err := res.Body.Close(); err != nil {
		return nil, err
	}
	return res.Location()
}

// settled waits until every grant that is not lost was refreshed by a server that
// nobody killed any more.
func (k *custodian) settled(t *testing.T, peer string, since time.Time, life time.Duration) {
	t.Helper()
	eventually(t, 3*life+30*time.Second, "every grant is refreshed or lost", func() error {
		last := map[string]peerRequest{}
		for _, r := range peerLog(t, peer) {
			last[r.Tenant] = r
		}
		waiting := 0
		for tenant := range k.arns {
			if r := last[tenant]; r.Error == "" && !r.At.After(since) {
				waiting++
			}
		}
		if waiting > 0 {
			return fmt.Errorf("%d are not", waiting)
		}
		return nil
	})
}

// lost lists the tenants whose authorization needs a person again.
func (k *custodian) lost(t *testing.T) []string {
	t.Helper()
	lost := []string{}
	for tenant, arn := range k.arns {
		out := must[*appfabric.GetAppAuthorizationOutput](t)(k.c.GetAppAuthorization(t.Context(), &appfabric.GetAppAuthorizationInput{
			AppBundleIdentifier: k.bundle, AppAuthorizationIdentifier: &arn,
		})).AppAuthorization
		switch out.Status {
		case types.AppAuthorizationStatusConnected:
		case types.AppAuthorizationStatusTokenAutoRotationFailed:
			lost = append(lost, tenant)
		default:
			t.Errorf("%s is %s", tenant, out.Status)
		}
	}
	slices.Sort(lost)
	return lost
}

func peerLog(t *testing.T, peer string) []peerRequest {
	t.Helper()
	res, err := http.Get(peer + "/requests")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var list []peerRequest
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	return list
}

// sentAgain lists the tenants of which a token was sent twice, and holds that
// each had to be: a server died after it had sent it and before it was sent
// again, and what the first brought was never used. Whatever else the peer has
// refused is an error.
//
// An answer that came while the database was away is in a file, which outlives
// the kills after that: none is reason to send again.
func sentAgain(t *testing.T, requests []peerRequest, killed []time.Time, away []period) []string {
	t.Helper()
	first, last, used := map[string]peerRequest{}, map[string]peerRequest{}, map[string]bool{}
	for _, r := range requests {
		used[r.Sent] = true
	}
	tenants := []string{}
	for _, r := range requests {
		before, twice := last[r.Sent]
		last[r.Sent] = r
		if !twice {
			first[r.Sent] = r
			if r.Error != "" {
				t.Errorf("%s: a token that was sent once was refused: %s", r.Tenant, r.Error)
			}
			continue
		}
		tenants = append(tenants, r.Tenant)
		died := slices.ContainsFunc(killed, func(at time.Time) bool { return at.After(before.At) && at.Before(r.At) })
		died = died && answeredIn([]peerRequest{before}, away) == 0
		brought := first[r.Sent].Brought
		if !died || brought == "" || used[brought] {
			t.Errorf("%s: a token was sent at %v and again at %v: a server died between, which accounts for it: %v; its answer was used: %v",
				r.Tenant, before.At, r.At, died, used[brought])
		}
		if r.Error == "" {
			t.Errorf("%s: the peer took a token twice", r.Tenant)
		}
	}
	slices.Sort(tenants)
	return slices.Compact(tenants)
}

// period is a time in which the database was away.
type period struct{ from, to time.Time }

// answeredIn counts the requests whose answer came in the periods.
func answeredIn(requests []peerRequest, periods []period) int {
	n := 0
	for _, r := range requests {
		came := r.Ended.Add(peerDelay)
		if slices.ContainsFunc(periods, func(p period) bool { return came.After(p.from) && came.Before(p.to) }) {
			n++
		}
	}
	return n
}

// underWay waits until a request has just begun, and not for ever.
func underWay(t *testing.T, peer string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		list := peerLog(t, peer)
		if time.Since(list[len(list)-1].At) < peerDelay*3/4 {
			return
		}
	}
}
