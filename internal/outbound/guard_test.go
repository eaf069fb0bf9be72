package outbound_test

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"

	"selvedge/internal/outbound"
)

// Both ends of every range, and what lies just outside of it.
func TestPublic(t *testing.T) {
	t.Parallel()
	cases := map[bool][]string{
		true: {
			"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
			"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.1.255", "192.0.3.0",
			"192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
			"198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255", "8.8.8.8",
			"168.63.129.15", "168.63.129.17",
			"2000::", "2000:ffff::1", "2001:200::", "2001:db7::1", "2001:db9::", "2606:4700::1111", "3ffe:ffff::1",
			"3fff:1000::", "3fff:ffff::1", "2003::",
			"::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
		},
		false: {
			"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "100.100.100.200",
			"127.0.0.0", "127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255", "172.16.0.0",
			"172.31.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.0", "192.0.2.255", "192.88.99.1", "192.168.0.0", "192.168.255.255",
			"198.18.0.0", "198.19.255.255", "198.51.100.0", "198.51.100.255", "203.0.113.0", "203.0.113.255", "224.0.0.0",
			"239.255.255.255", "240.0.0.0", "255.255.255.255", "168.63.129.16",
			"::", "::1", "::2", "::127.0.0.1", "::8.8.8.8", "100::1", "fc00::", "fd00:ec2::254", "fdff::1", "fe80::1", "fe80::1%eth0",
			"febf::1", "fec0::1", "feff::1", "ff02::1", "1fff:ffff::1", "4000::", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
			"2001:1ff::1", "2001:2::1", "2001:db8::1", "2001:db8:ffff::1", "3fff::1", "3fff:fff::1", "5f00::1",
			"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1",
			"64:ff9b:1::8.8.8.8", "2002:a00:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::",
		},
	}
	for want, list := range cases {
		for _, s := range list {
			if got := outbound.Public(netip.MustParseAddr(s)); got != want {
				t.Errorf("Public(%s) = %v", s, got)
			}
		}
	}
	if outbound.Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

// Every way to write this machine's address must end at the guard, with a server listening there.
func TestGuardAtDial(t *testing.T) {
	t.Parallel()
	var reached atomic.Bool
	p := newProvider(t, func(http.ResponseWriter, *http.Request) { reached.Store(true) })
	for _, host := range []string{
		"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0", "[::]", "10.0.0.1", "169.254.169.254",
		"[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]",
	} {
		origin := "https://" + host + ":" + p.port
		c := newClient(t, outbound.Options{RootCAs: p.opts.RootCAs}, nil, origin)
		if _, _, err := get(t, c, origin+"/"); !errors.Is(err, outbound.ErrAddress) {
			t.Errorf("%s: %v, want ErrAddress", host, err)
		}
	}
	if reached.Load() {
		t.Error("a request arrived")
	}
}

// A name that resolves to a public address first and to a private one later is refused later; one that resolves to both
// is only ever reached at the public one.
func TestGuardAgainstRebinding(t *testing.T) {
	t.Parallel()
	p := newProvider(t, func(http.ResponseWriter, *http.Request) {})
	public := p.Listener.Addr().(*net.TCPAddr).AddrPort()
	private := netip.MustParseAddr("127.0.0.2")
	inside, err := net.Listen("tcp", net.JoinHostPort("127.0.0.2", p.port))
	if err != nil {
		t.Logf("127.0.0.2 is not this machine's here (%v): the refusal alone is tested", err)
	} else {
		defer func() { _ = inside.Close() }()
		go func() {
			for {
				c, err := inside.Accept()
				if err != nil {
					return
				}
				t.Error("a connection was made to the private address")
				_ = c.Close()
			}
		}()
	}
	answers := func(name string, n int) []netip.Addr {
		switch {
		case name == "both.example.com.":
			return []netip.Addr{private, public.Addr()}
		case n == 1:
			return []netip.Addr{public.Addr()}
		}
		return []netip.Addr{private}
	}
	o := p.opts.WithNetwork(nameServer(t, answers), func(a netip.AddrPort) bool { return a == public })

	rebound := "https://rebind.example.com:" + p.port
	c := newClient(t, o, nil, rebound)
	if _, _, err := get(t, c, rebound); err != nil {
		t.Fatal(err)
	}
	c.CloseIdleConnections()
	if _, _, err := get(t, c, rebound); !errors.Is(err, outbound.ErrAddress) {
		t.Errorf("the second time: %v, want ErrAddress", err)
	}
	both := "https://both.example.com:" + p.port
	if _, _, err := get(t, newClient(t, o, nil, both), both); err != nil && !errors.Is(err, outbound.ErrAddress) {
		t.Error(err)
	}
}
