package simulator

import (
	"context"
	"net"
	"net/http"
	"strings"
)

// Client is an HTTP client that, as browsers do, takes every name below
// localhost for this machine (RFC 6761, section 6.3). It follows redirects.
func Client() *http.Client {
	var d net.Dialer
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if host, port, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(host, ".localhost") {
				address = net.JoinHostPort("127.0.0.1", port)
			}
			return d.DialContext(ctx, network, address)
		},
	}}
}
