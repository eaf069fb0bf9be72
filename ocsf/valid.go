package ocsf

import (
	"net/netip"
)

// MaxLen is the most characters that a string attribute may have.
const MaxLen = 65535

// TooLong tells whether s has more than MaxLen characters, so that AppendJSON
// would cut it.
func TooLong(s string) bool { return len(s) > MaxLen && len(clip(s)) < len(s) }

// clip cuts s behind its first MaxLen characters.
func clip(s string) string {
	if len(s) <= MaxLen {
		return s
	}
	n := 0
	for i := range s {
		if n == MaxLen {
			return s[:i]
		}
		n++
	}
	return s
}

// ValidIP tells whether s is an IPv4 or IPv6 address, without a zone.
func ValidIP(s string) bool {
	if len(s) < 2 || len(s) > 40 {
		return false
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == ""
}

// host takes an IP address, or one with a port: "203.0.113.9:49152",
// "[2001:db8::1]:1". The address is "" where s is neither.
func host(s string) (ip string, port int) {
	if ValidIP(s) {
		return s, 0
	}
	at, err := netip.ParseAddrPort(s)
	if err != nil || at.Addr().Zone() != "" {
		return "", 0
	}
	return at.Addr().String(), int(at.Port())
}

// ValidEmail tells whether s is an e-mail address as the schema has it:
// ^[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$
func ValidEmail(s string) bool {
	i := 0
	for i < len(s) && (alnum(s[i]) || s[i] == '_' || s[i] == '.' || s[i] == '+' || s[i] == '-') {
		i++
	}
	if i == 0 || i >= len(s) || s[i] != '@' {
		return false
	}
	i++
	label := i
	for i < len(s) && (alnum(s[i]) || s[i] == '-') {
		i++
	}
	if i == label || i+1 >= len(s) || s[i] != '.' {
		return false
	}
	for i++; i < len(s); i++ {
		if !alnum(s[i]) && s[i] != '-' && s[i] != '.' {
			return false
		}
	}
	return true
}

// ValidHostname tells whether s is a host name: labels of letters, digits and
// inner hyphens, with dots between them.
func ValidHostname(s string) bool {
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' {
			if !alnum(s[i]) && s[i] != '-' {
				return false
			}
			continue
		}
		if i == start || s[start] == '-' || s[i-1] == '-' {
			return false
		}
		start = i + 1
	}
	return true
}

// ValidMethod tells whether s is an HTTP method that the schema knows.
func ValidMethod(s string) bool {
	switch s {
	case "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT", "TRACE":
		return true
	}
	return false
}

func alnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
