package outbound_test

import (
	"context"
	"crypto/x509"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"selvedge/internal/fabric"
	"selvedge/internal/outbound"
)

// provider is a TLS server whose certificate is good for example.com and its subdomains, which a name server of the
// test resolves to it, and whose address counts as public.
type provider struct {
	*httptest.Server
	port string
	opts outbound.Options
	tls  atomic.Int32 // connections made
}

func newProvider(t *testing.T, h http.HandlerFunc) *provider {
	t.Helper()
	p := &provider{Server: httptest.NewUnstartedServer(h)}
	p.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			p.tls.Add(1)
		}
	}
	p.StartTLS()
	t.Cleanup(p.Close)
	at := p.Listener.Addr().(*net.TCPAddr).AddrPort()
	_, p.port, _ = net.SplitHostPort(at.String())
	p.opts = outbound.Options{RootCAs: x509.NewCertPool()}
	p.opts.RootCAs.AddCert(p.Certificate())
	p.opts = p.opts.WithNetwork(nameServer(t, func(string, int) []netip.Addr { return []netip.Addr{at.Addr()} }),
		func(a netip.AddrPort) bool { return a == at })
	return p
}

// url is a URL of the provider under its public name.
func (p *provider) url(path string) string { return "https://acme.example.com:" + p.port + path }

func (p *provider) client(t *testing.T, sign outbound.Signer) *http.Client {
	t.Helper()
	return newClient(t, p.opts, sign, p.url(""))
}

func newClient(t *testing.T, o outbound.Options, sign outbound.Signer, base string) *http.Client {
	t.Helper()
	tr := outbound.New(o)
	t.Cleanup(tr.CloseIdleConnections)
	return tr.Client(sign, parse(t, base), nil)
}

func parse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func bearer(t *testing.T, token string) outbound.Signer {
	t.Helper()
	s, err := outbound.SignerByName("bearer", "", func(context.Context) (fabric.Secret, error) { return fabric.Secret(token), nil })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// get reads a whole answer.
func get(t *testing.T, c *http.Client, url string) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(c, req)
}

func do(c *http.Client, req *http.Request) (*http.Response, string, error) {
	resp, err := c.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

// nameServer answers for example.com and its subdomains with what answer says of a name's n-th question, counted from
// 1 and for A and AAAA together; every other name does not exist.
func nameServer(t *testing.T, answer func(name string, n int) []netip.Addr) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		asked := map[string]int{}
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			name, kind := question(buf[:n])
			var addrs []netip.Addr
			if strings.HasSuffix(name, "example.com.") {
				asked[name]++
				addrs = answer(name, (asked[name]+1)/2)
			}
			_, _ = conn.WriteTo(reply(buf[:n], kind, addrs), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// question reads the name and type of a DNS message's first question (RFC 1035, section 4.1).
func question(m []byte) (name string, kind uint16) {
	i := 12
	for i < len(m) && m[i] != 0 {
		name += string(m[i+1:i+1+int(m[i])]) + "."
		i += 1 + int(m[i])
	}
	return strings.ToLower(name), binary.BigEndian.Uint16(m[i+1:])
}

func reply(m []byte, kind uint16, addrs []netip.Addr) []byte {
	end := 12
	for m[end] != 0 {
		end += 1 + int(m[end])
	}
	end += 5
	out := append([]byte(nil), m[:end]...)
	copy(out[2:], []byte{0x84, 0x00, 0, 1, 0, 0, 0, 0, 0, 0}) // an authoritative answer to one question
	if len(addrs) == 0 {
		out[3] = 3 // no such name
	}
	for _, a := range addrs {
		if a.Is4() && kind == 1 || a.Is6() && kind == 28 {
			data := a.AsSlice()
			out[7]++
			out = append(out, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(len(data)))
			out = append(out, data...)
		}
	}
	return out
}
