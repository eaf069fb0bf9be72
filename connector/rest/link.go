package rest

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// errForeign refuses a link that leads out of the tenant.
var errForeign = errors.New("the link leads to another host")

// errPlace refuses a stored place that no answer of this tenant can have given.
var errPlace = errors.New("the stored place is none of this feed's")

// Link returns the target of the first link with the relation rel (RFC 8288),
// empty where there is none. Links about something other than the answer
// (parameter anchor) do not count.
func Link(h http.Header, rel string) string {
	for _, value := range h.Values("Link") {
		for value != "" {
			var target string
			var params map[string]string
			target, params, value = cutLink(value)
			if _, elsewhere := params["anchor"]; elsewhere {
				continue
			}
			for r := range strings.FieldsSeq(params["rel"]) {
				if strings.EqualFold(r, rel) {
					return target
				}
			}
		}
	}
	return ""
}

// cutLink reads one link-value and returns what follows its comma.
func cutLink(s string) (target string, params map[string]string, rest string) {
	_, s, ok := strings.Cut(s, "<")
	if !ok {
		return "", nil, ""
	}
	target, s, ok = strings.Cut(s, ">")
	if !ok {
		return "", nil, ""
	}
	end := endOfLink(s)
	_, params = parseParams("link " + s[:end])
	return strings.TrimSpace(target), params, s[end:]
}

// endOfLink returns the index of the comma that ends a link-value: one outside
// of quotes.
func endOfLink(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			return i
		}
	}
	return len(s)
}

// Next returns the answer's link with relation "next" as a place: path and
// query, without the host. Empty: there is no such link. A link to an origin
// that is neither the tenant's nor the one that answered is an error, and so is
// one to another path.
func (a *Answer) Next() (string, error) {
	u, err := a.Follow(Link(a.Header, "next"))
	if err != nil || u == nil {
		return "", err
	}
	if u.EscapedPath() != a.url.EscapedPath() {
		return "", errPlace
	}
	return u.RequestURI(), nil
}

// Follow resolves a link that stands somewhere else in the answer, such as in
// its body. Nil: the link is empty. One to an origin that is neither the
// tenant's nor the one that answered is an error; its path is for the caller to
// check.
func (a *Answer) Follow(link string) (*url.URL, error) {
	if link == "" {
		return nil, nil //nolint:nilnil // no link is no mistake
	}
	u, err := a.url.Parse(link)
	if err != nil {
		return nil, errPlace
	}
	if !sameOrigin(u, a.url) && !sameOrigin(u, a.client.base) {
		return nil, errForeign
	}
	return u, nil
}

// Place checks a place that was stored as a cursor's token, and returns its
// query. A place has no host, so it cannot lead out of the tenant; its path
// must be the feed's.
func Place(token, path string) (url.Values, error) {
	// What begins with the path has neither scheme nor host before it.
	u, err := url.Parse(token)
	if err != nil || !strings.HasPrefix(token, path) || u.EscapedPath() != path || u.Fragment != "" {
		return nil, errPlace
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errPlace
	}
	return query, nil
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b) && a.User == nil
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}
