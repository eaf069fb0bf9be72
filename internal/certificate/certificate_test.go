package certificate_test

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"selvedge/internal/certificate"
	"selvedge/internal/certificate/certificatetest"
	"selvedge/internal/clocktest"
	"selvedge/internal/logtest"
)

// rig is a server of TLS over two files that the test replaces.
type rig struct {
	ca        *certificatetest.Authority
	cert, key string
	clock     *clocktest.Clock
	log       *logtest.Buffer
	url       string
}

func start(t *testing.T) *rig {
	t.Helper()
	dir := t.TempDir()
	r := &rig{
		ca: certificatetest.New(t), cert: filepath.Join(dir, "tls.crt"), key: filepath.Join(dir, "tls.key"),
		clock: clocktest.At(time.Now()), log: &logtest.Buffer{},
	}
	r.issue(t, "first")
	pair, err := certificate.Open(certificate.Options{Cert: r.cert, Key: r.key, Now: r.clock.Now, Log: slog.New(slog.NewTextHandler(r.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{TLSConfig: pair.Config(), ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		_, _ = io.WriteString(w, q.Proto)
	}), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	done := make(chan error, 1)
	go func() { done <- s.ServeTLS(l, "", "") }()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	r.url = "https://" + l.Addr().String()
	return r
}

// issue puts a new certificate into the place of the one before.
func (r *rig) issue(t *testing.T, name string) {
	t.Helper()
	cert, key := r.ca.Issue(t, name, "127.0.0.1")
	replace(t, r.cert, cert)
	replace(t, r.key, key)
}

func replace(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// shows returns the name in the certificate that a new connection is shown, and
// the protocol spoken.
func (r *rig) shows(t *testing.T) (name, protocol string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: r.ca.Pool(), MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.TLS.PeerCertificates[0].Subject.CommonName, string(body)
}

func TestReload(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := func(when, name string) {
		t.Helper()
		if got, protocol := r.shows(t); got != name || protocol != "HTTP/2.0" {
			t.Errorf("%s: %q over %s, want %q over HTTP/2.0", when, got, protocol, name)
		}
	}
	want("at the start", "first")
	r.issue(t, "second")
	want("within a second", "first")
	r.clock.Add(time.Second)
	want("after a second", "second")

	_, key := r.ca.Issue(t, "third", "127.0.0.1")
	replace(t, r.key, key)
	r.clock.Add(time.Second)
	want("with the key of another certificate", "second")
	r.clock.Add(time.Second)
	want("a second later", "second")
	if n := strings.Count(r.log.String(), "cannot be used"); n != 1 {
		t.Errorf("a bad pair is logged %d times, want once:\n%s", n, r.log)
	}
	if err := os.Remove(r.cert); err != nil {
		t.Fatal(err)
	}
	r.clock.Add(time.Second)
	want("without a file", "second")
	replace(t, r.cert, []byte("garbage"))
	r.clock.Add(time.Second)
	want("with garbage", "second")
	r.issue(t, "fourth")
	r.clock.Add(time.Second)
	want("mended", "fourth")
	r.issue(t, "fifth")
	r.clock.Add(-time.Hour)
	want("after the clock was set back", "fifth")
}

func TestOldProtocolsAreRefused(t *testing.T) {
	t.Parallel()
	r := start(t)
	d := tls.Dialer{Config: &tls.Config{RootCAs: r.ca.Pool(), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}}
	c, err := d.DialContext(t.Context(), "tcp", strings.TrimPrefix(r.url, "https://"))
	if err == nil {
		_ = c.Close()
		t.Error("TLS 1.1 is spoken")
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir, ca := t.TempDir(), certificatetest.New(t)
	cert, key := ca.Issue(t, "one", "127.0.0.1")
	_, other := ca.Issue(t, "two", "127.0.0.1")
	for name, text := range map[string][]byte{"cert": cert, "key": key, "other": other, "bad": []byte("bad")} {
		replace(t, filepath.Join(dir, name), text)
	}
	for _, tt := range [][2]string{{"cert", "other"}, {"bad", "key"}, {"cert", "bad"}, {"none", "key"}, {"cert", "none"}} {
		_, err := certificate.Open(certificate.Options{
			Cert: filepath.Join(dir, tt[0]), Key: filepath.Join(dir, tt[1]), Now: time.Now, Log: slog.New(slog.DiscardHandler),
		})
		if err == nil || !strings.Contains(err.Error(), tt[1]) {
			t.Errorf("Open(%v) = %v, want an error that names the files", tt, err)
		}
	}
}
