package connectortest

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"selvedge/connector"
)

// rig is one provider on loopback and the way to it.
type rig struct {
	Harness
	c      Case
	stream connector.Stream
	vars   map[string]string // of the tenant
	origin *url.URL          // of the tenant
	server *url.URL          // of the simulated provider
	http   *http.Client

	mu      sync.Mutex
	now     time.Time
	ahead   time.Duration // of the session's clock, by the provider's
	calls   int
	foreign []string // what was asked of other origins
	alter   func(*http.Response, []byte) []byte
	met     func(serve func()) // serves a call that has reached the provider; nil: at once
}

var errForeign = errors.New("connectortest: a call to another origin")

func newRig(t *testing.T, c Case) *rig {
	t.Helper()
	r := &rig{c: c, now: time.Date(2026, 11, 20, 9, 30, 0, 123_456_789, time.UTC)}
	r.Harness = c.Start(t, r.clock)
	server := httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(server.Close)
	vars, err := c.App.Auth.Tenant.Vars(c.Tenant)
	if err != nil {
		t.Fatalf("tenant: %v", err)
	}
	r.vars, r.origin = vars, mustURL(t, connector.Expand(c.App.Auth.Origin, vars))
	r.server = mustURL(t, server.URL)
	r.stream = c.stream(t)
	transport := server.Client().Transport.(*http.Transport)
	// On a connection used before, the client of net/http tries again by
	// itself when an answer is cut short; here every call counts.
	transport.DisableKeepAlives = true
	r.http = &http.Client{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
		return r.roundTrip(transport, req)
	})}
	return r
}

func (r *rig) serve(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	met := r.met
	r.mu.Unlock()
	if met == nil {
		r.Handler.ServeHTTP(w, req)
		return
	}
	met(func() { r.Handler.ServeHTTP(w, req) })
}

// meet lets f serve the calls that reach the provider; nil ends that.
func (r *rig) meet(f func(serve func())) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.met = f
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// roundTrip sends what is meant for the tenant to the simulated provider, as a
// setting of --origins does, and refuses every other origin.
func (r *rig) roundTrip(next http.RoundTripper, req *http.Request) (*http.Response, error) {
	at := req.URL.Scheme + "://" + req.URL.Host
	r.mu.Lock()
	own := at == r.server.String() || r.c.App.Auth.Allows(at, r.vars)
	if own {
		r.calls++
	} else {
		r.foreign = append(r.foreign, req.URL.String())
	}
	alter := r.alter
	r.mu.Unlock()
	if !own {
		return nil, errForeign
	}
	sent := req.Clone(req.Context())
	sent.URL.Scheme, sent.URL.Host, sent.Host = r.server.Scheme, r.server.Host, ""
	if req.URL.Host != r.server.Host {
		sent.Header.Set("X-Forwarded-Host", req.URL.Host) // as outbound does
	}
	r.Sign(sent)
	resp, err := next.RoundTrip(sent)
	if err != nil || alter == nil {
		return resp, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	body = alter(resp, body)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// session opens a session, as the engine does for every piece of work.
func (r *rig) session() connector.Session { return r.open(r.c.Tenant) }

func (r *rig) open(tenant string) connector.Session {
	return r.c.App.Open(connector.Env{
		Tenant: tenant, HTTP: r.http, Facts: r.c.Facts, Now: r.ours, Log: slog.New(slog.DiscardHandler),
	})
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

// ours is the session's clock.
func (r *rig) ours() time.Time { return r.clock().Add(r.ahead) }

func (r *rig) advance(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

// change lets f change every answer; nil ends that.
func (r *rig) change(f func(*http.Response, []byte) []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.alter = f
}

func (r *rig) counted() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls
}

// emit makes events, failing the test where the provider does not take them.
func (r *rig) emit(t *testing.T, n int, late time.Duration) {
	t.Helper()
	if err := r.Emit(n, late); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) inject(t *testing.T, f Fault) {
	t.Helper()
	if err := r.Inject(f); err != nil {
		t.Fatal(err)
	}
}

// stayedHome fails the test where a call was meant for another origin.
func (r *rig) stayedHome(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.foreign) > 0 {
		t.Errorf("calls to other origins: %s", strings.Join(r.foreign, ", "))
	}
}
