package sigv4

import (
	"context"
	"encoding/json"
	"log/slog"
)

const redacted = "[redacted]"

// Key is an access key and the account that it acts in. It prints, logs and marshals without its secret.
type Key struct {
	ID      string // access key id, e.g. AKIDEXAMPLE
	Secret  string
	Account string // 12 digits
}

// Lookup finds the key of an access key id. It answers false for a key that does not exist or was revoked; an error
// is for a store that cannot be read. It is called concurrently, and with ids that a stranger made up.
type Lookup func(ctx context.Context, accessKeyID string) (Key, bool, error)

// Identity is who signed a request.
type Identity struct {
	AccessKeyID string
	Account     string
	Region      string // of the credential scope
}

// String redacts.
func (k Key) String() string { return "sigv4.Key{" + k.ID + " " + k.Account + " " + redacted + "}" }

// GoString redacts %#v.
func (k Key) GoString() string { return k.String() }

// LogValue keeps the secret out of logs.
func (k Key) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", k.ID), slog.String("account", k.Account))
}

// MarshalJSON keeps the secret out of documents.
func (k Key) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct{ ID, Account, Secret string }{k.ID, k.Account, redacted})
}
