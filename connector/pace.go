package connector

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Pace is how fast one tenant of an application may be called, as data. All
// replicas share it: permits are taken from one row per application and tenant,
// and what a provider says of its limits is written there. The zero Pace is
// unlimited, until the provider says otherwise.
type Pace struct {
	PerSecond float64 // calls of one tenant, on average; zero: no limit of ours
	Burst     int     // calls that may be made at once; zero: a second's worth, at least one

	// Remaining is the header that counts the calls left, such as
	// "X-Rate-Limit-Remaining", and Reset the one that tells when there are more.
	// Where the first is 0 in any answer, nothing is called before the second; a
	// token endpoint that answers 429 without a Retry-After means the second too.
	Remaining string
	Reset     Wait
}

// Wait is a header that tells when to call again.
type Wait struct {
	Header string
	Unit   Unit
}

// Unit is what the number in a Wait header counts.
type Unit int

// The dialects of waiting.
const (
	Seconds Unit = iota // from now, fractions allowed; or a date: of HTTP (RFC 9110, section 10.2.3) or of RFC 3339
	Epoch               // seconds since 1970
)

// maxWait bounds what a provider may ask for, so that a nonsensical header
// cannot silence a feed for good.
const maxWait = 24 * time.Hour

// Until reads the header; false where it holds no time. A time of the
// provider's clock is compared with its own Date, so that a clock of ours that is
// off does no harm.
func (w Wait) Until(h http.Header, now time.Time) (time.Time, bool) {
	value := strings.TrimSpace(h.Get(w.Header))
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(n) || n < 0 {
		at, err := http.ParseTime(value)
		if err != nil {
			at, err = time.Parse(time.RFC3339, value)
		}
		if err != nil || w.Unit != Seconds {
			return time.Time{}, false
		}
		if latest := now.Add(maxWait); at.After(latest) {
			at = latest
		}
		return at, true
	}
	if w.Unit == Epoch {
		n -= float64(Dated(h, now).Unix())
	}
	wait := time.Duration(min(max(n, 0), maxWait.Seconds()) * float64(time.Second))
	return now.Add(wait), true
}

// Dated is when an answer was given, by the provider's clock; now where it does
// not say.
func Dated(h http.Header, now time.Time) time.Time {
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		return at
	}
	return now
}
