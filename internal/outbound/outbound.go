// Package outbound is the one way to a provider: every call that leaves the process for a SaaS application goes
// through a Transport.
//
// What it holds:
//
//   - https only, and only to addresses of the public Internet. The address is checked when the socket is about to
//     connect, so neither a literal, a redirect nor a name that resolves differently the second time gets around it.
//   - A client made by Client stays at one origin: requests, next links and redirects that lead elsewhere are refused
//     before anything is signed. At most 3 redirects are followed, and only those of a GET or HEAD.
//   - Answers are bounded: Options.MaxBody after decompression, Options.Timeout for the whole call, body included.
//   - Nothing is sent twice. A call that is no GET or HEAD goes over a connection of its own, without GetBody, so
//     net/http has nothing to replay. (A GET on a kept connection that the provider had just closed is sent again
//     by net/http; HTTP/2 repeats what the provider says it has not looked at.) Whether to try again is decided
//     elsewhere.
//   - Calls of sessions are paced (Pacer): no faster than the application's connector.Pace, and not at all while the
//     provider has asked to wait, of this replica or another. A call whose turn it is not is not made.
//   - Errors and logs hold no query, no userinfo and no credential; see Redact for the ones that net/http makes.
//
// Only Options.Origins and Options.ProxyURL loosen this. A mapped origin may be http and may be any address. With a
// proxy, names are resolved by it, so the addresses behind them are its to guard; literal addresses still are ours.
package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// The refusals. Test for them with errors.Is.
var (
	ErrForeignHost = errors.New("outbound: the request leads to another host")
	ErrNotHTTPS    = errors.New("outbound: the URL is not a plain https URL")
	ErrAddress     = errors.New("outbound: the address is not on the public Internet")
	ErrTooLarge    = errors.New("outbound: the answer is too large")
	ErrRedirect    = errors.New("outbound: the redirect is not followed")
)

const (
	defaultTimeout = 60 * time.Second
	defaultMaxBody = 32 << 20
	maxHeader      = 1 << 20
	dialTimeout    = 10 * time.Second
	idleTimeout    = 90 * time.Second
	idlePerHost    = 8
	userAgent      = "Selvedge"
)

// Options are what a Transport is made of. The zero Options are those of a server without --origins and --proxy-url.
type Options struct {
	Origins  []Origin       // the first whose From matches counts
	ProxyURL *url.URL       // http, https or socks5; origins mapped to this machine do not go through it
	Timeout  time.Duration  // of a call made with a Client, redirects and body included; 0: 60 s
	MaxBody  int64          // bytes of an answer, decompressed; 0: 32 MiB
	RootCAs  *x509.CertPool // nil: the system's
	Log      *slog.Logger   // nil: none

	resolver *net.Resolver             // nil: the system's
	permit   func(netip.AddrPort) bool // addresses that count as public
}

// Transport sends requests to providers. It is an http.RoundTripper and safe for concurrent use. Use Client where a
// person's or a tenant's credential is sent: RoundTrip by itself has no time limit and does not stay at one origin.
type Transport struct {
	origins []mapping
	bad     error // what is wrong with the options; every call answers it
	timeout time.Duration
	maxBody int64
	log     *slog.Logger
	proxied bool

	public wires // to what no origin maps
	mapped wires // to targets of Origins
}

// wires are the connections of one kind: kept for GET and HEAD, a fresh one for everything else.
type wires struct{ kept, fresh *http.Transport }

