package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Origin sends what is meant for one origin to another.
type Origin struct {
	From string // https, with or without a port; "https://*.okta.com" is every host below okta.com, not okta.com itself
	To   string // http or https; a host that ends in .localhost is 127.0.0.1
}

// mapping is an Origin taken apart.
type mapping struct {
	from *url.URL // a wildcard's host begins with "*."
	to   *url.URL
}

// ParseOrigins reads the setting --origins: "https://acme.okta.com=http://127.0.0.1:9000,https://*.zendesk.com=...".
// Blanks around entries do not count, and neither does a slash at the end of an origin. The empty string is none.
func ParseOrigins(s string) ([]Origin, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	var out []Origin
	for entry := range strings.SplitSeq(s, ",") {
		entry = strings.TrimSpace(entry)
		from, to, ok := strings.Cut(entry, "=")
		if !ok {
			return nil, fmt.Errorf("outbound: origins: %q: want FROM=TO, such as https://acme.okta.com=http://127.0.0.1:9000", entry)
		}
		out = append(out, Origin{From: strings.TrimSpace(from), To: strings.TrimSpace(to)})
	}
	maps, err := compile(out)
	if err != nil {
		return nil, err
	}
	for i, m := range maps {
		out[i] = Origin{From: m.from.Scheme + "://" + m.from.Host, To: m.to.Scheme + "://" + m.to.Host}
	}
	return out, nil
}

func compile(origins []Origin) ([]mapping, error) {
	var out []mapping
	for _, o := range origins {
		from, err := parseOrigin(o.From)
		if err == nil && from.Scheme != "https" {
			err = errors.New("want https")
		}
		if err == nil {
			err = checkWildcard(from.Hostname())
		}
		if err != nil {
			return nil, fmt.Errorf("outbound: origins: %q is no origin to send elsewhere: %w", o.From, err)
		}
		to, err := parseOrigin(o.To)
		if err == nil && strings.Contains(to.Host, "*") {
			err = errors.New("a wildcard can only be on the left")
		}
		if err != nil {
			return nil, fmt.Errorf("outbound: origins: %q is no origin to send to: %w", o.To, err)
		}
		for _, m := range out {
			if SameOrigin(m.from, from) {
				return nil, fmt.Errorf("outbound: origins: %q is named twice", o.From)
			}
		}
		out = append(out, mapping{from, to})
	}
	return out, nil
}

// parseOrigin reads scheme, host and port, and refuses anything more. The errors of net/url are not passed on: they
// repeat what was given, userinfo included.
func parseOrigin(s string) (*url.URL, error) {
	u, err := url.Parse(strings.ToLower(strings.TrimSuffix(s, "/")))
	switch {
	case err != nil:
		return nil, errors.New("it is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("want http:// or https://")
	case u.Hostname() == "":
		return nil, errors.New("it has no host")
	case !validHost(u.Hostname()):
		return nil, errors.New("the host is neither a name in ASCII nor an address")
	case !validPort(u):
		return nil, errors.New("the port is not a number from 1 to 65535")
	case u.User != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(s, "#"):
		return nil, errors.New("want scheme, host and port, and nothing else")
	}
	return u, nil
}

func validHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Zone() == "" || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-_.*") == ""
}

func validPort(u *url.URL) bool {
	if !strings.HasSuffix(u.Host, ":"+u.Port()) {
		return true
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0
}

func checkWildcard(host string) error {
	rest, wild := strings.CutPrefix(host, "*.")
	switch {
	case strings.Contains(rest, "*"):
		return errors.New("a wildcard is *. before a host")
	case wild && rest == "":
		return errors.New("a wildcard needs a host behind it")
	}
	return nil
}

// covers says whether u is of the mapping's From.
func (m mapping) covers(u *url.URL) bool {
	suffix, wild := strings.CutPrefix(m.from.Hostname(), "*")
	if !wild {
		return SameOrigin(m.from, u)
	}
	host := strings.ToLower(u.Hostname())
	return u.Scheme == m.from.Scheme && port(u) == port(m.from) && len(host) > len(suffix) && strings.HasSuffix(host, suffix)
}

// target is the origin that u's origin is sent to; nil where it is sent nowhere else.
func (t *Transport) target(u *url.URL) *url.URL {
	for _, m := range t.origins {
		if m.covers(u) {
			return m.to
		}
	}
	return nil
}

// Rewrite puts a URL that somebody's browser will open through Options.Origins. What no origin maps must be https and
// comes back as it was.
func (t *Transport) Rewrite(raw string) (string, error) {
	if t.bad != nil {
		return "", t.bad
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil {
		return "", ErrNotHTTPS
	}
	target := t.target(u)
	switch {
	case target != nil:
		u.Scheme, u.Host = target.Scheme, target.Host
		return u.String(), nil
	case u.Scheme != "https":
		return "", fmt.Errorf("%w: %s", ErrNotHTTPS, place(u))
	}
	return raw, nil
}

// SameOrigin says whether two URLs have the same scheme, host and port, the port that the scheme stands for included.
func SameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	switch p := u.Port(); {
	case p != "":
		return p
	case u.Scheme == "http":
		return "80"
	case u.Scheme == "https":
		return "443"
	}
	return ""
}
