package notify

import (
	"time"

	"selvedge/internal/fabric"
)

// Sign is sign, for the specification's own example.
func Sign(keys []fabric.Secret, id string, at time.Time, body []byte) string {
	return sign(keys, id, at, body)
}
