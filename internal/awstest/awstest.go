// Package awstest is AWS for tests: moto's server, which answers as AWS does,
// and a front before a server, which lets tests see the calls, refuse them, and
// break them off.
package awstest

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Region is the Region of Config.
const Region = "us-east-1"

// Moto starts moto's server, and returns its address. Without moto_server the
// test is skipped; with CI set it fails.
func Moto(tb testing.TB) *url.URL {
	tb.Helper()
	path, err := exec.LookPath("moto_server")
	if err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatal("moto_server is required in CI")
		}
		tb.Skip("this machine has no moto_server")
	}
	cmd := exec.CommandContext(context.Background(), path, "-H", "127.0.0.1", "-p", "0")
	says, err := cmd.StderrPipe()
	if err != nil {
		tb.Fatal(err)
	}
	run(tb, cmd)
	lines := bufio.NewReader(says)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			tb.Fatalf("moto_server does not say where it is: %v", err)
		}
		if _, address, ok := strings.Cut(strings.TrimSpace(line), "Running on "); ok {
			go func() { _, _ = io.Copy(io.Discard, lines) }() // it stops where nobody listens
			at, err := url.Parse(address)
			if err != nil {
				tb.Fatal(err)
			}
			return at
		}
	}
}

// run starts a program, and ends it with the test.
func run(tb testing.TB, cmd *exec.Cmd) {
	tb.Helper()
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// versity is the version of the gateway that Versity builds.
const versity = "v1.8.0"

// Versity starts versitygw, an S3 server over a folder that verifies signatures,
// and returns its address. It is built from source the first time, so it is for
// make soak; where that cannot be done the test is skipped.
func Versity(tb testing.TB) *url.URL {
	tb.Helper()
	if os.Getenv("SOAK") == "" {
		tb.Skip("versitygw is built by make soak")
	}
	bin := filepath.Join(os.TempDir(), "selvedge-versitygw-"+versity)
	path := filepath.Join(bin, "versitygw")
	if _, err := os.Stat(path); err != nil {
		build := exec.CommandContext(tb.Context(), "go", "install", "github.com/versity/versitygw/cmd/versitygw@"+versity)
		build.Dir, build.Env = os.TempDir(), append(os.Environ(), "GOBIN="+bin, "GOFLAGS=")
		if out, err := build.CombinedOutput(); err != nil {
			tb.Skipf("this machine has no versitygw %s, and cannot build it: %v\n%s", versity, err, out)
		}
	}
	data, sidecar := tb.TempDir(), tb.TempDir()
	addr := free(tb)
	run(tb, exec.CommandContext(context.Background(), path, "--port", addr, "--region", Region,
		"--access", "test", "--secret", "test", "--quiet", "posix", "--sidecar", sidecar, data))
	answers(tb, addr)
	return &url.URL{Scheme: "http", Host: addr}
}

// free is an address that was free just now. What can take a port itself should.
func free(tb testing.TB) string {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// answers waits until somebody listens.
func answers(tb testing.TB, addr string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			tb.Fatalf("%s does not answer: %v", addr, err)
		}
	}
}

// Call is a call that came to a front.
type Call struct {
	*http.Request
	Body []byte
}

// Front passes calls on to a server.
type Front struct {
	URL string

	mu    sync.Mutex
	fault func(Call, http.ResponseWriter, http.Handler)
	calls []Call
}

// NewFront starts a front before a handler.
func NewFront(tb testing.TB, to http.Handler) *Front {
	tb.Helper()
	f := &Front{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller has gone
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		c := Call{r, body}
		f.mu.Lock()
		f.calls = append(f.calls, c)
		fault := f.fault
		f.mu.Unlock()
		if fault != nil {
			fault(c, w, to)
			return
		}
		to.ServeHTTP(w, r)
	}))
	tb.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	f.URL = server.URL
	return f
}

// Proxy passes calls on to an address, under the host that they were signed for.
func Proxy(to *url.URL) http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}}
}

// Fault lets a function answer all calls from now on; nil: they are passed on.
func (f *Front) Fault(fault func(c Call, w http.ResponseWriter, next http.Handler)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

// Calls returns the calls that came, and forgets them.
func (f *Front) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := f.calls
	f.calls = nil
	return calls
}

// Cut breaks the connection off without an answer.
func Cut(Call, http.ResponseWriter, http.Handler) { panic(http.ErrAbortHandler) }

// CutAfter lets the call have its effect, and breaks the connection off.
func CutAfter(c Call, _ http.ResponseWriter, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), c.Request)
	panic(http.ErrAbortHandler)
}

// Config reaches the front.
func (f *Front) Config() aws.Config {
	return aws.Config{
		BaseEndpoint: &f.URL, Region: Region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
}

// Environ is the AWS environment of a process that is to use the front for
// everything of AWS's.
func (f *Front) Environ() []string {
	return []string{
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_ENDPOINT_URL=" + f.URL,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
}
