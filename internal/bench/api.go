package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// The load.
const (
	apiRounds  = 3
	apiTime    = 1200 * time.Millisecond // of one measure
	apiClients = 16                      // connections, each with one request under way
	apiBundles = 100
	apiCreates = 6_000 // signed for one measure; it ends when they are used up
)

// loadResult is what one measure gave.
type loadResult struct {
	perSecond, p50, p99 float64 // p50 and p99 in milliseconds
}

// api measures operations and, in turn, a bare server that is sent the same
// requests.
func api(ctx context.Context, b *bench) ([]row, error) {
	s, err := b.serve(ctx, filepath.Join(b.dir, "api"))
	if err != nil {
		return nil, err
	}
	hello, err := b.hello(ctx)
	if err != nil {
		return nil, errors.Join(err, s.kill())
	}
	rows, err := b.loads(ctx, s, hello.url)
	if err := errors.Join(err, hello.stop()); err != nil {
		return nil, errors.Join(err, s.kill())
	}
	return rows, s.stop()
}

func (b *bench) loads(ctx context.Context, s *server, hello string) ([]row, error) {
	bundle, err := bundles(ctx, s)
	if err != nil {
		return nil, err
	}
	list, err := newCall(ctx, s.key, http.MethodGet, s.url+"/appbundles?maxResults=100", nil)
	if err != nil {
		return nil, err
	}
	one, err := newCall(ctx, s.key, http.MethodGet, s.url+"/appbundles/"+bundle, nil)
	if err != nil {
		return nil, err
	}
	results := map[string][]loadResult{}
	for round := range apiRounds {
		creates, err := createCalls(ctx, s, bundle, round)
		if err != nil {
			return nil, err
		}
		for _, m := range []struct {
			name, base string
			calls      []call
			once       bool
		}{
			{"hello", hello, []call{one}, false},
			{"GetAppBundle", s.url, []call{one}, false},
			{"ListAppBundles", s.url, []call{list}, false},
			{"CreateAppAuthorization", s.url, creates, true},
		} {
			b.say("api: round %d of %d: %s", round+1, apiRounds, m.name)
			r, err := loadOnce(ctx, m.calls, s.url, m.base, m.once)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.name, err)
			}
			results[m.name] = append(results[m.name], r)
		}
	}
	return apiRows(results), nil
}

func apiRows(results map[string][]loadResult) []row {
	of := func(name string, figure func(loadResult) float64) series {
		var s series
		for _, r := range results[name] {
			s = append(s, figure(r))
		}
		return s
	}
	perSecond := func(r loadResult) float64 { return r.perSecond }
	rows := []row{{
		name: "bare net/http server", unit: "requests/s", values: of("hello", perSecond),
		note: fmt.Sprintf("sent the same signed GetAppBundle, which it does not verify; %d connections, the load on the same CPUs", apiClients),
	}}
	for _, op := range []struct {
		name   string
		target float64
		note   string
	}{
		{"GetAppBundle", 8_000, ""},
		{"ListAppBundles", 2_800, fmt.Sprintf("a page of %d", apiBundles)},
		{"CreateAppAuthorization", 3_200, "sealed, and durable when it answers"},
	} {
		rows = append(rows,
			row{name: op.name, unit: "requests/s", values: of(op.name, perSecond), target: atLeast(op.target), peer: "bare", peerValues: of("hello", perSecond), note: op.note},
			row{name: op.name + ", p50", unit: "ms", values: of(op.name, func(r loadResult) float64 { return r.p50 })},
			row{name: op.name + ", p99", unit: "ms", values: of(op.name, func(r loadResult) float64 { return r.p99 })},
		)
	}
	return rows
}

// bundles fills a page of the list, and returns the id of one bundle.
func bundles(ctx context.Context, s *server) (id string, err error) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for range apiBundles {
		if id, err = newBundle(ctx, s, client); err != nil {
			return "", fmt.Errorf("CreateAppBundle: %w", err)
		}
	}
	return id, nil
}

