package fabric

// Caller is who asks for an operation, and where. Every control method takes
// one, and nothing outside of its account and Region can be reached with it.
type Caller struct {
	Account     string // twelve digits
	Region      string // from the request's signature
	AccessKeyID string
}
