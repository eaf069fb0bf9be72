package fabric

import "time"

// KindAccessKey is the resourceType of access keys, which AWS has in another
// service.
const KindAccessKey Kind = "AccessKey"

// AccessKey is a key that requests are signed with, without its secret. It acts
// in one account, in every Region.
type AccessKey struct {
	ID        string
	Account   string
	Policy    string // what it may do: an IAM policy in JSON, or the name of a managed one
	CreatedAt time.Time
	RevokedAt time.Time // zero: in use
}
