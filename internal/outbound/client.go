package outbound

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

const maxRedirects = 3

// Client makes an *http.Client for calls to one origin, the provider's own (before Options.Origins): it signs, stays
// there, and ends a call with everything that belongs to it after Options.Timeout. A request to the target that the
// origin is mapped to counts as one to the origin, so links in either's answers can be followed.
//
// Allow names further origins of the provider's that count like the one; nil: there are none.
//
// A nil sign adds nothing to a request. A nil base lets an unsigned client go to any https origin, each call and its
// redirects staying at the one where it began; with sign, a nil base refuses every call.
//
// Errors are those of the package, those of sign, and network errors, all inside a *url.Error.
func (t *Transport) Client(sign Signer, base *url.URL, allow func(origin string) bool) *http.Client {
	c := &client{transport: t, sign: sign, base: base, allow: allow}
	return &http.Client{Transport: c, Timeout: t.timeout, CheckRedirect: c.checkRedirect}
}

type client struct {
	transport *Transport
	sign      Signer
	base      *url.URL
	allow     func(origin string) bool
}

// RoundTrip signs the request for the provider's own origin and sends it.
func (c *client) RoundTrip(r *http.Request) (*http.Response, error) {
	out, err := c.prepare(r)
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // nothing of it was sent
		}
		return nil, err
	}
	resp, err := c.transport.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	resp.Request = unsigned(r, resp.Request.URL)
	return resp, nil
}

func (c *client) prepare(r *http.Request) (*http.Request, error) {
	out := r.Clone(r.Context())
	if c.base != nil || c.sign != nil {
		switch {
		case c.further(r.URL):
		case c.home(r.URL, c.base):
			out.URL.Scheme, out.URL.Host = c.base.Scheme, c.base.Host
		default:
			return nil, fmt.Errorf("%w: %s", ErrForeignHost, place(r.URL))
		}
	}
	if c.sign == nil {
		return out, nil
	}
	if err := c.sign.Sign(r.Context(), out); err != nil {
		return nil, fmt.Errorf("outbound: sign: %w", err)
	}
	return out, nil
}

// further says whether u is at another origin that the client may call.
func (c *client) further(u *url.URL) bool {
	return c.base != nil && c.allow != nil && u.User == nil && c.allow(strings.ToLower(u.Scheme+"://"+u.Host))
}

// home says whether u is at base, or where base is mapped to.
func (c *client) home(u, base *url.URL) bool {
	if base == nil || u.User != nil {
		return false
	}
	target := c.transport.target(base)
	return SameOrigin(u, base) || target != nil && SameOrigin(u, target)
}

// checkRedirect is asked before each redirect; via holds the requests made, the oldest first.
func (c *client) checkRedirect(r *http.Request, via []*http.Request) error {
	base := c.base
	if base == nil {
		base = via[0].URL
	}
	switch {
	case !c.home(r.URL, base) && !c.further(r.URL):
		return fmt.Errorf("%w: redirect to %s", ErrForeignHost, place(r.URL))
	case via[0].Method != "" && via[0].Method != http.MethodGet && via[0].Method != http.MethodHead:
		return fmt.Errorf("%w: it answers a %s", ErrRedirect, via[0].Method)
	case len(via) > maxRedirects:
		return fmt.Errorf("%w: over %d in a row", ErrRedirect, maxRedirects)
	}
	return nil
}

// CloseIdleConnections is what http.Client's method of that name calls.
func (c *client) CloseIdleConnections() { c.transport.CloseIdleConnections() }
