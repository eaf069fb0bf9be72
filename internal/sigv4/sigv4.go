package sigv4

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// skew is how far the clocks of client and server may be apart, either way.
const skew = 15 * time.Minute

// Verifier authenticates requests to one service. It is safe for concurrent use.
type Verifier struct {
	service string
	lookup  Lookup
	now     func() time.Time
	dummy   string // signs in place of a key that does not exist; nobody knows it
}

// New makes a Verifier for the service that credential scopes must name, e.g. "appfabric".
func New(service string, lookup Lookup, now func() time.Time) *Verifier {
	return &Verifier{service: service, lookup: lookup, now: now, dummy: rand.Text()}
}

// Verify says who signed r. body is the whole body as it was received; r.Body is not read, and r is not changed.
//
// r must be as net/http's server made it: the signature covers r.RequestURI, r.Host and r.Header. What it covers is
// then safe to act on; a header that is not among the signed ones is not.
//
// The error is an *Error when the request is at fault, any other when the lookup failed.
func (v *Verifier) Verify(r *http.Request, body []byte) (Identity, error) {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	if err := checkTarget(path, query); err != nil {
		return Identity{}, err
	}
	a, err := parse(r.Header)
	if err != nil {
		return Identity{}, err
	}
	if len(r.Header.Values(headerToken)) > 0 {
		return Identity{}, &Error{Code: CodeUnrecognizedClient, Message: messageSessionToken}
	}
	if err := v.checkTime(a); err != nil {
		return Identity{}, err
	}
	if err := a.checkSigned(r); err != nil {
		return Identity{}, err
	}
	if a.algorithm != algorithm {
		return Identity{}, incomplete("Unsupported AWS 'algorithm': '%s' (only %s for now). ", a.algorithm, algorithm)
	}
	s, err := a.parseScope(v.service)
	if err != nil {
		return Identity{}, err
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if err := checkHash(r.Header, hash); err != nil {
		return Identity{}, err
	}
	return v.compare(r, a, s, hash)
}

// compare decides by the signature alone; everything else has been checked.
func (v *Verifier) compare(r *http.Request, a authorization, s scope, hash string) (Identity, error) {
	key, known, err := v.lookup(r.Context(), s.keyID)
	if err != nil {
		return Identity{}, fmt.Errorf("sigv4: look up access key: %w", err)
	}
	known = known && key.Secret != "" // with an empty secret anybody could sign
	if !known {
		key.Secret = v.dummy
	}
	want, err := sign(r, a, s, hash, key.Secret)
	if err != nil {
		return Identity{}, fmt.Errorf("sigv4: sign again: %w", err)
	}
	equal := subtle.ConstantTimeCompare([]byte(want), []byte(a.signature)) == 1
	switch {
	case !known:
		return Identity{}, &Error{Code: CodeUnrecognizedClient, Message: messageUnknownKey}
	case !equal:
		return Identity{}, invalid("%s", messageMismatch)
	}
	return Identity{AccessKeyID: s.keyID, Account: key.Account, Region: s.region}, nil
}

// sign computes the signature that the client's request should have.
//
// The signer decides by the header map which headers it signs, and leaves some out by their canonical names. So it
// gets a map with the client's signed headers and no other, named in lower case, which none of its exceptions match.
// The signer is new each time: it caches derived keys by access key id and not by secret, without a bound, and both
// the id and the Region come from strangers.
func sign(r *http.Request, a authorization, s scope, hash, secret string) (string, error) {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	again := &http.Request{
		Method: r.Method,
		Host:   r.Host,
		Header: http.Header{},
		// Opaque carries the raw path; the signer encodes it once more, as clients do.
		URL: &url.URL{Opaque: "//host" + path, RawQuery: query},
	}
	for _, name := range a.signedHeaders {
		switch name {
		case "host", "x-amz-date": // the signer adds both
		case "content-length":
			again.ContentLength = r.ContentLength
		default:
			again.Header[name] = r.Header.Values(name)
		}
	}
	credentials := aws.Credentials{AccessKeyID: s.keyID, SecretAccessKey: secret}
	err := v4.NewSigner().SignHTTP(context.Background(), credentials, again, hash, s.service, s.region, a.time)
	if err != nil {
		return "", err
	}
	_, signature, _ := strings.Cut(again.Header.Get(headerAuth), "Signature=")
	return signature, nil
}

// checkTarget refuses what the signature would not cover, or would cover differently from how it is read: a query
// that does not decode is dropped in part by url.Values.
func checkTarget(path, query string) error {
	if !strings.HasPrefix(path, "/") {
		return invalid("%s", messageTargetForm)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return invalid("%s", messageQueryNotDecodable)
	}
	for name := range values {
		if strings.HasPrefix(strings.ToLower(name), "x-amz-") {
			return invalid("%s", messagePresigned)
		}
	}
	return nil
}

// checkTime holds the request's date against the clock.
func (v *Verifier) checkTime(a authorization) error {
	now := v.now().UTC().Truncate(time.Second)
	early, late := now.Add(-skew), now.Add(skew)
	switch {
	case a.time.Before(early):
		return invalid("Signature expired: %s is now earlier than %s (%s - 15 min.)",
			a.date, early.Format(dateFormat), now.Format(dateFormat))
	case a.time.After(late):
		return invalid("Signature not yet current: %s is still later than %s (%s + 15 min.)",
			a.date, late.Format(dateFormat), now.Format(dateFormat))
	}
	return nil
}

// checkHash holds X-Amz-Content-Sha256 against the body's hash; most clients do not send it.
func checkHash(h http.Header, hash string) error {
	sent := h.Values(headerHash)
	switch {
	case len(sent) == 0 || sent[0] == hash:
		return nil
	case sent[0] == "UNSIGNED-PAYLOAD" || strings.HasPrefix(sent[0], "STREAMING-"):
		return invalid("%s", messageUnsignedPayload)
	default:
		return invalid("%s", messageBodyHash)
	}
}
