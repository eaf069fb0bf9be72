package outbound

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
)

// dialer opens connections. Guarded, it connects to public addresses only.
type dialer struct {
	resolver *net.Resolver
	permit   func(netip.AddrPort) bool
	guarded  bool
}

func (d dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout, Resolver: d.resolver}
	if d.guarded {
		dialer.ControlContext = d.control
		return dialer.DialContext(ctx, network, address)
	}
	if host, port, err := net.SplitHostPort(address); err == nil && isLocalhost(host) {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	return dialer.DialContext(ctx, network, address)
}

// control is called with the resolved address, between making the socket and connecting it.
func (d dialer) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %q", ErrAddress, address)
	}
	if Public(at.Addr()) || d.permit != nil && d.permit(at) {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrAddress, at.Addr())
}

// isLocalhost says whether a name is this machine's by its spelling (RFC 6761, section 6.3).
func isLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

func isThisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || isLocalhost(host)
}