// New makes a Transport. Options that make no sense are answered by every call.
func New(o Options) *Transport {
	t := &Transport{timeout: o.Timeout, maxBody: o.MaxBody, log: o.Log, proxied: o.ProxyURL != nil}
	if t.timeout <= 0 {
		t.timeout = defaultTimeout
	}
	if t.maxBody <= 0 {
		t.maxBody = defaultMaxBody
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if t.origins, err = compile(o.Origins); err != nil {
		t.bad = err
	}
	if o.ProxyURL != nil {
		switch o.ProxyURL.Scheme {
		case "http", "https", "socks5", "socks5h":
		default:
			t.bad = errors.Join(t.bad, fmt.Errorf("outbound: proxy URL with scheme %q: want http, https or socks5", o.ProxyURL.Scheme))
		}
	}
	guarded := dialer{resolver: o.resolver, permit: o.permit, guarded: o.ProxyURL == nil}
	t.public = newWires(o, guarded, func(*http.Request) (*url.URL, error) { return o.ProxyURL, nil })
	t.mapped = newWires(o, dialer{resolver: o.resolver}, func(r *http.Request) (*url.URL, error) {
		if isThisMachine(r.URL.Hostname()) {
			return nil, nil
		}
		return o.ProxyURL, nil
	})
	return t
}

func newWires(o Options, d dialer, proxy func(*http.Request) (*url.URL, error)) wires {
	kept := &http.Transport{
		Proxy:                  proxy,
		DialContext:            d.dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs},
		TLSHandshakeTimeout:    dialTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConnsPerHost:    idlePerHost,
		MaxResponseHeaderBytes: maxHeader,
		ForceAttemptHTTP2:      true,
	}
	fresh := kept.Clone()
	fresh.DisableKeepAlives = true
	return wires{kept: kept, fresh: fresh}
}

// RoundTrip sends one request to where Origins says, or else to its own https URL. The answer's Request has the URL as
// it was sent in the end, and none of the headers that were added on the way.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	out, w, err := t.route(r)
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // nothing of it was sent
		}
		return nil, err
	}
	wire := w.fresh
	if r.Method == "" || r.Method == http.MethodGet || r.Method == http.MethodHead {
		wire = w.kept
	} else {
		out.GetBody = nil
	}
	resp, err := wire.RoundTrip(out)
	if err != nil {
		return nil, &callError{err}
	}
	t.log.LogAttrs(r.Context(), slog.LevelDebug, "the provider answered", slog.String("method", out.Method),
		slog.String("url", place(out.URL)), slog.Int("status", resp.StatusCode))
	resp.Body = &body{ReadCloser: resp.Body, ctx: r.Context(), left: t.maxBody, limit: t.maxBody}
	resp.Request = unsigned(r, out.URL)
	return resp, nil
}

// route checks the request and returns it as it is sent, with the connections to send it over.
func (t *Transport) route(r *http.Request) (*http.Request, wires, error) {
	if t.bad != nil {
		return nil, wires{}, t.bad
	}
	if r.URL == nil || r.URL.Host == "" || r.URL.User != nil {
		return nil, wires{}, ErrNotHTTPS
	}
	out := r.Clone(r.Context())
	out.Host = "" // the header follows the URL
	// net/http then asks for gzip and unpacks it, and MaxBody counts what came out.
	out.Header.Del("Accept-Encoding")
	if out.Header.Get("User-Agent") == "" {
		out.Header.Set("User-Agent", userAgent)
	}
	if target := t.target(r.URL); target != nil {
		out.URL.Scheme, out.URL.Host = target.Scheme, target.Host
		out.Header.Set("X-Forwarded-Host", r.URL.Host)
		return out, t.mapped, nil
	}
	if r.URL.Scheme != "https" {
		return nil, wires{}, fmt.Errorf("%w: %s", ErrNotHTTPS, place(r.URL))
	}
	if t.proxied {
		if err := checkName(r.URL.Hostname()); err != nil {
			return nil, wires{}, err
		}
	}
	return out, t.public, nil
}

// CloseIdleConnections closes the connections that are kept for later calls.
func (t *Transport) CloseIdleConnections() {
	for _, wire := range []*http.Transport{t.public.kept, t.public.fresh, t.mapped.kept, t.mapped.fresh} {
		wire.CloseIdleConnections()
	}
}
