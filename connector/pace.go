package connector

// Pace is how fast one tenant of an application may be called, as data. All
// replicas share it: permits are taken from one row per application and tenant,
// and what a provider says of its limits is written there. The zero Pace is
// unlimited, until the provider says otherwise.
type Pace struct {
	PerSecond float64 // calls of one tenant, on average; zero: no limit of ours
	Burst     int     // calls that may be made at once; zero: a second's worth, at least one

	// Remaining is the header that counts the calls left, such as
	// "X-Rate-Limit-Remaining", and Reset the one that tells when there are more.
	// Where the first is 0 in any answer, nothing is called before the second.
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
	Seconds Unit = iota // from now, fractions allowed; or an HTTP date (RFC 9110, section 10.2.3)
	Epoch               // seconds since 1970
)
