package sigv4

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	algorithm   = "AWS4-HMAC-SHA256"
	terminator  = "aws4_request"
	dateFormat  = "20060102T150405Z"
	headerDate  = "X-Amz-Date"
	headerToken = "X-Amz-Security-Token"
	headerHash  = "X-Amz-Content-Sha256"
	headerAuth  = "Authorization"
)

// authorization is an Authorization header taken apart, and the time the request claims.
type authorization struct {
	algorithm     string
	credential    string
	signedHeaders []string
	signature     string
	date          string // X-Amz-Date as sent
	time          time.Time
}

// scope is a credential taken apart: <key id>/<date>/<Region>/<service>/aws4_request.
type scope struct{ keyID, date, region, service, terminator string }

// parse reads the headers that carry the signature. Nothing it returns has been verified.
func parse(h http.Header) (authorization, error) {
	for _, name := range []string{headerAuth, headerDate, headerToken, headerHash, "Host"} {
		if len(h.Values(name)) > 1 {
			return authorization{}, invalid("The header '%s' must not appear more than once.", name)
		}
	}
	header := strings.TrimSpace(h.Get(headerAuth))
	if header == "" {
		return authorization{}, &Error{Code: CodeMissingToken, Message: messageMissingToken}
	}
	var a authorization
	parts, err := components(header, &a)
	if err != nil {
		return authorization{}, err
	}
	a.credential, a.signature, a.date = parts["Credential"], parts["Signature"], h.Get(headerDate)
	var missing []string
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parts[name] == "" {
			missing = append(missing, "Authorization header requires '"+name+"' parameter. ")
		}
	}
	switch {
	case a.date == "" && h.Get("Date") == "":
		missing = append(missing, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	case a.date == "":
		missing = append(missing, messageDateHeaderOnly+" ")
	}
	if missing != nil {
		return authorization{}, incomplete("%s(Hashed with SHA-256 and encoded with Base64) Authorization=%s",
			strings.Join(missing, ""), hashed(header))
	}
	a.signedHeaders = strings.Split(parts["SignedHeaders"], ";")
	a.time, err = time.Parse(dateFormat, a.date)
	if err != nil || a.time.Format(dateFormat) != a.date { // Parse lets fractions of a second through
		return authorization{}, incomplete("Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", a.date)
	}
	return a, nil
}

// components splits "<algorithm> Name=value, Name=value" and sets the algorithm.
func components(header string, a *authorization) (map[string]string, error) {
	name, rest, found := strings.Cut(header, " ")
	a.algorithm = name
	parts := map[string]string{}
	if !found {
		return parts, nil
	}
	for part := range strings.SplitSeq(rest, ",") {
		part = strings.TrimSpace(part)
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return nil, incomplete("Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '%s'.", hashed(part))
		}
		if _, twice := parts[key]; twice {
			return nil, incomplete("Authorization header must not have more than one of each parameter. (Hashed with SHA-256 and encoded with Base64) Authorization=%s", hashed(header))
		}
		parts[key] = value
	}
	return parts, nil
}

// parseScope splits the credential and holds its scope against the request's date and this service.
func (a authorization) parseScope(service string) (scope, error) {
	p := strings.Split(a.credential, "/")
	if len(p) != 5 || p[0] == "" {
		return scope{}, incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'", a.credential)
	}
	s := scope{p[0], p[1], p[2], p[3], p[4]}
	var wrong []string
	if !isRegion(s.region) {
		wrong = append(wrong, "Credential should be scoped to a valid region, not '"+s.region+"'.")
	}
	if s.service != service {
		wrong = append(wrong, "Credential should be scoped to correct service: '"+service+"'.")
	}
	if s.terminator != terminator {
		wrong = append(wrong, "Credential should be scoped with a valid terminator: '"+terminator+"', not '"+s.terminator+"'.")
	}
	if day := a.date[:8]; s.date != day {
		wrong = append(wrong, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '"+s.date+"' != '"+day+"', from '"+a.date+"'.")
	}
	if wrong != nil {
		return scope{}, invalid("%s", strings.Join(wrong, " "))
	}
	return s, nil
}

// checkSigned holds the list of signed headers against the request.
func (a authorization) checkSigned(r *http.Request) error {
	names := a.signedHeaders
	if !slices.Contains(names, "host") {
		return invalid("%s", messageHostUnsigned)
	}
	for i, name := range names {
		if name == "" || name != strings.ToLower(name) || i > 0 && names[i-1] >= name {
			return invalid("%s", messageHeadersNotSorted)
		}
		switch count := len(r.Header.Values(name)); {
		case name == "host": // net/http moves it to r.Host
		case name == "content-length" && r.ContentLength == 0:
			return invalid("%s", messageEmptyBodyLength)
		case name == "content-length" && r.ContentLength > 0 && count < 2:
		case count == 0:
			return incomplete("'%s' is named as a SignedHeader, but it does not exist in the HTTP request.", name)
		case count > 1:
			return invalid("The header '%s' must not appear more than once.", name)
		}
	}
	for key := range r.Header {
		lower := strings.ToLower(key)
		if strings.HasPrefix(lower, "x-amz-") && !slices.Contains(names, lower) {
			return invalid("'%s' must be a 'SignedHeader' in the AWS Authorization.", key)
		}
	}
	return nil
}

// isRegion accepts any name a Region could have: this service serves all of them.
func isRegion(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
