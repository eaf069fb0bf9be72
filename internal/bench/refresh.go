package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The section refresh.
const (
	refreshGrants = 2000             // that are all due at once
	refreshLife   = 60 * time.Second // of their access tokens: due at half, give or take a tenth
	refreshRounds = 2
	restGrants    = 10_000 // that nothing is due of, for the memory
	restLife      = 24 * time.Hour
	restTime      = 5 * time.Second // from the last connection to looking at the memory
)

// refresh connects grants of a provider of the benchmark's own and measures how
// fast a server that finds all of them due refreshes them, each kept on disk
// before it counts; and the memory of a server that has many.
func refresh(ctx context.Context, b *bench) ([]row, error) {
	rate := row{name: "durable refreshes", unit: "1/s", target: atLeast(2000), note: fmt.Sprintf("SQLite, %d due at once", refreshGrants)}
	cpu := row{name: "CPU of a refresh", unit: "ms", target: atMost(7)}
	for range refreshRounds {
		r, err := drain(ctx, b)
		if err != nil {
			return nil, err
		}
		rate.values = append(rate.values, refreshGrants/r.took.Seconds())
		cpu.values = append(cpu.values, r.cpu*1000/refreshGrants)
	}
	memory, err := rest(ctx, b)
	return []row{rate, cpu, {
		name: "resident memory", unit: "MiB", values: memory, target: atMost(64),
		note: fmt.Sprintf("%d authorizations, nothing due", restGrants),
	}}, err
}

// provider is a token endpoint that takes everything, and an empty audit log.
type provider struct {
	*httptest.Server
	life      time.Duration
	minted    atomic.Int64
	refreshed atomic.Int64
	mu        sync.Mutex
	used      map[string]bool // refresh tokens
	twice     int
}

func newProvider(life time.Duration) *provider {
	p := &provider{life: life, used: map[string]bool{}}
	p.Server = httptest.NewServer(p)
	return p
}

// ServeHTTP answers as an Okta organisation does.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if !strings.HasSuffix(r.URL.Path, "/token") {
		_, _ = io.WriteString(w, "[]") // the server may be gone
		return
	}
	if token := r.PostFormValue("refresh_token"); token != "" {
		p.mu.Lock()
		if p.used[token] {
			p.twice++
		}
		p.used[token] = true
		p.mu.Unlock()
		p.refreshed.Add(1)
	}
	n := p.minted.Add(1)
	_ = json.NewEncoder(w).Encode(map[string]any{ // the server may be gone
		"token_type": "Bearer", "expires_in": int(p.life.Seconds()), "scope": "okta.logs.read okta.users.read offline_access",
		"access_token": fmt.Sprintf("access-%d-%s", n, strings.Repeat("x", 800)), "refresh_token": fmt.Sprintf("refresh-%d", n),
	})
}

// origins leads every Okta organisation to the provider.
func (p *provider) origins() string { return "https://*.okta.com=" + p.URL }

// granted starts a server and connects n authorizations.
func granted(ctx context.Context, b *bench, p *provider, dir string, n int) (*server, error) {
	s, err := b.serve(ctx, dir, "--origins", p.origins())
	if err != nil {
		return nil, err
	}
	bundle, err := newBundle(ctx, s)
	if err == nil {
		err = connectAll(ctx, s, bundle, n)
	}
	if err != nil {
		return nil, errors.Join(err, s.kill())
	}
	return s, nil
}

func connectAll(ctx context.Context, s *server, bundle string, n int) error {
	l := &loads{s: s, bundle: bundle}
	if err := l.fill(ctx, n); err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: apiClients}}
	defer client.CloseIdleConnections()
	var next atomic.Int64
	errs := make([]error, apiClients)
	var wait sync.WaitGroup
	for w := range apiClients {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(l.ids)) && errs[w] == nil; i = next.Add(1) - 1 {
				var made struct {
					AppAuthorizationSummary struct{ Status string }
				}
				body := fmt.Appendf(nil, `{"authRequest":{"redirectUri":%q,"code":"code-%d"}}`, s.url+"/appfabric/oauth2", i)
				errs[w] = ask(ctx, s, client, http.MethodPost, l.path()+"/"+url.PathEscape(l.ids[i])+"/connect", body, &made)
				if status := made.AppAuthorizationSummary.Status; errs[w] == nil && status != "Connected" {
					errs[w] = fmt.Errorf("the authorization is %s", status)
				}
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// drained is how a server came by what was due.
type drained struct {
	took time.Duration
	cpu  float64 // seconds
}

// drain has a server find all of its grants due.
func drain(ctx context.Context, b *bench) (drained, error) {
	p := newProvider(refreshLife)
	defer p.Close()
	dir := b.folder()
	s, err := granted(ctx, b, p, dir, refreshGrants)
	if err != nil {
		return drained{}, err
	}
	if err := s.stop(); err != nil {
		return drained{}, err
	}
	before := p.refreshed.Load()
	if before > 0 {
		return drained{}, fmt.Errorf("%d refreshes while the grants were made: the machine is too slow for a life of %v", before, refreshLife)
	}
	// The last of them is due at half of its life and a tenth of that.
	due := time.NewTimer(refreshLife * 55 / 100)
	defer due.Stop()
	select {
	case <-due.C:
	case <-ctx.Done():
		return drained{}, ctx.Err()
	}
	if s, err = b.serve(ctx, dir, "--origins", p.origins()); err != nil {
		return drained{}, err
	}
	start := cpuSeconds(s.cmd.Process.Pid)
	from := time.Now().Add(-s.healthy)
	if err := p.await(ctx, refreshGrants); err != nil {
		return drained{}, errors.Join(err, s.kill())
	}
	d := drained{took: time.Since(from), cpu: cpuSeconds(s.cmd.Process.Pid) - start}
	if err := s.stop(); err != nil {
		return d, err
	}
	if p.twice > 0 {
		return d, fmt.Errorf("%d refresh tokens were sent twice", p.twice)
	}
	return d, nil
}

// await waits until so many refreshes were asked for.
func (p *provider) await(ctx context.Context, n int64) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for p.refreshed.Load() < n {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d grants are refreshed: %w", p.refreshed.Load(), n, ctx.Err())
		}
	}
	return nil
}

// rest is the resident memory of a server that was started over many grants.
func rest(ctx context.Context, b *bench) (series, error) {
	p := newProvider(restLife)
	defer p.Close()
	dir := b.folder()
	s, err := granted(ctx, b, p, dir, restGrants)
	if err != nil {
		return nil, err
	}
	still := time.NewTimer(restTime)
	defer still.Stop()
	select {
	case <-still.C:
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), s.kill())
	}
	memory := s.memory("VmRSS:")
	return memory, s.stop()
}
