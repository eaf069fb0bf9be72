package outbound_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/outbound"
)

func TestClientSigns(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, header, credential, wantHeader, want string }{
		{"bearer", "", "s3cret", "Authorization", "Bearer s3cret"},
		{"basic", "", "user:s3cret", "Authorization", "Basic dXNlcjpzM2NyZXQ="},
		{"header", "X-Api-Key", "s3cret", "X-Api-Key", "s3cret"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, r.Header.Get(c.wantHeader)+"|"+r.UserAgent()+"|"+r.Host+"|"+r.Header.Get("X-Forwarded-Host"))
			})
			sign, err := outbound.SignerByName(c.name, c.header, func(context.Context) (fabric.Secret, error) { return fabric.Secret(c.credential), nil })
			if err != nil {
				t.Fatal(err)
			}
			resp, body, err := get(t, p.client(t, sign), p.url("/x?y=z"))
			if err != nil {
				t.Fatal(err)
			}
			if want := c.want + "|Selvedge|acme.example.com:" + p.port + "|"; body != want {
				t.Errorf("arrived: %q, want %q", body, want)
			}
			if resp.Request.Header.Get(c.wantHeader) != "" || resp.Request.URL.String() != p.url("/x?y=z") {
				t.Errorf("the answer's request shows %v %v", resp.Request.URL, resp.Request.Header)
			}
		})
	}
}

func TestSignerByNameRefuses(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "Bearer", "duo-hmac", "header"} {
		if _, err := outbound.SignerByName(name, "", nil); err == nil {
			t.Errorf("%q was accepted", name)
		}
	}
}

// Nothing is sent without the credential, or with one that does not fit into a header.
func TestClientSignerFails(t *testing.T) {
	t.Parallel()
	var arrived atomic.Int32
	p := newProvider(t, func(http.ResponseWriter, *http.Request) { arrived.Add(1) })
	ended := errors.New("the grant has ended")
	for secret, want := range map[string]error{"": ended, "a\nb": nil, "a\r\nX: y": nil} {
		sign, err := outbound.SignerByName("bearer", "", func(context.Context) (fabric.Secret, error) {
			if want != nil {
				return "", want
			}
			return fabric.Secret(secret), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = get(t, p.client(t, sign), p.url("/"))
		if err == nil || want != nil && !errors.Is(err, want) || secret != "" && strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", secret, err)
		}
	}
	if n := arrived.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

func TestClientStaysHome(t *testing.T) {
	t.Parallel()
	var arrived atomic.Int32
	p := newProvider(t, func(http.ResponseWriter, *http.Request) { arrived.Add(1) })
	c := p.client(t, bearer(t, "s3cret"))
	for _, u := range []string{
		"https://other.example.com:" + p.port + "/", "https://acme.example.com/", "http://acme.example.com:" + p.port + "/",
		"https://acme.example.com.:" + p.port + "/", "https://user:pw@acme.example.com:" + p.port + "/",
	} {
		if _, _, err := get(t, c, u+"?q=hidden"); !errors.Is(err, outbound.ErrForeignHost) {
			t.Errorf("%s: %v, want ErrForeignHost", u, err)
		}
	}
	if _, _, err := get(t, c, strings.Replace(p.url("/"), "acme", "ACME", 1)); err != nil {
		t.Errorf("the same host in capitals: %v", err)
	}
	if n := arrived.Load(); n != 1 {
		t.Errorf("%d requests arrived, want 1", n)
	}
	unbound := outbound.New(p.opts).Client(bearer(t, "s3cret"), nil, nil)
	if _, _, err := get(t, unbound, p.url("/")); !errors.Is(err, outbound.ErrForeignHost) {
		t.Errorf("a signing client without a base: %v, want ErrForeignHost", err)
	}
}

func TestHTTPSOnly(t *testing.T) {
	t.Parallel()
	tr := outbound.New(outbound.Options{})
	for _, u := range []string{"http://acme.example.com/", "ftp://acme.example.com/", "https:///x", "https://u:pw@acme.example.com/"} {
		if _, _, err := get(t, tr.Client(nil, nil, nil), u); !errors.Is(err, outbound.ErrNotHTTPS) && !strings.Contains(fmt.Sprint(err), "no Host") {
			t.Errorf("%s: %v, want ErrNotHTTPS", u, err)
		} else if strings.Contains(err.Error(), "pw") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	var foreign atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { foreign.Add(1) }))
	t.Cleanup(elsewhere.Close)
	var mu sync.Mutex
	paths := map[string]int{}
	var p *provider
	p = newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		paths[r.Method+r.URL.Path]++
		mu.Unlock()
		if r.Header.Get("Authorization") != "Bearer s3cret" {
			t.Errorf("%s came unsigned", r.URL)
		}
		to := map[string]string{
			"/1": "/ok", "/2": "/1", "/3": "/2", "/4": "/3", "/loop": "/loop", "/absolute": p.url("/ok"),
			"/host": "https://other.example.com:" + p.port + "/", "/port": "https://acme.example.com/", "/down": "http://acme.example.com:" + p.port + "/",
			"/out": elsewhere.URL, "/inside": "https://169.254.169.254/latest", "/relative": "//other.example.com:" + p.port + "/",
			"/user": "https://a:b@acme.example.com:" + p.port + "/ok",
		}[r.URL.Path]
		if to != "" {
			http.Redirect(w, r, to, http.StatusTemporaryRedirect)
		}
	})
	cases := map[string]error{
		"/1": nil, "/3": nil, "/absolute": nil, "/4": outbound.ErrRedirect, "/loop": outbound.ErrRedirect,
		"/host": outbound.ErrForeignHost, "/port": outbound.ErrForeignHost, "/down": outbound.ErrForeignHost, "/out": outbound.ErrForeignHost,
		"/inside": outbound.ErrForeignHost, "/relative": outbound.ErrForeignHost, "/user": outbound.ErrForeignHost,
	}
	for path, want := range cases {
		c := p.client(t, bearer(t, "s3cret"))
		if _, _, err := get(t, c, p.url(path)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url("/1"), strings.NewReader("code=once"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := do(p.client(t, bearer(t, "s3cret")), req); !errors.Is(err, outbound.ErrRedirect) {
		t.Errorf("a POST: %v, want ErrRedirect", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if foreign.Load() != 0 || paths["POST/ok"] != 0 || paths["POST/1"] != 1 || paths["GET/loop"] != 4 {
		t.Errorf("foreign %d, %v", foreign.Load(), paths)
	}
}

// Without a base a client may begin anywhere, but its redirects stay where it began.
func TestRedirectWithoutBase(t *testing.T) {
	t.Parallel()
	p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/out" {
			http.Redirect(w, r, "https://other.example.com:"+strings.Split(r.Host, ":")[1]+"/", http.StatusFound)
		}
	})
	c := outbound.New(p.opts).Client(nil, nil, nil)
	t.Cleanup(c.CloseIdleConnections)
	if _, _, err := get(t, c, p.url("/")); err != nil {
		t.Error(err)
	}
	if _, _, err := get(t, c, p.url("/out")); !errors.Is(err, outbound.ErrForeignHost) {
		t.Errorf("%v, want ErrForeignHost", err)
	}
}

func TestMaxBody(t *testing.T) {
	t.Parallel()
	const limit = 1000
	p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		var n int
		_, _ = fmt.Sscan(r.URL.Query().Get("n"), &n)
		data := bytes.Repeat([]byte("a"), n)
		if r.URL.Path != "/gzip" {
			_, _ = w.Write(data)
			return
		}
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("Accept-Encoding %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write(data)
		_ = z.Close()
	})
	p.opts.MaxBody = limit
	for _, path := range []string{"/", "/gzip"} {
		for n, want := range map[int]error{0: nil, limit - 1: nil, limit: nil, limit + 1: outbound.ErrTooLarge, 5 << 20: outbound.ErrTooLarge} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("%s?n=%d", p.url(path), n), nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Accept-Encoding", "br") // must not get an answer past the limit
			_, body, err := do(p.client(t, nil), req)
			if !errors.Is(err, want) || len(body) != min(n, limit) {
				t.Errorf("%s, %d bytes: read %d, %v; want %v", path, n, len(body), err, want)
			}
		}
	}
}

