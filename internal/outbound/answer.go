package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// unsigned is r with another URL: what may be seen of a request.
func unsigned(r *http.Request, sent *url.URL) *http.Request {
	shown := r.WithContext(r.Context())
	shown.URL = sent
	return shown
}

// place is what errors and logs say of a URL: no query, no userinfo, no fragment, and of a path that names somebody by
// an e-mail address not who it is.
func place(u *url.URL) string {
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	if strings.Contains(u.Path, "@") {
		parts := strings.Split(u.Path, "/")
		for i := range parts {
			if strings.Contains(parts[i], "@") {
				parts[i] = "*"
			}
		}
		shown.Path, shown.RawPath = strings.Join(parts, "/"), ""
	}
	return shown.String()
}

// Redact shortens the URL that net/http puts into an error of a Client: the query may hold what must not be logged.
// An error without a URL is returned as it is.
func Redact(err error) error {
	e, ok := errors.AsType[*url.Error](err)
	if !ok {
		return err
	}
	shown := "provider"
	if u, parseErr := url.Parse(e.URL); parseErr == nil {
		shown = place(u)
	}
	return &url.Error{Op: e.Op, URL: shown, Err: e.Err}
}

// callError is a call that brought no answer. It tells a timeout from other failures as net.Error does, which an error
// wrapped by fmt would hide from url.Error.
type callError struct{ err error }

func (e *callError) Error() string { return "outbound: " + e.err.Error() }
func (e *callError) Unwrap() error { return e.err }

// Timeout says whether the time was up.
func (e *callError) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.err, &t) && t.Timeout()
}

// body ends an answer that is longer than the limit with ErrTooLarge. An answer that ends after the call was given up
// is not taken for whole: a server that sees the connection go may still write a proper end.
type body struct {
	io.ReadCloser
	ctx         context.Context
	left, limit int64
}

func (b *body) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, b.tooLarge()
	}
	if int64(len(p)) > b.left+1 { // one more than allowed tells an end from a cut
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n - 1, b.tooLarge()
	}
	if err == io.EOF && b.ctx.Err() != nil {
		return n, b.ctx.Err()
	}
	return n, err
}

func (b *body) tooLarge() error { return fmt.Errorf("%w: over %d bytes", ErrTooLarge, b.limit) }
