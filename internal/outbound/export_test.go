package outbound

import (
	"net"
	"net/netip"
)

// WithNetwork gives the tests a resolver, and addresses of this machine that stand for public ones.
func (o Options) WithNetwork(r *net.Resolver, permit func(netip.AddrPort) bool) Options {
	o.resolver, o.permit = r, permit
	return o
}