func newBundle(ctx context.Context, s *server, client *http.Client) (id string, err error) {
	c, err := newCall(ctx, s.key, http.MethodPost, s.url+"/appbundles", fmt.Appendf(nil, `{"clientToken":%q}`, uuid.NewString()))
	if err != nil {
		return "", err
	}
	req, err := c.request(ctx, c.url)
	if err != nil {
		return "", err
	}
	body, err := do(client, req)
	if err != nil {
		return "", err
	}
	var made struct{ AppBundle struct{ Arn string } }
	if err := json.Unmarshal(body, &made); err != nil {
		return "", err
	}
	return made.AppBundle.Arn[strings.LastIndexByte(made.AppBundle.Arn, '/')+1:], nil
}

// createCalls are requests for authorizations that there are not yet.
func createCalls(ctx context.Context, s *server, bundle string, round int) ([]call, error) {
	var calls []call
	for i := range apiCreates {
		body := fmt.Appendf(nil, `{"app":"OKTA","authType":"oauth2","clientToken":%[3]q,`+
			`"credential":{"oauth2Credential":{"clientId":"0oa%[2]d","clientSecret":"secret of %[2]d"}},`+
			`"tenant":{"tenantIdentifier":"t%[1]d-%[2]d.okta.com","tenantDisplayName":"Tenant %[2]d"}}`, round, i, uuid.NewString())
		c, err := newCall(ctx, s.key, http.MethodPost, s.url+"/appbundles/"+bundle+"/appauthorizations", body)
		if err != nil {
			return nil, err
		}
		calls = append(calls, c)
	}
	return calls, nil
}

// loadOnce sends calls made for one server to it or to another, until the time
// is up, or once each.
func loadOnce(ctx context.Context, calls []call, from, to string, once bool) (loadResult, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: apiClients}}
	defer client.CloseIdleConnections()
	var next atomic.Int64
	times, errs := make([]series, apiClients), make([]error, apiClients)
	began := time.Now()
	send := func() (float64, bool, error) {
		n := int(next.Add(1)) - 1
		if time.Since(began) >= apiTime || once && n >= len(calls) {
			return 0, false, nil
		}
		c := calls[n%len(calls)]
		req, err := c.request(ctx, to+strings.TrimPrefix(c.url, from))
		if err != nil {
			return 0, false, err
		}
		sent := time.Now()
		_, err = do(client, req)
		return millis(time.Since(sent)), true, err
	}
	var wait sync.WaitGroup
	for i := range apiClients {
		wait.Go(func() {
			for {
				took, more, err := send()
				if !more || err != nil {
					errs[i] = err
					return
				}
				times[i] = append(times[i], took)
			}
		})
	}
	wait.Wait()
	elapsed := time.Since(began)
	var all series
	for _, t := range times {
		all = append(all, t...)
	}
	return loadResult{rate(len(all), elapsed), all.percentile(50), all.percentile(99)}, errors.Join(errs...)
}

// helloServer is a bare server in a process of its own.
type helloServer struct {
	cmd *exec.Cmd
	url string
}

func (b *bench) hello(ctx context.Context) (*helloServer, error) {
	cmd := exec.CommandContext(ctx, b.self, "child-hello")
	cmd.Stderr = b.progress
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	h := &helloServer{cmd: cmd}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(err, h.stop())
	}
	h.url = "http://" + strings.TrimSpace(line)
	return h, nil
}

func (h *helloServer) stop() error {
	err := h.cmd.Process.Kill()
	_ = h.cmd.Wait() // it was killed, and says so
	return err
}

// helloChild answers every request with a few bytes of JSON.
func helloChild(ctx context.Context, _ []string, out io.Writer) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, l.Addr())
	s := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"hello":"world"}`) // a client that went away does not want it
	})}
	return s.Serve(l)
}
