package outbound

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// refusedV4 are the IPv4 ranges that are not of the public Internet, and one public address that a cloud answers from
// inside.
// https://www.iana.org/assignments/iana-ipv4-special-registry/iana-ipv4-special-registry.xhtml (checked 2026-11-22).
var refusedV4 = prefixes(
	"0.0.0.0/8",        // this network
	"10.0.0.0/8",       // private
	"100.64.0.0/10",    // carrier-grade NAT; Alibaba's metadata
	"127.0.0.0/8",      // loopback
	"169.254.0.0/16",   // link-local; metadata of AWS, Azure, Google
	"172.16.0.0/12",    // private
	"192.0.0.0/24",     // protocol assignments; Oracle's metadata
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // 6to4 relay, deprecated
	"192.168.0.0/16",   // private
	"198.18.0.0/15",    // benchmarking
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"224.0.0.0/4",      // multicast
	"240.0.0.0/4",      // reserved; broadcast
	"168.63.129.16/32", // Azure's host agent
)

// Of IPv6 only 2000::/3 is the public Internet, without what refusedV6 lists.
// https://www.iana.org/assignments/iana-ipv6-special-registry/iana-ipv6-special-registry.xhtml (checked 2026-11-22).
var refusedV6 = prefixes(
	"2001::/23",     // protocol assignments: Teredo, ORCHID, benchmarking
	"2001:db8::/32", // documentation
	"3fff::/20",     // documentation
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

var (
	globalV6  = netip.MustParsePrefix("2000::/3")
	nat64     = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: how an IPv6-only network reaches IPv4
	sixToFour = netip.MustParsePrefix("2002::/16")    // RFC 3056
)

// Public says whether an address is of the public Internet. An IPv6 address that stands for an IPv4 address
// (IPv4-mapped, NAT64, 6to4) is what that one is.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		bytes := a.As16()
		switch {
		case nat64.Contains(a):
			a = netip.AddrFrom4([4]byte(bytes[12:16]))
		case sixToFour.Contains(a):
			a = netip.AddrFrom4([4]byte(bytes[2:6]))
		case !globalV6.Contains(a):
			return false
		}
	}
	if !a.IsValid() {
		return false
	}
	refused := refusedV6
	if a.Is4() {
		refused = refusedV4
	}
	for _, p := range refused {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// checkName refuses what a proxy would understand as an address that is not public. Names it resolves itself.
func checkName(host string) error {
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil && Public(ip):
		return nil
	case err == nil, isLocalhost(host), endsInNumber(host):
		return fmt.Errorf("%w: %s", ErrAddress, host)
	}
	return nil
}

// endsInNumber finds the other spellings of an IPv4 address, such as 2130706433, 0x7f.1 and 127.1, that netip does not
// read and some resolvers do (https://url.spec.whatwg.org/#ends-in-a-number-checker, checked 2026-11-22).
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if strings.Trim(last, "0123456789") == "" {
		return true
	}
	digits, hex := strings.CutPrefix(strings.ToLower(last), "0x")
	_, err := strconv.ParseUint(digits, 16, 64)
	return hex && (digits == "" || err == nil)
}
