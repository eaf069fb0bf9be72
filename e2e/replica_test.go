package e2e_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/appfabric"

	"selvedge/internal/store/storetest"
	"selvedge/simulator"
)

// balancer gives each request to the next replica, and to another one where that
// does not answer. It is the address that users have.
type balancer struct {
	mu       sync.Mutex
	replicas []string // host:port
	turn     int
	client   *http.Client
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	b.turn++
	turn := b.turn
	b.mu.Unlock()
	for i := range b.replicas {
		out := r.Clone(r.Context())
		out.RequestURI, out.Body = "", io.NopCloser(bytes.NewReader(body))
		out.URL.Scheme, out.URL.Host = "http", b.replicas[(turn+i)%len(b.replicas)]
		res, err := b.client.Do(out)
		if err != nil {
			continue
		}
		for name, values := range res.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
		_ = res.Body.Close()
		return
	}
	http.Error(w, "no replica answers", http.StatusBadGateway)
}

// freeAddress is one that nobody listens at, to be used again and again. It is of
// a loopback address that no other test uses, so that nobody takes it meanwhile.
func freeAddress(t *testing.T, host string) string {
	t.Helper()
	var lc net.ListenConfig
	l := must[net.Listener](t)(lc.Listen(t.Context(), "tcp", host+":0"))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

func newBalancer(t *testing.T, hosts ...string) (*balancer, string) {
	t.Helper()
	b := &balancer{
		client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	for _, host := range hosts {
		b.replicas = append(b.replicas, freeAddress(t, host))
	}
	s := httptest.NewServer(b)
	t.Cleanup(s.Close)
	return b, s.URL
}

// TestTwoReplicasLoseNothingWhenOneIsKilled has two servers on one PostgreSQL
// database behind one address. One after the other is killed; at the end one
// stays dead and the other goes on.
func TestTwoReplicasLoseNothingWhenOneIsKilled(t *testing.T) {
	t.Parallel()
	database := storetest.PostgreSQL(t)
	sim := simulator.New(simulator.Options{Mark: canary, Seed: 5, Okta: simulator.OktaOptions{PerMinute: -1}})
	answered := make(chan struct{})
	origins := served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sim.ServeHTTP(w, r)
		select {
		case answered <- struct{}{}:
		default:
		}
	}))
	b, public := newBalancer(t, "127.0.0.2", "127.0.0.3")
	dirs := [2]string{t.TempDir(), t.TempDir()}
	start := func(i int) *process {
		return serve(t, dirs[i], "--listen", b.replicas[i], "--public-url", public, "--origins", origins, "--poll-interval", "1s",
			"--database-url", database, "--master-key-file", filepath.Join(dirs[0], "master.key"),
			"--buckets-url", "file://"+filepath.Join(dirs[0], "buckets"))
	}
	emit(t, sim.Okta().Emit, 300, 0)
	var replicas [2]*process
	replicas[0] = start(0)
	refused(t, "no root key is given", "--public-url", public, "--data-dir", dirs[1], "--database-url", database, "--master-key-file", filepath.Join(dirs[0], "master.key"))
	write(t, filepath.Join(dirs[1], "credentials"), string(must[[]byte](t)(os.ReadFile(filepath.Join(dirs[0], "credentials")))))
	refused(t, "is missing", "--public-url", public, "--data-dir", dirs[1], "--database-url", database)
	replicas[1] = start(1)
	user := &process{dir: dirs[0], url: public}
	col := collectOkta(t, user, sim)
	misbehave(t, sim)
	total := 300
	for i := range kills() {
		n := 10 + rand.IntN(40)
		emit(t, sim.Okta().Emit, n, 0)
		total += n
		wait(t.Context(), answered)
		replicas[i%2].kill(t)
		must[*appfabric.ListAppBundlesOutput](t)(user.client(t).ListAppBundles(t.Context(), &appfabric.ListAppBundlesInput{}))
		replicas[i%2] = start(i % 2)
	}
	if err := sim.ClearFaults("OKTA"); err != nil {
		t.Fatal(err)
	}
	eventually(t, 2*time.Minute, "everything is delivered", col.complete(t, total))
	replicas[0].kill(t)
	emit(t, sim.Okta().Emit, 50, 0)
	eventually(t, 30*time.Second, "the other replica goes on", col.complete(t, total+50))
	replicas[1].stop(t)
	col.check(t)
}
