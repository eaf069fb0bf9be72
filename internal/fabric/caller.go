package fabric

// Caller is who asks for an operation, and where. Every control method takes
// one, and nothing outside of its account and Region can be reached with it.
type Caller struct {
	Account     string // twelve digits
	Region      string // from the request's signature
	AccessKeyID string
}

// Visitor is a caller who is known by a session instead of a signature, and
// where it calls from.
type Visitor struct {
	Caller
	SourceIP  string // address of the connection, with its port
	UserAgent string
	Again     bool // reads only what it has read before, to see whether that has changed: reads are not recorded
}
