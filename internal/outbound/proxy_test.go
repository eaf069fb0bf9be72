package outbound_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"selvedge/internal/outbound"
)

// proxy is an HTTP proxy that connects every tunnel to one address and remembers what was asked of it.
type proxy struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func newProxy(t *testing.T, to net.Addr) *proxy {
	t.Helper()
	p := &proxy{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked = append(p.asked, r.Method+" "+r.RequestURI+" "+r.Header.Get("Proxy-Authorization"))
		p.mu.Unlock()
		if r.Method != http.MethodConnect {
			return
		}
		out, err := net.Dial("tcp", to.String())
		if err != nil {
			t.Error(err)
			return
		}
		in, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
		go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.asked, "\n")
}

func TestProxy(t *testing.T) {
	t.Parallel()
	p := newProvider(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Header.Get("Authorization")) })
	px := newProxy(t, p.Listener.Addr())
	u, err := url.Parse(px.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("user", "pr0xy")
	// No resolver and no permit: the proxy resolves, and it alone is connected to.
	o := outbound.Options{ProxyURL: u, RootCAs: p.opts.RootCAs}
	_, body, err := get(t, newClient(t, o, bearer(t, "s3cret"), "https://acme.example.com"), "https://acme.example.com/x")
	if err != nil || body != "Bearer s3cret" {
		t.Fatalf("%q, %v", body, err)
	}
	if got, want := px.log(), "CONNECT acme.example.com:443 Basic dXNlcjpwcjB4eQ=="; got != want {
		t.Errorf("the proxy was asked %q, want %q", got, want)
	}
	for _, host := range []string{"127.0.0.1", "10.0.0.1", "[::1]", "[::ffff:169.254.169.254]", "localhost", "a.localhost", "2130706433", "0x7f.1", "127.1", "0x", "127.0.0.1."} {
		c := newClient(t, o, nil, "https://"+host)
		if _, _, err := get(t, c, "https://"+host); !errors.Is(err, outbound.ErrAddress) {
			t.Errorf("%s through the proxy: %v, want ErrAddress", host, err)
		}
	}
}

// What is mapped to this machine stays on it; what is mapped elsewhere leaves like everything else.
func TestProxyAndOrigins(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "target") }))
	t.Cleanup(target.Close)
	px := newProxy(t, target.Listener.Addr())
	u, err := url.Parse(px.URL)
	if err != nil {
		t.Fatal(err)
	}
	o := outbound.Options{ProxyURL: u, Origins: []outbound.Origin{
		{From: "https://a.example.com", To: target.URL}, {From: "https://b.example.com", To: "http://gov.example:8080"},
	}}
	if _, body, err := get(t, newClient(t, o, nil, "https://a.example.com"), "https://a.example.com/"); err != nil || body != "target" {
		t.Errorf("%q, %v", body, err)
	}
	if _, _, err := get(t, newClient(t, o, nil, "https://b.example.com"), "https://b.example.com/x"); err != nil {
		t.Error(err)
	}
	if got, want := px.log(), "GET http://gov.example:8080/x "; got != want {
		t.Errorf("the proxy was asked %q, want %q", got, want)
	}
}

// The proxy of the environment is not this server's.
func TestProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	px := newProxy(t, &net.TCPAddr{})
	t.Setenv("HTTPS_PROXY", px.URL)
	c := newClient(t, outbound.Options{}, nil, "https://10.1.2.3")
	if _, _, err := get(t, c, "https://10.1.2.3/"); !errors.Is(err, outbound.ErrAddress) {
		t.Errorf("%v, want ErrAddress", err)
	}
	if px.log() != "" {
		t.Error("the proxy was asked")
	}
}