func TestTimeoutCoversTheWholeCall(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/headers", "/body"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/body" {
					_, _ = io.WriteString(w, "begin")
					w.(http.Flusher).Flush()
				}
				<-r.Context().Done() // the client gave up
			})
			p.opts.Timeout = 100 * time.Millisecond
			_, _, err := get(t, p.client(t, nil), p.url(path))
			var timeout interface{ Timeout() bool }
			if !errors.As(err, &timeout) || !timeout.Timeout() {
				t.Errorf("%v, want a timeout", err)
			}
		})
	}
}

// A POST must arrive once and on a connection of its own, even where net/http is told that it may repeat it.
func TestPostIsNotReplayed(t *testing.T) {
	t.Parallel()
	var posts atomic.Int32
	p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			return
		}
		posts.Add(1)
		if r.URL.Path == "/answered" {
			return
		}
		if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = conn.Close() // the answer is lost
		}
	})
	c := p.client(t, nil)
	for range 2 {
		if _, _, err := get(t, c, p.url("/")); err != nil {
			t.Fatal(err)
		}
	}
	if n := p.tls.Load(); n != 1 {
		t.Fatalf("%d connections for two GETs, want 1", n)
	}
	for _, path := range []string{"/answered", "/answered", "/lost"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url(path), strings.NewReader("refresh_token=once"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Idempotency-Key", "k") // net/http takes it for leave to repeat
		if _, _, err := do(c, req); (err == nil) != (path == "/answered") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if n, conns := posts.Load(), p.tls.Load(); n != 3 || conns != 4 {
		t.Errorf("%d POSTs over %d connections, want 3 over 1 for the GETs and 3", n, conns-1)
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	tr := outbound.New(outbound.Options{Timeout: time.Second})
	_, _, err := get(t, tr.Client(nil, nil, nil), "https://127.0.0.1:1/path?token=s3cret#frag")
	if err == nil || !strings.Contains(err.Error(), "s3cret") {
		t.Fatalf("net/http's error %v no longer shows the query: Redact may go", err)
	}
	short := outbound.Redact(err)
	if strings.Contains(short.Error(), "s3cret") || !strings.Contains(short.Error(), "https://127.0.0.1:1/path") {
		t.Errorf("%v", short)
	}
	if !errors.Is(short, outbound.ErrAddress) {
		t.Errorf("%v lost its cause", short)
	}
	person := &url.Error{Op: "Get", URL: "https://acme.okta.com/api/v1/users/ada%2Bx@example.com/groups", Err: io.EOF}
	if got := outbound.Redact(person).Error(); got != `Get "https://acme.okta.com/api/v1/users/%2A/groups": EOF` && got != `Get "https://acme.okta.com/api/v1/users/*/groups": EOF` {
		t.Errorf("of a URL that names a person: %s", got)
	}
	if other := io.ErrUnexpectedEOF; !errors.Is(outbound.Redact(other), other) || outbound.Redact(nil) != nil {
		t.Error("an error without a URL was changed")
	}
	if got := outbound.Redact(&url.Error{Op: "Get", URL: "::s3cret", Err: io.EOF}).Error(); strings.Contains(got, "s3cret") {
		t.Error(got)
	}
}
